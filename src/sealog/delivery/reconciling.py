"""What a receiver holds against what the archive has: missing, doubled, altered.

An index is held or not, and what is held is the same or not. A statement explains what has expired,
and an event of which a part was erased since cannot be compared any more. Memory: a few bits for an
index, and the digests, which the caller brings along.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from sealog.verify import statements
from sealog.verify.indexes import IndexSet

RANGES_MAX = 1_000
UNKNOWN_MAX = 100

Ranges = list[tuple[int, int]]


class Found(msgspec.Struct, frozen=True):
    """Indexes of one kind: how many, and the first of their ranges, both ends included."""

    count: int
    ranges: Ranges
    more: int = 0
    """So many ranges are left out."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What came of comparing the indexes from `first` to `last`."""

    size: int
    """Of the log: the index after its last event."""
    first: int
    last: int
    """The last that the receiver was expected to hold; before `first` where there is none."""
    held: int
    missing: Found
    """Events that the archive has, or should have, and the receiver does not."""
    doubled: Found
    """Held more than once."""
    altered: Found
    """Held, and not as the archive has it."""
    expired: Found
    """Not held, and not there any more either: a statement says why."""
    unchecked: Found
    """Held, and since then expired or erased in part: there is nothing to compare with."""
    behind: int
    """So many are there behind `last` that were not asked for."""
    unknown: tuple[int, ...] = ()
    """Held under indexes that the log does not reach."""

    @property
    def is_complete(self) -> bool:
        """Whether the receiver holds all, unaltered, and nothing else; perhaps more than once."""
        return not (self.missing.count or self.altered.count or self.unknown)

    @property
    def holds(self) -> bool:
        """Whether the receiver holds all, once, unaltered, and nothing else."""
        return self.is_complete and not self.doubled.count


class Reconciliation:
    """First everything is taken that is held, then everything compared that is there."""

    def __init__(
        self, size: int, digests: NDArray[np.uint64], expected: IndexSet | None = None
    ) -> None:
        """`digests`: zeros, one for each index below `size`. `expected`: what a filter lets pass."""
        assert len(digests) == size
        self._size = size
        self._digests = digests
        self._expected = expected
        self._held, self._doubled, self._altered, self._there, self._explained, self._unchecked = (
            IndexSet(size) for _ in range(6)
        )
        self._unknown: set[int] = set()
        self._last = -1

    def take(self, index: int, digest: int) -> None:
        """A record that the receiver holds."""
        if index >= self._size:
            if len(self._unknown) < UNKNOWN_MAX:
                self._unknown.add(index)
            return
        if self._held.add(index):
            self._digests[index] = digest
            self._last = max(self._last, index)
            return
        self._doubled.add(index)
        if int(self._digests[index]) != digest:
            self._altered.add(index)

    def compare(self, index: int, digest: int | None) -> None:
        """An event that the archive has; without a digest one that cannot be compared."""
        self._there.add(index)
        if index not in self._held:
            return
        if digest is None:
            self._unchecked.add(index)
        elif int(self._digests[index]) != digest:
            self._altered.add(index)

    def is_held(self, index: int) -> bool:
        """Whether a digest of this one is of use."""
        return index in self._held

    def explain(self, index: int, statement: dict[str, Any]) -> None:
        """What the statement at an index says has expired, of the indexes before it."""
        for first, last in expired_by(statement):
            self._explained.add_range(first, min(last, index - 1))

    def indexes(self, first: int, last: int) -> list[int]:
        """The indexes in a span that are expected at all."""
        span = range(first, min(last, self._size - 1) + 1)
        if self._expected is None:
            return list(span)
        return [index for index in span if index in self._expected]

    def report(self, first: int = 0, last: int | None = None) -> Report:
        """What came of it. Without `last`, what is behind the last one held is not missing."""
        end = self._last if last is None else min(last, self._size - 1)
        nothing = IndexSet(self._size)
        gone = IndexSet(self._size)
        for begin, until in self._explained.beyond(self._there):
            gone.add_range(begin, until)
        for begin, until in self._held.beyond(self._there):
            self._unchecked.add_range(begin, until)
        missing = self._absent(self._held, gone)
        return Report(
            size=self._size,
            first=first,
            last=end,
            held=len(self._held),
            missing=_found(_within(missing, first, end)),
            doubled=_found(self._doubled.beyond(nothing)),
            altered=_found(self._altered.beyond(self._unchecked)),
            expired=_found(_within(gone.beyond(self._held), first, end)),
            unchecked=_found(self._unchecked.beyond(nothing)),
            behind=sum(
                until - begin + 1
                for begin, until in _within(self._absent(self._held, gone), end + 1, self._size - 1)
            ),
            unknown=tuple(sorted(self._unknown)),
        )

    def _absent(self, *sets: IndexSet) -> Iterator[tuple[int, int]]:
        """What is expected, and in none of the sets."""
        if self._expected is None:
            return sets[0].absent(*sets[1:])
        joined = IndexSet(self._size)
        for one in sets:
            for first, last in one.beyond(IndexSet(self._size)):
                joined.add_range(first, last)
        return self._expected.beyond(joined)


def expired_by(statement: dict[str, Any]) -> Ranges:
    """The ranges that a statement, as an event, says have expired; of any other event none.

    Raises `Altered` for a statement that does not read.
    """
    event, own = statement.get("event"), statement.get("sealog")
    if not isinstance(event, dict) or not isinstance(own, dict):
        return []
    if event.get("action") != statements.RETENTION or own.get("dialect") != "sealog":
        return []
    return statements.spans_of(msgspec.json.encode(own))


def text_of(ranges: Sequence[tuple[int, int]], most: int) -> str:
    """Ranges for people: `3, 7-9 and 2 more ranges`."""
    shown = ", ".join(
        [str(first) if first == last else f"{first}-{last}" for first, last in ranges[:most]]
    )
    more = len(ranges) - most
    return f"{shown} and {more} more ranges" if more > 0 else shown


def _within(ranges: Iterable[tuple[int, int]], first: int, last: int) -> Iterator[tuple[int, int]]:
    for begin, end in ranges:
        if begin <= last and end >= first:
            yield max(begin, first), min(end, last)


def _found(ranges: Iterable[tuple[int, int]]) -> Found:
    count = more = 0
    kept: Ranges = []
    for first, last in ranges:
        count += last - first + 1
        if kept and not more and kept[-1][1] + 1 == first:
            kept[-1] = kept[-1][0], last
        elif len(kept) < RANGES_MAX:
            kept.append((first, last))
        else:
            more += 1
    return Found(count, kept, more)
