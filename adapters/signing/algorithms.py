"""The two signature algorithms of the 202205 specification: SM2 with SM3, preferred, and RSA with SHA-1, allowed."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from tongsuopy.crypto import exceptions as tongsuo
from tongsuopy.crypto import hashes as tongsuo_hashes
from tongsuopy.crypto import serialization as tongsuo_keys
from tongsuopy.crypto.asymciphers import ec

from ...config.keyfiles import AlgorithmName

_COORDINATE = 32

# Tongsuo puts the user id 1234567812345678 into Z_A by itself, the one customs uses
SM2_SIGNING = ec.ECDSA(tongsuo_hashes.SM3())


@dataclass(frozen=True)
class Algorithm:
    """One signature algorithm with the digest that belongs to it.

    ``verify`` takes the signer's SubjectPublicKeyInfo in DER, the signature value as it lies in ds:SignatureValue, and
    the signed bytes; it raises ValueError when the key is of another kind.
    """

    name: AlgorithmName
    signature_uri: str
    digest_uri: str
    digest: Callable[[bytes], bytes]
    verify: Callable[[bytes, bytes, bytes], bool]


def sm3(data: bytes) -> bytes:
    """SM3 (GB/T 32905-2016)."""
    state = hashes.Hash(hashes.SM3())
    state.update(data)
    return state.finalize()


def sha1(data: bytes) -> bytes:
    """SHA-1, which the specification still allows."""
    return hashlib.sha1(data, usedforsecurity=False).digest()


def sm2_raw(signature: bytes) -> bytes:
    """A DER signature as customs writes it: r and s, 32 bytes each."""
    return b"".join(number.to_bytes(_COORDINATE, "big") for number in decode_dss_signature(signature))


def sm2_public_key(info: bytes) -> ec.EllipticCurvePublicKey:
    """The SM2 key of a SubjectPublicKeyInfo; raises ValueError when it holds another kind of key."""
    try:
        return tongsuo_keys.load_der_public_key(info)
    except (ValueError, tongsuo.UnsupportedAlgorithm, tongsuo.InternalError):
        raise ValueError("not an SM2 key") from None


def rsa_public_key(info: bytes) -> rsa.RSAPublicKey:
    """The RSA key of a SubjectPublicKeyInfo; raises ValueError when it holds another kind of key."""
    try:
        key = load_der_public_key(info)
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("not an RSA key") from None
    if isinstance(key, rsa.RSAPublicKey):
        return key
    raise ValueError("not an RSA key")


def _verify_sm2(info: bytes, signature: bytes, data: bytes) -> bool:
    key = sm2_public_key(info)
    if len(signature) != 2 * _COORDINATE:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:_COORDINATE], signature[_COORDINATE:]))
    try:
        key.verify(encode_dss_signature(r, s), data, SM2_SIGNING)
    except (tongsuo.InvalidSignature, tongsuo.InternalError):
        return False
    return True


def _verify_rsa(info: bytes, signature: bytes, data: bytes) -> bool:
    key = rsa_public_key(info)
    try:
        key.verify(signature, data, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - the specification allows SHA-1
    except InvalidSignature:
        return False
    return True


SM2_SM3 = Algorithm(
    name="sm2-sm3",
    signature_uri="http://www.chinaport.gov.cn/2022/04/xmldsig#sm2-sm3",
    digest_uri="http://www.chinaport.gov.cn/2022/04/xmldsig#sm3",
    digest=sm3,
    verify=_verify_sm2,
)
RSA_SHA1 = Algorithm(
    name="rsa-sha1",
    signature_uri="http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    digest_uri="http://www.w3.org/2000/09/xmldsig#sha1",
    digest=sha1,
    verify=_verify_rsa,
)
