"""What one mortal process has around it: store, bus, drop folders and the file of seals, with a fate at every touch."""

import errno
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy.exc import InternalError, OperationalError

from simulated.fates import Process
from tongguan.adapters.folder import FolderTransport
from tongguan.adapters.transport import Incoming, NotSent, Unavailable, Uncertain
from tongguan.config.eports import EPort
from tongguan.gateway.sealkey import SealKey
from tongguan.gateway.store.database import Row, Statement, Transaction
from tongguan.gateway.store.sqlite import SqliteDatabase
from tongguan.gateway.store.tending import Seal
from tongguan.messages.faults import fault
from tongguan.queue.bus import BusDownError, Consumer, Delivery, Failure, Message, UnconfirmedError
from tongguan.queue.embedded import EmbeddedBus
from tongguan.queue.topology import Topology


def _outage() -> OperationalError:
    return OperationalError("", {}, sqlite3.OperationalError("disk I/O error"))


def _trouble() -> InternalError:
    return InternalError("", {}, sqlite3.InternalError("trouble"))


def _lost_race() -> OperationalError:
    return OperationalError("", {}, sqlite3.OperationalError("database is locked"))


def _bus_down() -> BusDownError:
    return BusDownError(fault("bus-closed"))


def _not_sent() -> NotSent:
    return NotSent(fault("transport-full", folder="outbox"))


def _in_doubt() -> Uncertain:
    return Uncertain(fault("transport-uncertain", folder="outbox", reason="EIO"))


def _unavailable() -> Unavailable:
    return Unavailable(fault("transport-denied", folder="inbox"))


def _disk() -> OSError:
    return OSError(errno.EIO, "trouble")


class Store:
    """The database: may fail before a transaction, within it, and after its commit, when nobody hears of it."""

    def __init__(self, process: Process, database: SqliteDatabase) -> None:
        self._process = process
        self._database = database
        self.observe: Callable[[Statement], None] | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        await self._process.cross("begin", _outage, _lost_race)
        async with self._database.transaction() as transaction:
            yield _Statements(self._process, transaction)
            await self._process.cross("commit", _outage, _lost_race, _trouble)
        await self._process.cross("committed", _outage)

    async def close(self) -> None:
        """What a process leaves open the kernel closes."""


class _Statements:
    def __init__(self, process: Process, transaction: Transaction) -> None:
        self._process = process
        self._transaction = transaction

    async def run(self, statement: Statement, **parameters: Any) -> Sequence[Row]:
        self._process.touch("statement", _outage, _trouble)
        return await self._transaction.run(statement, **parameters)


class Line:
    """The bus: a publish may be lost before the broker has it or unconfirmed after, an acknowledgement on its way."""

    def __init__(self, process: Process, bus: EmbeddedBus) -> None:
        self._process = process
        self._bus = bus

    async def declare(self, topology: Topology) -> None:
        await self._bus.declare(topology)

    async def publish(self, messages: Sequence[Message]) -> None:
        def unconfirmed() -> UnconfirmedError:
            return UnconfirmedError(dict.fromkeys(range(len(messages)), Failure.UNKNOWN), len(messages))

        await self._process.cross("publish", _bus_down, unconfirmed)
        await self._bus.publish(messages)
        await self._process.cross("published", _bus_down, unconfirmed)

    async def consume(self, queue: str, **limits: int) -> "_Consumer":
        await self._process.cross("consume", _bus_down)
        consumer = await self._bus.consume(queue, **limits)
        # a broker hands out again what a dead process held
        self._process.on_death.append(consumer.close)
        return _Consumer(self._process, consumer)


class _Lost(Exception):  # noqa: N818 - says what became of an acknowledgement
    """Never reaches the gateway."""


class _Consumer:
    def __init__(self, process: Process, consumer: Consumer) -> None:
        self._process = process
        self._consumer = consumer

    @property
    def is_consuming(self) -> bool:
        return self._consumer.is_consuming

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Delivery]:
        self._process.check()
        taken = await anext(self._consumer)
        await self._process.cross("taken")
        return taken

    async def ack(self, deliveries: Iterable[Delivery]) -> None:
        deliveries = list(deliveries)
        try:
            await self._process.cross("ack", _Lost)
        except _Lost:
            await self._consumer.release(deliveries)
            return
        await self._consumer.ack(deliveries)
        await self._process.cross("acked")

    async def release(self, deliveries: Iterable[Delivery]) -> None:
        await self._process.cross("release")
        await self._consumer.release(deliveries)

    async def close(self) -> None:
        self._process.check()
        await self._consumer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Folders(FolderTransport):
    """The drop folders of one e-port. ``stamp`` dates what is put into the outbox; ``posted`` is told of it."""

    def __init__(
        self, process: Process, eport: EPort, now_ms: Callable[[], int], stamp: Callable[[], int], posted: Any
    ) -> None:
        super().__init__(eport.transport, eport.limits, now_ms)
        self._process = process
        self._stamp = stamp
        self._posted = posted

    async def send(self, name: str, data: bytes) -> None:
        await self._process.cross("send", _not_sent, _in_doubt)
        await super().send(name, data)
        self._posted()
        await self._process.cross("sent", _in_doubt)

    def _hand_over(self, name: str, data: bytes) -> None:
        self._process.touch("kept")
        super()._hand_over(name, data)
        os.utime(self._outbox / name, ns=(0, self._stamp()))

    async def receive(self, limit: int) -> list[Incoming]:
        await self._process.cross("look", _unavailable)
        return await super().receive(limit)

    async def done(self, incoming: Incoming) -> None:
        await self._process.cross("done", _unavailable)
        await super().done(incoming)
        await self._process.cross("moved")


class Seals(SealKey):
    """The key that seals the ledger, and the file its seals go to."""

    def __init__(self, process: Process, secret: bytes, path: Path) -> None:
        super().__init__(secret, path)
        self._process = process

    def write(self, seal: Seal, signature: bytes) -> None:
        self._process.touch("seal", _disk)
        super().write(seal, signature)
        self._process.touch("sealed")
