"""What has expired goes: first a statement is sealed, then the list, then the files.

Whole segments go, because a segment of what expires holds what came close together. Only where a
statement and the segments do not fit any more (they were merged between the two, or the policy was
changed) is a segment written anew without some of its events. If we die before the transaction, what
was written is deleted at the next start, and the next run does it again; after it, the old files are.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from sealog.archive import holes as noting
from sealog.archive.classes import SECOND_US, STATEMENTS, grace_us, keep_of
from sealog.archive.expiry import Expiry
from sealog.archive.holes import Holes
from sealog.archive.joining import Unsound
from sealog.archive.merging import Merger
from sealog.archive.segments import Parts, Segment
from sealog.archive.splitting import Share, split
from sealog.archive.waiting import Trail, Waiting
from sealog.errors import Altered, Corrupt
from sealog.storage.store import driver

RANGES_MAX = 8_192
SPAN_MAX = 1 << 20
"""A statement holds so many ranges, or all within so many indexes as bits."""

KEPT_US = 172_800 * SECOND_US
"""For how long files stay that are dropped is taken from this, where no policy says for how long."""

Indexes: TypeAlias = NDArray[np.int64]
Range = tuple[int, int]
_Left: TypeAlias = tuple[Segment, NDArray[np.intp]]


class Due(msgspec.Struct, frozen=True):
    """What may be dropped; it fits into one statement."""

    ranges: tuple[Range, ...]
    """First and last index of each, ascending, apart from each other."""
    count: int
    first_ingested_us: int
    last_ingested_us: int
    kept: tuple[str, ...]
    """The retention classes."""


class Dropped(msgspec.Struct, frozen=True):
    """What went."""

    segments: int = 0
    """Those that are no more, or were written anew."""
    events: int = 0
    bytes: int = 0


class Dropper:
    """Finds what is due, and drops it; one call at a time for a tenant."""

    def __init__(
        self,
        waiting: Waiting,
        expiry: Expiry,
        holes: Holes,
        merger: Merger,
        cut: Callable[[list[int]], None],
    ) -> None:
        """`cut`: brings to rest what waits of some tenants."""
        self._waiting = waiting
        self._expiry = expiry
        self._holes = holes
        self._merger = merger
        self._cut = cut
        self.noted: dict[int, int] = {}
        """Tenants whose segments nobody has asked for yet → when the first of them is due."""

    def offer(self, tenant: int, segments: Sequence[Segment]) -> None:
        """A tenant has these segments: note when something of it is due."""
        types = self._expiry.types(tenant)
        if types.shortest_us is not None and segments:
            is_sorted = self._expiry.is_sorted(tenant, types)
            over = [self._expiry.over_us(one, types, is_sorted=is_sorted) for one in segments]
            self.noted[tenant] = min(over)

    def tenants(self, now_us: int) -> list[int]:
        """The tenants of which something is due; nobody's list of segments is read for it."""
        listed = self._waiting.listed()
        found = [tenant for tenant, trail in listed.items() if self._is_due(tenant, trail, now_us)]
        for tenant, due_us in list(self.noted.items()):
            if tenant in listed:
                self.noted.pop(tenant, None)
            elif due_us <= now_us:
                found.append(tenant)
        for tenant, since_us in self._waiting.since_us().items():
            # After a start nobody may have asked for the segments of who waits.
            shortest_us = self._expiry.types(tenant).shortest_us
            if shortest_us is not None and since_us + shortest_us <= now_us:
                found.append(tenant)
        return sorted(set(found))

    def _is_due(self, tenant: int, trail: Trail, now_us: int) -> bool:
        types = self._expiry.types(tenant)
        if types.shortest_us is None:
            return False
        if trail.since_us + types.shortest_us <= now_us:
            return True
        is_sorted = self._expiry.is_sorted(tenant, types)
        if is_sorted and trail.due_us > now_us:
            return False
        over = self._expiry.over_us
        return any(over(one, types, is_sorted=is_sorted) <= now_us for one in trail.segments)

    def due(self, tenant: int, now_us: int) -> Iterator[Due]:
        """What of a tenant may be dropped now, oldest index first."""
        types = self._expiry.types(tenant)
        if types.shortest_us is None:
            return
        trail = self._waiting.of(tenant)
        live = self._expiry.alive(tenant, trail, now_us).live
        if live is not None and trail.chunks and live.of_chunks(trail.chunks) is not True:
            self._cut([tenant])
            trail = self._waiting.of(tenant)
        is_sorted = self._expiry.is_sorted(tenant, types)
        found = []
        for segment in trail.segments:
            if self._expiry.over_us(segment, types, is_sorted=is_sorted) <= now_us:
                indexes = self._indexes(segment, trail)
                if indexes is not None:
                    found.append((segment, indexes))
        if found:
            yield from _dues(found)

    def drop(self, tenant: int, statement: int, ranges: Sequence[Range]) -> Dropped:
        """Let go of all events in some ranges, which a statement explains that is durable.

        Again, it does nothing. Raises `Corrupt`, and changes nothing, where a segment that holds
        others too is damaged.
        """
        assert ranges
        assert statement > ranges[-1][1]
        trail = self._waiting.of(tenant)
        if trail.archived <= ranges[-1][1] and trail.chunks:
            self._cut([tenant])
        with self._merger.turn:
            whole, partly = self._touched(tenant, np.array(ranges, np.int64))
            fresh = _without(partly)
            gone = [*whole, *[segment for segment, _ in partly]]
            keeps = [keep for one in gone if (keep := keep_of(one.kept)) is not None]
            shortest_us = self._expiry.types(tenant).shortest_us or KEPT_US
            keep_s = min([*keeps, shortest_us // SECOND_US])

            def note(connection: Connection) -> None:
                noting.note(driver(connection), tenant, statement, ranges)

            self._merger.replace(tenant, gone, fresh, most_s=grace_us(keep_s) / SECOND_US, too=note)
        self._merger.consider([tenant])
        return Dropped(
            len(gone),
            sum(one.count for one in gone) - sum(one.count for one in fresh),
            sum(map(_bytes, gone)) - sum(map(_bytes, fresh)),
        )

    def _indexes(self, segment: Segment, trail: Trail) -> Indexes | None:
        """A segment's indexes; None where nothing tells.

        What is damaged goes too: where neither of its files reads, it holds what is nowhere else.
        """
        found = self._read(segment)
        if found is not None:
            return found
        left = np.ones(segment.last + 1 - segment.first, np.bool_)
        for one in trail.segments:
            if one is not segment and one.first <= segment.last and one.last >= segment.first:
                some = self._read(one)
                if some is not None:
                    left[some[(some >= segment.first) & (some <= segment.last)] - segment.first] = (
                        False
                    )
        left &= ~self._holes.explaining(segment.tenant, segment.first, segment.last + 1)
        indexes = segment.first + np.flatnonzero(left)
        return indexes if len(indexes) == segment.count else None

    def _read(self, segment: Segment) -> Indexes | None:
        with suppress(Corrupt):
            return self._expiry.shelf.numbers(segment, "index")
        with suppress(Corrupt):
            return Parts(segment).indexes()
        return None

    def _touched(self, tenant: int, spans: Indexes) -> tuple[list[Segment], list[_Left]]:
        """Segments that go whole; and others, with the places of what is left of them."""
        whole: list[Segment] = []
        partly: list[_Left] = []
        trail = self._waiting.of(tenant)
        for segment in trail.segments:
            begin = int(np.searchsorted(spans[:, 1], segment.first))
            end = int(np.searchsorted(spans[:, 0], segment.last, "right"))
            if segment.kept == STATEMENTS or begin == end:
                continue
            if spans[begin, 0] <= segment.first and segment.last <= spans[begin, 1]:
                whole.append(segment)
                continue
            indexes = self._indexes(segment, trail)
            if indexes is None:
                raise Altered(f"nothing tells which events {segment.parts_path} holds")
            nth = np.minimum(np.searchsorted(spans[:, 1], indexes), len(spans) - 1)
            inside = (spans[nth, 0] <= indexes) & (indexes <= spans[nth, 1])
            if inside.all():
                whole.append(segment)
            elif inside.any():
                partly.append((segment, np.flatnonzero(~inside)))
        return whole, partly


def _without(partly: Sequence[_Left]) -> list[Segment]:
    """Write segments anew with what is left of them; no file is left where it raises."""
    fresh: list[Segment] = []
    try:
        for segment, places in partly:
            share = [Share(segment.kept, places)]
            fresh += split(segment, share, segment.folder.parent.joinpath, lambda: None)
    except BaseException as error:
        for one in fresh:
            one.columns_path.unlink(missing_ok=True)
            one.parts_path.unlink(missing_ok=True)
        if isinstance(error, Unsound):
            raise error.error from error
        raise
    return fresh


def _dues(found: Sequence[tuple[Segment, Indexes]]) -> Iterator[Due]:
    spans = _joined([_runs(indexes) for _, indexes in found])
    begin = 0
    while begin < len(spans):
        within = int(np.searchsorted(spans[:, 1], spans[begin, 0] + SPAN_MAX))
        end = max(min(begin + RANGES_MAX, len(spans)), within)
        some = spans[begin:end]
        of = [one for one, _ in found if one.last >= some[0, 0] and one.first <= some[-1, 1]]
        yield Due(
            tuple((first, last) for first, last in some.tolist()),
            int((some[:, 1] - some[:, 0] + 1).sum()),
            min(one.first_ingested_us or 0 for one in of),
            max(one.last_ingested_us or 0 for one in of),
            tuple(sorted({one.kept for one in of})),
        )
        begin = end


def _runs(indexes: Indexes) -> Indexes:
    """Ascending indexes as first and last of each run, a row each."""
    breaks = np.flatnonzero(np.diff(indexes) != 1)
    firsts = np.concatenate([indexes[:1], indexes[breaks + 1]])
    lasts = np.concatenate([indexes[breaks], indexes[-1:]])
    return np.stack([firsts, lasts], axis=1)


def _joined(several: Sequence[Indexes]) -> Indexes:
    """Runs of segments that have no index in common, those that touch as one."""
    every = np.concatenate(several)
    every = every[np.argsort(every[:, 0])]
    breaks = np.flatnonzero(every[1:, 0] != every[:-1, 1] + 1)
    firsts = np.concatenate([every[:1, 0], every[breaks + 1, 0]])
    lasts = np.concatenate([every[breaks, 1], every[-1:, 1]])
    return np.stack([firsts, lasts], axis=1)


def _bytes(segment: Segment) -> int:
    return segment.columns_bytes + segment.parts_bytes
