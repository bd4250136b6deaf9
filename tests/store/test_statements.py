"""Statements: written once, rendered for both dialects, and the same values out of every store."""

import re
from dataclasses import replace
from typing import Any

import pytest

from tongguan.gateway.store import cases, decisions, documents, due, gates, messages, results, tending
from tongguan.gateway.store.database import Database, Statement, columns, in_transaction

ECHO = Statement(
    "SELECT rows.num, rows.word, rows.data, rows.flag FROM {rows} WHERE true ORDER BY rows.num",
    {"rows": columns(num="int", word="text", data="bytes", flag="bool")},
)
TWO = Statement(
    "SELECT a.id AS one, b.id AS other FROM {a} JOIN {b} ON a.id = b.id ORDER BY a.id",
    {"a": columns(id="int"), "b": columns(id="int")},
)


def test_postgresql_gets_one_array_for_each_column() -> None:
    assert ECHO.for_postgresql() == (
        "SELECT rows.num, rows.word, rows.data, rows.flag FROM unnest(CAST(:rows_num AS bigint[]), "
        "CAST(:rows_word AS text[]), CAST(:rows_data AS bytea[]), CAST(:rows_flag AS boolean[])) "
        "AS rows(num, word, data, flag) WHERE true ORDER BY rows.num"
    )


def test_sqlite_gets_one_json_text_for_all_rows() -> None:
    assert ECHO.for_sqlite() == (
        "SELECT rows.num, rows.word, rows.data, rows.flag FROM (SELECT value->>0 AS num, value->>1 AS word, "
        "from_hex(value->>2) AS data, value->>3 AS flag FROM json_each(:rows)) AS rows WHERE true ORDER BY rows.num"
    )


def test_locks_are_for_postgresql_only() -> None:
    statement = Statement("SELECT 1 {lock}; SELECT 2 {skip}")

    assert statement.for_postgresql() == "SELECT 1 FOR UPDATE; SELECT 2 FOR UPDATE SKIP LOCKED"
    assert statement.for_sqlite().strip() == "SELECT 1 ; SELECT 2"


TEXTS = [
    "", "章春苗", "O'Neil \"x\" \\ %s %(a)s :rows {lock} $1 ?", "a\tb\nc", "𠮷 e\u0301 é", "null", "true", "12", "1e3",
    "\u2028", "[1]",
]  # fmt: skip


INTEGERS = [0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)]
BYTES = [b"", b"\0", bytes(range(256)), b"'\"\\x41"]


async def _echoed(database: Database, *rows: tuple[Any, ...]) -> list[Any]:
    return list(await in_transaction(database, lambda tx: tx.run(ECHO, rows=rows)))


async def test_texts_come_back_as_they_went_in(empty: Database) -> None:
    rows = await _echoed(empty, *((n, text, b"", True) for n, text in enumerate(TEXTS)))

    assert [row.word for row in rows] == TEXTS


async def test_integers_come_back_exactly(empty: Database) -> None:
    rows = await _echoed(empty, *((number, "", b"", False) for number in INTEGERS))

    assert [row.num for row in rows] == sorted(INTEGERS)


async def test_bytes_come_back_exactly(empty: Database) -> None:
    rows = await _echoed(empty, *((n, "", data, False) for n, data in enumerate(BYTES)))

    assert [bytes(row.data) for row in rows] == BYTES


async def test_nothing_comes_back_as_nothing(empty: Database) -> None:
    rows = await _echoed(empty, (None, None, None, None))

    assert [tuple(row) for row in rows] == [(None, None, None, None)]


async def test_truth_comes_back_as_truth(empty: Database) -> None:
    rows = await _echoed(empty, (1, "", b"", True), (2, "", b"", False))

    assert [bool(row.flag) for row in rows] == [True, False]


@pytest.mark.parametrize("count", [1, 5000])
async def test_any_number_of_rows_is_one_statement(empty: Database, count: int) -> None:
    seen: list[Any] = []
    empty.observe = seen.append

    rows = await in_transaction(empty, lambda tx: tx.run(ECHO, rows=[(n, str(n), b"x", True) for n in range(count)]))

    assert [(row.num, row.word) for row in rows] == [(n, str(n)) for n in range(count)]
    assert seen == [ECHO]


async def test_a_statement_that_is_given_no_row_is_not_sent(empty: Database) -> None:
    seen: list[Any] = []
    empty.observe = seen.append

    assert list(await in_transaction(empty, lambda tx: tx.run(ECHO, rows=[]))) == []
    assert seen == []


async def test_a_statement_that_is_given_rows_for_one_of_its_lists_is_sent(empty: Database) -> None:
    seen: list[Any] = []
    empty.observe = seen.append

    await in_transaction(empty, lambda tx: tx.run(TWO, a=[(1,)], b=[]))

    assert seen == [TWO]


async def test_a_statement_that_does_something_without_rows_is_sent_without_any(empty: Database) -> None:
    statement = Statement("SELECT count(*) AS number FROM {a}", {"a": columns(x="int")}, without_rows=True)

    rows = await in_transaction(empty, lambda tx: tx.run(statement, a=[]))

    assert [row.number for row in rows] == [0]


async def test_two_lists_of_rows_do_not_mix(empty: Database) -> None:
    rows = await in_transaction(empty, lambda tx: tx.run(TWO, a=[(1,), (2,), (3,)], b=[(2,), (3,), (4,)]))

    assert [tuple(row) for row in rows] == [(2, 2), (3, 3)]


ALL = {
    f"{module.__name__.rpartition('.')[2]}{name}": value
    for module in (cases, decisions, documents, due, gates, messages, results, tending)
    for name, value in vars(module).items()
    if isinstance(value, Statement)
}


async def test_every_statement_of_the_store_runs_on_every_store_with_no_rows(database: Database) -> None:
    """No rows, no names, no times: what is asked for is nothing, and every dialect understands the question."""

    async def work(transaction: Any) -> None:
        for statement in ALL.values():
            plain = set(re.findall(r"(?<![:\w]):(\w+)", statement.text)) - set(statement.given)
            values: dict[str, Any] = {name: _PLAIN.get(name, 0) for name in plain}
            sent = replace(statement, without_rows=True)
            await transaction.run(sent, **values, **{name: [] for name in statement.given})
        raise _EnoughError

    with pytest.raises(_EnoughError):
        await in_transaction(database, work)


_PLAIN = {
    "eport": "hangzhou-9610",
    "owner": "x",
    "state": "paused",
    "reason": "x",
    "actor": "x",
    "root": b"",
    "previous": b"",
    "signature": b"",
}


class _EnoughError(Exception):
    """Everything ran; nothing is to be kept."""


@pytest.mark.parametrize("name", ALL)
def test_no_statement_reads_without_bounds_what_only_grows(name: str) -> None:
    """A statement is bounded by the rows it is given, by a LIMIT, or by one row's key; lanes are few."""
    statement = ALL[name]
    text = statement.text.replace("EXISTS (SELECT 1 FROM results", "")
    reads = re.search(r"\bFROM (messages|declarations|due|wants|results|receipts|ledger|documents)\b", text)
    bounded = statement.given or re.search(r"\bLIMIT\b|count\(\*\)|WHERE \w*\.?(id|case_id) = :", text)

    assert bounded or not reads
