"""What would go, and when, under a policy that need not be in force: counted by columns."""

from collections import Counter
from collections.abc import Callable

import msgspec
import numpy as np

from sealog.archive.classes import NEVER_US, SECOND_US, STATEMENTS, Types
from sealog.archive.expiry import Expiry, Moments, moments_of
from sealog.archive.segments import Segment
from sealog.archive.sources import Rows
from sealog.archive.waiting import Chunk, Trail

HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
SOON_US = 2 * DAY_US
"""What goes within so long is counted by the hour, the rest by the day."""

_Key = tuple[int, str, str, int]


class Going(msgspec.Struct, frozen=True):
    """Events of one type that go at about the same time."""

    dialect: str
    action: str
    keep_s: int
    at_us: int
    """When the hour or day (UTC) begins in which they go; the moment that was asked about, for what
    would be gone at once."""
    count: int


def forecast(trail: Trail, types: Types, expiry: Expiry, now_us: int) -> list[Going]:
    """What of a trail would go, the first first. Raises `Corrupt`: a count leaves nothing out."""
    counts: Counter[_Key] = Counter()
    if types.shortest_us is None:
        return []
    for segment in trail.segments:
        if segment.kept != STATEMENTS:
            _add_segment(counts, segment, types, expiry, now_us)
    for chunk in trail.chunks:
        columns = chunk.columns
        each = zip(columns.dialect, columns.action, columns.alias, strict=True)
        for moment, one in zip(moments_of(chunk, types), each, strict=True):
            if moment < NEVER_US:
                at_us = int(_begins(np.array([moment]), now_us)[0])
                counts[at_us, one[0], one[1], types.keep_s(one) or 0] += 1
    return [
        Going(dialect, action, keep_s, at_us, count)
        for (at_us, dialect, action, keep_s), count in sorted(counts.items())
    ]


def _add_segment(
    counts: Counter[_Key], segment: Segment, types: Types, expiry: Expiry, now_us: int
) -> None:
    known: list[tuple[str, str, int]] = []

    def number(one: tuple[str, str, str]) -> int:
        keep_s = types.keep_s(one)
        if keep_s is None:
            return -1
        known.append((one[0], one[1], keep_s))
        return len(known) - 1

    numbers = expiry.by_type(segment, number)
    moments = expiry.moments(segment, types, is_sorted=False)
    for nth, (dialect, action, keep_s) in enumerate(known):
        begins, several = np.unique(_begins(moments[numbers == nth], now_us), return_counts=True)
        for at_us, count in zip(begins.tolist(), several.tolist(), strict=True):
            counts[at_us, dialect, action, keep_s] += count


def _begins(moments: Moments, now_us: int) -> Moments:
    """The begin of the hour or day of each moment; what is over goes now."""
    width = np.where(moments < now_us + SOON_US, HOUR_US, DAY_US)
    begins: Moments = np.maximum(moments - moments % width, now_us)
    return begins


def first_expiry_us(
    trail: Trail,
    end: int,
    passing: Callable[[Segment | Chunk], Rows],
    expiry: Expiry,
    types: Types,
) -> int | None:
    """When the first of the events below an index that pass expires; None: none ever does."""
    least = NEVER_US
    several: list[Segment | Chunk] = [*trail.segments, *trail.chunks]
    for one in several:
        if one.first >= end or (isinstance(one, Segment) and one.kept == STATEMENTS):
            continue
        if isinstance(one, Segment):
            earliest, _ = expiry.span_us(one, types, is_sorted=False)
            if earliest >= least:
                continue
            moments = expiry.moments(one, types, is_sorted=False)
            indexes = expiry.shelf.numbers(one, "index")
        else:
            moments = np.array(moments_of(one, types), np.int64)
            indexes = np.array(one.columns.index, np.int64)
        rows = passing(one)
        if rows is not False:
            some = moments[(indexes < end) & rows]
            least = min(least, int(some.min(initial=NEVER_US)))
    return None if least == NEVER_US else least
