"""SQLite behind the database port: run inline, without a thread, so that it is fast and deterministic.

One transaction at a time; other processes may open the same file (WAL, one writer among them).
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.pool import StaticPool

from .database import Database, Row, Statement, Transaction

BUSY_MS = 10_000
"""How long a writer waits for another process that writes."""


class SqliteDatabase(Database):
    """A file, or ``:memory:``. A new file can be read by its owner only."""

    def __init__(self, path: str) -> None:
        self.observe: Callable[[Statement], None] | None = None
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).touch(mode=0o600)
        self.engine = sa.create_engine(f"sqlite:///{path}", poolclass=StaticPool, isolation_level="AUTOCOMMIT")
        event.listen(self.engine, "connect", _prepare)
        self._one_at_a_time = asyncio.Lock()
        self._busy_for: asyncio.Task[Any] | None = None
        self._texts: dict[Statement, sa.TextClause] = {}

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """A write transaction; nothing else runs on this database until it ends."""
        task = asyncio.current_task()
        if task is self._busy_for:
            raise RuntimeError("a transaction inside a transaction would wait for itself for ever")
        async with self._one_at_a_time:
            self._busy_for = task
            try:
                with self.exclusive() as connection:
                    yield _SqliteTransaction(self, connection)
            finally:
                self._busy_for = None

    @contextmanager
    def exclusive(self) -> Generator[sa.Connection]:
        """The connection in a write transaction that keeps every other writer out, other processes included."""
        with self.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                if _in_transaction(connection):
                    connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")

    async def close(self) -> None:
        """Close the file."""
        self.engine.dispose()

    def text(self, statement: Statement) -> sa.TextClause:
        """The statement's text for this dialect, rendered once."""
        if (text := self._texts.get(statement)) is None:
            text = self._texts[statement] = sa.text(statement.for_sqlite())
        return text


class _SqliteTransaction:
    def __init__(self, database: SqliteDatabase, connection: sa.Connection) -> None:
        self._database = database
        self._connection = connection

    async def run(self, statement: Statement, **parameters: Any) -> Sequence[Row]:
        if statement.is_idle(parameters):
            return ()
        for name in statement.given:
            parameters[name] = json.dumps(parameters[name], default=bytes.hex, ensure_ascii=False)
        if self._database.observe:
            self._database.observe(statement)
        result = self._connection.execute(self._database.text(statement), parameters)
        return result.all() if result.returns_rows else ()


def _prepare(connection: Any, _record: object) -> None:
    connection.create_function(
        "from_hex", 1, lambda text: None if text is None else bytes.fromhex(text), deterministic=True
    )
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", f"busy_timeout = {BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}").close()


def _in_transaction(connection: sa.Connection) -> bool:
    """Whether the transaction is still open: SQLite ends it by itself when a disk is full."""
    raw: Any = connection.connection.dbapi_connection
    return bool(raw.in_transaction)
