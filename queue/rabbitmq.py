"""The bus on RabbitMQ, 3.10 to 4.x: quorum queues, publisher confirms, dead letters that are not lost on their way.

Publishing and consuming have a connection each, since a broker short of memory or disk stops reading from connections
that publish, and acknowledgements should still get through.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Self
from weakref import WeakSet

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractMessage, DeliveryMode
from aio_pika.exceptions import ChannelClosed, DeliveryError, PublishError

from .bus import BusDownError, Failure, Message, UnconfirmedError, fits_amqp, may_hold_more
from .link import CLOSE_S, LOST, Link, lost_is_fine, refused_by_name
from .rabbitconsumer import RabbitConsumer
from .rabbitheld import RabbitHeld
from .topology import DEFAULT_EXCHANGE, DIRECT_REPLY, Queue, Topology

CONFIRM_S = 30
"""How long a confirmation may take before the connection is given up; a broker without memory or disk gives none."""

WAVE_MESSAGES = 1000
WAVE_BYTES = 8 * 1024 * 1024
"""How much is on its way at a time, so that a large publish does not stand in memory twice."""

UNLIMITED = 1_000_000
"""The delivery limit of queues that have none: unless told, 4.0 and later drop a delivery after 20, and versions
before 4.0 do not know -1."""


class RabbitBus:
    """A bus on the broker and virtual host of ``url`` (``amqp://`` or ``amqps://``)."""

    def __init__(self, url: str) -> None:
        self._publishing = Link(url, "tongguan publish")
        self._consuming = Link(url, "tongguan consume")
        self._publisher: AbstractChannel | None = None
        self._turn = asyncio.Lock()
        self._consumers: WeakSet[RabbitConsumer] = WeakSet()

    async def open(self) -> None:
        """Connect; raises BusDownError or BusRefusedError."""
        async with self._turn:
            await self._publisher_channel()

    async def close(self) -> None:
        """Close consumers and connections."""
        for consumer in tuple(self._consumers):
            await consumer.close()
        self._publisher = None
        await self._consuming.close()
        await self._publishing.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def declare(self, topology: Topology) -> None:
        """Make what is not there yet; BusRefusedError names what is there in another form or may not be made."""
        async with self._administering() as channel:
            for exchange in topology.exchanges:
                arguments: dict[str, Any] = {"alternate-exchange": exchange.alternate} if exchange.alternate else {}
                async with self._named("exchange", exchange.name):
                    await channel.declare_exchange(exchange.name, exchange.kind, durable=True, arguments=arguments)
            for queue in topology.queues:
                async with self._named("queue", queue.name):
                    await channel.declare_queue(queue.name, durable=True, arguments=_arguments(queue))
            for binding in topology.bindings:
                async with self._named("queue", binding.queue):
                    queue = await channel.get_queue(binding.queue, ensure=False)
                    await queue.bind(binding.exchange, binding.pattern)

    async def verify(self, topology: Topology) -> None:
        """Check that the exchanges and queues are there; an account that may not make them is enough."""
        async with self._administering() as channel:
            for exchange in topology.exchanges:
                async with self._named("exchange", exchange.name):
                    await channel.get_exchange(exchange.name, ensure=True)
            for queue in topology.queues:
                async with self._named("queue", queue.name):
                    await channel.get_queue(queue.name, ensure=True)

    @contextlib.asynccontextmanager
    async def hold(self, queue: str, count: int) -> AsyncIterator[RabbitHeld]:
        """Hold the oldest deliveries of a queue; closing its channel gives back what was not acknowledged."""
        async with self._administering() as channel:
            held = RabbitHeld(await channel.get_underlay_channel(), queue, self._consuming.address)
            while may_hold_more(held.deliveries, count) and await held.fetch():
                pass
            yield held

    async def depth(self, queue: str) -> int:
        """How many deliveries wait in a queue."""
        async with self._administering() as channel, self._named("queue", queue):
            found = await channel.get_queue(queue, ensure=True)
            return found.declaration_result.message_count or 0

    async def consume(
        self, queue: str, *, prefetch: int, batch: int, batch_bytes: int, linger_ms: int
    ) -> RabbitConsumer:
        """Begin to take deliveries from a queue."""
        consumer = RabbitConsumer(
            self._consuming, queue, prefetch=prefetch, batch=batch, batch_bytes=batch_bytes, linger_s=linger_ms / 1000
        )
        await consumer.start()
        self._consumers.add(consumer)
        return consumer

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish messages in order and wait for all confirmations together; else raises UnconfirmedError.

        One call at a time: aiormq tells returned messages apart by ``message_id`` only, so none may be twice on its
        way.
        """
        failures: dict[int, Failure] = {}
        async with self._turn:
            await self._publisher_channel()
            for wave in _waves(messages):
                failures |= await self._publish_wave(wave)
        if failures:
            raise UnconfirmedError(failures, len(messages))

    async def _publish_wave(self, wave: Mapping[int, Message]) -> dict[int, Failure]:
        failures = await self._send(wave)
        if len(wave) == 1 or Failure.REFUSED not in failures.values():
            return failures
        # a refusal closes the channel and takes along all that is on its way: one by one shows which it was
        again: dict[int, Failure] = {}
        for index, failure in failures.items():
            settled = failure in (Failure.UNROUTABLE, Failure.FULL)
            again |= {index: failure} if settled else await self._send({index: wave[index]})
        return again

    async def _send(self, wave: Mapping[int, Message]) -> dict[int, Failure]:
        try:
            channel = await self._publisher_channel()
        except BusDownError:
            return dict.fromkeys(wave, Failure.UNKNOWN)
        tasks = {asyncio.create_task(_send_one(channel, message)): index for index, message in wave.items()}
        try:
            _, late = await asyncio.wait(tasks, timeout=CONFIRM_S)
            if late:
                await self._publishing.close()
        finally:
            for task in tasks:
                task.cancel()
        ended, _ = await asyncio.wait(tasks, timeout=CLOSE_S)
        known = {task for task in ended if not task.cancelled()}
        outcomes = {index: task.result() if task in known else Failure.UNKNOWN for task, index in tasks.items()}
        return {index: failure for index, failure in outcomes.items() if failure is not None}

    async def _publisher_channel(self) -> AbstractChannel:
        if self._publisher is None or self._publisher.is_closed:
            self._publisher = await self._publishing.channel(on_return_raises=True)
        return self._publisher

    @contextlib.asynccontextmanager
    async def _administering(self) -> AsyncIterator[AbstractChannel]:
        channel = await self._consuming.channel()
        try:
            yield channel
        finally:
            with lost_is_fine():
                async with asyncio.timeout(CLOSE_S):
                    await channel.close()

    def _named(self, kind: str, name: str) -> contextlib.AbstractAsyncContextManager[None]:
        return refused_by_name(kind, name, self._consuming.address)


async def _send_one(channel: AbstractChannel, message: Message) -> Failure | None:
    if not fits_amqp(message):
        return Failure.REFUSED
    # a direct reply reaches its requester and is returned as unroutable all the same, if it is mandatory
    direct = message.exchange == DEFAULT_EXCHANGE and message.routing_key.startswith(DIRECT_REPLY)
    try:
        exchange = await channel.get_exchange(message.exchange, ensure=False)
        await exchange.publish(_wire(message), message.routing_key, mandatory=message.mandatory and not direct)
    except PublishError:
        return Failure.UNROUTABLE
    except DeliveryError:
        return Failure.FULL
    except ChannelClosed:
        return Failure.REFUSED
    except LOST:
        return Failure.UNKNOWN
    return None


def _wire(message: Message) -> AbstractMessage:
    return aio_pika.Message(
        message.body,
        headers=dict(message.headers),
        content_type=message.content_type,
        delivery_mode=DeliveryMode.PERSISTENT,
        correlation_id=message.correlation_id,
        reply_to=message.reply_to,
        message_id=message.message_id,
        app_id=message.app_id,
        user_id=message.user_id,
    )


def _waves(messages: Sequence[Message]) -> Iterator[dict[int, Message]]:
    """Messages by position, in order, cut where a ``message_id`` comes again or too much would be on its way."""
    wave: dict[int, Message] = {}
    ids: set[str] = set()
    size = 0
    for index, message in enumerate(messages):
        full = len(wave) == WAVE_MESSAGES or size + len(message.body) > WAVE_BYTES
        if wave and (full or message.message_id in ids):
            yield wave
            wave, ids, size = {}, set(), 0
        wave[index] = message
        ids.add(message.message_id)
        size += len(message.body)
    if wave:
        yield wave


def _arguments(queue: Queue) -> dict[str, Any]:
    """The queue arguments of RabbitMQ.

    Dead letters are handed over with a confirmation (at-least-once, from 3.10 on), which RabbitMQ does only for
    queues that refuse publishers when full.
    """
    arguments: dict[str, Any] = {
        "x-queue-type": "quorum",
        "x-overflow": queue.overflow,
        "x-delivery-limit": UNLIMITED if queue.delivery_limit is None else queue.delivery_limit,
    }
    if queue.length_max is not None:
        arguments["x-max-length"] = queue.length_max
    if queue.dead_letter_exchange is not None:
        arguments["x-dead-letter-exchange"] = queue.dead_letter_exchange
        if queue.overflow == "reject-publish":
            arguments["x-dead-letter-strategy"] = "at-least-once"
    return arguments
