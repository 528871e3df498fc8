"""From waiting events to segments: sorted by retention class, full packs carried over as they are."""

from collections.abc import Iterable, Sequence

import msgspec

from sealog.archive.columns import Row
from sealog.archive.waiting import Chunk
from sealog.event.packs import EVENTS_PER_PACK_MAX, Opened, Pack, Packer, Unpacker
from sealog.event.parts import STATEMENT_ENTRY

DEFAULT = "default"
STATEMENTS = "statements"
CARRIED_EVENTS_MIN = 32
"""A pack of at least so many events is not compressed again (decision 0005)."""
SEGMENT_EVENTS_MAX = 8_192
SEGMENT_BYTES_MAX = 64 << 20


class Content(msgspec.Struct):
    """What one segment will hold, in the order of the indexes."""

    rows: list[Row] = []
    packs: list[Pack] = []


class _Pile(msgspec.Struct):
    """The events of one class that wait to be packed together."""

    content: Content
    events: list[Opened] = []
    indexes: list[int] = []


def runs(chunks: Sequence[Chunk]) -> list[list[Chunk]]:
    """Chunks in runs that fit into one segment each; a chunk alone always does."""
    found: list[list[Chunk]] = []
    events = size = 0
    for chunk in chunks:
        events += len(chunk.rows)
        size += chunk.bytes
        if not found or events > SEGMENT_EVENTS_MAX or size > SEGMENT_BYTES_MAX:
            found.append([])
            events, size = len(chunk.rows), chunk.bytes
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
            if STATEMENT_ENTRY in chunk.pack.kinds or len(chunk.rows) < CARRIED_EVENTS_MIN:
                self._sort(piles, chunk)
                continue
            pile = _pile(piles, DEFAULT)
            self._press(pile)
            pile.content.rows.extend(chunk.rows)
            indexes = tuple([row.index for row in chunk.rows])
            pile.content.packs.append(msgspec.structs.replace(chunk.pack, indexes=indexes))
        for pile in piles.values():
            self._press(pile)
        return {kept: pile.content for kept, pile in piles.items()}

    def _sort(self, piles: dict[str, _Pile], chunk: Chunk) -> None:
        for row, event in zip(chunk.rows, self._unpacker.events(chunk.pack), strict=True):
            pile = _pile(piles, STATEMENTS if event.kind == STATEMENT_ENTRY else DEFAULT)
            pile.content.rows.append(row)
            pile.events.append(event)
            pile.indexes.append(row.index)
            if len(pile.events) == EVENTS_PER_PACK_MAX:
                self._press(pile)

    def _press(self, pile: _Pile) -> None:
        if pile.events:
            pile.content.packs.append(self._packer.pack(pile.events, pile.indexes))
            pile.events, pile.indexes = [], []


def _pile(piles: dict[str, _Pile], kept: str) -> _Pile:
    pile = piles.get(kept)
    if pile is None:
        pile = piles[kept] = _Pile(Content())
    return pile
