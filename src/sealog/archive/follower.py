"""The archive's one thread: what the journal accepted becomes visible, then comes to rest."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from sealog.archive.catching import CatchingUp
from sealog.archive.cuts import Cut, Cuts
from sealog.archive.following import is_quiet
from sealog.archive.waiting import Chunk, Waiting, chunks_of_each
from sealog.errors import Busy
from sealog.event.packs import Unpacker
from sealog.event.tenants import Tenant
from sealog.journal import blocks
from sealog.journal.blocks import Block
from sealog.journal.following import Following, by_tenant
from sealog.journal.journal import FOLLOW_BYTES_MAX, Journal
from sealog.storage.folder import Folder
from sealog.storage.store import Store, driver

BLOCKS_AT_ONCE = 64
CUT_TENANTS_MAX = 256
"""So many tenants are cut at once, some half a second: new events become visible in between."""
IDLE_S = 0.25
LINGER_S = 0.02
"""Blocks of so long are taken in together, unless somebody waits for one: waking for each commit of
single events costs them, and everybody else, the interpreter."""
RETRY_S = 1.0
START_EVENTS = 2_048
"""So many waiting events are taken in before a start is over; the rest beside the first requests."""


class Settings(msgspec.Struct, frozen=True):
    """When events come to rest, and what a search may cost."""

    segment_events: int = 512
    """A tenant with so many waiting events is due; all that wait are taken, 8,192 a segment."""
    segment_age_s: float = 600.0
    """A tenant whose oldest waiting event came so long ago is due."""
    cut_every_s: float = 1.0
    """Segments are cut at most so often, unless too much waits."""
    waiting_events_max: int = 200_000
    """Events of all tenants that may wait in memory; beyond it the largest tenants are cut."""
    waiting_bytes_max: int = 96 << 20
    """The same in estimated bytes of memory."""
    search_s: float = 5.0
    """A search that takes longer says how far it came."""
    at_least_s: float = 2.0
    """How long a search waits for an index that it must include."""
    page_bytes_max: int = 32 << 20
    """A page of events ends early beyond so many bytes."""


Watcher = Callable[[Mapping[int, int]], None]
"""Gets tenant → the index after its last visible event, of tenants that have new ones. Events that
only say what was read wake nobody: following a trail would never come to rest (decision 0013)."""


class Follower:
    """Owns `waiting` while it runs. `seen` is notified whenever events became visible."""

    def __init__(
        self,
        store: Store,
        folder: Folder,
        journal: Journal,
        tenants: Callable[[int], Tenant],
        settings: Settings,
    ) -> None:
        self.waiting = Waiting()
        self.seen = threading.Condition()
        self._trouble: Exception | None = None
        self.cut_tenants: Callable[[Cut], None] = lambda _: None
        """Told of new segments, once they are seen."""
        self._journal = journal
        self._settings = settings
        self._watchers: list[Watcher] = []
        self._turn = threading.Lock()
        self._unpacker = Unpacker()
        self.cuts = Cuts(
            store,
            folder,
            tenants,
            lambda connection, ends: journal.advance(connection, archived=dict(ends)),
        )
        self._following = Following(journal, self._add, self._reached, time.monotonic)
        # Tenants by when their oldest waiting event came, those first; and those with enough for a
        # segment. So that of ten thousand tenants only those are looked at that are due.
        self._since: dict[int, float] = {}
        self._enough: dict[int, None] = {}
        self._cut_at = time.monotonic()
        self._stopping = threading.Event()
        self._hurry = threading.Event()
        self._waiters = 0
        self._begun_at = 0
        self._catching = CatchingUp(self._following, journal, self.waiting, self.seen)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Take in some of what waits already, then go on in a thread."""
        # Before anything is written, so that no lost write goes unheard.
        self.cuts.watch()
        self._begun_at = self._journal.newest()
        self._catching.begin()
        left = START_EVENTS
        while left >= 0 and (taken := self._try_step()):
            left -= taken
        self._thread = threading.Thread(target=self._run, name="sealog-archive", daemon=True)
        self._thread.start()

    def take_all(self, connection: Connection) -> None:
        """Instead of `start`: take in every block that one connection sees, and cut nothing."""
        after, where = -1, "seq > ? ORDER BY seq LIMIT ?"
        inner, most = driver(connection), FOLLOW_BYTES_MAX
        while found := blocks.read(inner, where, (after, BLOCKS_AT_ONCE), bytes_max=most):
            self._add(by_tenant(found))
            after = found[-1].seq

    @property
    def trouble(self) -> Exception | None:
        """What a step failed with, or what is wrong with a tenant that is set aside."""
        return self._trouble or self._following.trouble()

    def stop(self) -> None:
        """Finish the step under way. What waits is in the journal, and waits there."""
        self._stopping.set()
        self._hurry.set()
        self._journal.rouse()
        if self._thread is not None:
            self._thread.join()
        self.cuts.close()

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` in this thread whenever events became visible; the answer ends that.

        It MUST be quick and MUST NOT raise.
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def step(self) -> int:
        """Take in the next blocks, and cut what is due; how many events the blocks hold."""
        with self._turn:
            self._catching.take_asked()
            more = self._journal.wait(self._following.after, 0)
            # What was set aside is tried again though nothing new comes.
            wanted = (more or self._following.trouble() is not None) and not self._stuffed()
            taken = self._take() if wanted else 0
            due = self._due()
            if due:
                self._cut(due)
            return taken

    def cut(self, tenants: Iterable[int] | None = None) -> None:
        """Bring everything that waits now to rest, of all tenants or of some."""
        with self._turn:
            self._cut(list(self.waiting.waiting()) if tenants is None else tenants)

    def _run(self) -> None:
        while not self._stopping.is_set():
            taken = self._try_step()
            if self._trouble is not None:
                self._stopping.wait(RETRY_S)
            elif not taken:
                self._journal.wait(self._following.after, IDLE_S)
                self._linger()
            elif self._following.after >= self._journal.newest():
                self._linger()

    def _linger(self) -> None:
        self._hurry.clear()
        # Whoever came before the clearing is counted; whoever comes after it sets it again.
        if not (self._waiters or self._stopping.is_set() or self._stuffed()):
            self._hurry.wait(LINGER_S)

    def wait_for(self, is_visible: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until something is visible, which is brought about without lingering."""
        with self.seen:
            self._waiters += 1
            self._hurry.set()
            try:
                return self.seen.wait_for(is_visible, timeout_s)
            finally:
                self._waiters -= 1

    def _try_step(self) -> int:
        """A step, or trouble: then nothing is lost, for the journal keeps what does not rest.

        Whatever it is: a thread that ended would be told by nobody.
        """
        try:
            taken = self.step()
        except Exception as error:  # noqa: BLE001 - `trouble` tells /readyz, and it is tried again
            self._trouble = error
            self._catching.end()
            return 0
        self._trouble = None
        if self._following.after >= self._begun_at:
            self._catching.end()
        return taken

    def catch_up(self, tenants: Sequence[int]) -> None:
        """Return once what these tenants had at the start is visible; else `Busy`, after a while."""
        catching, most_s = self._catching, self._settings.at_least_s
        if not (catching.is_over() or self.wait_for(catching.ask(tenants), most_s)):
            raise Busy("what was accepted before the start is not searchable yet")

    @contextmanager
    def resting(self) -> Iterator[frozenset[Path]]:
        """Nothing is cut inside the block. What it gives is not listed, and may yet be."""
        with self._turn:
            yield frozenset(self.cuts.doubtful)

    def _take(self) -> int:
        return self._following.round(BLOCKS_AT_ONCE)

    def _reached(self, tenant: int) -> int:
        return self.waiting.visible_of(tenant)

    def _add(self, found: Mapping[int, Sequence[Block]]) -> None:
        wanted: list[tuple[Block, int]] = []
        for tenant, several in found.items():
            # Not only what rests: what a step took in before it failed is visible already.
            visible = self._reached(tenant)
            wanted += [(block, visible) for block in several if block.end > visible]
        fresh: dict[int, list[Chunk]] = {}
        chunks = chunks_of_each(wanted, self._unpacker)
        for (block, _), its in zip(wanted, chunks, strict=True):
            fresh.setdefault(block.tenant, []).extend(its)
        if fresh:
            now = time.monotonic()
            for tenant in fresh:
                self._since.setdefault(tenant, now)
            self.waiting.add(fresh)
            self._enough.update(
                (tenant, None)
                for tenant in fresh
                if self.waiting.count_of(tenant) >= self._settings.segment_events
            )
            self._announce(fresh)

    def _announce(self, fresh: Mapping[int, Sequence[Chunk]]) -> None:
        with self.seen:
            self.seen.notify_all()
        loud = {
            tenant: self.waiting.visible_of(tenant)
            for tenant, chunks in fresh.items()
            if not is_quiet(chunks)
        }
        if loud:
            for watcher in list(self._watchers):
                watcher(loud)

    def is_behind(self) -> bool:
        """Whether so much is due to be cut that other work on segments should wait.

        What only waits for its tenant to have enough, for ever maybe, MUST NOT hold anything up.
        """
        half = self._settings.waiting_events_max // 2
        if self.waiting.events <= half:
            return self.waiting.bytes > self._settings.waiting_bytes_max
        return sum(map(self.waiting.count_of, list(self._enough))) > half

    def _stuffed(self) -> bool:
        """Whether cutting is so far behind that taking in more would not be bounded."""
        return (
            self.waiting.events > 2 * self._settings.waiting_events_max
            or self.waiting.bytes > 2 * self._settings.waiting_bytes_max
        )

    def _due(self) -> list[int]:
        settings, waiting = self._settings, self.waiting
        over = (
            waiting.events > settings.waiting_events_max
            or waiting.bytes > settings.waiting_bytes_max
        )
        now = time.monotonic()
        if not over and now - self._cut_at < settings.cut_every_s:
            return []
        self._cut_at = now
        if over:
            return self._largest()
        due = dict(self._enough)
        for tenant, since in self._since.items():
            if now - since < settings.segment_age_s:
                break
            due[tenant] = None
        return list(islice(due, CUT_TENANTS_MAX))

    def _largest(self) -> list[int]:
        """The tenants without which half of what may wait is left, or as many as are cut at once."""
        events, size = self.waiting.events, self.waiting.bytes
        due = []
        for tenant, count, cost in islice(self.waiting.largest(), CUT_TENANTS_MAX):
            if (
                events <= self._settings.waiting_events_max // 2
                and size <= self._settings.waiting_bytes_max // 2
            ):
                break
            due.append(tenant)
            events, size = events - count, size - cost
        return due

    def _cut(self, tenants: Iterable[int]) -> None:
        def waiting() -> Iterator[tuple[int, Sequence[Chunk], bool]]:
            for tenant in tenants:
                trail = self.waiting.of(tenant)
                if trail.chunks:
                    yield tenant, trail.chunks, not trail.segments

        cut = self.cuts.write(waiting())
        for tenant, end in cut.ends.items():
            self.waiting.settle(tenant, cut.segments[tenant], end)
            self._since.pop(tenant, None)
            self._enough.pop(tenant, None)
        if cut.ends:
            self.cut_tenants(cut)
