"""The pusher: a process of its own that pushes a load, and writes down when it was answered and what was published.

``python pusher.py LOAD OUT RATE`` with the broker's URL in ``BENCH_AMQP_URL``. It says ``ready`` when what the triples
refer to is answered, pushes when it reads a line, tells how far it is in lines of JSON, and ends when every triple is
finished or nothing has moved for a while. RATE is triples a second, 0 for as fast as the broker takes them.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from load import KINDS, Parcel, read_load

DOCUMENTS, RESULTS = "tongguan.documents", "tongguan.results"
UNCONFIRMED_MAX = 256
"""Deliveries on their way to the broker at once."""
SILENCE_S = 30.0
"""So long nothing moves before a run is given up."""
TELL_S = 0.5


def _now_ms() -> float:
    return time.time() * 1000


@dataclass
class Journal:
    """Moments by order number, in milliseconds; ``released`` holds the ids of the results that said so."""

    wanted: int
    begun: float = 0.0
    cpu_begun: float = 0.0
    pushed: dict[str, float] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, float] = field(default_factory=dict)
    decided: dict[str, float] = field(default_factory=dict)
    finished: dict[str, float] = field(default_factory=dict)
    released: dict[str, set[str]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    moved: float = field(default_factory=time.monotonic)

    def answered(self, parcel: Parcel, answer: Any) -> None:
        """Note the answer to a delivery; a triple is accepted with the last of its three."""
        outcomes = {each["outcome"] for each in answer["documents"]} or {"none"}
        if parcel.orders and outcomes != {"taken"}:
            self.problems.append(f"{parcel.routing_key}: {', '.join(sorted(outcomes))}")
        now = _now_ms()
        for order in parcel.orders:
            self.answers[order] = self.answers.get(order, 0) + 1
            if self.answers[order] == len(KINDS):
                self.accepted[order] = now
        self.moved = time.monotonic()

    def published(self, results: Sequence[Any]) -> None:
        """Note what was published."""
        now = _now_ms()
        for each in results:
            order = each["case"]["orderNo"]
            if each["verdict"] == "matched":
                self.decided.setdefault(order, now)
            if each["kind"] == "status" and each["status"] == "released":
                self.finished.setdefault(order, now)
                self.released.setdefault(order, set()).add(each["id"])
            if each["status"] == "closed":
                self.closed.add(order)
        self.moved = time.monotonic()

    @property
    def is_done(self) -> bool:
        """Whether the last triple was released, and closed after it."""
        return len(self.closed) >= self.wanted

    def as_json(self) -> str:
        """What the bench reads."""
        released = {order: len(ids) for order, ids in self.released.items()}
        return json.dumps(
            {
                "begun": self.begun,
                "cpuSeconds": time.process_time() - self.cpu_begun,
                "pushed": self.pushed,
                "accepted": self.accepted,
                "decided": self.decided,
                "finished": self.finished,
                "released": released,
                "problems": self.problems[:10],
            }
        )


class Pusher:
    """One connection on which everything is pushed, answered and listened to."""

    def __init__(self, channel: AbstractChannel, journal: Journal) -> None:
        self._channel = channel
        self._journal = journal
        self._open: dict[str, Parcel] = {}
        self._places = asyncio.Semaphore(UNCONFIRMED_MAX)
        self._count = 0

    async def open(self, listening: AbstractChannel) -> None:
        """Listen for answers and results."""
        self._documents = await self._channel.get_exchange(DOCUMENTS)
        self._answers = await listening.declare_queue(exclusive=True)
        results = await listening.declare_queue(exclusive=True)
        await results.bind(RESULTS, "#")
        await self._answers.consume(self._answered, no_ack=True)
        await results.consume(self._published, no_ack=True)

    async def push(self, parcels: Sequence[Parcel], rate: float) -> None:
        """Push deliveries, at so many triples a second; returns when the broker has them all."""
        begun, triples = time.monotonic(), 0.0
        async with asyncio.TaskGroup() as group:
            for each in parcels:
                if rate and (ahead := begun + triples / rate - time.monotonic()) > 0:
                    await asyncio.sleep(ahead)
                triples += len(each.orders) / len(KINDS)
                await self._places.acquire()
                group.create_task(self._publish(each))

    async def settled(self, *, all_finished: bool) -> None:
        """Wait until everything is answered, and finished if asked for; or until nothing moves any more."""
        while self._open or (all_finished and not self._journal.is_done):
            if time.monotonic() - self._journal.moved > SILENCE_S:
                return
            await asyncio.sleep(0.02)

    async def _publish(self, parcel: Parcel) -> None:
        self._count += 1
        name = str(self._count)
        self._open[name] = parcel
        now = _now_ms()
        self._journal.pushed.update(dict.fromkeys(parcel.orders, now))
        message = aio_pika.Message(
            parcel.body.encode(),
            content_type="application/json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            correlation_id=name,
            reply_to=self._answers.name,
        )
        await self._documents.publish(message, parcel.routing_key)
        self._places.release()

    async def _answered(self, message: AbstractIncomingMessage) -> None:
        if parcel := self._open.pop(message.correlation_id or "", None):
            self._journal.answered(parcel, json.loads(message.body))

    async def _published(self, message: AbstractIncomingMessage) -> None:
        self._journal.published(json.loads(message.body))


async def _tell(journal: Journal) -> None:
    try:
        while True:
            _say({"accepted": len(journal.accepted), "finished": len(journal.finished)})
            await asyncio.sleep(TELL_S)
    finally:
        _say({"accepted": len(journal.accepted), "finished": len(journal.finished)})


def _say(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def _run(parcels: Sequence[Parcel], rate: float) -> Journal:
    triples = [each for each in parcels if each.orders]
    journal = Journal(len({order for each in triples for order in each.orders}))
    async with await aio_pika.connect(os.environ["BENCH_AMQP_URL"]) as connection:
        pusher = Pusher(await connection.channel(), journal)
        await pusher.open(await connection.channel(publisher_confirms=False))
        await pusher.push([each for each in parcels if not each.orders], 0)
        await pusher.settled(all_finished=False)
        _say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        journal.begun, journal.cpu_begun, journal.moved = _now_ms(), time.process_time(), time.monotonic()
        telling = asyncio.create_task(_tell(journal))
        await pusher.push(triples, rate)
        await pusher.settled(all_finished=True)
        telling.cancel()
    return journal


def main(load: str, out: str, rate: str) -> None:
    """Push the load and write the journal."""
    journal = asyncio.run(_run(read_load(Path(load)), float(rate)))
    Path(out).write_text(journal.as_json(), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
