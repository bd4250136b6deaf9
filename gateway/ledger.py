"""The ledger (核对日志): one hash chain per case, and seals over all of them.

Each entry's hash covers the hash before it and the bytes of its own body, so that changing, dropping or reordering
one entry breaks every later hash of the case. A seal is the Merkle root over the heads of the cases that changed
since the last one, chained and signed, and also written outside the database. Bodies hold masks and blind indexes,
never personal values, so that shredding a document cannot break the chain.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

START = bytes(32)
"""The hash before the first entry of a case, and before the first seal."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision on a case: what happened (``kind``), when, by whom in which role; facts without personal values."""

    kind: str
    at: int
    actor: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    role: str = "gateway"


@dataclass(frozen=True, slots=True)
class Chain:
    """How far a case's ledger goes: the number of entries and the hash of the last."""

    count: int = 0
    head: bytes = START


@dataclass(frozen=True, slots=True)
class Written:
    """An entry as it is stored: its number (from 1), its bytes as text, and its hash."""

    seq: int
    body: str
    hash: bytes


def append(chain: Chain, case: str, entries: Iterable[Entry]) -> tuple[Chain, list[Written]]:
    """Add entries to the chain of ``case`` (its key as text)."""
    written: list[Written] = []
    for entry in entries:
        seq = chain.count + 1
        named = {"case": case, "seq": seq, "kind": entry.kind, "at": entry.at, "actor": entry.actor, "role": entry.role}
        body = _canonical({**entry.facts, **named})
        chain = Chain(seq, _next(chain.head, body))
        written.append(Written(seq, body, chain.head))
    return chain, written


def broken_entry(entries: Sequence[Written], chain: Chain, case: str) -> int | None:
    """The number of the first entry of a case that does not hold, or None.

    ``chain`` is what the case row says, ``case`` the key as text that every entry has to name.
    """
    head = START
    for place, entry in enumerate(entries, start=1):
        head = _next(head, entry.body)
        if place > chain.count or entry.seq != place or entry.hash != head or not _names(entry.body, case, place):
            return place
    return None if chain == Chain(len(entries), head) else len(entries) + 1


def _names(body: str, case: str, place: int) -> bool:
    try:
        facts = json.loads(body)
    except ValueError:
        return False
    return isinstance(facts, dict) and (facts.get("case"), facts.get("seq")) == (case, place)


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle root (SHA-256, RFC 6962 prefixes) of the leaves in their order; of nothing it is the empty hash."""
    if not leaves:
        return hashlib.sha256().digest()
    level = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        pairs = [hashlib.sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def head_leaf(case_id: int, chain: Chain) -> bytes:
    """What a seal covers of one case."""
    return case_id.to_bytes(8) + chain.count.to_bytes(8) + chain.head


def seal_statement(number: int, at: int, previous: bytes, root: bytes) -> bytes:
    """The bytes a seal signs."""
    return _canonical({"seal": number, "at": at, "previous": previous.hex(), "root": root.hex()}).encode()


def _next(head: bytes, body: str) -> bytes:
    return hashlib.sha256(head + body.encode()).digest()


def _canonical(body: Mapping[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
