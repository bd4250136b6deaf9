"""The database port: transactions that run named, set-based statements, on PostgreSQL or on SQLite.

A statement is written once. Rows handed to it stand in its text as ``{rows}`` and become one parameter per column
(PostgreSQL: UNNEST) or one JSON parameter (SQLite: json_each), so that a batch of any size is one round trip.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

ATTEMPTS_MAX = 5
"""How often a transaction that lost a race for locks is run again."""

T = TypeVar("T")
Kind = Literal["text", "int", "bytes", "bool"]
Row = sa.Row[Any]
_SQL_TYPES: dict[Kind, str] = {"text": "text", "int": "bigint", "bytes": "bytea", "bool": "boolean"}


def columns(**kinds: Kind) -> Mapping[str, Kind]:
    """The columns of the rows a statement is given, in order."""
    return kinds


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """SQL for both dialects; ``given`` names the row parameters that stand in braces in the text.

    Given no row at all, a statement has nothing to do and is not sent, unless it does something ``without_rows``, too.
    ``{lock}`` becomes FOR UPDATE and ``{skip}`` FOR UPDATE SKIP LOCKED; SQLite, which has one writer, needs neither.
    """

    text: str
    given: Mapping[str, Mapping[str, Kind]] = field(default_factory=dict)
    without_rows: bool = False

    def is_idle(self, parameters: Mapping[str, Any]) -> bool:
        """Whether it would do nothing with these parameters."""
        return bool(self.given) and not self.without_rows and not any(parameters[name] for name in self.given)

    def for_postgresql(self) -> str:
        """The text with UNNEST in place of the given rows."""
        return self.text.format(
            lock="FOR UPDATE",
            skip="FOR UPDATE SKIP LOCKED",
            **{name: _unnest(name, kinds) for name, kinds in self.given.items()},
        )

    def for_sqlite(self) -> str:
        """The text with json_each in place of the given rows."""
        rows = {name: _json_each(name, kinds) for name, kinds in self.given.items()}
        return self.text.format(lock="", skip="", **rows)


def _unnest(name: str, kinds: Mapping[str, Kind]) -> str:
    arrays = ", ".join(f"CAST(:{name}_{column} AS {_SQL_TYPES[kind]}[])" for column, kind in kinds.items())
    return f"unnest({arrays}) AS {name}({', '.join(kinds)})"


def _json_each(name: str, kinds: Mapping[str, Kind]) -> str:
    picked = (
        f"from_hex(value->>{at}) AS {column}" if kind == "bytes" else f"value->>{at} AS {column}"
        for at, (column, kind) in enumerate(kinds.items())
    )
    return f"(SELECT {', '.join(picked)} FROM json_each(:{name})) AS {name}"  # noqa: S608 - names from our own code


class Transaction(Protocol):
    """Runs statements in one transaction."""

    async def run(self, statement: Statement, **parameters: Any) -> Sequence[Row]:
        """Run one statement; a parameter the statement is *given* is a sequence of row tuples."""
        ...


class Database(Protocol):
    """A place transactions run against. ``observe`` sees every statement (for metrics and tests)."""

    observe: Callable[[Statement], None] | None

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction: commits when left normally, rolls back on an exception."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...


async def in_transaction(database: Database, work: Callable[[Transaction], Awaitable[T]]) -> T:
    """Run ``work`` in a transaction, again if it lost a race (deadlock, serialization, busy), ATTEMPTS_MAX times."""
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            async with database.transaction() as transaction:
                return await work(transaction)
        except DBAPIError as error:
            if attempt == ATTEMPTS_MAX or not _lost_race(error):
                raise
            await asyncio.sleep(0.01 * 2**attempt)
    raise AssertionError("unreachable")


def refuses_value(error: DBAPIError) -> bool:
    """Whether a store refused what it was to keep (data exception, limit exceeded): trying again changes nothing."""
    return (getattr(error.orig, "sqlstate", None) or "")[:2] in {"22", "54"}


def _lost_race(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return state in {"40001", "40P01"} or (isinstance(error.orig, sqlite3.OperationalError) and "locked" in str(error))
