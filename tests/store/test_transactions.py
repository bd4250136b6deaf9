"""Transactions: all or nothing, one after the other where they meet, and again where one lost a race."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from tongguan.gateway.store.database import ATTEMPTS_MAX, Database, Statement, columns, in_transaction
from tongguan.gateway.store.schema import migrate
from tongguan.gateway.store.sqlite import SqliteDatabase

PUT = Statement(
    "INSERT INTO parties (code, body, changed_at) SELECT code, body, 0 FROM {rows}",
    {"rows": columns(code="text", body="text")},
)
ADD = Statement("UPDATE parties SET changed_at = changed_at + 1 WHERE code = :code")
ALL = Statement("SELECT code, changed_at FROM parties ORDER BY code")


async def _codes(database: Database) -> list[str]:
    return [row.code for row in await in_transaction(database, lambda tx: tx.run(ALL))]


async def _put(database: Database, *codes: str) -> None:
    await in_transaction(database, lambda tx: tx.run(PUT, rows=[(code, "{}") for code in codes]))


async def test_what_was_done_in_a_transaction_stays(database: Database) -> None:
    await _put(database, "a", "b")

    assert await _codes(database) == ["a", "b"]


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, KeyboardInterrupt])
async def test_whatever_ends_it_early_leaves_nothing_behind(database: Database, error: type[BaseException]) -> None:
    async def work(transaction: Any) -> None:
        await transaction.run(PUT, rows=[("a", "{}")])
        raise error

    with pytest.raises(error):
        await in_transaction(database, work)

    assert await _codes(database) == []


async def test_a_statement_that_fails_leaves_nothing_behind_and_the_store_usable(database: Database) -> None:
    with pytest.raises(IntegrityError):
        await _put(database, "a", "b", "a")
    await _put(database, "c")

    assert await _codes(database) == ["c"]


async def test_no_update_is_lost_between_tasks(database: Database) -> None:
    await _put(database, "a")

    async def work(transaction: Any) -> None:
        await transaction.run(ADD, code="a")
        await asyncio.sleep(0)

    await asyncio.gather(*(in_transaction(database, work) for _ in range(40)))

    (row,) = await in_transaction(database, lambda tx: tx.run(ALL))
    assert row.changed_at == 40


async def test_transactions_of_many_tasks_do_not_see_each_other_s_middle(database: Database) -> None:
    seen: list[int] = []

    async def writer(name: str) -> None:
        async def work(transaction: Any) -> None:
            await transaction.run(PUT, rows=[(f"{name}1", "{}")])
            await asyncio.sleep(0.005)
            await transaction.run(PUT, rows=[(f"{name}2", "{}")])

        await in_transaction(database, work)

    async def reader() -> None:
        for _ in range(10):
            seen.append(len(await _codes(database)))
            await asyncio.sleep(0.002)

    await asyncio.gather(writer("a"), writer("b"), reader())

    assert all(count % 2 == 0 for count in seen)


async def test_a_transaction_within_a_transaction_of_the_same_task_does_not_wait_for_itself(database: Database) -> None:
    """SQLite runs one at a time: a nested one would wait for ever for the outer one to end."""

    async def work(transaction: Any) -> str:
        await transaction.run(PUT, rows=[("a", "{}")])
        try:
            async with asyncio.timeout(2):
                await in_transaction(database, lambda inner: inner.run(ALL))
        except TimeoutError:
            return "waited"
        except Exception as refused:  # noqa: BLE001 - refusing is as good as running
            return type(refused).__name__
        return "ran"

    assert await in_transaction(database, work) != "waited"


class TestLostRaces:
    @staticmethod
    def _lost() -> DBAPIError:
        return OperationalError("COMMIT", {}, sqlite3.OperationalError("database is locked"))

    async def test_work_that_lost_a_race_is_run_again_from_the_start(self, database: Database) -> None:
        runs: list[int] = []

        async def work(transaction: Any) -> int:
            runs.append(1)
            await transaction.run(PUT, rows=[("a", "{}")])
            if len(runs) < 3:
                raise self._lost()
            return len(runs)

        assert await in_transaction(database, work) == 3
        assert await _codes(database) == ["a"]

    async def test_it_is_not_run_for_ever(self, database: Database) -> None:
        runs: list[int] = []

        async def work(_: Any) -> None:
            runs.append(1)
            raise self._lost()

        with pytest.raises(OperationalError):
            await in_transaction(database, work)
        assert len(runs) == ATTEMPTS_MAX

    async def test_an_error_of_the_work_itself_is_not_tried_again(self, database: Database) -> None:
        runs: list[int] = []

        async def work(transaction: Any) -> None:
            runs.append(1)
            await transaction.run(PUT, rows=[("a", "{}"), ("a", "{}")])

        with pytest.raises(IntegrityError):
            await in_transaction(database, work)
        assert len(runs) == 1

    @pytest.mark.services
    async def test_two_that_wait_for_each_other_both_end(
        self, postgres_url: str, opened: Callable[[str], Database]
    ) -> None:
        database = opened(postgres_url)
        await migrate(database)
        await _put(database, "a", "b")
        runs: list[str] = []

        async def work(transaction: Any, first: str, second: str) -> None:
            runs.append(first)
            await transaction.run(ADD, code=first)
            await asyncio.sleep(0.1)
            await transaction.run(ADD, code=second)

        await asyncio.gather(
            in_transaction(database, lambda tx: work(tx, "a", "b")),
            in_transaction(database, lambda tx: work(tx, "b", "a")),
        )

        rows = await in_transaction(database, lambda tx: tx.run(ALL))
        assert [row.changed_at for row in rows] == [2, 2]
        assert len(runs) == 3


class TestSqlite:
    async def test_another_process_that_writes_is_waited_for(self, tmp_path: Path) -> None:
        one, other = (SqliteDatabase(str(tmp_path / "s.db")) for _ in range(2))
        with one.engine.connect() as connection:
            connection.execute(sa.text("CREATE TABLE parties (code, body, changed_at)"))
        loop = asyncio.get_running_loop()

        held = sqlite3.connect(tmp_path / "s.db", isolation_level=None, check_same_thread=False)
        held.execute("BEGIN IMMEDIATE")
        ending = loop.run_in_executor(None, lambda: (time.sleep(0.3), held.execute("COMMIT")))
        await _put(other, "a")

        await ending
        assert await _codes(one) == ["a"]
        held.close()
        for each in (one, other):
            await each.close()

    async def test_a_commit_that_fails_leaves_the_store_usable(self, tmp_path: Path) -> None:
        database = SqliteDatabase(str(tmp_path / "s.db"))
        with database.engine.connect() as connection:
            connection.execute(sa.text("CREATE TABLE a (id INTEGER PRIMARY KEY)"))
            connection.execute(sa.text("CREATE TABLE b (a INTEGER REFERENCES a DEFERRABLE INITIALLY DEFERRED)"))

        with pytest.raises(IntegrityError):
            await in_transaction(database, lambda tx: tx.run(Statement("INSERT INTO b VALUES (1)")))
        await in_transaction(database, lambda tx: tx.run(Statement("INSERT INTO a VALUES (1)")))

        (row,) = await in_transaction(database, lambda tx: tx.run(Statement("SELECT count(*) AS n FROM a")))
        assert row.n == 1
        await database.close()

    async def test_the_error_of_a_transaction_that_sqlite_ended_itself_is_the_one_that_is_raised(
        self, tmp_path: Path
    ) -> None:
        database = SqliteDatabase(str(tmp_path / "s.db"))
        with database.engine.connect() as connection:
            connection.execute(sa.text("CREATE TABLE a (id INTEGER PRIMARY KEY)"))

        async def work(transaction: Any) -> None:
            await transaction.run(Statement("INSERT INTO a VALUES (1)"))
            await transaction.run(Statement("INSERT OR ROLLBACK INTO a VALUES (1)"))

        with pytest.raises(IntegrityError):
            await in_transaction(database, work)
        await database.close()

    async def test_a_new_file_can_be_read_by_its_owner_only(self, tmp_path: Path) -> None:
        database = SqliteDatabase(str(tmp_path / "new" / "s.db"))

        await in_transaction(database, lambda tx: tx.run(Statement("CREATE TABLE a (id)")))

        modes = {each.name: each.stat().st_mode & 0o077 for each in (tmp_path / "new").iterdir()}
        assert set(modes.values()) == {0}
        await database.close()

    async def test_what_was_committed_survives_the_process(self, tmp_path: Path) -> None:
        database = SqliteDatabase(str(tmp_path / "s.db"))
        pragmas = {}
        with database.engine.connect() as connection:
            for name in ("journal_mode", "synchronous", "busy_timeout"):
                pragmas[name] = connection.execute(sa.text(f"PRAGMA {name}")).scalar()

        assert pragmas == {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 10_000}
        await database.close()
