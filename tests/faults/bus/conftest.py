"""A line to the broker that can be cut, and what the tests of faults have in common."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from tongguan.queue.bus import Bus, BusError, Consumer, Delivery, Message

PATIENCE_S = 30


class Line:
    """A TCP proxy: ``cut`` breaks the connections that run through it, ``freeze`` lets nothing through any more."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._ends: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        self._server.close()
        self.thaw()
        self.cut()
        await asyncio.sleep(0.05)

    def cut(self) -> None:
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()

    def freeze(self) -> None:
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._ends |= {writer, far_writer}
        await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
        writer.transport.abort()


@pytest.fixture
async def line(rabbitmq: Any) -> AsyncIterator[Line]:
    """A line to the broker."""
    line = Line(rabbitmq.host, rabbitmq.port)
    await line.open()
    yield line
    await line.close()


@pytest.fixture
def line_url(rabbitmq: Any, vhost: str, line: Line) -> str:
    """The URL of an empty virtual host, by way of the line."""
    return rabbitmq.url(vhost, port=line.port)


@pytest.fixture
def mortal(rabbitmq: Any) -> Iterator[Any]:
    """The broker, which a test may kill; it runs again afterwards."""
    yield rabbitmq
    if not rabbitmq.answers():
        rabbitmq.start()


@pytest.fixture
def messages() -> Callable[[int, int], list[Message]]:
    """Messages whose bodies are the numbers of a range."""

    def make(first: int, end: int) -> list[Message]:
        return [
            Message(exchange="", routing_key="work", body=b"%d" % n, content_type="text/plain", message_id=f"m{n}")
            for n in range(first, end)
        ]

    return make


@pytest.fixture
def collect() -> Callable[..., Awaitable[list[Delivery]]]:
    """Take and acknowledge deliveries until all the numbers have come; deliveries in the order they came."""

    async def collect(consumer: Consumer, numbers: range) -> list[Delivery]:
        taken: list[Delivery] = []
        async with asyncio.timeout(PATIENCE_S):
            while not {int(each.body) for each in taken} >= set(numbers):
                some = await anext(consumer)
                taken += some
                await consumer.ack(some)
        return taken

    return collect


@pytest.fixture
def publish_somehow() -> Callable[[Bus, list[Message]], Awaitable[int]]:
    """Publish, trying again as long as it takes; how often it failed."""

    async def publish_somehow(bus: Bus, messages: list[Message]) -> int:
        failed = 0
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    await bus.publish(messages)
                except BusError:
                    failed += 1
                    await asyncio.sleep(0.1)
                else:
                    return failed

    return publish_somehow


@pytest.fixture
def becomes() -> Callable[[Callable[[], bool]], Awaitable[bool]]:
    """Whether something is true before long."""

    async def becomes(condition: Callable[[], bool]) -> bool:
        for _ in range(PATIENCE_S * 20):
            if condition():
                return True
            await asyncio.sleep(0.05)
        return False

    return becomes
