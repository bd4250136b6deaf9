"""The table of scenarios: what is planted, what customs answers, and what must become of it, written by hand.

``scenarios.toml`` holds one table per scenario, ``codes.toml`` one per family of receipt codes. Every expectation in
them follows from the documented rules; none was taken from what the gateway did.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from .enterprises import MODES, Mode

ANSWERED_BY = {
    "311": "312",
    "411": "412",
    "511": "512",
    "513": "514",
    "621": "622",
    "623": "624",
    "625": "626",
}
"""The receipt of each declaration, by short numbers."""
UNSCRIPTED = {
    "311": ("2", "3"),
    "411": ("2", "3"),
    "511": ("2", "3"),
    "513": ("2", "3", "120"),
    "621": ("2", "3", "120", "800", "899"),
}
"""What customs answers where nothing is wrong and nothing is scripted; cancellations and returns always are."""
STORED = "120"
"""What order, payment and waybill get besides, together with their inventory."""
_STORES = frozenset({"120", "300", "399", "500", "501", "502", "503", "599", "600", "800", "34", "899"})
"""The answers about an inventory that say customs have it."""
_TRIPLE = {"311": 1, "411": 1, "511": 1, "621": 1}
_CLEARED = ("released", "closed", "returned")

Step = Mapping[str, Any]
"""One scripted answer of the simulator: a status and how it comes."""


@dataclass(frozen=True, slots=True)
class CaseSpec:
    """What customs answers about one case, and how the case must end.

    ``answers`` holds, by the short number of the declaration, the steps for the first time it comes, the second, …;
    one step ``refuse`` turns the whole message away. ``declared`` counts the declarations of each type that left the
    house, repeated attempts included; ``sends`` counts how often their messages were handed over, where that is more.
    ``receipts`` holds the codes by the short number of the receipt; ``standings`` those that were late, doubled or
    unknown; ``tax`` counts the results about tax bills.
    """

    verdict: str = "matched"
    status: str = "closed"
    flags: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    answers: Mapping[str, tuple[tuple[Step, ...], ...]] = field(default_factory=dict)
    declared: Mapping[str, int] = field(default_factory=dict)
    sends: Mapping[str, int] = field(default_factory=dict)
    receipts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    standings: Mapping[str, int] = field(default_factory=dict)
    tax: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that can be planted.

    ``plant`` names what plants it; with ``both`` it takes both trade modes at once. ``outcomes`` and ``faults`` say, in
    the order of pushing, what becomes of documents by their kind and why those not taken are not; where they say
    nothing a document is taken. ``refused`` and ``notices`` say the same of whole deliveries. ``family`` names the
    family of receipt codes it belongs to, if any.
    """

    name: str
    zh: str
    en: str
    plant: str
    modes: tuple[Mode, ...] = MODES
    both: bool = False
    cases: tuple[CaseSpec, ...] = ()
    outcomes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    faults: tuple[tuple[str, ...], ...] = ()
    refused: tuple[tuple[str, ...], ...] = ()
    notices: tuple[tuple[str, ...], ...] = ()
    family: str = ""


@cache
def scenarios() -> Mapping[str, Scenario]:
    """Every scenario by name, those of the families of receipt codes last."""
    found = [_scenario(name, entry) for name, entry in _tables("scenarios.toml")]
    for name, entry in _tables("codes.toml"):
        found += _family(name, entry)
    named = {each.name: each for each in found}
    if len(named) != len(found):
        raise ValueError("two scenarios have one name")
    return named


def _tables(file: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from tomllib.loads(Path(__file__).with_name(file).read_text("utf-8")).items()


def _family(name: str, entry: dict[str, Any]) -> Iterator[Scenario]:
    """One scenario for each code of a family; ``{code}`` stands for the code in its sentences, answers and receipts."""
    for code in entry.pop("codes"):
        yield replace(_scenario(f"{name}-{code}", {"plant": name, **_with_code(entry, code)}), family=name)


def _with_code(entry: Any, code: str) -> Any:
    if isinstance(entry, str):
        return entry.replace("{code}", code)
    if isinstance(entry, dict):
        return {key: _with_code(value, code) for key, value in entry.items()}
    return [_with_code(each, code) for each in entry] if isinstance(entry, list) else entry


def _scenario(name: str, entry: dict[str, Any]) -> Scenario:
    entry = dict(entry)
    words = {key: entry.pop(key) for key in ("zh", "en")}
    known = {key: entry.pop(key) for key in ("plant", "modes", "outcomes", "faults", "refused", "notices", "cases")
             if key in entry}  # fmt: skip
    specs = known.get("cases", [{}])
    modes = known.get("modes", list(MODES))
    return Scenario(
        name,
        **words,
        plant=known.get("plant", name),
        modes=tuple(each for each in MODES if each in modes or modes == ["both"]),
        both=modes == ["both"],
        cases=tuple(_case({**entry, **each}) for each in specs),
        outcomes={kind: tuple(each) for kind, each in known.get("outcomes", {}).items()},
        faults=_lists(known.get("faults", [])),
        refused=_lists(known.get("refused", [])),
        notices=_lists(known.get("notices", [])),
    )


def _lists(found: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Codes, those of one document or delivery in one text."""
    return tuple(tuple(each.split()) for each in found)


def _case(entry: dict[str, Any]) -> CaseSpec:
    """A case with what goes without saying filled in: a clean triple ends closed, others are not declared."""
    matched = entry.get("verdict", "matched") == "matched"
    answers = {short: tuple(_steps(each) for each in times) for short, times in entry.pop("answers", {}).items()}
    stated = {short: _codes(each) for short, each in entry.pop("receipts", {}).items()}
    lists = {name: tuple(entry.pop(name)) for name in ("flags", "findings") if name in entry}
    spec = CaseSpec(**lists, answers=answers, **{"status": "closed" if matched else entry["verdict"], **entry})
    spec = replace(spec, declared=spec.declared if "declared" in entry or not matched else _TRIPLE)
    bills = {"816": ("1",), "818": ("2",)} if spec.status in _CLEARED and spec.declared else {}
    receipts = {**bills, **_answered(spec), **stated}
    tax = entry.get("tax", len(receipts.get("816", ())) + len(receipts.get("818", ())))
    return replace(spec, receipts={short: codes for short, codes in receipts.items() if codes}, tax=tax)


def _steps(answer: str | list[Any] | dict[str, Any]) -> tuple[Step, ...]:
    """Steps from a text of statuses, a list of statuses and tables, or one table."""
    parts = answer.split() if isinstance(answer, str) else answer if isinstance(answer, list) else [answer]
    return tuple({"status": part} if isinstance(part, str) else part for part in parts)


def _codes(stated: str) -> tuple[str, ...]:
    return tuple(stated.split())


def _answered(spec: CaseSpec) -> dict[str, tuple[str, ...]]:
    """The receipts that scripted and unscripted answers to what was declared come to."""
    found: dict[str, tuple[str, ...]] = {}
    stored = not _STORES.isdisjoint(_codes_about(spec, "621"))
    for short in spec.declared:
        scripted = len(spec.answers.get(short, ())) >= _sends(spec, short)
        taken_along = (STORED,) if stored and short in ("311", "411", "511") and not scripted else ()
        found[ANSWERED_BY[short]] = (*_codes_about(spec, short), *taken_along)
    for short in ("816", "818"):
        if short in spec.answers:
            found[short] = tuple(code for steps in spec.answers[short] for code in _arriving(steps))
    return found


def _codes_about(spec: CaseSpec, short: str) -> list[str]:
    """The codes of every sending of a declaration, in turn."""
    times = spec.answers.get(short, ())
    codes = [code for steps in times for code in _arriving(steps)]
    return codes + [code for _ in range(_sends(spec, short) - len(times)) for code in UNSCRIPTED[short]]


def _sends(spec: CaseSpec, short: str) -> int:
    return spec.sends.get(short, spec.declared.get(short, 0))


def _arriving(steps: Sequence[Step]) -> list[str]:
    """Every code as often as it arrives; a lost one never does, and what is refused whole has no receipt of its own."""
    return [
        step["status"]
        for step in steps
        if "status" in step and not step.get("lost") and step.get("form") != "truncated"
        for _ in range(step.get("copies", 1) * step.get("files", 1))
    ]
