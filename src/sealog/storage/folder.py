"""The data folder: where everything is, who owns it, and which format it has."""

import fcntl
import os
import time
from pathlib import Path
from typing import IO

from sealog.errors import Misconfigured
from sealog.storage import files

FORMAT = 1


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

    def check_format(self) -> None:
        """Refuse a folder that a newer program wrote."""
        try:
            text = (self.path / "FORMAT").read_text("ascii").strip()
        except FileNotFoundError:
            raise Misconfigured(f"{self.path} is not a data folder: it has no FORMAT") from None
        if not text.isdecimal() or int(text) < 1:
            raise Misconfigured(f"{self.path}/FORMAT holds {text!r}, not a number")
        if int(text) > FORMAT:
            raise Misconfigured(
                f"{self.path} has format {text}; this program knows {FORMAT}: use a newer one"
            )

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
