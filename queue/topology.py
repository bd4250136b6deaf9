"""What stands on the bus: exchanges, queues and bindings, described once and made by either bus.

Senders publish to ``tongguan.documents``; everything lands in ``tongguan.intake``. Answers go out through
``tongguan.answers`` to one queue per party, results through ``tongguan.results`` to whoever binds a queue there.
What cannot be worked ends in ``tongguan.dead``, what reaches nobody in ``tongguan.unrouted``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

DOCUMENTS = "tongguan.documents"
INTAKE = "tongguan.intake"
ANSWERS = "tongguan.answers"
UNROUTED = "tongguan.unrouted"
RESULTS = "tongguan.results"
DEAD = "tongguan.dead"
DEFAULT_EXCHANGE = ""
"""The exchange that AMQP has from the start: a routing key is the name of a queue."""

DIRECT_REPLY = "amq.rabbitmq.reply-to."
"""How RabbitMQ begins the reply address of a requester that has no queue of its own."""

SERVER_NAMED = "amq.gen-"
"""How RabbitMQ begins the name of a queue that its owner left unnamed; nobody can guess the rest."""

Kind = Literal["direct", "topic", "fanout"]
Overflow = Literal["drop-head", "reject-publish"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """Where messages are published; those that fit no binding go on to the exchange ``alternate``, if it names one."""

    name: str
    kind: Kind
    alternate: str | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue, replicated where the bus can.

    ``length_max`` bounds the deliveries waiting; beyond it ``overflow`` says whether the oldest is dropped or the
    publisher refused. A delivery given back more than ``delivery_limit`` times (None: without limit) is dead; the
    dead, the rejected and the dropped go to ``dead_letter_exchange``, if it names one, else they are gone.
    """

    name: str
    length_max: int | None = None
    overflow: Overflow = "drop-head"
    delivery_limit: int | None = None
    dead_letter_exchange: str | None = None


@dataclass(frozen=True, slots=True)
class Binding:
    """Messages of an exchange whose routing key fits ``pattern`` reach a queue (see ``fits``)."""

    exchange: str
    pattern: str
    queue: str


@dataclass(frozen=True, slots=True)
class Topology:
    """A set of exchanges, queues and bindings; declaring it again changes nothing."""

    exchanges: tuple[Exchange, ...] = ()
    queues: tuple[Queue, ...] = ()
    bindings: tuple[Binding, ...] = ()


def topology(
    parties: Iterable[str],
    *,
    delivery_limit: int,
    intake_length_max: int,
    answers_length_max: int,
    dead_length_max: int,
) -> Topology:
    """Everything the gateway needs on a bus, with an answer queue for each party code.

    A full intake refuses its senders, so that nothing they hold a confirmation for is dropped. A full queue of dead
    deliveries makes RabbitMQ keep them in intake; the embedded bus, which only moves them in its file, takes them all
    the same. Answers can be had again by sending the document again, so a party that does
    not read them loses the oldest.
    """
    codes = sorted(set(parties))
    return Topology(
        exchanges=(
            Exchange(DEAD, "fanout"),
            Exchange(UNROUTED, "fanout"),
            Exchange(DOCUMENTS, "topic"),
            Exchange(ANSWERS, "direct", alternate=UNROUTED),
            Exchange(RESULTS, "topic"),
        ),
        queues=(
            Queue(DEAD, dead_length_max, "reject-publish"),
            Queue(UNROUTED, answers_length_max),
            Queue(INTAKE, intake_length_max, "reject-publish", delivery_limit, DEAD),
            *(Queue(answer_queue(code), answers_length_max) for code in codes),
        ),
        bindings=(
            Binding(DEAD, "", DEAD),
            Binding(UNROUTED, "", UNROUTED),
            Binding(DOCUMENTS, "#", INTAKE),
            *(Binding(ANSWERS, code, answer_queue(code)) for code in codes),
        ),
    )


def answer_queue(party: str) -> str:
    """The queue from which a party reads its answers."""
    return f"{ANSWERS}.{party}"


def answer_route(reply_to: str | None, party: str) -> tuple[str, str]:
    """Exchange and routing key for the answer to a delivery of ``party``: to ``reply_to`` if it may be used.

    A sender must not have our answers put into a queue of the gateway or of another party, so names that begin with
    ``tongguan.`` count only if they are the sender's own answer queue; nor into the broker's own ``amq.`` objects,
    direct replies and queues it named for their owner excepted.
    """
    if reply_to and (reply_to == answer_queue(party) or _is_foreign(reply_to)):
        return DEFAULT_EXCHANGE, reply_to
    return ANSWERS, party


def _is_foreign(queue: str) -> bool:
    return queue.startswith((DIRECT_REPLY, SERVER_NAMED)) or not queue.startswith(("tongguan.", "amq."))


def fits(kind: Kind, pattern: str, routing_key: str) -> bool:
    """Whether a binding lets a routing key through.

    Direct: both are equal. Fanout: always. Topic, word by word between the dots: ``*`` is one word, ``#`` any number
    of words, none included (AMQP 0-9-1, 3.1.3.3).
    """
    if kind == "fanout":
        return True
    if kind == "direct":
        return pattern == routing_key
    return _fits_words(_words(pattern), _words(routing_key))


def _words(text: str) -> list[str]:
    return text.split(".") if text else []


def _fits_words(pattern: list[str], words: list[str]) -> bool:
    reached = {0}  # how many words the pattern read so far may stand for
    for part in pattern:
        if part == "#":
            reached = set(range(min(reached), len(words) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if at < len(words) and part in ("*", words[at])}
    return len(words) in reached
