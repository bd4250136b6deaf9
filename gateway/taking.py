"""Taking: what becomes of a document that arrives, given what the gateway already holds under its key.

The rules are those of the e-port, applied before anything is sent: a repeated *new* with other content is refused
(-301010, -401007, -504015), a change or delete of an unknown document too (-301009, -401006, -504014), and a copy
with an earlier appTime is ignored (-301014, -401012, -505016). Source: PDF202205 table 7-2.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from ..messages.chinatime import months_before, parse_china_time
from ..messages.documents.document import Document
from .evidence import Held, LinkKey, identity_key

UNREGISTERED = "unregistered"
"""The sender, and the party code in routing keys, for an enterprise that is not on record."""

REUSE_MONTHS = 6
"""After so many months a carrier may use a waybill number again (PDF202205, CEB511 logisticsNo)."""
_REUSED = frozenset({"waybill", "waybill-status"})


class Outcome(StrEnum):
    """What became of a document (收单结果)."""

    TAKEN = "taken"
    DUPLICATE = "duplicate"
    STALE = "stale"
    CONFLICT = "conflict"
    REJECTED = "rejected"


Standing = Literal["unknown", "live", "withdrawn"]
When = Literal["earlier", "same", "later"]
Content = Literal["same", "other"]

NEW, CHANGE, DELETE = "1", "2", "3"


@dataclass(frozen=True, slots=True)
class Taking:
    """The outcome, and the fault that explains it unless the document is taken or a duplicate."""

    outcome: Outcome
    fault: str | None = None


_TAKEN = Taking(Outcome.TAKEN)
_DUPLICATE = Taking(Outcome.DUPLICATE)
_STALE = Taking(Outcome.STALE, "document-stale")
_CONFLICT_TIME = Taking(Outcome.CONFLICT, "document-same-time")
_CONFLICT_NEW = Taking(Outcome.CONFLICT, "document-exists")
_UNKNOWN = Taking(Outcome.REJECTED, "document-unknown")
_FOREIGN = Taking(Outcome.REJECTED, "document-foreign")

_LIVE: dict[tuple[str, When, Content], Taking] = {
    (NEW, "earlier", "same"): _DUPLICATE,
    (NEW, "same", "same"): _DUPLICATE,
    (NEW, "later", "same"): _DUPLICATE,
    (NEW, "earlier", "other"): _STALE,
    (NEW, "same", "other"): _CONFLICT_TIME,
    (NEW, "later", "other"): _CONFLICT_NEW,
    (CHANGE, "earlier", "same"): _DUPLICATE,
    (CHANGE, "same", "same"): _DUPLICATE,
    (CHANGE, "later", "same"): _DUPLICATE,
    (CHANGE, "earlier", "other"): _STALE,
    (CHANGE, "same", "other"): _CONFLICT_TIME,
    (CHANGE, "later", "other"): _TAKEN,
    # a delete withdraws the document whatever it repeats of it
    (DELETE, "earlier", "same"): _STALE,
    (DELETE, "earlier", "other"): _STALE,
    (DELETE, "same", "same"): _CONFLICT_TIME,
    (DELETE, "same", "other"): _CONFLICT_TIME,
    (DELETE, "later", "same"): _TAKEN,
    (DELETE, "later", "other"): _TAKEN,
}
_WITHDRAWN: dict[tuple[str, When], Taking] = {
    (NEW, "earlier"): _STALE,
    (NEW, "same"): _STALE,
    (NEW, "later"): _TAKEN,
    (CHANGE, "earlier"): _STALE,
    (CHANGE, "same"): _UNKNOWN,
    (CHANGE, "later"): _UNKNOWN,
    (DELETE, "earlier"): _STALE,
    (DELETE, "same"): _DUPLICATE,
    (DELETE, "later"): _DUPLICATE,
}


def take(app_type: str, known: Standing, when: When, content: Content) -> Taking:
    """Decide one document: ``known`` is how its key stands, ``when`` and ``content`` compare it with what is stored.

    A copy of an *older* stored version is recognised before this table is asked (it is a duplicate of that version).
    """
    if known == "unknown":
        return _TAKEN if app_type == NEW else _UNKNOWN
    if known == "withdrawn":
        return _WITHDRAWN[app_type, when]
    return _LIVE[app_type, when, content]


def compare_time(arriving: int, stored: int) -> When:
    """How the arriving appTime stands to the stored one."""
    return "earlier" if arriving < stored else "same" if arriving == stored else "later"


@dataclass(frozen=True, slots=True)
class Known:
    """How a key stands: the newest generation of its document."""

    id: int
    generation: int
    version: int
    app_time: int
    withdrawn: bool
    first_at: int
    digest: bytes
    sender: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A document that is taken: the version it becomes, and how it was sent."""

    held: Held
    sender: str
    app_type: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Past:
    """A version that says the same: how it was sent, and what was answered (JSON), or that it came in this batch."""

    app_type: str
    app_time: int
    answer: str | None = None
    held: Held | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: a name to answer to, and the platform it is bound to, if any."""

    name: str
    platform: str | None = None


@dataclass(slots=True)
class Taker:
    """Takes the documents of a batch one after the other, each seeing what those before it left."""

    known: dict[LinkKey, Known]
    past: dict[tuple[int, bytes], list[Past]]
    new_id: Callable[[], int]
    now: int
    taken: list[Taken] = field(default_factory=list)

    def offer(
        self, document: Document, digest: bytes, sender: Sender, relay_id: int | None
    ) -> tuple[Taking, Taken | None, Past | None]:
        """What becomes of one document; if taken, the version it becomes; if a duplicate, the version it repeats."""
        key = identity_key(document)
        latest = self.known.get(key)
        app_time = parse_china_time(document.app_time)
        past = self.past.get((latest.id, digest), []) if latest else []
        sent = (document.app_type, app_time)
        if same := next((each for each in past if (each.app_type, each.app_time) == sent), None):
            return _DUPLICATE, None, same
        known = None if latest and self._used_anew(document, latest) else latest
        if known and document.app_type != NEW and known.sender not in {sender.name, UNREGISTERED}:
            return _FOREIGN, None, None
        taking = self._decide(document.app_type, app_time, digest, known)
        if taking.outcome is not Outcome.TAKEN:
            return taking, None, past[-1] if past and known else None
        held = Held(
            id=known.id if known else self.new_id(),
            version=known.version + 1 if known else 1,
            document=document,
            generation=known.generation if known else latest.generation + 1 if latest else 1,
            app_time=app_time,
            withdrawn=document.app_type == DELETE,
            bound_to=sender.platform,
            first_at=known.first_at if known else self.now,
            relay_id=relay_id,
        )
        self.known[key] = Known(
            held.id, held.generation, held.version, app_time, held.withdrawn, held.first_at, digest, sender.name
        )
        taken = Taken(held, sender.name, document.app_type, digest)
        self.taken.append(taken)
        self.past.setdefault((held.id, digest), []).append(Past(document.app_type, app_time, held=held))
        return taking, taken, None

    def _used_anew(self, document: Document, known: Known) -> bool:
        fresh = document.app_type == NEW and document.kind in _REUSED
        return fresh and known.first_at <= months_before(self.now, REUSE_MONTHS)

    def _decide(self, app_type: str, app_time: int, digest: bytes, known: Known | None) -> Taking:
        if known is None:
            return take(app_type, "unknown", "later", "other")
        content: Content = "same" if digest == known.digest else "other"
        standing: Standing = "withdrawn" if known.withdrawn else "live"
        return take(app_type, standing, compare_time(app_time, known.app_time), content)

    def mark(self) -> tuple[dict[LinkKey, Known], dict[tuple[int, bytes], list[Past]], int]:
        """Where things stand, for ``undo``."""
        return dict(self.known), {key: list(past) for key, past in self.past.items()}, len(self.taken)

    def undo(self, mark: tuple[dict[LinkKey, Known], dict[tuple[int, bytes], list[Past]], int]) -> None:
        """Forget what was taken since the mark."""
        self.known, self.past, count = mark
        del self.taken[count:]
