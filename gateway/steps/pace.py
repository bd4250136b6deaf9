"""Pace: at most so many messages in so many seconds, as an e-port's file says. Each process keeps its own count."""

from collections import deque

from ...config.eports import Pace

UNPACED = 1_000_000


class Pacer:
    """Counts what was handed over lately."""

    def __init__(self, pace: Pace | None) -> None:
        self._pace = pace
        self._sent: deque[int] = deque()

    def allowed(self, now: int) -> int:
        """How many messages may be handed over now."""
        if self._pace is None:
            return UNPACED
        while self._sent and self._sent[0] <= now - self._pace.seconds * 1000:
            self._sent.popleft()
        return max(self._pace.messages - len(self._sent), 0)

    def sent(self, now: int) -> None:
        """One was handed over, or tried."""
        if self._pace is not None:
            self._sent.append(now)
