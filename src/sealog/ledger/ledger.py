"""Every tenant's sealed log: follows the journal, signs on a timer, serves what it signed.

The files under `logs/` are an image of the journal. After a crash they are cut back to the size
last noted as synced and filled again from the journal's blocks: that is the normal start. A
checkpoint is signed only for entries that the journal holds durably, and it is noted durably before
anybody sees it; nothing smaller, and nothing else of that size, is ever signed after it.
"""

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable

import msgspec
from sqlalchemy import Connection, select

from sealog.errors import Corrupt, Forked, Missing, Truncated
from sealog.event.packs import Opened
from sealog.event.parts import ENTRY_BYTES
from sealog.event.tenants import Tenant
from sealog.journal.blocks import Block
from sealog.journal.journal import Journal
from sealog.ledger import files, proofs
from sealog.ledger.files import LogFiles, LogReader, Tile
from sealog.ledger.installation import Installation
from sealog.ledger.notes import Checkpoint, read_checkpoint
from sealog.storage.files import sync_all
from sealog.storage.folder import Folder
from sealog.storage.store import Store, driver
from sealog.storage.tables import signed as table


class Settings(msgspec.Struct, frozen=True):
    """How often the logs are signed and synced."""

    sign_every_s: float = 1.0
    """The newest checkpoint is at most this much older than the newest entry in the files."""
    sync_every_s: float = 10.0
    """Files of all tenants are synced together at most this often, and then blocks may go."""
    logs_held_max: int = 2_000
    """Right edges held in memory; others are read back when their tenant writes again."""
    blocks_per_round: int = 512


class Ledger:
    """All sealed logs of one data folder; the only writer of `logs/`."""

    def __init__(
        self,
        rooms: tuple[Store, Journal, Folder],
        installation: Installation,
        tenant_of: Callable[[int], Tenant | None],
        clock_s: Callable[[], float],
        settings: Settings | None = None,
    ) -> None:
        """`clock_s`: monotonic seconds."""
        self._store, self._journal, self._folder = rooms
        self._installation = installation
        self._tenant_of = tenant_of
        self._clock_s = clock_s
        self._settings = settings or Settings()
        self._held: OrderedDict[int, LogFiles] = OrderedDict()
        self._sizes: dict[int, int] = {}
        self._unsigned: set[int] = set()
        self._unsynced: set[int] = set()
        self._after = 0
        self._wanted = threading.Event()
        self._stopping = False
        self._settled = threading.Condition()
        self._asked = self._done = 0
        self._thread = threading.Thread(target=self._follow, name="sealog-ledger", daemon=True)
        self.failure: Exception | None = None
        """Why the follower stopped, or what it tries again after; None while all is well."""

    def start(self, *, against: Iterable[bytes] = ()) -> None:
        """Bring the files to what the journal holds, check what was signed, and follow.

        Raises `Truncated`, `Altered` or `Forked`, naming the tenant, where that cannot be done.
        `against`: checkpoints that the logs must be consistent with (signed notes).
        """
        self._recover()
        self._check_signed()
        for note in against:
            self._check_against(note)
        self._thread.start()

    def stop(self) -> None:
        """Seal, sign and sync what is there, and stop following."""
        if self._thread.is_alive():
            self._stopping = True
            self._wanted.set()
            self._thread.join()

    def settle(self, timeout_s: float = 600.0) -> None:
        """Return when all that the journal holds now is sealed, signed and synced.

        Raises what stopped the follower, or `Corrupt` when the time is over.
        """
        with self._settled:
            self._asked += 1
            mine = self._asked
            self._wanted.set()
            self._settled.wait_for(
                lambda: self._done >= mine or not self._thread.is_alive(), timeout_s
            )
            if self._done >= mine:
                return
        raise self.failure or Corrupt("the sealed log did not settle in time")

    def lag(self) -> int:
        """Entries that are accepted and not yet in the files."""
        return sum(size - self._sizes.get(n, 0) for n, size in self._journal.sizes().items())

    def vkey(self, tenant: Tenant) -> str:
        """The key that verifies a tenant's checkpoints."""
        return str(self._installation.vkey(tenant))

    def origin(self, tenant: Tenant) -> str:
        """The origin of a tenant's log."""
        return self._installation.origin(tenant)

    def checkpoint(self, tenant: Tenant) -> bytes | None:
        """The newest signed note of a tenant's log, None before the first."""
        return files.read_note(self._folder.logs(tenant.log_id))

    def tile(self, tenant: Tenant, tile: Tile) -> bytes:
        """A tile or bundle below the newest checkpoint. Raises `Missing` beyond it."""
        return self._signed_reader(tenant)[0].resource(tile)

    def entry(self, tenant: Tenant, index: int) -> bytes:
        """The 33 bytes at an index, sealed already or still waiting."""
        if index >= self._sizes.get(tenant.number, 0):
            for block in self._journal.blocks_of(tenant.number, index):
                if block.first <= index:
                    at = (index - block.first) * ENTRY_BYTES
                    return block.entries[at : at + ENTRY_BYTES]
        return LogReader(self._folder.logs(tenant.log_id), index + 1).entry(index)

    def event_proof(self, tenant: Tenant, index: int, opened: Opened) -> bytes:
        """An offline proof of an event: see docs/formats/proof.md. `Missing` until it is signed."""
        reader, note = self._signed_reader(tenant)
        proof = proofs.prove(reader, index, note)
        return proofs.write_event_proof(opened, proof, self._installation.vkey(tenant))

    def consistency(self, tenant: Tenant, old: int, new: int) -> list[bytes]:
        """The path from the tree of `old` entries to that of `new`, both at most what is signed."""
        reader, _ = self._signed_reader(tenant)
        if new > reader.size:
            raise Missing(f"the log is signed up to {reader.size} entries")
        return LogReader(reader.folder, new).consistency(old)

    def _signed_reader(self, tenant: Tenant) -> tuple[LogReader, bytes]:
        note = self.checkpoint(tenant)
        if note is None:
            raise Missing("this log has no checkpoint yet", code="no-checkpoint")
        size = read_checkpoint(note, [self._installation.vkey(tenant)]).size
        return LogReader(self._folder.logs(tenant.log_id), size), note

    def _recover(self) -> None:
        for head in self._journal.heads():
            folder = self._folder.logs(self._tenant(head.tenant).log_id)
            try:
                self._sizes[head.tenant] = head.synced
                past = files.bytes_past(folder, head.synced)
                if head.size == head.synced and not past:
                    continue
                log = LogFiles(folder, head.synced)
                log.cut_back(head.synced)
                self._hold(head.tenant, log)
                for block in self._journal.blocks_of(head.tenant, head.synced):
                    self._take(log, block)
                if log.size != head.size:
                    raise Truncated(f"the journal has no entries from {log.size} to {head.size}")
            except Corrupt as error:
                raise type(error)(f"the log of {self._named(head.tenant)}: {error}") from error
        # Nothing is accepted before the start is over, so nothing lies between.
        self._after = self._journal.newest()

    def _check_signed(self) -> None:
        with self._store.reading() as connection:
            rows = connection.execute(select(table)).fetchall()
        for tenant, size, root, note in rows:
            name = self._named(tenant)
            held = self._sizes.get(tenant, 0)
            if held < size:
                raise Forked(
                    f"the log of {name} was signed at {size} entries and holds {held}: this folder"
                    " is older than what it signed"
                )
            reader = LogReader(self._folder.logs(self._tenant(tenant).log_id), size)
            if reader.root() != root:
                raise Forked(f"the log of {name} is not the one that was signed at {size} entries")
            if files.read_note(reader.folder) != note:
                LogFiles(reader.folder, size).keep_checkpoint(note)
            if held > size:
                self._unsigned.add(tenant)
        signed = {row.tenant for row in rows}
        self._unsigned.update(n for n, size in self._sizes.items() if size and n not in signed)

    def _check_against(self, note: bytes) -> None:
        pinned, tenant = self._pinned(note)
        size = self._sizes.get(tenant.number, 0)
        if size < pinned.size:
            raise Forked(f"{pinned.origin} holds {size} entries; the checkpoint has {pinned.size}")
        if LogReader(self._folder.logs(tenant.log_id), pinned.size).root() != pinned.root:
            raise Forked(f"{pinned.origin} does not grow from the checkpoint of {pinned.size}")

    def _pinned(self, note: bytes) -> tuple[Checkpoint, Tenant]:
        for number in self._sizes:
            tenant = self._tenant(number)
            if f"{self.origin(tenant)}\n".encode() == note[: len(self.origin(tenant)) + 1]:
                return read_checkpoint(note, [self._installation.vkey(tenant)]), tenant
        raise Forked("the checkpoint to start against is of a log that this folder does not have")

    def _follow(self) -> None:
        now = self._clock_s()
        sign_at, sync_at = now + self._settings.sign_every_s, now + self._settings.sync_every_s
        while True:
            try:
                stopping, asked = self._stopping, self._asked
                self._wanted.clear()
                caught_up = self._take_blocks()
                now = self._clock_s()
                force = (stopping or asked > self._done) and caught_up
                if force or now >= sign_at:
                    self._sign()
                    sign_at = now + self._settings.sign_every_s
                if force or now >= sync_at:
                    self._sync()
                    sync_at = now + self._settings.sync_every_s
                self.failure = None
                if force:
                    self._note_settled(asked)
                if stopping and force:
                    return None
                if caught_up and not self._wanted.is_set():
                    self._rest(min(sign_at, sync_at) - now)
            except OSError as error:
                # Nothing was noted as synced: the files are refilled from the journal.
                self.failure = error
                if self._stopping or self._wanted.wait(1.0):
                    return self._note_settled(self._done)
            except Exception as error:  # noqa: BLE001 - the operator must look; `failure` tells /readyz
                self.failure = error
                return self._note_settled(self._done)

    def _rest(self, longest_s: float) -> None:
        if not (self._unsigned or self._unsynced):
            longest_s = 0.25
        self._journal.wait(self._after, max(0.0, min(longest_s, 0.25)))

    def _take_blocks(self) -> bool:
        """Append one round of blocks; say whether that was all there is."""
        found = self._journal.follow(self._after, self._settings.blocks_per_round)
        waiting: dict[int, list[Block]] = defaultdict(list)
        for block in found:
            waiting[block.tenant].append(block)
        for number, blocks in waiting.items():
            log = self._log(number)
            for block in blocks:
                self._take(log, block)
        if found:
            self._after = found[-1].seq
        return len(found) < self._settings.blocks_per_round

    def _take(self, log: LogFiles, block: Block) -> None:
        """Append what a block has and the log has not."""
        if block.first > log.size:
            name = self._named(block.tenant)
            raise Truncated(f"the journal of {name} has no entries from {log.size}")
        log.append(block.entries[(log.size - block.first) * ENTRY_BYTES :])
        self._sizes[block.tenant] = log.size
        self._unsigned.add(block.tenant)
        self._unsynced.add(block.tenant)

    def _sign(self) -> None:
        """Sign every log that grew; noted durably first, then shown."""
        if not self._unsigned:
            return
        notes: list[tuple[int, int, bytes, bytes]] = []
        for number in self._unsigned:
            log = self._log(number)
            tenant = self._tenant(number)
            root = log.root()
            note = self._installation.signer(tenant).sign_checkpoint(
                self.origin(tenant), log.size, root
            )
            notes.append((number, log.size, root, note))

        def keep(connection: Connection) -> None:
            driver(connection).executemany(
                "INSERT OR REPLACE INTO signed (tenant, size, root, note) VALUES (?, ?, ?, ?)",
                notes,
            )

        self._store.write(keep).result()
        for number, _, _, note in notes:
            self._log(number).keep_checkpoint(note)
            self._unsynced.add(number)
        self._unsigned.clear()

    def _sync(self) -> None:
        """Make all files durable at once, then let the journal know."""
        if not self._unsynced:
            return
        synced = {number: self._sizes[number] for number in self._unsynced}
        sync_all(self._folder.path)
        self._store.write(
            lambda connection: self._journal.advance(connection, synced=synced)
        ).result()
        self._unsynced.clear()

    def _note_settled(self, upto: int) -> None:
        with self._settled:
            self._done = max(self._done, upto)
            self._settled.notify_all()

    def _log(self, number: int) -> LogFiles:
        log = self._held.get(number)
        if log is None:
            folder = self._folder.logs(self._tenant(number).log_id)
            log = LogFiles(folder, self._sizes.get(number, 0))
        self._hold(number, log)
        return log

    def _hold(self, number: int, log: LogFiles) -> None:
        self._held[number] = log
        self._held.move_to_end(number)
        while len(self._held) > self._settings.logs_held_max:
            self._held.popitem(last=False)

    def _tenant(self, number: int) -> Tenant:
        tenant = self._tenant_of(number)
        if tenant is None:
            raise Corrupt(
                f"there are events of tenant {number}, which is not in the list of tenants"
            )
        return tenant

    def _named(self, number: int) -> str:
        return f"tenant {self._tenant(number).name}"
