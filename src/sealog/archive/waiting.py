"""The archive's newest level: events accepted, but not yet in segments, held in memory.

One thread adds and settles, another replaces segments by merged ones, any thread reads. What a
reader holds is a `Trail`, which never changes: every event that was visible stands in it exactly
once, waiting or in a segment.
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from sealog.archive.classes import NEVER_US, expires_us, keep_us_of
from sealog.archive.columnwise import Columns, columns_of_each
from sealog.archive.segments import Segment
from sealog.errors import Truncated
from sealog.event.packs import Pack, Unpacker
from sealog.journal.blocks import Block

if TYPE_CHECKING:
    from sealog.archive.expiry import Live

ROW_BYTES = 710
"""What a row costs in memory beside its pack, measured with 888-byte events."""
CHUNK_BYTES = 1_750
"""What a pack costs beside its rows and its own bytes: 3 events or 50 in each, this fits both."""


class Chunk(msgspec.Struct, frozen=True, gc=False):
    """One pack of a journal block, with the columns of its events."""

    base: int
    """The index from which the pack counts its own."""
    pack: Pack
    columns: Columns
    bytes: int
    """What it costs in memory, estimated."""

    @property
    def first(self) -> int:
        """The index of the first event."""
        return self.columns.index[0]

    @property
    def end(self) -> int:
        """The index after the last event."""
        return self.columns.index[-1] + 1

    @property
    def since_us(self) -> int:
        """When the first of the events came."""
        return min(self.columns.ingested_us)


class Trail(msgspec.Struct, frozen=True, gc=False):
    """All that can be read of one tenant at one moment.

    Indexes below `archived` rest in segments, those from there to below `visible` wait in chunks.
    """

    segments: tuple[Segment, ...] = ()
    """In the order of their first index."""
    chunks: tuple[Chunk, ...] = ()
    """In the order of their indexes, without gaps."""
    archived: int = 0
    visible: int = 0
    since_us: int = NEVER_US
    """No event that waits came sooner."""
    due_us: int = NEVER_US
    """None that rests expires sooner, if it expires as its class says."""
    live: "Live | None" = None
    """What of it has not expired; None: nothing has. Without it, a trail shows what is there."""


NOTHING = Trail()


class Waiting:
    """Every tenant's trail, and how much of all of them is only in memory."""

    def __init__(self) -> None:
        self._trails: dict[int, Trail] = {}
        self._events: dict[int, int] = {}
        self._bytes: dict[int, int] = {}
        # Tenants whose list of segments nobody has asked for yet; see `list_of`.
        self._unlisted: set[int] = set()
        self._listing = threading.Lock()
        # Held while a trail is read and changed: two threads change them.
        self._changing = threading.Lock()
        self.list_of: Callable[[Sequence[int]], Mapping[int, Iterable[Segment]]] = lambda _: {}
        """Tenants → their segments as they are listed now: asked when a trail is first looked at, for
        there may be ten thousand tenants with a million segments."""
        self.events = 0
        self.bytes = 0

    def of(self, tenant: int) -> Trail:
        """A tenant's trail as of now. Raises what `list_of` raises."""
        if tenant in self._unlisted:
            self._list([tenant])
        return self._trails.get(tenant, NOTHING)

    def of_each(self, tenants: Iterable[int]) -> dict[int, Trail]:
        """Some tenants' trails as of now, those not listed yet read together."""
        wanted = list(tenants)
        unlisted = self._unlisted.intersection(wanted)
        if unlisted:
            self._list(sorted(unlisted))
        return {tenant: self._trails.get(tenant, NOTHING) for tenant in wanted}

    def visible_of(self, tenant: int) -> int:
        """The index after a tenant's last visible event."""
        return self._trails.get(tenant, NOTHING).visible

    def visible(self) -> dict[int, int]:
        """Tenant → the index after its last visible event."""
        return {tenant: trail.visible for tenant, trail in list(self._trails.items())}

    def waiting(self) -> dict[int, int]:
        """Tenant → how many of its events wait, of those that have any."""
        return dict(self._events)

    def count_of(self, tenant: int) -> int:
        """How many of a tenant's events wait."""
        return self._events.get(tenant, 0)

    def set_out(self, tenant: int, segments: Iterable[Segment] | None, archived: int) -> None:
        """Begin a tenant with what rests in its segments; None: `list_of` tells when it is asked."""
        assert tenant not in self._trails
        if segments is None:
            self._unlisted.add(tenant)
        ordered = tuple(sorted(segments or (), key=_by_index))
        due_us = _due_us(ordered)
        self._trails[tenant] = Trail(ordered, (), archived, archived, due_us=due_us)

    def _list(self, tenants: Sequence[int]) -> None:
        # Nothing changes a tenant's list before it was read: whoever does asks for the trail first.
        with self._listing:
            unread = [tenant for tenant in tenants if tenant in self._unlisted]
            listed = self.list_of(unread) if unread else {}
            with self._changing:
                for tenant in unread:
                    ordered = tuple(sorted(listed.get(tenant, ()), key=_by_index))
                    trail = self._trails[tenant]
                    self._trails[tenant] = msgspec.structs.replace(
                        trail, segments=ordered, due_us=_due_us(ordered)
                    )
                self._unlisted.difference_update(unread)

    def add(self, chunks: Mapping[int, Sequence[Chunk]]) -> None:
        """Make new events visible: tenant → its next chunks. Raises `Truncated` at a gap."""
        for tenant, more in chunks.items():
            with self._changing:
                trail = self._trails.get(tenant, NOTHING)
                at, since_us = trail.visible, trail.since_us
                for chunk in more:
                    if chunk.first != at:
                        raise Truncated(f"the journal of tenant {tenant} has no events from {at}")
                    at, since_us = chunk.end, min(since_us, chunk.since_us)
                self._trails[tenant] = msgspec.structs.replace(
                    trail, chunks=trail.chunks + tuple(more), visible=at, since_us=since_us
                )
            self._count(tenant, more, 1)

    def settle(self, tenant: int, segments: Iterable[Segment], archived: int) -> None:
        """Change waiting events for the segments they rest in now, in one step for all readers."""
        assert tenant not in self._unlisted
        with self._changing:
            trail = self._trails.get(tenant, NOTHING)
            gone = [chunk for chunk in trail.chunks if chunk.end <= archived]
            left = trail.chunks[len(gone) :]
            assert not left or left[0].first == archived
            ordered = tuple(sorted((*trail.segments, *segments), key=_by_index))
            since_us = min([chunk.since_us for chunk in left], default=NEVER_US)
            self._trails[tenant] = Trail(
                ordered, left, archived, trail.visible, since_us, _due_us(ordered)
            )
        self._count(tenant, gone, -1)

    def replace(self, tenant: int, gone: Iterable[Segment], segments: Iterable[Segment]) -> None:
        """Change segments for others that hold the same events, in one step for all readers.

        Events that have expired may be left out.
        """
        assert tenant not in self._unlisted
        old = {(one.kept, one.name) for one in gone}
        with self._changing:
            trail = self._trails.get(tenant, NOTHING)
            left = [one for one in trail.segments if (one.kept, one.name) not in old]
            assert len(left) == len(trail.segments) - len(old)
            ordered = tuple(sorted((*left, *segments), key=_by_index))
            self._trails[tenant] = msgspec.structs.replace(
                trail, segments=ordered, due_us=_due_us(ordered)
            )

    def segment_count(self) -> int:
        """How many segments there are, of all tenants that were looked at."""
        return sum(len(trail.segments) for trail in list(self._trails.values()))

    def tenants(self) -> list[int]:
        """The number of every tenant that has events."""
        return list(self._trails)

    def listed(self) -> dict[int, Trail]:
        """The trails of the tenants whose segments are in memory."""
        trails = self._trails.copy()
        return {tenant: one for tenant, one in trails.items() if tenant not in self._unlisted}

    def since_us(self) -> dict[int, int]:
        """Tenant → when the first of its waiting events came, of those that have any."""
        return {tenant: self._trails[tenant].since_us for tenant in self._events.copy()}

    def _count(self, tenant: int, chunks: Iterable[Chunk], sign: int) -> None:
        for chunk in chunks:
            self.events += sign * len(chunk.columns)
            self.bytes += sign * chunk.bytes
            self._events[tenant] = self._events.get(tenant, 0) + sign * len(chunk.columns)
            self._bytes[tenant] = self._bytes.get(tenant, 0) + sign * chunk.bytes
        if not self._events.get(tenant):
            self._events.pop(tenant, None)
            self._bytes.pop(tenant, None)

    def largest(self) -> list[tuple[int, int, int]]:
        """(tenant, events, bytes) of what waits, those that cost most memory first."""
        costly = sorted(self._bytes, key=self._bytes.__getitem__, reverse=True)
        return [(tenant, self._events[tenant], self._bytes[tenant]) for tenant in costly]


def chunks_of(block: Block, first: int, unpacker: Unpacker) -> list[Chunk]:
    """A block's events from index `first` on. Raises `Altered` if the block does not open.

    A segment ends where a pack ends, so a pack is either all archived or not at all.
    """
    return chunks_of_each([(block, first)], unpacker)[0]


def chunks_of_each(blocks: Sequence[tuple[Block, int]], unpacker: Unpacker) -> list[list[Chunk]]:
    """The same of several blocks, each with its `first`, read together."""
    packs = [
        [pack for pack in block.packs() if block.first + pack.indexes[-1] >= first]
        for block, first in blocks
    ]
    firsts = [block.first for block, _ in blocks]
    every = [
        (pack, first) for first, several in zip(firsts, packs, strict=True) for pack in several
    ]
    read = iter(columns_of_each(every, unpacker))
    return [
        [_chunk(first, pack, next(read)) for pack in several]
        for first, several in zip(firsts, packs, strict=True)
    ]


def _chunk(base: int, pack: Pack, columns: Columns) -> Chunk:
    size = sum(map(len, pack.frames)) + len(pack.salts) + ROW_BYTES * len(columns) + CHUNK_BYTES
    return Chunk(base, pack, columns.lasting(), size)


def _due_us(segments: Iterable[Segment]) -> int:
    """When the first event of some segments expires, as their classes say."""
    least = NEVER_US
    for segment in segments:
        came_us = segment.first_ingested_us
        if came_us is not None and (keep_us := keep_us_of(segment.kept)) is not None:
            least = min(least, expires_us(came_us, keep_us))
    return least


def _by_index(segment: Segment) -> tuple[int, int]:
    return segment.first, segment.last
