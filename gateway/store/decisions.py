"""Decisions into the store: cases, links, findings, declarations, ledger, results; a fixed number of statements."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from ...messages.documents.published import CONTRACT
from ..amounts import scaled
from ..cases import Case, Decision, Person
from ..declaring import Declaration
from ..ledger import Chain, append
from ..sealing import Sealer
from .cases import DECLARATION_COLUMNS
from .database import Statement, Transaction, columns

LANES = 64
"""Results of one case always travel in one lane, and one router at a time serves a lane."""

_UPDATE_CASES = Statement(
    """
    UPDATE cases SET status = new.status, verdict = new.verdict, flags = new.flags, eport = new.eport,
        decided = new.decided, quota_person = new.quota_person, quota_year = new.quota_year,
        quota_amount = new.quota_amount, ledger_count = new.ledger_count, ledger_head = new.ledger_head,
        result_count = new.result_count, waiting_since = new.waiting_since, changed_at = new.changed_at
    FROM {new} WHERE cases.id = new.id
    """,
    {
        "new": columns(
            id="int",
            status="text",
            verdict="text",
            flags="text",
            eport="text",
            decided="bytes",
            quota_person="bytes",
            quota_year="int",
            quota_amount="int",
            ledger_count="int",
            ledger_head="bytes",
            result_count="int",
            waiting_since="int",
            changed_at="int",
        )
    },
)
_CLEAR_LINKS = Statement("DELETE FROM links WHERE case_id IN (SELECT id FROM {ids})", {"ids": columns(id="int")})
_ADD_LINKS = Statement(
    "INSERT INTO links (case_id, document_id, basis, amount) SELECT case_id, document_id, basis, amount FROM {links}",
    {"links": columns(case_id="int", document_id="int", basis="text", amount="int")},
)
_CLEAR_FINDINGS = Statement("DELETE FROM findings WHERE case_id IN (SELECT id FROM {ids})", {"ids": columns(id="int")})
_ADD_FINDINGS = Statement(
    """
    INSERT INTO findings (case_id, seq, rule, severity, body)
    SELECT case_id, seq, rule, severity, body FROM {findings}
    """,
    {"findings": columns(case_id="int", seq="int", rule="text", severity="text", body="text")},
)
_CLEAR_WANTS = Statement("DELETE FROM wants WHERE case_id IN (SELECT id FROM {ids})", {"ids": columns(id="int")})
_ADD_WANTS = Statement(
    "INSERT INTO wants (case_id, kind, value, seen) SELECT case_id, kind, value, seen FROM {wants}",
    {"wants": columns(case_id="int", kind="text", value="text", seen="int")},
)
_ADD_DECLARATIONS = Statement(
    f"""
    INSERT INTO declarations ({DECLARATION_COLUMNS}, content, changed_at)
    SELECT {DECLARATION_COLUMNS}, content, changed_at FROM {{rows}}
    """,  # noqa: S608 - our own column names
    {
        "rows": columns(
            id="int",
            case_id="int",
            document_id="int",
            document_version="int",
            message_type="text",
            attempt="int",
            app_type="text",
            state="text",
            eport="text",
            declarant="text",
            guid="text",
            cop_no="text",
            business_key="text",
            digest="bytes",
            relay_id="int",
            message_id="int",
            ready_at="int",
            packed_at="int",
            status="text",
            return_time="int",
            pre_no="text",
            invt_no="text",
            content="bytes",
            changed_at="int",
        )
    },
)
_UPDATE_DECLARATIONS = Statement(
    """
    UPDATE declarations SET document_version = new.document_version, app_type = new.app_type, state = new.state,
        digest = new.digest, message_id = new.message_id, ready_at = new.ready_at,
        packed_at = new.packed_at, status = new.status, return_time = new.return_time, pre_no = new.pre_no,
        invt_no = new.invt_no,
        content = COALESCE(new.content, declarations.content), changed_at = new.changed_at
    FROM {new} WHERE declarations.id = new.id
    """,
    {
        "new": columns(
            id="int",
            document_version="int",
            app_type="text",
            state="text",
            digest="bytes",
            message_id="int",
            ready_at="int",
            packed_at="int",
            status="text",
            return_time="int",
            pre_no="text",
            invt_no="text",
            content="bytes",
            changed_at="int",
        )
    },
)
_CLEAR_PREDECESSORS = Statement(
    "DELETE FROM predecessors WHERE declaration_id IN (SELECT id FROM {ids})", {"ids": columns(id="int")}
)
_ADD_PREDECESSORS = Statement(
    """
    INSERT INTO predecessors (declaration_id, document_id, message_type)
    SELECT declaration_id, document_id, message_type FROM {rows}
    """,
    {"rows": columns(declaration_id="int", document_id="int", message_type="text")},
)
_ADD_LEDGER = Statement(
    "INSERT INTO ledger (case_id, seq, body, hash) SELECT case_id, seq, body, hash FROM {entries}",
    {"entries": columns(case_id="int", seq="int", body="text", hash="bytes")},
)
_ADD_RESULTS = Statement(
    """
    INSERT INTO results (case_id, seq, lane, routing_key, body, at)
    SELECT case_id, seq, lane, routing_key, body, at FROM {results} ORDER BY case_id, seq
    """,
    {"results": columns(case_id="int", seq="int", lane="int", routing_key="text", body="text", at="int")},
)
_ADD_QUOTA = Statement(
    """
    UPDATE quota SET amount = quota.amount + new.amount FROM {new}
    WHERE quota.person = new.person AND quota.year = new.year
    """,
    {"new": columns(person="bytes", year="int", amount="int")},
)


class DecisionStore:
    """Writes what was decided; the content of declarations enters the database sealed."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def replace_findings(self, transaction: Transaction, decisions: Sequence[Decision]) -> None:
        """Put these findings in place of those the cases had."""
        await transaction.run(_CLEAR_FINDINGS, ids=[(each.case.id,) for each in decisions])
        await transaction.run(_ADD_FINDINGS, findings=[row for each in decisions for row in _finding_rows(each)])

    async def forget_wants(self, transaction: Transaction, ids: Iterable[int]) -> None:
        """These cases no longer follow what their goods records and transports say."""
        await transaction.run(_CLEAR_WANTS, ids=[(each,) for each in sorted(set(ids))])

    async def write(
        self, transaction: Transaction, decisions: Sequence[Decision], known: Iterable[int], now: int
    ) -> None:
        """Write decisions; ``known`` are the ids of declarations already stored."""
        await self.forget_wants(transaction, (each.case.id for each in decisions))
        wants = [(each.case.id, *key, seen) for each in decisions for key, seen in each.wants]
        await transaction.run(_ADD_WANTS, wants=wants)
        decisions = [each for each in decisions if each.changed]
        ids = [(each.case.id,) for each in decisions]
        await transaction.run(_CLEAR_LINKS, ids=ids)
        await transaction.run(_ADD_LINKS, links=[row for each in decisions for row in _link_rows(each)])
        await self.replace_findings(transaction, decisions)
        declarations = [each for decision in decisions for each in decision.plan.declarations]
        await self.write_declarations(transaction, declarations, frozenset(known), now)
        waiting = {key: value for each in decisions for key, value in each.plan.predecessors.items()}
        await transaction.run(_CLEAR_PREDECESSORS, ids=[(each,) for each in waiting])
        rows = [(each, *subject) for each, subjects in waiting.items() for subject in sorted(subjects)]
        await transaction.run(_ADD_PREDECESSORS, rows=rows)
        await self.record(transaction, decisions, now)

    async def write_declarations(
        self, transaction: Transaction, declarations: Iterable[Declaration], known: frozenset[int], now: int
    ) -> None:
        """Add declarations that are new and update those that are known."""
        declarations = list(declarations)
        new = [(*_declaration_row(each), self._content(each), now) for each in declarations if each.id not in known]
        await transaction.run(_ADD_DECLARATIONS, rows=new)
        await transaction.run(
            _UPDATE_DECLARATIONS,
            new=[(*_declaration_change(each), self._content(each), now) for each in declarations if each.id in known],
        )

    def _content(self, each: Declaration) -> bytes | None:
        if each.content is None:
            return None
        return self._sealer.seal(json.dumps(each.content, ensure_ascii=False, separators=(",", ":")).encode())

    async def record(self, transaction: Transaction, decisions: Sequence[Decision], now: int) -> None:
        """Write case rows, their new ledger entries and results, and what changed in quotas."""
        cases: list[tuple[Any, ...]] = []
        entries: list[tuple[Any, ...]] = []
        results: list[tuple[Any, ...]] = []
        quota: dict[Person, int] = defaultdict(int)
        for each in decisions:
            case = each.case
            chain, written = append(case.chain, str(case.key), each.entries)
            entries += [(case.id, entry.seq, entry.body, entry.hash) for entry in written]
            results += _result_rows(each)
            cases.append(_case_row(case, chain, case.result_count + len(each.results), now))
            for person, amount in each.quota.items():
                quota[person] += amount
        await transaction.run(_UPDATE_CASES, new=cases)
        await transaction.run(_ADD_LEDGER, entries=entries)
        await transaction.run(_ADD_RESULTS, results=results)
        await transaction.run(_ADD_QUOTA, new=[(*person, amount) for person, amount in quota.items() if amount])


def lane_of(case_id: int) -> int:
    """The lane of a case."""
    return case_id % LANES


def _case_row(case: Case, chain: Chain, results: int, now: int) -> tuple[Any, ...]:
    person = case.person or (None, None)
    return (
        case.id,
        case.status.value,
        case.verdict.value,
        ",".join(sorted(case.flags)),
        case.eport,
        case.decided,
        *person,
        case.amount,
        chain.count,
        chain.head,
        results,
        case.waiting_since,
        now,
    )


def _declaration_row(each: Declaration) -> tuple[Any, ...]:
    names = [name.strip() for name in DECLARATION_COLUMNS.split(",")]
    return tuple(str(value) if name == "state" else value for name, value in ((n, getattr(each, n)) for n in names))


def _declaration_change(each: Declaration) -> tuple[Any, ...]:
    return (
        each.id,
        each.document_version,
        each.app_type,
        each.state.value,
        each.digest,
        each.message_id,
        each.ready_at,
        each.packed_at,
        each.status,
        each.return_time,
        each.pre_no,
        each.invt_no,
    )


def _link_rows(decision: Decision) -> list[tuple[Any, ...]]:
    links = {link.held.id: link for link in (decision.linkage.links if decision.linkage else ())}
    return [
        (decision.case.id, link.held.id, link.basis, None if link.amount is None else scaled(link.amount))
        for link in links.values()
    ]


def _finding_rows(decision: Decision) -> list[tuple[Any, ...]]:
    return [
        (decision.case.id, seq, finding.rule, finding.severity.value, json.dumps(finding.as_json(), ensure_ascii=False))
        for seq, finding in enumerate(decision.findings, start=1)
    ]


def _result_rows(decision: Decision) -> list[tuple[Any, ...]]:
    case = decision.case
    rows: list[tuple[Any, ...]] = []
    for seq, result in enumerate(decision.results, start=case.result_count + 1):
        key = f"{case.key.direction}.{result['status']}.{case.party}"
        name = {"direction": case.key.direction, "scope": case.key.scope, "orderNo": case.key.order_no}
        named = {"contract": CONTRACT, "id": f"{case.id}-{seq}", "seq": seq, "case": name, **result}
        rows.append((case.id, seq, lane_of(case.id), key, json.dumps(named, ensure_ascii=False), result["at"]))
    return rows
