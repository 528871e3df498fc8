"""Following with a filter: the next events that pass, in the order of the log, and how far was looked.

One call does a bounded piece of work and says where the next one begins, so that whoever follows
may be as slow as it likes and holds nothing meanwhile.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable

import msgspec

from sealog.archive import reading
from sealog.archive.reading import Hit, Indexes
from sealog.archive.segments import Segment
from sealog.archive.waiting import Chunk, Trail
from sealog.errors import Altered
from sealog.event.packs import Opened

READ_PREFIX = "sealog.read."


class Followed(msgspec.Struct, frozen=True):
    """A piece of what was followed."""

    events: list[tuple[int, Opened]]
    """Those that pass, with their indexes, in order."""
    next: int
    """Where to go on: every index before it was looked at."""


class Wanted(msgspec.Struct, frozen=True):
    """What passes, and how much of it at once."""

    matching: Callable[[Segment | Chunk], Indexes]
    """The indexes of the events that pass of a segment or a waiting chunk, ascending."""
    limit: int
    bytes_max: int
    """It ends early beyond so many bytes of events."""


def follow(
    trail: Trail, first: int, wanted: Wanted, out_of_time: Callable[[], bool] = lambda: False
) -> Followed:
    """The next events that pass, from index `first` on.

    `out_of_time` is asked between two segments; however often it says so, the next call goes on
    further along. Raises `Altered` where an event that passes does not read as written.
    """
    hits, end = _resting(trail, first, wanted, out_of_time)
    if end == trail.archived and len(hits) < wanted.limit:
        end = _waiting(trail, max(first, end), wanted, hits)
    opening = reading.open_hits(hits, bytes_max=wanted.bytes_max)
    if opening.damaged:
        raise Altered(opening.damaged[0])
    if opening.taken < len(hits):
        end = hits[opening.taken - 1].index + 1
    return Followed([(hit.index, event) for hit, event in opening.events], max(end, first))


def _resting(
    trail: Trail, first: int, wanted: Wanted, out_of_time: Callable[[], bool]
) -> tuple[list[Hit], int]:
    """Up to `limit` hits in segments, and the index after what was looked at."""
    hits: list[Hit] = []
    end = trail.archived
    # In the order of their first index: what is found before the next one's cannot be preceded by
    # anything that is not looked at yet, in whatever class it rests.
    for segment in sorted(trail.segments, key=lambda one: one.first):
        if segment.last < first:
            continue
        if segment.first >= end:
            break
        known = sum(hit.index < segment.first for hit in hits)
        if segment.first > first and (known >= wanted.limit or out_of_time()):
            end = segment.first
            break
        found = wanted.matching(segment)
        found = found[found >= first]
        if len(found) > wanted.limit:
            found = found[: wanted.limit]
            end = min(end, int(found[-1]) + 1)
        hits += [Hit(0, index, segment.tenant, segment) for index in found.tolist()]
    hits = sorted([hit for hit in hits if hit.index < end])
    if len(hits) > wanted.limit:
        del hits[wanted.limit :]
        end = hits[-1].index + 1
    return hits, end


def _waiting(trail: Trail, first: int, wanted: Wanted, hits: list[Hit]) -> int:
    """Add hits that wait, up to the limit; gives the index after what was looked at."""
    begin = max(bisect_right(trail.chunks, first, key=lambda one: one.first) - 1, 0)
    for chunk in trail.chunks[begin:]:
        for index in wanted.matching(chunk).tolist():
            if index >= first:
                hits.append(Hit(0, index, 0, chunk))
                if len(hits) == wanted.limit:
                    return int(index) + 1
    return trail.visible


def is_quiet(chunks: Iterable[Chunk]) -> bool:
    """Whether all events of the chunks only say what was read."""
    return all(alias.startswith(READ_PREFIX) for chunk in chunks for alias in chunk.columns.alias)
