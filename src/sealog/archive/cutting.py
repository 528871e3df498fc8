"""From waiting events to segments: sorted by retention class, full packs carried over as they are."""

from collections.abc import Iterable, Sequence
from itertools import chain

import msgspec

from sealog.archive.classes import FOR_EVER, STATEMENTS, Types, class_of, keep_of, window_us
from sealog.archive.columnwise import Columns
from sealog.archive.waiting import Chunk
from sealog.event.packs import (
    EVENTS_PER_PACK_MAX,
    JOINED_BYTES_MAX,
    Pack,
    Packer,
    Unpacker,
    content_bytes,
)
from sealog.event.parts import STATEMENT_ENTRY

CARRIED_EVENTS_MIN = 32
"""A pack of at least so many events is not compressed again (decision 0005)."""
SEGMENT_EVENTS_MAX = 8_192
SEGMENT_BYTES_MAX = 64 << 20


class Content(msgspec.Struct):
    """What one segment will hold, in the order of the indexes."""

    columns: list[Columns] = []
    packs: list[Pack] = []


class _Pile(msgspec.Struct):
    """What comes to rest in one class: whole segments, one being filled, and small packs for it."""

    window_us: int | None
    whole: list[Content]
    content: Content
    packs: list[Pack] = []
    events: int = 0
    bytes: int = 0
    """Of the content of `packs`, which wait to be compressed together."""
    came_us: tuple[int, int] | None = None
    """When the first and the last of what is in `content` came."""


def runs(chunks: Sequence[Chunk]) -> list[list[Chunk]]:
    """Chunks in runs that fit into one segment each; a chunk alone always does."""
    found: list[list[Chunk]] = []
    events = size = 0
    for chunk in chunks:
        events += len(chunk.columns)
        size += chunk.bytes
        if not found or events > SEGMENT_EVENTS_MAX or size > SEGMENT_BYTES_MAX:
            found.append([])
            events, size = len(chunk.columns), chunk.bytes
        found[-1].append(chunk)
    return found


class Cutter:
    """Arranges events; one per thread."""

    def __init__(self) -> None:
        self._packer = Packer()
        self._unpacker = Unpacker()

    def arrange(
        self, chunks: Iterable[Chunk], types: Types = FOR_EVER
    ) -> list[tuple[str, Content]]:
        """What each segment will hold, with its retention class and absolute indexes.

        Of a class that expires, those that came too far apart stand in segments of their own, one
        after the other.
        """
        piles: dict[str, _Pile] = {}
        for chunk in chunks:
            for kept, columns, pack in self._sorted(chunk, types):
                pile = piles.get(kept)
                if pile is None:
                    pile = piles[kept] = _Pile(window_us(keep_of(kept)), [], Content())
                if pile.window_us is None:
                    self._put(pile, columns, pack)
                    continue
                for places in within(columns.ingested_us, pile.window_us):
                    self._put_within(pile, *self._some(columns, pack, places))
        for pile in piles.values():
            self._end(pile)
        return [(kept, content) for kept, pile in piles.items() for content in pile.whole]

    def _put_within(self, pile: _Pile, columns: Columns, pack: Pack) -> None:
        """Add what came close together; to a new segment, if not close enough to what is there."""
        assert pile.window_us is not None
        came = min(columns.ingested_us), max(columns.ingested_us)
        if pile.came_us is not None:
            together = min(came[0], pile.came_us[0]), max(came[1], pile.came_us[1])
            if together[1] - together[0] > pile.window_us:
                self._end(pile)
            else:
                came = together
        pile.came_us = came
        self._put(pile, columns, pack)

    def _put(self, pile: _Pile, columns: Columns, pack: Pack) -> None:
        if len(columns) < CARRIED_EVENTS_MIN:
            self._add(pile, columns, pack)
            return
        self._press(pile)
        pile.content.columns.append(columns)
        pile.content.packs.append(pack)

    def _sorted(self, chunk: Chunk, types: Types) -> list[tuple[str, Columns, Pack]]:
        """A chunk by retention class; nearly always it is of one, and is not opened."""
        columns, pack = chunk.columns, _absolute(chunk)
        each = list(zip(columns.dialect, columns.action, columns.alias, strict=True))
        if STATEMENT_ENTRY not in pack.kinds:
            keeps = types.keeps(set(each))
            if len(keeps) == 1:
                return [(class_of(keeps.pop()), columns, pack)]
        places: dict[str, list[int]] = {}
        for place, (kind, one) in enumerate(zip(pack.kinds, each, strict=True)):
            is_statement = kind == STATEMENT_ENTRY[0]
            kept = STATEMENTS if is_statement else class_of(types.keep_s(one))
            places.setdefault(kept, []).append(place)
        return [(kept, *self._some(columns, pack, some)) for kept, some in places.items()]

    def _some(self, columns: Columns, pack: Pack, places: Sequence[int]) -> tuple[Columns, Pack]:
        """Some rows, and a pack of their events alone."""
        if len(places) == len(columns):
            return columns, pack
        some = columns.some(places)
        return some, self._packer.pack(self._unpacker.some(pack, places), some.index)

    def _end(self, pile: _Pile) -> None:
        """What is in a pile is a segment."""
        self._press(pile)
        if pile.content.columns:
            pile.whole.append(pile.content)
        pile.content, pile.came_us = Content(), None

    def _add(self, pile: _Pile, columns: Columns, pack: Pack) -> None:
        size = content_bytes(pack.lengths)
        if pile.events + len(columns) > EVENTS_PER_PACK_MAX or pile.bytes + size > JOINED_BYTES_MAX:
            self._press(pile)
        pile.content.columns.append(columns)
        pile.packs.append(pack)
        pile.events += len(columns)
        pile.bytes += size

    def _press(self, pile: _Pile) -> None:
        if len(pile.packs) > 1:
            # No event is opened for it.
            indexes = tuple(chain.from_iterable([pack.indexes for pack in pile.packs]))
            merged = self._packer.merge(pile.packs)
            pile.packs = [msgspec.structs.replace(merged, indexes=indexes)]
        pile.content.packs += pile.packs
        pile.packs, pile.events, pile.bytes = [], 0, 0


def _absolute(chunk: Chunk) -> Pack:
    """A chunk's pack with absolute indexes."""
    return msgspec.structs.replace(chunk.pack, indexes=tuple(chunk.columns.index))


def within(moments: Sequence[int], window_us: int) -> list[Sequence[int]]:
    """The places of some moments in runs, in order, of which none is longer than a window."""
    if max(moments) - min(moments) <= window_us:
        return [range(len(moments))]
    runs: list[Sequence[int]] = []
    begin, least, most = 0, moments[0], moments[0]
    for place, moment in enumerate(moments):
        least, most = min(least, moment), max(most, moment)
        if most - least > window_us:
            runs.append(range(begin, place))
            begin, least, most = place, moment, moment
    return [*runs, range(begin, len(moments))]
