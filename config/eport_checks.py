"""What one key of an e-port file cannot show alone: entries that contradict each other, within a file or across files.

The checks read the raw tables, so that they speak even where a file has other faults.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

from ..messages.faults import fault
from .problems import Problem

SAMPLE_MARK = "SAMPLE.txt"
"""A folder with a file of this name holds samples or simulated data; the examples carry one."""

Files = Mapping[str, Mapping[str, Any]]

_SIGNED_BY_AGENT = ("621", "623", "625")
_FOLDERS = ("outbox", "inbox", "archive")
_SCOPE = ("ebcCode", "ebpCode", "logisticsCode", "tradeMode")


def check_eports(files: Files, folder: Path, data: Path) -> list[Problem]:
    """Every contradiction in the e-port files, given by name with their tables."""
    problems = [problem for file, tables in files.items() for problem in _within(file, tables, data)]
    problems += [problem for one, other in combinations(files, 2) for problem in _between(one, other, files, data)]
    return problems + [problem for file, tables in files.items() for problem in _samples(file, tables, folder, data)]


def _within(file: str, tables: Mapping[str, Any], data: Path) -> Iterator[Problem]:
    yield from _twice(file, tables, "inventory", "tradeMode")
    yield from _twice(file, tables, "signers", "declarant")
    yield from _inventory_missing(file, tables)
    yield from _signer_missing(file, tables)
    folders = _folders(tables, data)
    for one, other in combinations(folders, 2):
        if folders[one] == folders[other]:
            yield Problem(file, fault("config-folder-shared", f"/transport/{other}", other=f"transport.{one}"))
    sender, dxp_id = _table(tables, "envelope").get("sender"), _table(tables, "transfer").get("dxpId")
    if sender is not None and dxp_id is not None and sender != dxp_id:
        yield Problem(file, fault("config-dxp-sender", "/envelope/sender"), warning=True)


def _twice(file: str, tables: Mapping[str, Any], entries: str, key: str) -> Iterator[Problem]:
    values = _column(tables, entries, key)
    for at, value in enumerate(values):
        if value is not None and value in values[:at]:
            yield Problem(file, fault("config-twice", f"/{entries}/{at}/{key}", key=key))


def _inventory_missing(file: str, tables: Mapping[str, Any]) -> Iterator[Problem]:
    if "621" not in _list(tables, "declares"):
        return
    modes = _column(tables, "inventory", "tradeMode")
    if not modes:
        yield Problem(file, fault("config-inventory-missing", "/inventory"))
    for at, mode in enumerate(_column(tables, "acts_for", "tradeMode")):
        if modes and mode is not None and mode not in modes:
            yield Problem(file, fault("config-inventory-missing", f"/acts_for/{at}/tradeMode"))


def _signer_missing(file: str, tables: Mapping[str, Any]) -> Iterator[Problem]:
    if not any(each in _SIGNED_BY_AGENT for each in _list(tables, "declares")):
        return
    held = _column(tables, "signers", "declarant")
    for at, agent in enumerate(_column(tables, "inventory", "agentCode")):
        if agent is not None and agent not in held:
            yield Problem(file, fault("config-signer-missing", f"/inventory/{at}/agentCode"))


def _between(one: str, other: str, files: Files, data: Path) -> Iterator[Problem]:
    if "name" in files[one] and files[one]["name"] == files[other].get("name"):
        yield Problem(other, fault("config-name-taken", "/name", other=one, key="name"))
    for at, enterprise in enumerate(_tables(files[other], "acts_for")):
        if any(_overlap(enterprise, each) for each in _tables(files[one], "acts_for")):
            yield Problem(other, fault("config-overlap", f"/acts_for/{at}", other=one))
    taken = set(_folders(files[one], data).values())
    for key, path in _folders(files[other], data).items():
        if path in taken:
            yield Problem(other, fault("config-folder-shared", f"/transport/{key}", other=one))


def _overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether some case belongs to both entries: no code they both give tells them apart."""
    if "ebcCode" not in one or "ebcCode" not in other:
        return False
    return all(one[key] == other[key] for key in _SCOPE if key in one and key in other)


def _samples(file: str, tables: Mapping[str, Any], folder: Path, data: Path) -> Iterator[Problem]:
    if tables.get("environment") != "production":
        return
    places = {"environment": folder} | {f"transport/{key}": path for key, path in _folders(tables, data).items()}
    for key, place in places.items():
        if any((each / SAMPLE_MARK).exists() for each in (place, *place.parents)):
            yield Problem(file, fault("config-sample", f"/{key}", mark=SAMPLE_MARK))


def _folders(tables: Mapping[str, Any], data: Path) -> dict[str, Path]:
    transport = _table(tables, "transport")
    return {key: (data / transport[key]).resolve() for key in _FOLDERS if isinstance(transport.get(key), str)}


def _table(tables: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = tables.get(key)
    return found if isinstance(found, dict) else {}


def _list(tables: Mapping[str, Any], key: str) -> list[Any]:
    found = tables.get(key)
    return found if isinstance(found, list) else []


def _tables(tables: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return [each if isinstance(each, dict) else {} for each in _list(tables, key)]


def _column(tables: Mapping[str, Any], entries: str, key: str) -> list[Any]:
    """The values of one key in a list of tables, None where it is missing."""
    return [each.get(key) for each in _tables(tables, entries)]
