"""A tenant's events pack by pack, oldest index first, none opened: for exports.

What is walked may change on the way: events are cut, segments are merged. So the trail is taken
anew at every step, and no more of it is held than the step needs.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from sealog.archive.expiry import Live
from sealog.archive.segments import Parts, Segment
from sealog.archive.waiting import Chunk, Trail
from sealog.errors import Altered, Corrupt
from sealog.event.packs import Opened, Pack, Unpacker

CHUNKS_AT_ONCE = 64

Indexes = NDArray[np.int64]
Passing = Callable[[Segment | Chunk, Live | None], Indexes | None]
"""The indexes that are wanted of a segment, or of a chunk that waits, in order; None for all. What
has expired, as the second says, is not."""
Explained = Callable[[int, int], int]
"""How many indexes from one to below another are missing, and are explained by statements."""


class Piece(msgspec.Struct, frozen=True):
    """Some events of one pack."""

    pack: Pack
    base: int
    """The index from which the pack counts its own."""
    places: Sequence[int] | None = None
    """Which of its events, from 0, ascending, one at least; None for all."""

    @property
    def count(self) -> int:
        """How many events there are."""
        return len(self.pack.indexes if self.places is None else self.places)

    @property
    def first(self) -> int:
        """The index of the first event."""
        return self.base + self.pack.indexes[0 if self.places is None else self.places[0]]

    @property
    def last(self) -> int:
        """The index of the last event."""
        return self.base + self.pack.indexes[-1 if self.places is None else self.places[-1]]


def pieces(
    acquire: Callable[[], Trail],
    end: int,
    passing: Passing | None = None,
    first: int = 0,
    *,
    explained: Explained = lambda *_: 0,
) -> Iterator[Piece]:
    """The visible events from `first` to below `end`, in order; those that pass, or else all.

    `acquire` gives the tenant's trail as of now; `end` is at most what was visible once. Raises
    `Corrupt` where one of all is neither in a segment nor waiting, and nothing explains it: a hole
    is never hidden.
    """
    at = first
    opened: dict[tuple[str, str], _Opened] = {}
    while at < end:
        trail = acquire()
        found: Iterable[Piece]
        if at >= trail.archived:
            opened.clear()
            found, upto = _waiting(trail, at, end, passing or alive)
        else:
            found, upto = _resting(trail, at, end, (passing or alive, opened))
        missing = upto - at
        if passing is None and trail.live is not None:
            missing -= sum(map(len, trail.live.expired(at, upto)))
        # It is not held while whoever takes the pieces takes its time.
        del trail
        for piece in found:
            missing -= piece.count
            yield piece
        if passing is None and missing > 0 and missing > explained(at, upto):
            raise Corrupt(f"of the indexes {at} to {upto - 1}, {missing} are nowhere")
        at = upto


def alive(one: Segment | Chunk, live: Live | None) -> Indexes | None:
    """Everything passes that has not expired."""
    return None if live is None else live.indexes(one)


def _waiting(trail: Trail, at: int, end: int, passing: Passing) -> tuple[list[Piece], int]:
    """The pieces of some chunks, and the index after what was looked at."""
    begin = max(bisect_right(trail.chunks, at, key=_first) - 1, 0)
    found = []
    upto = at
    for chunk in trail.chunks[begin : begin + CHUNKS_AT_ONCE]:
        wanted = passing(chunk, trail.live)
        if wanted is None:
            piece = _within(chunk.pack, chunk.base, at, end)
        else:
            wanted = _between(wanted, at, end)
            piece = _some(chunk.pack, chunk.base, wanted) if len(wanted) else None
        if piece is not None:
            found.append(piece)
        upto = min(chunk.end, end)
        if upto == end:
            break
    if upto <= at:
        raise Corrupt(f"index {at} is in no segment of its tenant")
    return found, upto


def _resting(
    trail: Trail,
    at: int,
    end: int,
    how: tuple[Passing, dict[tuple[str, str], "_Opened"]],
) -> tuple[Iterator[Piece], int]:
    """The pieces up to where the first of the segments ends that come next, one of each class."""
    passing, opened = how
    following: dict[str, Segment] = {}
    for segment in trail.segments:
        if segment.last >= at:
            following.setdefault(segment.kept, segment)
    # What rests in a class beyond its next segment comes after all that is looked at here.
    upto = min([trail.archived, end, *[segment.last + 1 for segment in following.values()]])
    near = {
        (segment.kept, segment.name): segment
        for segment in following.values()
        if segment.first < upto
    }
    for name in [name for name in opened if name not in near]:
        del opened[name]
    for name, segment in near.items():
        if name not in opened:
            opened[name] = _Opened(segment, passing(segment, trail.live))
    return merged([one.pieces(at, upto) for one in opened.values()]), upto


class _Opened:
    """A segment whose files are mapped, and what is wanted of it."""

    def __init__(self, segment: Segment, wanted: Indexes | None) -> None:
        # Held, because the files go when nobody holds it.
        self._segment = segment
        self._wanted = wanted
        self._parts = None if wanted is not None and not len(wanted) else Parts(segment)

    def pieces(self, first: int, end: int) -> Iterator[Piece]:
        """Those from index `first` to below `end`, in order."""
        parts = self._parts
        if parts is None:
            return
        if self._wanted is None:
            for row in range(parts.row_of(first), parts.row_of(end - 1) + 1):
                piece = _within(parts.pack(row), 0, first, end)
                if piece is not None:
                    yield piece
            return
        wanted = _between(self._wanted, first, end)
        rows = np.maximum(np.searchsorted(parts.firsts, wanted, "right") - 1, 0)
        distinct, begins = np.unique(rows, return_index=True)
        asked = np.split(wanted, begins[1:])
        for row, some in zip(distinct.tolist(), asked, strict=False):
            try:
                yield _some(parts.pack(row), 0, some)
            except Altered as error:
                place = self._segment.parts_path
                raise Altered(f"{place} does not read as written: {error}") from error


def _within(pack: Pack, base: int, first: int, end: int) -> Piece | None:
    """What a pack holds from index `first` to below `end`."""
    begin = bisect_left(pack.indexes, first - base)
    stop = bisect_left(pack.indexes, end - base)
    if begin == 0 and stop == len(pack.indexes):
        return Piece(pack, base)
    return Piece(pack, base, range(begin, stop)) if stop > begin else None


def _some(pack: Pack, base: int, wanted: Indexes) -> Piece:
    """The events at these indexes, one at least, all of which the pack MUST hold."""
    asked = (wanted - base).tolist()
    if len(asked) == len(pack.indexes) and tuple(asked) == pack.indexes:
        return Piece(pack, base)
    places = [bisect_left(pack.indexes, one) for one in asked]
    held = [pack.indexes[place] if place < len(pack.indexes) else None for place in places]
    if held != asked:
        raise Altered("a pack does not hold the event that the columns name")
    return Piece(pack, base, places)


def _between(wanted: Indexes, first: int, end: int) -> Indexes:
    begin, stop = np.searchsorted(wanted, (first, end)).tolist()
    return wanted[begin:stop]


def merged(streams: Sequence[Iterator[Piece]]) -> Iterator[Piece]:
    """The pieces of several streams in the order of their indexes, cut where others come between."""
    heads = [(piece, stream) for stream in streams if (piece := next(stream, None)) is not None]
    while len(heads) > 1:
        heads.sort(key=lambda head: head[0].first)
        piece, stream = heads[0]
        bound = heads[1][0].first
        rest: Piece | None
        if piece.last < bound:
            rest = next(stream, None)
        else:
            piece, rest = _cut(piece, bound)
        yield piece
        if rest is None:
            del heads[0]
        else:
            heads[0] = (rest, stream)
    for piece, stream in heads:
        yield piece
        yield from stream


def _cut(piece: Piece, bound: int) -> tuple[Piece, Piece]:
    places = range(len(piece.pack.indexes)) if piece.places is None else piece.places
    indexes = piece.pack.indexes
    at = bisect_left(places, bound - piece.base, key=indexes.__getitem__)
    return (
        msgspec.structs.replace(piece, places=places[:at]),
        msgspec.structs.replace(piece, places=places[at:]),
    )


def _first(chunk: Chunk) -> int:
    return chunk.first


def batches(found: Iterable[Piece], events_max: int) -> Iterator[list[Piece]]:
    """Pieces in lists of about so many events, at least one piece each."""
    batch: list[Piece] = []
    count = 0
    for piece in found:
        if batch and count + piece.count > events_max:
            yield batch
            batch, count = [], 0
        batch.append(piece)
        count += piece.count
    if batch:
        yield batch


def opened(found: Iterable[Piece]) -> Iterator[tuple[int, Opened]]:
    """Events with their indexes, a pack in memory. Raises `Altered` where one does not open."""
    unpacker = Unpacker()
    for piece in found:
        pack, places = piece.pack, piece.places
        events = unpacker.events(pack) if places is None else unpacker.some(pack, places)
        known = pack.indexes if places is None else [pack.indexes[place] for place in places]
        yield from zip([piece.base + index for index in known], events, strict=True)
