"""What is damaged: the deliveries of an example set and the receipts that came back for one."""

import importlib.util
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tongguan.gateway.sample.generate import generate
from tongguan.gateway.steps.intake import Intake
from tongguan.gateway.store.sqlite import SqliteDatabase
from tongguan.gateway.store.tables import metadata

COUNT, SEED = "TONGGUAN_TEST_HOSTILE", "TONGGUAN_TEST_HOSTILE_SEED"
NOW = 1_767_571_200_000


@pytest.fixture(scope="session")
def mutating() -> ModuleType:
    """The damage that is done."""
    spec = importlib.util.spec_from_file_location("tongguan_mutating", Path(__file__).with_name("mutating.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def count() -> int:
    """How many damaged inputs are tried."""
    return int(os.environ.get(COUNT, "3000"))


@pytest.fixture(scope="session")
def seed() -> int:
    """What the damage is drawn from."""
    return int(os.environ.get(SEED, "1"))


@pytest.fixture(scope="session")
def deliveries() -> list[Any]:
    """Every delivery of an example set."""
    return list(generate(3, NOW, 0).deliveries)


@pytest.fixture(scope="session")
def receipts() -> list[bytes]:
    """A message of every kind that may lie in an inbox."""
    return [each.read_bytes() for each in sorted((Path(__file__).parents[1] / "data" / "ceb").glob("*.xml"))]


@pytest.fixture
async def hostile_bench(triples: Any, benches: Any, tmp_path: Path) -> AsyncIterator[Any]:
    """A gateway that takes whatever it is given."""
    database = SqliteDatabase(":memory:")
    metadata.create_all(database.engine)
    bench = benches.Bench(database, triples, tmp_path)
    bench.take = Intake(bench.gateway).take
    yield bench
    await database.close()
