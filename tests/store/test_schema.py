"""The schema: migrations build exactly the tables, once, whoever else is at it."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command, op
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import IntegrityError

from tongguan.gateway.store.database import Database, Statement, in_transaction
from tongguan.gateway.store.schema import _config, migrate, newest, revision
from tongguan.gateway.store.sqlite import SqliteDatabase
from tongguan.gateway.store.tables import metadata


async def _inspected(database: Database, look: Callable[[sa.Connection], Any]) -> Any:
    engine: Any = getattr(database, "engine", None)
    if isinstance(database, SqliteDatabase):
        with engine.connect() as connection:
            return look(connection)
    async with engine.connect() as connection:
        return await connection.run_sync(look)


async def test_an_empty_store_has_no_revision_and_gets_the_newest(empty: Database) -> None:
    assert await revision(empty) is None

    assert await migrate(empty) == (None, newest())
    assert await revision(empty) == newest()


@pytest.fixture
async def migrated(empty: Database) -> Database:
    """A store that was migrated just now."""
    await migrate(empty)
    return empty


async def test_migrating_again_changes_nothing(migrated: Database) -> None:
    await in_transaction(
        migrated, lambda tx: tx.run(Statement("INSERT INTO parties (code, body, changed_at) VALUES ('a', '{{}}', 0)"))
    )

    assert await migrate(migrated) == (newest(), newest())
    assert len(await in_transaction(migrated, lambda tx: tx.run(Statement("SELECT * FROM parties")))) == 1


async def test_a_store_filled_under_an_earlier_revision_keeps_all_and_goes_on(
    empty: Database, benches: Any, triples: Any, tmp_path: Path
) -> None:
    await _migrated_to("0001", empty)
    bench = benches.Bench(empty, triples, tmp_path)
    await bench.match()
    before = await bench.rows("SELECT kind, key, version FROM documents ORDER BY id")

    assert await migrate(empty) == ("0001", newest())

    assert await bench.rows("SELECT kind, key, version FROM documents ORDER BY id") == before
    assert await bench.dispatch() == 3
    assert (await bench.case()).status == "declaring"


async def _migrated_to(target: str, database: Any) -> None:
    def upgrade(connection: sa.Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, target)

    if isinstance(database, SqliteDatabase):
        with database.exclusive() as connection:
            upgrade(connection)
        return
    async with database.engine.begin() as connection:
        await connection.run_sync(upgrade)


async def test_the_migrations_build_exactly_the_tables(migrated: Database) -> None:
    def compare(connection: sa.Connection) -> Any:
        options = {"compare_type": True, "compare_server_default": True, "render_as_batch": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    assert await _inspected(migrated, compare) == []


async def test_partial_indexes_are_partial(migrated: Database) -> None:
    def partial(connection: sa.Connection) -> set[str]:
        inspector = sa.inspect(connection)
        return {
            str(index["name"])
            for table in metadata.tables
            for index in inspector.get_indexes(table)
            if index.get("dialect_options", {}).get(f"{connection.dialect.name}_where") is not None
        }

    assert await _inspected(migrated, partial) == {"ix_cases_unsealed", "ix_results_waiting"}


@pytest.mark.services
async def test_texts_sort_by_bytes_in_postgresql(postgres_url: str, opened: Callable[[str], Database]) -> None:
    database = opened(postgres_url)
    await migrate(database)

    rows = await in_transaction(
        database,
        lambda tx: tx.run(
            Statement(
                "SELECT table_name, column_name, collation_name FROM information_schema.columns "
                "WHERE table_schema = 'public' AND data_type = 'text' AND table_name <> 'alembic_version'"
            )
        ),
    )

    assert {row.collation_name for row in rows} == {"C"}


@pytest.mark.services
async def test_several_processes_may_migrate_one_server_at_once(
    postgres_url: str, opened: Callable[[str], Database]
) -> None:
    found = await asyncio.gather(*(migrate(opened(postgres_url)) for _ in range(4)))

    assert sorted(before or "" for before, _ in found) == ["", *[newest()] * 3]


_MIGRATE = """
import asyncio, sys
from tongguan.gateway.composition import open_database
from tongguan.gateway.store.schema import migrate
print(asyncio.run(migrate(open_database(sys.argv[1])))[1])
"""


async def test_several_processes_may_migrate_one_file_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    started = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", _MIGRATE, url, stdout=subprocess.PIPE)
        for _ in range(3)
    ]

    said = await asyncio.gather(*(each.communicate() for each in started))

    assert [(each.returncode, out.decode().strip()) for each, (out, _) in zip(started, said, strict=True)] == [
        (0, newest())
    ] * 3


async def test_a_migration_that_is_cut_off_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = SqliteDatabase(str(tmp_path / "store.db"))
    real, made = op.create_table, []

    def create(*args: Any, **kw: Any) -> Any:
        made.append(args[0])
        if len(made) == 5:
            raise KeyboardInterrupt
        return real(*args, **kw)

    monkeypatch.setattr(op, "create_table", create)
    with pytest.raises(KeyboardInterrupt):
        await migrate(database)
    monkeypatch.undo()

    assert await migrate(database) == (None, newest())
    await database.close()


TWICE = [
    ("parties", "INSERT INTO parties (code, body, changed_at) VALUES ('a', '{}', 0)"),
    ("documents", ("INSERT INTO documents (id, kind, key, generation, version, app_time, withdrawn, sender, first_at, "
     "changed_at) VALUES (%d, 'order', 'a/b', 1, 1, 0, false, 'x', 0, 0)")),
    ("cases", ("INSERT INTO cases (id, direction, scope, order_no, status, verdict, flags, party, quota_amount, "
     "ledger_count, ledger_head, sealed_count, result_count, created_at, changed_at) VALUES "
     "(%d, 'import', 'a', 'b', 'waiting', 'waiting', '', 'x', 0, 0, '', 0, 0, 0, 0)")),
    ("declarations", ("INSERT INTO declarations (id, case_id, document_id, document_version, message_type, attempt, "
     "app_type, state, eport, declarant, guid, business_key, digest, content, changed_at) VALUES "
     "(%d, 1, 1, 1, 'CEB311Message', 1, '1', 'ready', 'e', 'd', 'g', 'k', '', '', 0)")),
    ("results", "INSERT INTO results (case_id, seq, lane, routing_key, body, at) VALUES (1, 1, 1, 'k', '{}', 0)"),
    ("ledger", "INSERT INTO ledger (case_id, seq, body, hash) VALUES (1, 1, '{}', '')"),
    ("inbound", ("INSERT INTO inbound (id, eport, file_name, sha256, notes, at, content) VALUES "
     "(%d, 'e', 'f', '', '[]', 0, '')")),
    ("link_keys", "INSERT INTO link_keys (kind, value) VALUES ('order', 'a')"),
    ("quota", "INSERT INTO quota (person, year, amount) VALUES ('', 2024, 0)"),
    ("due", "INSERT INTO due (kind, key, at) VALUES ('late', 1, 0)"),
    ("seals", "INSERT INTO seals (id, at, root, previous, signature) VALUES (1, 0, '', '', '')"),
]  # fmt: skip


async def test_the_store_itself_refuses_a_second_of_what_there_is_one(database: Database) -> None:
    for table, insert in TWICE:
        first, second = ((insert % id_ if "%d" in insert else insert).replace("{}", "{{}}") for id_ in (1, 2))

        await in_transaction(database, lambda tx, text=first: tx.run(Statement(text)))
        with pytest.raises(IntegrityError):
            await in_transaction(database, lambda tx, text=second: tx.run(Statement(text)))

        (row,) = await in_transaction(
            database, lambda tx, name=table: tx.run(Statement(f"SELECT count(*) AS n FROM {name}"))
        )
        assert (table, row.n) == (table, 1)


async def test_results_are_numbered_in_the_order_they_are_written(database: Database) -> None:
    insert = Statement(
        "INSERT INTO results (case_id, seq, lane, routing_key, body, at) VALUES (:c, 1, 1, 'k', '{{}}', 0)"
    )
    for case in (7, 3, 5):
        await in_transaction(database, lambda tx, case=case: tx.run(insert, c=case))

    rows = await in_transaction(database, lambda tx: tx.run(Statement("SELECT case_id FROM results ORDER BY id")))
    assert [row.case_id for row in rows] == [7, 3, 5]
