"""Identifiers: database ids from blocks the store hands out, and the numbers a declaration is known by."""

import base64
from collections.abc import Callable
from uuid import UUID

from .store.database import Database, Statement, in_transaction

BLOCK = 100_000
"""Ids taken from the store at a time; what a process does not use of them is lost, which costs nothing."""
RESERVE = 50_000
"""Ids kept beyond what was asked for, because several batches of one process may be at work at once."""

_TAKE = Statement(
    """
    INSERT INTO id_blocks (name, next) VALUES ('id', :size + 1)
    ON CONFLICT (name) DO UPDATE SET next = id_blocks.next + :size
    RETURNING next
    """
)


class StoreMint:
    """Mints identifiers: unique ids from the store, guids and numbers from ``random`` (os.urandom, or seeded)."""

    def __init__(self, database: Database, random: Callable[[int], bytes]) -> None:
        self._database = database
        self._random = random
        self._next = self._end = 0

    async def ensure(self, count: int) -> None:
        """Have at least ``count`` ids at hand; ``id`` never waits."""
        if self._end - self._next < count + RESERVE:
            size = max(count, BLOCK)
            rows = await in_transaction(self._database, lambda transaction: transaction.run(_TAKE, size=size))
            self._end = rows[0].next
            self._next = self._end - size

    def id(self) -> int:
        """The next id; raises RuntimeError when ``ensure`` was not asked for enough."""
        if self._next >= self._end:
            raise RuntimeError("no database ids at hand")
        self._next += 1
        return self._next - 1

    def guid(self) -> str:
        """A version 4 UUID in upper case."""
        return str(UUID(bytes=self._random(16), version=4)).upper()

    def cop_no(self) -> str:
        """``TG`` and 18 letters or digits: unique among all gateways of an enterprise without asking any of them."""
        return "TG" + base64.b32encode(self._random(12)).decode()[:18]
