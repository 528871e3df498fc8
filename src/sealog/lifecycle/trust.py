"""Whether the clock may be believed: a wrong one must not delete a trail (decision 0016).

What is compared is the newest time that was trusted, and what passed since by a clock that nobody can
set. That goes on, across restarts too, as long as the machine itself was not started again; after
that it begins anew from the time that was trusted last.
"""

import threading
from collections.abc import Callable

import msgspec
from sqlalchemy import Connection, insert, select, update

from sealog.storage.store import Store
from sealog.storage.tables import installation as table

AHEAD_US = 3_600_000_000
"""A clock may be so far ahead of what it should say; beyond that it is not believed."""
FOLLOWED_US = 60_000_000
"""So much a clock may gain from one mark to the next, and be followed: clocks that differ a little
must not add up to an hour in a year."""
MARKED_EVERY_US = 300_000_000
_NAME = "clock"


class Mark(msgspec.Struct, frozen=True):
    """A time that was trusted, and what the clock that only counts said then."""

    us: int
    elapsed_us: int
    boot: str
    """Since which start of the machine that clock counts; empty where nobody knows."""


class Clocks(msgspec.Struct, frozen=True):
    """Time, as an argument."""

    us: Callable[[], int]
    """Microseconds since 1970, as the system says, rightly or wrongly."""
    elapsed_us: Callable[[], int]
    """Microseconds since the machine was started, its sleep included; nobody can set it."""
    boot: str
    """Which start of the machine this is."""


class Judgement(msgspec.Struct, frozen=True):
    """What is thought of the clock at a moment."""

    now_us: int
    expected_us: int
    """What it should say; 0 where nothing tells."""

    @property
    def is_trusted(self) -> bool:
        """Whether events may be deleted by this clock."""
        return self.now_us <= self.expected_us + AHEAD_US

    @property
    def ahead_us(self) -> int:
        """How far it is ahead of what it should say; below zero: behind."""
        return self.now_us - self.expected_us


class Trust:
    """The judge of the clock; any thread may ask. One per data folder."""

    def __init__(self, store: Store, clocks: Clocks, newest_us: Callable[[], int | None]) -> None:
        """`newest_us`: when the newest event there is was accepted; 0 where that is not known.

        It is asked where no mark was ever made; None: there is no event, and nothing to lose.
        """
        self._store = store
        self._clocks = clocks
        self._writing = threading.Lock()
        with store.reading() as connection:
            mark = _read(connection)
        if mark is None:
            found = newest_us()
            begun = clocks.us() if found is None else found
            mark = Mark(begun, clocks.elapsed_us(), clocks.boot)
        elif not _counts_on(mark, clocks):
            mark = msgspec.structs.replace(mark, elapsed_us=clocks.elapsed_us(), boot=clocks.boot)
        # Replaced, never changed: who judges waits for nobody.
        self._mark = mark
        self._marked_us: int | None = None

    def judge(self) -> Judgement:
        """What is to be thought of the clock now."""
        mark, clocks = self._mark, self._clocks
        if not mark.us:
            return Judgement(clocks.us(), 0)
        return Judgement(clocks.us(), mark.us + clocks.elapsed_us() - mark.elapsed_us)

    def mark(self, *, now: bool = False) -> None:
        """Note durably what is trusted, where that was not done for a while; or `now`."""
        with self._writing:
            elapsed_us, marked_us = self._clocks.elapsed_us(), self._marked_us
            if not now and marked_us is not None and elapsed_us - marked_us < MARKED_EVERY_US:
                return
            said = self.judge()
            at_us = said.now_us if 0 < said.ahead_us <= FOLLOWED_US else said.expected_us
            if said.expected_us:
                self._put(Mark(at_us, elapsed_us, self._clocks.boot))

    def confirm(self) -> Judgement:
        """Believe the clock as it is, durably: somebody who knows the time has said so."""
        with self._writing:
            self._put(Mark(self._clocks.us(), self._clocks.elapsed_us(), self._clocks.boot))
            return self.judge()

    def _put(self, mark: Mark) -> None:
        self._store.write(lambda connection: _write(connection, mark)).result()
        self._mark, self._marked_us = mark, mark.elapsed_us


def _counts_on(mark: Mark, clocks: Clocks) -> bool:
    """Whether the clock that only counts has counted on since the mark was made."""
    return bool(mark.boot) and mark.boot == clocks.boot and mark.elapsed_us <= clocks.elapsed_us()


def _read(connection: Connection) -> Mark | None:
    value = connection.execute(select(table.c.value).where(table.c.name == _NAME)).scalar()
    return None if value is None else msgspec.msgpack.decode(value, type=Mark)


def _write(connection: Connection, mark: Mark) -> None:
    value = msgspec.msgpack.encode(mark)
    changed = connection.execute(update(table).where(table.c.name == _NAME).values(value=value))
    if not changed.rowcount:
        connection.execute(insert(table).values(name=_NAME, value=value))
