"""What is told of a bench: one table, one JSON file."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from figures import lacking, per_thousand, percentile, rate, ratio
from line import Measured
from rich.console import Console
from rich.table import Table

MIB = 1024 * 1024
SHARES = (50, 95, 99)
OWN = ("gateway", "broker", "database")
DRIVING = ("pusher", "simulator")
BASELINE, HALF = "基线 baseline", "½"
STAGES = ("accepted", "decided", "declared", "finished")


@dataclass(frozen=True, slots=True)
class Figures:
    """One run in figures. Rates are triples a second, latencies milliseconds, processor time seconds per 1,000."""

    name: str
    triples: int
    per_second: Mapping[str, float]
    latency_ms: Mapping[int, float]
    cpu_s: Mapping[str, float]
    peak_mib: float
    statements: float | None
    problem: str | None


def figures_of(name: str, run: Measured) -> Figures:
    """What a run comes to; its problem is None when it was whole."""
    moments = {
        "accepted": run.journal["accepted"],
        "decided": run.journal["decided"],
        "declared": run.handed_over,
        "finished": run.journal["finished"],
    }
    pushed = run.journal["pushed"]
    waited = [at - pushed[order] for order, at in run.handed_over.items()]
    return Figures(
        name,
        run.count,
        {stage: rate(at.values(), run.journal["begun"]) for stage, at in moments.items()},
        {share: percentile(waited, share) for share in SHARES} if waited else {},
        {process: per_thousand(seconds, run.count) for process, seconds in run.cpu_s.items()},
        run.peak_bytes / MIB,
        None if run.statements is None else run.statements / run.count,
        _problem(run),
    )


def _problem(run: Measured) -> str | None:
    """Why the run was not whole: every triple is answered, handed over once, and finished once."""
    if problems := run.journal["problems"]:
        return f"not taken: {'; '.join(problems)}"
    twice = sum(1 for times in run.sent.values() if times > 1)
    if twice:
        return f"{twice} were handed over more than once"
    return lacking(list(run.journal["released"].values()), run.count)


def table(runs: Sequence[Figures], alone: Mapping[str, float]) -> Table:
    """One column for each run."""
    made = Table(title="通关 Tongguan: bench", title_justify="left")
    made.add_column("", no_wrap=True)
    for each in runs:
        made.add_column(each.name, justify="right")
    made.add_row("三单 / triples", *(f"{each.triples:,}" for each in runs))
    for stage, zh in zip(STAGES, ("收单", "决定", "交付", "办结"), strict=True):
        made.add_row(f"{zh} / {stage} /s", *(f"{each.per_second[stage]:,.0f}" for each in runs))
    for share in SHARES:
        cells = (f"{each.latency_ms[share]:.0f}" if each.latency_ms else "–" for each in runs)
        made.add_row(f"末件到交付 / to hand-over p{share} ms", *cells)
    for process in (*OWN, *DRIVING):
        made.add_row(f"CPU s / 1,000: {process}", *(f"{each.cpu_s[process]:.2f}" for each in runs))
    sums = {"网关侧 / own side": OWN, "驱动侧 / driving side": DRIVING}
    for label, processes in sums.items():
        cells = (f"{sum(each.cpu_s[process] for process in processes):.2f}" for each in runs)
        made.add_row(f"CPU s / 1,000: {label}", *cells)
    made.add_row("内存峰值 / peak MiB", *(f"{each.peak_mib:,.0f}" for each in runs))
    cells = ("–" if each.statements is None else f"{each.statements:.2f}" for each in runs)
    made.add_row("SQL 语句 / statements", *cells)
    stand = ratios(runs, alone)
    for label, name in {
        "基线的倍数 / times the baseline": "toBaseline",
        "底线的比例 / of the floor": "toFloor",
    }.items():
        found = [stand.get(each.name, {}).get(name) for each in runs]
        made.add_row(label, *("–" if value is None else f"{value:.2f}" for value in found))
    made.add_row("完整 / whole", *("–" if each.problem else "✓" for each in runs))
    return made


def machine() -> dict[str, Any]:
    """What it was measured on."""
    cpus = [line for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": cpus[0].partition(":")[2].strip() if cpus else platform.machine(),
        "cores": os.cpu_count(),
        "memoryMiB": memory // MIB,
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def ratios(runs: Sequence[Figures], alone: Mapping[str, float]) -> dict[str, dict[str, float | None]]:
    """How each run at full speed stands to the baseline and to the floor, by triples a second."""
    bottom = 1000 / sum(alone.values())
    [base] = [each.per_second["finished"] for each in runs if each.name == BASELINE] or [0.0]
    return {
        each.name: {
            "toBaseline": ratio(each.per_second["finished"], base),
            "toFloor": ratio(each.per_second["finished"], bottom),
        }
        for each in runs
        if not each.name.endswith(HALF)
    }


def as_json(arguments: Mapping[str, Any], runs: Sequence[Figures], alone: Mapping[str, float]) -> str:
    """The file."""
    body = {
        "machine": machine(),
        "arguments": dict(arguments),
        "runs": [asdict(each) for each in runs],
        "floor": {"secondsPer1000": dict(alone), "perSecond": 1000 / sum(alone.values())},
        "ratios": ratios(runs, alone),
    }
    return json.dumps(body, ensure_ascii=False, indent=1) + "\n"


def show(console: Console, runs: Sequence[Figures], alone: Mapping[str, float]) -> None:
    """Print the table, the floor, and what was wrong."""
    console.print(table(runs, alone))
    pieces = ", ".join(f"{name} {seconds:.3f}" for name, seconds in alone.items())
    bottom = 1000 / sum(alone.values())
    console.print(f"底线 / floor: {bottom:,.0f}/s, s / 1,000: {pieces}", highlight=False)
    for each in runs:
        if each.problem:
            console.print(f"{each.name}: {each.problem}", style="red", markup=False)
