"""One AMQP connection that is made when it is needed, and made again when it was lost.

aio-pika's plain connection is used and not its robust one: what has to happen after a loss (stale deliveries
forgotten, a careful start, readiness told truly) differs for publishers and consumers, and each does it by asking for
a new channel.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator

import aio_pika
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import (
    CONNECTION_EXCEPTIONS,
    ChannelClosed,
    InvalidFrameError,
    ProbableAuthenticationError,
)
from yarl import URL

from ..messages.faults import fault
from .bus import BusDownError, BusRefusedError

DEFAULT_PORTS = {"amqp": 5672, "amqps": 5671}

CONNECT_S = 10
"""How long connecting, logging in and opening a channel may take."""

CLOSE_S = 5
"""How long a goodbye may take; a broker that is gone does not answer one."""

HEARTBEAT_S = 20
"""How often both sides show that they are alive, unless the URL says ``heartbeat=`` otherwise."""

ANSWER_S = 30
"""How long the broker may take to make or find one object; a cluster may be electing a leader for a queue."""

LOST = (*CONNECTION_EXCEPTIONS, TimeoutError, asyncio.CancelledError)
"""What aio-pika raises when a connection or channel is gone: a wrong channel state (a RuntimeError) and, for what was
waiting, CancelledError are among it. Whoever catches it calls ``unless_cancelled``."""

_REFUSALS = {
    "ACCESS_REFUSED": "bus-forbidden",
    "NOT_FOUND": "bus-missing",
    "PRECONDITION_FAILED": "bus-differs",
    "RESOURCE_LOCKED": "bus-differs",
}


def unless_cancelled() -> None:
    """Raise CancelledError if this task is being cancelled.

    aiormq cancels what waits for a lost connection, and it raises the error of a lost connection in place of a
    cancellation of ours, if both happen at once: the exception alone does not tell.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@contextlib.contextmanager
def lost_is_fine() -> Iterator[None]:
    """Pass over a lost connection or channel: what was to be done over it is void."""
    try:
        yield
    except LOST:
        unless_cancelled()


for _library in ("aio_pika", "aiormq"):
    logging.getLogger(_library).setLevel(logging.INFO)  # at DEBUG they write whole frames, personal data included


class Link:
    """A connection to the broker at ``url``, shown there under ``name``."""

    def __init__(self, url: str, name: str) -> None:
        given = URL(url)
        if given.scheme not in DEFAULT_PORTS or not given.host:
            raise ValueError("the URL of a broker begins with amqp:// or amqps:// and names a host")
        self._url = given if "heartbeat" in given.query else given.update_query(heartbeat=HEARTBEAT_S)
        self._name = name
        self._connection: aio_pika.Connection | None = None
        self._connecting = asyncio.Lock()

    @property
    def address(self) -> str:
        """Host and port, without credentials: for people."""
        return f"{self._url.host}:{self._url.port or DEFAULT_PORTS[self._url.scheme]}"

    async def channel(self, *, on_return_raises: bool = False) -> AbstractChannel:
        """Open a channel, connecting first if need be. Raises BusDownError or BusRefusedError."""
        try:
            async with asyncio.timeout(CONNECT_S), self._connecting:
                if self._connection is None or not self._connection.connected.is_set():
                    await self.close()
                    self._connection = await self._connect()
                channel = self._connection.channel(on_return_raises=on_return_raises)
                await channel.initialize()
                return channel
        except LOST:
            unless_cancelled()
            raise BusDownError(fault("bus-unreachable", address=self.address)) from None

    async def close(self) -> None:
        """Close the connection and all channels on it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with lost_is_fine():
                async with asyncio.timeout(CLOSE_S):
                    await connection.close()

    async def _connect(self) -> aio_pika.Connection:
        connection = aio_pika.Connection(self._url, client_properties={"connection_name": self._name})
        try:
            await connection.connect()
        except BaseException as error:
            await connection.close()
            if isinstance(error, ProbableAuthenticationError):
                raise BusRefusedError(fault("bus-login", address=self.address)) from None
            if isinstance(error, InvalidFrameError) and "Connection.OpenOk" in str(error):
                # what aiormq makes of a broker that closes the connection instead of opening the virtual host
                vhost = self._url.path[1:] or "/"
                raise BusRefusedError(fault("bus-vhost", address=self.address, vhost=vhost)) from None
            raise
        return connection


@contextlib.asynccontextmanager
async def refused_by_name(kind: str, name: str, address: str) -> AsyncIterator[None]:
    """Work on one exchange or queue: if the broker says no, BusRefusedError names it; if it is gone, BusDownError."""
    try:
        async with asyncio.timeout(ANSWER_S):
            yield
    except LOST as error:
        unless_cancelled()
        if isinstance(error, ChannelClosed):
            word = str(error.args[-1] if error.args else "").partition(" ")[0]  # RabbitMQ begins with the AMQP name
            refusal = _REFUSALS.get(word, "bus-refused")
            raise BusRefusedError(fault(refusal, kind=kind, name=name, word=word)) from None
        raise BusDownError(fault("bus-unreachable", address=address)) from None
