"""What a clock will decide: one row for each thing that falls due at a time, claimed by tend when it does."""

from collections.abc import Iterable
from typing import NamedTuple

from .database import Statement, Transaction, columns

_ADD = Statement(
    """
    INSERT INTO due (kind, key, at) SELECT kind, key, at FROM {rows} WHERE true
    ON CONFLICT (kind, key) DO UPDATE SET at = excluded.at
    """,
    {"rows": columns(kind="text", key="int", at="int")},
)
_CLAIM = Statement(
    """
    UPDATE due SET at = :again
    WHERE (kind, key) IN (SELECT kind, key FROM due WHERE at <= :now ORDER BY at LIMIT :count {skip})
    RETURNING kind, key
    """
)
_DONE = Statement(
    "DELETE FROM due WHERE (kind, key) IN (SELECT kind, key FROM {rows})", {"rows": columns(kind="text", key="int")}
)


class Due(NamedTuple):
    """A thing that falls due: ``kind`` says what is done, ``key`` to what."""

    kind: str
    key: int


async def add_due(transaction: Transaction, rows: Iterable[tuple[Due, int]]) -> None:
    """Let these fall due at these times; a thing already waiting takes the new time."""
    await transaction.run(_ADD, rows=[(*due, at) for due, at in rows])


async def claim_due(transaction: Transaction, now: int, again: int, count: int) -> list[Due]:
    """Claim what has fallen due; whatever is not done falls due once more at ``again``."""
    return [Due(row.kind, row.key) for row in await transaction.run(_CLAIM, now=now, again=again, count=count)]


async def done(transaction: Transaction, dues: Iterable[Due]) -> None:
    """Forget these."""
    await transaction.run(_DONE, rows=list(dues))
