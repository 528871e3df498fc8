"""The one writer: group commit, indexes without gaps, every event once.

Requests that arrive while a commit is under way share the next one. A commit is one transaction: it
remembers ids, writes blocks and advances heads. Nothing is answered before it is durable; what
fails, fails whole, and no index is used up by it.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import msgspec
from sqlalchemy import Connection

from sealog.errors import Busy, Misconfigured
from sealog.event.batch import Batch, Outcome
from sealog.event.packs import Packer
from sealog.journal import blocks, heads
from sealog.journal.blocks import Block
from sealog.journal.commit import Commit
from sealog.journal.heads import Head
from sealog.journal.memory import Memory
from sealog.journal.seen import Seen
from sealog.storage.store import Store, driver

Clock = Callable[[], int]
"""Microseconds since 1970."""

FOLLOW_BYTES_MAX = 64 << 20
"""What one call of `follow` gives at most, and one block more."""


class Settings(msgspec.Struct, frozen=True):
    """Limits of what waits."""

    waiting_events_max: int = 100_000
    """Events that may wait for a commit, all tenants together; more is `Busy`."""
    fair_events: int | None = None
    """From this many waiting on, no tenant may have more than half of what waits; None: from half
    of `waiting_events_max` on, so that the other half is always there for others."""
    commit_events_max: int = 20_000
    """Events in one commit; the rest waits for the next."""


class _Waiting(msgspec.Struct, eq=False):
    batches: list[Batch]
    events: int
    done: Future[list[Outcome]]


class Journal:
    """Durable order. Created once per data folder, on the store that owns it."""

    def __init__(self, store: Store, clock: Clock, settings: Settings | None = None) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings or Settings()
        self._memory, self._seen = Memory(), Seen()
        self._packer = Packer()
        self._lock = threading.Condition()
        self._waiting: deque[_Waiting] = deque()
        self._waiting_events = 0
        self._waiting_of: dict[int, int] = {}
        self._scheduled = False
        self._flying: list[_Waiting] = []
        self._sizes: dict[int, int] = {}
        # As they stand in the file; used and changed by the writing thread alone.
        self._heads: dict[int, heads.Head] = {}
        self._newest = 0
        self._roused = 0
        with store.reading() as connection:
            self._load(connection)

    def append(self, batches: list[Batch]) -> Future[list[Outcome]]:
        """Queue batches for the next commit; the future is done when they are durable.

        One `Outcome` per batch. `Busy`, at once where too much waits or later from the future where
        the disk did not take it: then nothing was kept. Whoever cancels the future before its
        commit begins takes the batches back; after that it cannot be cancelled.
        """
        done, busy = self.append_all([batches])
        if busy:
            raise busy[0]
        return done

    def append_all(
        self, requests: Sequence[list[Batch]]
    ) -> tuple[Future[list[Outcome]], dict[int, Busy]]:
        """Queue several requests for one commit, each let in or `Busy` by itself, by its place.

        The future is that of `append`, for the batches of all that were let in.
        """
        done: Future[list[Outcome]] = Future()
        waiting = _Waiting([], 0, done)
        busy: dict[int, Busy] = {}
        with self._lock:
            for place, batches in enumerate(requests):
                events = sum(len(batch.ids) for batch in batches)
                try:
                    if events:
                        self._admit(batches, events)
                except Busy as error:
                    busy[place] = error
                else:
                    waiting.batches.extend(batches)
                    waiting.events += events
            if waiting.events:
                self._queue(waiting)
        if not waiting.events:
            done.set_result([Outcome([]) for _ in waiting.batches])
        return done, busy

    def size(self, tenant: int) -> int:
        """The index the tenant's next event will have."""
        return self._sizes.get(tenant, 0)

    def sizes(self) -> dict[int, int]:
        """Tenant → size, of every tenant that has events."""
        return dict(self._sizes)

    def newest(self) -> int:
        """The number of the newest durable block."""
        return self._newest

    def waiting(self) -> int:
        """Events that wait for a commit now."""
        return self._waiting_events

    def archived(self) -> dict[int, int]:
        """Tenant → how many of its entries rest in segments."""
        return {head.tenant: head.archived for head in self.heads()}

    def heads(self) -> list[heads.Head]:
        """Every tenant's head, as of now."""
        with self._store.reading() as connection:
            return heads.read_all(driver(connection))

    def head(self, tenant: int) -> Head:
        """One tenant's head, as of now. Raises `Altered` where it is damaged."""
        with self._store.reading() as connection:
            return heads.read(driver(connection), tenant)

    def follow(self, after: int, limit: int = 256, *, checked: bool = True) -> list[Block]:
        """Durable blocks with `seq` beyond `after`, in order: all there are, or enough for once.

        Only an empty list says that there are no more. Raises `Altered` for a damaged one, where it
        is to check them.
        """
        with self._store.reading() as connection:
            where = "seq > ? ORDER BY seq LIMIT ?"
            return blocks.read(
                driver(connection),
                where,
                (after, limit),
                bytes_max=FOLLOW_BYTES_MAX,
                checked=checked,
            )

    def blocks_of(
        self, tenant: int, first: int, *, some: bool = False, checked: bool = True
    ) -> list[Block]:
        """A tenant's waiting blocks from index `first` on, in order; `some`: or enough for once.

        Raises `Altered` for a damaged one, where it is to check them.
        """
        with self._store.reading() as connection:
            where = "tenant = ? AND first + count > ? ORDER BY first"
            bytes_max = FOLLOW_BYTES_MAX if some else 0
            return blocks.read(
                driver(connection), where, (tenant, first), bytes_max=bytes_max, checked=checked
            )

    def block_at(self, tenant: int, index: int) -> Block | None:
        """The waiting block that holds an index of a tenant, or None once it rests elsewhere."""
        with self._store.reading() as connection:
            where = "tenant = ?1 AND first <= ?2 AND first + count > ?2 ORDER BY first DESC LIMIT 1"
            found = blocks.read(driver(connection), where, (tenant, index))
        return found[0] if found else None

    def wait(self, after: int, timeout_s: float) -> bool:
        """Wait until a block newer than `after` is durable; False when the time is over or on `rouse`."""
        with self._lock:
            roused = self._roused
            self._lock.wait_for(lambda: self._newest > after or self._roused != roused, timeout_s)
            return self._newest > after

    def rouse(self) -> None:
        """Let everyone in `wait` go: there is something else to do."""
        with self._lock:
            self._roused += 1
            self._lock.notify_all()

    def advance(
        self,
        connection: Connection,
        *,
        synced: dict[int, int] | None = None,
        archived: dict[int, int] | None = None,
    ) -> None:
        """Note how far log files and segments are; MUST run inside a `Store.write` of the caller.

        Blocks that both have are deleted in the same transaction.
        """
        synced, archived = synced or {}, archived or {}
        # Whether this transaction lasts is not known yet: the next commit reads them again.
        for tenant in synced.keys() | archived.keys():
            self._heads.pop(tenant, None)
        heads.advance(driver(connection), synced=synced, archived=archived)

    def _admit(self, batches: Sequence[Batch], events: int) -> None:
        limit = self._settings.waiting_events_max
        total = self._waiting_events + events
        if self._waiting_events and total > limit:
            raise Busy(f"{self._waiting_events} events wait to be written; {limit} may")
        counts: dict[int, int] = {}
        for batch in batches:
            number = batch.tenant.number
            counts[number] = counts.get(number, 0) + len(batch.ids)
        fair = self._settings.fair_events
        if self._waiting_events > (limit // 2 if fair is None else fair):
            for tenant, count in counts.items():
                if 2 * (self._waiting_of.get(tenant, 0) + count) > total:
                    raise Busy("this tenant has its share of what waits to be written")
        self._waiting_events = total
        for tenant, count in counts.items():
            self._waiting_of[tenant] = self._waiting_of.get(tenant, 0) + count

    def _queue(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        try:
            self._schedule()
        except Misconfigured:
            self._waiting.remove(waiting)
            self._forget(waiting)
            raise

    def _schedule(self) -> None:
        if self._waiting and not self._scheduled:
            self._store.write(self._commit, urgent=True, then=self._finish)
            self._scheduled = True

    def _load(self, connection: Connection) -> None:
        inner = driver(connection)
        self._memory.load(inner)
        self._sizes = {head.tenant: head.size for head in heads.read_all(inner)}
        newest_block = inner.execute("SELECT coalesce(max(seq), 0) FROM blocks").fetchone()[0]
        newest_ids = inner.execute("SELECT coalesce(max(seq), 0) FROM recent_ids").fetchone()[0]
        # A number is never given twice, even when all blocks are gone: followers wait by number.
        self._newest = max(newest_block, newest_ids)

    def _take(self) -> list[_Waiting]:
        """What the next commit holds. What arrives from here on shares the one after."""
        with self._lock:
            taken: list[_Waiting] = []
            room = self._settings.commit_events_max
            while self._waiting and (not taken or self._waiting[0].events <= room):
                waiting = self._waiting.popleft()
                if waiting.done.set_running_or_notify_cancel():
                    taken.append(waiting)
                    room -= waiting.events
                else:
                    self._forget(waiting)
            return taken

    def _commit(self, connection: Connection) -> Commit:
        self._flying = self._take()
        batches = [batch for waiting in self._flying for batch in waiting.batches]
        moment = self._clock(), self._heads
        memories = self._memory, self._seen
        commit = Commit(driver(connection), memories, self._newest, moment, self._packer)
        commit.write(batches)
        return commit

    def _finish(self, future: Future[Commit]) -> None:
        """Runs in the writing thread, after the transaction: only now is anything promised."""
        taken, self._flying = self._flying, []
        error = future.exception()
        if error is None:
            self._settle(future.result())
        elif not taken:
            # The transaction did not even begin. Left waiting, they would not know for how long.
            taken = self._take()
        with self._lock:
            for waiting in taken:
                self._forget(waiting)
            self._scheduled = False
            # Before the answers: what is written while they are taken up costs nobody time.
            self._schedule()
            self._lock.notify_all()
        if error is not None:
            for waiting in taken:
                waiting.done.set_exception(error)
            return
        outcomes = iter(future.result().outcomes)
        for waiting in taken:
            waiting.done.set_result([next(outcomes) for _ in waiting.batches])

    def _settle(self, commit: Commit) -> None:
        """Take over what is durable now; the memory of ids changes only in the writing thread."""
        if commit.hashes is not None:
            self._memory.settle(commit.newest, commit.hashes)
        self._heads.update(commit.heads)
        with self._lock:
            for head in commit.heads.values():
                self._sizes[head.tenant] = head.size
            self._newest = commit.newest

    def _forget(self, waiting: _Waiting) -> None:
        """Take one off what waits; runs under the lock."""
        self._waiting_events -= waiting.events
        for batch in waiting.batches:
            number = batch.tenant.number
            self._waiting_of[number] -= len(batch.ids)
            if not self._waiting_of[number]:
                del self._waiting_of[number]
