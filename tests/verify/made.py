"""A data folder of everything real: store, journal, ledger, archive and tenants, made for these tests."""

import itertools
import random
import shutil
import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from sealog.access.tenants import Tenants
from sealog.archive.archive import Archive, Settings
from sealog.event import times
from sealog.event.batch import Batch
from sealog.event.packs import Opened, Packer, repack
from sealog.event.parts import EVENT_ENTRY, STATEMENT_ENTRY, digest
from sealog.event.tenants import Tenant
from sealog.journal.journal import Journal
from sealog.ledger import ledger as sealing
from sealog.ledger.installation import open_installation
from sealog.ledger.ledger import Ledger
from sealog.storage.folder import Folder
from sealog.storage.store import Store

BEGIN_US = 1_700_000_000_000_000
STILL = Settings(segment_events=10**9, segment_age_s=1e9, cut_every_s=0.0, waiting_events_max=10**9)
"""Nothing comes to rest unless a test says so."""
SLOW = sealing.Settings(sign_every_s=1e9, sync_every_s=1e9)
"""Nothing is signed or synced unless a test says so."""

_numbers = itertools.count(1)


def stream(seed: int):
    """Bytes that look random and are the same every time."""
    return random.Random(seed).randbytes


def event(
    action: str = "user.login",
    *,
    at: int | None = None,
    kind: bytes = EVENT_ENTRY,
    sealog: dict[str, Any] | None = None,
    actor: str | None = "ada",
    tenant: str | None = None,
    erased: Iterable[int] = (),
) -> Opened:
    """An event with facts, and an actor unless it is None; parts in `erased` are digests only."""
    number = next(_numbers)
    at_us = BEGIN_US + 1_000_000 * (number if at is None else at)
    facts = {
        "@timestamp": times.format_us(at_us),
        "event": {"id": f"event-{number}", "action": action, "ingested": times.format_us(at_us)},
        "sealog": {"action": action, "dialect": "ecs", **(sealog or {})},
    }
    if tenant is not None:
        facts["organization"] = {"id": tenant}
    parts = [(0, bytes([number % 251]) * 16, msgspec.json.encode(facts))]
    if actor is not None:
        person = {"user": {"id": actor, "name": actor.title()}, "source": {"ip": "192.0.2.7"}}
        parts.append((1, bytes([number % 241]) * 16, msgspec.json.encode(person)))
    gone = set(erased)
    whole = Opened(kind, tuple(parts))
    if not gone:
        return whole
    return Opened(
        kind,
        tuple(part for part in parts if part[0] not in gone),
        tuple((n, digest(n, salt, part)) for n, salt, part in parts if n in gone),
    )


def statement(action: str, **says: Any) -> Opened:
    """One of Sealog's own words, version 1."""
    return event(action, kind=STATEMENT_ENTRY, sealog={"v": 1, **says}, actor=None)


def batch(tenant: Tenant, events: Sequence[Opened]) -> Batch:
    """Events of one tenant, ready for the journal; every id is new."""
    keys = [next(_numbers).to_bytes(16, "big") for _ in events]
    return Batch(
        tenant=tenant,
        places=list(range(len(events))),
        ids=[key.hex() for key in keys],
        id_keys=keys,
        fingerprints=keys,
        entries=[one.entry() for one in events],
        packs=repack(Packer(), list(events)),
    )


class Home:
    """A running data folder: everything but the doors."""

    def __init__(self, path: Path, *, name: str = "log.example.org", seed: int = 1) -> None:
        self.path = path
        self.folder = Folder(path)
        self._name = name
        self._randomness = stream(seed)
        self.start()

    def start(self) -> None:
        self.folder.make()
        self.folder.own()
        self.store = Store(self.folder.state)
        clock = itertools.count(BEGIN_US)
        self.installation = open_installation(
            self.store, self.folder.keys, self._randomness, name=self._name
        )
        self.tenants = Tenants(self.store, lambda: next(clock), self._randomness)
        self.journal = Journal(self.store, lambda: next(clock))
        seconds = itertools.count()
        self.ledger = Ledger(
            (self.store, self.journal, self.folder),
            self.installation,
            self.tenants.numbered,
            lambda: next(seconds),
            SLOW,
        )
        self.ledger.start()
        self.archive = Archive(
            self.store,
            self.folder,
            self.journal,
            self._numbered,
            STILL,
            secret=b"s" * 32,
        )
        self.archive.start()

    def _numbered(self, number: int) -> Tenant:
        tenant = self.tenants.numbered(number)
        assert tenant is not None
        return tenant

    def tenant(self, name: str) -> Tenant:
        return self.tenants.make([name])[name]

    def add(self, name: str, *events: Opened) -> list[int]:
        """Accept events and wait until they are visible; their indexes."""
        tenant = self.tenant(name)
        (outcome,) = self.journal.append([batch(tenant, events)]).result(30)
        assert self.archive.wait_for(tenant, outcome.indexes[-1], 30)
        return outcome.indexes

    def cut(self) -> None:
        """Bring everything to rest in segments."""
        self.archive.cut()

    def settle(self) -> None:
        """Seal, sign and sync everything."""
        self.ledger.settle(30)

    def close(self) -> None:
        self.ledger.stop()
        self.archive.stop()
        self.store.close()
        self.folder.release()

    def crash(self, path: Path) -> Path:
        """What a crash now would leave: nothing signed, synced or cut beyond what was."""
        for _ in range(2_000):
            if not self.ledger.lag():
                break
            time.sleep(0.005)
        shutil.copytree(self.path, path, ignore=shutil.ignore_patterns("*-shm"))
        return path

    def log(self, name: str) -> Path:
        return self.folder.logs(self.tenant(name).log_id)

    def vkey(self, name: str) -> str:
        return self.ledger.vkey(self.tenant(name))


def alter(path: Path, sql: str, *values: Any) -> int:
    """Change `state.db` as somebody with a SQLite shell would; how many rows changed."""
    connection = sqlite3.connect(path / "state.db")
    try:
        with connection:
            return connection.execute(sql, values).rowcount
    finally:
        connection.close()


def small(path: Path) -> Home:
    """A few tenants: one with a level above its entries, one with segments, blocks and a statement.

    `acme`: 300 entries sealed and archived. `bolt`: two segments, one of them of statements, an
    erased actor, and events that wait. `core`: one event, in the journal only.
    """
    home = Home(path)
    home.add("acme", *[event(at=number, tenant="acme") for number in range(128)])
    home.add("acme", *[event(actor=None) for _ in range(172)])
    home.add("bolt", event(tenant="bolt"), event("role.assign", erased=[1]))
    home.add("bolt", statement("sealog.erasure", ranges=[[1, 1]], parts=[1], reason="request"))
    home.cut()
    home.settle()
    home.add("bolt", event("user.logout"), event("user.login"))
    home.add("core", event(tenant="core"))
    home.settle()
    return home
