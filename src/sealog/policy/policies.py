"""Every tenant's settings and retention: in memory for whoever asks, each version in `state.db`.

A change and the event that tells of it are one: the version is written together with what is to be
told, it is told, and only then is it in force. Where we die in between, the next start tells what
was not told (`finish`); telling the same again adds nothing.
"""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, TypeVar

import msgspec
from sqlalchemy import Connection, Row, Select, func, insert, select, update

from sealog.errors import Busy, Conflict
from sealog.policy.retention import Retention
from sealog.policy.settings import TenantSettings
from sealog.storage.store import Store
from sealog.storage.tables import policies as table

Kind = Literal["settings", "retention"]

_V = TypeVar("_V", TenantSettings, Retention)


class Change(msgspec.Struct, frozen=True):
    """A version of one kind with what was before it; all that is told of it follows from this."""

    tenant: int
    kind: Kind
    at_us: int
    by: str
    """The key's id."""
    old: TenantSettings | Retention
    new: TenantSettings | Retention
    actor: dict[str, Any] = {}
    """Who did it, as the event shows it; empty once that is told."""


Tell = Callable[[Change], None]
"""Returns when the event that tells of a change is durable; the same again adds nothing."""


def _silent(_change: Change) -> None:
    """Nobody is told: for tests of other rooms."""


class Policies:
    """Reading is from memory, from any thread, and cheap; changing blocks until it is durable."""

    def __init__(self, store: Store, clock_us: Callable[[], int]) -> None:
        """`clock_us`: microseconds since 1970."""
        self._store = store
        self._clock_us = clock_us
        # Replaced entry by entry, never emptied: readers take no lock.
        self._settings: dict[int, TenantSettings] = {}
        self._retention: dict[int, Retention] = {}
        self._watchers: list[Callable[[int, Kind], None]] = []
        self._changing = threading.Lock()
        self._untold: list[tuple[int, Kind, int]] = []
        self._shortest_s: tuple[int | None] | None = None
        with store.reading() as connection:
            for row in connection.execute(_newest()):
                self._keep(row.tenant, _version(row))
            untold = select(table.c.tenant, table.c.kind, table.c.version)
            for tenant, kind, version in connection.execute(
                untold.where(table.c.untold.is_not(None)).order_by(table.c.at_us)
            ):
                self._untold.append((tenant, kind, version))

    def settings(self, tenant: int) -> TenantSettings:
        """What the tenant of that number chose."""
        return self._settings.get(tenant, _NO_SETTINGS)

    def retention(self, tenant: int) -> Retention:
        """How long what the tenant of that number has is kept."""
        return self._retention.get(tenant, _NO_RETENTION)

    def shortest_s(self) -> int | None:
        """The shortest that any event of any tenant, those to come included, may be kept."""
        known = self._shortest_s
        if known is None:
            all_of_them = [_NO_RETENTION, *self._retention.copy().values()]
            found = [one.shortest_s() for one in all_of_them]
            known = self._shortest_s = (
                min((one for one in found if one is not None), default=None),
            )
        return known[0]

    def chosen(self) -> Mapping[int, TenantSettings]:
        """The settings of every tenant that ever chose any."""
        return self._settings.copy()

    def watch(self, watcher: Callable[[int, Kind], None]) -> Callable[[], None]:
        """Call `watcher(tenant, kind)` once a change is in force, in the thread that changes it.

        It MUST be quick and MUST NOT raise. What is given back ends it.
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def change_settings(
        self,
        tenant: int,
        wanted: TenantSettings,
        *,
        by: str = "",
        actor: Mapping[str, Any] | None = None,
        tell: Tell = _silent,
    ) -> TenantSettings:
        """Put settings in force and give them with their version; durable, and told, on return.

        `wanted.version` MUST be the version in force, else `Conflict`. What changes nothing makes no
        version. Raises what `tell` raises: then the change is told, and in force, before the next
        one or after the next start; the very same asked for again is answered as done.
        """
        return self._change(tenant, "settings", wanted, (by, actor or {}, tell))

    def change_retention(
        self,
        tenant: int,
        wanted: Retention,
        *,
        by: str = "",
        actor: Mapping[str, Any] | None = None,
        tell: Tell = _silent,
    ) -> Retention:
        """As `change_settings`."""
        return self._change(tenant, "retention", wanted, (by, actor or {}, tell))

    def finish(self, tell: Tell) -> None:
        """Tell of every change that was written and not told, and put it in force."""
        with self._changing:
            self._finish(tell)

    def history(
        self, tenant: int, kind: Kind, limit: int, below: int | None = None
    ) -> list[Change]:
        """The versions, newest first, each with the one before it; `below`: only older than this."""
        rows = self._rows(tenant, kind, limit + 1, below, is_told=True)
        found = [_version(row) for row in rows]
        return [
            Change(tenant, kind, row.at_us, row.by, old, new)
            for row, new, old in zip(rows[:limit], found, [*found[1:], _NONE[kind]], strict=False)
        ]

    def _rows(
        self, tenant: int, kind: Kind, limit: int, below: int | None, *, is_told: bool = False
    ) -> list[Row[Any]]:
        wanted = select(table).where(table.c.tenant == tenant, table.c.kind == kind)
        if below is not None:
            wanted = wanted.where(table.c.version < below)
        if is_told:
            wanted = wanted.where(table.c.untold.is_(None))
        with self._store.reading() as connection:
            ordered = wanted.order_by(table.c.version.desc()).limit(limit)
            return list(connection.execute(ordered).all())

    def _change(
        self, tenant: int, kind: Kind, wanted: _V, telling: tuple[str, Mapping[str, Any], Tell]
    ) -> _V:
        by, actor, tell = telling
        with self._changing:
            self._finish(tell)
            old = self._now(tenant, kind)
            assert type(old) is type(wanted)
            is_behind = wanted.version == old.version - 1
            wanted_now = msgspec.structs.replace(wanted, version=old.version)
            # Asked for again, because the first answer was lost: it is done.
            if wanted_now == old and (is_behind or wanted.version == old.version):
                return wanted_now
            if wanted.version != old.version:
                raise Conflict(
                    f"version {old.version} is in force, not {wanted.version}: look again",
                    code="stale-version",
                    pointer="/version",
                )
            new = msgspec.structs.replace(wanted, version=old.version + 1)
            change = Change(tenant, kind, self._clock_us(), by, old, new, dict(actor))
            self._write(change)
            self._untold.append((tenant, kind, new.version))
            try:
                self._finish(tell)
            except Busy as busy:
                detail = "the change is noted, and in force once it can be told: send it again"
                raise Busy(f"{detail} ({busy})", retry_after_s=busy.retry_after_s) from busy
            return new

    def _finish(self, tell: Tell) -> None:
        while self._untold:
            tenant, kind, version = self._untold[0]
            change = self._written(tenant, kind, version)
            tell(change)
            # If we die here it is told again, under the same name: nothing is doubled.
            self._run(partial(_note_told, which=(tenant, kind, version)))
            self._untold.pop(0)
            self._keep(tenant, change.new)
            for watcher in tuple(self._watchers):
                watcher(tenant, kind)

    def _written(self, tenant: int, kind: Kind, version: int) -> Change:
        """What is to be told, from what is durable: whoever tells it again tells the very same."""
        row, *before = self._rows(tenant, kind, 2, version + 1)
        assert row.version == version
        old = _version(before[0]) if before else _NONE[kind]
        actor = msgspec.json.decode(row.untold, type=dict[str, Any])
        return Change(tenant, kind, row.at_us, row.by, old, _version(row), actor)

    def _write(self, change: Change) -> None:
        row = {
            "tenant": change.tenant,
            "kind": change.kind,
            "version": change.new.version,
            "at_us": change.at_us,
            "by": change.by,
            "body": msgspec.json.encode(_open(change.new)).decode(),
            "untold": msgspec.json.encode(change.actor),
            "secrets": _secrets(change.new),
        }
        self._run(lambda connection: connection.execute(insert(table), row).rowcount)

    def _run(self, work: Callable[[Connection], int]) -> None:
        assert self._store.write(work).result() == 1

    def _now(self, tenant: int, kind: Kind) -> TenantSettings | Retention:
        return self.settings(tenant) if kind == "settings" else self.retention(tenant)

    def _keep(self, tenant: int, version: TenantSettings | Retention) -> None:
        if isinstance(version, TenantSettings):
            self._settings[tenant] = version
        else:
            self._retention[tenant] = version
            self._shortest_s = None


def _newest() -> Select[Any]:
    """The rows of what is in force."""
    told = table.c.untold.is_(None)
    kinds = (table.c.tenant, table.c.kind)
    newest = select(*kinds, func.max(table.c.version).label("version")).where(told).group_by(*kinds)
    last = newest.subquery()
    return select(table).join(
        last,
        (table.c.tenant == last.c.tenant)
        & (table.c.kind == last.c.kind)
        & (table.c.version == last.c.version),
    )


def _note_told(connection: Connection, which: tuple[int, Kind, int]) -> int:
    tenant, kind, version = which
    changed = update(table).where(table.c.tenant == tenant, table.c.kind == kind)
    connection.execute(changed.where(table.c.version < version).values(secrets=None))
    return connection.execute(
        changed.where(table.c.version == version).values(untold=None)
    ).rowcount


def _open(version: TenantSettings | Retention) -> TenantSettings | Retention:
    """What may be read by whoever reads the file for what was chosen: nothing secret."""
    if isinstance(version, TenantSettings):
        return msgspec.structs.replace(version, secrets={})
    return version


def _secrets(version: TenantSettings | Retention) -> bytes | None:
    if isinstance(version, TenantSettings) and version.secrets:
        return msgspec.json.encode(version.secrets)
    return None


def _version(row: Row[Any]) -> TenantSettings | Retention:
    if row.kind == "settings":
        found = msgspec.json.decode(row.body, type=TenantSettings)
        if row.secrets is None:
            return found
        secrets = msgspec.json.decode(row.secrets, type=dict[str, Any])
        return msgspec.structs.replace(found, secrets=secrets)
    return msgspec.json.decode(row.body, type=Retention)


_NO_SETTINGS = TenantSettings()
_NO_RETENTION = Retention()
_NONE: Mapping[str, TenantSettings | Retention] = {
    "settings": _NO_SETTINGS,
    "retention": _NO_RETENTION,
}
