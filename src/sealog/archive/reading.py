"""Opening events: by index, by id, in order, or those a search found. Parts decide, always."""

import heapq
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

import msgspec
import numpy as np
from numpy.typing import NDArray

from sealog.archive import leaves
from sealog.archive.columns import id_of
from sealog.archive.expiry import Live
from sealog.archive.forms import id8
from sealog.archive.segments import Parts, Segment, place_in
from sealog.archive.shelf import Shelf
from sealog.archive.waiting import Chunk, Trail
from sealog.errors import Altered, Corrupt
from sealog.event.packs import Opened, Pack, Unpacker

PARTS_OPEN_MAX = 32

Indexes = NDArray[np.int64]
PartsOf = Callable[[Segment], Parts]
"""Opens the parts of a segment, or has them open."""


Check = Callable[[Trail, int, Sequence[int], int], None]
"""Gets a trail, an index, those found from it on, and below which: the others MUST be explained."""


def _whole(_: Trail, first: int, found: Sequence[int], end: int) -> None:
    if len(found) == end - first:
        return
    missing = next((n for n, index in enumerate(found, first) if n != index), first + len(found))
    raise Corrupt(f"index {missing} is in no segment of its tenant")


class Hit(msgspec.Struct, frozen=True, order=True):
    """An event that a search found: its place in the order, and where it is."""

    at_us: int
    index: int
    tenant: int
    source: Chunk | Segment | None = None


def get(trail: Trail, index: int, parts_of: PartsOf = Parts) -> Opened | None:
    """The event at an index, if it is visible and still there, and has not expired."""
    if not 0 <= index < trail.visible:
        return None
    live = trail.live
    if index >= trail.archived:
        chunk = trail.chunks[bisect_right(trail.chunks, index, key=lambda one: one.first) - 1]
        if live is not None and not live.holds(chunk, index):
            return None
        return _open(Unpacker(), chunk, chunk.pack, [index])[0]
    for segment in trail.segments:
        if segment.first <= index <= segment.last and (live is None or live.holds(segment, index)):
            parts = parts_of(segment)
            pack = parts.pack(parts.row_of(index))
            if place_in(pack, index) is not None:
                return _open(Unpacker(), segment, pack, [index])[0]
    return None


def by_id(trail: Trail, event_id: str, shelf: Shelf) -> tuple[int, Opened] | None:
    """The newest event with this id: its index and itself."""
    for index in _waiting(trail, id8(event_id)):
        found = get(trail, index)
        if found is not None and id_of(found) == event_id:
            return index, found
    number, hashed = leaves.id_key(event_id)
    for segment in sorted(trail.segments, key=lambda one: one.last, reverse=True):
        if not shelf.holding(segment, ["id"], hashed):
            continue
        rows = np.flatnonzero(shelf.numbers(segment, "id") == np.int64(number))
        if not len(rows):
            continue
        indexes = shelf.numbers(segment, "index")
        for index in indexes[rows][::-1].tolist():
            found = get(trail, index, shelf.parts)
            if found is not None and id_of(found) == event_id:
                return index, found
    return None


def _waiting(trail: Trail, short: bytes) -> Iterator[int]:
    """The indexes of waiting events with such an id, newest first."""
    for chunk in reversed(trail.chunks):
        columns = chunk.columns
        if short in columns.id:
            several = reversed(list(zip(columns.id, columns.index, strict=True)))
            yield from (index for one, index in several if one == short)


def feed(
    trail: Trail, first: int, limit: int, *, bytes_max: int, check: Check = _whole
) -> tuple[list[tuple[int, Opened]], int]:
    """Up to `limit` visible events from index `first` on, none left out; and where to go on.

    It ends early after `bytes_max` bytes. `check` raises `Corrupt` where an event that was accepted
    is neither in a segment nor waiting, and nothing explains it.
    """
    events: list[tuple[int, Opened]] = []
    end = max(trail.visible, first)
    size = 0
    # What lies beyond the page is not even opened: damage there is the next page's.
    for index, event in islice(walk(trail, first), limit):
        if size > bytes_max:
            end = events[-1][0] + 1
            break
        size += _size(event)
        events.append((index, event))
    if len(events) == limit:
        end = events[-1][0] + 1
    check(trail, first, [index for index, _ in events], end)
    return events, end


def walk(trail: Trail, first: int) -> Iterator[tuple[int, Opened]]:
    """Visible events from index `first` on in order, one pack in memory per class."""
    classes: dict[str, list[Segment]] = {}
    for segment in trail.segments:
        if segment.last >= first:
            classes.setdefault(segment.kept, []).append(segment)
    live = trail.live
    streams = [_resting(segments, first, live) for segments in classes.values()]
    yield from streams[0] if len(streams) == 1 else heapq.merge(*streams, key=_index)
    unpacker = Unpacker()
    for chunk in trail.chunks:
        if chunk.end > first:
            wanted = None if live is None else live.indexes(chunk)
            known = chunk.columns.index if wanted is None else wanted.tolist()
            indexes = [index for index in known if index >= first]
            if indexes:
                yield from zip(indexes, _open(unpacker, chunk, chunk.pack, indexes), strict=True)


def _resting(
    segments: Iterable[Segment], first: int, live: Live | None
) -> Iterator[tuple[int, Opened]]:
    unpacker = Unpacker()
    for segment in segments:
        wanted = None if live is None else live.indexes(segment)
        if wanted is None:
            parts = Parts(segment)
            for row in range(parts.row_of(first), parts.rows):
                pack = parts.pack(row, unpacker)
                indexes = [index for index in pack.indexes if index >= first]
                yield from zip(indexes, _open(unpacker, segment, pack, indexes), strict=True)
            continue
        wanted = wanted[wanted >= first]
        if len(wanted):
            parts = Parts(segment)
            for row, indexes in _by_row(parts, wanted.tolist()).items():
                events = _open(unpacker, segment, parts.pack(row, unpacker), indexes)
                yield from zip(indexes, events, strict=True)


class Opening(msgspec.Struct):
    """The opened hits of a page."""

    events: list[tuple[Hit, Opened]] = []
    taken: int = 0
    """How many hits were looked at, opened or damaged."""
    damaged: list[str] = []


def open_hits(hits: Sequence[Hit], *, bytes_max: int, parts_of: PartsOf = Parts) -> Opening:
    """Open hits in their order, until they hold more than `bytes_max` bytes; at least one.

    What does not open is named and left out.
    """
    wanted: dict[int, list[int]] = {}
    for hit in hits:
        wanted.setdefault(id(hit.source), []).append(hit.index)
    pages = _Pages(wanted, parts_of)
    opening = Opening()
    size = 0
    for hit in hits:
        try:
            event = pages.event(hit)
        except Corrupt as error:
            opening.damaged.append(str(error))
        else:
            size += _size(event)
            if opening.events and size > bytes_max:
                break
            opening.events.append((hit, event))
        opening.taken += 1
    return opening


class _Pages:
    """Opens each pack of a page once, and keeps only the events that the page shows."""

    def __init__(self, wanted: Mapping[int, list[int]], parts_of: PartsOf) -> None:
        self._parts_of = parts_of
        self._wanted = wanted
        self._unpacker = Unpacker()
        self._ready: dict[tuple[int, int], Opened] = {}
        self._parts: dict[int, Parts] = {}
        self._rows: dict[int, dict[int, list[int]]] = {}

    def event(self, hit: Hit) -> Opened:
        key = (id(hit.source), hit.index)
        if key not in self._ready:
            self._open(hit)
        return self._ready.pop(key)

    def _open(self, hit: Hit) -> None:
        source, name = hit.source, id(hit.source)
        if isinstance(source, Segment):
            parts = self._mapped(source)
            if name not in self._rows:
                self._rows[name] = _by_row(parts, self._wanted[name])
            row = parts.row_of(hit.index)
            pack, indexes = parts.pack(row, self._unpacker), self._rows[name][row]
        else:
            assert source is not None
            pack, indexes = source.pack, self._wanted[name]
        indexes = sorted(indexes)
        for index, event in zip(indexes, _open(self._unpacker, source, pack, indexes), strict=True):
            self._ready[name, index] = event

    def _mapped(self, segment: Segment) -> Parts:
        parts = self._parts.get(id(segment))
        if parts is None:
            while len(self._parts) >= PARTS_OPEN_MAX:
                del self._parts[next(iter(self._parts))]
            parts = self._parts[id(segment)] = self._parts_of(segment)
        return parts


def _open(
    unpacker: Unpacker, source: Chunk | Segment, pack: Pack, indexes: Sequence[int]
) -> list[Opened]:
    """The events of one pack at absolute indexes, ascending."""
    base = 0 if isinstance(source, Segment) else source.base
    try:
        if len(indexes) == len(pack.indexes):
            return unpacker.events(pack)
        return unpacker.some(pack, [_place(pack, index - base) for index in indexes])
    except Altered as error:
        if isinstance(source, Segment):
            raise Altered(f"{source.parts_path} does not read as written: {error}") from error
        raise


def _place(pack: Pack, index: int) -> int:
    place = place_in(pack, index)
    if place is None:
        raise Altered("a pack does not hold the event that the columns name")
    return place


def _by_row(parts: Parts, indexes: Iterable[int]) -> dict[int, list[int]]:
    rows: dict[int, list[int]] = {}
    for index in indexes:
        rows.setdefault(parts.row_of(index), []).append(index)
    return rows


def _index(found: tuple[int, Opened]) -> int:
    return found[0]


def _size(event: Opened) -> int:
    return sum([len(part) for _, _, part in event.parts])
