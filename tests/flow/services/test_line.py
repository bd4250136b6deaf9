"""The whole line on RabbitMQ and PostgreSQL, pushed by a program that uses nothing of ours."""

import asyncio
import json
import random
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tongguan.gateway.sample.expectation import CaseOutcome, DeliveryOutcome, Outcome, differences

pytestmark = [pytest.mark.services, pytest.mark.slow]
LIMIT_S = 120
KILLS = 6


def _in_real_time(case: CaseOutcome) -> CaseOutcome:
    """Without what the real clock decides: which of two receipts is read first."""
    return replace(case, standings={})


def _however_often(case: CaseOutcome) -> CaseOutcome:
    """Without what a process that dies between doing and booking does again: the same file under the same name."""
    return replace(_in_real_time(case), sends={})


def _once_or_again(answer: DeliveryOutcome) -> DeliveryOutcome:
    """What was taken before the process died is a duplicate when the broker delivers it again."""
    again = {"duplicate": "taken"}
    return replace(
        answer, documents=[replace(each, outcome=again.get(each.outcome, each.outcome)) for each in answer.documents]
    )


def _same(value: Any) -> Any:
    return value


async def _wrong(
    line: Any, of_case: Callable[[Any], Any] = _in_real_time, of_delivery: Callable[[Any], Any] = _same
) -> list[str]:
    """Wait until everything is as expected; what still is not when the time is up."""

    def seen(outcome: Outcome) -> Outcome:
        cases = {key: of_case(each) for key, each in outcome.cases.items()}
        deliveries = {name: of_delivery(each) for name, each in outcome.deliveries.items()}
        return Outcome(cases, deliveries, outcome.unmatched)

    expected, end, found = seen(line.expectation().outcome), time.monotonic() + LIMIT_S, None
    while found is None or (found and time.monotonic() < end):
        await asyncio.sleep(0.5)
        found = [f"{each.about}: {each.en}" for each in differences(expected, seen(await line.outcome()))]
    return found


def _out_of_order(results: list[dict[str, Any]]) -> list[str]:
    """Results of a case that came before an earlier one of it; coming again is allowed."""
    last: dict[str, int] = {}
    wrong = []
    for each in results:
        case = json.dumps(each["case"])
        if each["seq"] > last.get(case, 0) + 1:
            wrong.append(each["id"])
        last[case] = max(each["seq"], last.get(case, 0))
    return wrong


async def test_what_becomes_of_the_example_set_is_what_should(line: Any, prompt_set: Any) -> None:
    line.prepare(prompt_set(1, 400))
    line.serve()
    line.listen()
    line.simulate()

    pushed = line.push()

    assert await _wrong(line) == []
    assert pushed.wait(10) == 0
    results = line.results()
    assert len({each["id"] for each in results}) == len(results)
    assert _out_of_order(results) == []
    assert line.audit() == 0, line.said("audit")
    assert line.kill("serve", signal.SIGTERM) == 0


async def test_a_restored_gateway_is_whole_and_knows_all_that_was_pushed(
    line: Any, clean_set: Any, empty_url: str
) -> None:
    line.prepare(clean_set(3, 60))
    line.serve()
    line.listen()
    line.simulate()
    assert line.push().wait(60) == 0
    assert await _wrong(line) == []
    line.kill("serve", signal.SIGTERM)

    line.restore(empty_url)
    restored = line.audit()
    line.serve()
    pushed_again = line.push().wait(60)

    answers = [each for each in line.journal() if "documents" in each]
    assert restored == 0, line.said("audit")
    assert pushed_again == 0
    assert {each["outcome"] for answer in answers for each in answer["documents"]} == {"duplicate"}
    assert line.audit() == 0, line.said("audit")


async def test_it_still_is_when_the_process_is_killed_again_and_again(line: Any, steady_set: Any) -> None:
    chance = random.Random(7)
    line.prepare(steady_set(2, 400))
    line.serve()
    line.listen()
    line.simulate()

    line.push()
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.2, 1.5))
        assert line.kill("serve") == -signal.SIGKILL
        line.serve()

    await _as_it_should(line)


async def test_it_still_is_when_broker_and_database_are_killed_under_it(
    line: Any, steady_set: Any, rabbitmq: Any, postgresql: Any
) -> None:
    chance = random.Random(8)
    line.prepare(steady_set(4, 400))
    line.serve()
    line.listen()
    line.simulate()

    pushing = line.push()
    for server in (postgresql, rabbitmq, postgresql):
        await asyncio.sleep(chance.uniform(0.5, 2))
        server.kill()
        await asyncio.to_thread(server.start)

    await _as_it_should(line)
    assert pushing.wait(10) == 0
    assert line.is_ready()


async def _as_it_should(line: Any) -> None:
    """Everything has come out as expected, however often it was begun, and nothing is lost or doubled."""
    wrong = await _wrong(line, _however_often, _once_or_again)
    assert wrong == [], "\n".join(wrong)
    assert _out_of_order(line.results()) == []
    end = time.monotonic() + LIMIT_S
    # a router that met a dead broker pauses before it publishes what is left
    while line.audit() and time.monotonic() < end:
        await asyncio.sleep(1)
    assert line.audit() == 0, line.said("audit")
