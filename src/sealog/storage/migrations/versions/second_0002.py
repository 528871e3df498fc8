"""What keys read, until its hour is over."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "reads",
        sa.Column("hour", sa.Integer, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Integer, primary_key=True),
        sa.Column("counts", sa.BLOB, nullable=False),
        sqlite_with_rowid=False,
    )
