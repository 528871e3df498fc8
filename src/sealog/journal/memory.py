"""The memory of ids: whether a tenant has seen an id, and with which content.

Two memories answer. The table `ids` is keyed by event time and id, for as long as ids are kept: the
same id at the same time is always known. The newest million ids, whatever their time, are held
in memory as 8-byte hashes and survive restarts in `recent_ids`: the same id with another time is
known at least among those.
"""

import sqlite3
from collections import deque
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from sealog.event.ids import ID_KEY_BYTES

RECENT_MAX = 1_000_000
RUN_MAX = 65_536

Hashes = NDArray[np.uint64]


class Known(msgspec.Struct, frozen=True):
    """Where an id stands, and the fingerprint of what was sent under it."""

    index: int
    fingerprint: bytes


class Memory:
    """Owned by the writing thread, which alone reads and changes it."""

    def __init__(self, recent_max: int = RECENT_MAX) -> None:
        self._recent_max = recent_max
        self._newest: set[int] = set()
        self._runs: deque[Hashes] = deque()
        self._rows: deque[tuple[int, int]] = deque()
        self._held = 0

    def load(self, connection: sqlite3.Connection) -> None:
        """Read the newest ids back, once, at start."""
        for seq, hashes in connection.execute("SELECT seq, hashes FROM recent_ids ORDER BY seq"):
            self._keep(seq, np.frombuffer(hashes, np.uint64))

    def all_new(self, hashes: Hashes) -> bool:
        """Whether none of these is among the newest ids, and none stands here twice."""
        values = hashes.tolist()
        if len(set(values)) != len(values) or not self._newest.isdisjoint(values):
            return False
        for run in self._runs:
            places = np.searchsorted(run, hashes)
            places[places == len(run)] = 0
            if bool((run[places] == hashes).any()):
                return False
        return True

    def is_recent(self, key: bytes) -> bool:
        """Whether the newest ids hold this one, at whatever time."""
        return not self.all_new(hashes_of([key]))

    def remember(
        self,
        connection: sqlite3.Connection,
        rows: Sequence[tuple[bytes, int, bytes]],
    ) -> bool:
        """Add (key, index, fingerprint) rows unless some key is there already; say whether all were new.

        Where it says False some rows may stand: the caller must roll back.
        """
        before = connection.total_changes
        connection.executemany(
            'INSERT OR IGNORE INTO ids (key, "index", fingerprint) VALUES (?, ?, ?)', rows
        )
        return connection.total_changes - before == len(rows)

    def find(self, connection: sqlite3.Connection, key: bytes) -> Known | None:
        """What stands under an id at its time."""
        row = connection.execute(
            'SELECT "index", fingerprint FROM ids WHERE key = ?', (key,)
        ).fetchone()
        return None if row is None else Known(*row)

    def note(self, connection: sqlite3.Connection, seq: int, hashes: Hashes) -> None:
        """Add the ids of one commit to the newest, durably; `settle` follows after the commit."""
        connection.execute(
            "INSERT INTO recent_ids (seq, hashes) VALUES (?, ?)", (seq, hashes.tobytes())
        )
        held = self._held + len(hashes)
        for row_seq, count in self._rows:
            if held - count < self._recent_max:
                break
            connection.execute("DELETE FROM recent_ids WHERE seq = ?", (row_seq,))
            held -= count

    def settle(self, seq: int, hashes: Hashes) -> None:
        """Take over what `note` wrote, once it is committed."""
        self._keep(seq, hashes)

    def _keep(self, seq: int, hashes: Hashes) -> None:
        self._rows.append((seq, len(hashes)))
        self._held += len(hashes)
        while self._rows and self._held - self._rows[0][1] >= self._recent_max:
            self._held -= self._rows.popleft()[1]
        self._newest.update(hashes.tolist())
        if len(self._newest) < RUN_MAX:
            return
        run = np.fromiter(self._newest, np.uint64, len(self._newest))
        run.sort()
        self._newest = set()
        self._runs.append(run)
        # One run more than the million: what is forgotten is always older than the newest million.
        while sum(map(len, self._runs)) - len(self._runs[0]) > self._recent_max:
            self._runs.popleft()


def hashes_of(keys: Sequence[bytes]) -> Hashes:
    """The 8 bytes of each id key's hash part by which the newest ids are held."""
    table = np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), ID_KEY_BYTES)
    return np.ascontiguousarray(table[:, 8:16]).view(np.uint64).ravel()
