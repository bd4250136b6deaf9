"""Every kind of store: SQLite in memory, SQLite in a file, PostgreSQL; and a gateway on a bench over each."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tongguan.gateway.composition import open_database
from tongguan.gateway.store.database import Database
from tongguan.gateway.store.schema import migrate
from tongguan.gateway.store.sqlite import SqliteDatabase
from tongguan.gateway.store.tables import metadata

KINDS = ["memory", "file", pytest.param("postgresql", marks=pytest.mark.services)]


@pytest.fixture(scope="session")
def postgres_templates() -> dict[str, str]:
    """The database of this session that has the tables already; others are copied from it."""
    return {}


@pytest.fixture
async def migrated_url(postgresql: Any, postgres_templates: dict[str, str]) -> AsyncIterator[str]:
    """The URL of a PostgreSQL database of its own that has the tables."""
    if not postgres_templates:
        postgres_templates["url"] = await postgresql.new_database()
        made = open_database(postgres_templates["url"])
        await migrate(made)
        await made.close()
    url = await postgresql.new_database(postgres_templates["url"].rpartition("/")[2])
    yield url
    await postgresql.drop_database(url)


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of each kind of store in turn, empty."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres_url")
    return "sqlite:///:memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
async def opened() -> AsyncIterator[Callable[[str], Database]]:
    """Open a store by its URL; all are closed in the end."""
    databases: list[Database] = []

    def make(url: str) -> Database:
        databases.append(open_database(url))
        return databases[-1]

    yield make
    for each in databases:
        await each.close()


@pytest.fixture
async def empty(url: str, opened: Callable[[str], Database]) -> Database:
    """A store without tables."""
    return opened(url)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path, opened: Callable[[str], Database]) -> Database:
    """Each kind of store in turn, with the tables of this release."""
    if request.param == "postgresql":
        return opened(request.getfixturevalue("migrated_url"))
    made = opened("sqlite:///:memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'store.db'}")
    if isinstance(made, SqliteDatabase):
        metadata.create_all(made.engine)
    return made


@pytest.fixture
def bench(database: Database, benches: Any, triples: Any, tmp_path: Path) -> Any:
    """A gateway on a bench over the store."""
    return benches.Bench(database, triples, tmp_path)


@pytest.fixture
def content(triples: Any) -> Any:
    """Make the content of one document as it is pushed."""
    return triples.content
