"""The first schema."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
Identity = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _column(name: str, kind: sa.types.TypeEngine[Any], *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, autoincrement=False, nullable=null)


def _cases() -> None:
    op.create_table(
        "cases",
        _column("id", sa.BigInteger()),
        _column("direction", Text),
        _column("scope", Text),
        _column("order_no", Text),
        _column("status", Text),
        _column("verdict", Text),
        _column("flags", Text),
        _column("eport", Text, null=True),
        _column("party", Text),
        _column("decided", sa.LargeBinary(), null=True),
        _column("quota_person", sa.LargeBinary(), null=True),
        _column("quota_year", sa.BigInteger(), null=True),
        _column("quota_amount", sa.BigInteger()),
        _column("ledger_count", sa.BigInteger()),
        _column("ledger_head", sa.LargeBinary()),
        _column("sealed_count", sa.BigInteger()),
        _column("result_count", sa.BigInteger()),
        _column("waiting_since", sa.BigInteger(), null=True),
        _column("created_at", sa.BigInteger()),
        _column("changed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("direction", "scope", "order_no"),
    )
    op.create_index("ix_cases_order_no", "cases", ["order_no"])
    op.create_index("ix_cases_status_changed_at", "cases", ["status", "changed_at"])
    op.create_index(
        "ix_cases_unsealed",
        "cases",
        ["id"],
        sqlite_where=sa.text("ledger_count > sealed_count"),
        postgresql_where=sa.text("ledger_count > sealed_count"),
    )


def _declarations() -> None:
    op.create_table(
        "declarations",
        _column("id", sa.BigInteger()),
        _column("case_id", sa.BigInteger()),
        _column("document_id", sa.BigInteger()),
        _column("document_version", sa.BigInteger()),
        _column("message_type", Text),
        _column("attempt", sa.BigInteger()),
        _column("app_type", Text),
        _column("state", Text),
        _column("eport", Text),
        _column("declarant", Text),
        _column("guid", Text),
        _column("cop_no", Text, null=True),
        _column("business_key", Text),
        _column("digest", sa.LargeBinary()),
        _column("content", sa.LargeBinary()),
        _column("relay_id", sa.BigInteger(), null=True),
        _column("message_id", sa.BigInteger(), null=True),
        _column("ready_at", sa.BigInteger(), null=True),
        _column("packed_at", sa.BigInteger(), null=True),
        _column("status", Text, null=True),
        _column("return_time", sa.BigInteger(), null=True),
        _column("pre_no", Text, null=True),
        _column("invt_no", Text, null=True),
        _column("changed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("document_id", "message_type", "attempt"),
    )
    op.create_index("ix_declarations_case_id", "declarations", ["case_id"])
    op.create_index("ix_declarations_guid", "declarations", ["guid"])
    op.create_index("ix_declarations_invt_no", "declarations", ["invt_no"])
    op.create_index("ix_declarations_message_id", "declarations", ["message_id"])
    op.create_index("ix_declarations_message_type_business_key", "declarations", ["message_type", "business_key"])
    op.create_index("ix_declarations_state_ready_at", "declarations", ["state", "ready_at"])


def _document_keys() -> None:
    op.create_table(
        "document_keys",
        _column("kind", Text),
        _column("value", Text),
        _column("document_id", sa.BigInteger()),
        sa.PrimaryKeyConstraint("kind", "value", "document_id"),
    )
    op.create_index("ix_document_keys_document_id", "document_keys", ["document_id"])


def _document_versions() -> None:
    op.create_table(
        "document_versions",
        _column("document_id", sa.BigInteger()),
        _column("version", sa.BigInteger()),
        _column("app_type", Text),
        _column("app_time", sa.BigInteger()),
        _column("digest", sa.LargeBinary()),
        _column("content", sa.LargeBinary()),
        _column("relay_id", sa.BigInteger(), null=True),
        _column("answer", Text),
        _column("at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("document_id", "version"),
    )


def _documents() -> None:
    op.create_table(
        "documents",
        _column("id", sa.BigInteger()),
        _column("kind", Text),
        _column("key", Text),
        _column("generation", sa.BigInteger()),
        _column("version", sa.BigInteger()),
        _column("app_time", sa.BigInteger()),
        _column("withdrawn", sa.Boolean()),
        _column("sender", Text),
        _column("bound_to", Text, null=True),
        _column("first_at", sa.BigInteger()),
        _column("changed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "key", "generation"),
    )


def _due() -> None:
    op.create_table(
        "due",
        _column("kind", Text),
        _column("key", sa.BigInteger()),
        _column("at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("kind", "key"),
    )
    op.create_index("ix_due_at", "due", ["at"])


def _findings() -> None:
    op.create_table(
        "findings",
        _column("case_id", sa.BigInteger()),
        _column("seq", sa.BigInteger()),
        _column("rule", Text),
        _column("severity", Text),
        _column("body", Text),
        sa.PrimaryKeyConstraint("case_id", "seq"),
    )
    op.create_index("ix_findings_rule", "findings", ["rule"])


def _id_blocks() -> None:
    op.create_table(
        "id_blocks", _column("name", Text), _column("next", sa.BigInteger()), sa.PrimaryKeyConstraint("name")
    )


def _inbound() -> None:
    op.create_table(
        "inbound",
        _column("id", sa.BigInteger()),
        _column("eport", Text),
        _column("file_name", Text),
        _column("sha256", sa.LargeBinary()),
        _column("message_type", Text, null=True),
        _column("notes", Text),
        _column("at", sa.BigInteger()),
        _column("content", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("eport", "file_name", "sha256"),
    )


def _lanes() -> None:
    op.create_table(
        "lanes",
        _column("lane", sa.BigInteger()),
        _column("owner", Text),
        _column("leased_until", sa.BigInteger()),
        _column("position", sa.BigInteger()),
        sa.PrimaryKeyConstraint("lane"),
    )


def _ledger() -> None:
    op.create_table(
        "ledger",
        _column("case_id", sa.BigInteger()),
        _column("seq", sa.BigInteger()),
        _column("body", Text),
        _column("hash", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("case_id", "seq"),
    )


def _link_keys() -> None:
    op.create_table(
        "link_keys", _column("kind", Text), _column("value", Text), sa.PrimaryKeyConstraint("kind", "value")
    )


def _links() -> None:
    op.create_table(
        "links",
        _column("case_id", sa.BigInteger()),
        _column("document_id", sa.BigInteger()),
        _column("basis", Text),
        _column("amount", sa.BigInteger(), null=True),
        sa.PrimaryKeyConstraint("case_id", "document_id"),
    )
    op.create_index("ix_links_document_id", "links", ["document_id"])


def _messages() -> None:
    op.create_table(
        "messages",
        _column("id", sa.BigInteger()),
        _column("eport", Text),
        _column("message_type", Text),
        _column("guid", Text),
        _column("file_name", Text),
        _column("members", sa.BigInteger()),
        _column("state", Text),
        _column("sends", sa.BigInteger()),
        _column("leased_until", sa.BigInteger()),
        _column("packed_at", sa.BigInteger()),
        _column("sent_at", sa.BigInteger(), null=True),
        _column("content", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_messages_guid", "messages", ["guid"])
    op.create_index("ix_messages_state_leased_until", "messages", ["state", "leased_until"])


def _parties() -> None:
    op.create_table(
        "parties",
        _column("code", Text),
        _column("body", Text),
        _column("changed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("code"),
    )


def _predecessors() -> None:
    op.create_table(
        "predecessors",
        _column("declaration_id", sa.BigInteger()),
        _column("document_id", sa.BigInteger()),
        _column("message_type", Text),
        sa.PrimaryKeyConstraint("declaration_id", "document_id", "message_type"),
    )
    op.create_index("ix_predecessors_document_id_message_type", "predecessors", ["document_id", "message_type"])


def _quota() -> None:
    op.create_table(
        "quota",
        _column("person", sa.LargeBinary()),
        _column("year", sa.BigInteger()),
        _column("amount", sa.BigInteger()),
        sa.PrimaryKeyConstraint("person", "year"),
    )


def _receipts() -> None:
    op.create_table(
        "receipts",
        _column("id", sa.BigInteger()),
        _column("inbound_id", sa.BigInteger()),
        _column("message_type", Text),
        _column("business_key", Text),
        _column("status", Text),
        _column("return_time", sa.BigInteger(), null=True),
        _column("standing", Text),
        _column("declaration_id", sa.BigInteger(), null=True),
        _column("case_id", sa.BigInteger(), null=True),
        _column("body", Text),
        _column("at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_receipts_case_id", "receipts", ["case_id"])
    op.create_index("ix_receipts_declaration_id", "receipts", ["declaration_id"])
    op.create_index("ix_receipts_standing_business_key", "receipts", ["standing", "business_key"])


def _rejections() -> None:
    op.create_table(
        "rejections",
        _column("id", sa.BigInteger()),
        _column("at", sa.BigInteger()),
        _column("sender", Text, null=True),
        _column("routing_key", Text),
        _column("outcome", Text),
        _column("kind", Text, null=True),
        _column("key", Text, null=True),
        _column("faults", Text),
        _column("content", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_rejections_at", "rejections", ["at"])


def _results() -> None:
    op.create_table(
        "results",
        sa.Column("id", Identity, autoincrement=True, nullable=False),
        _column("case_id", sa.BigInteger()),
        _column("seq", sa.BigInteger()),
        _column("lane", sa.BigInteger()),
        _column("routing_key", Text),
        _column("body", Text),
        _column("at", sa.BigInteger()),
        _column("position", sa.BigInteger(), null=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("case_id", "seq"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_results_waiting",
        "results",
        ["lane", "id"],
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    )


def _seal_heads() -> None:
    op.create_table(
        "seal_heads",
        _column("seal_id", sa.BigInteger()),
        _column("case_id", sa.BigInteger()),
        _column("count", sa.BigInteger()),
        _column("head", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("seal_id", "case_id"),
    )


def _seals() -> None:
    op.create_table(
        "seals",
        _column("id", sa.BigInteger()),
        _column("at", sa.BigInteger()),
        _column("root", sa.LargeBinary()),
        _column("previous", sa.LargeBinary()),
        _column("signature", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id"),
    )


def _wants() -> None:
    op.create_table(
        "wants",
        _column("case_id", sa.BigInteger()),
        _column("kind", Text),
        _column("value", Text),
        _column("seen", sa.BigInteger()),
        sa.PrimaryKeyConstraint("case_id", "kind", "value"),
    )
    op.create_index("ix_wants_kind_value", "wants", ["kind", "value"])


def upgrade() -> None:
    """Make every table."""
    for table in (
        _cases,
        _declarations,
        _document_keys,
        _document_versions,
        _documents,
        _due,
        _findings,
        _id_blocks,
        _inbound,
        _lanes,
        _ledger,
        _link_keys,
        _links,
        _messages,
        _parties,
        _predecessors,
        _quota,
        _receipts,
        _rejections,
        _results,
        _seal_heads,
        _seals,
        _wants,
    ):
        table()
