"""The list of segments in `state.db`, and by which version of its policy a tenant's are sorted."""

import sqlite3
from collections.abc import Callable, Iterable

from sealog.archive.segments import COLUMNS_SUFFIX, PARTS_SUFFIX, Segment
from sealog.errors import Altered, Corrupt, SealogError
from sealog.event.tenants import Tenant
from sealog.storage.folder import Folder
from sealog.storage.tables import row_digest

_COLUMNS = (
    "tenant, class, first, last, generation, count, first_us, last_us,"
    " columns_bytes, columns_digest, parts_bytes, parts_digest,"
    " first_ingested_us, last_ingested_us, digest"
)
_INSERT = f"INSERT INTO segments ({_COLUMNS}) VALUES ({', '.join('?' * 15)})"
_DELETE = (
    "DELETE FROM segments WHERE tenant = ? AND class = ? AND first = ? AND last = ?"
    " AND generation = ? AND digest = ?"
)
_KINDS = [int, str, *[int] * 7, bytes, int, bytes]
"""Of the values of a row: SQLite keeps whatever somebody wrote there."""
_CAME_KINDS = ([int, int, bytes], [type(None), type(None), bytes])


def add(connection: sqlite3.Connection, segments: Iterable[Segment]) -> None:
    """List segments; runs inside the transaction that says that their events are archived."""
    rows = [
        (*_values(one), one.first_ingested_us, one.last_ingested_us, _digest(one))
        for one in segments
    ]
    connection.executemany(_INSERT, rows)


def replace(
    connection: sqlite3.Connection, gone: Iterable[Segment], segments: Iterable[Segment]
) -> None:
    """List segments in place of others; runs inside one transaction of its own.

    Raises `Altered` where one of those others is not listed as it was: then nothing changes.
    """
    for one in gone:
        found = connection.execute(_DELETE, (*_values(one)[:5], _digest(one)))
        if found.rowcount != 1:
            raise Altered(f"segment {one.columns_path} is not listed as it was")
    add(connection, segments)


def read(
    connection: sqlite3.Connection, folder: Folder, tenants: Callable[[int], Tenant]
) -> tuple[list[Segment], list[Corrupt]]:
    """Every listed segment, and what is wrong with rows that are not as they were written.

    Rows of tenants that nobody knows are left out.
    """
    segments: list[Segment] = []
    wrong: list[Corrupt] = []
    after: int | None = None
    while (after := next_tenant(connection, after)) is not None:
        found, errors = of_tenant(connection, folder, after, tenants)
        segments += found
        wrong += errors
    return segments, wrong


def next_tenant(connection: sqlite3.Connection, after: int | None) -> int | None:
    """The number of the first tenant beyond `after` (None: of all) that segments are listed for."""
    # Not DISTINCT: that reads every row.
    if after is None:
        return _number(connection.execute("SELECT min(tenant) FROM segments"))
    return _number(
        connection.execute("SELECT min(tenant) FROM segments WHERE tenant > ?", (after,))
    )


def of_tenant(
    connection: sqlite3.Connection,
    folder: Folder,
    number: int,
    tenants: Callable[[int], Tenant],
) -> tuple[list[Segment], list[Corrupt]]:
    """The same of one tenant."""
    try:
        log_id = tenants(number).log_id
    except (SealogError, LookupError):
        return [], [Altered(f"a segment is listed for tenant {number}, which is not there")]
    segments: list[Segment] = []
    wrong: list[Corrupt] = []
    # Shared by all segments of a class.
    places = {}
    query = f"SELECT {_COLUMNS} FROM segments WHERE tenant = ?"
    for row in connection.execute(query, (number,)):
        kinds = list(map(type, row))
        if kinds[:12] != _KINDS or kinds[12:] not in _CAME_KINDS:
            wrong.append(Altered(f"a row of segments does not read: {row[:5]!r:.200}"))
            continue
        *values, first_came, last_came, digest = row
        kept = values[1]
        if kept not in places:
            places[kept] = kept, folder.archive(log_id, kept)
        values[1], place = places[kept]
        segment = Segment(*(*values, place, first_came, last_came))
        if _digest(segment) != digest:
            wrong.append(Altered(f"the row of segment {segment.columns_path} is altered"))
            # Nothing goes because of what somebody wrote there.
            segment = Segment(*(*values, place))
        segments.append(segment)
    return segments, wrong


def names_of(connection: sqlite3.Connection, number: int) -> set[str]:
    """The files listed for a tenant, each from its class on."""
    query = "SELECT class, first, last, generation FROM segments WHERE tenant = ?"
    return {
        f"{kept}/{first}-{last}-{generation}{suffix}"
        for kept, first, last, generation in connection.execute(query, (number,))
        for suffix in (COLUMNS_SUFFIX, PARTS_SUFFIX)
    }


def _number(found: sqlite3.Cursor) -> int | None:
    number: int | None = found.fetchone()[0]
    return number


def _values(segment: Segment) -> tuple[str | int | bytes, ...]:
    return (
        segment.tenant,
        segment.kept,
        segment.first,
        segment.last,
        segment.generation,
        segment.count,
        segment.first_us,
        segment.last_us,
        segment.columns_bytes,
        segment.columns_digest,
        segment.parts_bytes,
        segment.parts_digest,
    )


def _digest(segment: Segment) -> bytes:
    came = (segment.first_ingested_us, segment.last_ingested_us)
    # Rows of what never expires keep the digest that they always had.
    return row_digest("segments", *_values(segment), *(came if came != (None, None) else ()))


def sorted_by(connection: sqlite3.Connection) -> dict[int, int]:
    """Tenant → the version of its policy that all its segments are sorted by."""
    return dict(connection.execute("SELECT tenant, version FROM classed"))


def note_sorted(connection: sqlite3.Connection, tenant: int, version: int) -> None:
    """All segments of a tenant are sorted by a version of its policy."""
    connection.execute(
        "INSERT INTO classed (tenant, version) VALUES (?, ?)"
        " ON CONFLICT (tenant) DO UPDATE SET version = excluded.version",
        (tenant, version),
    )
