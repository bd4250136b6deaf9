"""Gates: e-ports whose channel a person has closed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the table; an older release passes it over."""
    op.create_table(
        "gates",
        sa.Column("eport", Text, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("reason", Text, nullable=False),
        sa.Column("actor", Text, nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("eport"),
    )
