"""How a range that is too long for one answer is divided: ranges of whole seconds that each fit.

Counting by time is done in steps: pieces of the range, and only of those that hold too much alone
smaller ones again, down to a second.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import msgspec

from sealog.compat.easysend_asking import SECOND_US

PIECES = 5_000
"""Into so many a range is divided at once."""
RANGES_MAX = 1_000
"""So many are told; whoever has asked for them may ask for the rest again."""

CountBy: TypeAlias = Callable[[int, int, int], Sequence[tuple[int, int]]]
"""From, to (microseconds), and a width in seconds → where each piece begins, and how many there are."""


class Range(msgspec.Struct, frozen=True):
    """From its beginning to before its end, in microseconds; whole seconds."""

    from_us: int
    to_us: int


class Split(msgspec.Struct, frozen=True):
    """A range, divided."""

    ranges: Sequence[Range]
    """In order, without gaps; the first `RANGES_MAX`."""
    is_whole: bool
    """They are all there are."""
    fits: bool
    """Each of them holds no more than was asked for. A second cannot be divided."""


def split(whole: Range, count: CountBy, most: int) -> Split:
    """Divide a range into two or more, none with more than `most` events where that can be."""
    begin_us = whole.from_us - whole.from_us % SECOND_US
    end_us = -(-whole.to_us // SECOND_US) * SECOND_US
    whole = Range(begin_us, end_us)
    # Where all of it would fit, whoever asked was too slow for it: half is worth trying.
    total = sum(events for _, events in count(begin_us, end_us, _width_s(whole)))
    half = min(most, max(-(-total // 2), 1))
    ranges: list[Range] = []
    held = largest = 0
    for at_us, events in _seconds(whole, count, half):
        if held and held + events > half:
            ranges.append(Range(begin_us, at_us))
            begin_us, held = at_us, 0
        held += events
        largest = max(largest, held)
    ranges.append(Range(begin_us, end_us))
    return Split(ranges[:RANGES_MAX], len(ranges) <= RANGES_MAX, largest <= most)


def _seconds(whole: Range, count: CountBy, most: int) -> Iterator[tuple[int, int]]:
    """Where pieces of the range begin, and their events; none with too many that can be divided."""
    width_s = _width_s(whole)
    for at_us, events in count(whole.from_us, whole.to_us, width_s):
        begin_us = max(at_us, whole.from_us)
        end_us = min(at_us + width_s * SECOND_US, whole.to_us)
        if events > most and width_s > 1:
            yield from _seconds(Range(begin_us, end_us), count, most)
        elif events:
            yield begin_us, events


def _width_s(whole: Range) -> int:
    return max(-(-(whole.to_us - whole.from_us) // (PIECES * SECOND_US)), 1)
