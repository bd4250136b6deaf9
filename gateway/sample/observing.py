"""Observing: what became of an example set, read from the store, and when something is due there next."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...messages.catalogue import message_types
from ...messages.documents.answers import Answer
from ..evidence import CaseKey
from ..store.database import Statement, Transaction
from ..store.tending import helped_cases
from .expectation import ODD_STANDINGS, CaseOutcome, DeliveryOutcome, DocumentOutcome

_CASES = Statement("SELECT id, direction, scope, order_no, status, verdict, flags FROM cases")
_FINDINGS = Statement("SELECT DISTINCT case_id, rule FROM findings")
_DECLARED = Statement(
    """
    SELECT declarations.case_id, declarations.message_type, count(*) AS attempts, sum(messages.sends) AS sends
    FROM declarations JOIN messages ON messages.id = declarations.message_id
    WHERE messages.sends > 0
    GROUP BY declarations.case_id, declarations.message_type
    """
)
_RECEIPTS = Statement("SELECT case_id, message_type, status, standing FROM receipts ORDER BY status")
_RESULTS = Statement("SELECT case_id, body FROM results ORDER BY case_id, seq")
_NEXT = Statement(
    """
    SELECT min(at) AS at FROM (
        SELECT at FROM due
        UNION ALL SELECT leased_until FROM messages WHERE state IN ('packed', 'waiting', 'resend', 'uncertain', 'sent')
    ) AS times
    """
)
_UNDONE = Statement(
    """
    SELECT
        (SELECT count(*) FROM declarations WHERE state = 'ready' AND relay_id IS NULL),
        (
            SELECT count(*) FROM messages WHERE state = 'relay' AND members = (
                SELECT count(*) FROM declarations WHERE relay_id = messages.id AND state = 'ready'
            )
        ),
        (SELECT count(*) FROM messages WHERE state = 'packed'),
        (
            SELECT count(*) FROM messages
            WHERE state IN ('waiting', 'resend', 'uncertain', 'sent') AND leased_until <= :now
        ),
        (SELECT count(*) FROM due WHERE at <= :now),
        (SELECT count(*) FROM results WHERE position IS NULL)
    """
)
_UNDONE_WHAT = (
    "ready declarations", "ready relays", "packed messages", "messages to send again", "things due", "results",
)  # fmt: skip


async def observed_cases(transaction: Transaction) -> tuple[dict[str, CaseOutcome], int]:
    """How every case stands, by its key, and how many receipts found none."""
    findings: dict[int, list[str]] = defaultdict(list)
    for row in await transaction.run(_FINDINGS):
        findings[row.case_id].append(row.rule)
    declared: dict[int, dict[str, int]] = defaultdict(dict)
    sends: dict[int, dict[str, int]] = defaultdict(dict)
    for row in await transaction.run(_DECLARED):
        declared[row.case_id][_short(row.message_type)] = row.attempts
        sends[row.case_id][_short(row.message_type)] = row.sends
    codes: dict[int | None, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    standings: dict[int, Counter[str]] = defaultdict(Counter)
    for row in await transaction.run(_RECEIPTS):
        codes[row.case_id][_short(row.message_type)].append(row.status)
        if row.standing in ODD_STANDINGS:
            standings[row.case_id][row.standing] += 1
    published: dict[int, str] = {}
    tax: Counter[int] = Counter()
    for row in await transaction.run(_RESULTS):
        result = json.loads(row.body)
        published[row.case_id] = result["status"]
        tax[row.case_id] += result["kind"] == "tax"
    found = {
        str(CaseKey(row.direction, row.scope, row.order_no)): CaseOutcome(
            verdict=row.verdict,
            status=row.status,
            flags=tuple(sorted(each for each in row.flags.split(",") if each)),
            findings=tuple(sorted(findings[row.id])),
            declared=declared[row.id],
            sends=sends[row.id],
            receipts={short: tuple(each) for short, each in codes[row.id].items()},
            standings=standings[row.id],
            tax=tax[row.id],
            published=published.get(row.id, ""),
        )
        for row in await transaction.run(_CASES)
    }
    return found, sum(len(each) for each in codes[None].values())


async def next_due_ms(transaction: Transaction) -> int | None:
    """When a clock moves something next (milliseconds UTC); None when nothing waits for one."""
    return (await transaction.run(_NEXT))[0].at


async def undone(transaction: Transaction, now: int) -> dict[str, int]:
    """What a step has yet to do now, by what it is; nothing when all is done."""
    [row] = await transaction.run(_UNDONE, now=now)
    found = dict(zip(_UNDONE_WHAT, row, strict=True)) | {"helped cases": len(await helped_cases(transaction, 1))}
    return {name: count for name, count in found.items() if count}


def answered(answer: Answer) -> DeliveryOutcome:
    """What an answer says became of its delivery."""
    return DeliveryOutcome(
        tuple(DocumentOutcome(each.kind, each.outcome, _codes(each.faults)) for each in answer.documents),
        _codes(answer.faults),
        _codes(answer.notices),
    )


def _codes(faults: Iterable[Any]) -> Sequence[str]:
    return tuple(sorted(each.code for each in faults))


def _short(message_type: str) -> str:
    known: Mapping[str, Any] = message_types()
    return known[message_type].short
