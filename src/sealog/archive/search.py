"""Finding events, newest first, without opening more than the page that is shown.

Waiting rows are tested one by one. Of segments, those whose time or bloom filters rule them out are
skipped; of the others one column after another is read, and codes are compared. It stops when the
page is full and no segment left can hold anything newer.
"""

import heapq
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealog.archive.queries import Filter, Position, Query, filters, row_test
from sealog.archive.reading import Hit, Indexes
from sealog.archive.segments import Segment, Shelf, Text
from sealog.archive.waiting import Trail
from sealog.errors import Corrupt

Mask = NDArray[np.bool_]


class Hits(msgspec.Struct, frozen=True):
    """What was found, newest first."""

    hits: list[Hit]
    looked_us: int | None = None
    """None: nothing is left out. Else time was up, and only what happened at this time or later
    was looked at."""
    damaged: tuple[str, ...] = ()
    """What is wrong with segments that could not be looked at."""


class Wanted(msgspec.Struct, frozen=True):
    """One page of a query: up to `count` events, only those that come after `before`."""

    query: Query
    count: int
    before: Position | None = None


def newest(
    trails: Mapping[int, Trail],
    wanted: Wanted,
    shelf: Shelf,
    out_of_time: Callable[[], bool],
) -> Hits:
    """The newest events of several tenants (number → trail) that pass a query.

    `out_of_time` is asked before each segment after the first; a search that stops early has always
    come further than where it began, so that its cursor leads on.
    """
    best = _waiting(trails, wanted)
    conditions = filters(wanted.query)
    candidates = [
        segment
        for trail in trails.values()
        for segment in trail.segments
        if _overlaps(segment, wanted)
    ]
    candidates.sort(key=lambda one: one.last_us, reverse=True)
    damaged: list[str] = []
    looked_us: int | None = None
    start_us = min(candidates[0].last_us, _newest_us(wanted)) if candidates else 0
    for segment in candidates:
        if len(best) == wanted.count and segment.last_us < best[0].at_us:
            break
        if segment.last_us < start_us and out_of_time():
            looked_us = segment.last_us + 1
            break
        try:
            found = _look(segment, wanted, conditions, shelf)
        except Corrupt as error:
            damaged.append(str(error))
            continue
        for hit in found:
            _offer(best, hit, wanted.count)
    hits = sorted(best, key=_order, reverse=True)
    if looked_us is not None:
        hits = [hit for hit in hits if hit.at_us >= looked_us]
    return Hits(hits, looked_us, tuple(damaged))


def matching(segment: Segment, query: Query, shelf: Shelf) -> Indexes:
    """The indexes of a segment's events that pass a query, in order."""
    wanted = Wanted(query, segment.count)
    if not _overlaps(segment, wanted):
        return np.empty(0, np.int64)
    mask = _mask(segment, filters(query), shelf)
    if mask is not None and not mask.any():
        return np.empty(0, np.int64)
    at, index = shelf.numbers(segment, ["at_us", "index"])
    return index[_within(segment, wanted, (at, index), mask)]


def _waiting(trails: Mapping[int, Trail], wanted: Wanted) -> list[Hit]:
    passes = row_test(wanted.query)
    best: list[Hit] = []
    for tenant, trail in trails.items():
        for chunk in trail.chunks:
            for row in chunk.rows:
                at = (row.at_us, row.index, tenant)
                if (wanted.before is None or at < wanted.before) and passes(row):
                    _offer(best, Hit(*at, chunk), wanted.count)
    return best


def _offer(best: list[Hit], hit: Hit, count: int) -> None:
    """Keep the `count` newest in a heap whose first is the oldest."""
    if len(best) < count:
        heapq.heappush(best, hit)
    elif best and best[0] < hit:
        heapq.heapreplace(best, hit)


def _order(hit: Hit) -> Position:
    return hit.at_us, hit.index, hit.tenant


def _newest_us(wanted: Wanted) -> int:
    """The newest time that may still be found."""
    ends = [np.iinfo(np.int64).max]
    if wanted.query.to_us is not None:
        ends.append(wanted.query.to_us - 1)
    if wanted.before is not None:
        ends.append(wanted.before[0])
    return min(ends)


def _overlaps(segment: Segment, wanted: Wanted) -> bool:
    from_us = wanted.query.from_us
    return segment.first_us <= _newest_us(wanted) and (
        from_us is None or segment.last_us >= from_us
    )


def _look(
    segment: Segment, wanted: Wanted, conditions: Sequence[Filter], shelf: Shelf
) -> list[Hit]:
    """The newest events of one segment that pass."""
    mask = _mask(segment, conditions, shelf)
    if mask is not None and not mask.any():
        return []
    at, index = shelf.numbers(segment, ["at_us", "index"])
    rows = _within(segment, wanted, (at, index), mask)
    at, index = at[rows], index[rows]
    chosen = np.lexsort((index, at))[-wanted.count :]
    return [
        Hit(at_us, one, segment.tenant, segment)
        for at_us, one in zip(at[chosen].tolist(), index[chosen].tolist(), strict=True)
    ]


def _mask(segment: Segment, conditions: Sequence[Filter], shelf: Shelf) -> Mask | None:
    """Which rows pass every condition; None where there is none."""
    asked = [_columns(segment, condition, shelf) for condition in conditions]
    if not all(asked):
        return np.zeros(segment.count, np.bool_)
    mask: Mask | None = None
    for condition, names in zip(conditions, asked, strict=True):
        passed = np.zeros(segment.count, np.bool_)
        for text in shelf.texts(segment, names):
            passed |= _passed(text, condition)
        mask = passed if mask is None else mask & passed
        if not mask.any():
            return mask
    return mask


def _columns(segment: Segment, condition: Filter, shelf: Shelf) -> list[str]:
    """The columns of a condition that its bloom filters do not rule out."""
    hashed = condition.hashed
    if hashed is None:
        return list(condition.columns)
    return shelf.holding(segment, condition.columns, hashed)


def _passed(text: Text, condition: Filter) -> Mask | bool:
    if condition.exact is not None:
        # The value's code is looked up once: comparing a dictionary array with text decodes it.
        code = pc.index(text.values, pa.scalar(condition.exact)).as_py()
        return False if code < 0 else text.codes == code
    passing: Mask = np.fromiter(map(condition.test, text.values.to_pylist()), np.bool_)
    return passing[text.codes] if passing.any() else False


def _within(
    segment: Segment, wanted: Wanted, columns: tuple[Indexes, Indexes], mask: Mask | None
) -> NDArray[np.intp]:
    """The rows in the query's time and after its position, of those that pass the mask."""
    at, index = columns
    within = np.ones(len(at), np.bool_) if mask is None else mask
    query = wanted.query
    if query.from_us is not None and segment.first_us < query.from_us:
        within = within & (at >= query.from_us)
    if query.to_us is not None and segment.last_us >= query.to_us:
        within = within & (at < query.to_us)
    if wanted.before is not None and segment.last_us >= wanted.before[0]:
        at_us, one, tenant = wanted.before
        same = index < one + (segment.tenant < tenant)
        within = within & ((at < at_us) | ((at == at_us) & same))
    return np.flatnonzero(within)
