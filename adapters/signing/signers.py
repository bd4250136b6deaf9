"""Who signs: the port every kind of key stands behind, and the keys kept in PEM files."""

from collections.abc import Mapping
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tongsuopy.crypto import exceptions as tongsuo
from tongsuopy.crypto import serialization as tongsuo_keys
from tongsuopy.crypto.asymciphers import ec

from ...config.eports import KeyFiles
from ...config.keyfiles import Certificate, read_certificate, read_password, read_private
from ...messages.faults import Refused, fault
from .algorithms import RSA_SHA1, SM2_SIGNING, SM2_SM3, Algorithm, rsa_public_key, sm2_public_key, sm2_raw
from .der import public_key_info


class Signer(Protocol):
    """A declarant's key, wherever it lies: a file, a u-key or a signing server."""

    @property
    def algorithm(self) -> Algorithm:
        """What it signs with."""
        ...

    @property
    def certificate(self) -> Certificate:
        """The certificate that goes with every signature."""
        ...

    def sign(self, data: bytes) -> bytes:
        """The raw signature value of the bytes, as it goes into ds:SignatureValue."""
        ...


class Sm2Signer:
    """An SM2 key in memory; raises ValueError when key and certificate do not belong together."""

    algorithm = SM2_SM3

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: Certificate) -> None:
        certified = sm2_public_key(public_key_info(certificate.parsed))
        if certified.public_numbers() != key.public_key().public_numbers():
            raise ValueError("key and certificate do not belong together")
        self._key = key
        self.certificate = certificate

    def sign(self, data: bytes) -> bytes:
        """The numbers r and s, 32 bytes each."""
        return sm2_raw(self._key.sign(data, SM2_SIGNING))


class RsaSigner:
    """An RSA key in memory; raises ValueError when key and certificate do not belong together."""

    algorithm = RSA_SHA1

    def __init__(self, key: rsa.RSAPrivateKey, certificate: Certificate) -> None:
        certified = rsa_public_key(public_key_info(certificate.parsed))
        if certified.public_numbers() != key.public_key().public_numbers():
            raise ValueError("key and certificate do not belong together")
        self._key = key
        self.certificate = certificate

    def sign(self, data: bytes) -> bytes:
        """PKCS#1 v1.5, as long as the key."""
        return self._key.sign(data, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - the specification allows SHA-1


def load_signer(files: KeyFiles, environ: Mapping[str, str]) -> Signer:
    """The signer whose key and certificate lie in the named files; raises Refused with every fault found."""
    certificate = read_certificate(files.certificate)
    pem = read_private(files.key)
    password = read_password(files.password_env, files.password_file, environ)
    load = _load_sm2 if files.algorithm == SM2_SM3.name else _load_rsa
    try:
        key = load(pem, password)
    except (ValueError, TypeError, UnsupportedAlgorithm, tongsuo.UnsupportedAlgorithm, tongsuo.InternalError):
        raise Refused(fault("config-key", file=files.key.name)) from None
    try:
        return RsaSigner(key, certificate) if isinstance(key, rsa.RSAPrivateKey) else Sm2Signer(key, certificate)
    except ValueError:
        raise Refused(fault("config-key-mismatch", file=files.key.name)) from None


def _load_sm2(pem: bytes, password: bytes | None) -> ec.EllipticCurvePrivateKey:
    return tongsuo_keys.load_pem_private_key(pem, password)


def _load_rsa(pem: bytes, password: bytes | None) -> rsa.RSAPrivateKey:
    key = load_pem_private_key(pem, password)
    if isinstance(key, rsa.RSAPrivateKey):
        return key
    raise ValueError("not an RSA key")
