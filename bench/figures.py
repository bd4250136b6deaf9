"""The arithmetic of the bench: rates, percentiles, ratios."""

import math
from collections.abc import Collection, Sequence


def rate(moments_ms: Collection[float], begun_ms: float) -> float:
    """How many a second there were from the beginning to the last of the moments (milliseconds); 0 for none."""
    if not moments_ms:
        return 0.0
    return len(moments_ms) / max((max(moments_ms) - begun_ms) / 1000, 0.001)


def percentile(values: Collection[float], share: int) -> float:
    """The smallest of the values that ``share`` percent of them do not exceed (nearest rank); raises ValueError."""
    if not values or not 0 < share <= 100:
        raise ValueError("a percentile is of some values, and above 0 to 100")
    return sorted(values)[math.ceil(share * len(values) / 100) - 1]


def per_thousand(amount: float, count: int) -> float:
    """What a thousand of them take, when so many take this much."""
    return amount * 1000 / count


def ratio(value: float, to: float) -> float | None:
    """How many times the other one; None when that is nothing."""
    return value / to if to else None


def lacking(finished: Sequence[int], wanted: int) -> str | None:
    """Why a run is not whole, None if it is: each of the triples wanted has to finish once, ``finished`` times."""
    never, again = wanted - sum(1 for times in finished if times), sum(1 for times in finished if times > 1)
    return f"{never} of {wanted} never finished, {again} more than once" if never or again else None
