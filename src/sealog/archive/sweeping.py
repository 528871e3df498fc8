"""After a start, every row of the list and every file beside it is looked at once, beside the work.

What is not listed is read by nobody, so a start does not wait for this. A file is written before it
is listed, and deleted after what replaces it is: one that is not listed while nothing is being cut
or merged is relied upon by nobody, and its events are in the journal or in other segments.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from sealog.archive import listing
from sealog.archive.segments import COLUMNS_SUFFIX, PARTS_SUFFIX, Segment
from sealog.errors import Corrupt, Truncated
from sealog.event.tenants import Tenant
from sealog.storage.folder import Folder
from sealog.storage.store import Store, driver

TENANTS_AT_ONCE = 64
_OURS = (COLUMNS_SUFFIX, PARTS_SUFFIX, ".new")


class Sweep:
    """One look at all; `steps` goes through it, and nothing may be merged until it is at its end."""

    def __init__(
        self,
        store: Store,
        folder: Folder,
        tenants: Callable[[int], Tenant],
        resting: Callable[[], AbstractContextManager[AbstractSet[Path]]],
    ) -> None:
        """`resting`: nothing is cut or merged inside it; it gives the unlisted files to be left."""
        self.wrong: list[Corrupt] = []
        """What is missing, cut short or altered, so far."""
        self._store = store
        self._folder = folder
        self._tenants = tenants
        self._resting = resting
        # Log id → files that were not listed when they were seen, each from its class on.
        self._strangers: dict[str, set[str]] = {}

    def steps(self) -> Iterator[tuple[int, list[Segment]]]:
        """Tenant after tenant with its segments, once they were looked at; strangers go at the end.

        Where a row was altered nothing is deleted: it would make a stranger of the file it belongs
        to. Nor while another process reads what was replaced.
        """
        is_sound = True
        looked_at: set[str] = set()
        after: int | None = None
        while several := self._listed(after):
            for after, segments, wrong in several:
                is_sound = is_sound and not wrong
                self.wrong += wrong
                if segments:
                    log_id = segments[0].folder.parent.name
                    looked_at.add(log_id)
                    self.wrong += self._look(log_id, segments)
                yield after, segments
        for log_id in _names(self._folder.path / "archive"):
            if log_id not in looked_at:
                self._look(log_id, ())
        if is_sound:
            self._delete_strangers()

    def _listed(self, after: int | None) -> list[tuple[int, list[Segment], list[Corrupt]]]:
        several: list[tuple[int, list[Segment], list[Corrupt]]] = []
        with self._store.reading() as connection:
            inner = driver(connection)
            while len(several) < TENANTS_AT_ONCE:
                after = listing.next_tenant(inner, after)
                if after is None:
                    break
                several.append(
                    (after, *listing.of_tenant(inner, self._folder, after, self._tenants))
                )
        return several

    def _look(self, log_id: str, segments: Iterable[Segment]) -> list[Corrupt]:
        """What is wrong with the sizes of a tenant's files; what else there is, is noted."""
        of_class: dict[str, list[Segment]] = {}
        for segment in segments:
            of_class.setdefault(segment.kept, []).append(segment)
        wrong: list[Corrupt] = []
        place = self._folder.path / "archive" / log_id
        for kept in {*of_class, *_names(place)}:
            found = _sizes(place / kept)
            for segment in of_class.get(kept, ()):
                error = _wrong_size(segment, found)
                if error is not None:
                    wrong.append(error)
            strangers = {f"{kept}/{name}" for name in found if name.endswith(_OURS)}
            if strangers:
                self._strangers.setdefault(log_id, set()).update(strangers)
        return wrong

    def _delete_strangers(self) -> None:
        if not self._strangers:
            return
        with self._resting() as left, self._folder.deleting_files() as may_delete:
            # Now, not as it was when they were seen: what was cut since is listed.
            listed = self._names_listed()
            for log_id, names in self._strangers.items() if may_delete else ():
                place = self._folder.path / "archive" / log_id
                for path in {place / name for name in names - listed.get(log_id, set())} - left:
                    # What cannot be deleted now is looked at again at the next start.
                    with suppress(OSError):
                        path.unlink()

    def _names_listed(self) -> dict[str, set[str]]:
        """Log id → its files that are listed now, of the tenants that strangers were seen of."""
        listed: dict[str, set[str]] = {}
        with self._store.reading() as connection:
            inner = driver(connection)
            number: int | None = None
            while (number := listing.next_tenant(inner, number)) is not None:
                log_id = self._tenants(number).log_id
                if log_id in self._strangers:
                    listed[log_id] = listing.names_of(inner, number)
        return listed


def _names(place: Path) -> list[str]:
    try:
        with os.scandir(place) as entries:
            return [one.name for one in entries]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _sizes(place: Path) -> dict[str, int]:
    """Name → bytes of the files in a folder."""
    try:
        with os.scandir(place) as entries:
            return {one.name: size for one in entries if (size := _size(one)) is not None}
    except (FileNotFoundError, NotADirectoryError):
        return {}


def _size(entry: "os.DirEntry[str]") -> int | None:
    try:
        return entry.stat().st_size if entry.is_file() else None
    except FileNotFoundError:
        # What is being cut was renamed meanwhile.
        return None


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
