"""Virtual time: an event loop that never waits, and the clocks that are read from it."""

import asyncio
import selectors
from typing import Any


class Stalled(RuntimeError):  # noqa: N818 - says what the world is
    """Everybody waits, and nothing will ever wake anybody."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs what is ready; when nothing is, its time leaps to the next timer. The same calls run in the same order."""

    def __init__(self) -> None:
        self._seconds = 0.0
        super().__init__(_Leaping(self._leap))

    def time(self) -> float:
        return self._seconds

    def _leap(self, seconds: float) -> None:
        self._seconds += seconds


class _Leaping(selectors.SelectSelector):
    """Where an event loop would sleep until something happens outside; nothing does here."""

    def __init__(self, leap: Any) -> None:
        super().__init__()
        self._leap = leap

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Stalled
        self._leap(timeout)
        return []


class Clock:
    """Milliseconds UTC: ``start_ms`` and the time of the running loop, and every leap of the world since."""

    def __init__(self, start_ms: int) -> None:
        self._ahead_ms = start_ms

    def __call__(self) -> int:
        return self._ahead_ms + round(asyncio.get_running_loop().time() * 1000)

    def leap(self, milliseconds: int) -> None:
        """Everything is so much later now."""
        self._ahead_ms += milliseconds
