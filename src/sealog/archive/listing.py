"""The list of segments in `state.db`, and what is found of it in the folder at start."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence

from sealog.archive.segments import COLUMNS_SUFFIX, PARTS_SUFFIX, Segment
from sealog.errors import Altered, Corrupt, SealogError
from sealog.event.tenants import Tenant
from sealog.storage.folder import Folder
from sealog.storage.tables import row_digest

_COLUMNS = (
    "tenant, class, first, last, generation, count, first_us, last_us,"
    " columns_bytes, columns_digest, parts_bytes, parts_digest, digest"
)
_INSERT = f"INSERT INTO segments ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE = (
    "DELETE FROM segments WHERE tenant = ? AND class = ? AND first = ? AND last = ?"
    " AND generation = ? AND digest = ?"
)
_FIELDS = Segment.__struct_fields__[:12]
_OURS = (COLUMNS_SUFFIX, PARTS_SUFFIX, ".new")


def add(connection: sqlite3.Connection, segments: Iterable[Segment]) -> None:
    """List segments; runs inside the transaction that says that their events are archived."""
    connection.executemany(_INSERT, [(*_values(one), _digest(one)) for one in segments])


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
    for *values, digest in connection.execute(f"SELECT {_COLUMNS} FROM segments"):
        try:
            tenant = tenants(values[0])
        except (SealogError, LookupError):
            wrong.append(Altered(f"a segment is listed for tenant {values[0]}, which is not there"))
            continue
        place = folder.archive(tenant.log_id, values[1])
        segment = Segment(**dict(zip(_FIELDS, values, strict=True)), folder=place)
        segments.append(segment)
        if _digest(segment) != digest:
            wrong.append(Altered(f"the row of segment {segment.columns_path} is altered"))
    return segments, wrong


def sweep(folder: Folder, segments: Sequence[Segment], *, sound: bool) -> list[Corrupt]:
    """Delete segment files that are not listed; name listed ones that are missing or cut short.

    A file is written before it is listed, so one that is not listed was never relied upon: its
    events are in the journal still. Where the list is not `sound` nothing is deleted, because a
    row that was altered would make a stranger of the file it belongs to.
    """
    listed = {path for one in segments for path in (one.columns_path, one.parts_path)}
    wrong: list[Corrupt] = []
    for segment in segments:
        try:
            segment.check_sizes()
        except Corrupt as error:
            # Without its frames: they would hold every segment there is.
            wrong.append(error.with_traceback(None))
    if not sound:
        return wrong
    for path in (folder.path / "archive").glob("*/*/*"):
        if path.suffix in _OURS and path not in listed:
            path.unlink()
    return wrong


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
    return row_digest("segments", *_values(segment))
