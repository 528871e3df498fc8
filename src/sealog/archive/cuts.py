"""Writing what waits into segments: the files of many tenants, durable together, then their list.

The list changes in the same transaction that says how far the archive is. If we die before it, the
files are strangers and are deleted at start, and the journal has the events still; after it, both are
there.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from sealog.archive import listing, segments
from sealog.archive.classes import FOR_EVER, Types
from sealog.archive.columnwise import Columns
from sealog.archive.cutting import Cutter, runs
from sealog.archive.segments import Segment
from sealog.archive.waiting import Chunk
from sealog.event.tenants import Tenant
from sealog.storage import files
from sealog.storage.folder import Folder
from sealog.storage.store import Store, driver


class Cut(msgspec.Struct):
    """New segments, by tenant."""

    segments: dict[int, list[Segment]] = {}
    ends: dict[int, int] = {}
    """Tenant → the index after the last event that rests now."""
    versions: dict[int, int] = {}
    """Tenant → the version of its policy that its segments are sorted by, of those that had none."""


class Cuts:
    """Writes segments; used by one thread at a time."""

    def __init__(
        self,
        store: Store,
        folder: Folder,
        tenants: Callable[[int], Tenant],
        advance: Callable[[Connection, Mapping[int, int]], None],
    ) -> None:
        """`advance`: says in a transaction how far the archive is, tenant → index."""
        self.types: Callable[[int], Types] = lambda _: FOR_EVER
        """What a tenant's policy says of types, asked when its events are sorted."""
        self._store = store
        self._folder = folder
        self._tenants = tenants
        self._advance = advance
        self._cutter = Cutter()
        self._disk: int | None = None
        self.doubtful: set[Path] = set()
        """Files that are not listed, and may yet be."""

    def watch(self) -> int:
        """Hear of every write to the disk that is lost from now on."""
        if self._disk is None:
            self._disk = files.watch(self._folder.path / "archive")
        return self._disk

    def close(self) -> None:
        """Hear no more."""
        if self._disk is not None:
            os.close(self._disk)
            self._disk = None

    def write(self, waiting: Iterable[tuple[int, Sequence[Chunk], bool]]) -> Cut:
        """Write tenants' chunks, durable and listed; nothing is left behind where it raises.

        Each with whether it is the first that rests of its tenant.
        """
        cut = Cut()
        try:
            for tenant, chunks, is_first in waiting:
                types = self.types(tenant)
                for run in runs(chunks):
                    begun = cut.segments.setdefault(tenant, [])
                    self._write(tenant, run, types, begun)
                    cut.ends[tenant] = run[-1].end
                if is_first and types.version is not None:
                    cut.versions[tenant] = types.version
            if not cut.ends:
                return cut
            # Files first, then the list: what is listed MUST be there after a crash.
            files.sync_all(self.watch())
        except BaseException:
            # Nothing will ever list them: the next cut has other names.
            _delete(_paths(cut) - self.doubtful)
            raise
        self._note(cut)
        return cut

    def _write(self, tenant: int, run: Sequence[Chunk], types: Types, begun: list[Segment]) -> None:
        log_id = self._tenants(tenant).log_id
        for kept, content in self._cutter.arrange(run, types):
            segments.write(
                self._folder.archive(log_id, kept),
                tenant=tenant,
                kept=kept,
                columns=Columns.joined(content.columns),
                packs=content.packs,
                begun=begun.append,
            )

    def _note(self, cut: Cut) -> None:
        def note(connection: Connection) -> None:
            inner = driver(connection)
            for several in cut.segments.values():
                listing.add(inner, several)
            for tenant, version in cut.versions.items():
                listing.note_sorted(inner, tenant, version)
            self._advance(connection, cut.ends)

        try:
            self._store.write(note).result()
        except BaseException:
            # What could not be made durable may be found written after a crash: then these files
            # are listed. Only the next transaction that succeeds takes its place.
            self.doubtful.update(_paths(cut))
            raise
        gone = self.doubtful - _paths(cut)
        self.doubtful.clear()
        _delete(gone)


def _paths(cut: Cut) -> set[Path]:
    several = chain.from_iterable(cut.segments.values())
    return {path for one in several for path in (one.columns_path, one.parts_path)}


def _delete(paths: Iterable[Path]) -> None:
    for path in paths:
        # What cannot be deleted now is a stranger at the next start.
        with suppress(OSError):
            path.unlink(missing_ok=True)
