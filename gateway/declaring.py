"""Declaring (申报): which declarations a case wants, and how its present ones move towards that.

A declaration is kept by its subject (one document, one message type); corrections and repeats are attempts. Until it
leaves the house its content follows the documents; once it has left, it never changes: a refused one may be followed by
a corrected attempt, a declared order, payment or waybill by a change (appType 2), a declared inventory by nothing
(e-port -301011, -621012). The inventory waits until each order, payment and waybill that we send has arrived (status 2
or further), and a change never overtakes its new.
"""

import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol

from ..config.eports import EPort
from ..messages.catalogue import message_type
from ..messages.documents.ceb import to_ceb
from ..messages.documents.riders import Cancellation, Return, WaybillStatus
from .evidence import Held, case_key, key_text
from .linking import Linkage
from .rules.facts import Facts
from .states import ARRIVED, AT_HOME, OVER, DeclarationState, Event, Verdict, after, summary

ORDER, PAYMENT, WAYBILL, INVENTORY = "CEB311Message", "CEB411Message", "CEB511Message", "CEB621Message"
STATUS, CANCELLATION, RETURN = "CEB513Message", "CEB623Message", "CEB625Message"
_RIDERS = {WaybillStatus: STATUS, Cancellation: CANCELLATION, Return: RETURN}
RIDERS = frozenset(_RIDERS.values())
"""Declared after the goods or beside them; they wait for no verdict."""
NEW, CHANGE = "1", "2"


class Mint(Protocol):
    """Where new identifiers come from; seeded in simulation."""

    def id(self) -> int:
        """A database id never used before."""
        ...

    def guid(self) -> str:
        """A document guid: 36 upper-case characters."""
        ...

    def cop_no(self) -> str:
        """A number inside the enterprise: at most 20 characters."""
        ...


class Subject(NamedTuple):
    """What the attempts of one declaration have in common."""

    document_id: int
    message_type: str


@dataclass(frozen=True, slots=True)
class Declaration:
    """One attempt to declare one document. ``content`` is its business node, None when it is not at hand."""

    id: int
    case_id: int
    document_id: int
    document_version: int
    message_type: str
    attempt: int
    app_type: str
    state: DeclarationState
    eport: str
    declarant: str
    guid: str
    cop_no: str | None
    business_key: str
    digest: bytes
    relay_id: int | None = None
    message_id: int | None = None
    ready_at: int | None = None
    packed_at: int | None = None
    status: str | None = None
    return_time: int | None = None
    pre_no: str | None = None
    invt_no: str | None = None
    content: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def subject(self) -> Subject:
        """What its attempts have in common."""
        return Subject(self.document_id, self.message_type)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A declaration a case should have: its subject, who signs it, what it says, and a digest of that.

    ``relay_id`` is the signed message it goes with, byte for byte; None for one that we build.
    """

    message_type: str
    held: Held
    declarant: str
    content: Mapping[str, Any] = field(repr=False)
    digest: bytes
    relay_id: int | None = None

    @property
    def subject(self) -> Subject:
        """What its attempts have in common."""
        return Subject(self.held.id, self.message_type)

    @property
    def head(self) -> Mapping[str, Any]:
        """The head fields of the content."""
        return self.content.get(message_type(self.message_type).head or "", self.content)


@dataclass(frozen=True, slots=True)
class Situation:
    """What a case's declarations are planned under."""

    case_id: int
    verdict: Verdict
    on_hold: bool
    eport: EPort
    now: int
    sends: frozenset[Subject] = frozenset()
    """What the inventory goes after (``sends``)."""
    withdrawn: frozenset[int] = frozenset()
    """Documents (ids) that were deleted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Declarations new or changed, and what each inventory at home waits for."""

    declarations: tuple[Declaration, ...] = ()
    predecessors: Mapping[int, frozenset[Subject]] = field(default_factory=dict)


def wanted(facts: Facts, secret: bytes) -> tuple[list[Wanted], list[str]]:
    """The declarations a case should have once it matches, and the message types nobody here can sign."""
    found: list[Wanted] = []
    unsigned: list[str] = []
    for want in _subjects(facts, secret) if facts.eport else ():
        if facts.eport and message_type(want.message_type).short in facts.eport.declares:
            declarant = _signer(facts.eport, want)
            if declarant is None and want.relay_id is None:
                unsigned.append(want.message_type)
            else:
                found.append(replace(want, declarant=declarant or ""))
    return found, unsigned


def sends(linkage: Linkage, eport: EPort) -> frozenset[Subject]:
    """The order, payments and waybill of a case that the e-port wants from us; the inventory goes after them.

    It also goes after the other orders of a merged payment: customs compares what was paid with all of them
    (rejection 1332), so an inventory that comes before one of them would be refused.
    """
    held = [(ORDER, order) for order in linkage.paid_together]
    held += [(PAYMENT, link.held) for link in linkage.payments]
    held += [(WAYBILL, link.held) for link in (linkage.waybill,) if link]
    return frozenset(
        Subject(each.id, message) for message, each in held if message_type(message).short in eport.declares
    )


def _subjects(facts: Facts, secret: bytes) -> Iterator[Wanted]:
    linkage = facts.linkage
    documents: list[tuple[str, Held]] = []
    if linkage.order:
        documents.append((ORDER, linkage.order.held))
    # a merged payment is declared once, by the case it names
    documents += [(PAYMENT, link.held) for link in linkage.payments if case_key(link.held.document) == linkage.key]
    if linkage.waybill:
        documents.append((WAYBILL, linkage.waybill.held))
    if linkage.draft and linkage.draft.held.relay_id is not None:
        documents.append((INVENTORY, linkage.draft.held))
    elif linkage.order and facts.composition:
        content = facts.composition.content
        yield Wanted(INVENTORY, linkage.order.held, "", content, _digest(content, secret))
    documents += [(_RIDERS[type(link.held.document)], link.held) for link in linkage.riders]
    for message, held in documents:
        digest = held.document.content_digest(secret)
        yield Wanted(message, held, "", to_ceb(held.document), digest, held.relay_id)


def _signer(eport: EPort, want: Wanted) -> str | None:
    """The enterprise whose key signs: one that may declare the document, else the one that transmits for it."""
    keys = {signer.declarant for signer in eport.signers}
    named = [want.head.get(name) for name in message_type(want.message_type).declared_by]
    return next((code for code in (*named, eport.transfer.cop_code) if code in keys), None)


def _digest(content: Mapping[str, Any], secret: bytes) -> bytes:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return hmac.digest(secret, text.encode(), "sha256")


def plan(present: Iterable[Declaration], wants: Sequence[Wanted], situation: Situation, mint: Mint) -> Plan:
    """Move the declarations of a case towards what is wanted.

    ``present`` are all attempts of the case and of the documents linked to it, other cases' included.
    """
    attempts = {each.id: each for each in present}
    touched: dict[int, Declaration] = {}
    for want in wants:
        if situation.verdict is Verdict.MATCHED or want.message_type in RIDERS:
            for made in _towards(want, attempts.values(), situation, mint):
                attempts[made.id] = touched[made.id] = made
    subjects = {want.subject for want in wants}
    for each in list(attempts.values()):
        gone = each.document_id in situation.withdrawn or (
            situation.verdict is Verdict.MATCHED and each.subject not in subjects
        )
        if gone and each.case_id == situation.case_id and (state := after(each.state, Event.WITHDRAW)):
            attempts[each.id] = touched[each.id] = replace(each, state=state)
    predecessors = _predecessors(attempts.values(), situation)
    for moved in release(attempts.values(), predecessors, situation):
        touched[moved.id] = moved
    return Plan(tuple(touched.values()), predecessors)


def _towards(want: Wanted, attempts: Iterable[Declaration], situation: Situation, mint: Mint) -> list[Declaration]:
    """What brings the declaration of one document nearer to what is wanted; nothing when it stands as it is."""
    attempts = list(attempts)
    current = newest(attempts).get(want.subject)
    number = max((each.attempt for each in attempts if each.subject == want.subject), default=0) + 1
    if current and current.state in AT_HOME and current.relay_id != want.relay_id:
        # a signed message and one we build are not the same declaration
        given_up = replace(current, state=DeclarationState.WITHDRAWN)
        return [given_up, _attempt(want, given_up, number, current.app_type, situation, mint)]
    if current and current.state in AT_HOME:
        if current.digest == want.digest:
            return []
        version = want.held.version
        return [replace(current, content=want.content, digest=want.digest, document_version=version)]
    own = [each for each in attempts if each.case_id == situation.case_id]
    app_type = _next_app_type(current, want, own)
    return [_attempt(want, current, number, app_type, situation, mint)] if app_type else []


def _next_app_type(current: Declaration | None, want: Wanted, own: Iterable[Declaration]) -> str | None:
    """The appType of a further attempt, or None when the current one stands; ``own`` are the attempts of the case."""
    if current is None or current.state is DeclarationState.WITHDRAWN:
        return NEW
    if current.digest == want.digest or (current.relay_id is not None and current.relay_id == want.relay_id):
        return None
    if current.state is DeclarationState.REFUSED:
        return current.app_type
    inventory_gone = any(each.message_type == INVENTORY and each.state not in AT_HOME | OVER for each in own)
    return CHANGE if want.message_type in (ORDER, PAYMENT, WAYBILL) and not inventory_gone else None


def _attempt(  # noqa: PLR0917 - everything an attempt is made of
    want: Wanted, current: Declaration | None, number: int, app_type: str, situation: Situation, mint: Mint
) -> Declaration:
    relayed = want.relay_id is not None
    answer = message_type(message_type(want.message_type).answered_by or want.message_type)
    cop_no = want.head.get("copNo") or (current and current.cop_no)
    if "copNo" in answer.key and not cop_no:
        cop_no = mint.cop_no()
    return Declaration(
        id=mint.id(),
        case_id=situation.case_id,
        document_id=want.held.id,
        document_version=want.held.version,
        message_type=want.message_type,
        attempt=number,
        app_type=want.head["appType"] if relayed else app_type,
        state=DeclarationState.BLOCKED,
        eport=situation.eport.name,
        declarant=want.declarant,
        guid=want.head["guid"] if relayed else mint.guid(),
        cop_no=cop_no,
        business_key=key_text(str({**want.head, "copNo": cop_no}.get(name) or "") for name in answer.key),
        digest=want.digest,
        relay_id=want.relay_id,
        content=want.content,
    )


def _predecessors(attempts: Iterable[Declaration], situation: Situation) -> dict[int, frozenset[Subject]]:
    mine = [each for each in attempts if each.case_id == situation.case_id and each.state in AT_HOME]
    return {each.id: situation.sends for each in mine if each.message_type == INVENTORY}


def release(
    attempts: Iterable[Declaration], predecessors: Mapping[int, frozenset[Subject]], situation: Situation
) -> list[Declaration]:
    """The case's declarations at home that move: to *ready* when nothing holds them back, else to *blocked*."""
    attempts = list(attempts)
    latest = newest(attempts)
    moved: list[Declaration] = []
    for each in attempts:
        if each.case_id != situation.case_id or each.state not in AT_HOME:
            continue
        changed, follows = _after_its_new(each, attempts)
        due = situation.verdict is Verdict.MATCHED or each.message_type in RIDERS
        waits = any(
            subject not in latest or latest[subject].state not in ARRIVED
            for subject in predecessors.get(each.id, frozenset())
        )
        free = due and not situation.on_hold and not follows and not waits
        state = after(each.state, Event.UNBLOCK if free else Event.BLOCK)
        if state or changed is not each:
            ready_at = situation.now if state is DeclarationState.READY else changed.ready_at if free else None
            moved.append(replace(changed, state=state or each.state, ready_at=ready_at))
    return moved


def _after_its_new(each: Declaration, attempts: Iterable[Declaration]) -> tuple[Declaration, bool]:
    """A change as it may be sent, and whether it still has to wait for the attempt it changes.

    What was never accepted cannot be changed: after nothing but refusals a change becomes a new.
    """
    if each.app_type != CHANGE or each.relay_id is not None:
        return each, False
    earlier = [one for one in attempts if one.subject == each.subject and one.attempt < each.attempt]
    standing = [one for one in earlier if one.state not in OVER]
    if not standing:
        return replace(each, app_type=NEW), False
    return each, max(standing, key=lambda one: one.attempt).state not in ARRIVED


def newest_of(declarations: Iterable[Declaration]) -> Declaration | None:
    """The newest of several declarations: one still at home, else the one packed last."""
    return max(declarations, key=lambda each: (each.packed_at is None, each.packed_at or 0, each.attempt), default=None)


def newest(declarations: Iterable[Declaration]) -> dict[Subject, Declaration]:
    """The attempt of each subject that counts: the newest that was not withdrawn, if there is one."""
    order = sorted(declarations, key=lambda each: (each.state is not DeclarationState.WITHDRAWN, each.attempt))
    return {each.subject: each for each in order}


def main_state(
    case_id: int,
    declarations: Iterable[Declaration],
    sent_before: frozenset[Subject] = frozenset(),
    *,
    matched: bool = True,
) -> DeclarationState | None:
    """The state that decides the status of a case.

    That is the state of its inventory once it has left; until then a refusal of what goes before it, or, while the
    case is ``matched`` and so on its way, that some of it has been sent; and for an e-port that wants no inventory from
    us, the state of all the case declares; None once its inventory is given up. ``sent_before`` are the subjects the
    inventory waits for, which another case may declare (a merged payment).
    """
    declarations = list(declarations)
    standing = [each for each in newest(declarations).values() if each.state is not DeclarationState.WITHDRAWN]
    own = [each for each in standing if each.case_id == case_id and each.message_type not in RIDERS]
    inventory = newest_of(each for each in own if each.message_type == INVENTORY)
    if inventory and inventory.state not in AT_HOME:
        return inventory.state
    others = [each for each in standing if each.subject in sent_before or each in own]
    states = [each.state for each in others if each is not inventory]
    if inventory is None:
        given_up = any(each.case_id == case_id and each.message_type == INVENTORY for each in declarations)
        return None if given_up or any(state in AT_HOME for state in states) else summary(states)
    if DeclarationState.REFUSED in states:
        return DeclarationState.REFUSED
    under_way = matched and any(state not in AT_HOME for state in states)
    return DeclarationState.SENT if under_way else inventory.state


def state_of(case_id: int, declarations: Iterable[Declaration], message: str) -> DeclarationState | None:
    """The state of the case's newest declaration of one message type."""
    latest = newest(declarations).values()
    found = newest_of(each for each in latest if (each.case_id, each.message_type) == (case_id, message))
    return found.state if found else None
