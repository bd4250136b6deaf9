"""The bus: how deliveries come and go, whatever carries them.

What every bus promises:

- ``publish`` returns when every message is stored where a crash cannot take it; otherwise it says which is not.
- A delivery taken from a queue belongs to its consumer until it is acknowledged, released or rejected, or until the
  consumer closes, loses its connection or dies; then it comes again: at least once, not exactly once.
- Deliveries of one queue come in the order they were published over one bus, to each consumer. Those given back come
  again before those that never left the queue; only what a consumer has fetched already can come before them. What is
  given back together keeps its order; what is given back later comes after what was given back before (a consumer
  that dies again and again may so turn the order round).
- A delivery given back more often than its queue allows is dead: it goes to the queue's dead letters, whole.
- From its second redelivery on, a delivery comes alone. A consumer that begins, or begins again after a loss, may be
  given a single delivery until that is settled. So a delivery that kills its consumers uses up its own redeliveries,
  not those of others.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, Self

from ..messages.faults import Fault, fault
from .topology import Topology

ALONE_FROM = 2
"""The redelivery from which on a delivery is handed out alone."""

PROPERTY_BYTES_MAX = 255
"""How long a routing key, a property or the name of a header may be (AMQP 0-9-1, short strings)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is published. Its body and headers may be personal data and do not appear in its ``repr``.

    ``mandatory`` asks for an error if the message reaches no queue. ``user_id`` is the account it is published as; a
    bus refuses any but its own.
    """

    exchange: str
    routing_key: str
    body: bytes = field(repr=False)
    content_type: str
    message_id: str
    correlation_id: str | None = None
    reply_to: str | None = None
    app_id: str | None = None
    user_id: str | None = None
    headers: Mapping[str, str | int] = field(default_factory=dict, repr=False)
    mandatory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """Why and where a delivery died.

    ``reason`` is one of RabbitMQ's words: ``delivery_limit``, ``rejected``, ``maxlen``, ``expired``. ``queue`` and
    ``exchange`` are those it was in; ``at`` is in milliseconds UTC.
    """

    reason: str
    queue: str
    exchange: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What is received. ``headers`` are the sender's own, without those a broker adds.

    ``user_id`` was verified by the bus, everything else is what the sender says. ``redeliveries`` counts how often it
    was handed out before. ``token`` is the bus's own handle.
    """

    exchange: str
    routing_key: str
    body: bytes = field(repr=False)
    content_type: str | None
    message_id: str | None
    correlation_id: str | None
    reply_to: str | None
    app_id: str | None
    user_id: str | None
    headers: Mapping[str, Any] = field(repr=False)
    redeliveries: int
    death: Death | None
    token: object = field(repr=False, compare=False)


class BusError(Exception):
    """Something is wrong with the bus. ``fault`` says what, in Chinese and English, and holds nothing of a message."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(f"{fault.code}: {fault.en}")


class BusDownError(BusError):
    """The bus cannot be reached now; trying again later is right."""


class BusRefusedError(BusError):
    """The bus says no; somebody has to change something first."""


class Failure(StrEnum):
    """Why a message is not known to be stored."""

    UNROUTABLE = "unroutable"
    """It was mandatory and reached no queue."""
    FULL = "full"
    """A queue it reached has no room and refuses more."""
    REFUSED = "refused"
    """Its exchange does not exist or may not be used, its ``user_id`` is not ours, or a property is too long."""
    UNKNOWN = "unknown"
    """The connection was lost, or no confirmation came: it may be stored or not."""


class UnconfirmedError(BusError):
    """Some messages of a ``publish`` are not stored, or not known to be.

    ``failures`` says why, by their position in the sequence; all others are stored.
    """

    def __init__(self, failures: Mapping[int, Failure], total: int) -> None:
        self.failures = dict(failures)
        reasons = ", ".join(sorted(set(self.failures.values())))
        super().__init__(fault("bus-unconfirmed", failed=len(self.failures), total=total, reasons=reasons))


class Consumer(Protocol):
    """Takes deliveries from one queue, a list at a time: ``async for deliveries in consumer``.

    The iteration outlives lost connections and ends when the consumer is closed. Deliveries that are no longer this
    consumer's, because they were settled before or the connection they came over is gone, are passed over by
    ``ack``, ``release`` and ``reject``: the bus hands those out again by itself. An acknowledgement that is lost on
    its way means one more redelivery.
    """

    @property
    def is_consuming(self) -> bool:
        """Whether deliveries can come in now."""
        ...

    def __aiter__(self) -> AsyncIterator[list[Delivery]]: ...

    async def __anext__(self) -> list[Delivery]: ...

    async def ack(self, deliveries: Iterable[Delivery]) -> None:
        """They are dealt with: the queue forgets them."""
        ...

    async def release(self, deliveries: Iterable[Delivery]) -> None:
        """Give them back to be tried again; this counts as a redelivery."""
        ...

    async def reject(self, deliveries: Iterable[Delivery]) -> None:
        """They cannot be dealt with: they go to the dead letters."""
        ...

    async def close(self) -> None:
        """Stop; what was not settled goes back to the queue."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...


HELD_BYTES_MAX = 64 * 1024 * 1024
"""How much a person may hold at a time; it stands in memory."""


class Held(Protocol):
    """Deliveries of a queue in the hands of a person: what is not acknowledged goes back where it was."""

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """The oldest first."""
        ...

    async def ack(self, deliveries: Iterable[Delivery]) -> None:
        """They are dealt with: the queue forgets them."""
        ...


class Bus(Protocol):
    """A message bus. Every method raises BusDownError or BusRefusedError where it cannot do its work."""

    async def open(self) -> None:
        """Make it ready; raises if the bus is not there."""
        ...

    async def close(self) -> None:
        """Close it and its consumers."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    async def declare(self, topology: Topology) -> None:
        """Make what is not there yet. An exchange or queue that is there in another form is refused by name.

        The embedded bus takes over new limits of a queue; RabbitMQ keeps the old ones and refuses.
        """
        ...

    async def verify(self, topology: Topology) -> None:
        """Check, without making anything, that the exchanges and queues are there."""
        ...

    async def publish(self, messages: Sequence[Message]) -> None:
        """Publish messages in order; returns when all are stored, else raises UnconfirmedError.

        It does not try again by itself.
        """
        ...

    async def consume(self, queue: str, *, prefetch: int, batch: int, batch_bytes: int, linger_ms: int) -> Consumer:
        """Begin to take deliveries, in lists of 1 to ``batch`` whose bodies have up to ``batch_bytes`` together.

        A single larger body comes alone. ``linger_ms`` is how long a list that is not full waits for more.
        ``prefetch`` bounds the deliveries that are in this process and not settled, and so ``batch`` too.
        """
        ...

    def hold(self, queue: str, count: int) -> AbstractAsyncContextManager[Held]:
        """Hold the oldest deliveries waiting in a queue while the context lasts.

        There are ``count`` at most, and no further one when those held have HELD_BYTES_MAX together. It is for queues
        without a delivery limit, such as the dead letters: going back counts as a redelivery.
        """
        ...

    async def depth(self, queue: str) -> int:
        """How many deliveries wait in a queue, those in consumers' hands not counted."""
        ...


def fits_amqp(message: Message) -> bool:
    """Whether every property of a message fits its 255 bytes of AMQP; one that does not is refused by every bus."""
    texts = (message.exchange, message.routing_key, message.content_type, message.message_id, message.correlation_id)
    texts = (*texts, message.reply_to, message.app_id, message.user_id, *message.headers)
    return all(len(text.encode()) <= PROPERTY_BYTES_MAX for text in texts if text is not None)


def may_hold_more(held: Iterable[Delivery], count: int) -> bool:
    """Whether a person who holds these deliveries may be given one more."""
    sizes = [len(each.body) for each in held]
    return len(sizes) < count and sum(sizes) < HELD_BYTES_MAX


def cut(waiting: Iterable[tuple[int, int]], batch: int, batch_bytes: int) -> int:
    """How many of the waiting deliveries, given as (body bytes, redeliveries), make the next list."""
    count = total = 0
    for size, redeliveries in waiting:
        total += size
        alone = redeliveries >= ALONE_FROM
        if count and (alone or count == batch or total > batch_bytes):
            break
        count += 1
        if alone:
            break
    return count
