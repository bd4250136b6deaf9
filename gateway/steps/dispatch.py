"""Dispatch: declarations that are ready become messages, and messages are handed to their e-port.

Transaction 1 claims, builds, validates, signs and stores; then the bytes are handed over; transaction 2 says what came
of it. What a crash leaves in between is *packed* with an expired lease: it may have been handed over or not, so it
becomes uncertain, waits, and goes again with the same bytes under the same name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ...adapters.transport import NotSent, Uncertain
from ...messages.faults import Fault, fault
from ..composition import Destination, Gateway
from ..deciding import invalidate, restate
from ..declaring import INVENTORY, Declaration
from ..ledger import Entry
from ..packing import Building, envelope, file_name, groups, pack
from ..states import AT_HOME, DeclarationState, Event, after
from ..store.database import Transaction, in_transaction
from ..store.messages import Moved, Packed
from .breaker import OF_THE_MESSAGE, Breaker
from .desk import Desk
from .pace import Pacer

MESSAGES_MAX = 10
"""The most messages packed in one transaction."""
RETRY_MS = 2_000
"""How long a message that could not be handed over waits at first; then as long again as it has waited."""
RETRY_MS_MAX = 5 * 60_000


class _Handed(NamedTuple):
    """A message and what came of handing it over."""

    id: int
    outcome: str
    packed_at: int


@dataclass(slots=True)
class _Batch:
    """What one packing transaction made: messages, their members, and declarations the schema refuses."""

    packed: list[Packed] = field(default_factory=list)
    members: list[Declaration] = field(default_factory=list)
    invalid: dict[int, list[Fault]] = field(default_factory=dict)


class Dispatch:
    """Packs and sends for every e-port in turn."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._pacers = {each.eport.name: Pacer(each.eport.pace) for each in gateway.destinations}
        self._breakers = {each.eport.name: Breaker() for each in gateway.destinations}

    async def run(self) -> int:
        """One round over the e-ports that have work; returns how many messages were handed over or tried."""
        gateway, done = self._gateway, 0
        names = [each.eport.name for each in gateway.destinations]
        busy = await in_transaction(gateway.database, lambda tx: gateway.messages.busy(tx, names, gateway.clock()))
        for destination in gateway.destinations:
            name = destination.eport.name
            if name in busy and busy[name] != "paused":
                done += await self._round(destination, draining=busy[name] is not None)
        return done

    async def _round(self, destination: Destination, *, draining: bool) -> int:
        gateway, eport = self._gateway, destination.eport
        now = gateway.clock()
        allowed = self._breakers[eport.name].allowed(now, min(MESSAGES_MAX, self._pacers[eport.name].allowed(now)))
        if allowed == 0:
            return 0
        lease = now + gateway.settings.dispatch_lease_seconds * 1000
        again = await in_transaction(
            gateway.database, lambda tx: gateway.messages.due(tx, eport.name, now, lease, allowed)
        )
        await gateway.mint.ensure(MESSAGES_MAX * eport.limits.batch)
        room = 0 if draining else allowed - len(again)
        batch = await in_transaction(gateway.database, lambda tx: self._pack(tx, destination, room))
        if batch.invalid:
            await in_transaction(gateway.database, lambda tx: self._give_back(tx, destination, batch.invalid))
        handed = [await self._hand_over(destination, each.id, each.file_name, each.data, now) for each in batch.packed]
        handed += [
            await self._hand_over(destination, each.id, each.file_name, each.data, each.packed_at) for each in again
        ]
        if handed:
            await in_transaction(gateway.database, lambda tx: self._settle(tx, destination, handed))
        return len(handed) + len(batch.invalid)

    async def _pack(self, transaction: Transaction, destination: Destination, room: int) -> _Batch:
        gateway, eport = self._gateway, destination.eport
        room = min(room, eport.limits.in_flight_max - await gateway.messages.in_flight(transaction, eport.name))
        made = _Batch()
        if room <= 0:
            return made
        to_build, to_relay = await gateway.messages.claim(transaction, eport.name, room * eport.limits.batch, room)
        now = gateway.clock()
        made.invalid |= {each.id: [fault("content-lost", "content")] for each, content in to_build if content is None}
        readable = (Building(each, content) for each, content in to_build if content is not None)
        for group in groups(readable, eport.limits.batch):
            self._build(destination, group, now, made, room)
        relayed = await gateway.messages.relayed(transaction, to_relay)
        for relay_id, guid, data in relayed[: room - len(made.packed)]:
            declarations = to_relay[relay_id]
            if {each.eport for each in declarations} != {eport.name}:
                made.invalid |= {each.id: [fault("relay-eports", "message/eport")] for each in declarations}
                continue
            name = declarations[0].message_type
            wrapped = envelope(eport, data, guid, name, now)
            count = len(declarations)
            made.packed.append(
                Packed(relay_id, eport.name, name, guid, file_name(name, guid), count, wrapped, relayed=True)
            )
            made.members += [_packed(each, relay_id, now) for each in declarations]
        lease = now + gateway.settings.dispatch_lease_seconds * 1000
        await gateway.messages.add(transaction, made.packed, now, lease)
        await gateway.decisions.write_declarations(
            transaction, made.members, frozenset(each.id for each in made.members), now
        )
        return made

    def _build(self, destination: Destination, group: Sequence[Building], now: int, made: _Batch, room: int) -> None:
        """Build one message, or smaller ones where its bytes would be too many; what does not fit stays ready."""
        eport, name = destination.eport, group[0].declaration.message_type
        signer = destination.signers.get(group[0].declaration.declarant)
        if signer is None or len(made.packed) >= room:
            return
        guid = self._gateway.mint.guid()
        data, invalid = pack(eport, group, guid, signer, now)
        made.invalid |= invalid
        if invalid:
            # the others go with the next round
            return
        if len(data) > eport.limits.message_bytes_max and len(group) > 1:
            half = len(group) // 2
            self._build(destination, group[:half], now, made, room)
            self._build(destination, group[half:], now, made, room)
            return
        id_ = self._gateway.mint.id()
        made.packed.append(Packed(id_, eport.name, name, guid, file_name(name, guid), len(group), data))
        made.members += [_packed(each.declaration, id_, now) for each in group]

    async def _give_back(
        self, transaction: Transaction, destination: Destination, invalid: Mapping[int, Sequence[Fault]]
    ) -> None:
        """A declaration the schema refuses goes back, and its case is shown why."""
        gateway = self._gateway
        store, now = gateway.cases, gateway.clock()
        desk = await Desk.open(transaction, store, await store.cases_of(transaction, invalid))
        refused = [each for each in desk.declarations.values() if each.id in invalid and each.state in AT_HOME]
        desk.put(replace(each, state=DeclarationState.BLOCKED, ready_at=None) for each in refused)
        decisions = [
            invalidate(
                desk.cases[case_id],
                desk.papers(case_id),
                [fault.path for each in several for fault in invalid[each.id]],
                now,
            )
            for case_id, several in desk.touched_by_case().items()
        ]
        for each in decisions:
            # what is ready besides stays at home as well, until the case matches again
            desk.release(each.case, destination.eport, now)
        await desk.write(transaction, gateway.decisions, now)
        await gateway.decisions.replace_findings(transaction, decisions)
        await gateway.decisions.record(transaction, decisions, now)

    async def _hand_over(self, destination: Destination, id_: int, name: str, data: bytes, packed_at: int) -> _Handed:
        outcome, problem = "sent", None
        try:
            await destination.transport.send(name, data)
        except NotSent as refused:
            outcome, problem = "waiting", refused.fault.code
        except Uncertain as doubt:
            outcome, problem = "uncertain", doubt.fault.code
        eport = destination.eport.name
        self._judge(eport, problem)
        self._pacers[eport].sent(self._gateway.clock())
        self._gateway.metrics.messages.labels(eport, outcome).inc()
        log = self._gateway.log.info if problem is None else self._gateway.log.warning
        log(outcome, eport=eport, file=name, bytes=len(data), **({"code": problem} if problem else {}))
        return _Handed(id_, outcome, packed_at)

    def _judge(self, eport: str, problem: str | None) -> None:
        """Tell the breaker of an e-port what came of a message."""
        if problem is None:
            self._breakers[eport].worked()
        elif problem not in OF_THE_MESSAGE:
            now, jitter = self._gateway.clock(), self._gateway.random(1)[0] / 255
            if self._breakers[eport].failed(now, jitter):
                self._gateway.log.warning("left alone for a while", eport=eport, code=problem)

    async def _settle(self, transaction: Transaction, destination: Destination, handed: Sequence[_Handed]) -> None:
        gateway = self._gateway
        outcomes = {each.id: each.outcome for each in handed if each.outcome != "waiting"}
        await report(gateway, transaction, outcomes, "dispatch")
        now = gateway.clock()
        silence = gateway.settings.receipt_late_after_hours * 3_600_000
        doubt = destination.eport.limits.resend_wait_seconds * 1000
        await gateway.messages.move(transaction, [_moved(each, now, silence, doubt) for each in handed])


def _moved(each: _Handed, now: int, silence: int, doubt: int) -> Moved:
    if each.outcome == "waiting":
        pause = min(max(now - each.packed_at, RETRY_MS), RETRY_MS_MAX)
        return Moved(each.id, "waiting", 0, now + pause)
    return Moved(each.id, each.outcome, 1, now + (silence if each.outcome == "sent" else doubt), now)


def _packed(each: Declaration, message_id: int, now: int) -> Declaration:
    state = after(each.state, Event.PACK)
    if state is None:
        raise ValueError("only a ready declaration can be packed")
    return replace(each, state=state, message_id=message_id, packed_at=now)


_EVENTS = {"sent": Event.SEND, "uncertain": Event.DOUBT}


async def report(gateway: Gateway, transaction: Transaction, outcomes: Mapping[int, str], actor: str) -> None:
    """Move the declarations of messages (by id) that were sent or are in doubt, with their cases."""
    now = gateway.clock()
    desk = await Desk.open(transaction, gateway.cases, await gateway.messages.cases_in(transaction, outcomes))
    desk.put(list(_reported(desk.declarations.values(), outcomes)))
    decisions = []
    for case_id, mine in desk.touched_by_case().items():
        kind = "sent" if all(each.state is DeclarationState.SENT for each in mine) else "uncertain"
        entry = Entry(kind, now, actor, {"declarations": [_named(each) for each in mine]})
        decisions.append(restate(desk.cases[case_id], desk.papers(case_id), [entry]))
    await desk.write(transaction, gateway.decisions, now)
    await gateway.decisions.forget_wants(transaction, _left(desk))
    await gateway.decisions.record(transaction, decisions, now)


def _left(desk: Desk) -> list[int]:
    """The cases whose inventory has left the house: it no longer follows its goods records."""
    moved = (desk.declarations[each] for each in desk.touched)
    return [each.case_id for each in moved if each.message_type == INVENTORY]


def _reported(present: Iterable[Declaration], outcomes: Mapping[int, str]) -> Iterable[Declaration]:
    for each in present:
        outcome = outcomes.get(each.message_id or 0)
        if outcome and (state := after(each.state, _EVENTS[outcome])):
            yield replace(each, state=state)


def _named(each: Declaration) -> dict[str, object]:
    return {"message": each.message_type, "attempt": each.attempt, "guid": each.guid, "copNo": each.cop_no}
