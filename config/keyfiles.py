"""The files an e-port's signer names: certificates, private keys and their passwords."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ..messages.faults import Fault, Refused, fault

AlgorithmName = Literal["sm2-sm3", "rsa-sha1"]
"""The signature algorithms of the 202205 specification: SM2 is preferred, RSA still allowed."""

TEST_MARK = "TONGGUAN TEST"
"""Organisational unit in the subject of every certificate this gateway makes for itself."""

KEY_FILE_BYTES_MAX = 64 * 1024


@dataclass(frozen=True)
class Certificate:
    """An X.509 certificate. Its subject may name a person (card holders have certificates too): never log it."""

    parsed: x509.Certificate = field(repr=False)

    @cached_property
    def der(self) -> bytes:
        """The certificate as it stands, base64-encoded, in ds:X509Certificate."""
        return self.parsed.public_bytes(Encoding.DER)

    @cached_property
    def serial(self) -> str:
        """The serial number in lower-case hex with an even number of digits, as ds:KeyName carries it."""
        number = self.parsed.serial_number
        return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big").hex()

    @property
    def is_test(self) -> bool:
        """Whether it is marked as made for tests, or signed by its own key; customs issues neither."""
        try:
            subject, issuer = self.parsed.subject, self.parsed.issuer
        except ValueError:  # a name the library cannot read is not one of ours
            return False
        return issuer == subject or any(TEST_MARK in str(attribute.value) for attribute in subject)

    @property
    def not_before_ms(self) -> int:
        """Start of validity, milliseconds UTC."""
        return int(self.parsed.not_valid_before_utc.timestamp() * 1000)

    @property
    def not_after_ms(self) -> int:
        """End of validity, milliseconds UTC."""
        return int(self.parsed.not_valid_after_utc.timestamp() * 1000)


def parse_certificate(data: bytes) -> Certificate:
    """Read a certificate from PEM or DER bytes; raises ValueError when it is neither."""
    parse = x509.load_pem_x509_certificate if b"-----BEGIN" in data else x509.load_der_x509_certificate
    try:
        parsed = parse(data)
    except (ValueError, x509.InvalidVersion):
        raise ValueError("there is no certificate here") from None
    if parsed.serial_number < 0:
        raise ValueError("there is no certificate here")
    return Certificate(parsed)


def read_certificate(path: Path) -> Certificate:
    """Read a certificate file; raises Refused with a fault that names the file."""
    try:
        return parse_certificate(_read(path))
    except ValueError:
        raise Refused(fault("config-certificate", file=path.name)) from None


def read_private(path: Path) -> bytes:
    """Read a file only its owner may read; raises Refused with a fault that says how to mend it."""
    if problem := private_file_fault(path):
        raise Refused(problem)
    return _read(path)


def private_file_fault(path: Path) -> Fault | None:
    """What is wrong with a secret's file: missing, or open to others than its owner."""
    try:
        found = path.stat()
    except OSError:
        return fault("config-file-missing", file=str(path))
    if not stat.S_ISREG(found.st_mode):
        return fault("config-file-missing", file=str(path))
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return fault("config-file-open", file=str(path))
    return None


def read_password(env: str | None, file: Path | None, environ: Mapping[str, str]) -> bytes | None:
    """The password of a private key from the named environment variable or file; None when the key has none.

    A line break at the end of the file does not belong to the password. Raises Refused.
    """
    if env is not None:
        if env not in environ:
            raise Refused(fault("config-password-missing", name=env))
        return environ[env].encode()
    return read_private(file).rstrip(b"\r\n") if file is not None else None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(KEY_FILE_BYTES_MAX + 1)
    except OSError:
        raise Refused(fault("config-file-missing", file=str(path))) from None
    if len(data) > KEY_FILE_BYTES_MAX:
        raise Refused(fault("config-file-large", file=str(path), limit=KEY_FILE_BYTES_MAX))
    return data
