"""The seal key: an Ed25519 key that signs the seals of the ledger, and the file outside the database they go to."""

import base64
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .ledger import Chain, head_leaf, merkle_root, seal_statement
from .store.tending import Seal


@dataclass(frozen=True, slots=True)
class WrittenSeal:
    """A seal as it stands in the file."""

    number: int
    at: int
    previous: bytes
    root: bytes
    signature: bytes


class SealKey:
    """Signs seals; ``path`` is the file they are appended to, one JSON line each, with the public key in every line."""

    def __init__(self, secret: bytes, path: Path) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self._path = path

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def next_seal(self, last: Seal, heads: Iterable[tuple[int, Chain]], now: int) -> Seal:
        """The seal over these heads, chained to the last one."""
        root = merkle_root([head_leaf(case_id, chain) for case_id, chain in heads])
        previous = merkle_root([last.previous, last.root]) if last.number else last.previous
        return Seal(last.number + 1, previous, root, now)

    def sign(self, seal: Seal) -> bytes:
        """The signature over number, time, previous seal and root."""
        return self._key.sign(seal_statement(seal.number, seal.at, seal.previous, seal.root))

    def verifies(self, seal: Seal, signature: bytes) -> bool:
        """Whether the signature is ours and covers this seal."""
        public = Ed25519PublicKey.from_public_bytes(self.public)
        try:
            public.verify(signature, seal_statement(seal.number, seal.at, seal.previous, seal.root))
        except InvalidSignature:
            return False
        return True

    def write(self, seal: Seal, signature: bytes) -> None:
        """Append the seal to the file, durably."""
        line = {
            "seal": seal.number,
            "at": seal.at,
            "previous": seal.previous.hex(),
            "root": seal.root.hex(),
            "signature": base64.b64encode(signature).decode(),
            "key": base64.b64encode(self.public).decode(),
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a+b") as file:
            if file.tell() and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
                # a crash cut the last line: it stays as it is, ours begins on its own
                file.write(b"\n")
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def holds(self, number: int) -> bool:
        """Whether the file holds that seal."""
        return any(each.number == number for each in self.written())

    def written(self) -> Iterator[WrittenSeal]:
        """The seals in the file, oldest first; a line that a crash cut is passed over."""
        if not self._path.exists():
            return
        for text in self._path.read_text("utf-8").splitlines():
            try:
                line = json.loads(text)
                previous, root = bytes.fromhex(line["previous"]), bytes.fromhex(line["root"])
                yield WrittenSeal(line["seal"], line["at"], previous, root, base64.b64decode(line["signature"]))
            except (ValueError, KeyError, TypeError):
                continue
