"""What the outside was told: the journal of a pusher, and the results a subscriber heard, against the store.

Both are JSON lines. A journal has a line ``{"delivery": "…"}`` with the correlation id of each delivery the bus
confirmed, and each answer as it came, in any order. Results are one a line, in the order they were heard.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..store.database import Database, Statement, columns, in_transaction
from .check import Audit

CHUNK = 1000
"""Documents asked for at a time."""

_STORED = Statement(
    """
    SELECT asked.kind, asked.key, count(documents.id) AS stored FROM {asked}
    LEFT JOIN documents ON documents.kind = asked.kind AND documents.key = asked.key
    GROUP BY asked.kind, asked.key
    """,
    {"asked": columns(kind="text", key="text")},
)
_TURNED_AWAY = Statement("SELECT outcome, count(*) AS kept FROM rejections GROUP BY outcome")
_COUNTS = Statement(
    """
    SELECT direction, scope, order_no, result_count FROM cases
    WHERE result_count > 0 AND NOT EXISTS (
        SELECT 1 FROM results WHERE results.case_id = cases.id AND (position IS NULL OR at >= :before)
    )
    """
)


async def check_journal(audit: Audit, database: Database, journal: Path) -> None:
    """Every delivery is answered, and every answer is true."""
    answers: dict[str, dict[str, Any] | None] = {}
    for line in _lines(journal):
        if "documents" in line:
            answers[line.get("correlationId") or ""] = line
        else:
            answers.setdefault(line["delivery"], None)
    check = audit["answered"]
    for delivery, answer in answers.items():
        check.saw()
        if answer is None:
            check.fault(delivery)
    given = [answer for answer in answers.values() if answer]
    await _acknowledged(audit, database, given)
    await _turned_away(audit, database, given)


async def _acknowledged(audit: Audit, database: Database, answers: list[dict[str, Any]]) -> None:
    check = audit["acknowledged-stored"]
    asked = sorted(
        {
            (document["kind"], "/".join(_escaped(part) for part in document["key"]))
            for answer in answers
            for document in answer.get("documents", ())
            if document["outcome"] in {"taken", "duplicate"}
        }
    )
    for start in range(0, len(asked), CHUNK):
        some = asked[start : start + CHUNK]
        for row in await in_transaction(database, lambda tx, s=some: tx.run(_STORED, asked=s)):
            check.saw()
            if not row.stored:
                check.fault(f"{row.kind} {row.key}")


async def _turned_away(audit: Audit, database: Database, answers: list[dict[str, Any]]) -> None:
    """At least as many are kept as were answered so: what comes again is turned away again."""
    check = audit["rejected-kept"]
    said: Counter[str] = Counter()
    for answer in answers:
        said.update(each["outcome"] for each in answer.get("documents", ()) if each["outcome"] in _TURNED)
        said["rejected"] += bool(answer.get("faults"))
    kept = {row.outcome: row.kept for row in await in_transaction(database, lambda tx: tx.run(_TURNED_AWAY))}
    for outcome, count in said.items():
        check.saw(count)
        if kept.get(outcome, 0) < count:
            check.fault(f"{outcome}: {kept.get(outcome, 0)} of {count}")


_TURNED = frozenset({"conflict", "rejected"})
"""A stale copy is answered and not kept: what it says was stored before."""


async def check_results(audit: Audit, database: Database, heard: Path, before: int) -> None:
    """A subscriber heard every result of every case, and none before the one ahead of it; hearing twice is allowed."""
    check = audit["results-heard"]
    highest: dict[str, int] = defaultdict(int)
    for result in _lines(heard):
        check.saw()
        case = "/".join(result["case"][name] for name in ("direction", "scope", "orderNo"))
        if result["seq"] > highest[case] + 1:
            check.fault(f"{case}: {result['seq']} after {highest[case]}")
        highest[case] = max(highest[case], result["seq"])
    for row in await in_transaction(database, lambda tx: tx.run(_COUNTS, before=before)):
        case = f"{row.direction}/{row.scope}/{row.order_no}"
        if highest[case] < row.result_count:
            check.fault(f"{case}: {highest[case]} of {row.result_count}")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield _told(line)


class NotToldError(Exception):
    """A line is none of a journal, nor of results."""


def _told(line: str) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        raise NotToldError from None
    whole = isinstance(said, dict) and (
        isinstance(said.get("documents"), list)
        or isinstance(said.get("delivery"), str)
        or (isinstance(said.get("case"), dict) and isinstance(said.get("seq"), int))
    )
    if not whole:
        raise NotToldError
    return said


def _escaped(part: str) -> str:
    return part.replace("%", "%25").replace("/", "%2F")
