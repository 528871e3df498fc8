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
        "segments",
        "keys",
    ]
)


def upgrade() -> None:
    tables = [table for table in metadata.sorted_tables if table.name in NAMES]
    metadata.create_all(op.get_bind(), tables=tables)
    op.create_table(
        "ids",
        sa.Column("key", sa.BLOB, primary_key=True),
        sa.Column("index", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.BLOB, nullable=False),
        sqlite_with_rowid=False,
    )
