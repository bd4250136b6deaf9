"""What keeps a command from working is told as a fault, not traced."""

import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from tongguan.gateway.cli.options import known_faults


def open_missing() -> None:
    Path("/nonexistent/orders.json").read_bytes()


def refuse_connection() -> None:
    raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")


def lose_database() -> None:
    raise OperationalError("SELECT 1", {}, sqlite3.OperationalError("postgresql://u:secret@db is gone"))


@pytest.mark.parametrize(
    ("trouble", "code", "said"),
    [
        (open_missing, "file-unusable", "/nonexistent/orders.json"),
        (refuse_connection, "store-unusable", "Connection refused"),
        (lose_database, "store-unusable", "OperationalError"),
    ],
)
def test_trouble_of_the_machine_is_told_with_what_it_is_about(
    trouble: Callable[[], None], code: str, said: str
) -> None:
    with pytest.raises((OSError, OperationalError)) as raised:
        trouble()

    (told,) = known_faults(raised.value)

    assert told.code == code
    assert said in told.en
    assert "secret" not in told.en + told.zh


def test_a_mistake_of_ours_is_not_told_as_trouble_of_the_machine() -> None:
    assert known_faults(KeyError("case")) == []
