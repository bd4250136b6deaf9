"""Whatever bytes come in, they are answered with coded faults, and nothing breaks, hangs or grows.

``TONGGUAN_TEST_HOSTILE`` says how many damaged inputs are tried, ``TONGGUAN_TEST_HOSTILE_SEED`` what the damage is
drawn from; a failure names the number of its input, and the same seed makes the same input again.
"""

import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from random import Random
from types import FrameType
from typing import Any

import pytest

from tongguan.gateway.submissions import CEB, Pushed, submitted
from tongguan.messages.documents.parsing import DELIVERY_LIMITS
from tongguan.messages.faults import Refused
from tongguan.messages.reading import read
from tongguan.messages.receipts import receipts_of

HANG_S = 10
"""What takes this long is taken for a hang."""
GROWTH_KB = 400_000
"""What memory may grow by while bombs are read."""
BATCH = 20
KINDS = ("order", "payment", "waybill", "transport", "goods")


@contextmanager
def bounded(what: str) -> Iterator[None]:
    """Fail when something takes so long that it looks like forever, and name it when it raises."""

    def hung(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, hung)
    signal.alarm(HANG_S)
    try:
        yield
    except Exception as error:
        raise AssertionError(f"{what}: {type(error).__name__}") from error
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _pushed(random: Random, delivery: Any, body: bytes) -> Pushed:
    """A delivery of damaged bytes, now and then under another key or type."""
    key = delivery.routing_key if random.random() < 0.9 else random.choice((CEB, *(f"import.{each}" for each in KINDS)))
    kind = delivery.content_type if random.random() < 0.9 else random.choice(("application/xml", "text/plain", ""))
    return Pushed(key, kind, body)


def test_every_damaged_delivery_is_read_or_refused_with_a_code(
    mutating: Any, deliveries: list[Any], count: int, seed: int
) -> None:
    bodies = [each.body for each in deliveries]
    refused = 0
    for number in range(count):
        random = Random(f"{seed} {number}")
        pushed = _pushed(random, random.choice(deliveries), mutating.mutated(random, bodies))
        with bounded(f"seed {seed}, input {number}"):
            found = submitted(pushed, DELIVERY_LIMITS)
        faults = [*found.faults, *(each for one in found.submissions for each in one.faults)]
        assert found.submissions or found.faults, f"seed {seed}, input {number}: neither documents nor faults"
        assert all(each.code and each.zh and each.en for each in faults)
        assert all(one.document or one.faults for one in found.submissions)
        refused += bool(faults)

    assert count // 4 < refused < count


async def test_intake_answers_every_damaged_delivery(
    hostile_bench: Any, mutating: Any, deliveries: list[Any], count: int, seed: int
) -> None:
    bodies = [each.body for each in deliveries]
    outcomes: set[str] = set()
    for start in range(0, count // 10, BATCH):
        pushed = []
        for number in range(start, start + BATCH):
            random = Random(f"{seed} intake {number}")
            pushed.append(_pushed(random, random.choice(deliveries), mutating.mutated(random, bodies)))
        answers = await hostile_bench.take(pushed)
        assert len(answers) == len(pushed), f"seed {seed}, inputs from {start}"
        outcomes.update(each.outcome for answer in answers for each in answer.answer.documents)

    kept = await hostile_bench.rows("SELECT count(*) AS kept FROM rejections")
    assert {"taken", "rejected"} <= outcomes
    assert kept[0].kept > 0


def test_every_damaged_receipt_is_read_or_refused(mutating: Any, receipts: list[bytes], count: int, seed: int) -> None:
    readable = 0
    for number in range(count):
        data = mutating.mutated(Random(f"{seed} receipt {number}"), receipts)
        with bounded(f"seed {seed}, receipt {number}"), suppress(Refused):
            receipts_of(read(data))
            readable += 1

    assert count // 20 < readable < count


def _as(key: str, kind: str) -> Callable[[bytes], object]:
    return lambda data: submitted(Pushed(key, kind, data), DELIVERY_LIMITS)


@pytest.mark.parametrize(
    "reader",
    [
        pytest.param(_as(CEB, "application/xml"), id="customs XML"),
        pytest.param(_as("import.order", "application/json"), id="JSON"),
        pytest.param(_as("import.order", "application/x-ndjson"), id="JSON lines"),
    ],
)
def test_bombs_are_refused_without_growing(mutating: Any, reader: Callable[[bytes], Any]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, data in mutating.bombs():
        with bounded(name):
            found = reader(data)
        assert found.faults or all(one.faults for one in found.submissions), name
        assert not any(one.document for one in found.submissions), name

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWTH_KB


def test_bombs_as_receipts_are_refused_without_growing(mutating: Any) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, data in mutating.bombs():
        with bounded(name), pytest.raises(Refused):
            read(data)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWTH_KB
