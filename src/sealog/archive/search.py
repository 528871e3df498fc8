"""Finding events in the order of their time, without opening more than the page that is shown.

Segments and waiting events are looked at by the newest time (or the oldest) that each may still
show. It stops when the page is full and nothing left can hold anything that comes sooner.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import TypeAlias

import msgspec
import numpy as np

from sealog.archive import sources
from sealog.archive.conditions import Condition, ready
from sealog.archive.cursors import Position
from sealog.archive.reading import Hit, Indexes
from sealog.archive.segments import Segment
from sealog.archive.shelf import Shelf
from sealog.archive.sources import Places, Rows, Source, both, others
from sealog.archive.waiting import Chunk, Trail
from sealog.errors import Corrupt
from sealog.query.tree import Query

_LEAST, _MOST = -(1 << 63), (1 << 63) - 1
OutOfTime: TypeAlias = Callable[[], bool]


Sooner: TypeAlias = tuple[int, int, int]
"""A position, each number times `Wanted.way`: the greater comes sooner."""


class Hits(msgspec.Struct, frozen=True):
    """What was found, in order."""

    hits: list[Hit]
    looked: Position | None = None
    """None: nothing is left out. Else time was up, and all that comes after this was not looked at."""
    damaged: tuple[str, ...] = ()
    """What is wrong with segments that could not be looked at."""


class Wanted(msgspec.Struct, frozen=True):
    """One page of a query: up to `count` events, only those that come after `after`."""

    query: Query
    count: int
    after: Position | None = None
    oldest_first: bool = False

    @property
    def way(self) -> int:
        """1 where the newest come first, else -1."""
        return -1 if self.oldest_first else 1

    def scored(self, at_us: int, index: int, tenant: int) -> Sooner:
        """A position such that the greater comes sooner."""
        way = self.way
        return way * at_us, way * index, way * tenant

    @property
    def range_us(self) -> tuple[int, int]:
        """The least and the greatest time that may be on the page."""
        query, after = self.query, self.after
        least = _LEAST if query.from_us is None else query.from_us
        most = _MOST if query.to_us is None else query.to_us - 1
        if after is None:
            return least, most
        return (max(least, after[0]), most) if self.oldest_first else (least, min(most, after[0]))


class _Side(msgspec.Struct, frozen=True):
    """A source that is being looked at, and of which tenant it is."""

    tenant: int
    source: Source

    def nearest(self, wanted: Wanted) -> Sooner | None:
        """The soonest that is there and may be on the page, by time alone.

        One event of the far future in every segment MUST NOT have all of them looked at for every
        page, and what a search out of time was about to look at MUST be after where it began.
        """
        source = self.source
        at = source.numbers("at_us")
        rows = self.after(wanted)
        if wanted.query.from_us is not None:
            rows = both(rows, at >= wanted.query.from_us)
        if wanted.query.to_us is not None:
            rows = both(rows, at < wanted.query.to_us)
        places = sources.places(rows, source.count)
        if not len(places):
            return None
        # Rows stand by index, so that of equal times the first or last is the one.
        times = at[places]
        nth = times.argmin() if wanted.oldest_first else len(times) - 1 - times[::-1].argmax()
        place = places[nth]
        index = int(source.indexes(places[nth : nth + 1])[0])
        return wanted.scored(int(at[place]), index, self.tenant)

    def after(self, wanted: Wanted) -> Rows:
        """The rows that come after the position at which the page begins, and have not expired."""
        source = self.source
        if wanted.after is None:
            return source.live
        at_us, one, tenant = wanted.after
        if source.first_us > at_us if wanted.oldest_first else source.last_us < at_us:
            return source.live
        at, index = source.numbers("at_us"), source.numbers("index")
        rows: Rows
        if wanted.oldest_first:
            same = index > one - (self.tenant > tenant)
            rows = (at > at_us) | ((at == at_us) & same)
        else:
            same = index < one + (self.tenant < tenant)
            rows = (at < at_us) | ((at == at_us) & same)
        return both(rows, source.live)


class _Best:
    """The events of a page as far as they are known: those that come soonest."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        # What would go first stands first.
        self._heap: list[Sooner] = []
        self._holders: dict[Sooner, Chunk | Segment] = {}

    def has_no_room_at(self, position: Sooner) -> bool:
        """Whether the page is full with what comes sooner."""
        return len(self._heap) == self._wanted.count and position < self._heap[0]

    def offer(self, position: Sooner, source: Source) -> None:
        if len(self._heap) < self._wanted.count:
            heapq.heappush(self._heap, position)
        elif position > self._heap[0]:
            del self._holders[heapq.heapreplace(self._heap, position)]
        else:
            return
        self._holders[position] = source.holder_of(self._wanted.way * position[1])

    def hits(self, stopped: Sooner | None) -> list[Hit]:
        """All that is here and comes sooner than where the search stopped, in order."""
        return [
            Hit(*self._wanted.scored(*position), self._holders[position])
            for position in sorted(self._heap, reverse=True)
            if stopped is None or position > stopped
        ]


def find(trails: Mapping[int, Trail], wanted: Wanted, shelf: Shelf, out_of_time: OutOfTime) -> Hits:
    """The first events of several tenants (number → trail) that pass a query, in its order.

    `out_of_time` is asked before each source after the first and before each pack that is opened
    to decide; whatever it says, the next page begins further on than this one.
    """
    condition = ready(wanted.query)
    queue = _Queue(trails, wanted, shelf)
    best = _Best(wanted)
    damaged: list[str] = []
    stopped: Sooner | None = None
    begun = False
    while stopped is None and (top := queue.top()) is not None:
        if best.has_no_room_at(top):
            break
        if begun and out_of_time():
            stopped = top
            break
        try:
            side = queue.take()
            if side is None:
                continue
            begun = True
            stopped = _look(side, wanted, condition, best, out_of_time)
        except Corrupt as error:
            damaged.append(str(error))
        following = queue.top()
        if stopped is not None and following is not None:
            stopped = max(stopped, following)
    hits = best.hits(stopped)
    if stopped is None:
        return Hits(hits, None, tuple(damaged))
    at_us, index, tenant = wanted.scored(*stopped)
    return Hits(hits, (at_us, index, tenant + wanted.way), tuple(damaged))


class _Queue:
    """Segments and waiting events by what each may show next."""

    def __init__(self, trails: Mapping[int, Trail], wanted: Wanted, shelf: Shelf) -> None:
        self._wanted = wanted
        self._shelf = shelf
        self._spans: list[tuple[int, Segment | sources.Waiting]] = []
        self._lives = {tenant: trail.live for tenant, trail in trails.items() if trail.live}
        # The sooner the less; whether that is where something is and after where the page begins.
        self._queue: list[tuple[Sooner, int, bool]] = []
        for tenant, trail in trails.items():
            self._add(tenant, sources.waiting(trail.chunks, trail.live))
            self._add(tenant, trail.segments)
        heapq.heapify(self._queue)

    def _add(self, tenant: int, spans: Iterable[Segment | sources.Waiting]) -> None:
        # Of every segment of every tenant: nothing here is done that could wait.
        wanted = self._wanted
        least, most = wanted.range_us
        after = None if wanted.after is None else _negative(wanted.scored(*wanted.after))
        queue, known = self._queue, self._spans
        for span in spans:
            first_us, last_us = span.first_us, span.last_us
            if last_us < least or first_us > most:
                continue
            if wanted.oldest_first:
                bound = (max(first_us, least), span.first, tenant)
                is_there = first_us >= least
            else:
                bound = (-min(last_us, most), -span.last, -tenant)
                is_there = last_us <= most
            queue.append((bound, len(known), is_there and (after is None or bound > after)))
            known.append((tenant, span))

    def top(self) -> Sooner | None:
        """What nothing that is left can be sooner than."""
        return _negative(self._queue[0][0]) if self._queue else None

    def take(self) -> _Side | None:
        """The next side; None where it turned out to be later or nothing, to be asked again."""
        _, nth, is_after = heapq.heappop(self._queue)
        tenant, span = self._spans[nth]
        source = self._source(tenant, span) if isinstance(span, Segment) else span
        side = _Side(tenant, source)
        if is_after:
            return side
        nearest = side.nearest(self._wanted)
        if nearest is not None:
            heapq.heappush(self._queue, (_negative(nearest), nth, True))
        return None

    def _source(self, tenant: int, segment: Segment) -> Source:
        return sources.Resting(segment, self._shelf, self._lives.get(tenant))


def _negative(position: Sooner) -> Sooner:
    return -position[0], -position[1], -position[2]


def matching(source: Source, condition: Condition) -> Indexes:
    """The indexes of a source's events that pass, in order."""
    rows = passing(source, condition)
    return source.indexes(sources.places(rows, source.count))


def passing(source: Source, condition: Condition) -> Rows:
    """The rows of a source that pass. Where columns do not decide, all that may pass is opened."""
    live = source.live
    if live is False:
        return False
    bounds = condition.bounds(source, live)
    if bounds.sure is bounds.may:
        return both(bounds.sure, live)
    found = np.zeros(source.count, np.bool_)
    found[sources.places(both(bounds.sure, live), source.count)] = True
    unsure = sources.places(both(both(bounds.may, live), others(bounds.sure)), source.count)
    for some in _groups(source, unsure) if len(unsure) else ():
        content = source.content_of(int(source.indexes(some[:1])[0]))
        found[some] = condition.decided(source, some, content)
    return found


def _look(
    side: _Side, wanted: Wanted, condition: Condition, best: _Best, out_of_time: OutOfTime
) -> Sooner | None:
    """Offer the events of one source that pass; where time was up, what was to be looked at next."""
    source = side.source
    if source.live is False:
        return None
    bounds = condition.bounds(source, source.live)
    if not sources.anything(bounds.may):
        return None
    page = side.after(wanted)
    sure = sources.places(both(bounds.sure, page), source.count)
    _offer(side, wanted, best, sure)
    if bounds.sure is bounds.may:
        return None
    unsure = both(both(bounds.may, page), others(bounds.sure))
    places = sources.places(unsure, source.count)
    for nth, (position, some) in enumerate(_packwise(side, wanted, places)):
        if best.has_no_room_at(position):
            break
        if nth and out_of_time():
            return position
        content = source.content_of(int(source.indexes(some[:1])[0]))
        _offer(side, wanted, best, some[condition.decided(source, some, content)])
    return None


def _offer(side: _Side, wanted: Wanted, best: _Best, places: Places) -> None:
    """Offer rows that pass, the soonest first."""
    if not len(places):
        return
    at = side.source.numbers("at_us")
    chosen = _soonest(places, at, wanted)
    indexes = side.source.indexes(chosen).tolist()
    for at_us, index in zip(at[chosen].tolist(), indexes, strict=True):
        position = wanted.scored(at_us, index, side.tenant)
        if best.has_no_room_at(position):
            break
        best.offer(position, side.source)


def _packwise(side: _Side, wanted: Wanted, places: Places) -> list[tuple[Sooner, Places]]:
    """Rows by the packs that hold their events, with what nothing of each can be sooner than."""
    if not len(places):
        return []
    groups = _groups(side.source, places)
    at = side.source.numbers("at_us")
    found = []
    for some in groups:
        times = at[some]
        nth = times.argmin() if wanted.oldest_first else times.argmax()
        end = some[:1] if wanted.oldest_first else some[-1:]
        index = int(side.source.indexes(end)[0])
        found.append((wanted.scored(int(times[nth]), index, side.tenant), some))
    found.sort(key=itemgetter(0), reverse=True)
    return found


def _groups(source: Source, places: Places) -> list[Places]:
    packs = np.searchsorted(source.packs(), source.indexes(places), "right")
    return np.split(places, np.flatnonzero(np.diff(packs)) + 1)


def _soonest(places: Places, at: Indexes, wanted: Wanted) -> Places:
    """Up to `count` of the rows, in order. Rows stand by index, so that a stable sort keeps it."""
    times = at[places]
    count = wanted.count
    if len(places) > 4 * count:
        # Sorting all rows of a frequent value would cost more than finding the few.
        nth = count - 1 if wanted.oldest_first else len(places) - count
        pivot = np.partition(times, nth)[nth]
        places = places[times <= pivot if wanted.oldest_first else times >= pivot]
        times = at[places]
    order = np.argsort(times, kind="stable")
    return places[order[:count] if wanted.oldest_first else order[::-1][:count]]
