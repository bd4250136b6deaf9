"""What processes cost, as Linux tells it in /proc: processor time and peak memory, of a process and its children."""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(roots: Iterable[int]) -> float:
    """Processor seconds that processes and their descendants have used so far, those that ended included."""
    stats = _stats()
    return sum(sum(map(int, stats[pid][11:15])) for pid in _trees(roots, stats)) / _TICKS


def peak_bytes(root: int) -> int:
    """The most memory a process has held at once (resident)."""
    status = Path(f"/proc/{root}/status").read_text("utf-8")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def _stats() -> dict[int, list[str]]:
    """The fields of /proc/PID/stat from the state on; the name before them may hold anything."""
    found: dict[int, list[str]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                text = (folder / "stat").read_text("utf-8", "replace")
            except OSError:  # it ended meanwhile
                continue
            found[int(folder.name)] = text.rpartition(")")[2].split()
    return found


def _trees(roots: Iterable[int], stats: dict[int, list[str]]) -> set[int]:
    children: dict[int, list[int]] = defaultdict(list)
    for pid, fields in stats.items():
        children[int(fields[1])].append(pid)
    found: set[int] = set()
    waiting = [pid for pid in roots if pid in stats]
    while waiting:
        pid = waiting.pop()
        found.add(pid)
        waiting += children[pid]
    return found
