"""E-port and customs at work: what becomes of a message, document by document. No clock and no I/O: times are given."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...config.eports import DxpEnvelope, EPort
from ...config.keyfiles import Certificate
from ...messages.ladders import ladder, rung
from .admission import NEW, Conditions, inventory_of, refused
from .answering import Answering
from .chance import Chance, Knobs, new_guid
from .consequences import Consequences
from .course import DELETE, course_of, inventory_course
from .entrance import UNKNOWN, Message, Unfit, format_return, read_message, signature_holds
from .exchange import CUSTOMS_IMPORT, Parcel, Returned, assumed_head, open_envelope, response
from .filing import KEYS, STORED, TRIPLE, Filing, reaches, refuses, text_of
from .matching import Mismatch, mismatch, needs_review, triple_of
from .receipts import Outgoing, outgoing
from .script import Rule, Script, Step
from .texts import CODES, refusal
from .world import World

ALREADY_RELEASED = Step(status="2", code="22007")
"""The first answer to an order whose inventory is released already."""
OFFICER = Mismatch("1300")
"""What customs say when chance has an officer refuse an inventory."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A message as it was taken: its type, and for each document its number and the statuses it will get.

    A message that was turned away as a whole has one outcome without a number.
    """

    eport: str
    name: str
    message_type: str
    outcomes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Coming:
    """Where a file comes from, under which name, and when."""

    port: EPort
    name: str
    now_ms: int


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A document that has come for the ``nth`` time, and what the script has to say about it."""

    filing: Filing
    nth: int
    rule: Rule | None


class Customs:
    """One national customs behind the e-ports, in one world.

    ``certificates`` are those that enterprises (by code) are known to sign with at an e-port (by name); of others any
    certificate will do.
    """

    def __init__(
        self,
        world: World,
        eports: Iterable[EPort],
        certificates: Mapping[str, Mapping[str, Certificate]],
        *,
        chance: Chance,
        script: Script,
        knobs: Knobs,
    ) -> None:
        self._world = world
        self._eports = {each.name: each for each in eports}
        self._certificates = certificates
        self._chance = chance
        self._script = script
        self._knobs = knobs
        self._answering = Answering(world, chance, knobs)
        self._consequences = Consequences(world, self._answering, script)

    @property
    def next_due_ms(self) -> int | None:
        """When the next receipt is to be delivered; None when none is."""
        return self._world.next_due_ms

    def due(self, now_ms: int) -> list[Outgoing]:
        """The receipt files to be delivered by now. They are due again until they are ``delivered``."""
        return list(outgoing(self._world.due(now_ms), self._eports, self._chance, self._knobs.batch))

    def delivered(self, file: Outgoing) -> None:
        """Take the answers of a file off the agenda."""
        for answer in file.answers:
            self._world.forget(answer)

    def take(self, eport: str, name: str, data: bytes, now_ms: int) -> Taken:
        """Judge the message in a file of that name; what is answered, and when, is on the agenda afterwards."""
        came = _Coming(self._eports[eport], name, now_ms)
        parcel = self._unpacked(came, data)
        if isinstance(parcel, Returned):
            return self._send_back(came, parcel)
        message = read_message(parcel.data)
        if isinstance(message, Unfit):
            return self._turn_away(came, parcel, message)
        arrivals = [self._arrival(came, message, node) for node in message.nodes]
        for each in arrivals:
            if each.rule and each.rule.refuse:
                return self._refuse_whole(came, parcel, message, each.rule.refuse)
        fault = self._fault_of_all(came, message)
        outcomes = [(" ".join(each.filing.key), self._judge(each, fault, now_ms)) for each in arrivals]
        return Taken(eport, name, message.known.code, tuple(outcomes))

    def _unpacked(self, came: _Coming, data: bytes) -> Parcel | Returned:
        port = came.port
        if isinstance(port.envelope, DxpEnvelope):
            return open_envelope(data, port.envelope, came.name, came.now_ms)
        # the access client that customs supplies makes the envelope, and its CopMsgId
        cop_msg_id = new_guid(self._chance.draw("client", came.name, came.now_ms)).upper()
        return Parcel(assumed_head(cop_msg_id, port.transfer.dxp_id, [CUSTOMS_IMPORT], came.now_ms), data)

    def _send_back(self, came: _Coming, returned: Returned) -> Taken:
        content = response(returned, came.now_ms)
        self._answering.whole(came.port.name, "DxpRep", content, returned.code, came.now_ms)
        claimed = returned.head["MsgType"] or UNKNOWN
        return Taken(came.port.name, came.name, claimed, (("", f"DxpRep {returned.code}"),))

    def _turn_away(self, came: _Coming, parcel: Parcel, unfit: Unfit) -> Taken:
        guid = new_guid(self._chance.draw("format", came.name, came.now_ms))
        content = format_return(unfit, parcel.data, parcel.head["CopMsgId"], guid, came.now_ms)
        self._answering.whole(came.port.name, "CEB900Message", content, unfit.status, came.now_ms)
        return Taken(came.port.name, came.name, unfit.message_type, (("", f"CEB900 {unfit.status}"),))

    def _refuse_whole(self, came: _Coming, parcel: Parcel, message: Message, code: str) -> Taken:
        """What the script has turned away: a negative status by a CEB900, four digits by a DxpRep."""
        if code.startswith("-"):
            unfit = Unfit(rung("CEB900Message", code).zh, message.known.code, code)
            return self._turn_away(came, parcel, unfit)
        return self._send_back(came, Returned(code, parcel.head | {"MsgType": message.known.code}))

    def _arrival(self, came: _Coming, message: Message, node: dict[str, Any]) -> _Arrival:
        short = message.known.short
        head = node.get(message.known.head or "", node)
        key = tuple(head[name] for name in KEYS[short])
        nth = self._world.count(f"came {text_of((short, *key))}")
        held = self._world.filing((short, *key))
        goes_on = held is not None and (held.stands(came.now_ms) or head["appType"] != NEW)
        numbers = held.numbers if held and goes_on else self._answering.new_numbers(short, head, came.now_ms)
        guid = new_guid(self._chance.draw("filing", short, key, nth))
        filing = Filing(short, key, came.port.name, guid, node, came.now_ms, numbers)
        return _Arrival(filing, nth, self._script.rule_for(short, head, nth))

    def _fault_of_all(self, came: _Coming, message: Message) -> tuple[str, str] | None:
        """The code by which every document of the message is refused, and the reason for its text."""
        codes = CODES[message.known.short]
        if message.too_many:
            return codes.many, "数据超过限制"
        pinned = self._certificates.get(came.port.name, {})
        return None if signature_holds(message, pinned, came.now_ms) else (codes.signature, "验签失败")

    def _judge(self, arrival: _Arrival, fault: tuple[str, str] | None, now_ms: int) -> str:
        """Take one document in or refuse it; returned are the statuses it will get."""
        filing, rule = arrival.filing, arrival.rule
        if fault:
            code, reason = fault
            return self._refuse(arrival, refusal(code, filing.head, reason=reason))
        if rule and rule.answers is not None:
            return self._follow(replace(filing, scripted=True), rule.answers, arrival.nth)
        bad_luck = self._bad_luck(arrival)
        if step := bad_luck or refused(self._world, filing, Conditions(now_ms, self._assumed(filing.eport))):
            return self._refuse(arrival, step)
        if filing.head["appStatus"] == STORED:
            listed = any(each.code == STORED for each in ladder(filing.receipt_type))
            return self._file(filing, (Step(status=STORED, lost=not listed),), arrival.nth)
        return self._file(filing, self._course(arrival, now_ms), arrival.nth)

    def _follow(self, filing: Filing, steps: Sequence[Step], nth: int) -> str:
        """Answer by the script; what it has e-port refuse is not taken in, just as without a script."""
        said = [rung(filing.receipt_type, step.status) for step in steps]
        if said and all(refuses(each) and each.code.startswith("-") for each in said):
            return _statuses(self._answering.begin(filing, steps, nth))
        return self._file(filing, steps, nth)

    def _refuse(self, arrival: _Arrival, step: Step) -> str:
        """Answer a document without taking it in: what e-port holds under its key stays as it is."""
        return _statuses(self._answering.begin(arrival.filing, (step,), arrival.nth))

    def _file(self, filing: Filing, steps: Sequence[Step], nth: int) -> str:
        if filing.short == "621":
            self._world.withdraw(filing.id, filing.taken_ms)  # a change takes the place of what was declared before
        filed = self._answering.begin(filing, steps, nth)
        if filing.head["appType"] == DELETE and filed.rungs:
            filed = replace(filed, ended_ms=filed.rungs[-1][0])
        self._world.file(filed)
        self._consequences.of(filed, steps)
        return _statuses(filed)

    def _assumed(self, eport: str) -> frozenset[str]:
        if self._knobs.assume_documents:
            return frozenset(TRIPLE)
        return frozenset(TRIPLE) - frozenset(self._eports[eport].declares)

    def _bad_luck(self, arrival: _Arrival) -> Step | None:
        """A refusal by chance that blames e-port, so that the same may be sent again."""
        code = CODES[arrival.filing.short].system
        if code and self._chosen(arrival) and not self._officer_refuses(arrival):
            return refusal(code, arrival.filing.head)
        return None

    def _chosen(self, arrival: _Arrival) -> bool:
        random = self._chance.draw("refusal", arrival.filing.id, arrival.nth)
        return random.random() < self._knobs.refuse

    def _officer_refuses(self, arrival: _Arrival) -> bool:
        """Whether chance, once it refuses, leaves that to an officer; only inventories get that far."""
        random = self._chance.draw("officer", arrival.filing.id, arrival.nth)
        return arrival.filing.short == "621" and random.random() < 0.5

    def _course(self, arrival: _Arrival, now_ms: int) -> tuple[Step, ...]:
        filing = arrival.filing
        steps = course_of(filing.short, filing.head["appType"])
        if filing.short == "311" and (inventory := inventory_of(self._world, filing, now_ms)):
            released = reaches(inventory.step_at(now_ms), "released")
            return (ALREADY_RELEASED, *steps[1:]) if released else steps
        if filing.short != "621" or filing.head["appType"] == DELETE:
            return steps
        triple = triple_of(self._world, filing, now_ms)
        officer = self._chosen(arrival) and self._officer_refuses(arrival)
        found = OFFICER if officer else mismatch(triple)
        return (*steps, *inventory_course(found, review=needs_review(triple)))


def _statuses(filing: Filing) -> str:
    return " ".join(status for _, status in filing.rungs)
