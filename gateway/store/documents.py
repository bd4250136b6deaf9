"""Documents in the store: what is known under a key, new versions, and what was not taken (with its bytes)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..evidence import LinkKey, identity_key, link_keys
from ..sealing import Sealer
from ..taking import Known, Past, Taken
from .database import Statement, Transaction, columns

_LOCK_KEYS = Statement(
    """
    INSERT INTO link_keys (kind, value) SELECT kind, value FROM {keys} WHERE true ORDER BY kind, value
    ON CONFLICT (kind, value) DO UPDATE SET value = excluded.value
    """,
    {"keys": columns(kind="text", value="text")},
)

_KNOWN = Statement(
    """
    SELECT documents.id, documents.kind, documents.key, documents.generation, documents.version, documents.app_time,
        documents.withdrawn, documents.first_at, documents.sender, latest.digest
    FROM {keys}
    JOIN documents ON documents.kind = keys.kind AND documents.key = keys.value
    JOIN document_versions latest ON latest.document_id = documents.id AND latest.version = documents.version
    ORDER BY documents.generation
    """,
    {"keys": columns(kind="text", value="text")},
)

_ANSWERED = Statement(
    """
    SELECT past.document_id, past.app_type, past.app_time, past.digest, past.answer
    FROM {sent}
    JOIN documents ON documents.kind = sent.kind AND documents.key = sent.value
    JOIN document_versions past ON past.document_id = documents.id AND past.digest = sent.digest
    ORDER BY past.version
    """,
    {"sent": columns(kind="text", value="text", digest="bytes")},
)

_ADD_DOCUMENTS = Statement(
    """
    INSERT INTO documents
        (id, kind, key, generation, version, app_time, withdrawn, sender, bound_to, first_at, changed_at)
    SELECT id, kind, key, generation, version, app_time, withdrawn, sender, bound_to, at, at FROM {documents} WHERE true
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, app_time = excluded.app_time,
        withdrawn = excluded.withdrawn, sender = excluded.sender, bound_to = excluded.bound_to,
        changed_at = excluded.changed_at
    """,
    {
        "documents": columns(
            id="int",
            kind="text",
            key="text",
            generation="int",
            version="int",
            app_time="int",
            withdrawn="bool",
            sender="text",
            bound_to="text",
            at="int",
        )
    },
)

_ADD_KEYS = Statement(
    """
    INSERT INTO document_keys (kind, value, document_id) SELECT kind, value, document_id FROM {keys} WHERE true
    ON CONFLICT (kind, value, document_id) DO NOTHING
    """,
    {"keys": columns(kind="text", value="text", document_id="int")},
)

_ADD_VERSIONS = Statement(
    """
    INSERT INTO document_versions (document_id, version, app_type, app_time, digest, content, relay_id, answer, at)
    SELECT document_id, version, app_type, app_time, digest, content, relay_id, answer, at FROM {versions}
    """,
    {
        "versions": columns(
            document_id="int",
            version="int",
            app_type="text",
            app_time="int",
            digest="bytes",
            content="bytes",
            relay_id="int",
            answer="text",
            at="int",
        )
    },
)

_ADD_REJECTIONS = Statement(
    """
    INSERT INTO rejections (id, at, sender, routing_key, outcome, kind, key, faults, content)
    SELECT id, at, sender, routing_key, outcome, kind, key, faults, content FROM {rejections}
    """,
    {
        "rejections": columns(
            id="int",
            at="int",
            sender="text",
            routing_key="text",
            outcome="text",
            kind="text",
            key="text",
            faults="text",
            content="bytes",
        )
    },
)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A document or delivery that was not taken, with its bytes."""

    id: int
    sender: str | None
    routing_key: str
    outcome: str
    kind: str | None
    key: str | None
    faults: str
    raw: bytes


class DocumentStore:
    """Reads and writes documents; contents are sealed on the way in."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    async def lock_keys(self, transaction: Transaction, keys: Iterable[LinkKey]) -> None:
        """Lock the evidence before siblings are read, so that two workers cannot each miss the other's half."""
        await transaction.run(_LOCK_KEYS, keys=sorted(set(keys)))

    async def known(self, transaction: Transaction, identities: Iterable[LinkKey]) -> dict[LinkKey, Known]:
        """The newest generation known under each identity."""
        rows = await transaction.run(_KNOWN, keys=sorted(set(identities)))
        return {
            LinkKey(row.kind, row.key): Known(
                row.id,
                row.generation,
                row.version,
                row.app_time,
                bool(row.withdrawn),
                row.first_at,
                bytes(row.digest),
                row.sender,
            )
            for row in rows
        }

    async def answered(
        self, transaction: Transaction, sent: Sequence[tuple[LinkKey, bytes]]
    ) -> dict[tuple[int, bytes], list[Past]]:
        """Versions that say the same as what was sent, by document id and digest, oldest first."""
        found: dict[tuple[int, bytes], list[Past]] = {}
        for row in await transaction.run(_ANSWERED, sent=[(*key, digest) for key, digest in sent]):
            past = found.setdefault((row.document_id, bytes(row.digest)), [])
            past.append(Past(row.app_type, row.app_time, row.answer))
        return found

    async def add(self, transaction: Transaction, taken: Sequence[Taken], now: int) -> None:
        """Store documents and the keys they are found by; several versions of one document fold into the last."""
        last = {each.held.id: each for each in taken}
        rows = [
            (
                each.held.id,
                each.held.kind,
                identity_key(each.held.document).value,
                each.held.generation,
                each.held.version,
                each.held.app_time,
                each.held.withdrawn,
                each.sender,
                each.held.bound_to,
                now,
            )
            for each in last.values()
        ]
        await transaction.run(_ADD_DOCUMENTS, documents=rows)
        keys = dict.fromkeys((*key, each.held.id) for each in taken for key in link_keys(each.held.document))
        await transaction.run(_ADD_KEYS, keys=list(keys))

    async def add_versions(self, transaction: Transaction, taken: Iterable[tuple[Taken, str]], now: int) -> None:
        """Store what each document says, sealed, with the answer it was given."""
        rows = [
            (
                each.held.id,
                each.held.version,
                each.app_type,
                each.held.app_time,
                each.digest,
                self._sealer.seal(each.held.document.model_dump_json(by_alias=True, exclude_none=True).encode()),
                each.held.relay_id,
                answer,
                now,
            )
            for each, answer in taken
        ]
        await transaction.run(_ADD_VERSIONS, versions=rows)

    async def reject(self, transaction: Transaction, rejections: Iterable[Rejection], now: int) -> None:
        """Keep what was not taken, sealed."""
        rows = [
            (
                each.id,
                now,
                each.sender,
                each.routing_key,
                each.outcome,
                each.kind,
                each.key,
                each.faults,
                self._sealer.seal(each.raw),
            )
            for each in rejections
        ]
        await transaction.run(_ADD_REJECTIONS, rejections=rows)
