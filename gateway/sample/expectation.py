"""Expectation and outcome: what must become of an example set, what became of it, and how the two differ.

Nothing here holds a value of a person: cases go by their keys, documents by their place in a delivery.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .generate import SampleSet
from .scenario import CaseSpec

ODD_STANDINGS = ("late", "doubled", "unknown")
"""Standings of receipts that are worth counting; what is applied or noted goes without saying."""


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """How a case ends. Counts and codes go by the short number of the message (311, 622, …).

    ``published`` is the status its last result tells of.
    """

    verdict: str
    status: str
    flags: Sequence[str] = ()
    findings: Sequence[str] = ()
    declared: Mapping[str, int] = field(default_factory=dict)
    sends: Mapping[str, int] = field(default_factory=dict)
    receipts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    standings: Mapping[str, int] = field(default_factory=dict)
    tax: int = 0
    published: str = ""


@dataclass(frozen=True, slots=True)
class DocumentOutcome:
    """What becomes of one document, and the codes of its faults."""

    kind: str
    outcome: str
    faults: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """How a delivery is answered: document by document, or the codes for which it is refused whole."""

    documents: Sequence[DocumentOutcome] = ()
    faults: Sequence[str] = ()
    notices: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that became of a set: cases by key, deliveries by name, receipts that found no case."""

    cases: Mapping[str, CaseOutcome]
    deliveries: Mapping[str, DeliveryOutcome]
    unmatched: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """The scenario behind a case or delivery."""

    scenario: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must become of a set, and the scenario behind each part of it."""

    seed: int
    at_ms: int
    outcome: Outcome
    stories: Mapping[str, Story]

    def as_json(self) -> dict[str, Any]:
        """As it is written beside the set."""
        cases = [{"case": key, **asdict(self.stories[key]), **asdict(each)} for key, each in self.outcome.cases.items()]
        deliveries = [{"delivery": name, **asdict(each)} for name, each in self.outcome.deliveries.items()]
        return {"seed": self.seed, "at": self.at_ms, "cases": cases, "deliveries": deliveries}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as expected, said about a case or delivery (its key or name)."""

    about: str
    zh: str
    en: str


def expected_of(sample: SampleSet) -> Expectation:
    """What must become of a set, by the scenarios planted in it."""
    cases: dict[str, CaseOutcome] = {}
    stories: dict[str, Story] = {}
    for planted in sample.planted:
        scenario = planted.scenario
        for key, _, spec in planted.specs():
            cases[key] = _expected(spec)
            stories[key] = Story(scenario.name, scenario.zh, scenario.en)
    deliveries = {
        each.name: DeliveryOutcome(
            tuple(DocumentOutcome(one.kind, one.outcome, tuple(sorted(one.faults))) for _, one in each.documents),
            tuple(sorted(each.refused)),
            tuple(sorted(each.notices)),
        )
        for each in sample.deliveries
    }
    return Expectation(sample.seed, sample.at_ms, Outcome(cases, deliveries), stories)


def _expected(spec: CaseSpec) -> CaseOutcome:
    return CaseOutcome(
        verdict=spec.verdict,
        status=spec.status,
        flags=tuple(sorted(spec.flags)),
        findings=tuple(sorted(set(spec.findings))),
        declared=dict(spec.declared),
        sends={**spec.declared, **spec.sends},
        receipts={short: tuple(sorted(codes)) for short, codes in spec.receipts.items()},
        standings=dict(spec.standings),
        tax=spec.tax,
        published=spec.status,
    )


def read_expectation(content: Mapping[str, Any]) -> Expectation:
    """An expectation from the JSON that was written beside its set."""
    cases: dict[str, CaseOutcome] = {}
    stories: dict[str, Story] = {}
    for entry in content["cases"]:
        fields = dict(entry)
        key = fields.pop("case")
        stories[key] = Story(*(fields.pop(name) for name in ("scenario", "zh", "en")))
        cases[key] = CaseOutcome(**fields)
    deliveries = {
        each["delivery"]: DeliveryOutcome(
            tuple(DocumentOutcome(**one) for one in each["documents"]), each["faults"], each["notices"]
        )
        for each in content["deliveries"]
    }
    return Expectation(content["seed"], content["at"], Outcome(cases, deliveries), stories)


def differences(expected: Outcome, found: Outcome) -> list[Difference]:
    """Everything that is not as expected; nothing when all is well."""
    return [
        *_cases(expected.cases, found.cases),
        *_deliveries(expected.deliveries, found.deliveries),
        *_unmatched(expected.unmatched, found.unmatched),
    ]


_ASPECTS = {
    "verdict": ("结论", "verdict"),
    "status": ("状态", "status"),
    "flags": ("标记", "flags"),
    "findings": ("比对结果", "findings"),
    "declared": ("申报次数", "declarations sent"),
    "sends": ("报文发送次数", "messages handed over"),
    "receipts": ("回执", "receipts"),
    "standings": ("异常回执", "odd receipts"),
    "tax": ("税单结果", "tax results"),
    "published": ("最后发布的状态", "status published last"),
}


def _cases(expected: Mapping[str, CaseOutcome], found: Mapping[str, CaseOutcome]) -> Iterator[Difference]:
    for key, wanted in expected.items():
        if key not in found:
            yield Difference(key, "没有这一单", "there is no such case")
            continue
        for name, (zh, en) in _ASPECTS.items():
            yield from _compared(key, zh, en, getattr(wanted, name), getattr(found[key], name))
    for key in found.keys() - expected.keys():
        yield Difference(key, "多出的一单", "a case nobody expected")


def _deliveries(expected: Mapping[str, DeliveryOutcome], found: Mapping[str, DeliveryOutcome]) -> Iterator[Difference]:
    for name, wanted in expected.items():
        if name not in found:
            yield Difference(name, "没有得到答复", "was not answered")
            continue
        got = found[name]
        yield from _compared(name, "整次投递的问题", "faults of the delivery", wanted.faults, got.faults)
        yield from _compared(name, "容忍之处", "notices", wanted.notices, got.notices)
        counts = len(wanted.documents), len(got.documents)
        yield from _compared(name, "单证份数", "documents", *counts)
        for index, (one, other) in enumerate(zip(wanted.documents, got.documents, strict=False)):
            about = f"{name}#{index}"
            yield from _compared(about, "收单结果", "outcome", one.outcome, other.outcome)
            yield from _compared(about, "问题", "faults", one.faults, other.faults)


def _unmatched(expected: int, found: int) -> Iterator[Difference]:
    yield from _compared("receipts", "无主回执数", "receipts that found no case", expected, found)


def _compared(about: str, zh: str, en: str, wanted: Any, got: Any) -> Iterator[Difference]:
    one, other = _shown(wanted), _shown(got)
    if one != other:
        yield Difference(about, f"{zh}应为 {one}，实为 {other}", f"{en} should be {one}, but is {other}")


def _shown(value: Any) -> str:
    """One text for equal values, whether they come from JSON or not."""
    if isinstance(value, Mapping):
        return " ".join(f"{name}={_shown(each)}" for name, each in sorted(value.items())) or "-"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return "/".join(map(str, value)) or "-"
    return str(value) or "-"
