"""The little DER that cryptography does not do for SM2: taking a structure apart and putting it together again."""

from cryptography.x509 import Certificate

SEQUENCE = 0x30
BIT_STRING = 0x03

_VERSION = 0xA0
_ISSUED_FIELDS = 5  # serial number, signature algorithm, issuer, validity, subject


def tlv(tag: int, *content: bytes) -> bytes:
    """One DER value of the given tag."""
    body = b"".join(content)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def elements(der: bytes) -> list[bytes]:
    """The values inside one DER value, each with its tag and length; raises ValueError for anything but DER."""
    start, end = _content(der, 0)
    if end != len(der):
        raise ValueError("bytes after the end of a DER value")
    found = []
    while start < end:
        _, stop = _content(der, start)
        found.append(der[start:stop])
        start = stop
    return found


def public_key_info(certificate: Certificate) -> bytes:
    """The SubjectPublicKeyInfo of a certificate, also of one whose curve cryptography does not know."""
    fields = elements(certificate.tbs_certificate_bytes)
    return fields[_ISSUED_FIELDS + (fields[0][0] == _VERSION)]


def _content(der: bytes, at: int) -> tuple[int, int]:
    """Where the content of the value at ``at`` starts and ends."""
    if len(der) < at + 2:
        raise ValueError("a DER value is cut short")
    length, start = der[at + 1], at + 2
    if length >= 0x80:
        octets = length & 0x7F
        length, start = int.from_bytes(der[start : start + octets], "big"), start + octets
    if start + length > len(der):
        raise ValueError("a DER value is cut short")
    return start, start + length
