"""Faults: what is wrong with an input, said so that its sender can mend it.

A fault names a stable code, the path and line it stands at, and a sentence in Chinese and English with the next
step. The sentences lie in ``tables/faults.toml``. Their placeholders take names, limits and lengths only: a value
that was sent may be personal data and is never printed.
"""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FAULTS_MAX = 20
"""How many faults one answer names; the rest are only counted."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One entry of the fault table: a code, its sentence and what to do, in both languages."""

    code: str
    zh: str
    en: str
    do_zh: str
    do_en: str


@cache
def fault_kinds() -> dict[str, FaultKind]:
    """Every fault the gateway can name, by code, in the order of the table."""
    table = tomllib.loads(Path(__file__).with_name("tables").joinpath("faults.toml").read_text("utf-8"))
    return {code: FaultKind(code=code, **entry) for code, entry in table.items()}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input.

    ``path`` is an element path such as ``/CEB311Message/Order[2]/OrderHead/orderNo`` or, in JSON,
    ``/0/OrderList/1/qty``; it is empty when the whole input is meant. ``line`` counts from 1 and is None where lines
    mean nothing.
    """

    code: str
    path: str
    line: int | None
    zh: str
    en: str

    def as_json(self) -> dict[str, Any]:
        """The fault as it stands in an answer."""
        kind = fault_kinds()[self.code]
        return {
            "code": self.code,
            "path": self.path,
            "line": self.line,
            "zh": f"{self.zh}。{kind.do_zh}",
            "en": f"{self.en}. {kind.do_en}",
        }


def fault(code: str, path: str = "", line: int | None = None, **values: object) -> Fault:
    """Make a fault of a known code; ``values`` fill its sentence."""
    kind = fault_kinds()[code]
    return Fault(code, path, line, kind.zh.format_map(values), kind.en.format_map(values))


class Refused(Exception):  # noqa: N818 - "refused" is what happened; the faults are the errors
    """An input could not be taken. ``faults`` is never empty and holds no value of the input."""

    def __init__(self, faults: Fault | Iterable[Fault]) -> None:
        self.faults: Sequence[Fault] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("; ".join(f"{each.code} {each.path}: {each.en}" for each in self.faults[:FAULTS_MAX]))
