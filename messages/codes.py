"""Code tables: what the codes on the wire stand for. Sources and gaps are told in ``tables/codes/SOURCES.md``.

A code that no table holds is unknown, not wrong: customs adds codes, and an unknown one is a finding for people to see.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

TableName = Literal[
    "countries", "currencies", "customs_districts", "trade_modes", "transport_modes", "units", "wrap_types"
]


@dataclass(frozen=True, slots=True)
class Code:
    """One code. ``date`` is year and month of its newest source; validity is ``YYYY-MM-DD``, empty if unknown."""

    code: str
    zh: str
    en: str
    source: str
    date: str
    valid_from: str
    valid_to: str
    note: str


@cache
def table(name: TableName) -> Mapping[str, Code]:
    """A code table by code, read when it is first asked for; raises FileNotFoundError for a table there is none of."""
    text = Path(__file__).with_name("tables").joinpath("codes", f"{name}.csv").read_text("utf-8")
    return MappingProxyType({row["code"]: Code(**row) for row in csv.DictReader(text.splitlines())})
