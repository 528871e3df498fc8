"""What tenants choose, what has expired, and streams."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _choices()
    _expiry()
    _streams()
    for name, value in (("dialect", "ecs"), ("ecs_version", "8.11")):
        column = sa.Column(name, sa.Text, nullable=False, server_default=value)
        op.add_column("exports", column)


def _choices() -> None:
    op.create_table(
        "policies",
        sa.Column("tenant", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("at_us", sa.Integer, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("untold", sa.BLOB),
        sa.Column("secrets", sa.BLOB),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "unrecorded",
        sa.Column("hour", sa.Integer, primary_key=True),
        sa.Column("tenant", sa.Integer, primary_key=True),
        sa.Column("dialect", sa.Text, primary_key=True),
        sa.Column("action", sa.Text, primary_key=True),
        sa.Column("records", sa.Integer, nullable=False),
        sa.Column("since_us", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def _expiry() -> None:
    op.create_table(
        "classed",
        sa.Column("tenant", sa.Integer, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "expired",
        sa.Column("tenant", sa.Integer, primary_key=True),
        sa.Column("statement", sa.Integer, primary_key=True),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("indexes", sa.BLOB, nullable=False),
        sa.Column("digest", sa.BLOB, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "expiring",
        sa.Column("tenant", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("at_us", sa.Integer, nullable=False),
        sa.Column("says", sa.BLOB, nullable=False),
        sqlite_with_rowid=False,
    )
    for name in ("first_ingested_us", "last_ingested_us"):
        op.add_column("segments", sa.Column(name, sa.Integer))


def _streams() -> None:
    op.create_table(
        "streams",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("secrets", sa.BLOB, nullable=False),
        sa.Column("next", sa.Integer, nullable=False),
        sa.Column("health", sa.Text, nullable=False),
        sa.Column("created_us", sa.Integer, nullable=False),
        sa.Column("changed_us", sa.Integer, nullable=False),
        sa.Column("untold", sa.Text),
    )
    op.create_table(
        "parked",
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("index", sa.Integer, primary_key=True),
        sa.Column("at_us", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
