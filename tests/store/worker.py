"""One intake process: takes its share of documents into a store and says how many it took.

``python worker.py store-url kinds first last turn``: documents of these kinds for the cases first..last, forwards or
backwards.
"""

import asyncio
import importlib.util
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from tongguan.gateway.composition import open_database
from tongguan.gateway.logs import configure

TESTS = Path(__file__).parents[1]
SHARE = 20
"""Documents in one delivery."""


def loaded(name: str, path: Path) -> ModuleType:
    """A module of the tests, from its place."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def main(url: str, kinds: str, first: int, last: int, turn: str) -> None:
    """Take everything, two deliveries at a time."""
    configure("json", "warning")
    triples: Any = loaded("tongguan_triples", TESTS / "unit" / "gateway" / "triples.py")
    benches: Any = loaded("tongguan_bench", TESTS / "steps" / "bench.py")
    database = open_database(url)
    with tempfile.TemporaryDirectory() as folder:
        bench = benches.Bench(database, triples, Path(folder))
        deliveries = [
            bench.delivery(
                kind, *(triples.content(kind, number) for number in range(start, min(start + SHARE, last + 1)))
            )
            for start in range(first, last + 1, SHARE)
            for kind in kinds.split(",")
        ]
        if turn == "backwards":
            deliveries.reverse()
        taken = 0
        for at in range(0, len(deliveries), 2):
            for answered in await bench.take(*deliveries[at : at + 2]):
                taken += sum(each.outcome == "taken" for each in answered.answer.documents)
    await database.close()
    sys.stdout.write(f"{taken}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]))
