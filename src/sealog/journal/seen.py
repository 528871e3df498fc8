"""Which ids were taken in, for at least 30 days (decision 0011).

Ids are kept by the period in which they came, 15 days each, and within it by event time: new rows stand
next to each other, and what is forgotten is a whole period, removed from its begin to its end some
rows a commit. Whether an id is known is asked of every period that may hold its time.
"""

import sqlite3
from collections.abc import Iterator, Sequence

import msgspec

PERIOD_US = 15 * 86_400 * 1_000_000
PERIODS_KEPT = 3
"""The one under way and two whole ones before it: 30 to 45 days.

A period without rows may never have been, because the clock jumped ahead: where one is missing among
them, the three newest before the one under way are kept.
"""
PRUNED_MIN = 64
"""Rows of a period that is over which a commit removes, and twice as many as it adds."""
TIME_BYTES = 5
_ASKED_AT_ONCE = 500


class Known(msgspec.Struct, frozen=True):
    """Where an id stands, and the fingerprint of what was sent under it."""

    index: int
    fingerprint: bytes


class Seen:
    """Owned by the writing thread, which alone reads and changes it."""

    def __init__(self) -> None:
        self._period = -1
        # Period → the latest event time in it, of those before the one under way.
        self._before: dict[int, bytes] = {}
        # Of those the ones that are still to be known, newest first.
        self._kept: list[int] = []

    def remember(
        self, connection: sqlite3.Connection, rows: Sequence[tuple[bytes, int, bytes]], now_us: int
    ) -> bool:
        """Add (key, index, fingerprint) rows unless some key is there already; say whether all were new.

        Where it says False some rows may stand: the caller must roll back.
        """
        period = self._begun(connection, now_us)
        if self._before and self._came_before(connection, [row[0] for row in rows]):
            return False
        before = connection.total_changes
        connection.executemany(
            'INSERT OR IGNORE INTO seen (period, key, "index", fingerprint) VALUES (?, ?, ?, ?)',
            [(period, *row) for row in rows],
        )
        return connection.total_changes - before == len(rows)

    def find(self, connection: sqlite3.Connection, key: bytes, now_us: int) -> Known | None:
        """What stands under an id at its time, whenever it came."""
        period = self._begun(connection, now_us)
        for each in (period, *self._asked(key[:TIME_BYTES])):
            row = connection.execute(
                'SELECT "index", fingerprint FROM seen WHERE period = ? AND key = ?', (each, key)
            ).fetchone()
            if row is not None:
                return Known(*row)
        return None

    def prune(self, connection: sqlite3.Connection, added: int) -> None:
        """Remove some rows of the oldest period that is kept no more, after so many were added."""
        gone = min(self._before, default=self._period)
        if gone == self._period or gone in self._kept:
            return
        count = 2 * added + PRUNED_MIN
        last = connection.execute(
            "SELECT key FROM seen WHERE period = ? ORDER BY key LIMIT 1 OFFSET ?", (gone, count - 1)
        ).fetchone()
        if last is None:
            connection.execute("DELETE FROM seen WHERE period = ?", (gone,))
            del self._before[gone]
        else:
            connection.execute("DELETE FROM seen WHERE period = ? AND key <= ?", (gone, *last))

    def _begun(self, connection: sqlite3.Connection, now_us: int) -> int:
        """The period under way; at the first question in it, what came before is looked at."""
        period = now_us // PERIOD_US
        if period > self._period:
            latest = dict(_latest(connection))
            # The clock may have been set back since.
            self._period = max(period, max(latest, default=0))
            self._before = {each: at for each, at in latest.items() if each < self._period}
            self._kept = sorted(self._before, reverse=True)[:PERIODS_KEPT]
            if self._kept[PERIODS_KEPT - 1 :] == [self._period - PERIODS_KEPT]:
                self._kept.pop()
        return self._period

    def _asked(self, time: bytes) -> Iterator[int]:
        """The earlier periods, newest first, that may hold an id of that time."""
        for period in self._kept:
            if time <= self._before[period]:
                yield period

    def _came_before(self, connection: sqlite3.Connection, keys: Sequence[bytes]) -> bool:
        for period in self._asked(min(key[:TIME_BYTES] for key in keys)):
            latest = self._before[period]
            asked = [key for key in keys if key[:TIME_BYTES] <= latest]
            for at in range(0, len(asked), _ASKED_AT_ONCE):
                some = asked[at : at + _ASKED_AT_ONCE]
                marks = ", ".join("?" * len(some))
                found = connection.execute(
                    f"SELECT 1 FROM seen WHERE period = ? AND key IN ({marks}) LIMIT 1",
                    (period, *some),
                )
                if found.fetchone() is not None:
                    return True
        return False


def _latest(connection: sqlite3.Connection) -> Iterator[tuple[int, bytes]]:
    """Every period that has rows, and the latest event time in it; a few looks, however many rows."""
    newest = "SELECT period, key FROM seen WHERE period < ? ORDER BY period DESC, key DESC LIMIT 1"
    below = 1 << 62
    while (row := connection.execute(newest, (below,)).fetchone()) is not None:
        below, key = row
        yield below, key[:TIME_BYTES]
