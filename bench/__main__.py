"""The bench: how many triples a second go through the whole gateway, and what each costs.

Real RabbitMQ and PostgreSQL, ``tongguan serve`` and ``tongguan simulate`` as processes, and a pusher of its own.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from floor import floor
from line import LOAD, Advanced, LineError, Servers, line, servers
from load import read_load
from report import BASELINE, HALF, Figures, as_json, figures_of, machine, show
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tongguan.gateway.sample.generate import DOCUMENTS_MAX

SEED = 1
FLOOR_TRIPLES = 400
HALF_LOAD_SHARE = 0.5
HALF_LOAD_SECONDS = 8


def main(
    triples: Annotated[
        int, typer.Option(min=1, help="每种投递方式的三单数 / triples for each shape of delivery")
    ] = 1500,
    shape: Annotated[
        list[int] | None, typer.Option(min=1, max=100, help="一次投递的单证数 / documents in one delivery")
    ] = None,
    baseline: Annotated[int, typer.Option(min=0, help="基线的三单数，0 为不跑 / triples for the baseline")] = 200,
    workers: Annotated[int, typer.Option(min=1, max=16, help="网关进程数 / gateway processes")] = 1,
    out: Annotated[Path, typer.Option(help="结果文件 / the JSON file")] = Path("var/bench.json"),
) -> None:
    """量一量三单走完全程的速度与代价 / measure how fast triples go all the way, and at what cost.

    退出码 / exit code: 0 每一单都恰好办结一次 / every triple finished exactly once, 1 否则 / otherwise.
    """
    console = Console()
    runs: list[Figures] = []
    alone: dict[str, float] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="tongguan-bench-") as name, servers(_say) as found:
            for per_delivery in shape or (100, 1):
                runs += _shape(found, Path(name), triples, per_delivery, workers)
            alone = _floor(found, Path(name))
            if baseline:
                runs += _baseline(found, Path(name), baseline)
    except LineError as reason:
        console.print(str(reason), style="red", markup=False)
        raise typer.Exit(1) from None
    show(console, runs, alone)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(as_json({"triples": triples, "workers": workers}, runs, alone), "utf-8")
    console.print(f"{out}  {machine()}", markup=False, highlight=False)
    raise typer.Exit(1 if any(each.problem for each in runs) else 0)


def _shape(found: Servers, folder: Path, triples: int, per_delivery: int, workers: int) -> list[Figures]:
    """One shape of delivery: as fast as it goes, then at half of what was reached."""
    with line(found, folder / f"line-{per_delivery}", workers) as made:
        with _progress(f"×{per_delivery}", triples) as advanced:
            full = figures_of(f"×{per_delivery}", made.run(SEED, triples, per_delivery, 0, advanced))
        if full.problem:
            return [full]
        pace = full.per_second["finished"] * HALF_LOAD_SHARE
        count = max(per_delivery, int(pace * HALF_LOAD_SECONDS))
        with _progress(f"×{per_delivery} {HALF}", count) as advanced:
            half = figures_of(f"×{per_delivery} {HALF}", made.run(SEED + 1, count, per_delivery, pace, advanced))
        return [full, half]


def _floor(found: Servers, folder: Path) -> dict[str, float]:
    """The floor on documents in full deliveries, and on a message of a line that handed over inventories alone."""
    with line(found, folder / "line-floor", 1) as made, _progress("底线 / floor", FLOOR_TRIPLES) as advanced:
        made.run(SEED, FLOOR_TRIPLES, DOCUMENTS_MAX, 0, advanced)
        message, load = made.largest_message().read_bytes(), read_load(made.folder / LOAD)
        return asyncio.run(floor(load, message, made.store_url, made.amqp_url))


def _baseline(found: Servers, folder: Path, triples: int) -> list[Figures]:
    with line(found, folder / "line-baseline", 0) as made, _progress(BASELINE, triples) as advanced:
        return [figures_of(BASELINE, made.run(SEED, triples, 1, 0, advanced))]


@contextmanager
def _progress(name: str, count: int) -> Iterator[Advanced]:
    """Bars of what is accepted and what is finished, on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        accepted = progress.add_task(f"{name} 收单 / accepted", total=count)
        finished = progress.add_task(f"{name} 办结 / finished", total=count)

        def advanced(now_accepted: int, now_finished: int) -> None:
            progress.update(accepted, completed=now_accepted)
            progress.update(finished, completed=now_finished)

        yield advanced


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    typer.run(main)
