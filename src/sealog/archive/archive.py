"""The archive: follows the journal, makes events searchable, cuts them into segments, answers.

One thread follows and cuts, another merges; any thread reads. What is visible only grows: an event
waits, then rests in one segment after the other, and every reader sees it in exactly one place.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, tzinfo
from functools import partial
from pathlib import Path

import msgspec

from sealog.archive import counting, listing, packwise, reading, search
from sealog.archive.buckets import Interval
from sealog.archive.classes import Retaining
from sealog.archive.conditions import ready
from sealog.archive.counting import Counting, Counts
from sealog.archive.cursors import Cursors, Place, Position
from sealog.archive.cuts import Cut
from sealog.archive.expiry import Live
from sealog.archive.follower import Follower, Settings, Watcher
from sealog.archive.following import Followed, Wanted, follow
from sealog.archive.merging import Merger
from sealog.archive.paging import Found, Page, Paging, page
from sealog.archive.retaining import Keeping
from sealog.archive.segments import Segment
from sealog.archive.snapshots import How, Snapshot, take
from sealog.archive.sources import source_of
from sealog.archive.sweeping import Sweep
from sealog.archive.waiting import Chunk, Trail
from sealog.errors import Busy, Corrupt, Refused
from sealog.event.packs import Opened
from sealog.event.tenants import Tenant
from sealog.journal import heads
from sealog.journal.journal import Journal
from sealog.query.tree import Query
from sealog.storage.folder import Folder
from sealog.storage.store import Store, driver

__all__ = ["Archive", "Found", "Page", "Settings"]

LIMIT_MAX = 1_000
SWEPT_AT_START = 1_024
"""So many segments, and tenants, are looked at before a start is over."""
FOLLOWED_BYTES_MAX = 1 << 20
"""Of one piece of a tail, and one event more: what is held for a client that is slow to take it."""
FOLLOW_S = 1.0
"""A piece of a tail that takes longer ends where it is: other readers want the thread too."""


class Archive(Keeping):
    """Where events are found. One per data folder; `start` before all else.

    `tenants` gives the tenant of a number; `secret` (16 bytes or more, the installation's) keys
    the cursors, so that they outlive a restart. `retention` gives the rules of a tenant's number,
    as they are now; without it nothing expires. What has expired when something is asked for is
    shown by nothing.
    """

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        store: Store,
        folder: Folder,
        journal: Journal,
        tenants: Callable[[int], Tenant],
        settings: Settings | None = None,
        *,
        secret: bytes,
        retention: Callable[[int], Retaining] | None = None,
        clock_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
    ) -> None:
        self._store = store
        self._folder = folder
        self._journal = journal
        self._tenants = tenants
        self._settings = settings or Settings()
        self._cursors = Cursors(secret)
        follower = Follower(store, folder, journal, tenants, self._settings)
        waiting, is_behind = follower.waiting, follower.is_behind
        merger = Merger(store, waiting, is_behind, deleting=folder.deleting_files)
        super().__init__(store, follower, merger, retention, clock_us)
        self._held: int | None = None
        follower.cut_tenants = self._after_cut
        self._damaged: list[Corrupt] = []

    def start(self) -> None:
        """Recover and go on: files that were never listed go, what waits becomes visible again.

        Of much it does some, and the rest beside the first requests: reading waits for what is not
        visible yet. Damage found is in `damaged`; everything else stays searchable.
        """
        with self._store.reading() as connection:
            self._expiry.sorted_by = listing.sorted_by(driver(connection))
            for head in heads.read_all(driver(connection)):
                self._waiting.set_out(head.tenant, None, head.archived)
        self._waiting.list_of = self._listed
        sweep = Sweep(self._store, self._folder, self._tenants, self._resting)
        self._damaged = sweep.wrong
        looking = self._looking(sweep)
        left = SWEPT_AT_START
        while left > 0 and (looked_at := next(looking, 0)):
            left -= looked_at
        self._follower.start()
        self._merger.start(looking)

    def look(self) -> None:
        """Instead of `start`, beside the process that owns the folder: see what is there, once.

        Nothing is written, and nothing that comes later is seen. Until `stop`, no file that is
        listed now is deleted.
        """
        self._held = self._folder.hold_files()
        # One connection sees one moment: what is cut meanwhile is in its blocks still.
        with self._store.reading() as connection:
            inner = driver(connection)
            self._expiry.sorted_by = listing.sorted_by(inner)
            segments, self._damaged = listing.read(inner, self._folder, self._tenants)
            of_tenant: dict[int, list[Segment]] = {}
            for segment in segments:
                of_tenant.setdefault(segment.tenant, []).append(segment)
            for head in heads.read_all(inner):
                self._waiting.set_out(head.tenant, of_tenant.get(head.tenant, ()), head.archived)
            self._follower.take_all(connection)

    def _looking(self, sweep: Sweep) -> Iterator[int]:
        """How many segments and tenants were looked at, step by step."""
        for tenant, segments in sweep.steps():
            self._merger.offer(tenant, segments)
            self._dropper.offer(tenant, segments)
            yield len(segments) + 1

    def _after_cut(self, cut: Cut) -> None:
        self._expiry.sorted_by.update(cut.versions)
        self._merger.consider(cut.ends)

    @contextmanager
    def _resting(self) -> Iterator[frozenset[Path]]:
        with self._follower.resting() as doubtful, self._merger.resting() as replaced:
            yield doubtful | replaced

    def _listed(self, tenants: Sequence[int]) -> dict[int, list[Segment]]:
        """What is wrong with their rows the sweep tells."""
        with self._store.reading() as connection:
            inner = driver(connection)
            return {
                tenant: listing.of_tenant(inner, self._folder, tenant, self._tenants)[0]
                for tenant in tenants
            }

    def _trail(self, tenant: Tenant) -> Trail:
        return self._trails([tenant])[tenant.number]

    def _trails(self, tenants: Iterable[Tenant]) -> dict[int, Trail]:
        """Raises `Busy` where what waited at the start is not visible in time."""
        numbers = [tenant.number for tenant in tenants]
        self._follower.catch_up(numbers)
        now_us, alive = self._expiry.now_us(), self._expiry.alive
        trails = self._waiting.of_each(numbers)
        return {number: alive(number, trail, now_us) for number, trail in trails.items()}

    def _now(self, tenant: Tenant) -> Trail:
        """What is visible and has not expired; what is not visible yet is not waited for."""
        number = tenant.number
        return self._expiry.alive(number, self._waiting.of(number), self._expiry.now_us())

    def stop(self) -> None:
        """Stop following and merging. What is not in segments waits in the journal."""
        self._merger.stop()
        self._follower.stop()
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def cut(self) -> None:
        """Bring everything that waits now to rest in segments."""
        self._follower.cut()

    def damaged(self) -> list[Corrupt]:
        """What `start` and merging found missing, cut short or altered, each by its file."""
        found = [*self._damaged, *self._merger.damaged()]
        return list({str(error): error for error in found}.values())

    def trouble(self) -> Exception | None:
        """Why following or cutting does not get on at the moment, if it does not."""
        return self._follower.trouble

    def segments(self, tenant: Tenant) -> tuple[Segment, ...]:
        """A tenant's segments, in the order of their first index."""
        return self._waiting.of(tenant.number).segments

    def visible(self, tenant: Tenant) -> int:
        """The index after a tenant's last visible event."""
        return self._waiting.visible_of(tenant.number)

    def lag(self) -> int:
        """Events that are accepted, but not visible yet, of all tenants."""
        visible = self._waiting.visible()
        sizes = self._journal.sizes()
        return sum(max(size - visible.get(tenant, 0), 0) for tenant, size in sizes.items())

    def waiting(self) -> tuple[int, int]:
        """Visible events that are only in memory and the journal, and what they cost in bytes."""
        return self._waiting.events, self._waiting.bytes

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` with tenant number → visible end whenever events became visible.

        It runs in the archive's thread, MUST be quick and MUST NOT raise; an event loop is woken
        by `loop.call_soon_threadsafe`. The answer, called, ends it.
        """
        return self._follower.watch(watcher)

    def wait_for(self, tenant: Tenant, index: int, timeout_s: float) -> bool:
        """Wait until the event at `index` is visible; False when the time is over."""
        if self.visible(tenant) > index:
            return True
        return self._follower.wait_for(lambda: self.visible(tenant) > index, timeout_s)

    def get(self, tenant: Tenant, index: int) -> Opened | None:
        """The event at an index, if it is visible. Raises `Gone`, `Corrupt` where it is damaged."""
        trail = self._trail(tenant)
        found = reading.get(trail, index, self._shelf.parts)
        if found is None and 0 <= index < trail.visible:
            self._holes.refuse_gone(tenant.number, trail, index)
        return found

    def by_id(self, tenant: Tenant, event_id: str) -> tuple[int, Opened] | None:
        """The event with this id, and its index. Raises `Gone`, `Corrupt` for a damaged segment.

        Of an event that has expired, the id is known until it is dropped.
        """
        trail = self._trail(tenant)
        found = reading.by_id(trail, event_id, self._shelf)
        if found is None and trail.live is not None:
            gone = reading.by_id(trail.live.whole, event_id, self._shelf)
            if gone is not None:
                self._holes.refuse_gone(tenant.number, trail, gone[0])
        return found

    def feed(self, tenant: Tenant, after: int, limit: int) -> list[tuple[int, Opened]]:
        """Up to `limit` events after index `after` (-1: from the first), in order.

        None is left out, else it raises `Corrupt`; it ends before what is not visible yet.
        """
        _check_limit(limit)
        return self._fed(tenant, max(after + 1, 0), limit, self._settings.page_bytes_max).events

    def _fed(self, tenant: Tenant, first: int, limit: int, bytes_max: int) -> Followed:
        check = partial(self._holes.check, tenant.number)
        trail = self._now(tenant)
        return Followed(*reading.feed(trail, first, limit, bytes_max=bytes_max, check=check))

    def scan(self, tenant: Tenant, query: Query) -> Iterator[tuple[int, Opened]]:
        """Every event that passes, oldest index first, for exports: of what is visible now.

        Memory stays flat. Raises `Corrupt` at a damaged segment: an export never hides a hole.
        """
        return packwise.opened(self.pieces(tenant, query, self._trail(tenant).visible))

    def pieces(
        self, tenant: Tenant, query: Query, end: int, first: int = 0, *, now_us: int | None = None
    ) -> Iterator[packwise.Piece]:
        """The same from `first` to below `end`, pack by pack, none opened; of what comes then too.

        `now_us`: what has expired then is left out; without it, what has at each step.
        """
        passing = None if query == Query() else self._passing(query)
        explained = partial(self._holes.count, tenant.number)

        def acquire() -> Trail:
            if now_us is None:
                return self._trail(tenant)
            return self._expiry.alive(tenant.number, self._waiting.of(tenant.number), now_us)

        return packwise.pieces(acquire, end, passing, first, explained=explained)

    def snapshot(self, tenant: Tenant, query: Query, how: How | None = None) -> Snapshot:
        """What passes now, counted, to be given afterwards; see `snapshots.take`."""
        return take(lambda: self._trail(tenant), query, self._shelf, how)

    def follow(self, tenant: Tenant, query: Query, first: int, limit: int) -> Followed:
        """The next events that pass, from index `first` on, and where to go on: for a tail.

        A bounded piece of work: up to `limit` events of `FOLLOWED_BYTES_MAX`. Raises `Corrupt`
        where it cannot go on without leaving one out.
        """
        if query == Query():
            return self._fed(tenant, first, limit, FOLLOWED_BYTES_MAX)
        trail = self._now(tenant)
        passing = self._passing(query)
        deadline = time.monotonic() + FOLLOW_S
        wanted = Wanted(lambda one: passing(one, trail.live), limit, FOLLOWED_BYTES_MAX)
        return follow(trail, first, wanted, lambda: time.monotonic() > deadline)

    def search(  # noqa: PLR0913 - each is a parameter of the API
        self,
        tenants: Sequence[Tenant],
        query: Query,
        *,
        limit: int = 50,
        cursor: str | None = None,
        at_least: Mapping[int, int] | None = None,
        oldest_first: bool = False,
        asked: str | None = None,
        after: Position | None = None,
    ) -> Page:
        """One page of the events that pass, newest first by time, then by index.

        `at_least`: tenant number → an index that must be visible; `Busy` if it does not become so
        in time. `asked` is what the cursors are bound to, in words that stay the same from page to
        page where the query (`-15m`) or the tenants (all there are) do not; without it they are
        bound to both. The range of time is the first page's. Raises `Refused` for a limit outside
        1–1,000 (`bad-limit`), for a cursor that is not this search's (`bad-cursor`) or of another
        version (`old-cursor`). Pages of one search hold every event once, whatever is cut or
        merged meanwhile.
        """
        _check_limit(limit)
        numbers = {tenant.number: tenant for tenant in tenants}
        bound = msgspec.msgpack.encode((asked or (query, sorted(numbers)), oldest_first))
        place = Place(after, query.from_us, query.to_us)
        if cursor is not None:
            place = self._cursors.read(cursor, bound)
            query = msgspec.structs.replace(query, from_us=place.from_us, to_us=place.to_us)
        self._await(numbers, at_least or {})
        deadline = time.monotonic() + self._settings.search_s
        found = search.find(
            self._trails(tenants),
            search.Wanted(query, limit + 1, place.after, oldest_first),
            self._shelf,
            lambda: time.monotonic() > deadline,
        )
        return page(
            found,
            Paging(
                numbers,
                limit,
                self._settings.page_bytes_max,
                oldest_first,
                self._shelf.parts,
                lambda last: self._cursors.write(msgspec.structs.replace(place, after=last), bound),
            ),
        )

    def count(self, tenants: Sequence[Tenant], query: Query) -> Counts:
        """How many events pass."""
        return self._count(tenants, query, Counting())

    def facets(
        self, tenants: Sequence[Tenant], query: Query, fields: Sequence[str], top: int = 10
    ) -> Counts:
        """The `top` most frequent values of some fields, over all events that pass.

        Raises `Refused` (`bad-query`) for a field whose values cannot be counted.
        """
        return self._count(tenants, query, Counting(fields, top))

    def histogram(
        self,
        tenants: Sequence[Tenant],
        query: Query,
        interval: Interval,
        zone: tzinfo = UTC,
        *,
        by: str | None = None,
    ) -> Counts:
        """How many events pass in each piece of time: seconds, or an hour, day … of a zone.

        `by` divides each bucket by the values of `outcome`, `dialect` or `actor.kind`. Raises
        `Refused`: `bad-interval`, `too-many-buckets`, `bad-query`.
        """
        return self._count(tenants, query, Counting(interval=interval, zone=zone, by=by))

    def _count(self, tenants: Sequence[Tenant], query: Query, wanted: Counting) -> Counts:
        trails = self._trails(tenants)
        deadline = time.monotonic() + self._settings.search_s
        return counting.count(
            trails, query, wanted, self._shelf, lambda: time.monotonic() > deadline
        )

    def _passing(self, query: Query) -> Callable[[Segment | Chunk, Live | None], reading.Indexes]:
        condition = ready(query)
        return lambda one, live: search.matching(source_of(one, self._shelf, live), condition)

    def _await(self, numbers: Mapping[int, Tenant], at_least: Mapping[int, int]) -> None:
        deadline = time.monotonic() + self._settings.at_least_s
        for number, index in at_least.items():
            tenant = numbers.get(number)
            if tenant is None or index >= self._journal.size(number):
                raise Refused(f"index {index} was never given", code="bad-at-least")
            if not self.wait_for(tenant, index, max(deadline - time.monotonic(), 0)):
                raise Busy(f"index {index} is accepted, but not searchable yet")


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= LIMIT_MAX:
        raise Refused(f"a limit is 1 to {LIMIT_MAX}", code="bad-limit")
