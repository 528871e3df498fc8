"""Which segments are merged next: a pure function of their sizes, in the order of their indexes.

A segment's level is the logarithm of its events to base 16. New segments come at the end only, and
only neighbours are merged, so those of one class never overlap. Decision 0010 says why these rules.
"""

from collections.abc import Sequence

import msgspec

FAN_IN = 16
"""So many segments become one."""
SOURCES_MAX = 64
"""What one merge reads at most: open files and dictionaries stay bounded."""
EVENTS_MAX = 131_072
BYTES_MAX = 256 << 20
LEVELS = 4
"""Levels of segments that are not full: 1, 16, 256 and 4,096 events."""
STRETCH_MIN = 4
"""So many smaller neighbours between larger ones are merged apart from them."""
FULL_EVENTS = FAN_IN**LEVELS


class Size(msgspec.Struct, frozen=True, gc=False):
    """What counts of one segment."""

    events: int
    bytes: int
    """Of the parts file."""
    ingested_us: tuple[int, int] | None = None
    """The first and the last `event.ingested`; needed where windows are limited."""
    is_fixed: bool = False
    """It must be left alone, and nothing is merged across it."""


class Limits(msgspec.Struct, frozen=True):
    """What a merged segment may be."""

    events_max: int = EVENTS_MAX
    bytes_max: int = BYTES_MAX
    window_us: int | None = None
    """How much later than its first its last event may have been taken in; None: any."""


def level(events: int) -> int:
    """The logarithm to base 16, rounded down."""
    return (events.bit_length() - 1) // 4


def is_full(size: Size, limits: Limits) -> bool:
    """Whether a segment has more than half of what it may: it is merged no more."""
    return 2 * size.events >= limits.events_max or 2 * size.bytes >= limits.bytes_max


def next_merge(sizes: Sequence[Size], limits: Limits) -> tuple[int, int] | None:
    """The places (from, to, without the last) of the segments to merge next; None: all is well.

    Where it gives None, there are at most 15 segments a level behind the last full one, one
    between two that stand in each other's way, and the full ones themselves.
    """
    runs = _runs(sizes, limits)
    for first, end in runs:
        is_closed = end < len(sizes)
        if is_closed and end - first > 1:
            # Nothing can come between any more.
            return _room(sizes, first, end, limits)
    if not runs or runs[-1][1] < len(sizes):
        return None
    return _next_of_open(sizes, *runs[-1], limits)


def _runs(sizes: Sequence[Size], limits: Limits) -> list[tuple[int, int]]:
    """The stretches of neighbours that may be merged with each other."""
    runs: list[tuple[int, int]] = []
    first = 0
    for place, size in enumerate(sizes):
        if size.is_fixed or is_full(size, limits):
            runs.append((first, place))
            first = place + 1
        elif place > first and _is_beyond(sizes[first], size, limits):
            runs.append((first, place))
            first = place
    runs.append((first, len(sizes)))
    return [(begin, end) for begin, end in runs if end > begin]


def _is_beyond(first: Size, size: Size, limits: Limits) -> bool:
    if limits.window_us is None or first.ingested_us is None or size.ingested_us is None:
        return False
    return size.ingested_us[1] - first.ingested_us[0] > limits.window_us


def _next_of_open(
    sizes: Sequence[Size], first: int, end: int, limits: Limits
) -> tuple[int, int] | None:
    """In the stretch at whose end new segments come.

    It is looked at in ranges, each up to the last segment of the highest level left: what stands
    in a range between two of its level cannot grow any more.
    """
    levels = [level(size.events) for size in sizes[first:end]]
    begin = 0
    while begin < len(levels):
        highest = max(levels[begin:])
        stop = len(levels) - levels[::-1].index(highest)
        events = sum(size.events for size in sizes[first + begin : first + stop])
        if stop - begin >= FAN_IN or (stop - begin > 1 and events >= limits.events_max):
            inner = _stretch(levels, begin, stop, highest)
            if inner is not None:
                return _room(sizes, first + inner[0], first + inner[1], limits)
            most = stop if events >= limits.events_max else begin + FAN_IN
            return _room(sizes, first + begin, first + most, limits)
        begin = stop
    return None


def _stretch(levels: Sequence[int], begin: int, stop: int, highest: int) -> tuple[int, int] | None:
    """The longest stretch of lower levels, if it is long enough to be merged by itself.

    Without this a large segment would be written again for a few small ones beside it.
    """
    best = (begin, begin)
    at = begin
    for place in range(begin, stop):
        if levels[place] == highest:
            at = place + 1
        elif place + 1 - at > best[1] - best[0]:
            best = (at, place + 1)
    return best if best[1] - best[0] >= STRETCH_MIN else None


def _room(sizes: Sequence[Size], first: int, end: int, limits: Limits) -> tuple[int, int]:
    """As many of the segments, from the first on, as fit into one; two at least.

    Two that are not full always fit.
    """
    events = size = 0
    for place in range(first, min(end, first + SOURCES_MAX)):
        events += sizes[place].events
        size += sizes[place].bytes
        if events > limits.events_max or size > limits.bytes_max:
            return first, place
    return first, min(end, first + SOURCES_MAX)
