"""A world for one seed: worker processes, bus, store, customs, senders and a subscriber, in virtual time."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from random import Random
from typing import Any, cast

import structlog

from simulated.fates import MISFORTUNES_MAX, Fates, Killed, Process
from simulated.ground import Ground
from simulated.loop import Clock
from simulated.ports import Folders, Line, Seals, Store
from simulated.wire import Wire
from tongguan.adapters.simulator.chance import Knobs
from tongguan.adapters.simulator.script import make_script
from tongguan.adapters.simulator.simulator import Simulator
from tongguan.config.eports import EPort
from tongguan.config.keys import KeyFile
from tongguan.config.settings import Settings
from tongguan.gateway.composition import Destination, Gateway
from tongguan.gateway.directory import read_directory
from tongguan.gateway.sample.generate import Delivery as Pushed
from tongguan.gateway.sample.generate import SampleSet
from tongguan.gateway.sample.observing import next_due_ms, undone
from tongguan.gateway.sample.script import simulator_script
from tongguan.gateway.sealing import Sealer
from tongguan.gateway.sealkey import SealKey
from tongguan.gateway.serving import Service
from tongguan.gateway.store.database import in_transaction
from tongguan.gateway.store.sqlite import SqliteDatabase
from tongguan.messages.documents.answers import Answer
from tongguan.queue.bus import Bus, Delivery, Message
from tongguan.queue.embedded import EmbeddedBus
from tongguan.queue.topology import DOCUMENTS, INTAKE, RESULTS, Binding, Queue, Topology, topology

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
START_AFTER_MS = 30 * MINUTE_MS
"""How long after the moment the set is made for the world begins, so that no jump leads back before that."""
JUMP_MS = (-10 * MINUTE_MS, 20 * MINUTE_MS)
END_AFTER_MS = 200 * HOUR_MS
"""How far time leaps on in the end: everything that can become late or be tried again has by then."""
LEAP_MS = MINUTE_MS
ATTEMPTS_MAX = MISFORTUNES_MAX + 3
PUSH_S = 6.0
REST_LOOKS_MAX = 300
"""How often it is asked whether everything has come to rest."""
ANSWERS, EVERY_RESULT = "simulated.answers", "simulated.results"
LENGTH_MAX = 1_000_000
KEYS = KeyFile({"k001": b"m" * 32}, "k001", b"i" * 32)


class Restless(AssertionError):  # noqa: N818 - says what the world is
    """Something was never done."""


@dataclass
class World:
    """Everything at work for one seed. ``harsh`` customs also lose, cut and refuse what cannot be repaired."""

    ground: Ground
    seed: int
    sample: SampleSet
    modes: Sequence[str]
    harsh: bool
    answers: list[tuple[str, Answer]] = field(default_factory=list)
    results: list[Mapping[str, Any]] = field(default_factory=list)
    written: list[tuple[str, str, bytes]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(f"{self.seed} world")
        self.clock = Clock(self.sample.at_ms + START_AFTER_MS)
        self.fates = Fates(Random(f"{self.seed} fates"), self.clock)
        self.bytes = Random(f"{self.seed} bytes")
        self.sealer = Sealer(KEYS, self.bytes.randbytes)
        self.settings = self._settings()
        self.skew_ms = 0
        self._stamped = 0
        self._posted = asyncio.Event()
        self._running: dict[int, Service | None] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @cached_property
    def eports(self) -> Sequence[EPort]:
        """The e-ports of the trade modes in the set."""
        return [
            # a death while a message is handed over counts as one of its attempts, and must not be the last
            each.model_copy(update={"limits": each.limits.model_copy(update={"attempts_max": ATTEMPTS_MAX})})
            for each in self.ground.configuration.eports
            if len(self.modes) > 1 or each.name.endswith(self.modes[0])
        ]

    def _settings(self) -> Settings:
        chosen = {
            "batch_deliveries": self.random.choice((1, 5, 50, 50)),
            "receive_files_max": self.random.choice((1, 5, 200, 200)),
            "delivery_limit": 100,
            "dispatch_lease_seconds": 5,
            "route_lease_seconds": 5,
            "tend_lease_seconds": 5,
            "dispatch_poll_ms": 30_000,
            "receive_poll_ms": 30_000,
            "route_poll_ms": 30_000,
            "tend_poll_ms": 30_000,
            "seals_file": self.ground.seals,
        }
        return self.ground.configuration.settings.model_copy(update=chosen)

    @property
    def database(self) -> SqliteDatabase:
        """The store, as nobody's process."""
        return self.ground.database

    @property
    def seal_key(self) -> SealKey:
        """The key of the seals, as nobody's process."""
        return SealKey(self.sealer.seal_secret, self.ground.seals)

    async def run(self) -> None:
        """Live through the whole seed, to the rest at its end; raises Restless."""
        self.ground.renew()
        plain = bytes
        self.bus = EmbeddedBus(":memory:", seal=plain, unseal=plain, now_ms=self.clock)
        async with self.bus, self._customs():
            await self.bus.declare(self._queues())
            workers = [
                asyncio.create_task(self._work(each), name="service") for each in range(self.random.choice((1, 1, 2)))
            ]
            customs, weather = (asyncio.create_task(each) for each in (self._serve_customs(), self._weather()))
            self._tasks = [*workers, customs, weather]
            await self._push()
            await weather
            await self._settle()
            self.fates.end()
            for service in filter(None, self._running.values()):
                service.stop()
            await asyncio.gather(*workers)
            customs.cancel()
            for each in await self._drain(ANSWERS):
                self.answers.append((each.correlation_id or "", Answer.model_validate_json(each.body)))
            self.results = [one for each in await self._drain(EVERY_RESULT) for one in json.loads(each.body)]

    def _queues(self) -> Topology:
        own = topology(
            [each.code for each in self.ground.configuration.parties],
            delivery_limit=self.settings.delivery_limit,
            intake_length_max=LENGTH_MAX,
            answers_length_max=LENGTH_MAX,
            dead_length_max=LENGTH_MAX,
        )
        queues = (Queue(ANSWERS, LENGTH_MAX), Queue(EVERY_RESULT, LENGTH_MAX))
        return Topology(own.exchanges, (*own.queues, *queues), (*own.bindings, Binding(RESULTS, "#", EVERY_RESULT)))

    @asynccontextmanager
    async def _customs(self) -> AsyncGenerator[None]:
        chance = Random(f"{self.seed} customs")
        knobs = Knobs(
            latency_ms=chance.choice(((1, 10), (20, 200), (20, 200))),
            double=chance.choice((0.0, 0.2)),
            reorder=chance.choice((0.0, 0.2)),
            loss=chance.choice((0.0, 0.1)) if self.harsh else 0.0,
            refuse=chance.choice((0.0, 0.1)) if self.harsh else 0.0,
            batch=chance.choice((1, 100, 100)),
        )
        self.simulator = Simulator(
            self.eports,
            state=":memory:",
            archive=self.ground.folder / "simulator",
            clock=self.clock,
            seed=self.seed,
            script=make_script(simulator_script(self.sample)),
            knobs=knobs,
        )
        truncate = chance.choice((0.0, 0.1))
        for each in self.eports:
            door: Any = self.simulator._doors[each.name]
            self.simulator._doors[each.name] = cast(
                "Any", Wire(door, each, chance, self._stamp, truncate, self.harsh, self.written)
            )
        try:
            yield
        finally:
            self.simulator.close()

    def _stamp(self) -> int:
        """A later moment for every file, in nanoseconds: the real ones are not the same in every run."""
        self._stamped = max(self._stamped + 1, self.clock() * 1_000_000)
        return self._stamped

    async def _work(self, number: int) -> None:
        """A worker process, started anew whenever it dies."""
        for life in range(1, 1000):
            process = Process(f"worker-{number}.{life}", self.fates)
            service = self._running[number] = await self._assembled(process)
            try:
                await service.run()
            except BaseExceptionGroup as several:
                if process.alive or not several.subgroup(Killed):
                    raise
            except Killed:
                pass
            if process.alive:
                return
            self._running[number] = None
            for gone in process.on_death:
                await gone()
            await asyncio.sleep(self.random.uniform(0.1, 5.0))

    async def _assembled(self, process: Process) -> Service:
        """A gateway of new objects around what outlives a process."""
        directory = await in_transaction(self.database, read_directory)
        skew = self.random.randint(-1500, 1500)

        def now_ms() -> int:
            return self.clock() + self.skew_ms + skew

        destinations = []
        for each in self.eports:
            folders = Folders(process, each, now_ms, self._stamp, self._posted.set)
            folders.prepare(make_boxes=True)
            destinations.append(Destination(each, folders, self.ground.signers[each.name]))
        gateway = Gateway(
            self.settings,
            Store(process, self.database),
            directory,
            destinations,
            self.ground.configuration.book,
            self.sealer,
            clock=now_ms,
            random=self.bytes.randbytes,
            log=self._logger(process),
        )
        seals = Seals(process, self.sealer.seal_secret, self.ground.seals)
        return Service(gateway, cast("Bus", Line(process, self.bus)), seals, owner=process.name)

    def _logger(self, process: Process) -> Any:
        def keep(_logger: object, _method: str, event: Mapping[str, Any]) -> Any:
            self.log.append(f"{self.clock()} {process.name} {dict(event)}")
            raise structlog.DropEvent

        return structlog.wrap_logger(None, processors=[keep], wrapper_class=structlog.BoundLogger)

    def _poke(self, *steps: str) -> None:
        """Make steps look now instead of at their next poll."""
        for service in filter(None, self._running.values()):
            for step, event in service._wake.items():
                if step in steps or not steps:
                    event.set()

    async def _serve_customs(self) -> None:
        while True:
            self._posted.clear()
            if await self.simulator.step():
                # what is looked at a little later is looked at together
                asyncio.get_running_loop().call_later(self.random.uniform(0.0, 2.0), self._poke, "receive")
            due = self.simulator.next_due_ms
            with suppress(TimeoutError):
                await asyncio.wait_for(self._posted.wait(), None if due is None else max(due - self.clock(), 1) / 1000)
            await asyncio.sleep(self.random.uniform(0.0, 0.3))

    async def _weather(self) -> None:
        """The clocks of our machines jump now and then."""
        for _ in range(self.random.choice((0, 0, 1, 3))):
            await asyncio.sleep(self.random.uniform(0.0, PUSH_S))
            self.skew_ms = self.random.randint(*JUMP_MS)

    async def _push(self) -> None:
        """Every sender pushes its deliveries in order; how the senders take turns is left to chance."""
        waiting: dict[str, list[Pushed]] = {}
        for each in self.sample.deliveries:
            waiting.setdefault(each.party, []).append(each)
        pause_s = PUSH_S / len(self.sample.deliveries) * self.random.choice((0.0, 0.1, 1.0))
        while waiting:
            party = self.random.choice(list(waiting))
            each = waiting[party].pop(0)
            if not waiting[party]:
                del waiting[party]
            self.bus._file._user = party  # one file in memory stands for the connections of all senders
            await self.bus.publish([_message(each)])
            await asyncio.sleep(self.random.uniform(0.0, pause_s))

    async def _settle(self) -> None:
        """Wait until nothing moves, leap to what is due next, and so on to the end."""
        end = self.clock() + END_AFTER_MS
        while True:
            await self._rest()
            stored = await in_transaction(self.database, next_due_ms)
            due = [at for at in (stored, self.simulator.next_due_ms) if at is not None]
            if not due or min(due) > end:
                return
            self.leap(max(min(due) + LEAP_MS - self.skew_ms - self.clock(), LEAP_MS))

    async def _rest(self) -> None:
        """Return when nothing moves: twice in a row, because a step may be between two things."""
        quiet, before = 0, {}
        for _ in range(REST_LOOKS_MAX):
            await asyncio.sleep(2.0)
            for each in self._tasks:
                if each.done():
                    each.result()
            moving = await self._moving()
            quiet = 0 if moving else quiet + 1
            if quiet == 2:
                return
            if moving and moving == before:
                # as after a crash, when something waits for the end of a lease
                self.leap(LEAP_MS)
            before = moving
        raise Restless(f"never done: {before}")

    def leap(self, milliseconds: int) -> None:
        """Let time pass, and everybody look."""
        self.clock.leap(milliseconds)
        self._posted.set()
        self._poke()

    async def _moving(self) -> Mapping[str, int]:
        """What is still to be done, by what it is."""
        now = self.clock()
        due = self.simulator.next_due_ms
        boxes = [box for each in self.eports for box in (each.transport.outbox, each.transport.inbox)]
        found = {
            "workers": sum(service is None for service in self._running.values()),
            "deliveries": self._unacknowledged(),
            "files": sum(1 for box in boxes for _ in box.iterdir()),
            "simulated customs": int(due is not None and due <= now),
            **await in_transaction(self.database, lambda tx: undone(tx, now + min(self.skew_ms, 0) - 2000)),
        }
        return {name: count for name, count in found.items() if count}

    def _unacknowledged(self) -> int:
        """Deliveries that wait for intake or are in its hands."""
        [count] = (
            self.bus._file._opened().execute("SELECT count(*) FROM delivery WHERE queue = ?", (INTAKE,)).fetchone()
        )
        return count

    async def _drain(self, queue: str) -> list[Delivery]:
        found: list[Delivery] = []
        limits = {"prefetch": LENGTH_MAX, "batch": LENGTH_MAX, "batch_bytes": 1 << 40, "linger_ms": 0}
        async with await self.bus.consume(queue, **limits) as consumer:
            if await self.bus.depth(queue):
                found += await anext(consumer)
        return found


def _message(delivery: Pushed) -> Message:
    return Message(
        exchange=DOCUMENTS,
        routing_key=delivery.routing_key,
        body=delivery.body,
        content_type=delivery.content_type,
        message_id=delivery.name,
        correlation_id=delivery.name,
        user_id=delivery.party,
        reply_to=ANSWERS,
    )
