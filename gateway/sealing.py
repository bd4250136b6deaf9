"""Sealing: personal data at rest is encrypted, and found again only through keyed hashes of it.

A sealed value is ``version (1) | key id (4) | salt (16) | AES-256-GCM ciphertext``. Its key is derived from the
master key and its own salt, so that overwriting the salt shreds the value for good while every other one stays
readable. Master keys are kept outside the database, in the key file (``config.keys``).
"""

import hmac
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..config.keys import KeyFile
from ..messages.personal import normalised

_VERSION = b"\x01"
_KEY_ID = 4
_SALT = 16
_HEADER = 1 + _KEY_ID + _SALT
# one key seals one value, so its nonce need not vary
_NONCE = bytes(12)
INDEX_BYTES = 16


class Unsealable(Exception):  # noqa: N818 - says what the value is
    """A sealed value cannot be opened: shredded, damaged, or sealed with a key that is not in the key file."""


class Sealer:
    """Seals and opens bytes; ``random`` gives n unpredictable bytes (os.urandom, or a seeded source in simulation)."""

    def __init__(self, keys: KeyFile, random: Callable[[int], bytes]) -> None:
        self._keys = keys
        self._random = random
        self._current = keys.current.encode("ascii")
        if len(self._current) != _KEY_ID or any(len(key) != 32 for key in keys.masters.values()):
            raise ValueError("a master key has 32 bytes and an id of 4 ASCII characters")

    def seal(self, plain: bytes) -> bytes:
        """Encrypt ``plain`` under a key of its own."""
        salt = self._random(_SALT)
        key = hmac.digest(self._keys.masters[self._keys.current], salt, "sha256")
        header = _VERSION + self._current + salt
        return header + AESGCM(key).encrypt(_NONCE, plain, header)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt a sealed value; raises Unsealable."""
        header = bytes(sealed[:_HEADER])
        master = self._keys.masters.get(header[1 : 1 + _KEY_ID].decode("ascii", "replace"))
        if header[:1] != _VERSION or master is None:
            raise Unsealable("unknown seal version or key id")
        key = hmac.digest(master, header[1 + _KEY_ID :], "sha256")
        try:
            return AESGCM(key).decrypt(_NONCE, sealed[_HEADER:], header)
        except InvalidTag:
            raise Unsealable("shredded or damaged") from None

    def index(self, kind: str, value: str) -> bytes:
        """The blind index of a personal value (``kind``: id, phone, name): equal values meet, nothing can be read."""
        return hmac.digest(self._keys.index, f"{kind}\0{normalised(value)}".encode(), "sha256")[:INDEX_BYTES]

    @property
    def digest_secret(self) -> bytes:
        """The secret under which document contents are digested."""
        return hmac.digest(self._keys.index, b"content", "sha256")

    @property
    def seal_secret(self) -> bytes:
        """The private key (32 bytes) that signs the seals of the ledger."""
        return hmac.digest(self._keys.index, b"seal", "sha256")


def shredded(sealed: bytes) -> bytes:
    """The sealed value with its salt overwritten: of the same length, and never readable again."""
    return sealed[: 1 + _KEY_ID] + bytes(_SALT) + sealed[_HEADER:]


def is_shredded(sealed: bytes) -> bool:
    """Whether a sealed value has been shredded."""
    return sealed[1 + _KEY_ID : _HEADER] == bytes(_SALT)
