"""Receiving: which attempt a receipt answers, and what it does to it.

Receipts are not exactly-once, come late, twice and out of order. Each is kept; only one that overtakes the one that
counted so far (later returnTime, then higher on the ladder) moves its declaration.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from ..messages.ladders import Rung, overtakes, rung
from ..messages.receipts import Receipt
from .declaring import Declaration
from .states import ARRIVED, AT_HOME, UNANSWERED, DeclarationState


class Standing(StrEnum):
    """What became of a receipt."""

    APPLIED = "applied"
    """It moved its declaration."""
    LATE = "late"
    """A newer one had come before it: history."""
    DOUBLED = "doubled"
    """The same receipt again."""
    UNKNOWN = "unknown"
    """Its status code is not in the table; shown, never read as the nearest ordinary one."""
    UNMATCHED = "unmatched"
    """It answers nothing that was sent from here."""
    NOTED = "noted"
    """It speaks of a case without moving a declaration (a tax bill)."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a receipt did: its standing, and the declaration it answers as it is afterwards."""

    standing: Standing
    rung: Rung
    declaration: Declaration | None = None
    resend: bool = False
    """It is a refusal that blames the system: the same may be declared again."""


def attempt_for(receipt: Receipt, attempts: Iterable[Declaration]) -> Declaration | None:
    """The attempt a receipt answers: whose guid or preNo it names, else the newest packed before its returnTime.

    ``attempts`` share the receipt's business key; what never left the house is not answered.
    """
    sent = [each for each in attempts if each.state not in AT_HOME and each.packed_at is not None]
    for name, value in (("guid", receipt.named_guid), ("guid", receipt.guid), ("pre_no", receipt.pre_no)):
        if value:
            named = [each for each in sent if (getattr(each, name) or "").upper() == value.upper()]
            if named:
                return max(named, key=lambda each: each.attempt)
    if receipt.return_ms is not None:
        before = [each for each in sent if each.packed_at is not None and each.packed_at <= receipt.return_ms]
        sent = before or sent
    return max(sent, key=lambda each: (each.attempt, each.id), default=None)


def apply(receipt: Receipt, declaration: Declaration | None, sends: int, *, known: bool = False) -> Applied:
    """Apply one receipt to its attempt.

    ``sends`` is how often its message was handed over; ``known`` says that this very receipt came before.
    """
    step = rung(receipt.message_type, receipt.status)
    if declaration is None:
        return Applied(Standing.UNMATCHED, step)
    at = receipt.return_ms or 0
    if receipt.doubled or known:
        return Applied(Standing.DOUBLED, step, declaration)
    numbered = replace(
        declaration,
        pre_no=receipt.pre_no or declaration.pre_no,
        invt_no=receipt.invt_no or declaration.invt_no,
    )
    old = (declaration.return_time or 0, declaration.status) if declaration.status else None
    if old and old[1] and not overtakes(receipt.message_type, (old[0], old[1]), (at, receipt.status)):
        return Applied(Standing.LATE, step, numbered)
    if step.standing == "unknown":
        # shown as unknown; what is known of the declaration stands
        state = DeclarationState.UNKNOWN if declaration.state in UNANSWERED else declaration.state
        return Applied(Standing.UNKNOWN, step, replace(numbered, state=state))
    if step.standing == "refused" and step.duplicate and (sends > 1 or declaration.state in ARRIVED):
        # the e-port has it from an earlier delivery: that proves arrival, refuses nothing and dates nothing
        proven = declaration.state if declaration.state in ARRIVED else DeclarationState.RECEIVED
        return Applied(Standing.APPLIED, step, replace(numbered, state=proven))
    arrived = replace(numbered, status=receipt.status, return_time=at, state=_state(step))
    standing = Standing.APPLIED if step.known else Standing.UNKNOWN
    # what its declarant signed cannot be said again under a new guid; its sender is asked to
    ours = declaration.relay_id is None
    resend = ours and arrived.state is DeclarationState.REFUSED and step.retry == "resend"
    return Applied(standing, step, arrived, resend)


def _state(step: Rung) -> DeclarationState:
    if step.standing == "refused" and step.retry == "query":
        # "sent to customs, but updating failed": neither refused nor accepted
        return DeclarationState.UNCERTAIN
    return DeclarationState(step.standing)


def turned_away(declaration: Declaration, step: Rung, status: str, at: int, *, known: bool) -> Applied:
    """What a receipt about a whole message (CEB900, DxpRep) does to one declaration in it.

    A declaration that has an answer of its own keeps it; ``known`` says that this very receipt came before. The
    exchange platform dates its trouble by the day, so of a message that was sent again it may say the same again.
    """
    if known and not (step.retry == "resend" and declaration.state is DeclarationState.SENT):
        return Applied(Standing.DOUBLED, step, declaration)
    if declaration.status is not None or declaration.state not in UNANSWERED:
        return Applied(Standing.LATE, step, declaration)
    if step.standing != "refused":
        return Applied(Standing.UNKNOWN, step, replace(declaration, state=DeclarationState.UNKNOWN))
    if step.retry == "resend":
        # the exchange platform had trouble of its own: the same bytes go again
        return Applied(Standing.APPLIED, step, replace(declaration, state=DeclarationState.UNCERTAIN), resend=True)
    refused = replace(declaration, state=DeclarationState.REFUSED, status=status, return_time=at)
    return Applied(Standing.APPLIED if step.known else Standing.UNKNOWN, step, refused)


def again(declaration: Declaration, id_: int, guid: str, content: Mapping[str, object]) -> Declaration:
    """A further attempt that says the same, after a refusal that blamed the system."""
    return replace(
        declaration,
        id=id_,
        attempt=declaration.attempt + 1,
        state=DeclarationState.BLOCKED,
        guid=guid,
        message_id=None,
        ready_at=None,
        packed_at=None,
        status=None,
        return_time=None,
        pre_no=None,
        content=content,
    )
