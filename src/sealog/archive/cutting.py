"""From waiting events to segments: sorted by retention class, full packs carried over as they are."""

from collections.abc import Iterable, Sequence
from itertools import chain

import msgspec

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

DEFAULT = "default"
STATEMENTS = "statements"
CARRIED_EVENTS_MIN = 32
"""A pack of at least so many events is not compressed again (decision 0005)."""
SEGMENT_EVENTS_MAX = 8_192
SEGMENT_BYTES_MAX = 64 << 20


class Content(msgspec.Struct):
    """What one segment will hold, in the order of the indexes."""

    columns: list[Columns] = []
    packs: list[Pack] = []


class _Pile(msgspec.Struct):
    """The small packs of one class that wait to be compressed together."""

    content: Content
    packs: list[Pack] = []
    events: int = 0
    bytes: int = 0
    """Of their content."""


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

    def arrange(self, chunks: Iterable[Chunk]) -> dict[str, Content]:
        """Retention class → what its segment holds, with absolute indexes."""
        piles: dict[str, _Pile] = {}
        for chunk in chunks:
            if STATEMENT_ENTRY in chunk.pack.kinds or len(chunk.columns) < CARRIED_EVENTS_MIN:
                self._sort(piles, chunk)
                continue
            pile = _pile(piles, DEFAULT)
            self._press(pile)
            pile.content.columns.append(chunk.columns)
            pile.content.packs.append(_absolute(chunk))
        for pile in piles.values():
            self._press(pile)
        return {kept: pile.content for kept, pile in piles.items()}

    def _sort(self, piles: dict[str, _Pile], chunk: Chunk) -> None:
        if STATEMENT_ENTRY not in chunk.pack.kinds:
            self._add(_pile(piles, DEFAULT), chunk.columns, _absolute(chunk))
            return
        events = self._unpacker.events(chunk.pack)
        for kept, wanted in ((DEFAULT, False), (STATEMENTS, True)):
            places = [n for n, one in enumerate(events) if (one.kind == STATEMENT_ENTRY) == wanted]
            if places:
                columns = chunk.columns.some(places)
                pack = self._packer.pack([events[n] for n in places], columns.index)
                self._add(_pile(piles, kept), columns, pack)

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


def _pile(piles: dict[str, _Pile], kept: str) -> _Pile:
    pile = piles.get(kept)
    if pile is None:
        pile = piles[kept] = _Pile(Content())
    return pile
