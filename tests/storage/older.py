"""A folder's `state.db` as earlier programs left it."""

FIFTH_TABLES = ("policies", "unrecorded", "expired", "expiring", "classed", "streams", "parked")
FIFTH_COLUMNS = {
    "segments": ("first_ingested_us", "last_ingested_us"),
    "exports": ("dialect", "ecs_version"),
}


def take_back_the_fifth(connection):
    """Undo the fifth migration on a connection of `sqlite3`."""
    for table in FIFTH_TABLES:
        connection.execute(f"DROP TABLE {table}")
    for table, columns in FIFTH_COLUMNS.items():
        for column in columns:
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    connection.execute("UPDATE alembic_version SET version_num = '0004'")
