"""Channels: an e-port that a person has closed, and one whose folder fails again and again."""

from typing import Any

import pytest

from tongguan.adapters.transport import NotSent
from tongguan.gateway.steps.breaker import FAILURES_MAX, PAUSE_MS, PAUSE_MS_MAX, Breaker
from tongguan.gateway.steps.dispatch import Dispatch
from tongguan.gateway.store.database import in_transaction
from tongguan.gateway.store.gates import Closed, close_gate, closed_gates, loads, open_gate
from tongguan.messages.faults import fault

MINUTE = 60_000


@pytest.fixture
def gate(bench: Any) -> Any:
    """Close the gate of the bench's e-port, or open it."""

    async def set_(state: Any) -> None:
        eport = bench.gateway.destinations[0].eport.name
        closed = Closed(eport, state, "night work", "ling", 5)
        await in_transaction(bench.database, lambda tx: close_gate(tx, closed) if state else open_gate(tx, eport))

    return set_


class TestGates:
    async def test_nothing_is_handed_over_to_a_paused_e_port_and_all_of_it_once_it_goes_on(
        self, bench: Any, gate: Any
    ) -> None:
        await gate("paused")
        await bench.match()

        paused = await bench.dispatch()
        await gate(None)

        assert paused == 0
        assert await bench.dispatch() == 3

    async def test_receipts_of_a_paused_e_port_are_still_read(self, bench: Any, gate: Any) -> None:
        await bench.match()
        await bench.dispatch()
        await gate("paused")
        bench.later(MINUTE)

        await bench.answered("311", "120")

        assert (await bench.states())["311"] == "accepted"

    async def test_a_draining_e_port_gets_what_is_packed_and_nothing_new(
        self, bench: Any, benches: Any, gate: Any
    ) -> None:
        bench.wire.troubles = [benches.NOT_SENT] * 3
        await bench.match()
        await bench.dispatch()
        await gate("draining")
        await bench.match(2)
        bench.later(MINUTE)

        await bench.dispatch()

        assert len(bench.wire.sent) == 3
        assert set((await bench.states(2)).values()) == {"ready", "blocked"}

    async def test_closing_it_again_changes_how_and_why(self, bench: Any, gate: Any) -> None:
        await gate("paused")
        await gate("draining")

        gates = await in_transaction(bench.database, closed_gates)

        assert [each.state for each in gates.values()] == ["draining"]


class TestLoads:
    async def test_what_lies_before_an_e_port_is_counted(self, bench: Any, benches: Any) -> None:
        bench.wire.troubles = [benches.NOT_SENT]
        await bench.match()
        before = await in_transaction(bench.database, loads)
        await bench.dispatch()

        (load,) = (await in_transaction(bench.database, loads)).values()

        assert [(each.ready, each.waiting, each.unanswered) for each in before.values()] == [(3, 0, 0)]
        assert (load.ready, load.waiting, load.unanswered) == (0, 1, 2)
        assert load.since == bench.now


class TestBreaker:
    async def test_an_e_port_that_keeps_failing_is_left_alone_and_then_tried_with_one_message(
        self, bench: Any, benches: Any
    ) -> None:
        bench.wire.troubles = [benches.NOT_SENT] * FAILURES_MAX
        await bench.match()
        dispatch = Dispatch(bench.gateway)

        tried = [await dispatch.run()]
        bench.later(PAUSE_MS - 1)
        tried.append(await dispatch.run())
        bench.later(PAUSE_MS)
        tried += [await dispatch.run(), await dispatch.run()]

        assert tried == [3, 0, 1, 2]
        assert len(bench.wire.sent) == 3

    async def test_trouble_of_one_message_is_no_trouble_of_its_e_port(self, bench: Any) -> None:
        bench.wire.troubles = [NotSent(fault("transport-too-large", limit=1))] * FAILURES_MAX
        await bench.match()
        dispatch = Dispatch(bench.gateway)
        await dispatch.run()
        bench.later(PAUSE_MS)

        assert await dispatch.run() == 3

    def test_it_waits_longer_each_time_and_never_longer_than_the_most(self) -> None:
        breaker, now, waits = Breaker(), 0, []
        for _ in range(FAILURES_MAX + 12):
            breaker.failed(now, 0.0)
            start = now
            while not breaker.allowed(now, 10):
                now += 1000
            waits.append(now - start)

        assert waits[: FAILURES_MAX + 2] == [0] * (FAILURES_MAX - 1) + [PAUSE_MS, PAUSE_MS * 2, PAUSE_MS * 4]
        assert max(waits) == PAUSE_MS_MAX

    def test_jitter_makes_it_wait_a_little_longer(self) -> None:
        plain, jittered = Breaker(), Breaker()
        for _ in range(FAILURES_MAX):
            plain.failed(0, 0.0)
            jittered.failed(0, 1.0)

        assert (plain.allowed(PAUSE_MS, 10), jittered.allowed(PAUSE_MS, 10)) == (1, 0)
        assert jittered.allowed(PAUSE_MS * 5 // 4, 10) == 1

    def test_one_success_closes_it(self) -> None:
        breaker = Breaker()
        for _ in range(FAILURES_MAX):
            breaker.failed(0, 0.0)

        breaker.worked()

        assert breaker.allowed(0, 10) == 10
