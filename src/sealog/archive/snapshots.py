"""What a query finds at one moment: counted first, given afterwards, the same events both times.

Counting notes which rows of each segment pass, a bit a row, and holds those segments: their files
stay until the last page is given, whatever is merged, cut or accepted meanwhile. What waited is
noted by index, and found again where it rests by then; the memory it took is not held.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from sealog.archive import packwise, search, sources
from sealog.archive.conditions import Condition, ready
from sealog.archive.packwise import Piece
from sealog.archive.reading import Indexes
from sealog.archive.segments import Segment
from sealog.archive.shelf import Shelf
from sealog.archive.sources import Places, Resting, Source, source_of
from sealog.archive.waiting import Chunk, Trail
from sealog.query.tree import Query

Choose: TypeAlias = Callable[[Piece], Sequence[int]]
"""Which events of a piece are wanted, by their places in its pack, ascending."""
Acquire: TypeAlias = Callable[[], Trail]
"""Gives the tenant's trail as of when it is asked."""

_NOTHING: Indexes = np.empty(0, np.int64)


class Stopped(Exception):
    """Counting was told to end before it was done."""


class How(msgspec.Struct, frozen=True):
    """What else decides what is in a snapshot, and how long taking it may last."""

    choose: Choose | None = None
    """Asked of everything that passes, pack by pack: for what no column tells."""
    stop: Callable[[], bool] = lambda: False
    """Asked between segments and between packs; True ends it with `Stopped`."""


class _Noted(NamedTuple):
    """Rows of a segment."""

    segment: Segment
    bits: NDArray[np.uint8] | None
    """A bit a row; None for all of them."""
    rows: int
    first: int
    last: int


class Snapshot:
    """Events of one tenant as they stood at one moment; see `take`."""

    def __init__(
        self, acquire: Acquire, shelf: Shelf, trail: Trail, noted: Sequence[_Noted], late: Indexes
    ) -> None:
        """`late`: the indexes of those that wait in `trail`, which is not held."""
        ends = [(one.first, one.last) for one in noted]
        if len(late):
            ends.append((int(late[0]), int(late[-1])))
        self.count = sum(one.rows for one in noted) + len(late)
        self.first = min(first for first, _ in ends) if ends else None
        """The lowest index; None where there is nothing."""
        self.last = max(last for _, last in ends) if ends else None
        self.end = trail.visible
        """The index after the last event that was visible: what came later is not looked at."""
        self._acquire = acquire
        self._shelf = shelf
        self._bits = {(one.segment.kept, one.segment.name): one.bits for one in noted}
        self._resting = Trail(
            tuple([one.segment for one in noted]), (), trail.archived, trail.archived
        )
        self._late = late

    def pieces(self) -> Iterator[Piece]:
        """All of them in the order of their indexes, pack by pack, none opened.

        Raises `Corrupt` where one that was counted cannot be given.
        """
        trail = self._resting
        if trail.segments:
            yield from packwise.pieces(lambda: trail, trail.archived, self._held)
        if len(self._late):
            begin, end = int(self._late[0]), int(self._late[-1]) + 1
            yield from packwise.pieces(self._acquire, end, self._among, begin)

    def _held(self, one: Segment | Chunk, _: object) -> Indexes | None:
        assert isinstance(one, Segment)
        bits = self._bits[one.kept, one.name]
        if bits is None:
            return None
        places = np.flatnonzero(np.unpackbits(bits, count=one.count))
        return Resting(one, self._shelf).indexes(places)

    def _among(self, one: Segment | Chunk, _: object) -> Indexes:
        """What waited, as far as it is here now."""
        source = source_of(one, self._shelf)
        some = _between(self._late, source.first, source.last + 1)
        if not len(some) or _is_gapless(source):
            return some
        return some[np.isin(some, source.numbers("index"))]


def take(acquire: Acquire, query: Query, shelf: Shelf, how: How | None = None) -> Snapshot:
    """Everything that passes now.

    Raises `Stopped`, and kinds of `Corrupt`: what cannot be counted is not left out silently.
    """
    how = how or How()
    trail = acquire()
    condition = ready(query)
    least, most = search.Wanted(query, 0).range_us
    noted = []
    for segment in trail.segments:
        if segment.last_us >= least and segment.first_us <= most:
            source = Resting(segment, shelf, trail.live)
            places = _passing(source, condition, how)
            if len(places) and how.choose is not None:
                alone = Trail((segment,), (), segment.last + 1, segment.last + 1)
                places = _places_of(source, _chosen(alone, source.indexes(places), how))
            if len(places):
                noted.append(_note(segment, source, places))
    late = _waiting(trail, condition, how)
    return Snapshot(acquire, shelf, trail, noted, late)


def _note(segment: Segment, source: Source, places: Places) -> _Noted:
    first, last = source.indexes(places[[0, -1]]).tolist()
    if len(places) == segment.count:
        return _Noted(segment, None, segment.count, first, last)
    rows = np.zeros(segment.count, np.bool_)
    rows[places] = True
    return _Noted(segment, np.packbits(rows), len(places), first, last)


def _waiting(trail: Trail, condition: Condition, how: How) -> Indexes:
    found = [
        source.indexes(_passing(source, condition, how))
        for source in sources.waiting(trail.chunks, trail.live)
    ]
    indexes = np.concatenate(found) if found else _NOTHING
    if how.choose is None or not len(indexes):
        return indexes
    return _chosen(Trail((), trail.chunks, trail.archived, trail.visible), indexes, how)


def _passing(source: Source, condition: Condition, how: How) -> Places:
    if how.stop():
        raise Stopped
    return sources.places(search.passing(source, condition), source.count)


def _chosen(trail: Trail, indexes: Indexes, how: How) -> Indexes:
    """Those that are chosen of the events at some indexes, one at least, all of one trail."""
    assert how.choose is not None
    found = array("q")

    def passing(one: Segment | Chunk, _: object) -> Indexes:
        return _between(indexes, one.first, one.last + 1 if isinstance(one, Segment) else one.end)

    for piece in packwise.pieces(lambda: trail, int(indexes[-1]) + 1, passing, int(indexes[0])):
        if how.stop():
            raise Stopped
        base, known = piece.base, piece.pack.indexes
        found.extend([base + known[place] for place in how.choose(piece)])
    return np.array(found, np.int64)


def _places_of(source: Source, indexes: Indexes) -> Places:
    """Of events that are all there."""
    if _is_gapless(source):
        return indexes - source.first
    places: Places = np.searchsorted(source.numbers("index"), indexes)
    return places


def _between(indexes: Indexes, first: int, end: int) -> Indexes:
    begin, stop = np.searchsorted(indexes, (first, end)).tolist()
    return indexes[begin:stop]


def _is_gapless(source: Source) -> bool:
    return source.last - source.first == source.count - 1
