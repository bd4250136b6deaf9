"""Fates: what a seed lets happen where a process touches the world outside it.

A process that dies is not told: every later touch of it raises ``Killed`` as well, so that whatever unwinds in Python
changes nothing outside, as after kill -9.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random

SLOW_S = (0.5, 3.0, 12.0)
"""How long a slow call takes at most; the longest outlasts every lease."""
RATES = (0.02, 0.1, 0.3, 0.5)
"""How often something happens at a touch that changes the world."""
MANY = {"statement": 0.02, "begin": 0.1, "commit": 0.1, "committed": 0.2, "look": 0.1}
"""Touches of which there are so many that each counts for less."""
MISFORTUNES_MAX = 12


class Killed(BaseException):
    """The process is gone; nothing of the gateway catches this."""


class Fates:
    """Draws what happens at each touch: mostly nothing, ``MISFORTUNES_MAX`` times at most something.

    ``events`` tells every touch in order; two runs of one seed tell the same. ``told`` holds the misfortunes alone.
    """

    def __init__(self, random: Random, clock: Callable[[], int]) -> None:
        self._random = random
        self._clock = clock
        self._rate = random.choice(RATES)
        self._left = random.randint(0, MISFORTUNES_MAX)
        self._weights = [random.random() for _ in range(3)]
        self.events: list[str] = []
        self.told: list[str] = []

    def draw(self, where: str, what: str, *, can_fail: bool) -> str:
        """``pass``, ``die``, ``fail`` or ``slow``."""
        fate = "pass"
        if self._left and self._random.random() < self._rate * MANY.get(what, 1.0):
            fate = self._random.choices(("die", "fail", "slow"), self._weights)[0]
            fate = "die" if fate == "fail" and not can_fail else fate
        if fate != "pass":
            self._left -= 1
            self.told.append(f"{self._clock()} {where} {what}: {fate}")
        self.events.append(f"{self._clock()} {where} {what}: {fate}")
        return fate

    def end(self) -> None:
        """From now on nothing happens any more."""
        self._left = 0

    def pause_s(self) -> float:
        """How long an ordinary call takes; as a rule no time at all."""
        return self._random.uniform(0.0, 0.02) if self._random.random() < 0.3 else 0.0

    def slow_s(self) -> float:
        """How long a slow call takes."""
        return self._random.uniform(0.1, self._random.choice(SLOW_S))

    def one_of(self, failures: Sequence[Callable[[], Exception]]) -> Exception:
        """One of the ways in which a call fails."""
        return self._random.choice(failures)()


@dataclass(slots=True)
class Process:
    """One worker process from its start to its death."""

    name: str
    fates: Fates
    alive: bool = True
    on_death: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    def check(self) -> None:
        """Raise Killed in what is left of a process that died."""
        if not self.alive:
            raise Killed

    def touch(self, what: str, *failures: Callable[[], Exception]) -> bool:
        """Die here, fail with one of the ``failures``, or go on; returns whether it goes slowly."""
        self.check()
        task = asyncio.current_task()
        fate = self.fates.draw(f"{self.name} {task.get_name() if task else ''}", what, can_fail=bool(failures))
        if fate == "die":
            self.alive = False
            raise Killed
        if fate == "fail":
            raise self.fates.one_of(failures)
        return fate == "slow"

    async def cross(self, what: str, *failures: Callable[[], Exception]) -> None:
        """As ``touch``, in a call that may take its time while others go on."""
        slow = self.touch(what, *failures)
        if seconds := self.fates.slow_s() if slow else self.fates.pause_s():
            await asyncio.sleep(seconds)
            self.check()
