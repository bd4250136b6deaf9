"""Serving: the five steps at work in one process, woken when there is something to do, stopped cleanly."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Literal, Protocol, get_args
from uuid import uuid4

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from ..queue.bus import Bus, BusDownError, BusError, Consumer, Delivery, Failure, Message, UnconfirmedError
from ..queue.topology import INTAKE, answer_route, topology
from .composition import Gateway
from .sealkey import SealKey
from .steps.dispatch import Dispatch
from .steps.intake import Answered, Intake
from .steps.receive import Receive
from .steps.route import Route
from .steps.tend import Tend
from .submissions import Pushed

Step = Literal["intake", "dispatch", "receive", "route", "tend"]
STEPS: tuple[Step, ...] = get_args(Step)

PAUSE_SECONDS_MAX = 10.0
"""The longest a step that keeps failing waits before it tries again."""
_STORE_GONE = ("08", "53", "57P")
"""How PostgreSQL's error codes begin when it cannot serve: connection, resources, shutdown."""

_WAKES: dict[Step, tuple[Step, ...]] = {
    "intake": ("dispatch", "route"),
    "dispatch": ("route",),
    "receive": ("dispatch", "route"),
    "tend": ("dispatch", "route"),
}
"""Which steps may have something to do once one has done something."""

Round = Callable[[], Awaitable[int]]


class Settling(Protocol):
    """What a worked delivery is settled with: a consumer, or whatever else holds it."""

    async def ack(self, deliveries: Iterable[Delivery]) -> None:
        """They are dealt with."""
        ...

    async def release(self, deliveries: Iterable[Delivery]) -> None:
        """They could not be dealt with now."""
        ...


class Service:
    """Runs steps until told to stop. ``steps`` leaves some to other processes; any number of each may run."""

    def __init__(
        self, gateway: Gateway, bus: Bus, seal_key: SealKey, steps: Iterable[Step] = STEPS, owner: str | None = None
    ) -> None:
        self._gateway = gateway
        self._bus = bus
        self._seal_key = seal_key
        self._steps = tuple(steps)
        self._owner = owner or uuid4().hex
        self.intake = Intake(gateway)
        self._consumer: Consumer | None = None
        self._wake: dict[Step, asyncio.Event] = {step: asyncio.Event() for step in STEPS}
        self._stopping = asyncio.Event()
        self._in_hand = asyncio.Lock()

    @property
    def is_ready(self) -> bool:
        """Whether what this process was asked to run is running: intake also has to be consuming."""
        return "intake" not in self._steps or (self._consumer is not None and self._consumer.is_consuming)

    def stop(self) -> None:
        """Finish what is in hand and end."""
        self._stopping.set()
        for event in self._wake.values():
            event.set()

    async def run(self) -> None:
        """Declare the topology and run the steps until ``stop``; a step that fails is tried again, never dropped."""
        settings = self._gateway.settings
        await self.declare()
        tend = Tend(self._gateway, self._seal_key)
        rounds: dict[Step, tuple[Round, int]] = {
            "dispatch": (Dispatch(self._gateway).run, settings.dispatch_poll_ms),
            "receive": (Receive(self._gateway).run, settings.receive_poll_ms),
            "route": (Route(self._gateway, self._bus, self._owner).run, settings.route_poll_ms),
            "tend": (tend.run, settings.tend_poll_ms),
        }
        async with asyncio.TaskGroup() as group:
            for step in self._steps:
                work = self._consume() if step == "intake" else self._repeat(step, *rounds[step])
                group.create_task(work, name=step)
        if "tend" in self._steps:
            await tend.seal()

    async def declare(self) -> None:
        """Make what the gateway needs on the bus and is not there yet."""
        settings = self._gateway.settings
        await self._bus.declare(
            topology(
                self._gateway.directory.codes,
                delivery_limit=settings.delivery_limit,
                intake_length_max=settings.intake_queue_length_max,
                answers_length_max=settings.answer_queue_length_max,
                dead_length_max=settings.dead_queue_length_max,
            )
        )

    async def _repeat(self, step: Step, work: Round, poll_ms: int) -> None:
        """Run a step round by round: at once while there is work, else when woken or after its poll time."""
        failures = 0
        while not self._stopping.is_set():
            self._wake[step].clear()
            started = time.perf_counter()
            try:
                done = await work()
            except Exception as error:  # noqa: BLE001 - a step outlives whatever one round meets
                failures += 1
                await self._failed(step, error, failures)
                continue
            failures = 0
            if done:
                self._gateway.metrics.rounds.labels(step).observe(time.perf_counter() - started)
                self._nudge(step)
            else:
                await self._rest(step, poll_ms / 1000)

    def _nudge(self, step: Step) -> None:
        """Wake whoever may have something to do now."""
        for other in _WAKES.get(step, ()):
            self._wake[other].set()

    async def _rest(self, step: Step, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._wake[step].wait(), seconds)
        except TimeoutError:
            return

    async def _failed(self, step: Step, error: Exception, failures: int) -> None:
        # the text of a library's error may hold what was sent; its type and place do not
        self._gateway.metrics.failures.labels(step).inc()
        self._gateway.log.error("failed", step=step, error=type(error).__name__, at=_place(error), failures=failures)
        if not self._stopping.is_set():
            self._wake[step].clear()
        await self._rest(step, min(0.1 * 2**failures, PAUSE_SECONDS_MAX))

    async def _consume(self) -> None:
        settings = self._gateway.settings
        failures = 0
        while not self._stopping.is_set():
            try:
                consumer = await self._bus.consume(
                    INTAKE,
                    prefetch=settings.prefetch,
                    batch=settings.batch_deliveries,
                    batch_bytes=settings.batch_bytes,
                    linger_ms=settings.linger_ms,
                )
            except BusError as error:
                failures += 1
                await self._failed("intake", error, failures)
                continue
            failures = 0
            async with consumer:
                self._consumer = consumer
                closing = asyncio.create_task(self._close_on_stop(consumer))
                try:
                    async for deliveries in consumer:
                        async with self._in_hand:
                            await self.take(consumer, deliveries)
                finally:
                    closing.cancel()
        self._consumer = None

    async def _close_on_stop(self, consumer: Consumer) -> None:
        await self._stopping.wait()
        async with self._in_hand:
            await consumer.close()

    async def take(self, settling: Settling, deliveries: Sequence[Delivery]) -> None:
        """Work a list of deliveries together; if that fails, each on its own, so that one spoils no other."""
        started = time.perf_counter()
        answered = await self._answered(deliveries)
        if answered is None and len(deliveries) > 1:
            for delivery in deliveries:
                await self.take(settling, [delivery])
            return
        if answered is None:
            self._gateway.metrics.deliveries.labels("released").inc()
            await settling.release(deliveries)
            return
        if not await self._publish(answered, deliveries):
            # stored, but not answered: they come again and are answered as duplicates
            await settling.release(deliveries)
            return
        await settling.ack(deliveries)
        self._gateway.metrics.deliveries.labels("answered").inc(len(deliveries))
        self._gateway.metrics.rounds.labels("intake").observe(time.perf_counter() - started)
        self._nudge("intake")

    async def _answered(self, deliveries: Sequence[Delivery]) -> list[Answered] | None:
        """The answers, or None when the deliveries cannot be worked like this; a store out of reach is waited for."""
        pushed = [self._pushed(each) for each in deliveries]
        failures = 0
        while not self._stopping.is_set():
            try:
                return await self.intake.take(pushed)
            except Exception as error:  # noqa: BLE001 - whatever a delivery brings about, others must not suffer
                failures += 1
                await self._failed("intake", error, failures)
                if not _is_outage(error):
                    return None
        return None

    def _pushed(self, delivery: Delivery) -> Pushed:
        return Pushed(
            delivery.routing_key,
            delivery.content_type or "",
            delivery.body,
            self._gateway.directory.sender(delivery.user_id, delivery.app_id),
            delivery.correlation_id,
        )

    async def _publish(self, answers: Sequence[Answered], deliveries: Sequence[Delivery]) -> bool:
        """Publish answers, waiting for a bus that does not take them; False when they have to be given again."""
        messages = [self._message(*pair) for pair in zip(answers, deliveries, strict=True)]
        failures = 0
        while True:
            try:
                await self._bus.publish(messages)
            except UnconfirmedError as error:
                # a vanished or full reply queue is its owner's matter; the documents are stored
                self._gateway.log.warning("answers unconfirmed", reasons=sorted(set(error.failures.values())))
                return Failure.UNKNOWN not in error.failures.values()
            except BusError as error:
                failures += 1
                await self._failed("intake", error, failures)
                if isinstance(error, BusDownError) or self._stopping.is_set():
                    return False
                continue
            return True

    def _message(self, answered: Answered, delivery: Delivery) -> Message:
        exchange, routing_key = answer_route(delivery.reply_to, answered.party)
        return Message(
            exchange=exchange,
            routing_key=routing_key,
            body=answered.answer.as_json(),
            content_type="application/json",
            message_id=uuid4().hex,
            correlation_id=delivery.correlation_id,
        )


def _is_outage(error: Exception) -> bool:
    """Whether the store is out of reach, which is no delivery's fault."""
    if isinstance(error, OperationalError | InterfaceError | OSError):
        return True
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return isinstance(error, DBAPIError) and (error.connection_invalidated or state.startswith(_STORE_GONE))


def _place(error: BaseException) -> str:
    """File and line where an error was raised last in our own code."""
    trace, place = error.__traceback__, ""
    while trace:
        name = trace.tb_frame.f_globals.get("__name__", "")
        if name.startswith(__name__.partition(".")[0]):
            place = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
