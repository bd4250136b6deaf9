"""One life: the world a seed stands for, lived to its end, and what was wrong with it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from simulated.audit import first_wrong
from simulated.ground import Ground
from simulated.loop import Stalled, VirtualLoop
from simulated.world import Restless, World
from tongguan.gateway.sample.enterprises import Mode
from tongguan.gateway.sample.generate import CLEAN, SampleSet, generate, plantable

AT_MS = 1_772_330_400_000
"""The moment all sets are made for: 1 March 2026, 10:00 in China."""
MODES: tuple[tuple[Mode, ...], ...] = (("9610",), ("1210",), ("9610", "1210"))
SCENARIOS = (1, 1, 1, 1, 2, 3)
"""How many scenarios a set holds; small worlds go wrong as well as large ones, and sooner."""
FAR = {"signer-known", "mode-1239"}
"""Scenarios of an e-port that is there only with all others."""


@dataclass(frozen=True, slots=True)
class Life:
    """What became of a seed: the first thing that was ``wrong``, every touch of the world, misfortunes, the log."""

    seed: int
    wrong: str | None
    events: Sequence[str]
    misfortunes: Sequence[str]
    log: Sequence[str]

    def __str__(self) -> str:
        """What a person needs to understand it, and the command that shows it again."""
        again = f"again: .venv/bin/python -m pytest tests/simulation --seed {self.seed}"
        return "\n".join((f"seed {self.seed}: {self.wrong}", *self.misfortunes, *self.log[-60:], again))


def live(ground: Ground, steady: Sequence[str], seed: int) -> Life:
    """Live through a seed; ``steady`` are the scenarios whose outcome is the same in any order of events."""
    random = Random(f"{seed} set")
    [modes] = random.choices(MODES, weights=(4, 4, 1))
    world = World(ground, seed, _sample(seed, random, modes, steady), modes, harsh=random.random() < 0.3)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        wrong = runner.run(_to_the_end(world))
    return Life(seed, wrong, world.fates.events, world.fates.told, world.log)


async def _to_the_end(world: World) -> str | None:
    try:
        await world.run()
    except (Restless, Stalled) as error:
        return repr(error)
    return await first_wrong(world)


def _sample(seed: int, random: Random, modes: Sequence[Mode], steady: Sequence[str]) -> SampleSet:
    possible = {each.name for each in plantable(modes)} - (FAR if len(modes) == 1 else set())
    names = [each for each in steady if each in possible]
    chosen = [random.choice(names) if random.random() < 0.5 else CLEAN for _ in range(random.choice(SCENARIOS))]
    return generate(seed, AT_MS, 0, modes, faults=chosen)
