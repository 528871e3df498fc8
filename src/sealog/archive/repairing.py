"""Damaged segment files repaired: columns from their parts, parts from a backup.

Only on a folder that no server runs on. Parts are all that there is of an event: nothing but a
backup brings them back, and only a file of the very size and digest that were noted is taken.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from sealog.archive import listing
from sealog.archive.migrating import Progress, replace_by_rewriting
from sealog.archive.segments import Parts, Segment
from sealog.errors import Corrupt
from sealog.event.tenants import Tenant
from sealog.storage import files
from sealog.storage.folder import Folder
from sealog.storage.store import Store, driver


class Repaired(msgspec.Struct):
    """What was done, and what is left to do."""

    looked_at: int = 0
    """Segments."""
    restored: list[Path] = []
    """Files taken from the backup."""
    rebuilt: list[Path] = []
    """Columns files that were derived again from their parts."""
    lost: list["Lost"] = []
    """Parts files that are damaged still."""
    other: list[str] = []
    """What is wrong with the list of segments; it is not repaired."""


class Lost(msgspec.Struct, frozen=True):
    """A parts file that must come from a backup."""

    path: Path
    bytes: int
    sha256: str
    """In hex."""
    what: str
    """What is wrong with it."""


def repair(
    store: Store,
    folder: Folder,
    tenants: Callable[[int], Tenant],
    backup: Path | None,
    progress: Progress,
) -> Repaired:
    """Look at every segment's files whole, and repair those that are not what was written.

    `backup`: a copy of the data folder, or a folder with the files themselves.
    """
    with store.reading() as connection:
        segments, wrong = listing.read(driver(connection), folder, tenants)
    result = Repaired(len(segments), other=list(map(str, wrong)))
    total = sum(segment.count for segment in segments)
    done = 0
    for segment in segments:
        _repair_one((store, folder), segment, _places(folder, segment, backup), result)
        done += segment.count
        progress(done, total)
    return result


def _repair_one(
    rooms: tuple[Store, Folder], segment: Segment, places: Sequence[Path], result: Repaired
) -> None:
    try:
        segment.check_parts()
    except Corrupt as error:
        if not _restore(segment, places):
            digest = segment.parts_digest.hex()
            lost = Lost(segment.parts_path, segment.parts_bytes, digest, str(error))
            result.lost.append(lost)
            return
        result.restored.append(segment.parts_path)
    try:
        segment.check()
        if not Parts(segment).is_old:
            return
    except Corrupt:
        pass
    still = replace_by_rewriting(*rooms, [segment], lambda _: None)
    if still:
        result.other += map(str, still)
    else:
        result.rebuilt.append(segment.columns_path)


def _restore(segment: Segment, places: Sequence[Path]) -> bool:
    """Put the parts file in place from the first place that holds it as it was written."""
    path = segment.parts_path
    for place in places:
        try:
            right = (
                place.stat().st_size == segment.parts_bytes
                and files.digest_of(place) == segment.parts_digest
            )
        except OSError:
            continue
        if right:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            files.copy_durably(place, path)
            return True
    return False


def _places(folder: Folder, segment: Segment, backup: Path | None) -> list[Path]:
    if backup is None:
        return []
    path = segment.parts_path
    return [backup / path.relative_to(folder.path), backup / path.name]
