"""Every tenant's sealed log: follows the journal, signs on a timer, serves what it signed.

The files under `logs/` are an image of the journal. After a crash they are cut back to the size
last noted as synced and filled again from the journal's blocks: that is the normal start. A
checkpoint is signed only for entries that the journal holds durably, and it is noted durably before
anybody sees it; nothing smaller, and nothing else of that size, is ever signed after it.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from sealog.errors import Altered, Busy, Corrupt, Missing, Truncated
from sealog.event.packs import Opened
from sealog.event.parts import ENTRY_BYTES
from sealog.event.tenants import Tenant
from sealog.journal.blocks import Block
from sealog.journal.following import Following
from sealog.journal.journal import Journal
from sealog.ledger import files, proofs
from sealog.ledger.files import LogFiles, LogReader, Tile
from sealog.ledger.installation import Installation
from sealog.ledger.notes import peek_checkpoint, read_checkpoint
from sealog.ledger.recovery import Recovery, append_blocks
from sealog.ledger.signing import Note, Signing
from sealog.storage.files import sync_all, watch
from sealog.storage.folder import Folder
from sealog.storage.store import Store

TENANTS_AT_ONCE = 1_000
"""So many tenants are signed, or noted as synced, in one transaction: accepting never waits long."""
REST_S = 0.25
PAUSE_S = 0.1
"""Blocks of this long are taken together: under small requests that saves most of the work."""
RETRY_S = 1.0
_T = TypeVar("_T")


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
        self._signing = Signing(self._store, installation)
        self._sizes: dict[int, int] = {}
        self._unsigned: set[int] = set()
        self._unsynced: set[int] = set()
        # What the log of a tenant that was set back held before: it is signed from there on only.
        self._owed: dict[int, int] = {}
        self._lost = False
        self._following = Following(self._journal, self._append, self._reached, clock_s)
        self._sign_at = self._sync_at = 0.0
        self._wanted = threading.Event()
        self._disk: int | None = None
        self._stopping = threading.Event()
        self._settled = threading.Condition()
        self._asked = self._done = 0
        self._asked_of: Block | None = None
        self._over = False
        self._thread = threading.Thread(target=self._follow, name="sealog-ledger", daemon=True)
        self.failure: Exception | None = None
        """Why the follower stopped, what it tries again after, or what is wrong with a tenant that is
        set aside; None while all is well."""

    def start(self, *, against: Iterable[bytes] = ()) -> None:
        """Bring the files to what the journal holds, check what was signed, and follow.

        Raises `Truncated`, `Altered` or `Forked`, naming the tenant, where that cannot be done.
        `against`: checkpoints that the logs must be consistent with (signed notes).
        """
        # Before anything is written, so that no lost write goes unheard.
        self._disk = watch(self._folder.logs(""))
        recovery = Recovery(self._journal, self._folder, self._installation, self._tenant)
        recovery.run(self._signing.newest())
        for note in against:
            recovery.check_against(note)
        self._sizes.update(recovery.sizes)
        self._unsigned.update(recovery.unsigned)
        self._unsynced.update(recovery.unsynced)
        # Nothing is accepted before the start is over, so nothing lies between.
        self._following.after = self._journal.newest()
        now = self._clock_s()
        self._sign_at = now + self._settings.sign_every_s
        self._sync_at = now + self._settings.sync_every_s
        self._thread.start()

    def stop(self) -> None:
        """Seal, sign and sync what is there, and stop following."""
        if self._thread.is_alive():
            self._stopping.set()
            self._ask()
            self._thread.join()
        if self._disk is not None:
            os.close(self._disk)
            self._disk = None

    def settle(self, timeout_s: float = 600.0) -> None:
        """Return when all that the journal holds now is sealed, signed and synced.

        Raises what stopped the follower, or what it tries again after, or `Corrupt` when the time
        is over.
        """
        with self._settled:
            self._asked += 1
            mine = self._asked
            self._ask()
            self._settled.wait_for(lambda: self._done >= mine or self._over, timeout_s)
            if self._done >= mine and self._following.trouble() is None:
                return
        failure = self.failure or self._following.trouble()
        raise failure or Corrupt("the sealed log did not settle in time")

    def _ask(self) -> None:
        self._wanted.set()
        self._journal.rouse()

    def lag(self) -> int:
        """Entries that are accepted and not yet in the files."""
        return sum(size - self._sizes.get(n, 0) for n, size in self._journal.sizes().items())

    def vkey(self, tenant: Tenant) -> str:
        """The key that verifies a tenant's checkpoints."""
        return str(self._signing.signer(tenant).vkey)

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
        """The 33 bytes at an index, sealed already or still waiting. `Missing` beyond the last."""
        if not 0 <= index < self._journal.size(tenant.number):
            raise Missing(f"this log has no entry {index}")
        if index >= self._sizes.get(tenant.number, 0):
            # A request sent again asks for a thousand entries of one block.
            block = self._asked_of
            if (
                block is None
                or block.tenant != tenant.number
                or not block.first <= index < block.end
            ):
                block = self._asked_of = self._journal.block_at(tenant.number, index)
            if block is not None:
                at = (index - block.first) * ENTRY_BYTES
                return block.entries[at : at + ENTRY_BYTES]
        return LogReader(self._folder.logs(tenant.log_id), index + 1).entry(index)

    def event_proof(self, tenant: Tenant, index: int, opened: Opened) -> bytes:
        """An offline proof of an event: see docs/formats/proof.md. `Missing` until it is signed."""
        reader, note = self._signed_reader(tenant)
        vkey = self._signing.signer(tenant).vkey
        read_checkpoint(note, [vkey])
        return proofs.write_event_proof(opened, proofs.prove(reader, index, note), vkey)

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
        # Our own note: whoever is served checks the signature, we only need the size.
        size = peek_checkpoint(note).size
        return LogReader(self._folder.logs(tenant.log_id), size), note

    def _follow(self) -> None:
        try:
            while not self._round():
                pass
        except Exception as error:  # noqa: BLE001 - the operator must look; `failure` tells /readyz
            self.failure = error
        finally:
            with self._settled:
                self._over = True
                self._settled.notify_all()

    def _round(self) -> bool:
        """One turn of the follower; True when it was the last."""
        last = self._stopping.is_set()
        try:
            self._step(last)
        except (OSError, Busy) as error:
            # Nothing was noted as synced or signed: the same is tried again.
            self.failure = error
            self._stopping.wait(RETRY_S)
            return last
        # Of a tenant that is set aside; the others are sealed, signed and synced.
        self.failure = self._following.trouble()
        return last

    def _step(self, last: bool) -> None:  # noqa: FBT001 - one caller
        self._wanted.clear()
        asked = self._asked
        caught_up = self._take_blocks()
        while last and not caught_up:
            caught_up = self._take_blocks()
        now = self._clock_s()
        force = caught_up and (last or asked > self._done)
        if force or now >= self._sign_at:
            self._sign()
            signed_at = self._clock_s()
            # Signing thousands of logs takes a while; it never takes more than every other moment.
            self._sign_at = signed_at + max(self._settings.sign_every_s, signed_at - now)
        if force or now >= self._sync_at:
            self._sync()
            self._sync_at = self._clock_s() + self._settings.sync_every_s
        if force:
            self._note_settled(asked)
        elif caught_up and not self._wanted.is_set():
            self._rest(min(self._sign_at, self._sync_at) - now)

    def _rest(self, longest_s: float) -> None:
        if not (self._unsigned or self._unsynced):
            longest_s = REST_S
        if self._journal.wait(self._following.after, max(0.0, min(longest_s, REST_S))):
            self._wanted.wait(PAUSE_S)

    def _take_blocks(self) -> bool:
        """Append one round of blocks; say whether that was all there was when it began."""
        newest = self._journal.newest()
        looked_at = self._following.round(self._settings.blocks_per_round)
        return not looked_at or self._following.after >= newest

    def _append(self, waiting: Mapping[int, Sequence[Block]]) -> None:
        for number, blocks in waiting.items():
            try:
                log = self._log(number)
                if append_blocks(log, blocks):
                    self._grown(number, log)
            except Corrupt as error:
                raise self._set_back(number, error) from error

    def _reached(self, number: int) -> int:
        """From where a tenant that was set aside goes on; `Corrupt` where its files are not whole."""
        if number in self._owed:
            # Nothing of it is noted before its head, damaged meanwhile perhaps, can be read again.
            synced = self._journal.head(number).synced
            self._sizes[number] = max(self._sizes[number], synced)
            self._grown(number, self._log(number))
        return self._sizes.get(number, 0)

    def _grown(self, number: int, log: LogFiles) -> None:
        if log.size >= self._owed.get(number, 0):
            if number in self._owed:
                self._signing.check_grown(number, log.folder)
                del self._owed[number]
            self._unsigned.add(number)
        self._unsynced.add(number)
        self._sizes[number] = log.size

    def _set_back(self, number: int, error: Corrupt) -> Corrupt:
        """A tenant's files are not to be trusted: nothing of them is signed or noted as synced.

        It goes on from what was noted before, once its blocks and files let it. Gives what to tell.
        """
        self._owed[number] = max(self._owed.get(number, 0), self._sizes.get(number, 0))
        self._held.pop(number, None)
        self._unsigned.discard(number)
        self._unsynced.discard(number)
        try:
            self._sizes[number] = self._journal.head(number).synced
        except Altered:
            self._sizes[number] = 0
        known = self._tenant_of(number)
        return type(error)(f"the log of tenant {known.name if known else number}: {error}")

    def _or_aside(self, number: int, work: Callable[[int], _T]) -> _T | None:
        """Do one tenant's work; what is wrong with it is that tenant's trouble alone."""
        try:
            return work(number)
        except Corrupt as error:
            self._following.set_aside(number, self._set_back(number, error))
            return None

    def _sign(self) -> None:
        """Sign every log that grew; noted durably first, then shown."""
        for numbers in _some_at_once(self._unsigned):
            made = [self._or_aside(number, self._signed_note) for number in numbers]
            notes = [note for note in made if note is not None]
            self._signing.keep(notes)
            for number, _, _, note in notes:
                self._or_aside(number, partial(self._show, note))
            self._unsigned.difference_update(numbers)

    def _signed_note(self, number: int) -> Note:
        return self._signing.sign(self._tenant(number), self._log(number))

    def _show(self, note: bytes, number: int) -> None:
        self._log(number).keep_checkpoint(note)
        self._unsynced.add(number)

    def _sync(self) -> None:
        """Make all files durable at once, then let the journal know."""
        if not self._unsynced:
            return
        if self._lost:
            for number in sorted(self._unsynced):
                self._or_aside(number, self._write_again)
        # What a sync could not write the system may let go of, and call the next one good.
        self._lost = True
        # `logs/` may be a file system of its own.
        assert self._disk is not None
        sync_all(self._disk)
        self._lost = False
        for numbers in _some_at_once(self._unsynced):
            synced = {number: self._sizes[number] for number in numbers}

            def note(connection: Connection, synced: dict[int, int] = synced) -> None:
                self._journal.advance(connection, synced=synced)

            self._store.write(note).result()
            self._unsynced.difference_update(numbers)

    def _write_again(self, number: int) -> None:
        """Write everything since the size noted as synced once more, in place, from the journal."""
        synced, size = self._journal.head(number).synced, self._sizes[number]
        log = LogFiles(self._folder.logs(self._tenant(number).log_id), synced)
        # What comes after is taken in on its way, and what is wrong with it is told there.
        found = self._journal.blocks_of(number, synced, checked=False)
        blocks = [block for block in found if block.first < size]
        for block in blocks:
            block.check()
        append_blocks(log, blocks)
        if log.size != size:
            raise Truncated(f"the journal has no entries from {log.size} to {size}")
        self._hold(number, log)

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


def _some_at_once(numbers: Iterable[int]) -> Iterable[list[int]]:
    ordered = sorted(numbers)
    return [ordered[at : at + TENANTS_AT_ONCE] for at in range(0, len(ordered), TENANTS_AT_ONCE)]
