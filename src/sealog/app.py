"""Builds every part and joins them: the only file that knows all."""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sealog.access.keys import Keys
from sealog.access.limits import Limits
from sealog.access.limits import Settings as LimitSettings
from sealog.access.reads import Reads
from sealog.access.tenants import Tenants
from sealog.archive import migrating, repairing
from sealog.archive.archive import Archive
from sealog.archive.archive import Settings as ArchiveSettings
from sealog.archive.migrating import Progress
from sealog.archive.repairing import Repaired
from sealog.catalog.shelf import Catalog
from sealog.catalog.shelf import load as load_catalog
from sealog.compat import contract, easysend, easysend_keys, interfaces
from sealog.config import ServerSettings, Settings
from sealog.delivery.opening import Chances, Chosen, Delivery, delivery
from sealog.delivery.services import Services
from sealog.dialects.dialect import Settings as DialectSettings
from sealog.errors import Corrupt
from sealog.event.tenants import Tenant
from sealog.exports.exports import Exports, World
from sealog.exports.exports import Settings as ExportSettings
from sealog.exports.noting import noting
from sealog.intake.accept import Intake
from sealog.intake.accept import Settings as IntakeSettings
from sealog.intake.heeding import heed
from sealog.intake.recording import Recorder
from sealog.intake.telling import Teller
from sealog.journal.journal import Journal
from sealog.journal.journal import Settings as JournalSettings
from sealog.ledger.installation import Installation, open_installation, read_installation
from sealog.ledger.ledger import Ledger
from sealog.ledger.ledger import Settings as LedgerSettings
from sealog.lifecycle import opening as retention
from sealog.lifecycle.opening import Below
from sealog.lifecycle.retaining import Retainer
from sealog.policy.policies import Policies
from sealog.policy.unrecorded import Unrecorded
from sealog.rendering.rendering import Renderer
from sealog.server import deriving
from sealog.server.application import build
from sealog.server.door import Door
from sealog.server.gauges import registry_of
from sealog.server.origins import Origins
from sealog.server.parts import Clocks, Parts
from sealog.server.settings import Settings as ApiSettings
from sealog.storage.folder import FORMAT, Folder
from sealog.storage.store import Store

SWITCH_INTERVAL_S = 0.0005
"""How long a thread may keep the interpreter while the event loop waits for it (measured: 0.5 ms
gives a quick answer beside a busy preparing thread and costs nothing in throughput)."""

OBJECTS_UNTIL_COLLECTED = 50_000
"""A batch of a thousand records is tens of thousands of objects and no cycle: looking for cycles
every 700 objects costs a fifth of preparing (measured: 22 of 110 us an event of Closer's)."""


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
    reads: Reads
    recorder: Recorder
    policies: Policies
    teller: Teller
    exports: Exports
    """Made once it is started, which is the server's to do."""
    delivery: Delivery
    services: Services
    """The same of its streams."""
    retainer: Retainer
    """The same of what expires."""
    is_looking: bool = False
    """It reads beside the process that owns the folder, and accepts nothing."""

    def settle(self) -> None:
        """Return when everything accepted so far is sealed, signed and synced."""
        self.ledger.settle()


def clock_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


@contextmanager
def running(
    path: Path,
    settings: Settings | None = None,
    *,
    against: Iterable[bytes] = (),
    workers: int = 0,
) -> Iterator[App]:
    """Own a data folder, made where missing, and run everything on it until the block ends.

    Raises `Misconfigured` where another process owns it, and kinds of `Corrupt` where what rests in
    it is not what was written or signed. `against`: checkpoints the logs must grow from; `workers`:
    processes that prepare larger bodies. A folder of an older format is brought along first.
    """
    settings = settings or Settings()
    folder = Folder(path)
    folder.make()
    folder.check_format(may_be_older=True)
    folder.own()
    try:
        yield from _run(folder, settings, against, workers)
    finally:
        folder.release()


def exists(path: Path) -> bool:
    """Whether there is a data folder."""
    return Folder(path).exists()


def is_owned(path: Path) -> bool:
    """Whether a process, such as a server, owns the data folder now."""
    return Folder(path).owned()


def check_format(path: Path) -> None:
    """Refuse a folder of another format than this program's, however it is to be read."""
    Folder(path).check_format()


def is_older(path: Path) -> bool:
    """Whether there is a data folder of an older format."""
    folder = Folder(path)
    return folder.exists() and folder.check_format(may_be_older=True) < FORMAT


def migrate(path: Path, progress: Progress) -> list[Corrupt]:
    """Bring an older folder along; what of it is damaged and was left as it is.

    Raises `Misconfigured` where it is no data folder, or a process owns it.
    """
    with _owning(path) as (folder, store):
        if folder.check_format(may_be_older=True) == FORMAT:
            return []
        return migrating.migrate(store, folder, _numbered(store), progress)


def repair(path: Path, backup: Path | None, progress: Progress) -> Repaired:
    """Repair what can be repaired of a folder's segments; raises as `migrate`."""
    with _owning(path) as (folder, store):
        folder.check_format()
        return repairing.repair(store, folder, _numbered(store), backup, progress)


@contextmanager
def _owning(path: Path) -> Iterator[tuple[Folder, Store]]:
    folder = Folder(path)
    folder.check_format(may_be_older=True)
    folder.own()
    try:
        store = Store(folder.state)
        try:
            yield folder, store
        finally:
            store.close()
    finally:
        folder.release()


def _numbered(store: Store) -> Callable[[int], Tenant]:
    tenants = Tenants(store, clock_us, os.urandom)
    return lambda number: _known(tenants, number)


@contextmanager
def looking(path: Path, settings: Settings | None = None) -> Iterator[App]:
    """Read a data folder as it is now, beside the process that owns it; nothing is written.

    What the owner accepts later is not seen. `intake` and `settle` MUST NOT be used.
    """
    folder = Folder(path)
    folder.check_format()
    store = Store(folder.state, writable=False)
    try:
        installation = read_installation(store, folder.keys)
        app = _joined(folder, settings or Settings(), store, installation)
        app.archive.look()
        try:
            yield msgspec.structs.replace(app, is_looking=True)
        finally:
            app.intake.close()
            app.archive.stop()
    finally:
        store.close()


def api(app: App, server: ServerSettings | None = None) -> Door:
    """The API of a running Sealog. `server` says more than the app's own settings."""
    limits = server or app.settings.server
    parts = Parts(
        tenants=app.tenants,
        keys=app.keys,
        limits=Limits(LimitSettings(limits.requests_per_s, limits.requests_burst)),
        reads=app.reads,
        recorder=app.recorder,
        policies=app.policies,
        intake=app.intake,
        archive=app.archive,
        ledger=app.ledger,
        size=app.journal.size,
        catalog=app.catalog.published(),
        clocks=Clocks(clock_us, time.monotonic),
        randomness=os.urandom,
        origins=Origins(limits.trusted_proxies, limits.proxy_header),
        exports=app.exports,
        delivery=app.delivery,
        service=app.services.read,
        forecast=app.archive.forecast,
        trust=None if app.is_looking else app.retainer,
        ready=lambda: _trouble(app),
        registry=registry_of(
            app.journal, app.ledger, app.archive, app.delivery.streams, app.retainer
        ),
    )
    own = ApiSettings(tails_per_key_max=limits.tails_per_key)
    logs = easysend.Settings(**app.settings.compat.easysend.model_dump())
    key = os.environ.get(easysend_keys.VARIABLE)
    more = interfaces.routes(parts, own) + easysend.routes(
        parts, app.archive, logs, Renderer("easysend"), key
    )
    return build(parts, own, more=more, described=contract.described(own))


def _trouble(app: App) -> str | None:
    """Why nothing should be sent here now: what follows the journal does not get on.

    Told to whoever asks, with or without a key: it names no tenant and no file.
    """
    trouble = app.ledger.failure or app.archive.trouble()
    if trouble is not None:
        return f"the journal is not followed: {type(trouble).__name__}"
    trouble = app.teller.trouble
    if trouble is not None:
        return f"reading is not recorded: {type(trouble).__name__}"
    ended = app.delivery.streams.trouble
    return None if ended is None else f"streams have ended: {type(ended).__name__}"


def _run(
    folder: Folder, settings: Settings, against: Iterable[bytes], workers: int
) -> Iterator[App]:
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.set_threshold(OBJECTS_UNTIL_COLLECTED, *gc.get_threshold()[1:])
    store = Store(folder.state)
    try:
        installation = open_installation(
            store, folder.keys, os.urandom, name=settings.installation.name
        )
        if folder.check_format(may_be_older=True) < FORMAT:
            migrating.migrate(store, folder, _numbered(store), lambda _done, _total: None)
        app = _joined(folder, settings, store, installation, workers)
        app.ledger.start(against=against)
        try:
            app.archive.start()
            try:
                app.teller.start()
                try:
                    yield app
                finally:
                    app.retainer.stop()
                    app.services.stop()
                    app.delivery.streams.stop()
                    app.exports.stop()
                    app.intake.close()
                    app.teller.stop()
            finally:
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


def _kept(
    folder: Folder, settings: Settings, store: Store, installation: Installation, tenants: Tenants
) -> tuple[Journal, Ledger, Policies, Archive]:
    """Where events rest, and for how long."""
    journal = Journal(store, clock_us, JournalSettings(**settings.journal.model_dump()))
    ledger = Ledger(
        (store, journal, folder),
        installation,
        tenants.numbered,
        time.monotonic,
        LedgerSettings(**settings.ledger.model_dump()),
    )
    policies = Policies(store, clock_us)
    archive = Archive(
        *(store, folder, journal, lambda number: _known(tenants, number)),
        ArchiveSettings(**settings.archive.model_dump()),
        secret=installation.secret("cursors"),
        retention=policies.retention,
        clock_us=clock_us,
    )
    return journal, ledger, policies, archive


def _joined(
    folder: Folder,
    settings: Settings,
    store: Store,
    installation: Installation,
    workers: int = 0,
) -> App:
    catalog = load_catalog()
    chances = (catalog, clock_us, os.urandom)
    tenants = Tenants(store, clock_us, os.urandom)
    journal, ledger, policies, archive = _kept(folder, settings, store, installation, tenants)
    unrecorded = Unrecorded(store, clock_us)
    prepared = IntakeSettings(
        inline_bytes_max=settings.intake.inline_bytes_max,
        workers=workers,
        preparing_bytes_max=settings.intake.preparing_bytes_max,
        dialects={"logichub": DialectSettings(day_first=settings.dialects.logichub.day_first)},
    )
    intake = Intake(journal, tenants, chances, ledger.entry, prepared, note=unrecorded.note)
    heed(policies, tenants, intake)
    keys = Keys(store, clock_us, os.urandom, create_by_naming=settings.access.create_by_naming)
    reads = Reads(store, clock_us)
    recorder = Recorder(journal, (tenants, keys), chances)
    noted = noting(reads, tenants.numbered)
    world = World(
        *(tenants.numbered, journal.size, os.urandom, clock_us, deriving.DERIVE, noted),
        spare_us=lambda number: retention.spare_us(policies, number),
        first_expiry_us=archive.first_expiry_us,
    )
    own = ExportSettings(**settings.exports.model_dump())
    exports = Exports(store, folder, archive, world, own)
    rooms = (store, journal, archive, policies, catalog)
    below = Below(*rooms, tenants.numbered, clock_us, os.urandom, exports.recall)
    sent = delivery(
        (store, archive, tenants, recorder),
        Chosen(**settings.delivery.model_dump(), data=folder.path),
        Chances(clock_us, os.urandom),
        deriving.DERIVE,
    )
    return App(
        folder=folder,
        settings=settings,
        catalog=catalog,
        installation=installation,
        store=store,
        tenants=tenants,
        keys=keys,
        journal=journal,
        ledger=ledger,
        archive=archive,
        intake=intake,
        reads=reads,
        recorder=recorder,
        policies=policies,
        teller=Teller(reads, recorder, clock_us, unrecorded, policies),
        exports=exports,
        retainer=retention.opened(below),
        delivery=sent,
        services=Services(sent, policies, tenants.numbered, archive.by_id),
    )
