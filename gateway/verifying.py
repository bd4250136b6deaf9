"""Verifying the ledger: every chain from its first entry, every seal from its heads, in the database and outside."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import partial

from .evidence import CaseKey
from .ledger import Chain, Written, broken_entry, head_leaf, merkle_root
from .sealkey import SealKey
from .store.database import Database, Row, Statement, Transaction, in_transaction
from .store.tending import FIRST, Seal

SEAL_WRITTEN_S = 1.0
"""How long after it was stored a seal is surely written outside too."""
CHUNK = 500
"""Cases read at a time."""

# one statement, and so one moment: cases go on while they are verified
_CHAINS = Statement(
    """
    SELECT chunk.id, chunk.direction, chunk.scope, chunk.order_no, chunk.ledger_count, chunk.ledger_head,
        ledger.seq, ledger.body, ledger.hash
    FROM (
        SELECT id, direction, scope, order_no, ledger_count, ledger_head FROM cases
        WHERE id > :after ORDER BY id LIMIT :limit
    ) AS chunk
    LEFT JOIN ledger ON ledger.case_id = chunk.id
    ORDER BY chunk.id, ledger.seq
    """
)
_ORPHANS = Statement(
    """
    SELECT case_id, min(seq) AS seq FROM ledger WHERE case_id NOT IN (SELECT id FROM cases)
    GROUP BY case_id ORDER BY case_id
    """
)
_COUNT = Statement("SELECT count(*) AS cases FROM cases")
_SEALS = Statement("SELECT id, at, root, previous, signature FROM seals ORDER BY id")
_HEADS = Statement(
    """
    SELECT seal_heads.case_id, seal_heads.count AS entries, seal_heads.head, ledger.hash FROM seal_heads
    LEFT JOIN ledger ON ledger.case_id = seal_heads.case_id AND ledger.seq = seal_heads.count
    WHERE seal_heads.seal_id = :id ORDER BY seal_heads.case_id
    """
)


@dataclass(frozen=True, slots=True)
class Break:
    """Where the ledger does not hold: a case and the number of its entry, or a seal."""

    where: str
    entry: int
    zh: str
    en: str


@dataclass(slots=True)
class Progress:
    """How far verifying has come."""

    cases: int = 0
    entries: int = 0
    seals: int = 0
    total: int = 0


async def verify_ledger(database: Database, key: SealKey, progress: Progress) -> AsyncGenerator[Break]:
    """Verify everything, yielding each break as it is found; ``progress`` counts along."""
    progress.total = (await in_transaction(database, lambda tx: tx.run(_COUNT)))[0].cases
    after = 0
    while found := await in_transaction(database, partial(_chains, after=after)):
        for case_id, name, entries, chain in found:
            after = case_id
            progress.cases += 1
            progress.entries += len(entries)
            if (at := broken_entry(entries, chain, name)) is not None:
                yield Break(name, at, f"第 {at} 条记录与哈希链不符", f"entry {at} does not fit the hash chain")
    for row in await in_transaction(database, lambda tx: tx.run(_ORPHANS)):
        yield Break(f"case #{row.case_id}", row.seq, "记录所属的案卷不存在", "the case of the entries is gone")
    async for each in _seals(database, key, progress):
        yield each


async def _chains(transaction: Transaction, after: int) -> list[tuple[int, str, list[Written], Chain]]:
    found: dict[int, tuple[int, str, list[Written], Chain]] = {}
    for row in await transaction.run(_CHAINS, after=after, limit=CHUNK):
        if row.id not in found:
            name = str(CaseKey(row.direction, row.scope, row.order_no))
            found[row.id] = (row.id, name, [], Chain(row.ledger_count, bytes(row.ledger_head)))
        if row.seq is not None:
            found[row.id][2].append(Written(row.seq, row.body, bytes(row.hash)))
    return list(found.values())


async def _heads(transaction: Transaction, number: int) -> Sequence[Row]:
    return await transaction.run(_HEADS, id=number)


async def _seals(database: Database, key: SealKey, progress: Progress) -> AsyncGenerator[Break]:
    # a seal enters the database first: what stands outside before is there, what is there stands outside soon
    before = {each.number for each in key.written()}
    stored = await in_transaction(database, lambda tx: tx.run(_SEALS))
    if stored and stored[-1].id not in {each.number for each in key.written()}:
        await asyncio.sleep(SEAL_WRITTEN_S)
    outside = {each.number: each for each in key.written()}
    last = FIRST
    for row in stored:
        progress.seals += 1
        seal = Seal(row.id, bytes(row.previous), bytes(row.root), row.at)
        number = row.id
        heads = await in_transaction(database, partial(_heads, number=number))
        chains = [(head.case_id, Chain(head.entries, bytes(head.head))) for head in heads]
        expected = key.next_seal(last, chains, seal.at)
        last = seal
        for head in heads:
            if head.hash is None or bytes(head.hash) != bytes(head.head):
                where = f"seal {number}, case #{head.case_id}"
                yield Break(where, head.entries, "封印之后该条记录被改动", "the entry was changed after it was sealed")
        root = merkle_root([head_leaf(case_id, chain) for case_id, chain in chains])
        if root != seal.root or expected != seal:
            yield _broken(number, "封印与其内容或前一封印不符", "the seal does not fit its heads or the one before")
        if not key.verifies(seal, bytes(row.signature)):
            yield _broken(number, "封印签名无效", "the signature of the seal does not verify")
        written = outside.pop(number, None)
        if written is None or (written.root, written.signature) != (seal.root, bytes(row.signature)):
            yield _broken(number, "封印与库外留存的不一致", "the seal differs from the copy kept outside")
    for number in before & outside.keys():
        yield _broken(number, "库外有此封印，库内没有", "this seal is kept outside but gone from the database")


def _broken(number: int, zh: str, en: str) -> Break:
    return Break(f"seal {number}", 0, zh, en)
