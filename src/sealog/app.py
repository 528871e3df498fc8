"""Builds every part and joins them: the only file that knows all."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sealog.access.keys import Keys
from sealog.access.tenants import Tenants
from sealog.archive.archive import Archive
from sealog.archive.archive import Settings as ArchiveSettings
from sealog.catalog.shelf import Catalog
from sealog.catalog.shelf import load as load_catalog
from sealog.config import Settings
from sealog.dialects.dialect import Settings as DialectSettings
from sealog.errors import Corrupt
from sealog.event.tenants import Tenant
from sealog.intake.accept import Intake
from sealog.intake.accept import Settings as IntakeSettings
from sealog.journal.journal import Journal
from sealog.journal.journal import Settings as JournalSettings
from sealog.ledger.installation import Installation, open_installation
from sealog.ledger.ledger import Ledger
from sealog.ledger.ledger import Settings as LedgerSettings
from sealog.storage.folder import Folder
from sealog.storage.store import Store

SWITCH_INTERVAL_S = 0.0005
"""How long a thread may keep the interpreter while the event loop waits for it (measured: 0.5 ms
gives a quick answer beside a busy preparing thread and costs nothing in throughput)."""


class App(msgspec.Struct, frozen=True):
    """Every part of a running Sealog."""

    folder: Folder
    settings: Settings
    catalog: Catalog
    installation: Installation
    store: Store
    tenants: Tenants
    keys: Keys
    journal: Journal
    ledger: Ledger
    archive: Archive
    intake: Intake

    def settle(self) -> None:
        """Return when everything accepted so far is sealed, signed and synced."""
        self.ledger.settle()


def clock_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


@contextmanager
def running(
    path: Path, settings: Settings | None = None, *, against: Iterable[bytes] = ()
) -> Iterator[App]:
    """Own a data folder, made where missing, and run everything on it until the block ends.

    Raises `Misconfigured` where another process owns it, and kinds of `Corrupt` where what rests in
    it is not what was written or signed. `against`: checkpoints the logs must grow from.
    """
    settings = settings or Settings()
    folder = Folder(path)
    folder.make()
    folder.check_format()
    folder.own()
    try:
        yield from _run(folder, settings, against)
    finally:
        folder.release()


def _run(folder: Folder, settings: Settings, against: Iterable[bytes]) -> Iterator[App]:
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    store = Store(folder.state)
    try:
        app = _joined(folder, settings, store)
        app.ledger.start(against=against)
        try:
            app.archive.start()
            try:
                yield app
            finally:
                app.intake.close()
                app.archive.stop()
        finally:
            # After the archive: what it cut is noted, so that the next start reads little.
            app.ledger.stop()
    finally:
        store.close()


def _known(tenants: Tenants, number: int) -> Tenant:
    tenant = tenants.numbered(number)
    if tenant is None:
        raise Corrupt(f"there are events of tenant {number}, which is not in the list of tenants")
    return tenant


def _joined(folder: Folder, settings: Settings, store: Store) -> App:
    catalog = load_catalog()
    installation = open_installation(
        store, folder.keys, os.urandom, name=settings.installation.name
    )
    tenants = Tenants(store, clock_us, os.urandom)
    journal = Journal(
        store, clock_us, JournalSettings(waiting_events_max=settings.journal.waiting_events_max)
    )
    ledger = Ledger(
        (store, journal, folder),
        installation,
        tenants.numbered,
        time.monotonic,
        LedgerSettings(
            sign_every_s=settings.ledger.sign_every_s, sync_every_s=settings.ledger.sync_every_s
        ),
    )
    archive = Archive(
        store,
        folder,
        journal,
        lambda number: _known(tenants, number),
        ArchiveSettings(
            segment_events=settings.archive.segment_events,
            waiting_events_max=settings.archive.waiting_events_max,
        ),
        secret=installation.secret("cursors"),
    )
    intake = Intake(
        journal,
        tenants,
        (catalog, clock_us, os.urandom),
        ledger.entry,
        IntakeSettings(
            inline_bytes_max=settings.intake.inline_bytes_max,
            preparing_bytes_max=settings.intake.preparing_bytes_max,
            dialects={"logichub": DialectSettings(day_first=settings.dialects.logichub.day_first)},
        ),
    )
    return App(
        folder=folder,
        settings=settings,
        catalog=catalog,
        installation=installation,
        store=store,
        tenants=tenants,
        keys=Keys(store, clock_us, os.urandom),
        journal=journal,
        ledger=ledger,
        archive=archive,
        intake=intake,
    )
