"""What tend reads: cases whose goods or transport have come, contents to declare again, heads to seal."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..declaring import Declaration
from ..ledger import START, Chain
from ..sealing import Sealer
from .cases import DECLARATION_COLUMNS, declaration
from .database import Statement, Transaction, columns

_HELPED = Statement(
    """
    SELECT DISTINCT wants.case_id FROM wants
    WHERE wants.seen < (
        SELECT sum(documents.version) FROM document_keys
        JOIN documents ON documents.id = document_keys.document_id
        WHERE document_keys.kind = wants.kind AND document_keys.value = wants.value
    )
    ORDER BY wants.case_id LIMIT :count
    """
)
_CONTENTS = Statement(
    f"SELECT {DECLARATION_COLUMNS}, content FROM declarations WHERE id IN (SELECT id FROM {{ids}})",  # noqa: S608 - our own column names
    {"ids": columns(id="int")},
)
_LAST_SEAL = Statement("SELECT id, at, root, previous, signature FROM seals ORDER BY id DESC LIMIT 1")
_UNSEALED = Statement(
    """
    SELECT id, ledger_count, ledger_head FROM cases WHERE ledger_count > sealed_count
    ORDER BY direction, scope, order_no LIMIT :limit {lock}
    """
)
_SEALED = Statement(
    "UPDATE cases SET sealed_count = heads.count FROM {heads} WHERE cases.id = heads.case_id",
    {"heads": columns(case_id="int", count="int")},
)
_ADD_SEAL = Statement(
    "INSERT INTO seals (id, at, root, previous, signature) VALUES (:id, :at, :root, :previous, :signature)"
)
_ADD_HEADS = Statement(
    "INSERT INTO seal_heads (seal_id, case_id, count, head) SELECT seal_id, case_id, count, head FROM {heads}",
    {"heads": columns(seal_id="int", case_id="int", count="int", head="bytes")},
)


class Seal(NamedTuple):
    """The last seal: its number, and what the next one chains to."""

    number: int
    previous: bytes
    root: bytes
    at: int


async def helped_cases(transaction: Transaction, count: int) -> list[int]:
    """Cases that follow a goods record or transport of which there is another or a newer one now."""
    return [row.case_id for row in await transaction.run(_HELPED, count=count)]


async def contents(
    transaction: Transaction, sealer: Sealer, ids: Iterable[int]
) -> list[tuple[Declaration, Mapping[str, Any]]]:
    """Declarations with their content opened."""
    rows = await transaction.run(_CONTENTS, ids=[(each,) for each in ids])
    return [(declaration(row), json.loads(sealer.open(row.content))) for row in rows]


FIRST = Seal(0, START, START, 0)
"""What the first seal chains to."""


async def last_seal(transaction: Transaction) -> tuple[Seal, bytes]:
    """The last seal and its signature, or what stands before the first."""
    rows = await transaction.run(_LAST_SEAL)
    if not rows:
        return FIRST, b""
    return Seal(rows[0].id, bytes(rows[0].previous), bytes(rows[0].root), rows[0].at), bytes(rows[0].signature)


async def unsealed(transaction: Transaction, count: int) -> list[tuple[int, Chain]]:
    """Cases whose ledger went on since it was last sealed."""
    rows = await transaction.run(_UNSEALED, limit=count)
    return sorted(((row.id, Chain(row.ledger_count, bytes(row.ledger_head))) for row in rows), key=lambda each: each[0])


async def add_seal(
    transaction: Transaction,
    seal: Seal,
    signature: bytes,
    heads: Sequence[tuple[int, Chain]],
) -> None:
    """Store a seal and the heads it covers."""
    row = {"id": seal.number, "at": seal.at, "root": seal.root, "previous": seal.previous, "signature": signature}
    await transaction.run(_ADD_SEAL, **row)
    rows = [(seal.number, case_id, chain.count, chain.head) for case_id, chain in heads]
    await transaction.run(_ADD_HEADS, heads=rows)
    await transaction.run(_SEALED, heads=[(case_id, chain.count) for case_id, chain in heads])
