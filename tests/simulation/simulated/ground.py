"""The ground all worlds stand on: the operators' folder of the example set, its keys, and a store that is new."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tongguan.adapters.signing.keyring import load_signers
from tongguan.adapters.signing.signers import Signer
from tongguan.gateway.assembly import Configuration, configure, prepared
from tongguan.gateway.directory import record_parties
from tongguan.gateway.sample.operators import write_operators
from tongguan.gateway.store.database import in_transaction
from tongguan.gateway.store.sqlite import SqliteDatabase


@dataclass(frozen=True, slots=True)
class Ground:
    """What all worlds share: the operators' folder, its keys, and a store that is new but for its parties."""

    folder: Path
    configuration: Configuration
    signers: Mapping[str, Mapping[str, Signer]]
    database: SqliteDatabase
    template: sqlite3.Connection

    @classmethod
    def prepare(cls, folder: Path, at_ms: int) -> "Ground":
        """Write the operators' folder of the example set, and read it."""
        write_operators(folder / "operators")
        with (folder / "operators" / "tongguan.toml").open("a", encoding="utf-8") as file:
            file.write(f"data_folder = {json.dumps(str(folder))}\n")
        configuration = configure(folder / "operators", {})
        serials = iter(range(1, 1000))
        signers = {
            each.name: load_signers(each, {}, at_ms=at_ms, new_serial=lambda: next(serials))
            for each in configuration.eports
        }
        database, template = SqliteDatabase(":memory:"), sqlite3.connect(":memory:")

        async def fill() -> None:
            await prepared(database)
            await in_transaction(database, lambda tx: record_parties(tx, configuration.parties, at_ms))

        asyncio.run(fill())
        _raw(database).backup(template)
        return cls(folder, configuration, signers, database, template)

    def renew(self) -> None:
        """An empty store and empty folders."""
        self.template.backup(_raw(self.database))
        self.database._one_at_a_time = asyncio.Lock()  # the old one belongs to another loop
        for name in ("eports", "simulator"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        self.seals.unlink(missing_ok=True)

    @property
    def seals(self) -> Path:
        """The file of seals."""
        return self.folder / "seals.jsonl"


def _raw(database: SqliteDatabase) -> sqlite3.Connection:
    return cast("sqlite3.Connection", database.engine.raw_connection().driver_connection)
