"""Merging in the background: small segments become large ones, while everything else goes on.

Where a policy was changed, what stands in another class than it says is first written anew. A merge
writes the files of one new segment, durable; then one transaction lists it in place of its
sources; then the trail in memory changes in one step; and once nobody holds a source any more, its
files are deleted. If we die before the transaction, the new files are strangers and are deleted at
the next start; after it, the old ones are. At no moment is an event in none of them, or in two.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
from sqlalchemy import Connection

from sealog.archive import joining, levels, listing, resorting
from sealog.archive.classes import (
    SECOND_US,
    STATEMENTS,
    Types,
    expires_us,
    grace_us,
    keep_of,
    keep_us_of,
    window_us,
)
from sealog.archive.joining import Unsound
from sealog.archive.levels import Limits, Size
from sealog.archive.retiring import Retired
from sealog.archive.segments import Segment
from sealog.archive.splitting import split
from sealog.archive.waiting import Waiting
from sealog.errors import Corrupt
from sealog.storage.store import Store, driver

if TYPE_CHECKING:
    from sealog.archive.expiry import Expiry

IDLE_S = 1.0
RETRY_S = 60.0
"""A tenant whose merge failed, because the disk is full say, is left alone for so long."""
YIELD_S = 0.05
YIELDS_MAX = 200
"""A merge under way waits for what is to be cut, so many times; then it goes on, for else many
small segments would be left."""

E = TypeVar("E", bound=Exception)
_Key = tuple[int, str, str]


class Merged(msgspec.Struct):
    """What merging has done since the start, sorting anew included."""

    merges: int = 0
    sources: int = 0
    events: int = 0
    bytes: int = 0
    """Written."""
    seconds: float = 0.0


class _Stopped(Exception):
    """The program ends; what was begun is given up."""


class Merger:
    """Owns the replacing of segments. `stop` gives up a merge under way within a moment."""

    def __init__(
        self,
        store: Store,
        waiting: Waiting,
        is_behind: Callable[[], bool] = lambda: False,
        limits: Callable[[str], Limits] = lambda kept: Limits(window_us=window_us(keep_of(kept))),
        deleting: Callable[[], AbstractContextManager[bool]] = lambda: nullcontext(True),
    ) -> None:
        """What it asks: whether much waits to be cut, and of a class what a segment may be.

        `deleting`: whether other processes let files be deleted; none begins to read inside it.
        """
        self.done = Merged()
        self.trouble: Exception | None = None
        self.expiry: Expiry | None = None
        """What the policies say; without it nothing is sorted anew."""
        self.settled: Callable[[], object] = lambda: None
        """Returns when everything that was being cut is listed."""
        self.turn = threading.Lock()
        """Held while segments are replaced."""
        self._store = store
        self._waiting = waiting
        self._is_behind = is_behind
        self._limits = limits
        # Tenants whose segments changed, in the order of asking; the others are not looked at.
        self._due: dict[int, None] = {}
        self._later: dict[int, float] = {}
        self._unsound: dict[_Key, Corrupt] = {}
        # Tenant → its policy, and segments that are sorted by it.
        self._right: dict[int, tuple[Types, set[bytes]]] = {}
        self._retired = Retired(deleting)
        self._changed = threading.Condition()
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
        with self.turn:
            self._retired.sweep(is_end=True)

    def consider(self, tenants: Iterable[int]) -> None:
        """Tenants have new segments; of those whose merge failed a moment ago that is no news."""
        with self._changed:
            self._due.update((tenant, None) for tenant in tenants if tenant not in self._later)
            self._changed.notify_all()

    def offer(self, tenant: int, segments: Iterable[Segment]) -> None:
        """A tenant has these segments: consider it if any are to be merged or sorted anew."""
        if not self._is_sorted(tenant) or self._chosen(segments):
            self.consider([tenant])

    def _is_sorted(self, tenant: int) -> bool:
        return self.expiry is None or self.expiry.is_sorted(tenant, self.expiry.types(tenant))

    @contextlib.contextmanager
    def resting(self) -> Iterator[frozenset[Path]]:
        """Nothing is merged inside the block. What it gives was replaced, and may still be read."""
        with self.turn:
            yield self._retired.paths()

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
        while (tenant := self._next()) is not None:
            types = None
            if self.expiry is not None and not self._is_sorted(tenant):
                types = self.expiry.types(tenant)
                # What is cut from here on is sorted by it, or by a newer one.
                self.settled()
            with self.turn:
                if self._trying(tenant, types):
                    self.consider([tenant])
                    return True
        return False

    def sweep(self) -> int:
        """Delete the files of replaced segments that may be; how many segments are left."""
        with self.turn:
            return self._retired.sweep()

    def _run(self, first: Iterable[object]) -> None:
        self._try_first(first)
        while not self._stopping.is_set():
            if not self._try_step():
                with self._changed:
                    waits = bool(len(self._retired) or self._later)
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

    def _trying(self, tenant: int, types: Types | None) -> bool:
        """Do the next thing for a tenant, if there is any; after trouble it is left alone a while."""
        self._yields = 0
        begun = time.thread_time()
        try:
            done = (types is not None and self._sort_one(tenant, types)) or self._merge_one(tenant)
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
        if done:
            self.done.seconds += time.thread_time() - begun
        return done

    def _merge_one(self, tenant: int) -> bool:
        sources = self._choose(tenant)
        if not sources:
            return False
        merged = joining.join(sources, self._pause)
        self._put(tenant, sources, [merged])
        return True

    def _sort_one(self, tenant: int, types: Types) -> bool:
        """Write one segment anew that is not sorted by the policy; False where there is none left.

        What has expired whole is left as it is: it goes as it is. What is damaged is left too.
        """
        assert self.expiry is not None
        expiry, trail = self.expiry, self._waiting.of(tenant)
        known, right = self._right.get(tenant, (None, set()))
        if known is not types:
            right = set()
            self._right[tenant] = types, right
        is_whole = True
        for segment in trail.segments:
            if segment.kept == STATEMENTS or segment.columns_digest in right:
                continue
            if _key(segment) in self._unsound:
                is_whole = False
                continue
            self._pause()
            others = [one for one in trail.segments if one is not segment]
            with joining.blaming(segment):
                if expiry.span_us(segment, types, is_sorted=False)[1] <= expiry.now_us():
                    is_whole = False
                    continue
                shares = resorting.plan(segment, types, expiry, others)
            if shares is None:
                right.add(segment.columns_digest)
                continue
            fresh = split(segment, shares, segment.folder.parent.joinpath, self._pause)
            self._put(tenant, [segment], fresh)
            right.update(one.columns_digest for one in fresh)
            return True
        if is_whole and types.version is not None:
            self._note_sorted(tenant, types.version)
        return False

    def _note_sorted(self, tenant: int, version: int) -> None:
        assert self.expiry is not None

        def note(connection: Connection) -> None:
            listing.note_sorted(driver(connection), tenant, version)

        self._store.write(note).result()
        self.expiry.sorted_by[tenant] = version
        self._right.pop(tenant, None)

    def _choose(self, tenant: int) -> list[Segment]:
        return self._chosen(self._waiting.of(tenant).segments)

    def _chosen(self, of_tenant: Iterable[Segment]) -> list[Segment]:
        classes: dict[str, list[Segment]] = {}
        for segment in of_tenant:
            classes.setdefault(segment.kept, []).append(segment)
        now_us = 0 if self.expiry is None else self.expiry.now_us()
        for kept, segments in classes.items():
            sizes = [self._size(one, now_us) for one in segments]
            chosen = levels.next_merge(sizes, self._limits(kept))
            if chosen is not None:
                return segments[slice(*chosen)]
        return []

    def _is_over(self, segment: Segment, now_us: int) -> bool:
        """Whether a segment has expired whole by a policy that it is not sorted by."""
        if self.expiry is None or self._is_sorted(segment.tenant):
            return False
        types = self.expiry.types(segment.tenant)
        return self.expiry.over_us(segment, types, is_sorted=False) <= now_us

    def _size(self, segment: Segment, now_us: int) -> Size:
        is_fixed = _key(segment) in self._unsound or self._is_over(segment, now_us)
        came, keep_us = segment.first_ingested_us, keep_us_of(segment.kept)
        if came is None or segment.last_ingested_us is None or keep_us is None:
            return Size(segment.count, segment.parts_bytes, is_fixed=is_fixed)
        # What goes soon is not written again, nor what is to go as it is.
        is_going = expires_us(came, keep_us) <= now_us + (window_us(keep_of(segment.kept)) or 0)
        ends = came, segment.last_ingested_us
        return Size(segment.count, segment.parts_bytes, ends, is_fixed=is_fixed or is_going)

    def replace(
        self,
        tenant: int,
        gone: list[Segment],
        fresh: list[Segment],
        *,
        most_s: float | None = None,
        too: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        """List segments in place of others, and show them; the others' files go. Under `turn`.

        `most_s`: after so long they go, whoever holds them. `too` runs in the same transaction.
        """

        def note(connection: Connection) -> None:
            listing.replace(driver(connection), gone, fresh)
            too(connection)

        # From here on nothing is taken back: if this fails halfway, a start finds out which it was.
        self._store.write(note).result()
        self._waiting.replace(tenant, gone, fresh)
        self._retired.add(gone, most_s)
        with self._changed:
            self._changed.notify_all()

    def _put(self, tenant: int, gone: list[Segment], fresh: list[Segment]) -> None:
        keeps = [keep for one in (*gone, *fresh) if (keep := keep_of(one.kept)) is not None]
        most_s = grace_us(min(keeps)) / SECOND_US if keeps else None
        self.replace(tenant, gone, fresh, most_s=most_s)
        self.done.merges += 1
        self.done.sources += len(gone)
        self.done.events += sum(one.count for one in fresh)
        self.done.bytes += sum(one.columns_bytes + one.parts_bytes for one in fresh)

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


def _bare(error: E) -> E:
    """An error to keep: without frames, which would hold the segments that it was about."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
