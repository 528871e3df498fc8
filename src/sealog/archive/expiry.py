"""What has expired at a moment, by the policy in force: it is shown by nothing, from that moment on.

Where a tenant's segments are sorted by its policy, the class of a segment and when its events came say
it all: nothing is read, but of the few that are expiring right now. Until then the types of a
segment's events are looked at, once. Where nothing expires, this costs next to nothing.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from sealog.archive.classes import (
    FOR_EVER,
    NEVER_US,
    STATEMENTS,
    Retaining,
    Types,
    expires_us,
    keep_us_of,
)
from sealog.archive.segments import Segment
from sealog.archive.shelf import Shelf
from sealog.archive.waiting import Chunk, Trail
from sealog.event.parts import STATEMENT_ENTRY

POLICIES_MAX = 1_024
SPANS_MAX = 65_536
_TABLE_MAX = 1 << 22
_TYPE = ("dialect", "action", "alias")
_STATEMENT = STATEMENT_ENTRY[0]

Moments = NDArray[np.int64]
Indexes = NDArray[np.int64]
Mask = NDArray[np.bool_]
Rows = Mask | bool


class Expiry:
    """Knows every tenant's policy, and which tenants are sorted by it; shared by threads."""

    def __init__(
        self,
        retention: Callable[[int], Retaining] | None,
        clock_us: Callable[[], int],
        shelf: Shelf,
    ) -> None:
        """`retention`: tenant number → its rules as they are now; None: nothing ever expires."""
        self._retention = retention
        self.now_us = clock_us
        self.shelf = shelf
        self.sorted_by: dict[int, int] = {}
        """Tenant → the version of its policy that all its segments are sorted by."""
        # Most tenants have the same rules: what was asked of them is remembered once.
        self._shared: dict[Retaining, Types] = {}
        self._types: dict[int, Types] = {}
        self._spans: dict[tuple[bytes, Types], tuple[int, int]] = {}

    def types(self, tenant: int) -> Types:
        """What a tenant's policy of this moment says."""
        if self._retention is None:
            return FOR_EVER
        rules = self._retention(tenant)
        found = self._types.get(tenant)
        if found is None or found.retention is not rules:
            found = self._shared.get(rules)
            if found is None:
                if len(self._shared) >= POLICIES_MAX:
                    self._shared = {}
                found = self._shared[rules] = Types(rules)
            self._types[tenant] = found
        return found

    def is_sorted(self, tenant: int, types: Types) -> bool:
        """Whether all of a tenant's segments stand in the classes that a policy says."""
        return types.version is None or self.sorted_by.get(tenant, -1) == types.version

    def alive(self, tenant: int, trail: Trail, now_us: int) -> Trail:
        """A trail without what has expired: it is itself where nothing has."""
        types = self.types(tenant)
        shortest_us = types.shortest_us
        if shortest_us is None:
            return trail
        nothing_waits = trail.since_us + shortest_us > now_us
        is_sorted = self.is_sorted(tenant, types)
        if nothing_waits and is_sorted and trail.due_us > now_us:
            return trail
        live = Live(self, trail, now_us, types, is_sorted=is_sorted)
        segments = [
            one for one in trail.segments if self.over_us(one, types, is_sorted=is_sorted) > now_us
        ]
        return msgspec.structs.replace(trail, segments=tuple(segments), live=live)

    def over_us(self, segment: Segment, types: Types, *, is_sorted: bool) -> int:
        """When the last of a segment's events expires, as far as it is known without reading."""
        if not is_sorted:
            if types.shortest_us is None or segment.kept == STATEMENTS:
                return NEVER_US
            return self._spans.get((segment.columns_digest, types), (0, NEVER_US))[1]
        keep_us = keep_us_of(segment.kept)
        if keep_us is None or segment.last_ingested_us is None:
            return NEVER_US
        return expires_us(segment.last_ingested_us, keep_us)

    def span_us(self, segment: Segment, types: Types, *, is_sorted: bool) -> tuple[int, int]:
        """When the first and the last of a segment's events expire. Raises `Corrupt`."""
        if segment.kept == STATEMENTS or types.shortest_us is None:
            return NEVER_US, NEVER_US
        if is_sorted:
            keep_us, came_us = keep_us_of(segment.kept), segment.first_ingested_us
            if keep_us is None or came_us is None:
                return NEVER_US, NEVER_US
            return expires_us(came_us, keep_us), self.over_us(segment, types, is_sorted=True)
        key = segment.columns_digest, types
        found = self._spans.get(key)
        if found is None:
            moments = self.moments(segment, types, is_sorted=False)
            if len(self._spans) >= SPANS_MAX:
                self._spans = {}
            found = self._spans[key] = int(moments.min()), int(moments.max())
        return found

    def moments(self, segment: Segment, types: Types, *, is_sorted: bool) -> Moments:
        """When each of a segment's events expires. Raises `Corrupt`."""
        came = self.shelf.numbers(segment, "ingested_us")
        if is_sorted:
            keep_us = keep_us_of(segment.kept) or 0
            return np.minimum(came, NEVER_US - keep_us) + keep_us
        key = segment.columns_digest, "expires", types
        found: Moments | None = self.shelf.kept.get(key)
        if found is None:
            keeps = self.by_type(segment, types.keep_us)
            found = np.minimum(came, NEVER_US - keeps) + keeps
            self.shelf.kept.put(key, found, found.nbytes)
        return found

    def by_type(self, segment: Segment, asked: Callable[[tuple[str, str, str]], int]) -> Moments:
        """Of each row of a segment what is said of its type, each type asked for once."""
        texts = self.shelf.texts(segment, _TYPE)
        dialects, actions, aliases = texts
        codes = dialects.codes.astype(np.int64)
        for text in (actions, aliases):
            codes = codes * len(text.values) + text.codes
        most = len(dialects.values) * len(actions.values) * len(aliases.values)
        distinct = _distinct(codes, most)
        said = []
        for code in distinct.tolist():
            rest, alias = divmod(code, len(aliases.values))
            dialect, action = divmod(rest, len(actions.values))
            places = (dialect, action, alias)
            one = [text.values[at].as_py() for text, at in zip(texts, places, strict=True)]
            said.append(asked((one[0], one[1], one[2])))
        return np.array(said, np.int64)[np.searchsorted(distinct, codes)]


class Live:
    """What of one tenant's trail has not expired at one moment."""

    def __init__(
        self, expiry: Expiry, whole: Trail, now_us: int, types: Types, *, is_sorted: bool
    ) -> None:
        self.whole = whole
        """The trail with everything in it."""
        self.now_us = now_us
        self._expiry = expiry
        self._types = types
        self._is_sorted = is_sorted
        # By the identity of segments, which `whole` holds.
        self._rows: dict[int, Rows] = {}

    def rows(self, one: Segment | Chunk) -> Rows:
        """The rows that have not expired. Raises `Corrupt` where a segment's columns must tell."""
        if isinstance(one, Chunk):
            return self._of_chunk(one)
        found = self._rows.get(id(one))
        if found is None:
            found = self._rows[id(one)] = self._of_segment(one)
        return found

    def of_chunks(self, chunks: Sequence[Chunk]) -> Rows:
        """The same of several chunks together."""
        each = [self._of_chunk(chunk) for chunk in chunks]
        if all(rows is True for rows in each):
            return True
        counts = [len(chunk.columns) for chunk in chunks]
        return np.concatenate([np.full(n, rows) for n, rows in zip(counts, each, strict=True)])

    def indexes(self, one: Segment | Chunk) -> Indexes | None:
        """The indexes of what has not expired, in order; None for all of it."""
        rows = self.rows(one)
        if rows is True:
            return None
        return _NONE if rows is False else self._indexes(one)[rows]

    def holds(self, one: Segment | Chunk, index: int) -> bool:
        """Whether the event at an index, if it is there at all, has not expired."""
        rows = self.rows(one)
        if isinstance(rows, bool):
            return rows
        indexes = self._indexes(one)
        at = int(np.searchsorted(indexes, index))
        return at < len(indexes) and int(indexes[at]) == index and bool(rows[at])

    def expired(self, first: int, end: int) -> Iterator[Indexes]:
        """The indexes from `first` to below `end` of what is still there, but has expired."""
        for one in self._within(first, end):
            rows = self.rows(one)
            if rows is not True:
                indexes = self._indexes(one)
                gone = indexes if rows is False else indexes[~rows]
                begin, stop = np.searchsorted(gone, (first, end)).tolist()
                yield gone[begin:stop]

    def _within(self, first: int, end: int) -> Iterator[Segment | Chunk]:
        for segment in self.whole.segments:
            if segment.first < end and segment.last >= first:
                yield segment
        if end > self.whole.archived:
            for chunk in self.whole.chunks:
                if chunk.first < end and chunk.end > first:
                    yield chunk

    def _of_segment(self, segment: Segment) -> Rows:
        is_sorted = self._is_sorted
        earliest, latest = self._expiry.span_us(segment, self._types, is_sorted=is_sorted)
        if earliest > self.now_us:
            return True
        if latest <= self.now_us:
            return False
        moments = self._expiry.moments(segment, self._types, is_sorted=is_sorted)
        return moments > self.now_us

    def _of_chunk(self, chunk: Chunk) -> Rows:
        shortest_us = self._types.shortest_us
        if shortest_us is None or chunk.since_us + shortest_us > self.now_us:
            return True
        alive = [one > self.now_us for one in moments_of(chunk, self._types)]
        if all(alive):
            return True
        return np.array(alive, np.bool_) if any(alive) else False

    def _indexes(self, one: Segment | Chunk) -> Indexes:
        if isinstance(one, Chunk):
            return np.array(one.columns.index, np.int64)
        return self._expiry.shelf.numbers(one, "index")


def moments_of(chunk: Chunk, types: Types) -> list[int]:
    """When each event of a chunk expires."""
    columns = chunk.columns
    each = zip(columns.dialect, columns.action, columns.alias, strict=True)
    return [
        NEVER_US if kind == _STATEMENT else expires_us(came, types.keep_us(one))
        for kind, came, one in zip(chunk.pack.kinds, columns.ingested_us, each, strict=True)
    ]


def _distinct(codes: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """The different codes, all below `most`, in order."""
    if most > _TABLE_MAX:
        return np.unique(codes)
    seen = np.zeros(most, np.bool_)
    seen[codes] = True
    return np.flatnonzero(seen)


_NONE = np.zeros(0, np.int64)
