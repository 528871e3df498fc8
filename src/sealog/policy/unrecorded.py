"""What tenants chose not to record, counted by type and hour until it is told.

In memory first, then in `state.db`, as the counts of reads are: a thread of the caller's calls `keep`
every few seconds, and what was counted since is all that a crash can lose (decision 0013).
"""

import threading
from collections.abc import Callable, Iterable, Sequence

import msgspec
from sqlalchemy import select

from sealog.errors import SealogError
from sealog.event.tenants import Tenant
from sealog.storage.store import Store, driver
from sealog.storage.tables import unrecorded as table

HOUR_US = 3_600_000_000
TYPES_MAX = 200
"""Types that are counted apart in a tenant's hour; the names are the sender's."""
NAME_CHARS_MAX = 256
REST = ""
"""The name under which all further types are counted."""

_KEEP = (
    "INSERT INTO unrecorded (hour, tenant, dialect, action, records, since_us)"
    " VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET records = records + excluded.records"
)
_FORGET = "DELETE FROM unrecorded WHERE hour = ? AND tenant = ?"

Type = tuple[str, str]
"""Dialect and native name."""


class Told(msgspec.Struct, frozen=True):
    """What is to be told of one tenant and hour."""

    hour: int
    """Hours since 1970, UTC."""
    tenant: int
    types: tuple[tuple[str, str, int], ...]
    """Dialect, native name, and how many records; what was too many to name stands last."""
    since_us: int
    """When this counting began: an hour that comes again, after a clock was set back, is counted
    anew, and this tells the two apart."""


class Unrecorded:
    """All counts that are not told yet. `note` from the event loop, all else from one other thread."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        """`clock`: microseconds since 1970."""
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[tuple[int, int], dict[Type, int]] = {}
        self._named: dict[tuple[int, int], set[Type]] = {}
        with store.reading() as connection:
            for row in connection.execute(select(table)):
                self._named.setdefault((row.hour, row.tenant), set()).add((row.dialect, row.action))

    def note(self, tenant: Tenant, types: Iterable[Type]) -> None:
        """Count records of these types, one each."""
        whose = self._clock() // HOUR_US, tenant.number
        with self._lock:
            counts = self._counts.setdefault(whose, {})
            named = self._named.setdefault(whose, set())
            for dialect, action in types:
                one = dialect, action[:NAME_CHARS_MAX]
                if one not in named:
                    one = one if len(named) < TYPES_MAX else (REST, REST)
                    named.add(one)
                counts[one] = counts.get(one, 0) + 1

    def keep(self) -> None:
        """Make what was counted durable. Raises what the store raises: the counts are there then."""
        with self._lock:
            counted, self._counts = self._counts, {}
        if not counted:
            return
        since_us = self._clock()
        rows = [
            (*whose, *one, records, since_us)
            for whose, counts in counted.items()
            for one, records in counts.items()
        ]
        try:
            self._store.write(lambda it: driver(it).executemany(_KEEP, rows).rowcount).result()
        except SealogError:
            with self._lock:
                for whose, counts in counted.items():
                    now = self._counts.setdefault(whose, {})
                    for one, records in counts.items():
                        now[one] = now.get(one, 0) + records
            raise

    def over(self) -> list[Told]:
        """What is to be told: what is kept of hours that are over, the oldest first."""
        hour = self._clock() // HOUR_US
        if all(begun >= hour for begun, _ in list(self._named)):
            return []
        wanted = select(table).where(table.c.hour < hour).order_by(table.c.hour, table.c.tenant)
        found: dict[tuple[int, int], list[tuple[str, str, int]]] = {}
        since: dict[tuple[int, int], int] = {}
        with self._store.reading() as connection:
            for row in connection.execute(wanted):
                whose = row.hour, row.tenant
                found.setdefault(whose, []).append((row.dialect, row.action, row.records))
                since[whose] = min(row.since_us, since.get(whose, row.since_us))
        return [
            Told(*whose, tuple(sorted(types, key=_rest_last)), since[whose])
            for whose, types in found.items()
        ]

    def forget(self, told: Sequence[Told]) -> None:
        """They are told, durably. MUST NOT be called before."""
        rows = [(one.hour, one.tenant) for one in told]
        self._store.write(lambda it: driver(it).executemany(_FORGET, rows).rowcount).result()
        with self._lock:
            for whose in rows:
                if whose not in self._counts:
                    self._named.pop(whose, None)


def _rest_last(one: tuple[str, str, int]) -> tuple[bool, str, str]:
    return one[:2] == (REST, REST), one[0], one[1]
