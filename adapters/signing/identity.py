"""Self-made identities for tests and the demo, marked TEST in their subject and refused in production.

cryptography writes the certificate; it cannot certify an SM2 key, so for SM2 it certifies a stand-in key first, and the
key, the algorithm identifiers and the signature of that certificate are then replaced by SM2's.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec as nist
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from tongsuopy.crypto import serialization as tongsuo_keys
from tongsuopy.crypto.asymciphers import ec

from ...config.keyfiles import TEST_MARK, AlgorithmName, Certificate, parse_certificate
from .algorithms import SM2_SIGNING, SM2_SM3
from .der import BIT_STRING, SEQUENCE, elements, tlv
from .signers import RsaSigner, Signer, Sm2Signer

RSA_BITS = 2048
VALID_DAYS = 365

# 1.2.156.10197.1.501, SM2 signature with SM3 (GM/T 0006-2012)
_SM2_WITH_SM3 = bytes.fromhex("300a06082a811ccf55018375")


@dataclass(frozen=True, slots=True)
class Identity:
    """A private key (PEM, PKCS#8, not encrypted) with its certificate (PEM), and the signer made of both."""

    key_pem: bytes = field(repr=False)
    certificate_pem: bytes
    signer: Signer


def make_test_identity(algorithm: AlgorithmName, name: str, serial: int, at_ms: int) -> Identity:
    """A new key with a self-signed TEST certificate for an enterprise's code or name.

    The certificate is valid for a year from a day before ``at_ms`` (milliseconds UTC), so that a clock a little behind
    accepts it too. The key comes from the crypto libraries' own random source.
    """
    if algorithm == SM2_SM3.name:
        return _sm2_identity(name, serial, at_ms)
    key = rsa.generate_private_key(65537, RSA_BITS)
    certificate = Certificate(_certificate(key, name, serial, at_ms))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Identity(pem, certificate.parsed.public_bytes(Encoding.PEM), RsaSigner(key, certificate))


def _sm2_identity(name: str, serial: int, at_ms: int) -> Identity:
    key = ec.generate_private_key(ec.SM2())
    info = key.public_key().public_bytes(tongsuo_keys.Encoding.DER, tongsuo_keys.PublicFormat.SubjectPublicKeyInfo)
    stand_in = _certificate(nist.generate_private_key(nist.SECP256R1()), name, serial, at_ms)
    version, number, _, issuer, validity, subject, *_ = elements(stand_in.tbs_certificate_bytes)
    to_sign = tlv(SEQUENCE, version, number, _SM2_WITH_SM3, issuer, validity, subject, info)
    signature = tlv(BIT_STRING, b"\0", key.sign(to_sign, SM2_SIGNING))
    certificate = parse_certificate(tlv(SEQUENCE, to_sign, _SM2_WITH_SM3, signature))
    pem = key.private_bytes(tongsuo_keys.Encoding.PEM, tongsuo_keys.PrivateFormat.PKCS8, tongsuo_keys.NoEncryption())
    return Identity(pem, certificate.parsed.public_bytes(Encoding.PEM), Sm2Signer(key, certificate))


def _certificate(
    key: rsa.RSAPrivateKey | nist.EllipticCurvePrivateKey, name: str, serial: int, at_ms: int
) -> x509.Certificate:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, TEST_MARK),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    start = datetime.fromtimestamp(at_ms // 1000, UTC) - timedelta(days=1)
    return (
        x509.CertificateBuilder(subject, subject, key.public_key(), serial)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=VALID_DAYS))
        .sign(key, hashes.SHA256())
    )
