"""Everything before the head of an answer leaves: the count, the first page, and whether it will end.

It blocks, and runs beside the event loop. What the first logs took decides whether the others can
be given in time; where they cannot, it tells which ranges can.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, tzinfo
from typing import Protocol

import msgspec

from sealog.archive.buckets import Interval
from sealog.archive.counting import Counts
from sealog.archive.snapshots import How, Snapshot, Stopped
from sealog.compat import easysend_pages
from sealog.compat.easysend_applications import Application
from sealog.compat.easysend_asking import Asked
from sealog.compat.easysend_pages import Lines, Written
from sealog.compat.easysend_splits import Range, Split, split
from sealog.event.tenants import Tenant
from sealog.query.tree import Query

READY_SHARE = 0.75
"""Of the time: whose count and first page take longer has no time left for the others."""
FIT_SHARE = 0.5
"""Of the time: so much a suggested range is to take by what was measured."""
HELD_BYTES_MAX = 4 << 20
"""Of a first page that is larger, so much is written before the head leaves."""
SECONDS_PER_LOG = 20e-6
"""Assumed until an answer was measured."""
MEASURED_LOGS_MIN = 100


class Archive(Protocol):
    """Where events are found; see `archive.archive.Archive`. It blocks."""

    def snapshot(self, tenant: Tenant, query: Query, how: How | None = None) -> Snapshot:
        """What passes now, counted, to be given afterwards."""
        ...

    def histogram(
        self, tenants: Sequence[Tenant], query: Query, interval: Interval, zone: tzinfo = UTC
    ) -> Counts:
        """How many events happened when."""
        ...


class Term:
    """How long one request may go on. Its threads ask too."""

    def __init__(self, clock_s: Callable[[], float], seconds_max: float) -> None:
        self._clock_s = clock_s
        begun_s = clock_s()
        self._ready_s = begun_s + seconds_max * READY_SHARE
        self._over_s = begun_s + seconds_max
        self.is_gone = False
        """Nobody waits for the answer any more."""

    def is_late(self) -> bool:
        """Whether an answer that has not begun is not to begin."""
        return self.is_gone or self._clock_s() >= self._ready_s

    def left_s(self) -> float:
        """How long it may still go on; 0 or less where its time is over."""
        return self._over_s - self._clock_s()


class Ready(msgspec.Struct, frozen=True):
    """An answer whose head can be written."""

    count: int
    ends: Sequence[int]
    """The lowest and the highest index; empty where there are no logs."""
    end: int
    """The size of the tenant's sealed log, as far as it was looked at."""
    body: Iterator[Written]
    """The first page is written already, as much of it as is held; what follows blocks."""


def nothing() -> Ready:
    """The answer where there are no logs."""
    return Ready(0, (), 0, iter([Written(0, easysend_pages.EMPTY)]))


class Preparing:
    """Prepares answers, in any thread."""

    def __init__(
        self,
        archive: Archive,
        lines: Lines,
        clock_s: Callable[[], float],
        seconds_max: float,
    ) -> None:
        """`lines` writes logs, in any thread; `clock_s`: monotonic seconds."""
        self._archive = archive
        self._lines = lines
        self._clock_s = clock_s
        self._seconds_max = seconds_max
        self._seconds_per_log = SECONDS_PER_LOG

    def prepare(self, tenant: Tenant, asked: Asked, term: Term) -> Ready | Split:
        """The answer, or where it would not end in time the ranges that do.

        Raises kinds of `Corrupt`: what is damaged is not left out silently.
        """
        choose = None if asked.application is None else Application(asked.application)
        begun_s = self._clock_s()
        try:
            found = self._archive.snapshot(tenant, asked.query, How(choose, term.is_late))
        except Stopped:
            if term.is_gone:
                return nothing()
            looked_at = 0 if choose is None else choose.looked_at
            return self._split(tenant, asked, self._clock_s() - begun_s, looked_at)
        looked_at = found.count if choose is None else choose.looked_at
        counted_s = self._clock_s()
        body = easysend_pages.written(found.pieces(), found.count, self._lines)
        held, logs = _first_page(body, found.count, term)
        per_log = (self._clock_s() - counted_s) / max(logs, 1)
        if logs >= MEASURED_LOGS_MIN:
            self._seconds_per_log = per_log
        if term.is_late() or (found.count - logs) * per_log > term.left_s():
            return self._split(tenant, asked, counted_s - begun_s, looked_at)
        ends = () if found.first is None or found.last is None else (found.first, found.last)
        return Ready(found.count, ends, found.end, _given(held, body))

    def _split(self, tenant: Tenant, asked: Asked, counting_s: float, looked_at: int) -> Split:
        """`looked_at`: so many events were counted in that time; 0 where that is not known."""
        per_event = counting_s / looked_at if looked_at else 0.0
        most = int(self._seconds_max * FIT_SHARE / (per_event + self._seconds_per_log))

        def count(from_us: int, to_us: int, width_s: int) -> list[tuple[int, int]]:
            query = msgspec.structs.replace(asked.query, from_us=from_us, to_us=to_us)
            counts = self._archive.histogram([tenant], query, width_s)
            return [(one.begin_us, one.count) for one in counts.buckets]

        return split(Range(asked.from_us, asked.to_us), count, max(most, 1))


def _given(held: deque[Written], rest: Iterator[Written]) -> Iterator[Written]:
    """What is held is let go as it is given."""
    while held:
        yield held.popleft()
    yield from rest


def _first_page(body: Iterator[Written], count: int, term: Term) -> tuple[deque[Written], int]:
    """The first page, or as much of it as is held, and how many logs that are."""
    held: deque[Written] = deque()
    logs = size = 0
    for one in body:
        held.append(one)
        logs += one.logs
        size += len(one.text)
        is_page = logs >= min(count, easysend_pages.PAGE_LOGS)
        if is_page or size >= HELD_BYTES_MAX or term.is_late():
            break
    return held, logs
