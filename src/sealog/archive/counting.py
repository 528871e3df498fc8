"""Counting what passes: how many, of which values, and when. Exact, by counting codes.

A source after the other is counted, the newest first. Events are not opened, unless a condition
can be decided by their parts alone.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo

import msgspec
import numpy as np

from sealog.archive import sources
from sealog.archive.buckets import Interval
from sealog.archive.conditions import Condition, ready
from sealog.archive.expiry import Live
from sealog.archive.search import Wanted, passing
from sealog.archive.segments import Segment
from sealog.archive.shelf import Shelf
from sealog.archive.sources import Rows, Source
from sealog.archive.tallies import Bucket, Facet, Times, ValueTally, tally_of
from sealog.archive.waiting import Trail
from sealog.errors import Corrupt
from sealog.query.tree import Query


class Counts(msgspec.Struct, frozen=True):
    """What was counted. With `looked_us` or `damaged` every number is "at least"."""

    count: int
    """How many events pass."""
    facets: dict[str, Facet] = {}
    buckets: list[Bucket] = []
    """In order, from that of the first event that passes to that of the last; empty ones too."""
    looked_us: int | None = None
    """None: all was counted. Else time was up, and only what happened at this time or later was
    counted for certain."""
    damaged: tuple[str, ...] = ()
    """What is wrong with segments that could not be counted."""


class Counting(msgspec.Struct, frozen=True):
    """What is to be counted beside how many there are."""

    fields: Sequence[str] = ()
    top: int = 10
    interval: Interval | None = None
    zone: tzinfo = UTC
    by: str | None = None
    """The field by whose values each bucket is divided."""


def count(
    trails: Mapping[int, Trail],
    query: Query,
    wanted: Counting,
    shelf: Shelf,
    out_of_time: Callable[[], bool],
) -> Counts:
    """Count the events of several tenants (number → trail) that pass.

    `out_of_time` is asked before each source after the first. Raises `Refused` for a field that
    cannot be counted and for too many buckets.
    """
    condition = ready(query)
    values = {field: tally_of(field) for field in wanted.fields}
    times = None if wanted.interval is None else Times(wanted.interval, wanted.zone, wanted.by)
    found = 0
    looked_us: int | None = None
    damaged: list[str] = []
    for nth, (span, live) in enumerate(_spans(trails, query)):
        if nth and out_of_time():
            looked_us = span.last_us + 1
            break
        try:
            source = sources.Resting(span, shelf, live) if isinstance(span, Segment) else span
            found += _add(source, condition, values, times)
        except Corrupt as error:
            damaged.append(str(error))
    return Counts(
        found,
        {field: tally.facet(wanted.top) for field, tally in values.items()},
        [] if times is None else times.buckets(),
        looked_us,
        tuple(damaged),
    )


def _spans(
    trails: Mapping[int, Trail], query: Query
) -> list[tuple[Segment | sources.Waiting, Live | None]]:
    """What is looked at, and what of it has not expired; the newest first."""
    least, most = Wanted(query, 0).range_us
    found: list[tuple[Segment | sources.Waiting, Live | None]] = []
    for trail in trails.values():
        live = trail.live
        found += [(waiting, live) for waiting in sources.waiting(trail.chunks, live)]
        found += [
            (segment, live)
            for segment in trail.segments
            if segment.last_us >= least and segment.first_us <= most
        ]
    return sorted(found, key=lambda one: one[0].last_us, reverse=True)


def _add(
    source: Source, condition: Condition, values: Mapping[str, ValueTally], times: Times | None
) -> int:
    rows = passing(source, condition)
    number = _number(rows, source)
    if number:
        for tally in values.values():
            tally.add(source, rows)
        if times is not None:
            times.add(source, rows)
    return number


def _number(rows: Rows, source: Source) -> int:
    if isinstance(rows, bool):
        return source.count if rows else 0
    return int(np.count_nonzero(rows))
