"""Exports."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "exports",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("columns", sa.Text),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("estimated", sa.Integer, nullable=False),
        sa.Column("created_us", sa.Integer, nullable=False),
        sa.Column("finished_us", sa.Integer),
        sa.Column("expires_us", sa.Integer),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("sha256", sa.BLOB),
        sa.Column("error", sa.Text),
    )
