"""Generating: a whole example set from a seed, a moment and what is wanted. The same arguments give the same bytes."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from .ceb import Keys, Message
from .enterprises import MODES, Mode
from .people import Person
from .planting import Expected, Form, Ground, Means, Parcel, Place, Planted, Push
from .plants import PLANTS
from .scenario import Scenario, scenarios
from .triples import Maker

DOCUMENTS_MAX = 100
"""Documents in one delivery."""
CLEAN = "clean"
REFERENCES = "references"
CONTENT_TYPES: dict[str, str] = {
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "xml": "application/xml",
}

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of the set; ``planted`` says, document by document, which planted scenario it belongs to."""

    name: str
    routing_key: str
    content_type: str
    party: str
    wave: int
    body: bytes = field(repr=False)
    documents: tuple[tuple[int, Expected], ...] = ()
    refused: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    planted: int = 0


@dataclass(frozen=True, slots=True)
class SampleSet:
    """An example set: what is pushed, in order, and what was planted."""

    seed: int
    at_ms: int
    planted: Sequence[Planted]
    deliveries: Sequence[Delivery]
    people: Sequence[Person]


def plantable(modes: Sequence[Mode] = MODES) -> list[Scenario]:
    """Every scenario that can be planted where only these trade modes are."""
    return [each for each in scenarios().values() if each.name != REFERENCES and _modes_of(each, modes)]


def generate(
    seed: int,
    at_ms: int,
    count: int,
    modes: Sequence[Mode] = MODES,
    *,
    faults: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> SampleSet:
    """A set of at least ``count`` cases: the scenarios named, else each once, and clean triples for the rest.

    ``at_ms`` is when it is pushed (milliseconds UTC): every document is dated before. ``progress`` is told how many
    cases there are so far. Raises KeyError for a scenario there is none of, or none of in these modes.
    """
    random = Random(seed)  # noqa: S311 - reproducible is what a sample has to be
    means = Means(Maker(random, seed, at_ms), Keys(Random(f"{seed} keys"), at_ms), modes)  # noqa: S311 - the same
    possible = {each.name: each for each in plantable(modes)}
    chosen = [possible[name] for name in (possible if faults is None else faults)]
    clean = count - sum(len(each.cases) for each in chosen)
    chosen += [possible[CLEAN]] * max(0, clean)
    random.shuffle(chosen)
    planted: list[Planted] = []
    grounds: list[Ground] = []
    cases = 0
    # goods and transports come last, when all flights are known, and are pushed first
    for scenario in (*chosen, scenarios()[REFERENCES]):
        allowed = _modes_of(scenario, modes)
        planted.append(Planted(scenario))
        ground = Ground(means, allowed[len(planted) % len(allowed)], planted[-1], len(planted) - 1)
        PLANTS[scenario.plant](ground)
        grounds.append(ground)
        cases += len(scenario.cases)
        if progress:
            progress(cases)
    return SampleSet(seed, at_ms, planted, list(_packed(grounds, means.maker)), means.maker.people)


def _modes_of(scenario: Scenario, modes: Sequence[Mode]) -> list[Mode]:
    """The modes of the set a scenario can be planted in; one that takes both at once is planted in the first."""
    if scenario.both:
        return list(MODES[:1]) if set(modes) == set(MODES) else []
    return [mode for mode in modes if mode in scenario.modes]


def _packed(grounds: Iterable[Ground], maker: Maker) -> Iterator[Delivery]:
    """Documents of one sender, kind and form travel together, step by step; parcels travel alone."""
    places: dict[Place, dict[tuple[str, str, Form], list[Push]]] = {}
    alone: dict[Place, list[Parcel]] = {}
    for ground in grounds:
        for push in ground.pushes:
            group = (push.sender.party, push.kind, push.form)
            places.setdefault(push.place, {}).setdefault(group, []).append(push)
        for parcel in ground.parcels:
            alone.setdefault(parcel.place, []).append(parcel)
    for place in sorted({*places, *alone}):
        count = 0
        for group in places.get(place, {}).values():
            for start in range(0, len(group), DOCUMENTS_MAX):
                count += 1
                yield _together(group[start : start + DOCUMENTS_MAX], count, maker)
        for number, parcel in enumerate(alone.get(place, ()), start=count + 1):
            yield _parcel(parcel, number)


def _together(group: Sequence[Push], number: int, maker: Maker) -> Delivery:
    first = group[0]
    routing_key = "ceb" if first.form == "xml" else f"import.{first.kind}"
    contents = [each.content for each in group]
    if first.form == "xml":
        body = Message(first.kind, contents, first.sender, maker.guid()).plain()
    elif first.form == "jsonl":
        body = b"".join(_json(each) + b"\n" for each in contents)
    else:
        body = _json(contents[0] if len(contents) == 1 else contents)
    return Delivery(
        _name(first.place, number, first.sender.party, routing_key, first.form),
        routing_key,
        CONTENT_TYPES[first.form],
        first.sender.party,
        first.place.wave,
        body,
        tuple((each.planted, each.expected) for each in group),
    )


def _parcel(parcel: Parcel, number: int) -> Delivery:
    return Delivery(
        _name(parcel.place, number, parcel.party, parcel.routing_key, parcel.form),
        parcel.routing_key,
        CONTENT_TYPES[parcel.form],
        parcel.party,
        parcel.place.wave,
        parcel.body,
        tuple((parcel.planted, each) for each in parcel.expected),
        parcel.refused,
        parcel.notices,
        parcel.planted,
    )


def _name(place: Place, number: int, party: str, routing_key: str, form: Form) -> str:
    return f"{place.wave}-{place.step:02d}-{number:04d}.{party}.{routing_key}.{form}"


def _json(content: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()
