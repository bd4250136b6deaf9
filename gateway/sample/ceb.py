"""Customs XML of the example set: plain, signed, in an envelope, or in another encoding.

What is signed is signed with an RSA key made from the random numbers of the set, so that the same seed gives the same
bytes; its certificates are marked TEST and are refused in production.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from ...adapters.envelope import wrap
from ...adapters.signing.signers import RsaSigner
from ...adapters.signing.verification import signed_bytes
from ...config.keyfiles import TEST_MARK, Certificate
from ...messages.catalogue import MessageType, message_type
from ...messages.codec import load_codec
from ...messages.documents.ceb import FORMS, to_ceb
from ...messages.xml import serialise
from .enterprises import Enterprise

CODES = {
    "order": "CEB311Message",
    "payment": "CEB411Message",
    "waybill": "CEB511Message",
    "waybill-status": "CEB513Message",
    "inventory": "CEB621Message",
    "cancellation": "CEB623Message",
    "return": "CEB625Message",
}
"""The message type of each kind of document."""

SENDER_DXP = "DXPENT0000099009"
CUSTOMS_DXP = "DXPEDCCEB0000002"
RSA_BITS = 1024
"""As short as the keys of the official samples: it guards nothing."""
_WITNESSES = 24
_SMALL_PRIMES = tuple(n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2)))


@dataclass(frozen=True, slots=True)
class Message:
    """One customs message: its documents (all of one kind), who sends it, and its own guid."""

    kind: str
    contents: Sequence[Mapping[str, Any]]
    sender: Enterprise
    guid: str

    @property
    def type(self) -> MessageType:
        """Its message type."""
        return message_type(CODES[self.kind])

    def root(self) -> etree._Element:
        """The message as XML, not signed; its documents leave out what customs XML has no place for."""
        model = FORMS[self.type.code].model
        content = {
            "@guid": self.guid,
            "@version": "1.0",
            self.type.node or "": [to_ceb(model.model_validate(each)) for each in self.contents],
            "BaseTransfer": {
                "copCode": self.sender.code,
                "copName": self.sender.name,
                "dxpMode": "DXP",
                "dxpId": SENDER_DXP,
            },
        }
        return load_codec().encode(self.type.code, content)

    def plain(self) -> bytes:
        """The bytes of the message as it is."""
        return serialise(self.root())

    def signed(self, signer: RsaSigner) -> bytes:
        """The bytes of the message with a signature."""
        return signed_bytes(self.root(), signer)

    def enveloped(self, data: bytes, created_ms: int) -> bytes:
        """Bytes of the message inside a DxpMsg."""
        return wrap(
            data,
            cop_msg_id=self.guid,
            sender=SENDER_DXP,
            receivers=[CUSTOMS_DXP],
            created_ms=created_ms,
            message_type=self.type.code,
        )


def in_gb18030(data: bytes) -> bytes:
    """The same document in GB18030, as its declaration then says."""
    return data.decode().replace('encoding="UTF-8"', 'encoding="GB18030"', 1).encode("gb18030")


class Keys:
    """One key of the set, and a certificate of it for each enterprise; the key is made when it is first needed."""

    def __init__(self, random: Random, at_ms: int) -> None:
        self._random = random
        self._at_ms = at_ms
        self._key: rsa.RSAPrivateKey | None = None
        self._signers: dict[str, RsaSigner] = {}

    def signer(self, enterprise: Enterprise) -> RsaSigner:
        """Who signs for the enterprise."""
        self._key = self._key or _key(self._random)
        if enterprise.code not in self._signers:
            certificate = _certificate(self._key, enterprise.code, self._random.getrandbits(64) | 1, self._at_ms)
            self._signers[enterprise.code] = RsaSigner(self._key, certificate)
        return self._signers[enterprise.code]


def _key(random: Random) -> rsa.RSAPrivateKey:
    """An RSA key from two primes; cryptography makes keys from its own random source only, which no seed repeats."""
    exponent = 65537
    p, q = (_prime(random, RSA_BITS // 2) for _ in range(2))
    d = pow(exponent, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(exponent, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()


def _prime(random: Random, bits: int) -> int:
    while True:
        candidate = random.getrandbits(bits) | 3 << (bits - 2) | 1
        if candidate % 65537 != 1 and all(candidate % prime for prime in _SMALL_PRIMES) and _passes(random, candidate):
            return candidate


def _passes(random: Random, candidate: int) -> bool:
    """Miller and Rabin's test."""
    twos = (candidate - 1 & 1 - candidate).bit_length() - 1
    for _ in range(_WITNESSES):
        power = pow(random.randrange(2, candidate - 1), candidate - 1 >> twos, candidate)
        if power in (1, candidate - 1):
            continue
        if not any((power := power * power % candidate) == candidate - 1 for _ in range(twos - 1)):
            return False
    return True


def _certificate(key: rsa.RSAPrivateKey, code: str, serial: int, at_ms: int) -> Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, TEST_MARK),
            x509.NameAttribute(NameOID.COMMON_NAME, code),
        ]
    )
    start = datetime.fromtimestamp(at_ms // 1000, UTC) - timedelta(days=2)
    made = x509.CertificateBuilder(name, name, key.public_key(), serial, start, start + timedelta(days=365))
    return Certificate(made.sign(key, hashes.SHA256()))
