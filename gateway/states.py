"""The states of a declaration and of a case, as tables: what may follow what, and who or which clock sets it."""

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """What all findings of a case add up to (结论)."""

    WAITING = "waiting"
    DISCREPANT = "discrepant"
    MATCHED = "matched"


class Flag(StrEnum):
    """What stands beside the status of a case."""

    HELD = "held"
    LATE = "late"
    UNCERTAIN = "uncertain"
    AMBIGUOUS = "ambiguous"


class DeclarationState(StrEnum):
    """Where one attempt of one declaration stands: first with us, then, by its receipts, with e-port and customs."""

    BLOCKED = "blocked"
    READY = "ready"
    PACKED = "packed"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    WITHDRAWN = "withdrawn"
    PENDING = "pending"
    RECEIVED = "received"
    FORWARDED = "forwarded"
    UNSENT = "unsent"
    ACCEPTED = "accepted"
    REVIEWING = "reviewing"
    INSPECTING = "inspecting"
    DETAINED = "detained"
    SUSPENDED = "suspended"
    DECIDED = "decided"
    RELEASED = "released"
    CLOSED = "closed"
    REFUSED = "refused"
    SENT_BACK = "sent_back"
    UNKNOWN = "unknown"


class Event(StrEnum):
    """What can happen to a declaration on our side; receipts move it by the ladder of its message type instead."""

    BLOCK = "block"
    UNBLOCK = "unblock"
    PACK = "pack"
    SEND = "send"
    DOUBT = "doubt"
    RESEND = "resend"
    HAND_BACK = "hand_back"
    WITHDRAW = "withdraw"


class CaseStatus(StrEnum):
    """What a platform and an officer see of a case."""

    WAITING = "waiting"
    DISCREPANT = "discrepant"
    MATCHED = "matched"
    DECLARING = "declaring"
    ACCEPTED = "accepted"
    REVIEWING = "reviewing"
    INSPECTING = "inspecting"
    DETAINED = "detained"
    SUSPENDED = "suspended"
    DECIDED = "decided"
    RELEASED = "released"
    CLOSED = "closed"
    REFUSED = "refused"
    SENT_BACK = "sent_back"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


_S = DeclarationState

TRANSITIONS: dict[tuple[DeclarationState, Event], DeclarationState] = {
    (_S.BLOCKED, Event.UNBLOCK): _S.READY,
    (_S.READY, Event.BLOCK): _S.BLOCKED,
    (_S.READY, Event.PACK): _S.PACKED,
    (_S.PACKED, Event.SEND): _S.SENT,
    (_S.PACKED, Event.DOUBT): _S.UNCERTAIN,
    (_S.SENT, Event.DOUBT): _S.UNCERTAIN,
    (_S.UNCERTAIN, Event.RESEND): _S.PACKED,
    # nothing left the house, or the whole message was turned away unread: the same attempt may be packed anew
    (_S.PACKED, Event.HAND_BACK): _S.READY,
    (_S.BLOCKED, Event.WITHDRAW): _S.WITHDRAWN,
    (_S.READY, Event.WITHDRAW): _S.WITHDRAWN,
}

AT_HOME = frozenset({_S.BLOCKED, _S.READY})
"""Nothing has been handed over: content may still change, or be withdrawn."""
UNANSWERED = frozenset({_S.PACKED, _S.SENT, _S.UNCERTAIN})
"""Handed over, or perhaps; no receipt yet."""
OVER = frozenset({_S.REFUSED, _S.WITHDRAWN, _S.SENT_BACK})
"""This attempt will not clear the goods; a corrected one may follow (a shipped-back parcel ends the case instead)."""
ARRIVED = frozenset(_S) - AT_HOME - UNANSWERED - {_S.WITHDRAWN, _S.REFUSED, _S.PENDING, _S.UNKNOWN}
"""The e-port has it (status 2 or further): what waited for this declaration may go."""


def after(state: DeclarationState, event: Event) -> DeclarationState | None:
    """The state an event leads to, or None where it cannot happen."""
    return TRANSITIONS.get((state, event))


_SHOWN: dict[DeclarationState, CaseStatus] = {
    _S.PACKED: CaseStatus.DECLARING,
    _S.SENT: CaseStatus.DECLARING,
    _S.UNCERTAIN: CaseStatus.DECLARING,
    _S.PENDING: CaseStatus.DECLARING,
    _S.RECEIVED: CaseStatus.DECLARING,
    _S.FORWARDED: CaseStatus.DECLARING,
    _S.UNSENT: CaseStatus.DECLARING,
    _S.UNKNOWN: CaseStatus.DECLARING,
    _S.ACCEPTED: CaseStatus.ACCEPTED,
    _S.REVIEWING: CaseStatus.REVIEWING,
    _S.INSPECTING: CaseStatus.INSPECTING,
    _S.DETAINED: CaseStatus.DETAINED,
    _S.SUSPENDED: CaseStatus.SUSPENDED,
    _S.DECIDED: CaseStatus.DECIDED,
    _S.RELEASED: CaseStatus.RELEASED,
    _S.CLOSED: CaseStatus.CLOSED,
    _S.REFUSED: CaseStatus.REFUSED,
    _S.SENT_BACK: CaseStatus.SENT_BACK,
}


def case_status(
    verdict: Verdict,
    main: DeclarationState | None,
    *,
    withdrawn: bool,
    cancellation: DeclarationState | None,
    refund: DeclarationState | None,
) -> CaseStatus:
    """The status of a case.

    ``main`` is the state of the newest attempt of the declaration that clears the goods (the 621, or ``summary`` of
    the others where the e-port does not want it from us); ``withdrawn`` says its order was deleted; ``cancellation``
    and ``refund`` are the states of a 623 and a 625, which end a case once decided (399) or released (800).
    """
    if cancellation is _S.DECIDED:
        return CaseStatus.CANCELLED
    if refund in {_S.DECIDED, _S.RELEASED}:
        return CaseStatus.RETURNED
    if main is not None and main in _SHOWN:
        return _SHOWN[main]
    if withdrawn:
        return CaseStatus.WITHDRAWN
    return CaseStatus(verdict.value)


def summary(states: Iterable[DeclarationState]) -> DeclarationState | None:
    """One state for several declarations of a case: the worst that has happened, else the least advanced."""
    order = (_S.REFUSED, _S.DETAINED, _S.UNCERTAIN, _S.UNKNOWN, *_S)
    return min(states, key=order.index, default=None)


HOLDS_QUOTA = frozenset(
    {
        CaseStatus.MATCHED,
        CaseStatus.DECLARING,
        CaseStatus.ACCEPTED,
        CaseStatus.REVIEWING,
        CaseStatus.INSPECTING,
        CaseStatus.DETAINED,
        CaseStatus.SUSPENDED,
        CaseStatus.DECIDED,
        CaseStatus.RELEASED,
        CaseStatus.CLOSED,
    }
)
"""Reserved at matched, given back when a case is refused, withdrawn, cancelled, returned, sent back or falls apart."""


SETTERS: dict[CaseStatus, tuple[str, str]] = {
    CaseStatus.WAITING: ("收单：单证未齐，或资料不足", "intake: evidence or data is missing"),
    CaseStatus.DISCREPANT: ("收单：三单对碰不符", "intake: a blocking finding"),
    CaseStatus.MATCHED: ("收单：三单对碰相符", "intake: everything agrees"),
    CaseStatus.DECLARING: ("申报：报文已交电子口岸", "dispatch: handed to the e-port; receipts 1 to 4"),
    CaseStatus.ACCEPTED: ("海关：入库（120）", "customs: receipt 120"),
    CaseStatus.REVIEWING: ("海关：人工审核（300）", "customs: receipt 300"),
    CaseStatus.INSPECTING: ("海关：查验（500）", "customs: receipt 500"),
    CaseStatus.DETAINED: ("海关：扣留（501、502、503、599）", "customs: receipts 501, 502, 503, 599"),
    CaseStatus.SUSPENDED: ("海关：挂起（600）", "customs: receipt 600"),
    CaseStatus.DECIDED: ("海关：审结（399）", "customs: receipt 399"),
    CaseStatus.RELEASED: ("海关：放行（800）", "customs: receipt 800"),
    CaseStatus.CLOSED: ("海关：结关（899）", "customs: receipt 899"),
    CaseStatus.REFUSED: ("海关或电子口岸：退单（100 或负数）", "customs or e-port: receipt 100 or negative"),
    CaseStatus.SENT_BACK: ("海关：退运（700）", "customs: receipt 700"),
    CaseStatus.CANCELLED: ("海关：撤单审结（624 的 399）", "customs: receipt 399 of a cancellation (624)"),
    CaseStatus.RETURNED: ("海关：退货审结（626 的 399 或 800）", "customs: receipt 399 or 800 of a return (626)"),
    CaseStatus.WITHDRAWN: ("收单：订单在申报前删除", "intake: the order was deleted before it was declared"),
}
"""Who or what sets each status, in Chinese and English; the documentation prints it."""
