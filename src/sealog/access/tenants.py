"""The tenants that exist, in memory; a new one is durable before anybody is told of it."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select, update

from sealog.event import ids
from sealog.event.tenants import Tenant
from sealog.storage.store import Store
from sealog.storage.tables import tenants as table

LOG_ID_BYTES = 16
TENANT_KEY_BYTES = 32

Clock = Callable[[], int]
"""Microseconds since 1970."""
Randomness = Callable[[int], bytes]
"""That many random bytes, fit for keys."""


class Registration(msgspec.Struct, frozen=True, gc=False):
    """A tenant with what the doors need to know of it beside its identity."""

    tenant: Tenant
    created_us: int
    public: bool
    """Whether its sealed log may be read without a key: sizes tell activity."""


class Tenants:
    """Every tenant of the installation. Reading is from memory, from any thread."""

    def __init__(self, store: Store, clock: Clock, randomness: Randomness) -> None:
        self._store = store
        self._clock = clock
        self._randomness = randomness
        # Replaced entry by entry, never emptied: readers take no lock.
        self._by_name: dict[str, Registration] = {}
        self._by_number: dict[int, Registration] = {}
        self._by_log_id: dict[str, Registration] = {}
        self._writing = threading.Lock()
        with store.reading() as connection:
            for row in connection.execute(select(table).order_by(table.c.number)):
                self._keep(_registration(row))

    def get(self, name: str) -> Tenant | None:
        """The tenant of that name, if it exists."""
        found = self._by_name.get(name)
        return None if found is None else found.tenant

    def numbered(self, number: int) -> Tenant | None:
        """The tenant whose row has that number, if it exists."""
        found = self._by_number.get(number)
        return None if found is None else found.tenant

    def registration(self, name: str) -> Registration | None:
        """The tenant of that name with its settings, if it exists."""
        return self._by_name.get(name)

    def logged(self, log_id: str) -> Registration | None:
        """The tenant whose sealed log has that id (32 hex digits), if it exists."""
        return self._by_log_id.get(log_id)

    def all(self) -> list[Tenant]:
        """Every tenant, in the order they were made."""
        return [found.tenant for found in list(self._by_number.values())]

    def make(self, names: Iterable[str]) -> dict[str, Tenant]:
        """The tenants of these names, made where missing; durable when this returns.

        Blocks only where one is missing. Whoever asks for a name, however many at once, gets the
        same tenant. Raises `Refused` for a name that may not be one, before anything is made.
        """
        wanted = dict.fromkeys(names)
        missing = [name for name in wanted if name not in self._by_name]
        if missing:
            for name in missing:
                ids.check_tenant(name)
            with self._writing:
                self._insert([name for name in missing if name not in self._by_name])
        return {name: self._by_name[name].tenant for name in wanted}

    def set_public(self, name: str, *, public: bool) -> Registration:
        """Open or close a tenant's sealed log to those without a key. The tenant MUST exist."""
        with self._writing:
            before = self._by_name[name]
            change = update(table).where(table.c.number == before.tenant.number)
            values = change.values(public=int(public))
            self._store.write(lambda connection: connection.execute(values).rowcount).result()
            after = msgspec.structs.replace(before, public=public)
            self._keep(after)
        return after

    def _insert(self, names: list[str]) -> None:
        """Write rows and wait until they are durable. Runs under the lock: one at a time."""
        if not names:
            return
        rows = [
            {
                "name": name,
                "log_id": self._randomness(LOG_ID_BYTES).hex(),
                "key": self._randomness(TENANT_KEY_BYTES),
                "created_us": self._clock(),
                "public": 0,
            }
            for name in names
        ]

        def work(connection: Connection) -> list[Registration]:
            connection.execute(insert(table), rows)
            chosen = select(table).where(table.c.name.in_(names)).order_by(table.c.number)
            return [_registration(row) for row in connection.execute(chosen)]

        # Batches carry a tenant's key and number; they may only ever name a row that is there.
        for made in self._store.write(work).result():
            self._keep(made)

    def _keep(self, registration: Registration) -> None:
        tenant = registration.tenant
        self._by_number[tenant.number] = registration
        self._by_log_id[tenant.log_id] = registration
        self._by_name[tenant.name] = registration


def _registration(row: Row[Any]) -> Registration:
    tenant = Tenant(row.number, row.name, row.log_id, row.key)
    return Registration(tenant, row.created_us, bool(row.public))
