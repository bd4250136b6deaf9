"""The demo: an example set goes through the whole gateway, on the embedded defaults and a simulated customs.

Gateway, bus and store are the real ones, each step running as it does in service. Only the clock is the demo's own:
when nothing moves any more it leaps to whatever is due next, so that hours of waiting take no time.
"""

import asyncio
import json
import shutil
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from ..adapters.simulator.script import load_script
from ..adapters.simulator.simulator import Simulator
from ..config.settings import SETTINGS
from ..messages.documents.answers import Answer
from ..queue.bus import Bus, Consumer, Delivery, Message
from ..queue.embedded import EmbeddedBus
from ..queue.topology import DOCUMENTS, INTAKE, RESULTS, Binding, Queue, Topology, topology
from .assembly import Configuration, configure, open_bus, open_gateway, seal_key
from .audit.auditing import audit
from .audit.check import Audit
from .composition import Gateway, now_ms
from .sample.expectation import DeliveryOutcome, Expectation, Outcome
from .sample.files import OPERATORS, SCRIPT, read_deliveries, read_expected, write_set
from .sample.generate import Delivery as Pushed
from .sample.generate import SampleSet
from .sample.observing import answered, next_due_ms, observed_cases, undone
from .serving import Service
from .store.database import in_transaction

HOUR_MS = 3_600_000
WAVE_AFTER_MS = {1: 0, 2: 6 * HOUR_MS, 3: 30 * HOUR_MS}
"""When each wave of the set is pushed, after the first one, by the clock of the demo."""
END_AFTER_MS = 200 * HOUR_MS
"""How far the clock leaps on in the end: everything that can become late or be tried again has by then."""
LEAP_MS = 60_000
"""What is due so soon after another thing is not waited for separately."""
TIME_LIMIT_S = 120.0
LOOK_S = 0.03
"""How often it is asked whether anything still moves."""
RESULTS_FOLDER, SENT_FOLDER, RECEIPTS_FOLDER = "results", "sent", "receipts"
ANSWERS_QUEUE, RESULTS_QUEUE = "demo.answers", "demo.results"
QUEUE_LENGTH_MAX = 1_000_000

Advanced = Callable[[str, int, int], None]
"""Told of the stage (``push`` or ``settle``), how far it is, and of how much."""


class Unfinished(Exception):  # noqa: N818 - says what the demo is
    """The time limit passed; ``open_`` says what was still to be done."""

    def __init__(self, open_: Mapping[str, int]) -> None:
        self.open_ = dict(open_)
        super().__init__(", ".join(f"{name}: {count}" for name, count in open_.items()))


class LeapingClock:
    """Milliseconds UTC: the wall clock's, plus all leaps so far."""

    def __init__(self) -> None:
        self._ahead = 0

    def __call__(self) -> int:
        """The moment."""
        return now_ms() + self._ahead

    def leap(self, to_ms: int) -> None:
        """Leap ahead; never back."""
        self._ahead += max(0, to_ms - self())


@dataclass(slots=True)
class Recorder:
    """Writes what comes back over the bus into files, as JSON lines, and counts it; ``awaited`` is not answered yet."""

    answers: TextIO
    results: TextIO
    awaited: set[str] = field(default_factory=set)
    deliveries: dict[str, DeliveryOutcome] = field(default_factory=dict)
    result_kinds: dict[str, int] = field(default_factory=dict)

    def answer(self, delivery: Delivery) -> None:
        """Keep one answer."""
        self.answers.write(delivery.body.decode() + "\n")
        name = delivery.correlation_id or ""
        self.awaited.discard(name)
        self.deliveries[name] = answered(Answer.model_validate_json(delivery.body))

    def result(self, delivery: Delivery) -> None:
        """Keep the results of one delivery."""
        for each in json.loads(delivery.body):
            self.results.write(json.dumps(each, ensure_ascii=False) + "\n")
            self.result_kinds[each["kind"]] = self.result_kinds.get(each["kind"], 0) + 1


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a demo: the outcome beside the expectation, results by kind, and what the audit says."""

    outcome: Outcome
    expectation: Expectation
    result_kinds: Mapping[str, int]
    audit: Audit


@dataclass(frozen=True, slots=True)
class _Stage:
    """Everything at work in a demo."""

    gateway: Gateway
    bus: Bus
    simulator: Simulator
    clock: LeapingClock
    senders: Mapping[str, Bus]
    recorder: Recorder
    boxes: Sequence[Path]


def make_set(sample: SampleSet, folder: Path) -> None:
    """Write the example set into a new folder, and let its operators' folder say that everything is kept there."""
    write_set(sample, folder)
    (folder / RESULTS_FOLDER).mkdir()
    home = folder.resolve()
    places = {
        "data_folder": home,
        "store_url": f"sqlite:///{home / 'tongguan.db'}",
        "bus_url": f"embedded:{home / 'bus.db'}",
        "keys_file": home / "keys.toml",
        "seals_file": home / "seals.jsonl",
    }
    with (folder / OPERATORS / SETTINGS).open("a", encoding="utf-8") as file:
        file.writelines(f"{name} = {json.dumps(str(place), ensure_ascii=False)}\n" for name, place in places.items())


async def run_demo(folder: Path, advanced: Advanced, limit_s: float = TIME_LIMIT_S) -> Finished:
    """Push the example set in a folder through a gateway of its own; raises Unfinished at the time limit (seconds)."""
    configuration = configure(folder / OPERATORS, {})
    open_: dict[str, int] | None = None
    async with _stage(folder, configuration) as stage:
        try:
            await asyncio.wait_for(_play(folder, stage, advanced), limit_s)
        except TimeoutError:
            open_ = await _open(stage)
        cases, unmatched = await in_transaction(stage.gateway.database, observed_cases)
        outcome = Outcome(cases, stage.recorder.deliveries, unmatched)
        kinds = dict(stage.recorder.result_kinds)
        checked = await _audited(stage, configuration)
    if open_ is not None:
        raise Unfinished(open_)
    _collect(folder, configuration)
    return Finished(outcome, read_expected(folder), kinds, checked)


async def _audited(stage: _Stage, configuration: Configuration) -> Audit:
    """The audit of everything there is: at rest, nothing is under way."""
    told = (stage.recorder.answers, stage.recorder.results)
    for each in told:
        each.flush()
    journal, heard = (Path(each.name) for each in told)
    key, eports, before = seal_key(stage.gateway), configuration.eports, stage.clock() + 1
    return await audit(stage.gateway, key, eports, before, journal=journal, heard=heard)


@asynccontextmanager
async def _stage(folder: Path, configuration: Configuration) -> AsyncGenerator[_Stage]:
    """Gateway, bus, simulated customs, senders and recorder, at work until left."""
    clock = LeapingClock()
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(open_gateway(configuration, serving=True))
        gateway.clock = clock
        bus = await stack.enter_async_context(open_bus(configuration.settings, gateway.sealer))
        await bus.declare(_queues(configuration))
        simulator = Simulator(
            configuration.eports,
            state=":memory:",  # the simulated world holds everything in plain form
            archive=folder / "simulator",
            clock=clock,
            script=load_script(folder / SCRIPT),
        )
        stack.callback(simulator.close)
        recorder = Recorder(
            stack.enter_context((folder / RESULTS_FOLDER / "answers.jsonl").open("w", encoding="utf-8")),
            stack.enter_context((folder / RESULTS_FOLDER / "results.jsonl").open("w", encoding="utf-8")),
        )
        senders = {
            party: await stack.enter_async_context(_sender(folder, gateway, clock, party))
            for party in {each.party for each in read_deliveries(folder)}
        }
        boxes = [box for each in configuration.eports for box in (each.transport.outbox, each.transport.inbox)]
        stage = _Stage(gateway, bus, simulator, clock, senders, recorder, boxes)
        await stack.enter_async_context(_working(stage))
        yield stage


def _queues(configuration: Configuration) -> Topology:
    """What the gateway needs on its bus, a queue for all answers, and a subscriber of all results."""
    settings = configuration.settings
    own = topology(
        [each.code for each in configuration.parties],
        delivery_limit=settings.delivery_limit,
        intake_length_max=settings.intake_queue_length_max,
        answers_length_max=settings.answer_queue_length_max,
        dead_length_max=settings.dead_queue_length_max,
    )
    queues = (Queue(ANSWERS_QUEUE, QUEUE_LENGTH_MAX), Queue(RESULTS_QUEUE, QUEUE_LENGTH_MAX))
    return Topology(own.exchanges, (*own.queues, *queues), (*own.bindings, Binding(RESULTS, "#", RESULTS_QUEUE)))


def _sender(folder: Path, gateway: Gateway, clock: LeapingClock, party: str) -> EmbeddedBus:
    """The bus as one party's own system sees it: what it sends is sent as that party."""
    sealer = gateway.sealer
    return EmbeddedBus(folder / "bus.db", seal=sealer.seal, unseal=sealer.open, now_ms=clock, user=party)


@asynccontextmanager
async def _working(stage: _Stage) -> AsyncGenerator[None]:
    """The five steps, the simulated customs and the recorder, as tasks; stopped in the end."""
    service, stop = Service(stage.gateway, stage.bus, seal_key(stage.gateway)), asyncio.Event()
    consumers = [await _consumer(stage.bus, queue) for queue in (ANSWERS_QUEUE, RESULTS_QUEUE)]
    async with asyncio.TaskGroup() as group:
        group.create_task(service.run())
        group.create_task(stage.simulator.run(stop))
        for consumer, keep in zip(consumers, (stage.recorder.answer, stage.recorder.result), strict=True):
            group.create_task(_record(consumer, keep))
        try:
            yield
        finally:
            stop.set()
            service.stop()
            for consumer in consumers:
                await consumer.close()


async def _consumer(bus: Bus, queue: str) -> Consumer:
    return await bus.consume(queue, prefetch=500, batch=500, batch_bytes=16 * 1024 * 1024, linger_ms=0)


async def _record(consumer: Consumer, keep: Callable[[Delivery], None]) -> None:
    async for deliveries in consumer:
        for each in deliveries:
            keep(each)
        await consumer.ack(deliveries)


async def _play(folder: Path, stage: _Stage, advanced: Advanced) -> None:
    """Push wave after wave, each when everything has come to rest and its time has come."""
    start = stage.clock()
    waves: dict[int, list[Pushed]] = {}
    for each in read_deliveries(folder):
        waves.setdefault(each.wave, []).append(each)
    total, done = sum(map(len, waves.values())), 0
    for wave, deliveries in sorted(waves.items()):
        await _settle(stage, start, WAVE_AFTER_MS[wave], advanced)
        for each in deliveries:
            stage.recorder.awaited.add(each.name)
            await stage.senders[each.party].publish([_message(each)])
            done += 1
            advanced("push", done, total)
            await asyncio.sleep(0)
    await _settle(stage, start, END_AFTER_MS, advanced)
    advanced("settle", END_AFTER_MS, END_AFTER_MS)


def _message(delivery: Pushed) -> Message:
    return Message(
        exchange=DOCUMENTS,
        routing_key=delivery.routing_key,
        body=delivery.body,
        content_type=delivery.content_type,
        message_id=delivery.name,
        correlation_id=delivery.name,
        user_id=delivery.party,
        reply_to=ANSWERS_QUEUE,
    )


async def _settle(stage: _Stage, start: int, until_after_ms: int, advanced: Advanced) -> None:
    """Wait until nothing moves, leap to what is due next, and so on until a moment after the start."""
    until_ms = start + until_after_ms
    while True:
        await _rest(stage)
        advanced("settle", stage.clock() - start, END_AFTER_MS)
        stored = await in_transaction(stage.gateway.database, next_due_ms)
        due = [at for at in (stored, stage.simulator.next_due_ms) if at is not None]
        if not due or min(due) > until_ms:
            break
        stage.clock.leap(min(min(due) + LEAP_MS, until_ms))
    stage.clock.leap(until_ms)


async def _rest(stage: _Stage) -> None:
    """Return when nothing moves: twice in a row, because a step may be between two things."""
    quiet = 0
    while quiet < 2:
        await asyncio.sleep(LOOK_S)
        quiet = 0 if await _open(stage) else quiet + 1


async def _open(stage: _Stage) -> dict[str, int]:
    """What is still to be done, by what it is."""
    now = stage.clock()
    due = stage.simulator.next_due_ms
    found = {
        "deliveries": await stage.bus.depth(INTAKE),
        "answers": len(stage.recorder.awaited),
        "published results": await stage.bus.depth(RESULTS_QUEUE),
        "files": sum(1 for box in stage.boxes for _ in box.iterdir()),
        "simulated customs": int(due is not None and due <= now),
        **await in_transaction(stage.gateway.database, lambda tx: undone(tx, now)),
    }
    return {name: count for name, count in found.items() if count}


def _collect(folder: Path, configuration: Configuration) -> None:
    """Put what was handed over into ``sent`` and what came back into ``receipts``, by e-port."""
    for eport in configuration.eports:
        for name, kept in ((SENT_FOLDER, "sent"), (RECEIPTS_FOLDER, "received")):
            _copy((eport.transport.archive / kept).iterdir(), folder / name / eport.name)


def _copy(files: Iterable[Path], target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for each in files:
        shutil.copy2(each, target / each.name)
