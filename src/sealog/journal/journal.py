"""The one writer: group commit, indexes without gaps, every event once.

Requests that arrive while a commit is under way share the next one. A commit is one transaction: it
remembers ids, writes blocks and advances heads. Nothing is answered before it is durable; what
fails, fails whole, and no index is used up by it.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import msgspec
from sqlalchemy import Connection

from sealog.errors import Busy
from sealog.event.batch import Batch, Outcome
from sealog.journal import blocks, heads
from sealog.journal.blocks import Block
from sealog.journal.commit import Commit
from sealog.journal.memory import Memory
from sealog.storage.store import Store, driver

Clock = Callable[[], int]
"""Microseconds since 1970."""


class Settings(msgspec.Struct, frozen=True):
    """Limits of what waits."""

    waiting_events_max: int = 100_000
    """Events that may wait for a commit, all tenants together; more is `Busy`."""
    fair_events: int = 20_000
    """From this many waiting on, no tenant may have more than half of what waits."""
    commit_events_max: int = 20_000
    """Events in one commit; the rest waits for the next."""


class _Waiting(msgspec.Struct):
    batches: list[Batch]
    events: int
    done: Future[list[Outcome]]


class Journal:
    """Durable order. Created once per data folder, on the store that owns it."""

    def __init__(self, store: Store, clock: Clock, settings: Settings | None = None) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings or Settings()
        self._memory = Memory()
        self._lock = threading.Condition()
        self._waiting: deque[_Waiting] = deque()
        self._waiting_events = 0
        self._waiting_of: Counter[int] = Counter()
        self._scheduled = False
        self._flying: list[_Waiting] = []
        self._sizes: dict[int, int] = {}
        self._newest = 0
        store.write(self._load).result()

    def append(self, batches: list[Batch]) -> Future[list[Outcome]]:
        """Queue batches for the next commit; the future is done when they are durable.

        One `Outcome` per batch. Raises `Busy` at once where too much waits; then nothing was kept.
        """
        done: Future[list[Outcome]] = Future()
        events = sum(len(batch.ids) for batch in batches)
        with self._lock:
            self._admit(batches, events)
            self._waiting.append(_Waiting(batches, events, done))
            self._schedule()
        return done

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
            rows = driver(connection).execute(heads.READ).fetchall()
        return [heads.Head(*row[:4]) for row in rows]

    def follow(self, after: int, limit: int = 256) -> list[Block]:
        """Durable blocks with `seq` beyond `after`, in order. Raises `Altered` for a damaged one."""
        with self._store.reading() as connection:
            where = "seq > ? ORDER BY seq LIMIT ?"
            return blocks.read(driver(connection), where, (after, limit))

    def blocks_of(self, tenant: int, first: int) -> list[Block]:
        """A tenant's waiting blocks that hold indexes from `first` on, in order."""
        with self._store.reading() as connection:
            where = "tenant = ? AND first + count > ? ORDER BY first"
            return blocks.read(driver(connection), where, (tenant, first))

    def wait(self, after: int, timeout_s: float) -> bool:
        """Wait until a block newer than `after` is durable; False when the time is over."""
        with self._lock:
            return self._lock.wait_for(lambda: self._newest > after, timeout_s)

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
        heads.advance(driver(connection), synced=synced or {}, archived=archived or {})

    def _admit(self, batches: Sequence[Batch], events: int) -> None:
        limit = self._settings.waiting_events_max
        total = self._waiting_events + events
        if self._waiting_events and total > limit:
            raise Busy(f"{self._waiting_events} events wait to be written; {limit} may")
        counts: Counter[int] = Counter()
        for batch in batches:
            counts[batch.tenant.number] += len(batch.ids)
        if self._waiting_events > self._settings.fair_events:
            for tenant, count in counts.items():
                if 2 * (self._waiting_of[tenant] + count) > total:
                    raise Busy("this tenant has its share of what waits to be written")
        self._waiting_events = total
        self._waiting_of.update(counts)

    def _schedule(self) -> None:
        if self._waiting and not self._scheduled:
            self._scheduled = True
            self._store.write(self._commit, urgent=True).add_done_callback(self._finish)

    def _load(self, connection: Connection) -> None:
        inner = driver(connection)
        self._memory.load(inner)
        self._sizes = dict(inner.execute("SELECT tenant, size FROM heads").fetchall())
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
                taken.append(self._waiting.popleft())
                room -= taken[-1].events
            return taken

    def _commit(self, connection: Connection) -> Commit:
        self._flying = self._take()
        batches = [batch for waiting in self._flying for batch in waiting.batches]
        commit = Commit(driver(connection), self._memory, self._newest, self._clock())
        commit.write(batches)
        return commit

    def _finish(self, future: Future[Commit]) -> None:
        """Runs in the writing thread, after the transaction: only now is anything promised."""
        taken, self._flying = self._flying, []
        self._release(taken)
        error = future.exception()
        if error is None:
            commit = future.result()
            if commit.hashes is not None:
                self._memory.settle(commit.newest, commit.hashes)
            with self._lock:
                self._sizes.update(commit.sizes)
                self._newest = commit.newest
                self._lock.notify_all()
            outcomes = iter(commit.outcomes)
            for waiting in taken:
                waiting.done.set_result([next(outcomes) for _ in waiting.batches])
        else:
            for waiting in taken:
                waiting.done.set_exception(error)
        with self._lock:
            self._scheduled = False
            self._schedule()

    def _release(self, taken: Sequence[_Waiting]) -> None:
        with self._lock:
            for waiting in taken:
                self._waiting_events -= waiting.events
                for batch in waiting.batches:
                    self._waiting_of[batch.tenant.number] -= len(batch.ids)
            self._waiting_of += Counter()
