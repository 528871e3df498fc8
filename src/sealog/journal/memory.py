"""The memory of ids: whether a tenant has seen an id, and with which content.

Two memories answer. `seen.Seen` knows ids by event time, for as long as they are kept: the same
id at the same time is always known. The newest million ids, whatever their time, are held
in memory as 8-byte hashes and survive restarts in `recent_ids`: the same id with another time is
known at least among those.
"""

import sqlite3
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sealog.event.ids import ID_KEY_BYTES

RECENT_MAX = 1_000_000
RUN_MAX = 65_536
# Rows of `recent_ids` shorter than this are put together once so many stand in a row: a million
# commits of one event must neither be a million rows nor take seconds to read back.
SMALL_ROW = 1_024
SMALL_ROWS_MAX = 128

Hashes = NDArray[np.uint64]


class Memory:
    """Owned by the writing thread, which alone reads and changes it."""

    def __init__(self, recent_max: int = RECENT_MAX) -> None:
        self._recent_max = recent_max
        self._newest: set[int] = set()
        self._runs: deque[Hashes] = deque()
        # What stands in `recent_ids`, oldest first: the row's number and how many ids it holds.
        self._rows: deque[tuple[int, int]] = deque()
        self._small: list[tuple[int, Hashes]] = []
        self._held = 0

    def load(self, connection: sqlite3.Connection) -> None:
        """Read the newest ids back, once, at start."""
        found = connection.execute("SELECT seq, hashes FROM recent_ids ORDER BY seq")
        rows = [(seq, np.frombuffer(hashes, np.uint64)) for seq, hashes in found]
        for seq, hashes in rows:
            self._rows.append((seq, len(hashes)))
            self._held += len(hashes)
            self._small = [] if len(hashes) >= SMALL_ROW else [*self._small, (seq, hashes)]
        # A million go into a set one by one in a quarter of a second.
        every = np.concatenate([np.empty(0, np.uint64), *(hashes for _, hashes in rows)])
        whole = len(every) - len(every) % RUN_MAX
        for at in range(0, whole, RUN_MAX):
            self._add_run(every[at : at + RUN_MAX])
        self._newest.update(every[whole:].tolist())

    def all_new(self, hashes: Hashes) -> bool:
        """Whether none of these is among the newest ids, and none stands here twice."""
        values = hashes.tolist()
        if len(set(values)) != len(values) or not self._newest.isdisjoint(values):
            return False
        # In their order one lies near the next in a run: a third of the time.
        ordered = np.sort(hashes)
        return not any(bool(_in_run(run, ordered).any()) for run in self._runs)

    def recent(self, hashes: Hashes) -> list[bool]:
        """Of each hash, whether the newest ids hold it, at whatever time."""
        found = np.fromiter((value in self._newest for value in hashes.tolist()), bool, len(hashes))
        for run in self._runs:
            found |= _in_run(run, hashes)
        held: list[bool] = found.tolist()
        return held

    def note(self, connection: sqlite3.Connection, seq: int, hashes: Hashes) -> None:
        """Add the ids of one commit to the newest, durably; `settle` follows after the commit.

        `seq` MUST be higher than any before. Changes nothing here: the commit may still fail.
        """
        outlived = self._outlived(len(hashes))
        if outlived:
            connection.execute("DELETE FROM recent_ids WHERE seq <= ?", (outlived[-1][0],))
        small = self._due(hashes, len(outlived))
        if small:
            connection.execute("DELETE FROM recent_ids WHERE seq >= ?", (small[0][0],))
            hashes = _together(small, hashes)
        connection.execute(
            "INSERT INTO recent_ids (seq, hashes) VALUES (?, ?)", (seq, hashes.tobytes())
        )

    def settle(self, seq: int, hashes: Hashes) -> None:
        """Take over what `note` wrote, once it is committed."""
        outlived = self._outlived(len(hashes))
        small = self._due(hashes, len(outlived))
        row = _together(small, hashes) if small else hashes
        for _ in outlived:
            self._held -= self._rows.popleft()[1]
        for _ in small:
            self._rows.pop()
        self._rows.append((seq, len(row)))
        self._held += len(hashes)
        if len(row) >= SMALL_ROW:
            self._small = []
        else:
            self._small = [] if small else self._small
            self._small.append((seq, row))
        self._newest.update(hashes.tolist())
        if len(self._newest) >= RUN_MAX:
            self._begin_run()

    def _outlived(self, count: int) -> list[tuple[int, int]]:
        """The rows that the newest ids can do without when `count` more have come."""
        held = self._held + count
        outlived = []
        for row in self._rows:
            held -= row[1]
            if held < self._recent_max:
                break
            outlived.append(row)
        return outlived

    def _due(self, hashes: Hashes, outlived: int) -> list[tuple[int, Hashes]]:
        """The rows at the end that are put together with the next one; none while they are few."""
        if len(hashes) >= SMALL_ROW or len(self._small) + 1 < SMALL_ROWS_MAX:
            return []
        return self._small[-max(0, len(self._rows) - outlived) :]

    def _begin_run(self) -> None:
        self._add_run(np.fromiter(self._newest, np.uint64, len(self._newest)))
        self._newest = set()

    def _add_run(self, hashes: Hashes) -> None:
        self._runs.append(np.sort(hashes))
        # One run more than the million: what is forgotten is always older than the newest million.
        while sum(map(len, self._runs)) - len(self._runs[0]) > self._recent_max:
            self._runs.popleft()


def hashes_of(keys: Sequence[bytes]) -> Hashes:
    """The 8 bytes of each id key's hash part by which the newest ids are held."""
    table = np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), ID_KEY_BYTES)
    return np.ascontiguousarray(table[:, 8:16]).view(np.uint64).ravel()


def _in_run(run: Hashes, hashes: Hashes) -> NDArray[np.bool_]:
    places = np.searchsorted(run, hashes)
    places[places == len(run)] = 0
    found: NDArray[np.bool_] = run[places] == hashes
    return found


def _together(small: Sequence[tuple[int, Hashes]], hashes: Hashes) -> Hashes:
    return np.concatenate([*(row for _, row in small), hashes])
