"""A case's story: everything the gateway knows and did about one case, in order, without personal values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .evidence import key_parts
from .store.database import Row, Statement, Transaction, columns

_FIND = Statement(
    """
    SELECT id, direction, scope, order_no, status, verdict, flags, eport, party, created_at, changed_at FROM cases
    WHERE order_no = :order_no AND (:scope = '' OR scope = :scope)
    ORDER BY id LIMIT 20
    """
)
_BY_ID = Statement(
    """
    SELECT id, direction, scope, order_no, status, verdict, flags, eport, party, created_at, changed_at FROM cases
    WHERE id = :id
    """
)
_DOCUMENTS = Statement(
    """
    SELECT documents.id, documents.kind, documents.key, documents.version, documents.withdrawn, documents.sender,
        documents.first_at, documents.changed_at, links.basis
    FROM links JOIN documents ON documents.id = links.document_id
    WHERE links.case_id = :id ORDER BY documents.first_at, documents.id
    """
)
_FINDINGS = Statement("SELECT body FROM findings WHERE case_id = :id ORDER BY seq")
_DECLARATIONS = Statement(
    """
    SELECT declarations.id, declarations.message_type, declarations.attempt, declarations.app_type, declarations.state,
        declarations.guid, declarations.cop_no, declarations.pre_no, declarations.invt_no, declarations.status,
        declarations.packed_at, messages.file_name, messages.sends
    FROM declarations LEFT JOIN messages ON messages.id = declarations.message_id
    WHERE declarations.case_id = :id ORDER BY declarations.id
    """
)
_RECEIPTS = Statement(
    """
    SELECT message_type, status, return_time, standing, body, at FROM receipts
    WHERE case_id = :id ORDER BY return_time, id
    """
)
_LEDGER = Statement("SELECT body FROM ledger WHERE case_id = :id ORDER BY seq")
_BY_STANDING = Statement(
    """
    SELECT receipts.message_type, receipts.business_key, receipts.status, receipts.standing, receipts.body, receipts.at,
        inbound.eport, inbound.file_name
    FROM receipts JOIN inbound ON inbound.id = receipts.inbound_id
    WHERE receipts.standing IN (SELECT standing FROM {standings})
    ORDER BY receipts.id DESC LIMIT :count
    """,
    {"standings": columns(standing="text")},
)


@dataclass(frozen=True, slots=True)
class Story:
    """One case with its documents, findings, declarations, receipts and ledger entries."""

    case: Mapping[str, Any]
    documents: Sequence[Mapping[str, Any]]
    findings: Sequence[Mapping[str, Any]]
    declarations: Sequence[Mapping[str, Any]]
    receipts: Sequence[Mapping[str, Any]]
    entries: Sequence[Mapping[str, Any]]


async def find_cases(transaction: Transaction, named: str) -> list[Mapping[str, Any]]:
    """The cases a person may mean: ``#id``, an order number, ``scope/orderNo`` or ``import/scope/orderNo``."""
    if named.startswith("#") and named[1:].isdigit():
        return _dicts(await transaction.run(_BY_ID, id=int(named[1:])))
    *before, order_no = key_parts(named)
    return _dicts(await transaction.run(_FIND, order_no=order_no, scope=before[-1] if before else ""))


async def read_story(transaction: Transaction, case: Mapping[str, Any]) -> Story:
    """Everything about one case."""
    key = {"id": case["id"]}
    return Story(
        case,
        _dicts(await transaction.run(_DOCUMENTS, **key)),
        [json.loads(row.body) for row in await transaction.run(_FINDINGS, **key)],
        _dicts(await transaction.run(_DECLARATIONS, **key)),
        [{**each, "body": json.loads(each["body"])} for each in _dicts(await transaction.run(_RECEIPTS, **key))],
        [json.loads(row.body) for row in await transaction.run(_LEDGER, **key)],
    )


async def receipts_standing(transaction: Transaction, standings: Sequence[str], count: int) -> list[Mapping[str, Any]]:
    """The newest receipts with one of these standings, for people to look at."""
    rows = await transaction.run(_BY_STANDING, standings=[(each,) for each in standings], count=count)
    return [{**each, "body": json.loads(each["body"])} for each in _dicts(rows)]


def _dicts(rows: Sequence[Row]) -> list[Mapping[str, Any]]:
    return [row._asdict() for row in rows]
