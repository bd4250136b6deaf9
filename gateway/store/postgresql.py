"""PostgreSQL behind the database port, through asyncpg."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from .database import Database, Row, Statement, Transaction


class PostgresqlDatabase(Database):
    """A server, named by a ``postgresql://`` URL; ``connections`` bounds how many transactions run at once."""

    def __init__(self, url: str, connections: int = 8) -> None:
        self.observe: Callable[[Statement], None] | None = None
        address = sa.make_url(url).set(drivername="postgresql+asyncpg")
        self.engine: AsyncEngine = create_async_engine(address, pool_size=connections, max_overflow=0)
        self._texts: dict[Statement, sa.TextClause] = {}

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """A read-committed transaction; row locks order what meets."""
        async with self.engine.begin() as connection:
            yield _PostgresqlTransaction(self, connection)

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()

    def text(self, statement: Statement) -> sa.TextClause:
        """The statement's text for this dialect, rendered once."""
        if (text := self._texts.get(statement)) is None:
            text = self._texts[statement] = sa.text(statement.for_postgresql())
        return text


class _PostgresqlTransaction:
    def __init__(self, database: PostgresqlDatabase, connection: AsyncConnection) -> None:
        self._database = database
        self._connection = connection

    async def run(self, statement: Statement, **parameters: Any) -> Sequence[Row]:
        if statement.is_idle(parameters):
            return ()
        for name, kinds in statement.given.items():
            rows = parameters.pop(name)
            parameters.update((f"{name}_{column}", [row[at] for row in rows]) for at, column in enumerate(kinds))
        if self._database.observe:
            self._database.observe(statement)
        result = await self._connection.execute(self._database.text(statement), parameters)
        return result.all() if result.returns_rows else ()
