"""The tables of the store, in one place; the migrations build exactly this (a test compares them).

Times are milliseconds UTC. Amounts that are summed are scaled integers (see ``gateway.amounts``). Every column called
``content`` holds sealed bytes; nothing else in the database holds personal data, only masks and blind indexes.
"""

import sqlalchemy as sa

metadata = sa.MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s"})

# codes and numbers sort the same everywhere
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# SQLite numbers rows by itself only in a column of exactly this type
Identity = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Int = sa.BigInteger
Bytes = sa.LargeBinary


def _column(name: str, kind: object, *, key: bool = False, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, kind, primary_key=key, nullable=null, autoincrement=False)  # pyright: ignore[reportArgumentType]


def _table(name: str, *parts: sa.schema.SchemaItem) -> sa.Table:
    return sa.Table(name, metadata, *parts)


id_blocks = _table("id_blocks", _column("name", Text, key=True), _column("next", Int))

parties = _table(
    "parties",
    _column("code", Text, key=True),
    _column("body", Text),
    _column("changed_at", Int),
)

documents = _table(
    "documents",
    _column("id", Int, key=True),
    _column("kind", Text),
    _column("key", Text),
    _column("generation", Int),
    _column("version", Int),
    _column("app_time", Int),
    _column("withdrawn", sa.Boolean),
    _column("sender", Text),
    _column("bound_to", Text, null=True),
    _column("first_at", Int),
    _column("changed_at", Int),
    sa.UniqueConstraint("kind", "key", "generation"),
)

document_versions = _table(
    "document_versions",
    _column("document_id", Int, key=True),
    _column("version", Int, key=True),
    _column("app_type", Text),
    _column("app_time", Int),
    _column("digest", Bytes),
    _column("content", Bytes),
    _column("relay_id", Int, null=True),
    _column("answer", Text),
    _column("at", Int),
)

link_keys = _table("link_keys", _column("kind", Text, key=True), _column("value", Text, key=True))

document_keys = _table(
    "document_keys",
    _column("kind", Text, key=True),
    _column("value", Text, key=True),
    _column("document_id", Int, key=True),
    sa.Index(None, "document_id"),
)

rejections = _table(
    "rejections",
    _column("id", Int, key=True),
    _column("at", Int),
    _column("sender", Text, null=True),
    _column("routing_key", Text),
    _column("outcome", Text),
    _column("kind", Text, null=True),
    _column("key", Text, null=True),
    _column("faults", Text),
    _column("content", Bytes),
    sa.Index(None, "at"),
)

cases = _table(
    "cases",
    _column("id", Int, key=True),
    _column("direction", Text),
    _column("scope", Text),
    _column("order_no", Text),
    _column("status", Text),
    _column("verdict", Text),
    _column("flags", Text),
    _column("eport", Text, null=True),
    _column("party", Text),
    _column("decided", Bytes, null=True),
    _column("quota_person", Bytes, null=True),
    _column("quota_year", Int, null=True),
    _column("quota_amount", Int),
    _column("ledger_count", Int),
    _column("ledger_head", Bytes),
    _column("sealed_count", Int),
    _column("result_count", Int),
    _column("waiting_since", Int, null=True),
    _column("created_at", Int),
    _column("changed_at", Int),
    sa.UniqueConstraint("direction", "scope", "order_no"),
    sa.Index(None, "order_no"),
    sa.Index(None, "status", "changed_at"),
    sa.Index(
        "ix_cases_unsealed",
        "id",
        sqlite_where=sa.text("ledger_count > sealed_count"),
        postgresql_where=sa.text("ledger_count > sealed_count"),
    ),
)

links = _table(
    "links",
    _column("case_id", Int, key=True),
    _column("document_id", Int, key=True),
    _column("basis", Text),
    _column("amount", Int, null=True),
    sa.Index(None, "document_id"),
)

findings = _table(
    "findings",
    _column("case_id", Int, key=True),
    _column("seq", Int, key=True),
    _column("rule", Text),
    _column("severity", Text),
    _column("body", Text),
    sa.Index(None, "rule"),
)

wants = _table(
    "wants",
    _column("case_id", Int, key=True),
    _column("kind", Text, key=True),
    _column("value", Text, key=True),
    _column("seen", Int),
    sa.Index(None, "kind", "value"),
)

quota = _table(
    "quota",
    _column("person", Bytes, key=True),
    _column("year", Int, key=True),
    _column("amount", Int),
)

declarations = _table(
    "declarations",
    _column("id", Int, key=True),
    _column("case_id", Int),
    _column("document_id", Int),
    _column("document_version", Int),
    _column("message_type", Text),
    _column("attempt", Int),
    _column("app_type", Text),
    _column("state", Text),
    _column("eport", Text),
    _column("declarant", Text),
    _column("guid", Text),
    _column("cop_no", Text, null=True),
    _column("business_key", Text),
    _column("digest", Bytes),
    _column("content", Bytes),
    _column("relay_id", Int, null=True),
    _column("message_id", Int, null=True),
    _column("ready_at", Int, null=True),
    _column("packed_at", Int, null=True),
    _column("status", Text, null=True),
    _column("return_time", Int, null=True),
    _column("pre_no", Text, null=True),
    _column("invt_no", Text, null=True),
    _column("changed_at", Int),
    sa.UniqueConstraint("document_id", "message_type", "attempt"),
    sa.Index(None, "case_id"),
    sa.Index(None, "message_type", "business_key"),
    sa.Index(None, "guid"),
    sa.Index(None, "message_id"),
    sa.Index(None, "invt_no"),
    sa.Index(None, "state", "ready_at"),
)

predecessors = _table(
    "predecessors",
    _column("declaration_id", Int, key=True),
    _column("document_id", Int, key=True),
    _column("message_type", Text, key=True),
    sa.Index(None, "document_id", "message_type"),
)

gates = _table(
    "gates",
    _column("eport", Text, key=True),
    _column("state", Text),
    _column("reason", Text),
    _column("actor", Text),
    _column("at", Int),
)

messages = _table(
    "messages",
    _column("id", Int, key=True),
    _column("eport", Text),
    _column("message_type", Text),
    _column("guid", Text),
    _column("file_name", Text),
    _column("members", Int),
    _column("state", Text),
    _column("sends", Int),
    _column("leased_until", Int),
    _column("packed_at", Int),
    _column("sent_at", Int, null=True),
    _column("content", Bytes),
    sa.Index(None, "guid"),
    sa.Index(None, "state", "leased_until"),
)

inbound = _table(
    "inbound",
    _column("id", Int, key=True),
    _column("eport", Text),
    _column("file_name", Text),
    _column("sha256", Bytes),
    _column("message_type", Text, null=True),
    _column("notes", Text),
    _column("at", Int),
    _column("content", Bytes),
    sa.UniqueConstraint("eport", "file_name", "sha256"),
)

receipts = _table(
    "receipts",
    _column("id", Int, key=True),
    _column("inbound_id", Int),
    _column("message_type", Text),
    _column("business_key", Text),
    _column("status", Text),
    _column("return_time", Int, null=True),
    _column("standing", Text),
    _column("declaration_id", Int, null=True),
    _column("case_id", Int, null=True),
    _column("body", Text),
    _column("at", Int),
    sa.Index(None, "declaration_id"),
    sa.Index(None, "case_id"),
    sa.Index(None, "standing", "business_key"),
)

results = sa.Table(
    "results",
    metadata,
    sa.Column("id", Identity, primary_key=True, autoincrement=True),
    _column("case_id", Int),
    _column("seq", Int),
    _column("lane", Int),
    _column("routing_key", Text),
    _column("body", Text),
    _column("at", Int),
    _column("position", Int, null=True),
    sa.UniqueConstraint("case_id", "seq"),
    sa.Index(
        "ix_results_waiting",
        "lane",
        "id",
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    ),
    sqlite_autoincrement=True,
)

lanes = _table(
    "lanes",
    _column("lane", Int, key=True),
    _column("owner", Text),
    _column("leased_until", Int),
    _column("position", Int),
)

ledger = _table(
    "ledger",
    _column("case_id", Int, key=True),
    _column("seq", Int, key=True),
    _column("body", Text),
    _column("hash", Bytes),
)

seals = _table(
    "seals",
    _column("id", Int, key=True),
    _column("at", Int),
    _column("root", Bytes),
    _column("previous", Bytes),
    _column("signature", Bytes),
)

seal_heads = _table(
    "seal_heads",
    _column("seal_id", Int, key=True),
    _column("case_id", Int, key=True),
    _column("count", Int),
    _column("head", Bytes),
)

due = _table(
    "due",
    _column("kind", Text, key=True),
    _column("key", Int, key=True),
    _column("at", Int),
    sa.Index(None, "at"),
)
