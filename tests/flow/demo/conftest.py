"""One small demo, run once: embedded bus, SQLite, drop folders and simulated customs, as `tongguan demo` has them."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from tongguan.gateway.cli.demo import LOG, _Logs
from tongguan.gateway.composition import now_ms
from tongguan.gateway.demo import Finished, make_set, run_demo
from tongguan.gateway.sample.generate import generate

FAULTS = (
    "late-waybill",
    "merged-payment",
    "two-platforms",
    "signed-order",
    "gb18030",
    "duplicate",
    "stale-copy",
    "conflict-new-again",
    "json-malformed",
    "payer-is-buyer",
    "deleted-twice",
    "refused-then-corrected",
    "receipt-doubled",
    "receipt-truncated",
    "receipt-personal",
    "never-answered",
    "order-answer-lost",
    "inventory-again--621017",
    "exchange-again-3001",
    "format-refused--10101",
    "cancelled",
    "returned",
    "status-of-parcel",
)


@dataclass(frozen=True)
class Ran:
    """A demo that has run: its folder and what became of it."""

    folder: Path
    finished: Finished
    stages: list[tuple[str, int, int]]


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    make_set(generate(8, now_ms(), 40, faults=FAULTS), folder)
    stages: list[tuple[str, int, int]] = []
    with _Logs(folder / LOG):
        finished = asyncio.run(run_demo(folder, lambda *stage: stages.append(stage)))
    return Ran(folder, finished, stages)
