"""Who has a file open: each opener holds a numbered slot, and the kernel gives a slot free however its holder ends.

A slot is a lock on a file of its own beside the shared one. Locks of ``flock`` belong to an opened file, so they also
tell two openers in one process apart, and they need neither clock nor heartbeat.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path


class Slot:
    """One slot of the file at ``path``: the lowest that nobody holds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        for number in count(1):
            held = _lock(path, number)
            if held is not None:
                self.number, self._descriptor = number, held
                break

    def close(self) -> None:
        """Give the slot free."""
        os.close(self._descriptor)

    @contextmanager
    def if_abandoned(self, number: int) -> Iterator[bool]:
        """Whether nobody holds the slot ``number``; while this context lasts nobody else can take it."""
        held = None if number == self.number else _lock(self._path, number)
        try:
            yield held is not None
        finally:
            if held is not None:
                os.close(held)


def _lock(path: Path, number: int) -> int | None:
    descriptor = os.open(f"{path}.slot-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
