"""Bringing a database to the schema of this release."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from .database import Database
from .postgresql import PostgresqlDatabase
from .sqlite import SqliteDatabase

_LOCK = 7_013_018
"""A PostgreSQL advisory lock: several processes may migrate at once, one does."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return config


def newest() -> str:
    """The revision this release needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _upgrade(connection: sa.Connection) -> str | None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    before = MigrationContext.configure(connection).get_current_revision()
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return before


async def migrate(database: Database) -> tuple[str | None, str]:
    """Upgrade the database; returns the revisions it had and has."""
    if isinstance(database, SqliteDatabase):
        with database.exclusive() as connection:
            before = _upgrade(connection)
    elif isinstance(database, PostgresqlDatabase):
        async with database.engine.begin() as asynchronous:
            before = await asynchronous.run_sync(_upgrade)
    else:
        raise TypeError("unknown database")
    return before, newest()


async def revision(database: Database) -> str | None:
    """The revision a database has, or None when it has none."""
    if isinstance(database, SqliteDatabase):
        with database.engine.connect() as connection:
            return _revision(connection)
    if isinstance(database, PostgresqlDatabase):
        async with database.engine.connect() as asynchronous:
            return await asynchronous.run_sync(_revision)
    raise TypeError("unknown database")


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
