"""What the store says of itself: statements that name whatever does not agree."""

from dataclasses import dataclass
from decimal import Decimal

from ..sealing import Sealer, Unsealable, is_shredded
from ..store.database import Database, Statement, in_transaction
from .check import Audit
from .reading import field_of

CHUNK = 500
"""Rows opened at a time."""


@dataclass(frozen=True, slots=True)
class _Question:
    """A statement that counts what is looked at, and one that names what is wrong."""

    code: str
    looked: str
    wrong: str


_QUESTIONS = (
    _Question(
        "versions-whole",
        "SELECT count(*) AS seen FROM documents",
        """
        SELECT documents.kind || ' ' || documents.key AS place FROM documents
        LEFT JOIN (
            SELECT document_id, count(*) AS versions, min(version) AS lowest, max(version) AS highest
            FROM document_versions GROUP BY document_id
        ) AS kept ON kept.document_id = documents.id
        WHERE kept.versions IS NULL OR kept.versions <> documents.version
            OR kept.lowest <> 1 OR kept.highest <> documents.version
        """,
    ),
    _Question(
        # only the number of a parcel is used again
        "versions-whole",
        "SELECT 0 AS seen",
        """
        SELECT kind || ' ' || key AS place FROM documents WHERE kind NOT IN ('waybill', 'waybill-status')
        GROUP BY kind, key HAVING count(*) > 1
        """,
    ),
    _Question(
        "declared-once",
        "SELECT count(*) AS seen FROM declarations",
        """
        SELECT message_type || ' ' || min(business_key) AS place FROM declarations
        WHERE state NOT IN ('withdrawn', 'refused', 'sent_back')
        GROUP BY document_id, message_type, document_version HAVING count(*) > 1
        """,
    ),
    _Question(
        "declared-in-time",
        "SELECT count(*) AS seen FROM cases WHERE verdict = 'matched' AND eport IS NOT NULL AND changed_at < :before",
        """
        SELECT direction || '/' || scope || '/' || order_no AS place FROM cases
        WHERE verdict = 'matched' AND eport IS NOT NULL AND changed_at < :before
            AND NOT EXISTS (SELECT 1 FROM declarations WHERE declarations.case_id = cases.id)
        """,
    ),
    _Question(
        "declared-in-time",
        "SELECT count(*) AS seen FROM declarations WHERE state = 'ready' AND relay_id IS NULL",
        """
        SELECT message_type || ' ' || business_key AS place FROM declarations
        WHERE state = 'ready' AND relay_id IS NULL AND ready_at < :before
        """,
    ),
    _Question(
        "declared-in-time",
        "SELECT count(*) AS seen FROM messages WHERE state = 'packed'",
        "SELECT eport || ' ' || file_name AS place FROM messages WHERE state = 'packed' AND leased_until < :before",
    ),
    _Question(
        # a code for a doubled message proves that it arrived and is no status; DxpRep may have it packed anew
        "receipts-applied",
        "SELECT count(DISTINCT declaration_id) AS seen FROM receipts WHERE standing = 'applied'",
        """
        SELECT declarations.message_type || ' ' || declarations.business_key AS place FROM declarations
        JOIN receipts ON receipts.declaration_id = declarations.id AND receipts.standing = 'applied'
            AND receipts.message_type <> 'DxpRep'
        GROUP BY declarations.id, declarations.message_type, declarations.business_key, declarations.status,
            declarations.return_time, declarations.state
        HAVING (declarations.status IS NULL AND declarations.state IN ('packed', 'sent', 'uncertain'))
            OR COALESCE(declarations.return_time, 0) < max(CASE
                WHEN declarations.status IS NULL THEN 0 ELSE COALESCE(receipts.return_time, 0) END)
            OR (declarations.status IS NOT NULL
                AND sum(CASE WHEN receipts.status = declarations.status THEN 1 ELSE 0 END) = 0)
        """,
    ),
    _Question(
        "results-complete",
        "SELECT count(*) AS seen FROM cases",
        """
        SELECT cases.direction || '/' || cases.scope || '/' || cases.order_no AS place FROM cases
        LEFT JOIN (
            SELECT case_id, count(*) AS kept, max(seq) AS highest FROM results GROUP BY case_id
        ) AS told ON told.case_id = cases.id
        WHERE COALESCE(told.kept, 0) <> cases.result_count OR COALESCE(told.highest, 0) <> cases.result_count
        """,
    ),
    _Question(
        "results-complete",
        "SELECT 0 AS seen",
        """
        SELECT cases.direction || '/' || cases.scope || '/' || cases.order_no AS place FROM cases
        JOIN results ON results.case_id = cases.id AND results.seq = cases.result_count
        WHERE results.body NOT LIKE '%"status":"' || cases.status || '"%'
            AND results.body NOT LIKE '%"status": "' || cases.status || '"%'
        """,
    ),
    _Question(
        "results-published",
        "SELECT count(*) AS seen FROM results",
        "SELECT routing_key AS place FROM results WHERE position IS NULL AND at < :before",
    ),
    _Question(
        "results-published",
        "SELECT 0 AS seen",
        """
        SELECT later.routing_key AS place FROM results AS earlier
        JOIN results AS later ON later.case_id = earlier.case_id AND later.seq = earlier.seq + 1
        WHERE later.position IS NOT NULL AND (earlier.position IS NULL OR later.position <= earlier.position)
        """,
    ),
    _Question(
        "quota-sums",
        "SELECT count(*) AS seen FROM quota",
        """
        SELECT CAST(year AS text) AS place FROM (
            SELECT person, year, amount FROM quota
            UNION ALL
            SELECT quota_person, quota_year, -quota_amount FROM cases
            WHERE quota_person IS NOT NULL AND status IN (
                'matched', 'declaring', 'accepted', 'reviewing', 'inspecting', 'detained', 'suspended', 'decided',
                'released', 'closed'
            )
        ) AS kept GROUP BY person, year HAVING sum(amount) <> 0
        """,
    ),
)

_SHARES = Statement(
    """
    SELECT documents.id, documents.key, shares.amount, document_versions.content FROM documents
    JOIN (
        SELECT links.document_id, sum(links.amount) AS amount FROM links
        JOIN cases ON cases.id = links.case_id AND cases.verdict = 'matched'
        GROUP BY links.document_id
    ) AS shares ON shares.document_id = documents.id
    JOIN document_versions ON document_versions.document_id = documents.id
        AND document_versions.version = documents.version
    WHERE documents.kind = 'payment' AND documents.id > :after ORDER BY documents.id LIMIT :count
    """
)
_UNITS = Decimal(100_000)
"""The store keeps amounts in units of 0.00001."""


async def check_store(audit: Audit, database: Database, before: int) -> None:
    """Ask the store every question; what changed after ``before`` (milliseconds UTC) may still be under way."""
    for question in _QUESTIONS:
        check = audit[question.code]
        given = {"before": before}
        for text, tell in ((question.looked, False), (question.wrong, True)):
            wanted = {name: value for name, value in given.items() if f":{name}" in text}
            statement = Statement(text)
            rows = await in_transaction(database, lambda tx, s=statement, w=wanted: tx.run(s, **w))
            for row in rows:
                check.fault(row.place) if tell else check.saw(row.seen)


async def check_payments(audit: Audit, database: Database, sealer: Sealer) -> None:
    """No payment pays more than it is, over all cases it is linked to."""
    check, after = audit["payment-sums"], 0
    while rows := await in_transaction(database, lambda tx, a=after: tx.run(_SHARES, after=a, count=CHUNK)):
        for row in rows:
            after = row.id
            if is_shredded(bytes(row.content)):
                continue  # by right
            check.saw()
            try:
                paid = field_of(sealer.open(bytes(row.content)), "amountPaid")
            except Unsealable:
                check.fault(f"payment {row.key}: cannot be opened")
                continue
            if paid is None or row.amount > Decimal(paid) * _UNITS:
                check.fault(f"payment {row.key}")
