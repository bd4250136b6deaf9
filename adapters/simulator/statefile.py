"""The file in which the simulated world outlives its process, kill -9 included: SQLite, one row for each entry.

It is not synced to the disk, since it has to survive its process and not the machine.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...messages.faults import Refused, fault
from .world import Entry

IN_MEMORY = ":memory:"
LAYOUT = 1
"""The layout of the file; a file of another layout is refused."""


class StateFile:
    """The file at ``path``, or memory (``":memory:"``). One process uses it at a time. Raises Refused.

    A new file, and its folder if it is new, can be read by their owner only.
    """

    def __init__(self, path: str | Path) -> None:
        self._name = str(path)
        with self._explained():
            if self._name != IN_MEMORY:
                Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._database = sqlite3.connect(path, timeout=0, isolation_level=None)
        try:
            with self._explained():
                self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        database = self._database
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = OFF"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("BEGIN IMMEDIATE")
        [layout] = database.execute("PRAGMA user_version").fetchone()
        if layout not in (0, LAYOUT):
            raise sqlite3.DatabaseError("another layout")
        database.execute(
            "CREATE TABLE IF NOT EXISTS entry"
            " (kind TEXT, name TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, name)) STRICT, WITHOUT ROWID"
        )
        database.execute(f"PRAGMA user_version = {LAYOUT}")
        database.execute("COMMIT")

    def load(self) -> list[Entry]:
        """Every entry."""
        with self._explained():
            rows = self._database.execute("SELECT kind, name, body FROM entry")
            return [Entry(*row) for row in rows]

    def save(self, changes: list[Entry]) -> None:
        """Keep changed entries, all or none of them."""
        with self._explained():
            kept = [each for each in changes if each.body is not None]
            gone = [(each.kind, each.name) for each in changes if each.body is None]
            with self._database:
                self._database.execute("BEGIN")
                self._database.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", kept)
                self._database.executemany("DELETE FROM entry WHERE kind = ? AND name = ?", gone)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
            raise Refused(fault("simulator-running" if busy else "simulator-state", file=self._name)) from None
