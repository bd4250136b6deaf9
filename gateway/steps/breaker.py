"""The breaker: an e-port whose folder fails again and again is left alone for a while, then tried with one message."""

FAILURES_MAX = 3
"""Failures in a row that open the breaker."""
PAUSE_MS = 5_000
"""How long it stays open at first; twice as long each time the try fails."""
PAUSE_MS_MAX = 5 * 60_000
OF_THE_MESSAGE = frozenset({"transport-name", "transport-too-large", "transport-name-taken"})
"""Troubles of one message, which say nothing about its e-port."""


class Breaker:
    """Counts failures in a row. Times are milliseconds UTC; ``jitter`` (0 to 1) keeps processes from trying at once."""

    def __init__(self) -> None:
        self._failures = 0
        self._open_until = 0

    def allowed(self, now: int, wanted: int) -> int:
        """How many of the messages wanted may be tried now."""
        if self._failures < FAILURES_MAX:
            return wanted
        return min(wanted, 1) if now >= self._open_until else 0

    def worked(self) -> None:
        """A message was handed over."""
        self._failures = 0

    def failed(self, now: int, jitter: float) -> bool:
        """A message could not be handed over; True when this opens the breaker, or opens it again."""
        if now < self._open_until:
            return False  # of the same round: it is open already
        self._failures += 1
        if self._failures < FAILURES_MAX:
            return False
        pause = PAUSE_MS * 2 ** min(self._failures - FAILURES_MAX, 10)
        self._open_until = now + min(int(pause * (1 + jitter / 4)), PAUSE_MS_MAX)
        return True
