"""The service: five steps in one process on the embedded bus, through failures of bus and store, to a clean stop."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from sqlite3 import OperationalError as Sqlite
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from tongguan.gateway import serving
from tongguan.gateway.serving import STEPS, Service
from tongguan.messages.faults import fault
from tongguan.queue.bus import BusDownError, BusRefusedError, Failure, Message, UnconfirmedError
from tongguan.queue.embedded import EmbeddedConsumer
from tongguan.queue.topology import ANSWERS, DEAD, DOCUMENTS, INTAKE, RESULTS, UNROUTED, Binding, Queue, Topology

PATIENCE_S = 5
FAST = {
    "linger_ms": 0, "dispatch_poll_ms": 10, "receive_poll_ms": 10, "route_poll_ms": 10, "tend_poll_ms": 10,
    "delivery_limit": 3, "intake_queue_length_max": 1000, "answer_queue_length_max": 1000,
    "dead_queue_length_max": 1000,
}  # fmt: skip


@pytest.fixture
def bench(bench_with: Callable[..., Any]) -> Any:
    return bench_with(**FAST)


@pytest.fixture
def serve(bench: Any, bus: Any) -> Any:
    """Run a service for the length of a ``with``; it is stopped and awaited in the end."""

    @asynccontextmanager
    async def run(steps: Iterable[Any] = STEPS, on: Any = None) -> AsyncIterator[Service]:
        service = Service(bench.gateway, on or bus, bench.seal_key, steps)
        running = asyncio.create_task(service.run())
        async with asyncio.timeout(PATIENCE_S):
            while not service.is_ready and not running.done():
                await asyncio.sleep(0.005)
        yield service
        service.stop()
        async with asyncio.timeout(PATIENCE_S):
            await running

    return run


@pytest.fixture
def push(bus: Any) -> Any:
    """Publish one document as a party does."""

    async def publish(kind: str, body: Any, **more: Any) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        message: dict[str, Any] = {"content_type": "application/json", "message_id": "m1"} | more
        await bus.publish([Message(exchange=DOCUMENTS, routing_key=f"import.{kind}", body=data, **message)])

    return publish


@pytest.fixture
def until(bench: Any) -> Any:
    """Wait until something is so."""

    async def wait(check: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not await check():
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def depth_is(bus: Any, until: Any) -> Any:
    async def wait(queue: str, count: int) -> None:
        async def reached() -> bool:
            return await bus.depth(queue) == count

        await until(reached)

    return wait


class Around:
    """A bus around the real one, whose publish can be made to fail."""

    def __init__(self, bus: Any, *troubles: Exception) -> None:
        self._bus, self.troubles = bus, list(troubles)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)

    async def publish(self, messages: Sequence[Message]) -> None:
        if self.troubles:
            raise self.troubles.pop(0)
        await self._bus.publish(messages)


class TestAnswers:
    async def test_a_triple_goes_all_the_way_and_its_results_are_published(
        self, bench: Any, bus: Any, serve: Any, push: Any, until: Any, triples: Any, drained: Any
    ) -> None:
        await bus.declare(Topology(queues=(Queue("heard"),), bindings=(Binding(RESULTS, "#", "heard"),)))

        async def sent() -> bool:
            return len(bench.wire.sent) >= 3

        async with serve():
            for kind, body in triples.contents().items():
                await push(kind, body)
            await until(sent)

        statuses = [result["status"] for each in await drained("heard") for result in json.loads(each.body)]
        assert "matched" in statuses
        assert sorted(bench.types()) == ["311", "411", "511"]
        assert len(list(bench.seal_key.written())) == 1

    async def test_an_answer_goes_to_the_queue_the_sender_names(
        self, bus: Any, serve: Any, push: Any, content: Any, depth_is: Any, drained: Any
    ) -> None:
        await bus.declare(Topology(queues=(Queue("mine"),)))

        async with serve(["intake"]):
            await push("order", content("order"), reply_to="mine", correlation_id="c-7")
            await depth_is("mine", 1)

        (answer,) = await drained("mine")
        assert answer.correlation_id == json.loads(answer.body)["correlationId"] == "c-7"
        assert [each["outcome"] for each in json.loads(answer.body)["documents"]] == ["taken"]

    @pytest.mark.parametrize("reply_to", [None, INTAKE, f"{ANSWERS}.suda", "amq.topic"])
    async def test_else_or_where_it_may_not_to_the_queue_of_its_party(
        self, serve: Any, push: Any, content: Any, depth_is: Any, reply_to: str | None
    ) -> None:
        async with serve(["intake"]):
            await push("order", content("order"), app_id="youxuan-erp", reply_to=reply_to)
            await depth_is(f"{ANSWERS}.youxuan", 1)

    async def test_the_answer_to_a_stranger_is_kept_unrouted(
        self, serve: Any, push: Any, content: Any, depth_is: Any
    ) -> None:
        async with serve(["intake"]):
            await push("order", content("order", ebpCode="9999999999", ebcCode="9999999999"))
            await depth_is(UNROUTED, 1)

    async def test_what_cannot_be_read_is_answered_too(
        self, serve: Any, push: Any, depth_is: Any, drained: Any
    ) -> None:
        async with serve(["intake"]):
            await push("order", b"{", app_id="suda-tms")
            await depth_is(f"{ANSWERS}.suda", 1)

        (answer,) = await drained(f"{ANSWERS}.suda")
        assert json.loads(answer.body)["faults"][0]["code"] == "document-unreadable"

    async def test_a_reply_queue_that_is_gone_does_not_keep_the_delivery(
        self, bench: Any, bus: Any, serve: Any, push: Any, content: Any, until: Any
    ) -> None:
        async with serve(["intake"]):
            await push("order", content("order"), reply_to="gone")
            await until(lambda: bench.rows("SELECT id FROM documents"))

        assert await bus.depth(INTAKE) == await bus.depth(DEAD) == 0


class TestBadDeliveries:
    async def test_one_that_breaks_intake_ends_dead_and_takes_no_other_along(
        self, bench: Any, bus: Any, serve: Any, push: Any, content: Any, depth_is: Any, drained: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        real = serving.Intake.take

        async def poisoned(intake: Any, pushed: Sequence[Any]) -> Any:
            if any(b"GX0000000013" in each.body for each in pushed):
                raise ZeroDivisionError
            return await real(intake, pushed)

        monkeypatch.setattr(serving.Intake, "take", poisoned)
        for number in range(10, 20):
            await push("order", content("order", number), app_id="youxuan-erp")

        async with serve(["intake"]):
            await depth_is(DEAD, 1)
            await depth_is(f"{ANSWERS}.youxuan", 9)

        (dead,) = await drained(DEAD)
        assert json.loads(dead.body)["orderNo"] == "GX0000000013"
        assert len(await bench.rows("SELECT id FROM documents")) == 9
        assert await bus.depth(INTAKE) == 0

    async def test_its_error_is_counted_and_logged_without_what_was_sent(
        self, bench: Any, serve: Any, push: Any, content: Any, depth_is: Any, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        async def poisoned(_: Any, pushed: Sequence[Any]) -> Any:
            raise ValueError(pushed[0].body.decode())

        monkeypatch.setattr(serving.Intake, "take", poisoned)
        await push("order", content("order"))

        async with serve(["intake"]):
            await depth_is(DEAD, 1)

        assert bench.gateway.metrics.registry.get_sample_value("tongguan_failures_total", {"step": "intake"}) >= 3
        told = "".join(capsys.readouterr())
        assert "章春苗" not in told
        assert "GX0000000001" not in told


class TestBus:
    async def test_a_bus_that_is_down_when_answers_go_out_gives_the_delivery_again(
        self, bus: Any, serve: Any, push: Any, content: Any, depth_is: Any, drained: Any
    ) -> None:
        around = Around(bus, BusDownError(fault("bus-unreachable", address="x")))

        async with serve(["intake"], around):
            await push("order", content("order"), app_id="youxuan-erp")
            await depth_is(f"{ANSWERS}.youxuan", 1)

        (answer,) = await drained(f"{ANSWERS}.youxuan")
        assert [each["outcome"] for each in json.loads(answer.body)["documents"]] == ["duplicate"]
        assert await bus.depth(INTAKE) == 0

    async def test_an_answer_that_may_be_lost_is_given_again(
        self, bus: Any, serve: Any, push: Any, content: Any, depth_is: Any
    ) -> None:
        around = Around(bus, UnconfirmedError({0: Failure.UNKNOWN}, 1))

        async with serve(["intake"], around):
            await push("order", content("order"), app_id="youxuan-erp")
            await depth_is(f"{ANSWERS}.youxuan", 1)

    async def test_a_full_answer_queue_is_its_owner_s_matter(
        self, bench: Any, bus: Any, serve: Any, push: Any, content: Any, until: Any
    ) -> None:
        around = Around(bus, UnconfirmedError({0: Failure.FULL}, 1))

        async with serve(["intake"], around):
            await push("order", content("order"), app_id="youxuan-erp")
            await until(lambda: bench.rows("SELECT id FROM documents"))

        assert await bus.depth(INTAKE) == await bus.depth(f"{ANSWERS}.youxuan") == 0

    async def test_a_bus_that_refuses_does_not_end_the_service(
        self, bus: Any, serve: Any, push: Any, content: Any, depth_is: Any
    ) -> None:
        around = Around(bus, *(BusRefusedError(fault("bus-closed")) for _ in range(2)))

        async with serve(["intake"], around):
            await push("order", content("order"), app_id="youxuan-erp")
            await depth_is(f"{ANSWERS}.youxuan", 1)

    async def test_a_consumer_that_is_refused_for_good_ends_the_service_and_leaves_nothing_running(
        self, bench: Any, bus: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def refused(_consumer: Any) -> Any:
            raise BusRefusedError(fault("bus-file-foreign", file="bus.db"))

        monkeypatch.setattr(EmbeddedConsumer, "__anext__", refused)

        with pytest.raises(ExceptionGroup):
            await Service(bench.gateway, bus, bench.seal_key, ["intake"]).run()

        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def test_a_router_that_cannot_publish_tries_again(
        self, bench: Any, bus: Any, serve: Any, content: Any, until: Any
    ) -> None:
        await bench.push("order", content("order"))
        around = Around(bus, *(BusDownError(fault("bus-unreachable", address="x")) for _ in range(2)))

        async with serve(["route"], around):
            await until(lambda: bench.rows("SELECT id FROM results WHERE position IS NOT NULL"))


class TestStore:
    async def test_a_store_out_of_reach_is_waited_for_and_no_delivery_is_given_back(
        self, bench: Any, bus: Any, serve: Any, push: Any, content: Any, depth_is: Any, drained: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        real, outages = bench.database.transaction, [3]

        @asynccontextmanager
        async def shaky() -> AsyncIterator[Any]:
            if outages[0]:
                outages[0] -= 1
                raise OperationalError("connect", {}, Sqlite("unable to open database file"))
            async with real() as transaction:
                yield transaction

        monkeypatch.setattr(bench.database, "transaction", shaky)
        for number in (1, 2):
            await push("order", content("order", number), app_id="youxuan-erp")

        async with serve(["intake"]):
            await depth_is(f"{ANSWERS}.youxuan", 2)

        outcomes = [json.loads(each.body)["documents"][0]["outcome"] for each in await drained(f"{ANSWERS}.youxuan")]
        assert outcomes == ["taken", "taken"]
        assert await bus.depth(DEAD) == 0

    @pytest.mark.parametrize("step", ["dispatch", "receive", "tend"])
    async def test_a_step_outlives_whatever_one_round_meets(
        self, bench: Any, serve: Any, step: Any, until: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await bench.match()
        name = {"dispatch": "Dispatch", "receive": "Receive", "tend": "Tend"}[step]
        real, troubles = getattr(serving, name).run, [ZeroDivisionError(), KeyError("x")]
        done: list[int] = []

        async def shaky(self: Any) -> int:
            if troubles:
                raise troubles.pop()
            done.append(await real(self))
            return done[-1]

        monkeypatch.setattr(getattr(serving, name), "run", shaky)

        async def worked() -> bool:
            return bool(done)

        async with serve([step]):
            await until(worked)

        failures = bench.gateway.metrics.registry.get_sample_value("tongguan_failures_total", {"step": step})
        assert failures == 2


class TestStopping:
    async def test_what_is_in_hand_is_finished_and_acknowledged(
        self, bench: Any, bus: Any, serve: Any, push: Any, content: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real, at_work, go_on = serving.Intake.take, asyncio.Event(), asyncio.Event()

        async def slow(intake: Any, pushed: Sequence[Any]) -> Any:
            at_work.set()
            await go_on.wait()
            return await real(intake, pushed)

        monkeypatch.setattr(serving.Intake, "take", slow)
        await push("order", content("order"), app_id="youxuan-erp")

        async with serve(["intake"]) as service:
            await at_work.wait()
            service.stop()
            await asyncio.sleep(0.05)
            go_on.set()

        assert await bus.depth(f"{ANSWERS}.youxuan") == 1
        assert await bus.depth(INTAKE) == 0

    async def test_nothing_new_is_begun(self, bench: Any, bus: Any, serve: Any, push: Any, content: Any) -> None:
        async with serve(["intake"]) as service:
            service.stop()
            await asyncio.sleep(0.05)
            await push("order", content("order"))

        assert await bus.depth(INTAKE) == 1
        assert await bench.rows("SELECT id FROM documents") == []

    async def test_a_step_that_keeps_failing_ends_at_once_too(
        self, serve: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def broken(_: Any) -> int:
            raise ZeroDivisionError

        monkeypatch.setattr(serving.Dispatch, "run", broken)

        async with serve(["dispatch"]) as service:
            await asyncio.sleep(1)
            service.stop()
            started = asyncio.get_running_loop().time()

        assert asyncio.get_running_loop().time() - started < 0.5

    async def test_a_store_out_of_reach_does_not_keep_it(
        self, bench: Any, bus: Any, serve: Any, push: Any, content: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def down() -> Any:
            raise OperationalError("connect", {}, Sqlite("unable to open database file"))

        await push("order", content("order"))
        monkeypatch.setattr(bench.database, "transaction", down)

        async with serve(["intake"]) as service:
            await asyncio.sleep(0.3)
            service.stop()

        assert await bus.depth(INTAKE) == 1

    async def test_the_last_seal_is_made_on_the_way_out(self, bench: Any, serve: Any) -> None:
        await bench.match()

        async with serve(["tend"]):
            pass

        assert len(list(bench.seal_key.written())) == 1


class TestReady:
    async def test_intake_is_ready_while_it_consumes(self, serve: Any) -> None:
        async with serve(["intake"]) as service:
            ready = service.is_ready

        assert (ready, service.is_ready) == (True, False)

    async def test_a_process_without_intake_is_ready_without_consuming(self, bench: Any, bus: Any) -> None:
        assert Service(bench.gateway, bus, bench.seal_key, ["dispatch"]).is_ready
        assert not Service(bench.gateway, bus, bench.seal_key).is_ready
