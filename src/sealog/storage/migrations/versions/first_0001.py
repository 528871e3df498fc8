"""The first tables."""

import sqlalchemy as sa
from alembic import op

from sealog.storage.tables import metadata

revision = "0001"
down_revision = None

NAMES = frozenset(
    [
        "installation",
        "tenants",
        "heads",
        "blocks",
        "recent_ids",
        "signed",
        "keys",
    ]
)


def upgrade() -> None:
    tables = [table for table in metadata.sorted_tables if table.name in NAMES]
    metadata.create_all(op.get_bind(), tables=tables)
    _create_segments()
    op.create_table(
        "ids",
        sa.Column("key", sa.BLOB, primary_key=True),
        sa.Column("index", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.BLOB, nullable=False),
        sqlite_with_rowid=False,
    )


def _create_segments() -> None:
    op.create_table(
        "segments",
        sa.Column("tenant", sa.Integer, primary_key=True),
        sa.Column("class", sa.Text, primary_key=True),
        sa.Column("first", sa.Integer, primary_key=True),
        sa.Column("last", sa.Integer, primary_key=True),
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("first_us", sa.Integer, nullable=False),
        sa.Column("last_us", sa.Integer, nullable=False),
        sa.Column("columns_bytes", sa.Integer, nullable=False),
        sa.Column("columns_digest", sa.BLOB, nullable=False),
        sa.Column("parts_bytes", sa.Integer, nullable=False),
        sa.Column("parts_digest", sa.BLOB, nullable=False),
        sa.Column("digest", sa.BLOB, nullable=False),
        sqlite_with_rowid=False,
    )
