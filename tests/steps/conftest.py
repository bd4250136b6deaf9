"""A gateway on a bench, on SQLite in memory unless a test asks for another store."""

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tongguan.gateway.store.sqlite import SqliteDatabase
from tongguan.gateway.store.tables import metadata
from tongguan.queue.bus import Delivery
from tongguan.queue.embedded import EmbeddedBus
from tongguan.queue.topology import topology


@pytest.fixture
async def bench_with(triples: Any, benches: Any, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Make a bench with other settings: ``bench_with(receive_files_max=1)``."""
    databases: list[SqliteDatabase] = []

    def make(**settings: Any) -> Any:
        database = SqliteDatabase(":memory:")
        metadata.create_all(database.engine)
        databases.append(database)
        return benches.Bench(database, triples, tmp_path, **settings)

    yield make
    for each in databases:
        await each.close()


@pytest.fixture
def bench(bench_with: Callable[..., Any]) -> Any:
    """A gateway with an empty store."""
    return bench_with()


@pytest.fixture
def content(triples: Any) -> Any:
    """Make the content of one document as it is pushed."""
    return triples.content


@pytest.fixture
async def bus() -> AsyncIterator[EmbeddedBus]:
    """An open bus in memory with the gateway's topology."""
    plain = bytes
    async with EmbeddedBus(":memory:", seal=plain, unseal=plain, now_ms=lambda: time.time_ns() // 1_000_000) as made:
        await made.declare(
            topology(
                ("youxuan", "suda", "fubao", "guanyi"),
                delivery_limit=3,
                intake_length_max=1000,
                answers_length_max=1000,
                dead_length_max=1000,
            )
        )
        yield made


@pytest.fixture
def drained(bus: EmbeddedBus) -> Callable[..., Any]:
    """Everything that waits in a queue now, taken and acknowledged."""

    async def drain(queue: str) -> list[Delivery]:
        found: list[Delivery] = []
        async with await bus.consume(queue, prefetch=1000, batch=1000, batch_bytes=1 << 30, linger_ms=0) as consumer:
            while await bus.depth(queue):
                some = await anext(consumer)
                await consumer.ack(some)
                found += some
        return found

    return drain
