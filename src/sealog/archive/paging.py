"""A page of a search, opened, and where the next one begins."""

from collections.abc import Callable, Mapping

import msgspec

from sealog.archive import reading
from sealog.archive.cursors import Position
from sealog.archive.reading import PartsOf
from sealog.archive.search import Hits
from sealog.event.packs import Opened
from sealog.event.tenants import Tenant


class Found(msgspec.Struct, frozen=True):
    """An event that a search found."""

    tenant: Tenant
    index: int
    at_us: int
    opened: Opened


class Page(msgspec.Struct, frozen=True):
    """Part of a search's answer, newest first."""

    events: list[Found]
    next_cursor: str | None = None
    """Where the next page begins; None where nothing is left."""
    looked_us: int | None = None
    """None: nothing is left out. Else time was up, and only what happened at this time or later (or
    sooner, where the oldest come first) was looked at; the cursor goes on from there."""
    damaged: tuple[str, ...] = ()
    """What is wrong with segments that could not be looked at. The rest was."""


class Paging(msgspec.Struct, frozen=True):
    """What a page depends on beside what was found."""

    tenants: Mapping[int, Tenant]
    limit: int
    """At most so many events are on it; one more was looked for."""
    bytes_max: int
    oldest_first: bool
    parts_of: PartsOf
    cursor_at: Callable[[Position], str]


def page(found: Hits, how: Paging) -> Page:
    """Open what was found, as far as it fits."""
    shown = found.hits[: how.limit]
    opening = reading.open_hits(shown, bytes_max=how.bytes_max, parts_of=how.parts_of)
    events = [
        Found(how.tenants[hit.tenant], hit.index, hit.at_us, event) for hit, event in opening.events
    ]
    last, looked_us = found.looked, None
    if opening.taken < len(found.hits):
        tail = shown[opening.taken - 1]
        last = tail.at_us, tail.index, tail.tenant
    elif last is not None:
        looked_us = last[0] + (-1 if how.oldest_first else 1)
    damaged = tuple(dict.fromkeys((*found.damaged, *opening.damaged)))
    return Page(events, None if last is None else how.cursor_at(last), looked_us, damaged)
