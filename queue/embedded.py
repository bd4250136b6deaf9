"""The embedded bus: one SQLite file, shared by the processes of one machine; nothing else has to run.

It keeps the promises of ``bus``. A publish returns after its commit is on the disk; what a process holds comes back as
soon as the process is gone, ``kill -9`` included. Consumers of the same bus object are woken by an event; deliveries
that other processes publish are found by looking a few times a second.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self, cast

from .bus import Delivery, Message, UnconfirmedError, may_hold_more
from .queuefile import QueueFile
from .topology import Topology

POLL_S = 0.25
"""How often an idle consumer looks for what other processes published."""


class EmbeddedBus:
    """A bus in the file at ``path``, or in memory (``":memory:"``), where it lives as long as this object.

    ``seal`` and ``unseal`` encrypt what is stored. ``now_ms`` tells the time in milliseconds UTC. ``user`` is the
    account that messages are published as; the permissions of the file stand in for the passwords of a broker.
    In memory there is neither a file to look at nor a timer, so a simulation that feeds it the same gets the same.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        seal: Callable[[bytes], bytes],
        unseal: Callable[[bytes], bytes],
        now_ms: Callable[[], int],
        user: str | None = None,
    ) -> None:
        self._file = QueueFile(path, seal=seal, unseal=unseal, now_ms=now_ms, user=user)
        # in the order they came, so that they are woken in it
        self._consumers: dict[EmbeddedConsumer, None] = {}

    async def open(self) -> None:
        """Open the file, making it if it is not there."""
        self._file.open()

    async def close(self) -> None:
        """Close the consumers, which give back what they hold, and the file."""
        try:
            for consumer in tuple(self._consumers):
                await consumer.close()
        finally:
            self._file.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def declare(self, topology: Topology) -> None:
        """Make what is not there yet; a queue that is there takes over the new limits."""
        self._file.declare(topology)

    async def verify(self, topology: Topology) -> None:
        """Check that the exchanges and queues are there."""
        exchanges, queues = topology.exchanges, topology.queues
        self._file.require(exchanges=[each.name for each in exchanges], queues=[each.name for each in queues])

    async def publish(self, messages: Sequence[Message]) -> None:
        """Store messages in order; returns when they are on the disk, else raises UnconfirmedError."""
        failures, reached = self._file.store(messages)
        self.wake(reached)
        if failures:
            raise UnconfirmedError(failures, len(messages))

    async def consume(
        self, queue: str, *, prefetch: int, batch: int, batch_bytes: int, linger_ms: int
    ) -> "EmbeddedConsumer":
        """Begin to take deliveries from a queue."""
        self._file.require(queues=[queue])
        consumer = EmbeddedConsumer(
            self, self._file, queue, prefetch=prefetch, batch=batch, batch_bytes=batch_bytes, linger_s=linger_ms / 1000
        )
        self._consumers[consumer] = None
        return consumer

    @asynccontextmanager
    async def hold(self, queue: str, count: int) -> "AsyncIterator[EmbeddedHeld]":
        """Hold the oldest deliveries of a queue."""
        self._file.require(queues=[queue])
        held = EmbeddedHeld(self._file)
        try:
            # one by one, because what came back twice is handed out alone
            while may_hold_more(held.deliveries, count) and (taken := self._file.take(queue, 1, sys.maxsize)):
                held.deliveries += taken
            yield held
        finally:
            self.wake(held.give_back())

    async def depth(self, queue: str) -> int:
        """How many deliveries wait in a queue."""
        return self._file.waiting(queue)

    def wake(self, queues: Iterable[str]) -> None:
        """Make the consumers of these queues look again."""
        names = set(queues)
        for consumer in self._consumers:
            if consumer.queue in names:
                consumer.wake()

    def forget(self, consumer: "EmbeddedConsumer") -> None:
        """Leave out a consumer that is closed."""
        self._consumers.pop(consumer, None)


class EmbeddedHeld:
    """Deliveries that this process holds for a person."""

    def __init__(self, file: QueueFile) -> None:
        self._file = file
        self.deliveries: list[Delivery] = []
        self._settled: set[object] = set()

    async def ack(self, deliveries: Iterable[Delivery]) -> None:
        """They are dealt with."""
        tokens = [cast("int", each.token) for each in deliveries]
        self._file.ack(tokens)
        self._settled.update(tokens)

    def give_back(self) -> set[str]:
        """Give back what was not dealt with; the queues to look at again."""
        return self._file.release(cast("int", e.token) for e in self.deliveries if e.token not in self._settled)


class EmbeddedConsumer:
    """Takes deliveries from one queue of an embedded bus. It fetches only what it hands out."""

    def __init__(
        self,
        bus: EmbeddedBus,
        file: QueueFile,
        queue: str,
        *,
        prefetch: int,
        batch: int,
        batch_bytes: int,
        linger_s: float,
    ) -> None:
        self.queue = queue
        self._bus, self._file = bus, file
        self._prefetch, self._batch, self._batch_bytes = prefetch, batch, batch_bytes
        self._linger_s = linger_s
        self._held: set[int] = set()
        self._news = asyncio.Event()
        self._closed = False

    @property
    def is_consuming(self) -> bool:
        """Whether it is open."""
        return not self._closed

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Delivery]:
        """The next list of deliveries, as soon as there is one."""
        while not self._closed:
            self._news.clear()
            self._bus.wake(self._file.reclaim())
            room = min(self._batch, self._prefetch - len(self._held))
            if self._file.waiting(self.queue, room):
                await self._linger(room)
                if taken := self._take(room):
                    return taken
            else:
                await self._wait(None if self._file.in_memory else POLL_S)
        raise StopAsyncIteration

    async def ack(self, deliveries: Iterable[Delivery]) -> None:
        """They are dealt with."""
        ids = self._mine(deliveries)
        self._file.ack(ids)
        self._let_go(ids)

    async def release(self, deliveries: Iterable[Delivery]) -> None:
        """Give them back to be tried again."""
        ids = self._mine(deliveries)
        self._bus.wake(self._file.release(ids))
        self._let_go(ids)

    async def reject(self, deliveries: Iterable[Delivery]) -> None:
        """Send them to the dead letters."""
        ids = self._mine(deliveries)
        self._bus.wake(self._file.reject(ids))
        self._let_go(ids)

    async def close(self) -> None:
        """Stop, giving back what is held."""
        if not self._closed:
            self._closed = True
            self._bus.forget(self)
            self._bus.wake(self._file.release(self._held))
            self._held.clear()
            self.wake()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def wake(self) -> None:
        """Look again."""
        self._news.set()

    def _take(self, room: int) -> list[Delivery]:
        if self._closed:
            return []
        taken = self._file.take(self.queue, room, self._batch_bytes)
        self._held.update(cast("int", delivery.token) for delivery in taken)
        return taken

    def _mine(self, deliveries: Iterable[Delivery]) -> list[int]:
        return [token for token in (cast("int", each.token) for each in deliveries) if token in self._held]

    def _let_go(self, ids: Iterable[int]) -> None:
        self._held.difference_update(ids)
        self.wake()  # there is room for more

    async def _linger(self, room: int) -> None:
        """Wait until ``room`` deliveries are there, but not longer than set; nothing is held meanwhile."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._linger_s
        while not self._closed and (left := until - loop.time()) > 0 and self._file.waiting(self.queue, room) < room:
            self._news.clear()
            await self._wait(left)

    async def _wait(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            pass
