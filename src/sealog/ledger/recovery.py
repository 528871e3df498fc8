"""The normal start of the sealed logs: files become the journal's image again, whatever happened.

Files are cut back to the size last noted as synced and refilled from the journal's blocks. Then
what stands there must be what was signed before, in `state.db` and in the files beside it; a start
that would sign less, or otherwise, is refused before anything is cut.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from sealog.errors import Altered, Corrupt, Forked, Misconfigured, Truncated
from sealog.event.parts import ENTRY_BYTES
from sealog.event.tenants import Tenant
from sealog.journal.blocks import Block
from sealog.journal.heads import Head
from sealog.journal.journal import Journal
from sealog.ledger import files
from sealog.ledger.files import LogFiles, LogReader
from sealog.ledger.installation import Installation
from sealog.ledger.notes import Checkpoint, Signer, peek_checkpoint, read_checkpoint
from sealog.storage.folder import Folder

Signed = Mapping[int, Row[Any]]
"""Tenant → its row of `signed`."""


class Recovery:
    """One start; `run` is called once, before anything follows the journal."""

    def __init__(
        self,
        journal: Journal,
        folder: Folder,
        installation: Installation,
        tenant: Callable[[int], Tenant],
    ) -> None:
        self._journal = journal
        self._folder = folder
        self._installation = installation
        self._tenant = tenant
        # Of each tenant, as they were found: ten thousand logs are looked at three times.
        self._paths: dict[int, Path] = {}
        self._notes: dict[int, bytes | None] = {}
        self.sizes: dict[int, int] = {}
        """Tenant → entries in its files."""
        self.unsigned: set[int] = set()
        """Tenants with entries that no checkpoint covers yet."""
        self.unsynced: set[int] = set()
        """Tenants whose files were written to."""

    def run(self, signed: Signed) -> None:
        """Bring all files to what the journal holds.

        Raises `Truncated`, `Altered` or `Forked`, naming the tenant, where that cannot be done.
        """
        heads = self._journal.heads()
        for head in heads:
            self._check_age(head, signed.get(head.tenant))
        self._check_unheard({self._tenant(head.tenant).log_id for head in heads})
        for head in heads:
            self._recover(head, signed.get(head.tenant))
        for row in signed.values():
            self._check_signed(row)
        self.unsigned.update(n for n, size in self.sizes.items() if size and n not in signed)

    def check_against(self, note: bytes) -> None:
        """Raise `Forked` unless the log that a checkpoint names has grown from it."""
        try:
            origin = peek_checkpoint(note).origin
        except Altered as error:
            raise Misconfigured(f"what to start against is no checkpoint: {error}") from error
        tenants = (self._tenant(number) for number in self.sizes)
        found = [tenant for tenant in tenants if self._installation.origin(tenant) == origin]
        if not found:
            raise Forked(f"there is nothing here of {origin}, the log to start against")
        pinned = read_checkpoint(note, [self._installation.vkey(found[0])])
        size = self.sizes[found[0].number]
        if size < pinned.size:
            raise Forked(f"{origin} holds {size} entries; the checkpoint has {pinned.size}")
        if LogReader(self._path(found[0].number), pinned.size).root() != pinned.root:
            raise Forked(f"{origin} does not grow from the checkpoint of {pinned.size}")

    def _check_age(self, head: Head, row: Row[Any] | None) -> None:
        """A checkpoint is noted in `state.db` before it is shown: an unknown one tells its age."""
        name = self._named(head.tenant)
        if row is not None and head.size < row.size:
            raise Forked(
                f"the log of {name} was signed at {row.size} entries; the journal has {head.size}"
            )
        path = self._path(head.tenant)
        note = self._notes[head.tenant] = files.read_note(path)
        if note is None or (row is not None and note == row.note):
            return
        shown = self._shown(path.name, note)
        if shown is None or (row is not None and shown.size < row.size):
            return
        if row is None or (shown.size, shown.root) != (row.size, row.root):
            raise Forked(
                f"the log of {name} was signed at {shown.size} entries, which state.db does not"
                " know: it is older than logs/"
            )

    def _check_unheard(self, log_ids: set[str]) -> None:
        with os.scandir(self._folder.logs("")) as entries:
            unheard = [one for one in entries if one.name not in log_ids and one.is_dir()]
        for path in map(Path, unheard):
            note = files.read_note(path)
            if note is not None and self._shown(path.name, note) is not None:
                raise Forked(
                    f"{path} was signed, but state.db knows no events of it: it is older than logs/"
                )

    def _shown(self, log_id: str, note: bytes) -> Checkpoint | None:
        """The checkpoint beside a log's entries if our key signed it; a torn one is made again."""
        origin = f"{self._installation.name}/{log_id}"
        try:
            return read_checkpoint(note, [Signer(self._installation.seed, origin).vkey])
        except Altered:
            return None

    def _recover(self, head: Head, row: Row[Any] | None) -> None:
        path = self._path(head.tenant)
        try:
            past = files.bytes_past(path, head.synced)
            self.sizes[head.tenant] = head.size
            if head.size == head.synced and not past:
                return
            log = LogFiles(path, head.synced)
            log.cut_back(head.synced)
            append_blocks(log, self._journal.blocks_of(head.tenant, head.synced))
            if log.size != head.size:
                raise Truncated(f"the journal has no entries from {log.size} to {head.size}")
            self.unsynced.add(head.tenant)
        except Corrupt as error:
            older = row is not None and self._is_older(path, row.size)
            kind = Forked if older else type(error)
            raise kind(
                f"the log of {self._named(head.tenant)}: {error}"
                + (": logs/ is older than state.db" if older else "")
            ) from error

    def _is_older(self, path: Path, size: int) -> bool:
        """Whether a log's files are whole, but from before the newest signature."""
        note = files.read_note(path)
        shown = None if note is None else self._shown(path.name, note)
        if shown is None or shown.size >= size:
            return False
        try:
            return LogFiles(path, shown.size).root() == shown.root
        except Truncated:
            return False

    def _check_signed(self, row: Row[Any]) -> None:
        held = self.sizes.get(row.tenant, 0)
        if held < row.size:
            raise Forked(
                f"the log of {self._named(row.tenant)} was signed at {row.size} entries and holds"
                f" {held}: this folder is older than what it signed"
            )
        try:
            log = LogFiles(self._path(row.tenant), row.size)
        except Truncated as error:
            raise Truncated(f"the log of {self._named(row.tenant)}: {error}") from error
        if log.root() != row.root:
            raise Forked(
                f"the log of {self._named(row.tenant)} is not the one that was signed at"
                f" {row.size} entries"
            )
        if self._notes.get(row.tenant) != row.note:
            log.keep_checkpoint(row.note)
            self.unsynced.add(row.tenant)
        if held > row.size:
            self.unsigned.add(row.tenant)

    def _path(self, number: int) -> Path:
        path = self._paths.get(number)
        if path is None:
            path = self._paths[number] = self._folder.logs(self._tenant(number).log_id)
        return path

    def _named(self, number: int) -> str:
        return f"tenant {self._tenant(number).name}"


def append_blocks(log: LogFiles, blocks: Sequence[Block]) -> bool:
    """Append what a tenant's blocks have and its log has not; say whether that was anything.

    After an `OSError` nothing counts as appended. Raises `Truncated` where entries are missing.
    """
    at, pieces = log.size, []
    for block in blocks:
        if block.first > at:
            raise Truncated(f"the journal has no entries from {at} to {block.first}")
        if block.end > at:
            pieces.append(block.entries[(at - block.first) * ENTRY_BYTES :])
            at = block.end
    log.append(b"".join(pieces))
    return bool(pieces)
