"""The file of an export while it is written: hashed, made durable piece by piece, never too large."""

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

from sealog.errors import SealogError
from sealog.storage import files

SUFFIX = ".part"
SYNC_EVERY_BYTES = 64 << 20
"""So often what was written is brought to the disk: one sync of gigabytes at the end would hold up
the journal's."""

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Unwritten(SealogError):
    """An export cannot be written; the text says why, and names no file."""


class Part:
    """Owns `<id>.part` until it is finished or thrown away. A file to write to, for pyarrow too."""

    def __init__(self, path: Path, take: Callable[[int], bool]) -> None:
        """`take`: asked for so many bytes more, says whether there is room for them."""
        self.bytes = 0
        self._path = path
        self._take = take
        self._running = hashlib.sha256()
        self._unsynced = 0
        self._is_given_up = False
        # A writer that a crash left behind keeps what has no name any more.
        path.unlink(missing_ok=True)
        try:
            self._file: IO[bytes] = path.open("xb", buffering=0)
        except OSError as error:
            raise _unwritten(error) from error

    @property
    def closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._file.closed

    @property
    def sha256(self) -> bytes:
        """Of all that was written."""
        return self._running.digest()

    def write(self, content: bytes) -> int:
        """Add bytes. Raises `Unwritten` where there is no room."""
        view = memoryview(content)
        size = len(view)
        if self._is_given_up:
            # A writer of Parquet, let go before its end, writes its end all the same.
            return size
        if not self._take(size):
            raise Unwritten("the room for exports is used up: [exports] bytes_max")
        self._running.update(view)
        try:
            left = view
            while left:
                left = left[self._file.write(left) :]
            self._unsynced += size
            if self._unsynced >= SYNC_EVERY_BYTES:
                self._sync()
        except OSError as error:
            raise _unwritten(error) from error
        self.bytes += size
        return size

    def tell(self) -> int:
        """How many bytes were written."""
        return self.bytes

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """The file is ours to close: `finish` or `discard`."""

    def finish(self, path: Path) -> None:
        """Put the file at `path`, durable. Raises `Unwritten`."""
        try:
            self._sync()
            self._file.close()
            self._path.replace(path)
            files.sync_folder(path.parent)
        except OSError as error:
            raise _unwritten(error) from error

    def discard(self) -> None:
        """Let the file and its bytes go, if it was not finished."""
        self._is_given_up = True
        self._file.close()
        self._path.unlink(missing_ok=True)

    def _sync(self) -> None:
        os.fdatasync(self._file.fileno())
        # It is read once, from the disk; what others read often stays in memory.
        os.posix_fadvise(self._file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self._unsynced = 0


def _unwritten(error: OSError) -> Unwritten:
    if error.errno in _NO_ROOM:
        return Unwritten("no space is left for it on the disk")
    return Unwritten(f"its file cannot be written: {os.strerror(error.errno or 0)}")
