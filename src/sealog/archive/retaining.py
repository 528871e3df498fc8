"""What the archive does as time goes by: merging, letting go what has expired, sorting anew."""

from collections.abc import Callable, Iterator, Sequence

from sealog.archive import forecasting
from sealog.archive.classes import Retaining, Types
from sealog.archive.conditions import ready
from sealog.archive.dropping import Dropped, Dropper, Due
from sealog.archive.expiry import Expiry
from sealog.archive.follower import Follower
from sealog.archive.forecasting import Going
from sealog.archive.holes import Explained, Holes
from sealog.archive.merging import Merged, Merger
from sealog.archive.search import passing
from sealog.archive.segments import Segment
from sealog.archive.shelf import Shelf
from sealog.archive.sources import Rows, source_of
from sealog.archive.waiting import Chunk, Waiting
from sealog.event.tenants import Tenant
from sealog.query.tree import Query
from sealog.storage.store import Store


class Keeping:
    """The part of an archive that knows how long events are kept; see `Archive`."""

    def __init__(
        self,
        store: Store,
        follower: Follower,
        merger: Merger,
        retention: Callable[[int], Retaining] | None,
        clock_us: Callable[[], int],
    ) -> None:
        self._shelf = Shelf()
        self._follower = follower
        self._merger = merger
        self._waiting: Waiting = follower.waiting
        self._expiry = Expiry(retention, clock_us, self._shelf)
        self._holes = Holes(store)
        self._dropper = Dropper(self._waiting, self._expiry, self._holes, merger, follower.cut)
        follower.cuts.types = self._expiry.types
        merger.expiry = self._expiry
        merger.settled = self._settled

    def _settled(self) -> None:
        """Return when nothing is being cut by what was known before."""
        with self._follower.resting():
            pass

    def merge(self) -> None:
        """Merge now all that is to be merged, and sort what is to be sorted anew."""
        self._merger.settle()

    def merged(self) -> Merged:
        """What merging has done since the start."""
        return self._merger.done

    def merging_trouble(self) -> Exception | None:
        """Why the last merge failed, until one succeeds; nothing else is held up by it."""
        return self._merger.trouble

    def segment_count(self) -> int:
        """How many segments there are, of all tenants."""
        return self._waiting.segment_count()

    def due(self, now_us: int) -> list[int]:
        """The numbers of the tenants of which something may be dropped. Cheap."""
        return self._dropper.tenants(now_us)

    def expired_until(self, tenant: Tenant, now_us: int) -> Iterator[Due]:
        """What may be dropped: whole segments, oldest index first; each `Due` fits one statement.

        What waits and has expired is cut first. The next call begins anew. Nothing is changed.
        """
        return self._dropper.due(tenant.number, now_us)

    def drop(self, tenant: Tenant, statement: int, ranges: Sequence[tuple[int, int]]) -> Dropped:
        """Let go of all events in some ranges, ascending and apart; again, it does nothing.

        The statement, at index `statement`, MUST explain them and be durable. Files are deleted a
        moment later, whoever reads them. Raises `Corrupt`, and changes nothing, where a segment that
        holds other events too is damaged.
        """
        return self._dropper.drop(tenant.number, statement, ranges)

    def undeleted(self) -> int:
        """How many segments that were replaced or dropped still have files; deletes what may go."""
        return self._merger.sweep()

    def reclass(self, tenant: int) -> None:
        """A tenant's policy was changed: write anew, in the background, what it sorts otherwise."""
        self._merger.consider([tenant])

    def unsorted(self) -> int:
        """How many tenants have segments that may not be sorted by their policy."""
        expiry = self._expiry
        return sum(
            not expiry.is_sorted(tenant, expiry.types(tenant)) for tenant in self._waiting.tenants()
        )

    def why_missing(self, tenant: Tenant, index: int) -> int | None:
        """The index of the statement that explains why an index is missing; None: nothing does."""
        return self._holes.statement_of(tenant.number, index)

    def explanations(self, tenant: Tenant, first: int, end: int) -> list[Explained]:
        """The statements that explain any index from `first` to below `end`, by their first."""
        return self._holes.explained(tenant.number, first, end)

    def forecast(self, tenant: Tenant, retention: Retaining, now_us: int) -> list[Going]:
        """What would go when under a policy, in force or not. Raises `Corrupt`."""
        trail = self._waiting.of(tenant.number)
        return forecasting.forecast(trail, Types(retention), self._expiry, now_us)

    def first_expiry_us(self, tenant: Tenant, query: Query, end: int) -> int | None:
        """When the first of the events below index `end` that pass expires; None: none ever does."""
        types = self._expiry.types(tenant.number)
        if types.shortest_us is None:
            return None
        trail = self._expiry.alive(
            tenant.number, self._waiting.of(tenant.number), self._expiry.now_us()
        )
        condition = ready(query)

        def rows(one: Segment | Chunk) -> Rows:
            return passing(source_of(one, self._shelf, trail.live), condition)

        return forecasting.first_expiry_us(trail, end, rows, self._expiry, types)
