"""The data folder: where everything is, who owns it, and which format it has."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sealog.errors import Misconfigured
from sealog.storage import files

FORMAT = 2
OLDEST = 1
"""The oldest format that is brought along."""


class Folder:
    """Paths below one data folder. Nothing is touched until `make` or `own`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[bytes] | None = None

    @property
    def state(self) -> Path:
        """The SQLite file."""
        return self.path / "state.db"

    @property
    def keys(self) -> Path:
        """The signing key's folder, mode 0700."""
        return self.path / "keys"

    @property
    def exports(self) -> Path:
        """Finished exports, and those being written."""
        return self.path / "exports"

    def logs(self, log_id: str) -> Path:
        """The folder of one tenant's sealed log."""
        return self.path / "logs" / log_id

    def archive(self, log_id: str, kept: str) -> Path:
        """The folder of one tenant's segments of one retention class."""
        return self.path / "archive" / log_id / kept

    def exists(self) -> bool:
        """Whether a data folder was made here."""
        return (self.path / "FORMAT").is_file()

    def make(self) -> None:
        """Make the folder where it is missing, readable by its owner alone."""
        os.umask(0o077)
        for path in (self.path, self.path / "logs", self.path / "archive", self.exports, self.keys):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.exists():
            if self.state.exists():
                raise Misconfigured(
                    f"{self.path} holds a state.db but no FORMAT: not a data folder"
                )
            files.write_durably(self.path / "FORMAT", f"{FORMAT}\n".encode())
            files.sync_folder(self.path.parent)

    def check_format(self, *, may_be_older: bool = False) -> int:
        """The folder's format. Refuse one that a newer program wrote, or that must be migrated."""
        try:
            text = (self.path / "FORMAT").read_text("ascii").strip()
        except FileNotFoundError:
            raise Misconfigured(f"{self.path} is not a data folder: it has no FORMAT") from None
        if not text.isdecimal() or int(text) < OLDEST:
            raise Misconfigured(f"{self.path}/FORMAT holds {text!r}, not a number")
        if int(text) > FORMAT:
            raise Misconfigured(
                f"{self.path} has format {text}; this program knows {FORMAT}: use a newer one"
            )
        if int(text) < FORMAT and not may_be_older:
            raise Misconfigured(
                f"{self.path} has format {text}; this program reads {FORMAT}:"
                " start the server on it, or run `sealog migrate`"
            )
        return int(text)

    def note_format(self) -> None:
        """Everything in the folder has this program's format now."""
        files.write_durably(self.path / "FORMAT", f"{FORMAT}\n".encode())

    def hold_files(self) -> int | None:
        """A descriptor; while it is open in this process, no other deletes replaced segments.

        None where there are no segments at all.
        """
        held = self._archive_opened()
        if held is not None:
            fcntl.flock(held, fcntl.LOCK_SH)
        return held

    @contextmanager
    def deleting_files(self) -> Iterator[bool]:
        """Whether no process reads segments beside this one; none begins to inside the block.

        True where the file system knows no such locks.
        """
        tried = self._archive_opened()
        if tried is None:
            yield True
            return
        try:
            yield _locked_alone(tried)
        finally:
            os.close(tried)

    def _archive_opened(self) -> int | None:
        try:
            return os.open(self.path / "archive", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None

    def own(self) -> None:
        """Become the one process that writes here, or raise `Misconfigured` naming who does.

        The kernel gives the lock back when the process ends, however it ends.
        """
        try:
            lock = (self.path / "lock").open("a+b")
        except FileNotFoundError:
            raise Misconfigured(f"{self.path} is not a data folder") from None
        if not _locked(lock):
            lock.seek(0)
            holder = lock.read(64).decode("ascii", "replace").strip() or "another process"
            lock.close()
            raise Misconfigured(
                f"{self.path} is in use by {holder}: use --server with its address, or stop it"
            )
        lock.truncate(0)
        lock.write(f"process {os.getpid()}\n".encode())
        lock.flush()
        self._lock = lock

    def owned(self) -> bool:
        """Whether some process owns the folder now."""
        try:
            with (self.path / "lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def release(self) -> None:
        """Give the folder up."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


_TRIES = 20
_TRY_EVERY_S = 0.01


def _locked(lock: IO[bytes]) -> bool:
    """Take the lock; whoever only asks (`owned`) holds it for a moment, which is waited out."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_TRY_EVERY_S)
        else:
            return True
    return False


def _locked_alone(folder: int) -> bool:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
