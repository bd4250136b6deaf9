"""The wire between the simulated customs and our inbox."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from tongguan.adapters.transport import Incoming
from tongguan.config.eports import EPort


@dataclass
class Wire:
    """Takes the files of one e-port from its ``door`` to our inbox, dates them by ``stamp``, and cuts some in two.

    What was cut comes whole as well, unless the wire may ``lose`` it. ``written`` is everything that arrived.
    """

    door: Any
    eport: EPort
    random: Random
    stamp: Callable[[], int]
    truncate: float
    lose: bool
    written: list[tuple[str, str, bytes]]

    async def send(self, name: str, data: bytes) -> None:
        cut = self.random.random() < self.truncate
        if cut:
            await self._put(f"cut-{name}", data[: self.random.randrange(1, len(data))])
        if not (cut and self.lose):
            await self._put(name, data)

    async def _put(self, name: str, data: bytes) -> None:
        await self.door.send(name, data)
        os.utime(self.eport.transport.inbox / name, ns=(0, self.stamp()))
        self.written.append((self.eport.name, name, data))

    async def receive(self, limit: int) -> list[Incoming]:
        return await self.door.receive(limit)

    async def done(self, incoming: Incoming) -> None:
        await self.door.done(incoming)
