"""Route: every result goes out at least once, those of a case in their order, whoever routes."""

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongguan.gateway.steps import route
from tongguan.gateway.steps.route import Route
from tongguan.gateway.store.results import Waiting
from tongguan.messages.documents.results import RESULTS_MAX, Results
from tongguan.messages.faults import fault
from tongguan.queue.bus import BusDownError, Message
from tongguan.queue.topology import RESULTS, Binding, Queue, Topology

STATUSES = ("waiting", "discrepant", "matched", "declaring")


class Listener:
    """Reads every result that is published."""

    def __init__(self, bus: Any, drained: Any) -> None:
        self._bus, self._drained = bus, drained
        self.deliveries: list[Any] = []

    async def listen(self) -> list[Any]:
        """The results published since, in order."""
        some = await self._drained("all-results")
        self.deliveries += some
        return [result for each in some for result in json.loads(each.body)]


@pytest.fixture
async def listener(bus: Any, drained: Any) -> Listener:
    queue = Topology(queues=(Queue("all-results"),), bindings=(Binding(RESULTS, "#", "all-results"),))
    await bus.declare(queue)
    return Listener(bus, drained)


async def _cases(bench: Any, count: int) -> None:
    """So many cases, each with two results: waiting, and waiting for one document less."""
    content = bench.triples.content
    for start in range(1, count + 1, 100):
        numbers = range(start, min(start + 100, count + 1))
        await bench.push("order", *(content("order", number) for number in numbers))
        await bench.push("payment", *(content("payment", number) for number in numbers))


def _in_order(results: Sequence[Any]) -> bool:
    """Whether the numbers of no case ever go back."""
    last: dict[str, int] = defaultdict(int)
    for each in results:
        key = each["id"].partition("-")[0]
        if each["seq"] < last[key]:
            return False
        last[key] = each["seq"]
    return True


async def test_every_result_is_published_once_in_the_order_of_its_case(bench: Any, bus: Any, listener: Any) -> None:
    await _cases(bench, 90)

    published = await Route(bench.gateway, bus, "one").run()

    results = await listener.listen()
    assert published == len(results) == len({each["id"] for each in results}) == 180
    assert _in_order(results)


async def test_what_was_published_is_not_published_again(bench: Any, bus: Any, listener: Any) -> None:
    await _cases(bench, 3)
    router = Route(bench.gateway, bus, "one")
    await router.run()
    await listener.listen()

    assert (await router.run(), await listener.listen()) == (0, [])


async def test_a_delivery_holds_at_most_a_hundred_results_of_one_routing_key(
    bench: Any, bus: Any, listener: Any
) -> None:
    await _cases(bench, 150)

    await Route(bench.gateway, bus, "one").run()

    await listener.listen()
    for each in listener.deliveries:
        results = Results.model_validate_json(each.body).root
        assert len(results) <= RESULTS_MAX
        assert {f"import.{result.status}.youxuan" for result in results} == {each.routing_key}
    assert len(listener.deliveries) >= 3


async def test_the_routing_key_says_direction_status_and_party(bench: Any, bus: Any, listener: Any) -> None:
    await bench.match()

    await Route(bench.gateway, bus, "one").run()

    await listener.listen()
    assert [each.routing_key for each in listener.deliveries][-1] == "import.matched.youxuan"


async def test_two_routers_keep_the_order_of_every_case_over_many_rounds(bench: Any, bus: Any, listener: Any) -> None:
    content = bench.triples.content
    routers = [Route(bench.gateway, bus, name) for name in ("one", "two")]
    heard: list[Any] = []
    for turn in range(12):
        kind = ("order", "payment", "waybill")[turn % 3]
        numbers = range(1, 41)
        changes = (
            {} if turn < 3 else {"appType": "2", "appTime": f"202403090{turn % 10}0{turn:02d}0", "note": str(turn)}
        )
        if turn < 3 or kind == "payment":
            changes |= {"amountPaid": "1.00"} if kind == "payment" and turn % 2 else {}
            await bench.push(kind, *(content(kind, number, **changes) for number in numbers))
        await routers[turn % 2].run()
        heard += await listener.listen()
    for router in routers:
        await router.run()
    heard += await listener.listen()

    assert _in_order(heard)
    stored = [row.body for row in await bench.rows("SELECT body FROM results")]
    assert {each["id"] for each in heard} == {json.loads(body)["id"] for body in stored}


async def test_a_lane_that_one_router_holds_is_left_alone_by_another(bench: Any, bus: Any, listener: Any) -> None:
    await _cases(bench, 5)

    class Stuck:
        async def publish(self, _: Sequence[Message]) -> None:
            raise BusDownError(fault("bus-unreachable", address="x"))

    stuck: Any = Stuck()
    with pytest.raises(BusDownError):
        await Route(bench.gateway, stuck, "one").run()
    other = Route(bench.gateway, bus, "two")
    meanwhile = await other.run()
    bench.later(31_000)
    afterwards = await other.run()

    assert (meanwhile, afterwards) == (0, 10)
    assert _in_order(await listener.listen())


async def test_its_own_lanes_a_router_takes_up_again_at_once(bench: Any, bus: Any, listener: Any) -> None:
    await _cases(bench, 5)

    class Down:
        def __init__(self) -> None:
            self.down = True

        async def publish(self, messages: Sequence[Message]) -> None:
            if self.down:
                raise BusDownError(fault("bus-unreachable", address="x"))
            await bus.publish(messages)

    wrapped: Any = Down()
    router = Route(bench.gateway, wrapped, "one")
    with pytest.raises(BusDownError):
        await router.run()
    wrapped.down = False

    assert await router.run() == 10


async def test_after_a_crash_between_publishing_and_booking_results_come_again_under_their_ids(
    bench: Any, bus: Any, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _cases(bench, 5)

    async def die(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(route, "results_published", die)
    with pytest.raises(RuntimeError):
        await Route(bench.gateway, bus, "one").run()
    first = await listener.listen()
    monkeypatch.undo()
    bench.remade()
    bench.later(31_000)
    await Route(bench.gateway, bus, "two").run()
    second = await listener.listen()

    assert [each["id"] for each in first] == [each["id"] for each in second]
    assert len(first) == 10


async def test_positions_in_a_lane_are_given_without_gaps(bench: Any, bus: Any) -> None:
    await _cases(bench, 90)
    router = Route(bench.gateway, bus, "one")
    await router.run()
    await bench.push("waybill", *(bench.triples.content("waybill", number) for number in range(1, 91)))
    await router.run()

    rows = await bench.rows("SELECT lane, position FROM results ORDER BY lane, id")
    by_lane: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        by_lane[row.lane].append(row.position)

    assert len(by_lane) > 10
    assert all(positions == list(range(1, len(positions) + 1)) for positions in by_lane.values())


async def test_more_results_than_one_round_takes_go_with_the_next(
    bench: Any, bus: Any, listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "BATCH", 7)
    await _cases(bench, 10)
    router = Route(bench.gateway, bus, "one")

    counts = [await router.run() for _ in range(4)]

    assert counts == [7, 7, 6, 0]
    assert _in_order(await listener.listen())


async def test_results_hold_no_personal_value(bench: Any, bus: Any, listener: Any) -> None:
    await bench.push("order", bench.triples.content("order"))
    await bench.push(
        "payment", bench.triples.content("payment", payerName="乔望舒", payerIdNumber="99010119911105002X")
    )

    await Route(bench.gateway, bus, "one").run()

    told = json.dumps(await listener.listen(), ensure_ascii=False)
    assert "payer-is-buyer" in told
    for value in ("章春苗", "乔望舒", "990101198802140011", "99010119911105002X"):
        assert value not in told


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(STATUSES)), max_size=40))
def test_grouping_keeps_every_lane_in_order_and_every_group_to_one_key(rows: list[tuple[int, str]]) -> None:
    waiting = [Waiting(number, lane, key, "{}") for number, (lane, key) in enumerate(rows)]

    groups = list(route._grouped(waiting))

    flat = [each for group in groups for each in group]
    assert sorted(flat) == waiting
    for lane in range(4):
        ids = [each.id for each in flat if each.lane == lane]
        assert ids == sorted(ids)
    for group in groups:
        assert len({each.routing_key for each in group}) == 1
        assert len(group) <= RESULTS_MAX
