"""The course of a document: which statuses follow which where nothing is scripted, when, and how they arrive.

Ladders: specification 202205. An order, payment or waybill gets no further than status 3 by itself: its 120, or its
100, comes with its inventory, as receipts seen in practice show.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from ...messages.ladders import customs_code
from .chance import Knobs
from .filing import TRIPLE
from .matching import Mismatch
from .script import Step

DELETE = "3"
"""appType of a deletion."""

_ARRIVED = (Step(status="2"), Step(status="3"))
_REVIEWED = (Step(status="300"), Step(status="399"))
_RELEASED = (Step(status="800"), Step(status="899"))
STORED_BY_CUSTOMS = Step(status="120")
_DECIDED = Step(status="399")


@dataclass(frozen=True, slots=True)
class Event:
    """A step at its time: when it happens and when its answer is delivered, in milliseconds UTC."""

    step: Step
    at_ms: int
    deliver_ms: int


def course_of(short: str, app_type: str) -> tuple[Step, ...]:
    """The steps of a document that e-port has taken in; an inventory's go on with ``inventory_course``."""
    if short in TRIPLE or short == "621" or app_type == DELETE:
        return _ARRIVED
    return (*_ARRIVED, STORED_BY_CUSTOMS, *(() if short == "513" else (_DECIDED,)))


def inventory_course(mismatch: Mismatch | None, *, review: bool) -> tuple[Step, ...]:
    """What customs make of an inventory after it was sent to them."""
    if mismatch is not None:
        return (refusal_by_customs(mismatch),)
    return (STORED_BY_CUSTOMS, *(_REVIEWED if review else ()), *_RELEASED)


def refusal_by_customs(mismatch: Mismatch) -> Step:
    """The status 100 that tells of a mismatch."""
    return Step(status="100", code=mismatch.code, info=mismatch.text)


def told_to_the_order(code: str) -> bool:
    """Whether receipts of orders, too, have been seen to tell of what this code of customs means."""
    listed = customs_code(code)
    return listed is not None and "312" in listed.messages


def timed(steps: Sequence[Step], start_ms: int, knobs: Knobs, random: Random) -> list[Event]:
    """The steps one after the other, each delivered when it happens or as much later as its script says."""
    events: list[Event] = []
    at = start_ms
    for step in steps:
        latency = random.randint(*knobs.latency_ms)
        at += latency if step.after_ms is None else step.after_ms
        events.append(Event(step, at, at + step.held_ms))
    return events


def disturbed(events: Sequence[Event], knobs: Knobs, random: Random) -> list[Event]:
    """The same events as they arrive by chance: lost, doubled in one file or in two, or after the next one."""
    found: list[Event] = []
    for at, each in enumerate(events):
        lost, doubled, late = (random.random() < chance for chance in (knobs.loss, knobs.double, knobs.reorder))
        changes: dict[str, object] = {"lost": lost or each.step.lost}
        if doubled:
            changes[random.choice(("copies", "files"))] = 2
        following = events[at + 1].at_ms + 1 if at + 1 < len(events) else each.deliver_ms
        step = each.step.model_copy(update=changes)
        found.append(Event(step, each.at_ms, max(following, each.deliver_ms) if late else each.deliver_ms))
    return found
