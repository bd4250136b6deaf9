"""A batch runs the same few statements whatever its size, on either store."""

from collections import Counter
from typing import Any

import pytest

from tongguan.gateway.store.database import Statement

MIX = ("order", "payment", "waybill")
STATEMENTS_MAX = 45
"""A handful per transaction; a new statement is a round trip for every batch there will ever be."""


async def _statements(bench: Any, first: int, documents: int) -> Counter[Statement]:
    """The statements one batch runs: documents of three kinds, some twice, some faulty, some changed in the batch."""
    content, seen = bench.triples.content, Counter[Statement]()
    each = documents // 10
    numbers = range(first, first + each)
    batch = [
        *(bench.delivery(kind, *(content(kind, n) for n in numbers)) for kind in MIX),
        bench.delivery("order", *(content("order", n) for n in numbers)),
        bench.delivery("order", *(content("order", n, x="1") for n in numbers)),
        bench.delivery("order", *(content("order", n, note="冲突") for n in numbers)),
        *(
            bench.delivery(kind, *(content(kind, n, appType="2", appTime="20240309093000", note="改") for n in numbers))
            for kind in MIX
        ),
        bench.delivery("payment", *(content("payment", n + 5000) for n in numbers)),
    ]
    await bench.gateway.mint.ensure(1)
    bench.database.observe = lambda statement: seen.update([statement])
    await bench.take(*batch)
    bench.database.observe = None
    return seen


async def test_a_batch_of_10_and_one_of_300_documents_run_the_same_statements(bench: Any) -> None:
    for kind in ("goods", "transport"):
        await bench.push(kind, bench.triples.content(kind))

    small = await _statements(bench, 1, 10)
    large = await _statements(bench, 1001, 300)

    assert small == large
    assert set(small.values()) == {1}
    assert sum(small.values()) <= STATEMENTS_MAX


async def test_a_batch_that_touches_nothing_new_runs_no_more_of_them(bench: Any) -> None:
    content = bench.triples.content
    await bench.match()

    seen = Counter[Statement]()
    bench.database.observe = lambda statement: seen.update([statement])
    await bench.take(*(bench.delivery(kind, content(kind)) for kind in MIX))

    assert sum(seen.values()) <= STATEMENTS_MAX


@pytest.mark.parametrize(("one", "many"), [(1, 30)])
async def test_packing_settling_and_receiving_run_the_same_statements_for_one_declaration_or_many(
    bench: Any, one: int, many: int
) -> None:
    content, counts = bench.triples.content, []
    for kind in ("goods", "transport"):
        await bench.push(kind, content(kind))
    for first, count in ((1, one), (1001, many)):
        numbers = range(first, first + count)
        for kind in MIX:
            await bench.push(kind, *(content(kind, number) for number in numbers))
        seen = Counter[Statement]()
        bench.database.observe = lambda statement, seen=seen: seen.update([statement])
        await bench.dispatch()
        rows = [(await bench.attempts("311", number))[0] for number in numbers]
        bench.later(60_000)
        bench.answer("312", [bench.receipt(row, "120") for row in rows])
        await bench.receive()
        counts.append(
            Counter(
                {statement: n for statement, n in seen.items() if "ORDER BY declarations.attempt" not in statement.text}
            )
        )

    assert counts[0] == counts[1]


async def test_a_document_alone_runs_no_more_than_a_batch(bench: Any) -> None:
    seen = Counter[Statement]()
    bench.database.observe = lambda statement: seen.update([statement])

    await bench.push("order", bench.triples.content("order"))

    assert sum(seen.values()) <= STATEMENTS_MAX
