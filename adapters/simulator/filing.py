"""One document as e-port holds it: by what it is known again, by what it is found from others, and where it stands."""

from dataclasses import dataclass, field
from typing import Any

from ...messages.catalogue import MessageType, message_types
from ...messages.chinatime import china_year
from ...messages.ladders import STANDINGS, Rung, rung

DECLARATIONS: dict[str, MessageType] = {
    each.short: each for each in message_types().values() if each.role == "declaration"
}
"""The message types that can be declared, by the number people say."""

TRIPLE = ("311", "411", "511")
"""The documents an inventory is matched with."""

KEYS: dict[str, tuple[str, ...]] = {
    "311": ("ebpCode", "orderNo"),
    "411": ("payCode", "payTransactionId"),
    "511": ("logisticsCode", "logisticsNo"),
    "513": ("logisticsCode", "logisticsNo", "logisticsStatus"),
    "621": ("agentCode", "copNo"),
    "623": ("agentCode", "copNo"),
    "625": ("agentCode", "copNo"),
    "711": ("operatorCode", "copNo"),
}
"""The fields by which e-port knows each kind of document again; copNo is a number within its enterprise."""

STORED = "1"
"""appStatus, and then status, of a document that is stored with e-port but not declared."""

Id = tuple[str, ...]
"""A document: its kind and the values of its key."""

Link = tuple[str, ...]
"""Something documents have in common: what it is, and its values."""

_ORDER = ("order", "ebpCode", "orderNo")
_TRANSACTION = ("transaction", "payCode", "payTransactionId")
_WAYBILL = ("waybill", "logisticsCode", "logisticsNo")
_LINKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "311": (_ORDER, _TRANSACTION),
    "411": (_ORDER, _TRANSACTION),
    "511": (_WAYBILL,),
    "621": (_ORDER, _WAYBILL, ("person", "buyerIdNumber")),
    "623": (("inventory", "invtNo"),),
    "625": (("inventory", "invtNo"),),
}


@dataclass(frozen=True, slots=True)
class Filing:
    """One document. Times are milliseconds UTC.

    ``node`` is its business node; ``numbers`` are those that e-port and customs gave it (preNo, invtNo, rkdNo);
    ``rungs`` its statuses with the time of each, those to come included. ``ended_ms`` is when it stops to count,
    because it was deleted, cancelled or sent back whole. A ``scripted`` one gets no status but its script's.
    """

    short: str
    key: tuple[str, ...]
    eport: str
    own_guid: str
    node: dict[str, Any] = field(repr=False)
    taken_ms: int
    numbers: dict[str, str] = field(default_factory=dict)
    rungs: tuple[tuple[int, str], ...] = ()
    ended_ms: int | None = None
    scripted: bool = False

    @property
    def id(self) -> Id:
        """Its kind and key."""
        return (self.short, *self.key)

    @property
    def known(self) -> MessageType:
        """Its message type."""
        return DECLARATIONS[self.short]

    @property
    def receipt_type(self) -> str:
        """The message type of its receipts."""
        return self.known.answered_by or ""

    @property
    def head(self) -> dict[str, Any]:
        """The head fields of the document."""
        return self.node.get(self.known.head or "", self.node)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its lines; none for a kind without them."""
        return self.node.get(self.known.line or "", [])

    @property
    def year(self) -> int:
        """The calendar year in China in which it was declared."""
        return china_year(self.taken_ms)

    @property
    def links(self) -> list[Link]:
        """What it is found by from other documents (specification 202205, match rules)."""
        found = [(name, *(self.head.get(each, "") for each in fields)) for name, *fields in _LINKS.get(self.short, ())]
        if self.short == "621" and "invtNo" in self.numbers:
            found.append(("inventory", self.numbers["invtNo"]))
        return [link for link in found if all(link)]

    def link(self, name: str) -> Link:
        """The one of its links that is called so; empty values where it has none."""
        return next((link for link in self.links if link[0] == name), (name,))

    def step_at(self, now_ms: int) -> Rung:
        """What its status of that moment says; until its first status it is taken for received."""
        reached = [status for at, status in self.rungs if at <= now_ms]
        return rung(self.receipt_type, reached[-1] if reached else "2")

    def reached_ms(self, standing: str) -> int | None:
        """When it first says, or will say, at least that of itself; None when it never will."""
        return next((at for at, status in self.rungs if reaches(rung(self.receipt_type, status), standing)), None)

    def ended(self, now_ms: int) -> bool:
        """Whether it has stopped to count."""
        return self.ended_ms is not None and self.ended_ms <= now_ms

    def stands(self, now_ms: int) -> bool:
        """Whether it is declared and neither refused nor ended, so that the same cannot be declared anew."""
        step = self.step_at(now_ms)
        return not (self.ended(now_ms) or refuses(step) or step.code == STORED)

    def present(self, now_ms: int) -> bool:
        """Whether others can be matched with it: refusals by customs leave it with e-port, e-port's own do not."""
        step = self.step_at(now_ms)
        turned_away = refuses(step) and step.code.startswith("-")
        return not (self.ended(now_ms) or turned_away or step.code == STORED)


def text_of(id_: Id) -> str:
    """A document's kind and key as one text, unlike that of any other."""
    return "\x1f".join(id_)  # XML allows that character in no value


def refuses(step: Rung) -> bool:
    """Whether a status ends a document for the worse; "sent to customs, but updating failed" does not."""
    return step.standing == "sent_back" or (step.standing == "refused" and step.retry != "query")


def reaches(step: Rung, standing: str) -> bool:
    """Whether a status says at least that of a document, and nothing bad."""
    good = step.standing not in ("refused", "sent_back")
    return good and STANDINGS.index(step.standing) >= STANDINGS.index(standing)
