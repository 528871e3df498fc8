"""What keys read, counted by the hour: in memory first, then in `state.db`, until it is told.

Decision 0013. Counting is on the way of every read, so it does as little as it can; a thread of the
caller's calls `keep` every few seconds, and what was counted since is all that a crash can lose.
"""

import threading
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, select

from sealog.access.grants import Grant
from sealog.errors import SealogError
from sealog.event.tenants import Tenant
from sealog.storage.store import Store, driver
from sealog.storage.tables import reads as table

HOUR_US = 3_600_000_000
ORIGINS_MAX = 16
"""Addresses that are remembered of a key in an hour; of more, the first and the newest."""

_KEEP = "INSERT OR REPLACE INTO reads (hour, key, tenant, counts) VALUES (?, ?, ?, ?)"
_FORGET = "DELETE FROM reads WHERE hour = ? AND key = ? AND tenant = ?"


class Kind(IntEnum):
    """What can be read. Their numbers are kept, so that new ones come last."""

    SEARCHES = 0
    COUNTS = 1
    FEEDS = 2
    TAILS = 3
    SINGLE = 4
    PROOFS = 5
    EXPORTS = 6
    COMPAT = 7


class Origin(NamedTuple):
    """Where a request came from."""

    client: str | None
    """The address of who asked; a trusted proxy's word where there is one."""
    peer: str | None
    """The address at the other end of the connection."""


NOWHERE = Origin(None, None)


class Counts(msgspec.Struct, array_like=True, gc=False):
    """What one key read of one tenant in one hour."""

    kinds: list[int]
    """How often, by `Kind`."""
    events: int = 0
    """Events that were given out."""
    first: int = -1
    """The lowest index among them; -1 where there was none."""
    last: int = -1
    origins: list[Origin] = []
    """Where from, in the order they were first seen, the newest last where there were too many."""
    is_new: bool = True
    """Something was counted since it was last kept."""
    since_us: int = 0
    """When this counting began; 0 where an older program began it. An hour that comes again, after a
    clock was set back, is counted anew: this tells the two apart."""


class Told(msgspec.Struct, frozen=True):
    """What is to be told of one hour."""

    hour: int
    """Hours since 1970, UTC."""
    key: str
    tenant: int
    counts: Counts


class Reads:
    """All counts that are not told yet. `note` from the event loop, all else from one other thread."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        """`clock`: microseconds since 1970."""
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._hour = clock() // HOUR_US
        self._now: dict[tuple[str, int], Counts] = {}
        self._over: list[Told] = []
        with store.reading() as connection:
            self._load(connection)

    def note(
        self,
        grant: Grant,
        tenant: Tenant,
        kind: Kind,
        *,
        origin: Origin = NOWHERE,
        indexes: Sequence[int] = (),
        events: int | None = None,
    ) -> None:
        """Count one answer; `indexes` of the events it holds.

        `events`: how many they are, where `indexes` are only the first and the last.
        """
        if grant.is_lent:
            return
        key = (grant.key, tenant.number)
        with self._lock:
            counts = self._now.get(key)
            if counts is None:
                counts = self._now[key] = Counts(
                    [0] * len(Kind), origins=[], since_us=self._clock()
                )
            counts.kinds[kind] += 1
            counts.is_new = True
            if indexes:
                _add(counts, indexes, len(indexes) if events is None else events)
            # Nearly always the very same: it is remembered by whoever found it.
            last = counts.origins[-1] if counts.origins else None
            if last is not origin and last != origin:
                _came_from(counts, origin)

    def keep(self) -> None:
        """Make what was counted durable; hours that are over become those to be told.

        Raises what the store raises: the counts are still there then.
        """
        hour = self._clock() // HOUR_US
        self._write_over()
        self._write(self._hour, self._now)
        # A clock that was set back changes nothing while this runs: an hour is told once.
        if hour > self._hour:
            with self._lock:
                ended, last = self._now, self._hour
                self._now, self._hour = {}, hour
            self._over += [Told(last, *key, counts) for key, counts in ended.items()]
            self._write_over()

    def _write_over(self) -> None:
        """What is told MUST be what is kept: after a crash it is told again, and is known then."""
        for hour in {one.hour for one in self._over if one.counts.is_new}:
            ended = [one for one in self._over if one.hour == hour]
            self._write(hour, {(one.key, one.tenant): one.counts for one in ended})

    def _write(self, hour: int, counted: dict[tuple[str, int], Counts]) -> None:
        with self._lock:
            fresh = [(key, counts) for key, counts in counted.items() if counts.is_new]
            for _, counts in fresh:
                counts.is_new = False
            rows = [(hour, *key, msgspec.msgpack.encode(counts)) for key, counts in fresh]
        if not rows:
            return
        try:
            self._store.write(lambda it: driver(it).executemany(_KEEP, rows).rowcount).result()
        except SealogError:
            for _, counts in fresh:
                counts.is_new = True
            raise

    def over(self) -> list[Told]:
        """What is to be told: of hours that are over, the oldest first."""
        return list(self._over)

    def forget(self, told: Sequence[Told]) -> None:
        """They are told, durably. MUST NOT be called before."""
        rows = [(one.hour, one.key, one.tenant) for one in told]
        self._store.write(lambda it: driver(it).executemany(_FORGET, rows).rowcount).result()
        gone = set(rows)
        self._over = [one for one in self._over if (one.hour, one.key, one.tenant) not in gone]

    def _load(self, connection: Connection) -> None:
        found = connection.execute(select(table).order_by(table.c.hour)).all()
        if found:
            self._hour = max(self._hour, found[-1].hour)
        for hour, key, tenant, content in found:
            counts = msgspec.msgpack.decode(content, type=Counts)
            # An older program knew fewer kinds.
            counts.kinds += [0] * (len(Kind) - len(counts.kinds))
            if hour == self._hour:
                self._now[key, tenant] = counts
            else:
                self._over.append(Told(hour, key, tenant, counts))


def _add(counts: Counts, indexes: Sequence[int], events: int) -> None:
    first, last = min(indexes), max(indexes)
    counts.events += events
    counts.first = first if counts.first < 0 else min(first, counts.first)
    counts.last = max(last, counts.last)


def _came_from(counts: Counts, origin: Origin) -> None:
    """The newest stands last; where there are too many, it takes the place of the one before."""
    if origin in counts.origins:
        counts.origins.remove(origin)
    elif len(counts.origins) >= ORIGINS_MAX:
        counts.origins.pop()
    counts.origins.append(origin)
