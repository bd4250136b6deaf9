"""Dead letters (死信): deliveries that could not be worked, held for a person to look at, work again or drop."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ..queue.bus import Bus, Delivery, Held
from ..queue.topology import DEAD
from .serving import Service

ID_LENGTH = 10


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead delivery; its id is made of what it is, so it stays the same however often it is looked at."""

    id: str
    delivery: Delivery


class Graveyard:
    """The oldest dead letters, held while a person works on them; all but those dealt with stay."""

    def __init__(self, held: Held, beyond: int) -> None:
        self._held = held
        self.beyond = beyond
        """How many more there are."""
        self.letters = [DeadLetter(_id(each), each) for each in held.deliveries]

    def find(self, ids: Iterable[str]) -> tuple[list[DeadLetter], list[str]]:
        """The letters with these ids, and the ids that no letter has."""
        wanted = list(dict.fromkeys(ids))
        found = [each for each in self.letters if each.id in wanted]
        known = {each.id for each in found}
        return found, [each for each in wanted if each not in known]

    async def drop(self, letters: Sequence[DeadLetter]) -> None:
        """Forget letters for good."""
        await self._held.ack([each.delivery for each in letters])

    async def work(self, service: Service, letter: DeadLetter) -> bool:
        """Work a letter as intake would have, answer included; it stays dead, and False is said, if that fails again.

        It is not published again: a broker lets nobody but its sender publish under the sender's name.
        """
        once = _Once(self._held)
        await service.take(once, [letter.delivery])
        return once.done


@asynccontextmanager
async def graveyard(bus: Bus, count: int) -> AsyncIterator[Graveyard]:
    """Hold the oldest dead letters, ``count`` at most; nobody else sees them meanwhile."""
    async with bus.hold(DEAD, count) as held:
        yield Graveyard(held, await bus.depth(DEAD))


class _Once:
    """Settles one delivery that is held; what fails is not given back at once, but stays held."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self.done = False

    async def ack(self, deliveries: Iterable[Delivery]) -> None:
        """It was worked."""
        await self._held.ack(deliveries)
        self.done = True

    async def release(self, deliveries: Iterable[Delivery]) -> None:
        """It was not."""


def _id(delivery: Delivery) -> str:
    death = delivery.death
    parts = (delivery.routing_key, delivery.user_id, delivery.message_id, delivery.correlation_id, death and death.at)
    return hashlib.sha256(repr(parts).encode() + delivery.body).hexdigest()[:ID_LENGTH]
