"""Lists of the operators: what may be retailed, and which districts take which trade mode. CSV, dates as YYYYMMDD."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ...config.problems import Problem
from ...messages.chinatime import parse_china_time
from ...messages.faults import Fault, Refused, fault
from .book import Listed, RuleBook

ROWS_MAX = 100_000
"""The most rows a list may have."""
BYTES_MAX = 16 * 1024 * 1024

POSITIVE_LIST = "positive-list.csv"
"""Columns code (an HS code of 8 or 10 digits), since, until."""
BONDED_MODES = "bonded-modes.csv"
"""Columns customs (a district of 4 digits), mode (a trade mode of 4 digits), since, until."""

_SHAPES = {
    "code": ("[0-9]{8}|[0-9]{10}", "8 或 10 位数字", "8 or 10 digits"),
    "customs": ("[0-9]{4}", "4 位数字", "4 digits"),
    "mode": ("[0-9]{4}", "4 位数字", "4 digits"),
    "since": ("[0-9]{8}|", "YYYYMMDD 日期或留空", "a date YYYYMMDD or nothing"),
    "until": ("[0-9]{8}|", "YYYYMMDD 日期或留空", "a date YYYYMMDD or nothing"),
}


def with_lists(book: RuleBook, folder: Path) -> tuple[RuleBook, list[Problem]]:
    """The book with the lists in the operators' folder, as far as they are there, and what is wrong in them."""
    positive, problems = _load(folder / POSITIVE_LIST, ("code",))
    modes, more = _load(folder / BONDED_MODES, ("customs", "mode"))
    if positive is not None:
        book = replace(book, positive_list={code: spans for (code,), spans in positive.items()})
    if modes is not None:
        book = replace(book, bonded_modes={(customs, mode): spans for (customs, mode), spans in modes.items()})
    return book, problems + more


_Lists = Mapping[tuple[str, ...], tuple[Listed, ...]]


def _load(file: Path, keys: tuple[str, ...]) -> tuple[_Lists | None, list[Problem]]:
    if not file.is_file():
        return None, []
    found: dict[tuple[str, ...], tuple[Listed, ...]] = {}
    try:
        for key, span in _rows(_text(file), keys):
            found[key] = (*found.get(key, ()), span)
    except Refused as refused:
        return None, [Problem(file.name, each) for each in refused.faults]
    return found, []


def _text(file: Path) -> str:
    data = file.read_bytes()
    if len(data) > BYTES_MAX:
        raise Refused(fault("config-file-large", file=file.name, limit=BYTES_MAX))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(fault("config-encoding")) from None


def _rows(text: str, keys: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Listed]]:
    columns = (*keys, "since", "until")
    reader = csv.DictReader(text.splitlines(), restval="", strict=True)
    if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
        raise Refused(fault("list-columns", line=1, columns=" ".join(missing)))
    try:
        for number, row in enumerate(reader, start=1):
            if number > ROWS_MAX:
                raise Refused(fault("list-rows", line=reader.line_num, limit=ROWS_MAX))
            if faults := [each for name in columns for each in _faults(name, row[name], reader.line_num)]:
                raise Refused(faults)
            yield tuple(row[name] for name in keys), Listed(row["since"], row["until"])
    except csv.Error:
        raise Refused(fault("list-syntax", line=reader.line_num)) from None


def _faults(name: str, value: str, line: int) -> list[Fault]:
    pattern, zh, en = _SHAPES[name]
    if re.fullmatch(pattern, value) and not (name in {"since", "until"} and value and not _is_day(value)):
        return []
    return [fault("list-value", name, line=line, column=name, allowed_zh=zh, allowed_en=en)]


def _is_day(value: str) -> bool:
    try:
        parse_china_time(f"{value}000000")
    except ValueError:
        return False
    return True
