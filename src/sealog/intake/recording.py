"""What Sealog records by itself: ordinary events, from sealing on the ordinary way.

Decision 0013. The dialect is `sealog`, whose types stand in the catalog; nobody can send them.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from typing import Any, Protocol

import msgspec

from sealog.access.grants import Grant
from sealog.access.keys import LENT, Key, Keys
from sealog.access.reads import HOUR_US, NOWHERE, Kind, Origin, Told
from sealog.access.tenants import Tenants
from sealog.catalog.shelf import Catalog
from sealog.errors import Corrupt
from sealog.event import ids, times, tokens
from sealog.event.batch import Batch, Outcome
from sealog.event.record import Draft, Record
from sealog.event.sealing import Moment, Sealer
from sealog.event.tenants import Tenant
from sealog.policy.policies import Change
from sealog.policy.reading import shown
from sealog.policy.unrecorded import Told as Unkept

DIALECT = "sealog"
_BY_ITSELF: dict[str, Any] = {"user": {"id": DIALECT}, "sealog": {"kind": "system"}}
EVENTS_AT_ONCE = 2_000
TELLINGS_MAX = 100
"""So many differing counts of one counting of an hour are told."""


class Journal(Protocol):
    """What recording needs of the journal."""

    def append(self, batches: list[Batch]) -> Future[list[Outcome]]:
        """See `journal.journal.Journal.append`."""
        ...


class Happening(msgspec.Struct, frozen=True):
    """One event of Sealog's own, in one tenant."""

    tenant: Tenant
    action: str
    name: str
    """What its id is derived from: the same name is the same event, however often it is recorded."""
    at_us: int
    actor: dict[str, Any]
    """`user`, `source` and `sealog.actor`, as one document."""
    details: dict[str, Any]
    """What its type declares, under `sealog`."""
    event: dict[str, str] = {}
    """More of `event`."""


class Recorder:
    """Records what happened; any thread may."""

    def __init__(
        self,
        journal: Journal,
        access: tuple[Tenants, Keys],
        parts: tuple[Catalog, Callable[[], int], Callable[[int], bytes]],
    ) -> None:
        """`parts`: the catalog, the clock (µs) and the source of random bytes."""
        catalog, self._clock, randomness = parts
        self._journal = journal
        self._tenants, self._keys = access
        self._catalog = catalog
        self._sealer = Sealer(randomness)
        self._sealing = threading.Lock()

    def record(self, happenings: Iterable[Happening]) -> list[Happening]:
        """Return when all of it is durable. What was recorded before is not recorded again.

        Gives those whose name stands for something that differs: they are not recorded.

        Raises `Busy` where the journal takes no more, or the disk nothing: some of it, in the order
        given, may be recorded then.
        """
        differing: list[Happening] = []
        for some in _batched(happenings):
            written = [(*self._drafted(place, one), one.tenant) for place, one in enumerate(some)]
            with self._sealing:
                batches = self._sealer.seal(written, Moment.of(self._clock()))
            outcomes = self._journal.append(batches).result()
            for batch, outcome in zip(batches, outcomes, strict=True):
                differing += [some[batch.places[nth]] for nth in sorted(outcome.conflicts)]
        return differing

    def key_created(self, key: Key, by: Grant, origin: Origin = NOWHERE) -> None:
        """Tell every tenant that the key reaches. Raises `Busy`."""
        self._tell_of_key("sealog.keys.created", key, key.created_us, self.actor(by, origin))

    def key_revoked(self, key: Key, by: Grant, origin: Origin = NOWHERE) -> None:
        """Tell every tenant that the key reached; telling it again tells nothing new."""
        assert key.revoked_us is not None
        self._tell_of_key("sealog.keys.revoked", key, key.revoked_us, self.actor(by, origin))

    def tenant_created(
        self, tenant: Tenant, at_us: int, by: Grant, origin: Origin = NOWHERE
    ) -> None:
        """Tell a tenant that it was made."""
        action = "sealog.tenants.created"
        actor = self.actor(by, origin)
        self.record([Happening(tenant, action, action, at_us, actor, {})])

    def reads(self, told: Sequence[Told]) -> None:
        """Tell tenants what was read of them in an hour. Raises as `_count`."""
        found = [(one, self._tenants.numbered(one.tenant)) for one in told]
        self._count([self._read(one, tenant) for one, tenant in found if tenant is not None])

    def not_recorded(self, told: Sequence[Unkept]) -> None:
        """Tell tenants what of theirs was not kept in an hour. Raises as `_count`."""
        found = [(one, self._tenants.numbered(one.tenant)) for one in told]
        self._count([_not_recorded(one, tenant) for one, tenant in found if tenant is not None])

    def policy_changed(self, change: Change) -> None:
        """Tell a tenant what was chosen for it; telling it again tells nothing new. Raises `Busy`."""
        tenant = self._tenants.numbered(change.tenant)
        if tenant is None:
            return
        action, name = _told_as(change.kind, change.new.version)
        old, new = shown(change.old, whole=False), shown(change.new, whole=False)
        happening = Happening(
            tenant,
            action,
            name,
            change.at_us,
            change.actor or _BY_ITSELF,
            {change.kind: {"version": change.new.version, "old": old, "new": new}},
        )
        self.record([happening])

    def actor(self, by: Grant, origin: Origin) -> dict[str, Any]:
        """A key as an actor, for what is told later."""
        return actor_of(by.key, self._name(by.key), [origin])

    def _count(self, counted: list[Happening]) -> None:
        """Record counts of an hour. Raises `Busy`.

        The same again is told once; other counts of the same counting are told beside the first.
        Raises `Corrupt` where too many were told of one.
        """
        left = counted
        for telling in range(2, TELLINGS_MAX + 2):
            differing = self.record(left)
            if not differing:
                return
            # Counted on after they were told, by a crash and a clock set back: never lost silently.
            left = [
                msgspec.structs.replace(one, name=f"{one.name.partition('#')[0]}#{telling}")
                for one in differing
            ]
        raise Corrupt(f"one hour was told {TELLINGS_MAX} times, each time otherwise")

    def _read(self, told: Told, tenant: Tenant) -> Happening:
        counts = told.counts
        name = f"read.by_key/{told.key}/{told.hour}"
        if counts.since_us:
            name += f"/{counts.since_us}"
        begin_us, end_us = told.hour * HOUR_US, (told.hour + 1) * HOUR_US
        hour = _time(begin_us)
        read: dict[str, Any] = {"hour": hour}
        read |= {
            kind.name.lower(): count
            for kind, count in zip(Kind, counts.kinds, strict=False)
            if count
        }
        read["events"] = counts.events
        if counts.events:
            read |= {"first": counts.first, "last": counts.last}
        return Happening(
            tenant,
            "sealog.read.by_key",
            name,
            end_us,
            actor_of(told.key, self._name(told.key), counts.origins),
            {"read": read},
            {"start": hour, "end": _time(end_us)},
        )

    def _tell_of_key(self, action: str, key: Key, at_us: int, actor: dict[str, Any]) -> None:
        shown = {
            "id": key.id,
            "name": key.name,
            "scopes": list(key.scopes),
            "all_tenants": key.tenants is None,
        }
        if key.tenants is None:
            reached = self._tenants.all()
        else:
            found = map(self._tenants.get, key.tenants)
            reached = [tenant for tenant in found if tenant is not None]
        name = f"{action}/{key.id}"
        self.record(
            Happening(tenant, action, name, at_us, actor, {"key": shown}) for tenant in reached
        )

    def _name(self, key_id: str) -> str:
        if key_id == LENT:
            return "whoever has the data folder"
        key = self._keys.get(key_id)
        return "" if key is None else key.name

    def _drafted(self, place: int, one: Happening) -> tuple[Record, Draft]:
        known = self._catalog.find(DIALECT, one.action)
        assert known is not None
        event = {
            "kind": known.kind,
            "category": known.category,
            "type": known.type,
            "action": one.action,
            "outcome": known.outcome,
            "provider": DIALECT,
            **one.event,
        }
        actor = dict(one.actor)
        sealog = {"actor": actor.pop("sealog"), **one.details}
        written = msgspec.json.encode({"event": event, **actor, "sealog": sealog})
        draft = Draft(
            tree=_tree({"event": event, **actor, "sealog": sealog}),
            dialect=DIALECT,
            action=one.action,
            alias=one.action,
            at_us=one.at_us,
            at_text=_time(one.at_us),
            id=ids.id_from_request(one.tenant.key, DIALECT, one.name, 0),
            known=True,
            declared=self._catalog.entry_paths(DIALECT, one.action),
            clean=True,
        )
        return Record(place=place, received=written, text=written), draft


def id_of_change(tenant: Tenant, kind: str, version: int) -> str:
    """The id of the event that tells of a version of what a tenant chose."""
    _, name = _told_as(kind, version)
    return ids.id_from_request(tenant.key, DIALECT, name, 0)


def _told_as(kind: str, version: int) -> tuple[str, str]:
    action = f"sealog.{kind}.changed"
    return action, f"{action}/{version}"


def actor_of(key_id: str, name: str, origins: Sequence[Origin]) -> dict[str, Any]:
    """A key as an actor: `source.ip` is where it came from last.

    `sealog.actor` has what kind it is, all addresses where there were several, and those at the
    other end of the connection where they were a proxy's.
    """
    user = {"id": key_id}
    if name:
        user["name"] = name
    clients = list(dict.fromkeys(one.client for one in origins if one.client))
    peers = list(dict.fromkeys(one.peer for one in origins if one.peer and one.peer != one.client))
    kind: dict[str, Any] = {"kind": "key"}
    if len(clients) > 1:
        kind["addresses"] = clients
    if peers:
        kind["peers"] = peers
    actor: dict[str, Any] = {"user": user, "sealog": kind}
    if clients:
        actor["source"] = {"ip": clients[-1]}
    return actor


def _not_recorded(told: Unkept, tenant: Tenant) -> Happening:
    begin_us, end_us = told.hour * HOUR_US, (told.hour + 1) * HOUR_US
    hour = _time(begin_us)
    types = [
        {"dialect": dialect, "action": action, "records": records}
        if dialect
        else {"others": True, "records": records}
        for dialect, action, records in told.types
    ]
    total = sum(records for _, _, records in told.types)
    return Happening(
        tenant,
        "sealog.intake.not_recorded",
        f"intake.not_recorded/{told.hour}/{told.since_us}",
        end_us,
        _BY_ITSELF,
        {"not_recorded": {"hour": hour, "records": total, "types": types}},
        {"start": hour, "end": _time(end_us)},
    )


def _batched(happenings: Iterable[Happening]) -> Iterator[list[Happening]]:
    left = iter(happenings)
    while some := list(islice(left, EVENTS_AT_ONCE)):
        yield some


def _tree(value: dict[str, Any]) -> tokens.Tree:
    return {
        key: _tree(inner) if isinstance(inner, dict) else tokens.raw(inner)
        for key, inner in value.items()
    }


def _time(at_us: int) -> str:
    text = times.format_us(at_us)
    assert text is not None
    return text
