"""A stream as a value: what is wanted of it, how it is, and how it stands in `state.db`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from sealog.delivery.destination import Parsed
from sealog.delivery.shaping import WHOLE, Shape
from sealog.query.tree import Query
from sealog.rendering.rendering import ECS
from sealog.storage.tables import parked as parked_table
from sealog.storage.tables import streams as table

RUNNING, PAUSED, DISABLED, DELETED = "running", "paused", "disabled", "deleted"
FAILING = "failing"
"""Shown of one that runs and whose last attempt failed; it is not stored as a state."""
STATES = (RUNNING, FAILING, PAUSED, DISABLED)
REASON_CHARS_MAX = 300
BARE = "bare"
"""The body of a destination that sends records as they are, with nothing around them."""

_JSON = msgspec.json.Encoder(order="deterministic").encode


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a stream is to do."""

    name: str
    destination: dict[str, Any]
    """As `destination.Parsed.shown`."""
    filter: dict[str, Any] = {}
    """The filter as it was given."""
    query: Query = Query()
    """What it means."""
    dialect: str = "ecs"
    ecs_version: str = "8.11"
    shape: Shape = WHOLE

    @property
    def is_bare(self) -> bool:
        """Whether nothing leaves but what a product documents: Sealog's own is left out."""
        return self.destination.get("body") == BARE and self.dialect != ECS


class Secrets(msgspec.Struct, frozen=True):
    """What is never shown of a stream."""

    hashing: bytes
    """The key of hashes in what leaves."""
    destination: dict[str, Any] = {}


class Trouble(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why the last attempt failed, in our own words."""

    at_us: int
    kind: str
    reason: str = ""


class Health(msgspec.Struct, omit_defaults=True):
    """How a stream is. Changed by whoever pumps it."""

    delivered: int = 0
    delivered_bytes: int = 0
    refused: int = 0
    """Records that were parked, ever."""
    refused_in_a_row: int = 0
    """Of them, since one was taken, or somebody said to go on."""
    last_success_us: int | None = None
    failures: int = 0
    """Attempts that failed since the last that did not."""
    failing_since_us: int | None = None
    next_attempt_us: int | None = None
    last_error: Trouble | None = None
    told_us: int | None = None
    """When its tenant was last told that it fails."""


class Happened(msgspec.Struct, frozen=True):
    """What a stream's tenant is to be told."""

    action: str
    at_us: int
    name: str
    """The same name is the same event, however often it is told."""
    actor: dict[str, Any]
    details: dict[str, Any]


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream."""

    id: str
    tenant: int
    """The tenant's number."""
    state: str
    version: int
    """Counts the changes of what is wanted; the first is 1."""
    wanted: Wanted
    secrets: Secrets
    next: int
    """The index it goes on from: everything before it was acknowledged, parked or filtered out."""
    health: Health
    created_us: int
    changed_us: int
    untold: tuple[Happened, ...] = ()

    @property
    def destination(self) -> Parsed:
        """Its destination, with secrets."""
        return Parsed(self.wanted.destination, self.secrets.destination)

    @property
    def shown_state(self) -> str:
        """One of `STATES`."""
        return FAILING if self.state == RUNNING and self.health.failures else self.state


class Parked(msgspec.Struct, frozen=True):
    """A record that its destination refused for good."""

    index: int
    at_us: int
    attempts: int
    reason: str


def read_all(connection: Connection) -> list[Stream]:
    """Every stream, in the order they were made."""
    rows = connection.execute(select(table).order_by(table.c.created_us, table.c.id))
    return [_stream(row._asdict()) for row in rows]


def add(connection: Connection, stream: Stream) -> None:
    """A new stream."""
    connection.execute(insert(table), _values(stream))


def change(connection: Connection, stream: Stream) -> None:
    """Put down all of a stream as it is now."""
    connection.execute(update(table).where(table.c.id == stream.id).values(_values(stream)))


def remove(connection: Connection, stream_id: str) -> None:
    """Forget a stream and what it parked."""
    connection.execute(delete(parked_table).where(parked_table.c.stream == stream_id))
    connection.execute(delete(table).where(table.c.id == stream_id))


def advance(connection: Connection, moved: Sequence[tuple[str, int, bytes]]) -> None:
    """Put down how far streams are, and how they are: (id, next, health)."""
    rows = [{"of": name, "upto": upto, "how": health.decode()} for name, upto, health in moved]
    statement = update(table).where(table.c.id == bindparam("of"))
    connection.execute(
        statement.values(next=bindparam("upto"), health=bindparam("how")),
        rows,
    )


def settle_parked(
    connection: Connection, stream_id: str, records: Mapping[int, Parked | None]
) -> None:
    """Records that were refused, by index; None: it is parked no more.

    One that was parked before counts its attempts on.
    """
    mine = parked_table.c.stream == stream_id
    for index, record in records.items():
        where = mine & (parked_table.c.index == index)
        if record is None:
            connection.execute(delete(parked_table).where(where))
            continue
        again = update(parked_table).where(where)
        more = {"attempts": parked_table.c.attempts + 1}
        values = {"at_us": record.at_us, "reason": record.reason}
        if not connection.execute(again.values(**values, **more)).rowcount:
            row = {"stream": stream_id, "index": index, "attempts": record.attempts, **values}
            connection.execute(insert(parked_table), row)


def parked_counts(connection: Connection, of: Iterable[str] | None = None) -> dict[str, int]:
    """Stream → how many records it parked, of those that did; `of`: only of these."""
    wanted = select(parked_table.c.stream, func.count()).group_by(parked_table.c.stream)
    if of is not None:
        wanted = wanted.where(parked_table.c.stream.in_(list(of)))
    return {row[0]: row[1] for row in connection.execute(wanted)}


def parked(
    connection: Connection, stream_id: str, after: int = -1, limit: int | None = None
) -> list[Parked]:
    """What a stream parked, by index, beyond `after`."""
    wanted = (
        select(parked_table)
        .where(parked_table.c.stream == stream_id, parked_table.c.index > after)
        .order_by(parked_table.c.index)
        .limit(limit)
    )
    found = (row._asdict() for row in connection.execute(wanted))
    return [Parked(one["index"], one["at_us"], one["attempts"], one["reason"]) for one in found]


def encoded(health: Health) -> bytes:
    """A health as it is put down."""
    return _JSON(health)


def _values(stream: Stream) -> Mapping[str, Any]:
    untold = _JSON(stream.untold).decode() if stream.untold else None
    return {
        "id": stream.id,
        "tenant": stream.tenant,
        "state": stream.state,
        "version": stream.version,
        "body": _JSON(stream.wanted).decode(),
        "secrets": _JSON(stream.secrets),
        "next": stream.next,
        "health": _JSON(stream.health).decode(),
        "created_us": stream.created_us,
        "changed_us": stream.changed_us,
        "untold": untold,
    }


def _stream(values: dict[str, Any]) -> Stream:
    untold = values.pop("untold")
    return Stream(
        wanted=msgspec.json.decode(values.pop("body"), type=Wanted),
        secrets=msgspec.json.decode(values.pop("secrets"), type=Secrets),
        health=msgspec.json.decode(values.pop("health"), type=Health),
        untold=() if untold is None else msgspec.json.decode(untold, type=tuple[Happened, ...]),
        **values,
    )
