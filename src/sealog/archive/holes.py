"""Indexes that no segment holds any more, and what explains each of them.

A hole is explained where a statement says that its event has expired (the table `expired`), or where
the event is still there, but has expired. Whatever else is missing is a loss, and is raised.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from sealog.archive.shelf import Kept
from sealog.archive.waiting import Trail
from sealog.errors import Altered, Corrupt, Gone
from sealog.storage.store import Store, driver
from sealog.storage.tables import row_digest

KEPT_BYTES_MAX = 32 << 20
AT_ONCE = 1 << 20
"""So many indexes are looked at together: a byte each."""

Ranges = Sequence[tuple[int, int]]
"""First and last index of each, ascending, apart from each other."""
Spans = NDArray[np.int64]
"""The same, a row each."""

_COLUMNS = "tenant, statement, first, last, count, indexes"
_FIND = (
    f"SELECT {_COLUMNS}, digest FROM expired"
    " WHERE tenant = ? AND statement > ? AND first < ? AND last >= ? ORDER BY statement"
)
_numbers = msgspec.msgpack.Decoder(list[int])


class Explained(msgspec.Struct, frozen=True):
    """A statement, and what it explains."""

    statement: int
    """Its index."""
    first: int
    last: int
    count: int


def note(connection: sqlite3.Connection, tenant: int, statement: int, ranges: Ranges) -> None:
    """Note what a statement explains; the same again changes nothing. Runs inside a transaction."""
    count = sum(last - first + 1 for first, last in ranges)
    values = tenant, statement, ranges[0][0], ranges[-1][1], count, pack(ranges)
    connection.execute(
        f"INSERT OR IGNORE INTO expired ({_COLUMNS}, digest) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*values, row_digest("expired", *values)),
    )


def pack(ranges: Ranges) -> bytes:
    """Ranges as they stand in a row: the first index, how many, the gap's width, how many, and so on."""
    found: list[int] = []
    at = 0
    for first, last in ranges:
        found += (first - at, last - first + 1)
        at = last + 1
    return msgspec.msgpack.encode(found)


def unpack(packed: bytes) -> Spans:
    """The ranges in a row. Raises `Altered` for anything else."""
    try:
        numbers = np.array(_numbers.decode(packed), np.int64)
    except (msgspec.MsgspecError, OverflowError) as error:
        raise Altered(f"what a statement explains does not read: {error}") from error
    if not len(numbers) or len(numbers) % 2 or (numbers < 0).any():
        raise Altered("what a statement explains does not read")
    ends = np.cumsum(numbers)
    return np.stack([ends[0::2], ends[1::2] - 1], axis=1)


class Holes:
    """Asked by readers that find indexes missing; shared by threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept = Kept(KEPT_BYTES_MAX)

    def explained(self, tenant: int, first: int, end: int) -> list[Explained]:
        """The statements that explain any index from `first` to below `end`, by their first."""
        found = [
            Explained(statement, int(spans[0][0]), int(spans[-1][1]), int(_count(spans)))
            for statement, spans in self._spans(tenant, first, end)
            if len(_within(spans, first, end))
        ]
        return sorted(found, key=lambda one: (one.first, one.statement))

    def statement_of(self, tenant: int, index: int) -> int | None:
        """The index of the statement that explains why an index is missing."""
        for statement, spans in self._spans(tenant, index, index + 1):
            if len(_within(spans, index, index + 1)):
                return statement
        return None

    def refuse_gone(self, tenant: int, trail: Trail, index: int) -> None:
        """Raise `Gone` where the event at an index has expired, naming the statement if there is one."""
        statement = self.statement_of(tenant, index)
        if statement is not None:
            what = f"the event at index {index} has expired: see the statement at index {statement}"
            raise Gone(what, code="expired")
        if trail.live is not None and any(map(len, trail.live.expired(index, index + 1))):
            raise Gone(f"the event at index {index} has expired", code="expired")

    def check(self, tenant: int, trail: Trail, first: int, found: Sequence[int], end: int) -> None:
        """Raise `Corrupt` unless each index from `first` to below `end` is found or explained.

        `trail`: what was looked at; `found`: ascending.
        """
        if len(found) == end - first:
            return
        known = np.array(found, np.int64)
        for begin in range(first, end, AT_ONCE):
            stop = min(begin + AT_ONCE, end)
            there = self.explaining(tenant, begin, stop)
            for indexes in () if trail.live is None else trail.live.expired(begin, stop):
                there[indexes - begin] = True
            some = known[slice(*np.searchsorted(known, (begin, stop)).tolist())]
            there[some - begin] = True
            if not there.all():
                missing = begin + int(there.argmin())
                raise Corrupt(f"index {missing} is in no segment of its tenant")

    def count(self, tenant: int, first: int, end: int) -> int:
        """How many of the indexes from `first` to below `end` statements explain."""
        found = 0
        for begin in range(first, end, AT_ONCE):
            found += int(
                np.count_nonzero(self.explaining(tenant, begin, min(begin + AT_ONCE, end)))
            )
        return found

    def explaining(self, tenant: int, first: int, end: int) -> NDArray[np.bool_]:
        """Of each index from `first` to below `end`, whether a statement explains that it is gone."""
        there = np.zeros(end - first, np.bool_)
        for _, spans in self._spans(tenant, first, end):
            for begin, last in (_within(spans, first, end) - first).tolist():
                there[max(begin, 0) : last + 1] = True
        return there

    def _spans(self, tenant: int, first: int, end: int) -> Iterator[tuple[int, Spans]]:
        """Statements with what they explain, of those that may explain any of these indexes."""
        # A statement speaks of what came before it.
        with self._store.reading() as connection:
            rows: Iterable[tuple[Any, ...]] = driver(connection).execute(
                _FIND, (tenant, first, end, first)
            )
            for *values, digest in rows:
                statement: int = values[1]
                spans: Spans | None = self._kept.get((tenant, statement))
                if spans is None:
                    if row_digest("expired", *values) != digest:
                        raise Altered(f"what statement {statement} explains is altered")
                    spans = unpack(values[5])
                    self._kept.put((tenant, statement), spans, spans.nbytes)
                yield statement, spans


def _within(spans: Spans, first: int, end: int) -> Spans:
    """Those that hold any index from `first` to below `end`."""
    begin = int(np.searchsorted(spans[:, 1], first))
    stop = int(np.searchsorted(spans[:, 0], end))
    return spans[begin:stop]


def _count(spans: Spans) -> int:
    return int((spans[:, 1] - spans[:, 0] + 1).sum())
