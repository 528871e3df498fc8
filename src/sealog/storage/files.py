"""Files that are there after a crash, or not at all."""

import ctypes
import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path

_CHUNK_BYTES = 1 << 20
_WHOLE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC


def write_durably(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put `content` at `path` as a whole: written beside it, synced, renamed, folder synced."""
    beside = path.with_name(path.name + ".new")
    number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with open(number, "wb") as file:  # noqa: PTH123 - the descriptor carries the mode
        # One left by a crash may have another mode.
        os.fchmod(number, mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def copy_durably(source: Path, path: Path, *, mode: int = 0o600) -> None:
    """Put a copy of a file at `path` as a whole."""
    beside = path.with_name(path.name + ".new")
    shutil.copyfile(source, beside)
    with beside.open("rb+") as file:
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def replace_later_synced(path: Path, content: bytes | memoryview) -> None:
    """Put `content` at `path` as a whole, to be made durable by the next `sync_all`.

    Only for what can be made again: after a crash before that the old content may stand there, the
    new, or none.
    """
    # By the plain calls: hundreds of checkpoints a second are put in place like this.
    beside = f"{path}.new"
    try:
        number = os.open(beside, _WHOLE, 0o666)
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(number, left) :]
        finally:
            os.close(number)
        os.replace(beside, path)  # noqa: PTH105 - see above
    except BaseException:
        # A disk that is full would be fuller with each try.
        with suppress(OSError):
            os.unlink(beside)  # noqa: PTH108
        raise


def sync_folder(path: Path) -> None:
    """Make names in a folder durable."""
    number = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def watch(path: Path) -> int:
    """A descriptor for `sync_all` that learns of every write lost from now on; close it at the end.

    The system tells each descriptor of a lost write once, and one opened later is never told. So
    whoever relies on `sync_all` opens its own before it writes.
    """
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def sync_all(watched: int) -> None:
    """Make everything written so far on the file system of `watched` durable: one `syncfs`.

    Raises `OSError` where the system reports that some write was lost since the last call, or
    since `watch`.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "syncfs"):
        os.sync()
        return
    if libc.syncfs(watched) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def digest_of(path: Path) -> bytes:
    """SHA-256 of a file, read in pieces."""
    running = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            running.update(chunk)
    return running.digest()
