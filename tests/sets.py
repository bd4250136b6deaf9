"""Which scenarios of the example set suit a test that cannot wait for hours, or cannot say what comes first."""

from collections import Counter
from collections.abc import Callable

from tongguan.gateway.sample.generate import REFERENCES, generate
from tongguan.gateway.sample.scenario import CaseSpec

TRIPLE = ("order", "payment", "waybill")
RIVALS = {"waybill-ambiguous", "waybill-rival", "waybill-reused", "order-rival"}


def prompt_names(seed: int, at_ms: int) -> list[str]:
    """Every scenario that comes to its end without hours of waiting."""
    return _names(seed, at_ms, _takes_time)


def steady_names(seed: int, at_ms: int) -> list[str]:
    """Those whose cases end the same whatever stands still for a while, and in any order of arrival."""
    return _names(seed, at_ms, lambda spec: _takes_time(spec) or _hangs_on_order(spec), once=True)


def _names(seed: int, at_ms: int, is_out: Callable[[CaseSpec], bool], *, once: bool = False) -> list[str]:
    """Every scenario of one wave that has no such case.

    With ``once``, of those that say everything once; a draft says again what the gateway would compose, and counts only
    where it comes before that.
    """
    every = generate(seed, at_ms, 0)
    later = {number for each in every.deliveries if each.wave > 1 for number, _ in each.documents}
    said = Counter((number, one.kind) for each in every.deliveries for number, one in each.documents)
    return [
        each.scenario.name
        for number, each in enumerate(every.planted)
        if number not in later
        and each.scenario.name != REFERENCES
        and not any(map(is_out, each.scenario.cases))
        and not (once and any(said[number, kind] > len(each.scenario.cases) for kind in TRIPLE))
        and not (once and said[number, "inventory"])
    ]


def _hangs_on_order(spec: CaseSpec) -> bool:
    """Whether its end hangs on what came or left first: a refusal keeps others at home, rivals find each other."""
    return bool(spec.answers.keys() - {"621"} or RIVALS & {*spec.findings})


def _takes_time(spec: CaseSpec) -> bool:
    """Whether a case is sent again after a pause, something about it comes late, or customs take a minute."""
    again = spec.sends or any(count > 1 for count in spec.declared.values())
    slow = "after_ms" in str(spec.answers)
    return bool(again or slow or {"late", "uncertain"} & {*spec.flags, *spec.standings})
