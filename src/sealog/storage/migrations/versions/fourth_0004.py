"""Ids by when they came, so that they can be forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

PERIOD_S = 15 * 86_400


def upgrade() -> None:
    op.create_table(
        "seen",
        sa.Column("period", sa.Integer, primary_key=True),
        sa.Column("key", sa.BLOB, primary_key=True),
        sa.Column("index", sa.Integer, nullable=False),
        sa.Column("fingerprint", sa.BLOB, nullable=False),
        sqlite_with_rowid=False,
    )
    # Nobody knows when they came: as if now, so that none is forgotten too early.
    now = f"CAST(strftime('%s', 'now') AS INTEGER) / {PERIOD_S}"
    op.execute(
        'INSERT INTO seen (period, key, "index", fingerprint)'
        f' SELECT {now}, key, "index", fingerprint FROM ids ORDER BY key'
    )
    op.drop_table("ids")
