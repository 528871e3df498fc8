"""Merging in the background: small segments become large ones, while everything else goes on.

A merge writes the files of one new segment, durable; then one transaction lists it in place of its
sources; then the trail in memory changes in one step; and once nobody holds a source any more, its
files are deleted. If we die before the transaction, the new files are strangers and are deleted at
the next start; after it, the old ones are. At no moment is an event in none of them, or in two.
"""

import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from sealog.archive import joining, levels, listing
from sealog.archive.joining import Unsound
from sealog.archive.levels import Limits, Size
from sealog.archive.segments import Segment
from sealog.archive.waiting import Waiting
from sealog.errors import Corrupt
from sealog.storage.store import Store, driver

IDLE_S = 1.0
RETRY_S = 60.0
"""A tenant whose merge failed, because the disk is full say, is left alone for so long."""
HELD_S_MAX = 3_600.0
"""A process that only reads holds up deleting for so long, and then finds files missing."""
YIELD_S = 0.05
YIELDS_MAX = 200
"""A merge under way waits for what is to be cut, so many times; then it goes on, for else many
small segments would be left."""

E = TypeVar("E", bound=Exception)
_Key = tuple[int, str, str]


class Merged(msgspec.Struct):
    """What merging has done since the start."""

    merges: int = 0
    sources: int = 0
    events: int = 0
    bytes: int = 0
    """Written."""
    seconds: float = 0.0


class _Retired(msgspec.Struct, frozen=True, eq=False):
    """A segment that was replaced."""

    segment: "weakref.ref[Segment]"
    paths: tuple[Path, Path]
    since_s: float


class _Stopped(Exception):
    """The program ends; what was begun is given up."""


class Merger:
    """Owns the replacing of segments. `stop` gives up a merge under way within a moment."""

    def __init__(
        self,
        store: Store,
        waiting: Waiting,
        is_behind: Callable[[], bool] = lambda: False,
        limits: Callable[[str], Limits] = lambda _: Limits(),
        deleting: Callable[[], AbstractContextManager[bool]] = lambda: nullcontext(True),
    ) -> None:
        """What it asks: whether much waits to be cut, and of a class what a segment may be.

        `deleting`: whether other processes let files be deleted; none begins to read inside it.
        """
        self.done = Merged()
        self.trouble: Exception | None = None
        self._store = store
        self._waiting = waiting
        self._is_behind = is_behind
        self._limits = limits
        self._deleting = deleting
        # Tenants whose segments changed, in the order of asking; the others are not looked at.
        self._due: dict[int, None] = {}
        self._later: dict[int, float] = {}
        self._unsound: dict[_Key, Corrupt] = {}
        self._retired: list[_Retired] = []
        self._changed = threading.Condition()
        self._turn = threading.Lock()
        self._stopping = threading.Event()
        self._yields = 0
        self._thread: threading.Thread | None = None

    def start(self, first: Iterable[object] = ()) -> None:
        """Go through `first` in a thread, then merge in it."""
        self._thread = threading.Thread(
            target=self._run, args=(first,), name="sealog-merger", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Give up what is under way, and delete what nobody holds."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        self.sweep()

    def consider(self, tenants: Iterable[int]) -> None:
        """Tenants have new segments; of those whose merge failed a moment ago that is no news."""
        with self._changed:
            self._due.update((tenant, None) for tenant in tenants if tenant not in self._later)
            self._changed.notify_all()

    def offer(self, tenant: int, segments: Iterable[Segment]) -> None:
        """A tenant has these segments: consider it if any are to be merged."""
        if self._chosen(segments):
            self.consider([tenant])

    @contextlib.contextmanager
    def resting(self) -> Iterator[frozenset[Path]]:
        """Nothing is merged inside the block. What it gives was replaced, and may still be read."""
        with self._turn:
            yield frozenset(path for one in self._retired for path in one.paths)

    def damaged(self) -> list[Corrupt]:
        """What was found wrong with segments that were to be merged; they are left alone."""
        return list(self._unsound.values())

    def settle(self) -> None:
        """Merge all that is to be merged, now, in the caller's thread; also what failed before."""
        self._try_again(list(self._later))
        while self.step():
            pass

    def step(self) -> bool:
        """One merge of the tenant that waits longest for it; False where there is none."""
        with self._turn:
            while (tenant := self._next()) is not None:
                if self._merge_one(tenant):
                    self.consider([tenant])
                    return True
        return False

    def sweep(self) -> int:
        """Delete the files of replaced segments that nobody holds; how many segments are held."""
        with self._turn:
            free = [one for one in self._retired if one.segment() is None]
            if free:
                with self._deleting() as may_delete:
                    for one in free:
                        if may_delete or time.monotonic() - one.since_s > HELD_S_MAX:
                            self._retired.remove(one)
                            _delete(one.paths)
            return len(self._retired)

    def _run(self, first: Iterable[object]) -> None:
        self._try_first(first)
        while not self._stopping.is_set():
            if not self._try_step():
                with self._changed:
                    waits = bool(self._retired or self._later)
                    if not self._due and not self._stopping.is_set():
                        self._changed.wait(IDLE_S if waits else None)
            self.sweep()
            now = time.monotonic()
            self._try_again([tenant for tenant, at in list(self._later.items()) if at <= now])

    def _try_again(self, tenants: Iterable[int]) -> None:
        for tenant in tenants:
            self._later.pop(tenant, None)
        self.consider(tenants)

    def _try_first(self, first: Iterable[object]) -> None:
        try:
            for _ in first:
                self._pause()
        except _Stopped:
            return
        except Exception as error:  # noqa: BLE001 - `trouble` tells; the next start does it again
            self.trouble = _bare(error)

    def _try_step(self) -> bool:
        """A step, or trouble: then nothing has changed, and it is tried again later."""
        try:
            found = self.step()
        except _Stopped:
            return False
        except Exception as error:  # noqa: BLE001 - `trouble` tells, and it is tried again
            self.trouble = _bare(error)
            return True
        if found:
            self.trouble = None
        return found

    def _next(self) -> int | None:
        with self._changed:
            tenant = next(iter(self._due), None)
            if tenant is not None:
                del self._due[tenant]
            return tenant

    def _merge_one(self, tenant: int) -> bool:
        sources = self._choose(tenant)
        if not sources:
            return False
        self._yields = 0
        begun = time.thread_time()
        try:
            merged = joining.join(sources, self._pause)
            self._replace(tenant, sources, merged)
        except Unsound as unsound:
            self._unsound[_key(unsound.segment)] = _bare(unsound.error)
            return True
        except _Stopped:
            raise
        except BaseException:
            with self._changed:
                self._later[tenant] = time.monotonic() + RETRY_S
                self._due.pop(tenant, None)
            raise
        self.done.merges += 1
        self.done.sources += len(sources)
        self.done.events += merged.count
        self.done.bytes += merged.columns_bytes + merged.parts_bytes
        self.done.seconds += time.thread_time() - begun
        return True

    def _choose(self, tenant: int) -> list[Segment]:
        return self._chosen(self._waiting.of(tenant).segments)

    def _chosen(self, of_tenant: Iterable[Segment]) -> list[Segment]:
        classes: dict[str, list[Segment]] = {}
        for segment in of_tenant:
            classes.setdefault(segment.kept, []).append(segment)
        for kept, segments in classes.items():
            sizes = [
                Size(one.count, one.parts_bytes, is_fixed=_key(one) in self._unsound)
                for one in segments
            ]
            chosen = levels.next_merge(sizes, self._limits(kept))
            if chosen is not None:
                return segments[slice(*chosen)]
        return []

    def _replace(self, tenant: int, sources: list[Segment], merged: Segment) -> None:
        def note(connection: Connection) -> None:
            listing.replace(driver(connection), sources, [merged])

        # From here on nothing is taken back: if this fails halfway, a start finds out which it was.
        self._store.write(note).result()
        self._waiting.replace(tenant, sources, [merged])
        now = time.monotonic()
        self._retired += [
            _Retired(weakref.ref(one), (one.columns_path, one.parts_path), now) for one in sources
        ]

    def _pause(self) -> None:
        """Between small steps of a merge: end when the program does, and let cutting go first."""
        while not self._stopping.is_set():
            if self._yields >= YIELDS_MAX or not self._is_behind():
                return
            self._yields += 1
            self._stopping.wait(YIELD_S)
        raise _Stopped


def _key(segment: Segment) -> _Key:
    return segment.tenant, segment.kept, segment.name


def _delete(paths: Iterable[Path]) -> None:
    for path in paths:
        # What cannot be deleted now is a stranger at the next start.
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _bare(error: E) -> E:
    """An error to keep: without frames, which would hold the segments that it was about."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
