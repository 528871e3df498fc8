"""The list of segments in `state.db`, and what is found of it in the folder at start."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from sealog.archive.segments import COLUMNS_SUFFIX, PARTS_SUFFIX, Segment
from sealog.errors import Altered, Corrupt, SealogError, Truncated
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
_KINDS = [int, str, *[int] * 7, bytes, int, bytes, bytes]
"""Of the values of a row: SQLite keeps whatever somebody wrote there."""
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
    # Shared by all segments of a tenant and class: there may be hundreds of thousands.
    places: dict[tuple[int, str], tuple[str, Path]] = {}
    for row in connection.execute(f"SELECT {_COLUMNS} FROM segments"):
        if list(map(type, row)) != _KINDS:
            wrong.append(Altered(f"a row of segments does not read: {row[:5]!r:.200}"))
            continue
        *values, digest = row
        try:
            tenant = tenants(values[0])
        except (SealogError, LookupError):
            wrong.append(Altered(f"a segment is listed for tenant {values[0]}, which is not there"))
            continue
        key = (values[0], values[1])
        if key not in places:
            places[key] = values[1], folder.archive(tenant.log_id, values[1])
        values[1], place = places[key]
        segment = Segment(*(*values, place))
        segments.append(segment)
        if _digest(segment) != digest:
            wrong.append(Altered(f"the row of segment {segment.columns_path} is altered"))
    return segments, wrong


def sweep(folder: Folder, segments: Sequence[Segment], *, sound: bool) -> list[Corrupt]:
    """Delete segment files that are not listed; name listed ones that are missing or cut short.

    A file is written before it is listed, and deleted after what replaces it is: so one that is not
    listed is relied upon by nobody, and its events are in the journal or in other segments. Where
    the list is not `sound` nothing is deleted, because a row that was altered would make a stranger
    of the file it belongs to; nor while another process reads what was replaced.
    """
    by_folder: dict[Path, list[Segment]] = {}
    for segment in segments:
        by_folder.setdefault(segment.folder, []).append(segment)
    wrong: list[Corrupt] = []
    with folder.deleting_files() as may_delete:
        for place in {*by_folder, *(folder.path / "archive").glob("*/*")}:
            found = _sizes(place)
            for segment in by_folder.get(place, ()):
                error = _wrong_size(segment, found)
                if error is not None:
                    wrong.append(error)
            if sound and may_delete:
                for name in found:
                    if name.endswith(_OURS):
                        # What cannot be deleted now is looked at again at the next start.
                        with suppress(OSError):
                            (place / name).unlink()
    return wrong


def _sizes(place: Path) -> dict[str, int]:
    """Name → bytes of the files in a folder."""
    try:
        with os.scandir(place) as entries:
            return {one.name: one.stat().st_size for one in entries if one.is_file()}
    except (FileNotFoundError, NotADirectoryError):
        return {}


def _wrong_size(segment: Segment, found: dict[str, int]) -> Corrupt | None:
    """What is wrong with the sizes of a segment's files, which are taken out of `found`."""
    sizes = [found.pop(segment.name + suffix, None) for suffix in (COLUMNS_SUFFIX, PARTS_SUFFIX)]
    expected = [segment.columns_bytes, segment.parts_bytes]
    if sizes == expected:
        return None
    paths = segment.columns_path, segment.parts_path
    for path, size, right in zip(paths, sizes, expected, strict=True):
        if size is None:
            return Truncated(f"{path} is missing")
        if size != right:
            return Truncated(f"{path} has {size} bytes instead of {right}")
    return None


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
