"""A whole world in memory: gateway on SQLite, simulated customs, and a clock that leaps over every wait."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
import structlog

from tongguan.adapters.signing.keyring import load_signers
from tongguan.adapters.signing.signers import Signer
from tongguan.adapters.simulator.chance import Chance, Knobs
from tongguan.adapters.simulator.customs import Customs
from tongguan.adapters.simulator.script import make_script
from tongguan.adapters.simulator.world import World
from tongguan.adapters.transport import Health, Incoming
from tongguan.config.keys import KeyFile
from tongguan.gateway.assembly import Configuration, configure
from tongguan.gateway.composition import Destination, Gateway
from tongguan.gateway.directory import Directory
from tongguan.gateway.sample.expectation import DeliveryOutcome, Outcome
from tongguan.gateway.sample.generate import Delivery, SampleSet
from tongguan.gateway.sample.observing import answered, next_due_ms, observed_cases
from tongguan.gateway.sample.operators import write_operators
from tongguan.gateway.sample.script import simulator_script
from tongguan.gateway.sealing import Sealer
from tongguan.gateway.sealkey import SealKey
from tongguan.gateway.steps.dispatch import Dispatch
from tongguan.gateway.steps.intake import Intake
from tongguan.gateway.steps.receive import Receive
from tongguan.gateway.steps.tend import Tend
from tongguan.gateway.store.database import in_transaction
from tongguan.gateway.store.sqlite import SqliteDatabase
from tongguan.gateway.store.tables import metadata
from tongguan.gateway.submissions import Pushed

AT_MS = 1_767_571_200_000
"""2026-01-05 08:00 in China."""
HOUR_MS = 3_600_000
WAVE_MS = {1: 0, 2: 6 * HOUR_MS, 3: 30 * HOUR_MS}
END_MS = 200 * HOUR_MS
LEAP_MS = 60_000
ROUNDS_MAX = 400


_QUIET: Any = structlog.wrap_logger(
    structlog.ReturnLogger(), wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
)


@dataclass
class Clock:
    """Milliseconds UTC; a little passes with every look."""

    now_ms: int

    def __call__(self) -> int:
        self.now_ms += 1
        return self.now_ms


class Wire:
    """A transport without folders: what is sent reaches the simulated customs, what they answer waits here."""

    def __init__(self, eport: str, customs: Customs, clock: Clock) -> None:
        self._eport, self._customs, self._clock = eport, customs, clock
        self.inbox: list[Incoming] = []

    async def send(self, name: str, data: bytes) -> None:
        self._customs.take(self._eport, name, data, self._clock())

    async def receive(self, limit: int) -> list[Incoming]:
        return self.inbox[:limit]

    async def done(self, incoming: Incoming) -> None:
        self.inbox.remove(incoming)

    async def health(self) -> Health:
        return Health((), 0, 0, len(self.inbox), 0)


@dataclass(frozen=True)
class Setting:
    """What every world has in common: the operators' folder as read, and the keys of its e-ports."""

    configuration: Configuration
    signers: Mapping[str, Mapping[str, Signer]]


@dataclass
class Play:
    """One world at work."""

    gateway: Gateway
    customs: Customs
    wires: Mapping[str, Wire]
    clock: Clock
    tend: Tend
    answers: dict[str, DeliveryOutcome] = field(default_factory=dict)

    async def push(self, deliveries: Sequence[Delivery]) -> None:
        intake = Intake(self.gateway)
        for each in deliveries:
            party = each.party if each.party in self.gateway.directory.codes else None
            taken = await intake.take([Pushed(each.routing_key, each.content_type, each.body, party, each.name)])
            self.answers[each.name] = answered(taken[0].answer)

    async def settle(self, until_ms: int) -> None:
        """Run every step until nothing moves, leap to whatever is due next, and so on until a moment."""
        for _ in range(ROUNDS_MAX):
            await self._come_to_rest()
            due = [at for at in (await self._due(), self.customs.next_due_ms) if at is not None]
            if not due or min(due) > until_ms:
                break
            self.clock.now_ms = max(self.clock.now_ms, min(*due, until_ms - LEAP_MS) + LEAP_MS)
        else:
            raise AssertionError("the world does not come to rest")
        self.clock.now_ms = max(self.clock.now_ms, until_ms)

    async def _come_to_rest(self) -> None:
        for _ in range(ROUNDS_MAX):
            done = await self.tend.run() + await Dispatch(self.gateway).run()
            for file in self.customs.due(self.clock()):
                incoming = Incoming(file.name, file.data, self.clock.now_ms, ())
                self.wires[file.eport].inbox.append(incoming)
                self.customs.delivered(file)
            done += await Receive(self.gateway).run()
            if not done:
                return
        raise AssertionError("the steps do not come to rest")

    async def _due(self) -> int | None:
        return await in_transaction(self.gateway.database, next_due_ms)

    async def outcome(self) -> Outcome:
        cases, unmatched = await in_transaction(self.gateway.database, observed_cases)
        return Outcome(cases, self.answers, unmatched)


@pytest.fixture(scope="session")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    folder: Path = tmp_path_factory.mktemp("sample") / "operators"
    write_operators(folder)
    configuration = configure(folder, {})
    random = Random(1)
    signers = {
        each.name: load_signers(each, {}, at_ms=AT_MS, new_serial=lambda: random.getrandbits(64) | 1)
        for each in configuration.eports
    }
    return Setting(configuration, signers)


@pytest.fixture(scope="session")
def outcome_of(setting: Setting) -> Callable[[SampleSet], Outcome]:
    """What becomes of a set in a world of its own."""

    def play(sample: SampleSet) -> Outcome:
        return asyncio.run(_played(sample, setting))

    return play


async def _played(sample: SampleSet, setting: Setting) -> Outcome:
    play = _opened(simulator_script(sample), setting)
    for wave, after_ms in WAVE_MS.items():
        await play.settle(AT_MS + after_ms)
        await play.push([each for each in sample.deliveries if each.wave == wave])
    await play.settle(AT_MS + END_MS)
    try:
        return await play.outcome()
    finally:
        await play.gateway.database.close()


def _opened(script: Mapping[str, Any], setting: Setting) -> Play:
    configuration = setting.configuration
    clock, random = Clock(AT_MS), Random(7)
    database = SqliteDatabase(":memory:")
    metadata.create_all(database.engine)
    customs = Customs(World(), configuration.eports, {}, chance=Chance(1), script=make_script(script), knobs=Knobs())
    wires = {each.name: Wire(each.name, customs, clock) for each in configuration.eports}
    gateway = Gateway(
        configuration.settings,
        database,
        Directory(configuration.parties),
        [Destination(each, wires[each.name], setting.signers[each.name]) for each in configuration.eports],
        configuration.book,
        Sealer(KeyFile({"k001": random.randbytes(32)}, "k001", random.randbytes(32)), random.randbytes),
        clock,
        random.randbytes,
        _QUIET,
    )
    seal_key = SealKey(gateway.sealer.seal_secret, configuration.folder / "seals.jsonl")
    return Play(gateway, customs, wires, clock, Tend(gateway, seal_key))
