"""The tables of `state.db`; `storage/migrations/` brings older files here.

Rows that verification relies on carry `digest`: SHA-256 over their other values (`row_digest`), so
that a value altered in place is named. It guards against accident and against whoever does not know
the program; what guards against the rest is the sealed log (decision 0007).
"""

import hashlib

import msgspec
from sqlalchemy import BLOB, Column, Index, Integer, MetaData, Table, Text

REVISION = "0005"

metadata = MetaData()

installation = Table(
    "installation",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BLOB, nullable=False),
)

tenants = Table(
    "tenants",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("log_id", Text, nullable=False, unique=True),
    Column("key", BLOB, nullable=False),
    Column("created_us", Integer, nullable=False),
    Column("public", Integer, nullable=False, server_default="0"),
)

# size: entries accepted; synced: entries whose log files were last noted durable; archived: entries
# whose events rest in segments. Blocks below both synced and archived may go.
heads = Table(
    "heads",
    metadata,
    Column("tenant", Integer, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("synced", Integer, nullable=False),
    Column("archived", Integer, nullable=False),
    Column("digest", BLOB, nullable=False),
)

# body: 33 bytes an entry, then the packs (journal/blocks.py); first: the block's first index.
blocks = Table(
    "blocks",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("tenant", Integer, nullable=False),
    Column("first", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    Column("accepted_us", Integer, nullable=False),
    Column("body", BLOB, nullable=False),
    Column("digest", BLOB, nullable=False),
    Index("blocks_by_tenant", "tenant", "first"),
)

# period: when the id came, in 15 days since 1970; key: see event.ids.id_key. Within a period times
# lead, so rows are added next to each other (decision 0011).
seen = Table(
    "seen",
    metadata,
    Column("period", Integer, primary_key=True),
    Column("key", BLOB, primary_key=True),
    Column("index", Integer, nullable=False),
    Column("fingerprint", BLOB, nullable=False),
    sqlite_with_rowid=False,
)

# The newest million ids whatever their time: 8 bytes of each key's hash part, one row a commit.
recent_ids = Table(
    "recent_ids",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("hashes", BLOB, nullable=False),
)

signed = Table(
    "signed",
    metadata,
    Column("tenant", Integer, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("root", BLOB, nullable=False),
    Column("note", BLOB, nullable=False),
)

segments = Table(
    "segments",
    metadata,
    Column("tenant", Integer, primary_key=True),
    Column("class", Text, primary_key=True),
    Column("first", Integer, primary_key=True),
    Column("last", Integer, primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("first_us", Integer, nullable=False),
    Column("last_us", Integer, nullable=False),
    Column("columns_bytes", Integer, nullable=False),
    Column("columns_digest", BLOB, nullable=False),
    Column("parts_bytes", Integer, nullable=False),
    Column("parts_digest", BLOB, nullable=False),
    Column("digest", BLOB, nullable=False),
    Column("first_ingested_us", Integer),
    Column("last_ingested_us", Integer),
    sqlite_with_rowid=False,
)

# hash: SHA-256 of the key; tenants: JSON list, or null for all; scopes: JSON list.
keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("hash", BLOB, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("tenants", Text),
    Column("scopes", Text, nullable=False),
    Column("created_us", Integer, nullable=False),
    Column("revoked_us", Integer),
)

# What keys read: counts of an hour (UTC, in hours since 1970) that is not told yet; see access.reads.
reads = Table(
    "reads",
    metadata,
    Column("hour", Integer, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("tenant", Integer, primary_key=True),
    Column("counts", BLOB, nullable=False),
    sqlite_with_rowid=False,
)

# asked: JSON of the parameters as they were given; query: JSON of what they mean (query.tree.Query);
# size: only what stands below this index; columns: JSON list.
exports = Table(
    "exports",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("columns", Text),
    Column("asked", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("estimated", Integer, nullable=False),
    Column("created_us", Integer, nullable=False),
    Column("finished_us", Integer),
    Column("expires_us", Integer),
    Column("events", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("sha256", BLOB),
    Column("error", Text),
    Column("dialect", Text, nullable=False, server_default="ecs"),
    Column("ecs_version", Text, nullable=False, server_default="8.11"),
)

# kind: settings or retention; body: JSON. The highest version of a kind is the one in force, once it
# is told: until then `untold` holds who did it, as JSON. secrets: of the one in force alone, as JSON,
# never given out.
policies = Table(
    "policies",
    metadata,
    Column("tenant", Integer, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("at_us", Integer, nullable=False),
    Column("by", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("untold", BLOB),
    Column("secrets", BLOB),
    sqlite_with_rowid=False,
)

# What a tenant chose not to record: counts of an hour (UTC, in hours since 1970) that is not told
# yet; since_us: when this counting began, which tells it from one of the same hour before.
unrecorded = Table(
    "unrecorded",
    metadata,
    Column("hour", Integer, primary_key=True),
    Column("tenant", Integer, primary_key=True),
    Column("dialect", Text, primary_key=True),
    Column("action", Text, primary_key=True),
    Column("records", Integer, nullable=False),
    Column("since_us", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# The version of its policy that all segments of a tenant are sorted by; without a row, they may not be.
classed = Table(
    "classed",
    metadata,
    Column("tenant", Integer, primary_key=True),
    Column("version", Integer, nullable=False),
)

# What has expired and is gone, by the statement that says so. indexes: msgpack of one list of numbers:
# the first index, how many follow it without a gap, how wide the gap is, how many follow …
expired = Table(
    "expired",
    metadata,
    Column("tenant", Integer, primary_key=True),
    Column("statement", Integer, primary_key=True),
    Column("first", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    Column("indexes", BLOB, nullable=False),
    Column("digest", BLOB, nullable=False),
    sqlite_with_rowid=False,
)

# What is about to expire: noted before its statement is sealed, gone once its bytes are. A start goes
# on with it. name: what the statement's id is derived from; says: its JSON (event.stating).
expiring = Table(
    "expiring",
    metadata,
    Column("tenant", Integer, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("at_us", Integer, nullable=False),
    Column("says", BLOB, nullable=False),
    sqlite_with_rowid=False,
)

# body: JSON of what was asked for; secrets: JSON, never given out; next: the index to go on from;
# untold: JSON of what its tenant is to be told of it and was not yet.
streams = Table(
    "streams",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("secrets", BLOB, nullable=False),
    Column("next", Integer, nullable=False),
    Column("health", Text, nullable=False),
    Column("created_us", Integer, nullable=False),
    Column("changed_us", Integer, nullable=False),
    Column("untold", Text),
)

# Records that a destination refused for good, by index alone: what they hold stays in the archive.
parked = Table(
    "parked",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("index", Integer, primary_key=True),
    Column("at_us", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_with_rowid=False,
)


def row_digest(table: str, *values: str | bytes | int | None) -> bytes:
    """What stands in a row's `digest`: SHA-256 over the table's name and its other values, in order."""
    return hashlib.sha256(b"sealog/row/v1\x00" + msgspec.msgpack.encode((table, *values))).digest()
