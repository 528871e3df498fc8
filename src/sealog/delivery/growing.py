"""A file of lines that grows under a name which says how far it counts, and gets its last name whole.

`<prefix><first>-<last>-<bytes>.ndjson.part`: lines are written and synced, then the file is renamed
to say so. What stands behind the bytes that the name tells was never acknowledged, and is cut off.
Whoever takes over after a crash ends what was begun, so nothing acknowledged is lost, and a reader
who leaves `.part` alone never sees half of a file. Everything here blocks, and works on the
descriptor of an entered folder.
"""

import errno
import fcntl
import gzip
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import msgspec

PART = ".part"
INDEX_DIGITS = 12
FILE_MODE = 0o640
FOLDER_MODE = 0o750

_SUFFIX = ".ndjson"
_GZIP_LEVEL = 6
_COPY_BYTES = 1 << 20
_CLOSED = os.O_NOFOLLOW | os.O_CLOEXEC
_ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_MAKE = os.O_RDWR | os.O_CREAT | os.O_TRUNC | _CLOSED
_GROW = os.O_RDWR | os.O_APPEND | _CLOSED


class Astray(Exception):
    """What stands in the folder is not what was left there. The text names the file alone."""


class Rotation(msgspec.Struct, frozen=True):
    """When a file of lines is ended."""

    records: int = 10_000
    bytes: int = 64 << 20
    seconds: float = 300.0


class Begun(msgspec.Struct, frozen=True):
    """A file that is not ended yet, as its name tells."""

    first: int
    last: int
    bytes: int


class Growing:
    """The file of one stream. MUST be the only writer of names that begin with `prefix`."""

    def __init__(self, prefix: str, rotation: Rotation, *, squeezed: bool = False) -> None:
        self._prefix = prefix
        self._rotation = rotation
        self._squeezed = squeezed
        self._new = f"{prefix}new{_SUFFIX}{PART}"
        self._gzip = f"{prefix}gzip{PART}"
        self._named = re.compile(
            re.escape(prefix) + r"(\d+)-(\d+)-(\d+)" + re.escape(_SUFFIX + PART)
        )
        self._records = 0
        self._is_looked_over = False
        self.begun: Begun | None = None
        """What is under way."""

    def add(self, folder: int, lines: Sequence[tuple[int, bytes]]) -> None:
        """Add lines, each with its index, durably; files that are full are ended on the way.

        After an exception nothing is known any more, and the next call looks the folder over.
        """
        with self._looking(folder):
            at = 0
            while at < len(lines):
                count = self._fitting(lines, at)
                self._add(folder, lines[at : at + count])
                at += count
                if self._is_full():
                    self._finish(folder)

    def take_over(self, folder: int) -> None:
        """End what another life began; nothing where that was done."""
        with self._looking(folder):
            pass

    def end(self, folder: int) -> None:
        """End what is under way, and what another life began."""
        with self._looking(folder):
            if self.begun is not None:
                self._finish(folder)

    @property
    def may_end(self) -> bool:
        """Whether there may be something to end."""
        return self.begun is not None or not self._is_looked_over

    @contextmanager
    def _looking(self, folder: int) -> Iterator[None]:
        try:
            if not self._is_looked_over:
                self._look_over(folder)
            yield
        except BaseException:
            self._is_looked_over = False
            raise

    def _look_over(self, folder: int) -> None:
        self.begun, self._records = None, 0
        for name in sorted(os.listdir(folder)):
            if name in (self._new, self._gzip):
                # Nothing in it counts.
                os.unlink(name, dir_fd=folder)
                continue
            match = self._named.fullmatch(name)
            if match is not None:
                self.begun = Begun(*map(int, match.groups()))
                with _owned(folder, name, self.begun.bytes) as number:
                    os.fsync(number)
                    self._finish(folder)
        self._is_looked_over = True

    def _fitting(self, lines: Sequence[tuple[int, bytes]], begin: int) -> int:
        """How many lines go into the file under way; one at least."""
        size = 0 if self.begun is None else self.begun.bytes
        room = min(len(lines) - begin, self._rotation.records - self._records)
        for count in range(1, room):
            size += len(lines[begin + count - 1][1])
            if size >= self._rotation.bytes:
                return count
        return max(room, 1)

    def _add(self, folder: int, lines: Sequence[tuple[int, bytes]]) -> None:
        before = self.begun
        name = self._new if before is None else self._name(before)
        size = 0 if before is None else before.bytes
        content = b"".join([line for _, line in lines])
        indexes = [index for index, _ in lines]
        if before is not None:
            indexes += [before.first, before.last]
        after = Begun(min(indexes), max(indexes), size + len(content))
        with _owned(folder, name, size, is_new=before is None) as number:
            write(number, content)
            os.fsync(number)
            rename(folder, name, self._name(after))
        os.fsync(folder)
        self.begun = after
        self._records += len(lines)

    def _is_full(self) -> bool:
        size = 0 if self.begun is None else self.begun.bytes
        return self._records >= self._rotation.records or size >= self._rotation.bytes

    def _finish(self, folder: int) -> None:
        """Give the file under way its last name."""
        assert self.begun is not None
        part = self._name(self.begun)
        suffix = f"{_SUFFIX}.gz" if self._squeezed else _SUFFIX
        span = f"{self.begun.first:0{INDEX_DIGITS}d}-{self.begun.last:0{INDEX_DIGITS}d}"
        name = _free(folder, self._prefix + span, suffix)
        if self._squeezed:
            _squeeze(folder, part, self._gzip)
            rename(folder, self._gzip, name)
            os.fsync(folder)
            os.unlink(part, dir_fd=folder)
        else:
            rename(folder, part, name)
        os.fsync(folder)
        self.begun, self._records = None, 0

    def _name(self, begun: Begun) -> str:
        span = f"{begun.first:0{INDEX_DIGITS}d}-{begun.last:0{INDEX_DIGITS}d}"
        return f"{self._prefix}{span}-{begun.bytes}{_SUFFIX}{PART}"


@contextmanager
def entered(root: str, inner: Sequence[str]) -> Iterator[int]:
    """A descriptor of a folder below a root, entered name by name, so that no link leads out of it.

    The root is never made, names below it are. What becomes of the path meanwhile does not matter.
    """
    number = os.open(root, _ENTER)
    try:
        for name in inner:
            below = _below(number, name)
            os.close(number)
            number = below
        yield number
    finally:
        os.close(number)


def put(folder: int, name: str, content: bytes) -> None:
    """Put a file in place as a whole; durable by name once the folder is synced."""
    with _opened(folder, name + PART, _MAKE) as number:
        write(number, content)
        os.fsync(number)
    rename(folder, name + PART, name)


def try_out(folder: int, name: str) -> None:
    """Make a file and take it away."""
    with _opened(folder, name + PART, _MAKE):
        pass
    os.unlink(name + PART, dir_fd=folder)


def squeezed(content: bytes) -> bytes:
    """Content as gzip, without a time in it."""
    return gzip.compress(content, _GZIP_LEVEL, mtime=0)


def write(number: int, content: bytes) -> None:
    """Write all of it."""
    left = memoryview(content)
    while left:
        left = left[os.write(number, left) :]


def rename(folder: int, name: str, to: str) -> None:
    """Rename within a folder; durable once the folder is synced."""
    os.replace(name, to, src_dir_fd=folder, dst_dir_fd=folder)


@contextmanager
def _opened(folder: int, name: str, flags: int) -> Iterator[int]:
    number = os.open(name, flags, FILE_MODE, dir_fd=folder)
    try:
        if flags & os.O_CREAT:
            # The umask keeps the receiver's group out.
            os.fchmod(number, FILE_MODE)
        yield number
    finally:
        os.close(number)


@contextmanager
def _owned(folder: int, name: str, size: int, *, is_new: bool = False) -> Iterator[int]:
    """A file under way, for one writer alone, cut back to what counts of it.

    A thread that hung on its disk may still be at it when another takes over: whoever holds the
    lock finds the file under the name that it knows, or leaves it alone.
    """
    with _opened(folder, name, _GROW | (os.O_CREAT if is_new else 0)) as number:
        _lock(number)
        mine, there = os.fstat(number), os.stat(name, dir_fd=folder, follow_symlinks=False)
        if (mine.st_dev, mine.st_ino) != (there.st_dev, there.st_ino):
            raise Astray(f"{name} was taken over by another writer")
        if mine.st_size < size:
            raise Astray(f"{name} is shorter than its name says: take it away to go on")
        os.ftruncate(number, size)
        yield number


def _lock(number: int) -> None:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN):
            raise Astray("another writer is at the file") from error
        # Some network disks know no locks.
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            raise


def _below(number: int, name: str) -> int:
    try:
        return os.open(name, _ENTER | os.O_NOFOLLOW, dir_fd=number)
    except FileNotFoundError:
        with suppress(FileExistsError):
            os.mkdir(name, FOLDER_MODE, dir_fd=number)
        made = os.open(name, _ENTER | os.O_NOFOLLOW, dir_fd=number)
        os.fchmod(made, FOLDER_MODE)
        os.fsync(number)
        return made


def _squeeze(folder: int, source: str, target: str) -> None:
    """A gzip copy of a file, durable."""
    with (
        _opened(folder, source, os.O_RDONLY | _CLOSED) as taken,
        os.fdopen(taken, "rb", closefd=False) as plain,
        _opened(folder, target, _MAKE) as made,
        os.fdopen(made, "wb", closefd=False) as file,
    ):
        with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as packed:
            while chunk := plain.read(_COPY_BYTES):
                packed.write(chunk)
        file.flush()
        os.fsync(made)


def _free(folder: int, stem: str, suffix: str) -> str:
    """A name that nothing has: after a replay the same span comes again."""
    count = 1
    name = stem + suffix
    while True:
        try:
            os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return name
        count += 1
        name = f"{stem}-{count}{suffix}"
