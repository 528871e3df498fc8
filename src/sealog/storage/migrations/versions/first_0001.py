"""The first tables."""

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
        "ids",
        "recent_ids",
        "signed",
        "segments",
        "keys",
    ]
)


def upgrade() -> None:
    tables = [table for table in metadata.sorted_tables if table.name in NAMES]
    metadata.create_all(op.get_bind(), tables=tables)
