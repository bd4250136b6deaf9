"""The consumer of the RabbitMQ bus: attached to its queue as long as it is open, over one channel after another.

Every attachment starts with a prefetch of one and widens as soon as a first delivery that is not suspect was dealt
with. A delivery that kills its consumer, or that the AMQP library cannot even decode, uses up its own redeliveries
that way and not those of all that would have been fetched with it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Self, cast

import structlog
from aio_pika.abc import AbstractChannel

from .bus import ALONE_FROM, BusError, Death, Delivery, cut
from .link import ANSWER_S, CLOSE_S, LOST, Link, lost_is_fine, refused_by_name

if TYPE_CHECKING:
    from aiormq.abc import DeliveredMessage

RETRY_S = (0.1, 0.5, 1, 2, 5)
"""How long to wait before attaching again; the last is kept."""

BROKER_HEADERS = ("x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count")
"""How the headers begin that RabbitMQ adds."""

log = structlog.get_logger(__name__)


class RabbitConsumer:
    """Takes deliveries from one queue of a RabbitMQ broker."""

    def __init__(self, link: Link, queue: str, *, prefetch: int, batch: int, batch_bytes: int, linger_s: float) -> None:
        self._link, self._queue = link, queue
        self._prefetch, self._batch, self._batch_bytes = prefetch, min(batch, prefetch), batch_bytes
        self._linger_s = linger_s
        self._attachment: _Attachment | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._news, self._full = asyncio.Event(), asyncio.Event()
        self._closed = False

    async def start(self) -> None:
        """Attach; raises BusDownError or BusRefusedError if that does not work the first time."""
        self._attachment = await self._attach()
        self._keeper = asyncio.create_task(self._keep_attached())
        self._keeper.add_done_callback(lambda _: self._news.set())

    @property
    def is_consuming(self) -> bool:
        """Whether it is attached to its queue now."""
        return self._attachment is not None and not self._attachment.lost

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Delivery]:
        """The next list of deliveries, as soon as there is one."""
        while not self._closed:
            self._news.clear()
            if self._keeper is not None and self._keeper.done():
                await self._keeper  # it never ends by itself: this raises what went wrong
            if not self._waiting():
                await self._news.wait()
                continue
            await self._linger()
            if taken := self._take():
                return taken
        raise StopAsyncIteration

    async def ack(self, deliveries: Iterable[Delivery]) -> None:
        """They are dealt with."""
        for attachment, tags in self._by_attachment(deliveries):
            await attachment.ack(tags)

    async def release(self, deliveries: Iterable[Delivery]) -> None:
        """Give them back to be tried again."""
        for attachment, tags in self._by_attachment(deliveries):
            await attachment.reject(tags, requeue=True)

    async def reject(self, deliveries: Iterable[Delivery]) -> None:
        """Send them to the dead letters."""
        for attachment, tags in self._by_attachment(deliveries):
            await attachment.reject(tags, requeue=False)

    async def close(self) -> None:
        """Detach; the broker takes back what was not settled."""
        self._closed = True
        self._news.set()
        self._full.set()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
            self._keeper = None
        if self._attachment is not None:
            await self._attachment.close()
            self._attachment = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _waiting(self) -> deque[Delivery]:
        return self._attachment.waiting if self._attachment is not None else deque()

    def _look(self) -> None:
        """Something arrived, or nothing more will."""
        self._news.set()
        if self._is_full():
            self._full.set()

    def _is_full(self) -> bool:
        """Whether lingering would not make the next list longer."""
        at = self._attachment
        if at is None or not at.waiting or at.is_exhausted() or at.waiting[0].redeliveries >= ALONE_FROM:
            return True
        return len(at.waiting) >= self._batch or at.waiting_bytes >= self._batch_bytes

    async def _linger(self) -> None:
        self._full.clear()
        if not self._is_full():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._linger_s):
                    await self._full.wait()

    def _take(self) -> list[Delivery]:
        waiting = self._waiting()
        sizes = ((len(delivery.body), delivery.redeliveries) for delivery in waiting)
        taken = [waiting.popleft() for _ in range(cut(sizes, self._batch, self._batch_bytes))]
        if self._attachment is not None:
            self._attachment.waiting_bytes -= sum(len(delivery.body) for delivery in taken)
        return taken

    @staticmethod
    def _by_attachment(deliveries: Iterable[Delivery]) -> list[tuple[_Attachment, list[int]]]:
        """Delivery tags by the attachment they came over; those of lost attachments are nobody's any more."""
        tags: dict[_Attachment, list[int]] = {}
        for delivery in deliveries:
            attachment, tag = cast("tuple[_Attachment, int]", delivery.token)
            if tag in attachment.unsettled:
                tags.setdefault(attachment, []).append(tag)
        return list(tags.items())

    async def _attach(self) -> _Attachment:
        attachment = _Attachment(await self._link.channel(), self._queue, self._prefetch, self._look)
        try:
            await attachment.open(self._link.address)
        except BaseException:
            await attachment.close()
            raise
        return attachment

    async def _keep_attached(self) -> None:
        failed = 0
        while not self._closed:
            if self._attachment is not None:
                await self._attachment.gone.wait()
                log.warning("bus_consumer_lost", queue=self._queue)
                await self._attachment.close()
                self._attachment, failed = None, 0
            await asyncio.sleep(RETRY_S[min(failed, len(RETRY_S) - 1)])
            try:
                self._attachment = await self._attach()
                self._look()
                log.info("bus_consumer_attached", queue=self._queue)
            except BusError as error:
                failed += 1
                log.warning("bus_consumer_not_attached", queue=self._queue, reason=error.fault.code)


class _Attachment:
    """One channel of a consumer: what came over it and waits to be handed out, and what is not settled yet."""

    def __init__(self, channel: AbstractChannel, queue: str, prefetch: int, look: Callable[[], None]) -> None:
        self._channel, self._queue, self._prefetch = channel, queue, prefetch
        self._look = look
        self._width = 1
        self._widening: asyncio.Task[None] | None = None
        self._arrived = 0  # the latest delivery tag; a channel counts them from one
        self._widened, self.gone = asyncio.Event(), asyncio.Event()
        self.waiting: deque[Delivery] = deque()
        self.waiting_bytes = 0
        self.unsettled: dict[int, int] = {}
        """Redeliveries by delivery tag, in order of arrival."""

    async def open(self, address: str) -> None:
        """Begin to consume. Raises BusRefusedError if the queue is not there or not for us."""
        async with refused_by_name("queue", self._queue, address):
            self._underlay = await self._channel.get_underlay_channel()
            self._channel.close_callbacks.add(self._lose)
            self._underlay.on_consumer_cancel_callbacks.add(self._lose)  # the queue was deleted or moved
            self._tag = await self._consume(1)

    @property
    def lost(self) -> bool:
        """Whether nothing comes over it any more."""
        return self.gone.is_set()

    def is_exhausted(self) -> bool:
        """Whether nothing more comes before something is settled."""
        return len(self.unsettled) >= self._width

    async def ack(self, tags: Iterable[int]) -> None:
        """Acknowledge; those that arrived before all others go in one frame."""
        wanted = set(tags)
        with lost_is_fine():
            await self._widen(wanted)
            run = list(takewhile(wanted.__contains__, self.unsettled))
            if run:
                await self._underlay.basic_ack(run[-1], multiple=True, wait=False)
                self._settled(run)
            for tag in sorted(wanted.difference(run)):
                await self._underlay.basic_ack(tag, wait=False)
                self._settled([tag])

    async def reject(self, tags: Iterable[int], *, requeue: bool) -> None:
        """Reject one by one, not with ``basic.nack``: from RabbitMQ 4.3 on only this counts as a failed delivery."""
        wanted = list(tags)
        with lost_is_fine():
            await self._widen(wanted)
            for tag in wanted:
                await self._underlay.basic_reject(tag, requeue=requeue, wait=False)
                self._settled([tag])

    async def close(self) -> None:
        """Close the channel; the broker takes back what is not settled."""
        if self._widening is not None:
            self._widening.cancel()
        with lost_is_fine():
            async with asyncio.timeout(CLOSE_S):
                await self._channel.close()
        self._lose()

    async def _widen(self, tags: Iterable[int]) -> None:
        """Fetch as many as allowed from now on, if one of these deliveries shows that the consumer can be trusted.

        This is done before they are settled: until then the narrow consumer is given nothing, and so nothing gets
        lost between it and the wide one.
        """
        if self._width == self._prefetch or all(self.unsettled.get(tag, 0) >= ALONE_FROM for tag in tags):
            return
        if self._widening is None:
            self._widening = asyncio.create_task(self._replace_consumer())
        await self._widened.wait()

    async def _replace_consumer(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._underlay.basic_cancel(self._tag)
                self._tag = await self._consume(self._prefetch)
        except LOST:
            self._lose()  # without a consumer nothing would come any more
        self._widened.set()

    async def _consume(self, width: int) -> str:
        await self._underlay.basic_qos(prefetch_count=width)
        answer = await self._underlay.basic_consume(self._queue, self._arrive)
        self._width = width
        return answer.consumer_tag or ""

    async def _arrive(self, message: DeliveredMessage) -> None:
        tag = cast("int", message.delivery_tag)
        if tag != self._arrived + 1:
            # one was lost inside the library: nobody would ever settle it, or worse, an acknowledgement of a run would
            self._lose()
        if self.lost:
            return
        self._arrived = tag
        delivery = received(message, self)
        self.unsettled[tag] = delivery.redeliveries
        self.waiting.append(delivery)
        self.waiting_bytes += len(delivery.body)
        self._look()

    def _settled(self, tags: Iterable[int]) -> None:
        for tag in tags:
            self.unsettled.pop(tag, None)

    def _lose(self, *_: object) -> None:
        self.waiting.clear()
        self.unsettled.clear()
        self.gone.set()
        self._widened.set()
        self._look()


def received(message: DeliveredMessage, holder: object) -> Delivery:
    """What came over a channel; its token is ``holder`` and the delivery tag."""
    properties = message.header.properties
    headers = properties.headers or {}
    return Delivery(
        exchange=message.exchange or "",
        routing_key=message.routing_key or "",
        body=message.body,
        content_type=properties.content_type,
        message_id=properties.message_id,
        correlation_id=properties.correlation_id,
        reply_to=properties.reply_to,
        app_id=properties.app_id,
        user_id=properties.user_id,
        headers={name: value for name, value in headers.items() if not name.startswith(BROKER_HEADERS)},
        redeliveries=_redeliveries(headers) if message.redelivered else 0,
        death=_death(headers),
        token=(holder, message.delivery_tag),
    )


def _redeliveries(headers: Mapping[str, Any]) -> int:
    """The higher of the counts of failed (3.10 on) and of all deliveries (4.3 on); a classic queue has neither."""
    counts = (headers.get("x-delivery-count"), headers.get("x-acquired-count"))
    return max([1, *(count for count in counts if isinstance(count, int))])


def _death(headers: Mapping[str, Any]) -> Death | None:
    """The latest entry of ``x-death``. A sender can write that header too, so nothing in it is taken for granted."""
    match headers.get("x-death"):
        case [{"reason": str(reason), "queue": str(queue), "exchange": str(exchange), "time": datetime() as at}, *_]:
            return Death(reason=reason, queue=queue, exchange=exchange, at=round(at.timestamp() * 1000))
        case _:
            return None
