"""The first tables."""

from alembic import op

from sealog.storage.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    # The first revision is the tables as they stand; the next one writes them out here as they were.
    metadata.create_all(op.get_bind())
