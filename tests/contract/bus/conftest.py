"""The buses that the contract is held against, and what its tests have in common."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tongguan.queue.bus import Bus, Consumer, Delivery, Message
from tongguan.queue.embedded import EmbeddedBus
from tongguan.queue.rabbitmq import RabbitBus
from tongguan.queue.topology import Topology

KEY = b"dG9uZ2d1YW4tdGVzdHMtb25seS1ub3QtYS1zZWNyZXQ="
PATIENCE_S = 15


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Ground:
    """One kind of bus: opens as many of them as a test needs, all with the same queues, and closes them."""

    def __init__(self, kind: str, where: str, stack: AsyncExitStack) -> None:
        self.kind, self.where = kind, where
        self._stack = stack
        self._only: Bus | None = None

    async def open(self, topology: Topology | None = None) -> Bus:
        """A bus with these things declared; in memory always the same one."""
        bus = self._only or await self._stack.enter_async_context(self._new())
        self._only = bus if self.kind == "memory" else None
        await bus.declare(topology or Topology())
        return bus

    def mortal(self, task: str, queue: str) -> list[str]:
        """The command of a process to be killed, which holds deliveries of a queue or publishes to it."""
        program = str(Path(__file__).with_name("mortal.py"))
        return [sys.executable, program, task, self.kind, self.where, KEY.decode(), queue]

    def _new(self) -> Bus:
        if self.kind == "rabbitmq":
            return RabbitBus(self.where)
        seal = Fernet(KEY)
        return EmbeddedBus(
            self.where, seal=seal.encrypt, unseal=seal.decrypt, now_ms=lambda: time.time_ns() // 1_000_000, user="guest"
        )


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    """Closes what a test opened."""
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def ground_of(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Ground]:
    """Make the ground of one kind: ``memory``, ``file`` or ``rabbitmq``."""

    def make(kind: str) -> Ground:
        where = ":memory:" if kind == "memory" else str(tmp_path / "bus.db")
        if kind == "rabbitmq":
            where = request.getfixturevalue("amqp_url")
        # asked for after the virtual host, so that the connections are closed before it is removed
        return Ground(kind, where, request.getfixturevalue("stack"))

    return make


@pytest.fixture(params=["memory", "file", pytest.param("rabbitmq", marks=pytest.mark.services)])
def ground(request: pytest.FixtureRequest, ground_of: Callable[[str], Ground]) -> Ground:
    """Each kind of bus in turn."""
    return ground_of(request.param)


@pytest.fixture
def message() -> Callable[..., Message]:
    """Make a message; a number is enough."""

    def make(number: int = 0, exchange: str = "", routing_key: str = "work", **values: Any) -> Message:
        values = {"body": b"%d" % number, "content_type": "application/json", "message_id": f"m{number}"} | values
        return Message(exchange=exchange, routing_key=routing_key, **values)

    return make


@pytest.fixture
def consume(message: Callable[..., Message]) -> Callable[..., Awaitable[Consumer]]:
    """Begin to consume with settings that do not matter to the test.

    ``warm`` settles a first delivery where a bus waits for that before it fetches as many as it may.
    """

    async def consume(bus: Bus, queue: str = "work", *, warm: bool = False, **settings: int) -> Consumer:
        settings = {"prefetch": 100, "batch": 100, "batch_bytes": 1_000_000, "linger_ms": 0} | settings
        consumer = await bus.consume(queue, **settings)
        if warm and isinstance(bus, RabbitBus):
            await bus.publish([message(routing_key=queue, message_id="warm")])
            await consumer.ack(await anext(consumer))
        return consumer

    return consume


@pytest.fixture
def take() -> Callable[..., Awaitable[list[Delivery]]]:
    """Take so many deliveries, however many lists they come in; with ``settle``, each list is settled at once."""

    async def take(
        consumer: Consumer, count: int, settle: Callable[[list[Delivery]], Awaitable[None]] | None = None
    ) -> list[Delivery]:
        taken: list[Delivery] = []
        async with asyncio.timeout(PATIENCE_S):
            while len(taken) < count:
                some = await anext(consumer)
                taken += some
                if settle is not None:
                    await settle(some)
        return taken

    return take


@pytest.fixture
def nothing() -> Callable[[Consumer], Awaitable[bool]]:
    """Whether nothing more comes for a while."""

    async def nothing(consumer: Consumer) -> bool:
        waiting = asyncio.ensure_future(anext(consumer))
        done, _ = await asyncio.wait([waiting], timeout=0.3)
        waiting.cancel()
        return not done

    return nothing


@pytest.fixture
def depth() -> Callable[[Bus, str, int], Awaitable[bool]]:
    """Whether a queue soon has so many deliveries waiting; a broker counts a moment later than it confirms."""

    async def reaches(bus: Bus, queue: str, count: int) -> bool:
        for _ in range(100):
            if await bus.depth(queue) == count:
                return True
            await asyncio.sleep(0.05)
        return False

    return reaches
