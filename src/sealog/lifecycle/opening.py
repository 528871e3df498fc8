"""Retention, joined to the rooms below it."""

import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from sealog.archive.classes import keep_of
from sealog.catalog.shelf import Catalog
from sealog.event.tenants import Tenant
from sealog.intake.stating import Stater
from sealog.journal.journal import Journal
from sealog.lifecycle import machine
from sealog.lifecycle.retaining import Retainer, Source, World
from sealog.lifecycle.trust import Trust
from sealog.policy.policies import Policies
from sealog.storage.store import Store, driver

TRUNCATED_WITHIN = 192
"""The write-ahead log holds what was deleted no longer than so small a part of the shortest time."""
SPARE_WITHIN = 48
"""What is in an export is kept for so large a part of the shortest time still, at least."""
SECOND_US = 1_000_000


class Sorting(Source, Protocol):
    """Where events rest, by how long they are kept; see `archive.archive.Archive`."""

    def reclass(self, tenant: int) -> None:
        """The rules of the tenant of that number have changed."""
        ...


class Below(msgspec.Struct, frozen=True):
    """What retention stands on."""

    store: Store
    journal: Journal
    archive: Sorting
    policies: Policies
    catalog: Catalog
    tenants: Callable[[int], Tenant | None]
    clock_us: Callable[[], int]
    randomness: Callable[[int], bytes]
    recall: Callable[[int], None] = lambda _: None
    """Told the number of a tenant whose copies elsewhere are to go: its rules have changed."""


def opened(below: Below) -> Retainer:
    """Retention on a data folder; nothing is done before it is started."""
    clock_us, policies = below.clock_us, below.policies
    stater = Stater(below.journal, below.catalog, clock_us, below.randomness)
    world = World(
        tenants=below.tenants,
        rules=policies.retention,
        shortest_s=policies.shortest_s,
        state=stater.state,
        keep_of=keep_of,
        monotonic_s=time.monotonic,
    )
    trust = Trust(below.store, machine.clocks(clock_us), lambda: newest_us(below.store))
    retainer = Retainer(below.store, below.archive, trust, world)
    _heed(below, retainer.hurry)
    return retainer


def _heed(below: Below, hurry: Callable[[], None]) -> None:
    """How long events are kept holds everywhere, now and whenever it is changed."""

    def changed(tenant: int, kind: str) -> None:
        if kind == "retention":
            below.store.truncate_every(truncated_every_s(below.policies))
            below.archive.reclass(tenant)
            below.recall(tenant)
            hurry()

    below.store.truncate_every(truncated_every_s(below.policies))
    below.policies.watch(changed)


def truncated_every_s(policies: Policies) -> float:
    """How often the write-ahead log is to be truncated, at least."""
    shortest = policies.shortest_s()
    return float("inf") if shortest is None else shortest / TRUNCATED_WITHIN


def spare_us(policies: Policies, tenant: int) -> int:
    """For how long what goes into an export of a tenant is to be kept still, at least."""
    shortest = policies.retention(tenant).shortest_s()
    return 0 if shortest is None else shortest * SECOND_US // SPARE_WITHIN


def newest_us(store: Store) -> int | None:
    """When the newest event was accepted, as the journal's blocks say; 0 where none is left.

    None: nothing ever was.
    """
    with store.reading() as connection:
        inner = driver(connection)
        found: int | None = inner.execute("SELECT max(accepted_us) FROM blocks").fetchone()[0]
        if found is None and inner.execute("SELECT 1 FROM heads LIMIT 1").fetchone() is not None:
            return 0
        return found
