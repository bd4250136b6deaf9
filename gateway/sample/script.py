"""The script by which the simulated customs answers the planted cases as their scenarios want."""

from collections.abc import Iterator, Mapping
from typing import Any

from .generate import SampleSet
from .scenario import Step
from .triples import Triple

_NAMED_BY = {
    "311": ("orderNo", "order"),
    "411": ("payTransactionId", "payment"),
    "511": ("logisticsNo", "waybill"),
    "513": ("logisticsNo", "waybill"),
    "621": ("orderNo", "order"),
    "623": ("orderNo", "order"),
    "625": ("orderNo", "order"),
    "816": ("orderNo", "order"),
    "818": ("orderNo", "order"),
}
"""The field that names a document to the simulator, and the document of the triple that has its value."""


def simulator_script(sample: SampleSet) -> dict[str, Any]:
    """The script as the simulator reads it, from JSON."""
    return {"rule": list(_rules(sample))}


def _rules(sample: SampleSet) -> Iterator[dict[str, Any]]:
    for planted in sample.planted:
        for _, triple, spec in planted.specs():
            for message, times in spec.answers.items():
                name, document = _NAMED_BY[message]
                key = {"message": message, name: getattr(triple, document)[name]}
                for nth, steps in enumerate(times, start=1):
                    limit = {} if message in ("816", "818") else {"times": nth}
                    yield key | limit | _outcome(steps, triple)


def _outcome(steps: tuple[Step, ...], triple: Triple) -> dict[str, Any]:
    if steps and "refuse" in steps[0]:
        return dict(steps[0])
    return {"answers": [_answer(step, triple) for step in steps]}


def _answer(step: Step, triple: Triple) -> str | Mapping[str, Any]:
    """A status alone, or the step with what its text names taken from the order."""
    if set(step) == {"status"}:
        return step["status"]
    return {**step, "info": step["info"].format_map(triple.order)} if "info" in step else step
