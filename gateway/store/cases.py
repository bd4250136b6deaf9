"""Cases in the store: everything one decision needs, locked and read with a fixed number of statements.

Lock order, everywhere: link keys, then cases (in the order of their keys), then quotas (in the order of theirs).
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ...messages.documents.document import Document
from ...messages.documents.kinds import KINDS
from ..cases import Case, Person, Reference
from ..declaring import Declaration, Subject
from ..evidence import IMPORT, CaseKey, Held, LinkKey, key_parts, key_text, link_keys
from ..ledger import START, Chain
from ..sealing import Sealer
from ..states import CaseStatus, DeclarationState, Flag, Verdict
from .database import Row, Statement, Transaction, columns

SHARED_MAX = 50
"""Documents that may share a transaction, waybill or bare order number; what more of them share tells nothing."""


def _tells(name: str) -> str:
    """SQL: whether a key (of a table or row source of this name) is shared by few enough documents to link by."""
    return f"""({name}.kind = 'order' OR NOT EXISTS (
            SELECT 1 FROM document_keys crowd WHERE crowd.kind = {name}.kind AND crowd.value = {name}.value
            LIMIT 1 OFFSET {SHARED_MAX}
        ))"""  # noqa: S608 - our own names


_CASES_AROUND = Statement(
    f"""
    WITH near AS (
        SELECT DISTINCT shared.document_id
        FROM {{keys}}
        JOIN document_keys touched ON touched.kind = keys.kind AND touched.value = keys.value
        JOIN document_keys other ON other.document_id = touched.document_id
        JOIN document_keys shared ON shared.kind = other.kind AND shared.value = other.value
        WHERE {_tells("keys")} AND {_tells("other")}
    )
    SELECT DISTINCT named.value
    FROM near
    JOIN document_keys named ON named.document_id = near.document_id AND named.kind = 'order'
    """,  # noqa: S608 - our own names
    {"keys": columns(kind="text", value="text")},
)

_CASE_COLUMNS = """id, direction, scope, order_no, status, verdict, flags, eport, party, decided, quota_person,
    quota_year, quota_amount, ledger_count, ledger_head, result_count, waiting_since"""

# the update changes nothing but takes the lock, so that one statement opens new cases and locks known ones, in order
_OPEN_CASES = Statement(
    f"""
    INSERT INTO cases (id, direction, scope, order_no, status, verdict, flags, party, quota_amount, ledger_count,
        ledger_head, sealed_count, result_count, created_at, changed_at)
    SELECT id, direction, scope, order_no, 'waiting', 'waiting', '', party, 0, 0, start, 0, 0, at, at
    FROM {{cases}}
    WHERE true
    ORDER BY direction, scope, order_no
    ON CONFLICT (direction, scope, order_no) DO UPDATE SET order_no = excluded.order_no
    RETURNING {_CASE_COLUMNS}
    """,  # noqa: S608 - our own column names
    {
        "cases": columns(
            id="int", direction="text", scope="text", order_no="text", party="text", start="bytes", at="int"
        )
    },
)

_LOCK_CASES = Statement(
    f"""
    SELECT {_CASE_COLUMNS} FROM cases WHERE id IN (SELECT id FROM {{ids}})
    ORDER BY direction, scope, order_no {{lock}}
    """,  # noqa: S608 - our own column names
    {"ids": columns(id="int")},
)

_DOCUMENTS_AROUND = Statement(
    f"""
    WITH own AS (
        SELECT DISTINCT keys.case_id, touched.document_id
        FROM {{keys}} JOIN document_keys touched ON touched.kind = keys.kind AND touched.value = keys.value
        WHERE {_tells("keys")}
    ), near AS (
        SELECT DISTINCT own.case_id, shared.document_id
        FROM own
        JOIN document_keys other ON other.document_id = own.document_id
        JOIN document_keys shared ON shared.kind = other.kind AND shared.value = other.value
        WHERE {_tells("other")}
    )
    SELECT near.case_id, documents.id, documents.kind, documents.generation, documents.version, documents.app_time,
        documents.withdrawn, documents.bound_to, documents.first_at, latest.content, latest.relay_id
    FROM near
    JOIN documents ON documents.id = near.document_id
    LEFT JOIN document_versions latest ON latest.document_id = documents.id AND latest.version = documents.version
    ORDER BY documents.id
    """,  # noqa: S608 - our own names
    {"keys": columns(case_id="int", kind="text", value="text")},
)

_LINKS = Statement(
    """
    SELECT case_id, document_id FROM links
    WHERE case_id IN (SELECT id FROM {cases}) OR document_id IN (SELECT id FROM {documents})
    """,
    {"cases": columns(id="int"), "documents": columns(id="int")},
)

_REFERENCES = Statement(
    """
    SELECT keys.kind AS key_kind, keys.value AS key_value, documents.id, documents.kind, documents.version,
        documents.withdrawn, latest.content
    FROM {keys}
    JOIN document_keys touched ON touched.kind = keys.kind AND touched.value = keys.value
    JOIN documents ON documents.id = touched.document_id AND documents.kind IN ('goods', 'transport')
    LEFT JOIN document_versions latest ON latest.document_id = documents.id AND latest.version = documents.version
    ORDER BY documents.id
    """,
    {"keys": columns(kind="text", value="text")},
)

_LOCK_QUOTAS = Statement(
    """
    INSERT INTO quota (person, year, amount)
    SELECT person, year, 0 FROM {people} WHERE true ORDER BY person, year
    ON CONFLICT (person, year) DO UPDATE SET amount = quota.amount
    RETURNING person, year, amount
    """,
    {"people": columns(person="bytes", year="int")},
)

DECLARATION_COLUMNS = """id, case_id, document_id, document_version, message_type, attempt, app_type, state, eport,
    declarant, guid, cop_no, business_key, digest, relay_id, message_id, ready_at, packed_at, status, return_time,
    pre_no, invt_no"""

_DECLARATIONS = Statement(
    f"""
    SELECT {DECLARATION_COLUMNS} FROM declarations
    WHERE case_id IN (SELECT id FROM {{cases}}) OR document_id IN (SELECT id FROM {{documents}})
    ORDER BY id {{lock}}
    """,  # noqa: S608 - our own column names
    {"cases": columns(id="int"), "documents": columns(id="int")},
)

_CASES_OF = Statement(
    "SELECT DISTINCT case_id FROM declarations WHERE id IN (SELECT id FROM {ids})", {"ids": columns(id="int")}
)

_PREDECESSORS = Statement(
    """
    SELECT predecessors.declaration_id, predecessors.document_id, predecessors.message_type FROM declarations
    JOIN predecessors ON predecessors.declaration_id = declarations.id
    WHERE declarations.case_id IN (SELECT id FROM {ids})
    """,
    {"ids": columns(id="int")},
)


_FINDINGS = Statement(
    "SELECT case_id, body FROM findings WHERE case_id IN (SELECT id FROM {ids}) ORDER BY case_id, seq",
    {"ids": columns(id="int")},
)

_WAITING_FOR = Statement(
    """
    SELECT DISTINCT declarations.case_id FROM {subjects}
    JOIN predecessors ON predecessors.document_id = subjects.document_id
        AND predecessors.message_type = subjects.message_type
    JOIN declarations ON declarations.id = predecessors.declaration_id AND declarations.state IN ('blocked', 'ready')
    """,
    {"subjects": columns(document_id="int", message_type="text")},
)


class CaseStore:
    """Locks and reads cases; documents and declarations leave the database opened."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def cases_around(self, transaction: Transaction, keys: Iterable[LinkKey]) -> list[CaseKey]:
        """Every case that documents under these keys may touch, in key order."""
        rows = await transaction.run(_CASES_AROUND, keys=sorted(keys))
        return sorted(CaseKey(IMPORT, *key_parts(row.value)) for row in rows)

    async def open_cases(
        self,
        transaction: Transaction,
        keys: Sequence[CaseKey],
        party_of: Callable[[str], str],
        new_id: Callable[[], int],
        now: int,
    ) -> dict[CaseKey, Case]:
        """Lock these cases, opening those that are new."""
        rows = [(new_id(), *key, party_of(key.scope), START, now) for key in sorted(keys)]
        return {case.key: case for case in map(_case, await transaction.run(_OPEN_CASES, cases=rows))}

    async def lock_cases(self, transaction: Transaction, ids: Iterable[int]) -> dict[int, Case]:
        """Lock known cases by id."""
        rows = await transaction.run(_LOCK_CASES, ids=[(each,) for each in sorted(set(ids))])
        return {case.id: case for case in map(_case, rows)}

    async def documents_around(
        self, transaction: Transaction, cases: Iterable[Case], fresh: Mapping[int, Held]
    ) -> dict[int, list[Held]]:
        """All documents that share a key with anything a case's order number names, by case id.

        ``fresh`` are those that arrived in this transaction; their versions are not stored yet.
        """
        keys = [
            (case.id, *key)
            for case in cases
            for key in (
                LinkKey("order", key_text((case.key.scope, case.key.order_no))),
                LinkKey("order-number", case.key.order_no),
            )
        ]
        found: dict[int, list[Held]] = defaultdict(list)
        opened = dict(fresh)
        for row in await transaction.run(_DOCUMENTS_AROUND, keys=keys):
            if row.id not in opened:
                opened[row.id] = self._held(row)
            found[row.case_id].append(opened[row.id])
        return found

    def _document(self, row: Row) -> Document:
        return KINDS[row.kind].model_validate_json(self._sealer.open(row.content))

    def _held(self, row: Row) -> Held:
        return Held(
            row.id,
            row.version,
            self._document(row),
            row.generation,
            row.app_time,
            bool(row.withdrawn),
            row.bound_to,
            row.first_at,
            row.relay_id,
        )

    async def links(
        self, transaction: Transaction, cases: Iterable[int], documents: Iterable[int]
    ) -> dict[int, frozenset[int]]:
        """The documents (ids) linked to these cases, and the other cases these documents are linked to, by case."""
        found: dict[int, set[int]] = defaultdict(set)
        rows = await transaction.run(
            _LINKS, cases=[(each,) for each in cases], documents=[(each,) for each in documents]
        )
        for row in rows:
            found[row.case_id].add(row.document_id)
        return {case_id: frozenset(linked) for case_id, linked in found.items()}

    async def references(
        self, transaction: Transaction, keys: Iterable[LinkKey], fresh: Mapping[int, Held]
    ) -> dict[LinkKey, Reference]:
        """Goods records and transports by the keys that name them; ``fresh`` as for documents_around.

        One that no longer has the key it once had is not meant by it, and between several nothing is guessed.
        """
        named: dict[LinkKey, list[Document]] = defaultdict(list)
        versions: dict[LinkKey, int] = defaultdict(int)
        for row in await transaction.run(_REFERENCES, keys=sorted(set(keys))):
            key, held = LinkKey(row.key_kind, row.key_value), fresh.get(row.id)
            versions[key] += row.version
            document = held.document if held else self._document(row)
            if not row.withdrawn and key in link_keys(document):
                named[key].append(document)
        return {
            key: Reference(named[key][0] if len(named[key]) == 1 else None, version)
            for key, version in versions.items()
        }

    async def lock_quotas(self, transaction: Transaction, people: Iterable[Person]) -> dict[Person, int]:
        """Lock the quotas of these people and say what is reserved."""
        rows = await transaction.run(_LOCK_QUOTAS, people=sorted(set(people)))
        return {Person(bytes(row.person), row.year): row.amount for row in rows}

    async def declarations(
        self, transaction: Transaction, cases: Iterable[int], documents: Iterable[int]
    ) -> list[Declaration]:
        """Lock all attempts of these locked cases, and of these documents; content stays sealed where it is."""
        rows = await transaction.run(
            _DECLARATIONS, cases=[(each,) for each in cases], documents=[(each,) for each in set(documents)]
        )
        return [declaration(row) for row in rows]

    async def cases_of(self, transaction: Transaction, declarations: Iterable[int]) -> list[int]:
        """The cases (ids) of these declarations."""
        return [row.case_id for row in await transaction.run(_CASES_OF, ids=[(each,) for each in declarations])]

    async def predecessors(self, transaction: Transaction, cases: Iterable[int]) -> dict[int, frozenset[Subject]]:
        """What the declarations of these cases wait for, by declaration."""
        found: dict[int, set[Subject]] = defaultdict(set)
        for row in await transaction.run(_PREDECESSORS, ids=[(each,) for each in cases]):
            found[row.declaration_id].add(Subject(row.document_id, row.message_type))
        return {each: frozenset(subjects) for each, subjects in found.items()}

    async def findings(self, transaction: Transaction, ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
        """The findings of each case, as stored."""
        found: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in await transaction.run(_FINDINGS, ids=[(each,) for each in ids]):
            found[row.case_id].append(json.loads(row.body))
        return found

    async def waiting_for(self, transaction: Transaction, subjects: Iterable[Subject]) -> set[int]:
        """The cases (ids) with a declaration at home that waits for one of these to arrive."""
        rows = await transaction.run(_WAITING_FOR, subjects=sorted(set(subjects)))
        return {row.case_id for row in rows}


def declaration(row: Row) -> Declaration:
    """A declaration from a row of its columns, without content."""
    names = [name.strip() for name in DECLARATION_COLUMNS.split(",")]
    values = {name: getattr(row, name) for name in names}
    return Declaration(**values | {"state": DeclarationState(values["state"]), "digest": bytes(values["digest"])})


def _case(row: Row) -> Case:
    person = Person(bytes(row.quota_person), row.quota_year) if row.quota_person is not None else None
    return Case(
        id=row.id,
        key=CaseKey(row.direction, row.scope, row.order_no),
        status=CaseStatus(row.status),
        verdict=Verdict(row.verdict),
        flags=frozenset(Flag(flag) for flag in row.flags.split(",") if flag),
        eport=row.eport,
        party=row.party,
        decided=None if row.decided is None else bytes(row.decided),
        person=person,
        amount=row.quota_amount,
        chain=Chain(row.ledger_count, bytes(row.ledger_head)),
        result_count=row.result_count,
        waiting_since=row.waiting_since,
    )
