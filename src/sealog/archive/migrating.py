"""An older folder brought along: every segment is written anew, then FORMAT says so.

A few segments at a time are written, listed in place of the old ones, and those deleted. If we die
in between, the next start finds by their files which are done, and goes on.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from sqlalchemy import Connection

from sealog.archive import listing
from sealog.archive.rewriting import rewrite
from sealog.archive.segments import Parts, Segment
from sealog.errors import Corrupt
from sealog.event.tenants import Tenant
from sealog.storage.folder import Folder
from sealog.storage.store import Store, driver

SEGMENTS_AT_ONCE = 64
EVENTS_AT_ONCE = 131_072

Progress = Callable[[int, int], None]
"""`progress(done, total)` in events."""


def migrate(
    store: Store, folder: Folder, tenants: Callable[[int], Tenant], progress: Progress
) -> list[Corrupt]:
    """Bring every segment of an owned folder to this program's format, and note it.

    Segments whose parts are damaged are left as they are, and named; when their files are put back
    from a backup, `repair` brings them along.
    """
    with store.reading() as connection:
        segments, damaged = listing.read(driver(connection), folder, tenants)
    total = sum(segment.count for segment in segments)
    done = 0

    def step(count: int) -> None:
        nonlocal done
        done += count
        progress(min(done, total), total)

    old = []
    for segment in segments:
        try:
            if Parts(segment).is_old:
                old.append(segment)
            else:
                step(segment.count)
        except Corrupt as error:
            damaged.append(error.with_traceback(None))
    for several in _groups(old):
        damaged += replace_by_rewriting(store, folder, several, step)
    folder.note_format()
    return damaged


def replace_by_rewriting(
    store: Store, folder: Folder, segments: Sequence[Segment], step: Callable[[int], None]
) -> list[Corrupt]:
    """Write segments anew and list them in place of the old, whose files go; what is damaged.

    While another process reads they stay: strangers, which the next start of a server deletes.
    """
    damaged: list[Corrupt] = []
    gone, fresh = [], []
    for segment in segments:
        try:
            fresh.append(rewrite(segment, step))
        except Corrupt as error:
            damaged.append(error.with_traceback(None))
        else:
            gone.append(segment)

    def note(connection: Connection) -> None:
        listing.replace(driver(connection), gone, fresh)

    store.write(note).result()
    with folder.deleting_files() as may_delete:
        for segment in gone if may_delete else ():
            segment.columns_path.unlink(missing_ok=True)
            segment.parts_path.unlink(missing_ok=True)
    return damaged


def _groups(segments: Iterable[Segment]) -> Iterator[list[Segment]]:
    group: list[Segment] = []
    for segment in segments:
        events = segment.count + sum(one.count for one in group)
        if group and (len(group) == SEGMENTS_AT_ONCE or events > EVENTS_AT_ONCE):
            yield group
            group = []
        group.append(segment)
    if group:
        yield group
