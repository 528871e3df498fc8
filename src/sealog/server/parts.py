"""What the API is joined to: the rooms below it, each by the little it needs of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any, Protocol

import msgspec
from prometheus_client import CollectorRegistry

from sealog.access.grants import Grant
from sealog.access.keys import Key, Keys
from sealog.access.limits import Limits
from sealog.access.reads import Origin, Reads
from sealog.access.tenants import Tenants
from sealog.archive.archive import Page
from sealog.archive.buckets import Interval
from sealog.archive.counting import Counts
from sealog.archive.cursors import Position
from sealog.archive.following import Followed
from sealog.delivery.opening import Delivery
from sealog.errors import Refused
from sealog.event.batch import Receipt
from sealog.event.packs import Opened
from sealog.event.tenants import Tenant
from sealog.exports.exports import Exports
from sealog.intake.choosing import NotRecorded
from sealog.intake.source import Source
from sealog.ledger.files import Tile
from sealog.policy.policies import Change, Policies
from sealog.policy.reading import Destination
from sealog.policy.retention import Retention
from sealog.policy.settings import TenantSettings
from sealog.query.tree import Query
from sealog.server.origins import Origins
from sealog.server.trust import Trust


class Intake(Protocol):
    """The one way in; see `intake.accept.Intake`."""

    async def accept(self, body: bytes, source: Source) -> list[Receipt | Refused | NotRecorded]:
        """One answer per record, in the order sent, everything durable."""
        ...


class Archive(Protocol):
    """Where events are found; see `archive.archive.Archive`. Its reads block."""

    def search(  # noqa: PLR0913 - each is a parameter of the API
        self,
        tenants: Sequence[Tenant],
        query: Query,
        *,
        limit: int = 50,
        cursor: str | None = None,
        at_least: Mapping[int, int] | None = None,
        oldest_first: bool = False,
        asked: str | None = None,
        after: Position | None = None,
    ) -> Page:
        """One page of the events that pass, newest first; `after` is where a first page begins."""
        ...

    def count(self, tenants: Sequence[Tenant], query: Query) -> Counts:
        """How many events pass."""
        ...

    def facets(
        self, tenants: Sequence[Tenant], query: Query, fields: Sequence[str], top: int = 10
    ) -> Counts:
        """The most frequent values of fields."""
        ...

    def histogram(
        self,
        tenants: Sequence[Tenant],
        query: Query,
        interval: Interval,
        zone: tzinfo = UTC,
        *,
        by: str | None = None,
    ) -> Counts:
        """How many events happened when."""
        ...

    def get(self, tenant: Tenant, index: int) -> Opened | None:
        """The event at an index."""
        ...

    def by_id(self, tenant: Tenant, event_id: str) -> tuple[int, Opened] | None:
        """The event with this id, and its index."""
        ...

    def feed(self, tenant: Tenant, after: int, limit: int) -> list[tuple[int, Opened]]:
        """Events after an index, in order, none left out."""
        ...

    def follow(self, tenant: Tenant, query: Query, first: int, limit: int) -> Followed:
        """The next events that pass, from an index on, and where to go on."""
        ...

    def visible(self, tenant: Tenant) -> int:
        """The index after a tenant's last visible event. Does not block."""
        ...

    def watch(self, watcher: Callable[[Mapping[int, int]], None]) -> Callable[[], None]:
        """Call `watcher` from another thread with tenant number → visible end, when it changed."""
        ...


class Ledger(Protocol):
    """The sealed logs; see `ledger.ledger.Ledger`. Its reads block."""

    def origin(self, tenant: Tenant) -> str:
        """The origin of a tenant's log."""
        ...

    def vkey(self, tenant: Tenant) -> str:
        """The key that verifies a tenant's checkpoints."""
        ...

    def checkpoint(self, tenant: Tenant) -> bytes | None:
        """The newest signed note, None before the first."""
        ...

    def tile(self, tenant: Tenant, tile: Tile) -> bytes:
        """A tile or bundle below the newest checkpoint."""
        ...

    def event_proof(self, tenant: Tenant, index: int, opened: Opened) -> bytes:
        """An offline proof of an event."""
        ...

    def consistency(self, tenant: Tenant, old: int, new: int) -> list[bytes]:
        """The path from the tree of `old` entries to that of `new`."""
        ...


class Recorder(Protocol):
    """What is recorded of keys and tenants; see `intake.recording.Recorder`. It blocks."""

    def key_created(self, key: Key, by: Grant, origin: Origin) -> None:
        """A key was made: durable in every tenant that it reaches."""
        ...

    def key_revoked(self, key: Key, by: Grant, origin: Origin) -> None:
        """A key was made worthless."""
        ...

    def tenant_created(self, tenant: Tenant, at_us: int, by: Grant, origin: Origin) -> None:
        """A tenant was made."""
        ...

    def policy_changed(self, change: Change) -> None:
        """What a tenant chose was changed: durable in its trail, once."""
        ...

    def actor(self, by: Grant, origin: Origin) -> dict[str, Any]:
        """A key as an actor, for what is told later."""
        ...


class Going(Protocol):
    """Some events of one type that would go at about the same time."""

    @property
    def dialect(self) -> str:
        """Whose vocabulary."""
        ...

    @property
    def action(self) -> str:
        """The native name."""
        ...

    @property
    def at_us(self) -> int:
        """About when, in microseconds since 1970; the moment that was asked about: at once."""
        ...

    @property
    def count(self) -> int:
        """How many."""
        ...


Forecast = Callable[[Tenant, Retention, int], Iterable[Going]]
"""What of a tenant's events would go by these rules, seen from a moment (µs since 1970); nothing of
what is kept for ever."""


def no_service(_wanted: dict[str, Any], _before: TenantSettings) -> Destination:
    """Where nothing delivers."""
    raise Refused("nothing delivers to services here", code="not-there-yet")


class Clocks(msgspec.Struct, frozen=True):
    """Time, as an argument."""

    us: Callable[[], int]
    """Microseconds since 1970."""
    monotonic_s: Callable[[], float]


class Parts(msgspec.Struct, frozen=True):
    """Everything the API is joined to."""

    tenants: Tenants
    keys: Keys
    limits: Limits
    reads: Reads
    """Where reading is counted."""
    recorder: Recorder
    policies: Policies
    intake: Intake
    archive: Archive
    ledger: Ledger
    size: Callable[[int], int]
    """Tenant number → the index its next event will have."""
    catalog: Mapping[str, Sequence[Mapping[str, Any]]]
    """Dialect → its published event types."""
    clocks: Clocks
    randomness: Callable[[int], bytes]
    forecast: Forecast | None = None
    """None where nobody can tell."""
    service: Callable[[dict[str, Any], TenantSettings], Destination] = no_service
    """A destination of settings, and the settings it replaces, read; raises `Refused`."""
    origins: Origins = msgspec.field(default_factory=Origins)
    """Whose word on addresses is taken."""
    ready: Callable[[], str | None] = lambda: None
    """Why the server cannot serve right now; None when it can. Told to anybody: it MUST NOT name a
    tenant or a file."""
    exports: Exports | None = None
    """None where nobody makes them: beside the process that owns the folder."""
    delivery: Delivery | None = None
    """None where no streams are."""
    trust: Trust | None = None
    """None where nothing expires: beside the process that owns the folder."""
    registry: CollectorRegistry = msgspec.field(default_factory=CollectorRegistry)
    """Where other rooms may add their gauges to ours."""
