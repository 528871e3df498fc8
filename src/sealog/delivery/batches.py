"""What a stream sends next: read from the archive by index, filtered, rendered and shaped.

All of it blocks, and none of it is held longer than a batch takes: whoever waits drops it, and reads
again what is due then. What has expired meanwhile is not there any more; the statement that says so
has an index of its own, always a later one, and comes in its turn (decision 0017).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

from sealog.archive.packwise import Piece
from sealog.delivery.destination import Batching, Outgoing
from sealog.delivery.shaping import Shaper
from sealog.delivery.stream import Wanted
from sealog.event import times
from sealog.event.packs import Opened, Pack, Unpacker
from sealog.event.parts import FACTS, STATEMENT_ACTIONS, STATEMENT_ENTRY
from sealog.event.tenants import Tenant
from sealog.query.tree import During, Is, Node, Not, Query, either, every

WINDOW = 1 << 18
"""So many indexes are looked through at once, however few of them pass."""
WALK_US = 2_000_000
"""What was read so long ago is read again: it may have expired."""
OWN_DIALECT = "sealog"

_STATEMENT = STATEMENT_ENTRY[0]


class Source(Protocol):
    """Where events come from; see `archive.archive.Archive`. Its reads block."""

    def visible(self, tenant: Tenant) -> int:
        """The index after a tenant's last visible event. Does not block."""
        ...

    def pieces(self, tenant: Tenant, query: Query, end: int, first: int = 0) -> Iterator[Piece]:
        """The events from `first` to below `end` that pass, in order, pack by pack."""
        ...

    def feed(self, tenant: Tenant, after: int, limit: int) -> list[tuple[int, Opened]]:
        """Events after an index, in order."""
        ...


class Renderer(Protocol):
    """See `rendering.rendering.Renderer`."""

    def listed(
        self, pack: Pack, base: int, unpacker: Unpacker, places: Sequence[int] | None = None
    ) -> list[bytes]:
        """Events of a pack, each by itself."""
        ...


class Batch(msgspec.Struct, frozen=True):
    """Records to send, and how far it is once they are."""

    records: list[Outgoing]
    next: int
    """The index to go on from once all of them were taken: those between did not pass."""


class _Event(msgspec.Struct, frozen=True):
    action: str = ""
    ingested: str = ""


class _Facts(msgspec.Struct, frozen=True):
    timestamp: str = msgspec.field(name="@timestamp", default="")
    event: _Event = _Event()


_READ = msgspec.json.Decoder(_Facts).decode
_READ_ALL = msgspec.json.Decoder(list[_Facts]).decode


def query_of(wanted: Wanted) -> Query:
    """What a stream reads: its filter, and the statements, which pass every filter.

    A bare one leaves out all that is Sealog's own: the product's documents know nothing of it.
    """
    query = wanted.query
    if wanted.is_bare:
        return msgspec.structs.replace(
            query, where=every([query.where, Not(Is("dialect", OWN_DIALECT))])
        )
    if query == Query():
        return query
    asked: list[Node] = [query.where]
    if query.from_us is not None or query.to_us is not None:
        asked.append(During(query.from_us, query.to_us))
    # Nobody else can send them.
    statements = [Is("action", action) for action in sorted(STATEMENT_ACTIONS)]
    return Query(where=either([every(asked), *statements]))


class Reader:
    """Reads one stream's batches. Used by one thread at a time."""

    def __init__(
        self, source: Source, tenant: Tenant, stream: tuple[str, Wanted], ways: "Ways"
    ) -> None:
        self._source = source
        self._tenant = tenant
        self._id, wanted = stream
        self._query = query_of(wanted)
        self._ways = ways
        self._unpacker = Unpacker()
        self._seconds = times.Seconds()
        self.forget()

    def forget(self) -> None:
        """Let go of everything; the next batch is read anew."""
        self._walk: Iterator[Piece] = iter(())
        self._is_walked = True
        self._begun_us = 0
        self._at = self._end = -1
        self._left: list[Outgoing] = []

    def next(self, first: int, batching: Batching) -> Batch | None:
        """What comes from index `first` on; None where nothing is visible there yet."""
        now_us = self._ways.clock_us()
        if first != self._at or not 0 <= now_us - self._begun_us <= WALK_US:
            self.forget()
        if self._is_walked and not self._left:
            end = min(self._source.visible(self._tenant), first + WINDOW)
            if end <= first:
                self.forget()
                return None
            self._walk = self._source.pieces(self._tenant, self._query, end, first)
            self._is_walked, self._begun_us, self._end = False, now_us, end
        self._fill(batching)
        taken = _fitting(self._left, batching)
        records, self._left = self._left[:taken], self._left[taken:]
        is_over = self._is_walked and not self._left
        self._at = self._end if is_over else records[-1].index + 1
        return Batch(records, self._at)

    def single(self, index: int) -> Outgoing | None:
        """The record at an index, whether it passes or not; None where it is not there any more."""
        for piece in self._source.pieces(self._tenant, Query(), index + 1, index):
            return self._records(piece)[0]
        return None

    def _fill(self, batching: Batching) -> None:
        """Read until there is more than a batch, or the walk is over."""
        size = sum([len(one.body) for one in self._left])
        while size <= batching.bytes_max and len(self._left) <= batching.records_max:
            piece = next(self._walk, None)
            if piece is None:
                self._is_walked = True
                return
            records = self._records(piece)
            size += sum([len(one.body) for one in records])
            self._left += records

    def _records(self, piece: Piece) -> list[Outgoing]:
        """The events of a piece as they leave."""
        pack, places = piece.pack, piece.places
        bodies = self._ways.renderer.listed(pack, piece.base, self._unpacker, places)
        facts = self._unpacker.parts(pack, FACTS)
        if places is None:
            places = range(len(pack.masks))
        else:
            facts = [facts[place] for place in places]
        indexes = [piece.base + pack.indexes[place] for place in places]
        kinds = [pack.kinds[place] for place in places]
        if _STATEMENT in kinds:
            bodies = self._shaped_but_statements(bodies, indexes, kinds)
        else:
            bodies = self._ways.shaper.shaped(bodies, indexes)
        return [
            Outgoing(index, f"{self._id}-{index}", body, read.event.action, self._at_us(read))
            for index, body, read in zip(indexes, bodies, read_facts(facts), strict=True)
        ]

    def _shaped_but_statements(
        self, bodies: list[bytes], indexes: list[int], kinds: list[int]
    ) -> list[bytes]:
        return [
            body if kind == _STATEMENT else self._ways.shaper.shaped([body], [index])[0]
            for body, index, kind in zip(bodies, indexes, kinds, strict=True)
        ]

    def _at_us(self, facts: _Facts) -> int:
        return self._seconds.us(facts.timestamp) or time_of(facts.timestamp) or 0


class Ways(msgspec.Struct, frozen=True):
    """How a stream's events come to look as they leave."""

    renderer: Renderer
    shaper: Shaper
    clock_us: Callable[[], int]


def _fitting(records: Sequence[Outgoing], batching: Batching) -> int:
    """How many of the records make a batch: one at least, where there is one."""
    size = 0
    for taken, record in enumerate(records):
        size += len(record.body)
        if taken and (size > batching.bytes_max or taken >= batching.records_max):
            return taken
    return len(records)


def read_facts(facts: Sequence[bytes]) -> list[_Facts]:
    """What is read of the facts of events; of one that does not read, nothing."""
    try:
        return _READ_ALL(b"[%b]" % b",".join([one or b"{}" for one in facts]))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return [_read(one) for one in facts]


def ingested_us(opened: Opened) -> int | None:
    """When an event was taken in."""
    for number, _, part in opened.parts:
        if number == FACTS:
            return time_of(_read(part).event.ingested)
    return None


def time_of(text: str) -> int | None:
    """A sealed time, in microseconds since 1970."""
    moment = times.read(text) if text else None
    return None if moment is None else moment.at_us


def _read(text: bytes) -> _Facts:
    try:
        return _READ(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _Facts()
