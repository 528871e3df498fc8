"""Events as files in a folder, whole or not there at all: lines of JSON, or one file an event."""

import asyncio
import errno
import os
import re
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from pathlib import PurePosixPath

import msgspec

from sealog.delivery import enveloping, growing
from sealog.delivery.destination import (
    DELIVERED,
    About,
    Batching,
    Outcome,
    Outgoing,
    Verdict,
)
from sealog.delivery.growing import INDEX_DIGITS, Astray, Growing, Rotation

RECORDS_A_SEND = 1_000
FILES_A_SEND = 100
BYTES_A_SEND = 8 << 20
SEND_S_MAX = 30.0
"""A disk that does not answer for so long has failed, as far as the stream can tell."""
NAME_CHARS_MAX = 64
NOWHERE = ""
"""A root that is never there: of a folder that the operator does not open any more."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]|^[.-]+")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Form(msgspec.Struct, frozen=True):
    """What is written where, as `destinations.parse` read it."""

    root: str
    """A folder that the operator opened; it is never made."""
    inner: tuple[str, ...] = ()
    """The names from it to the stream's folder; made where missing."""
    single: bool = False
    """One file an event."""
    bare: bool = False
    squeezed: bool = False
    """gzip."""
    rotation: Rotation = Rotation()


class World(msgspec.Struct, frozen=True):
    """What a folder needs from outside."""

    threads: Executor
    """Where writing blocks; of the root's own, so that a disk that hangs holds up only itself."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class Folder:
    """A `Destination`: one folder. Made in an event loop, it first ends what another life began."""

    def __init__(self, form: Form, about: About, world: World) -> None:
        self._form = form
        self._tenant = about.tenant
        self._world = world
        self._prefix = f"{safe(about.stream)}-{safe(about.tenant)}-"
        self._growing = Growing(self._prefix, form.rotation, squeezed=form.squeezed)
        self._turn = asyncio.Lock()
        self._working: asyncio.Future[None] | None = None
        self.batching = Batching(FILES_A_SEND if form.single else RECORDS_A_SEND, BYTES_A_SEND)
        self._timer: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[Verdict | None] | None = None
        if not form.single:
            # Where it fails, the first `send` tries again and says why.
            self._starting = asyncio.get_running_loop().create_task(self._run(self._take_over))

    async def send(self, records: Sequence[Outgoing]) -> list[Verdict]:
        """Write records durably; see `Destination`."""
        write = self._write_files if self._form.single else self._write_lines
        failed = await self._run(lambda: write(records))
        if failed is not None:
            return [failed]
        if self._growing.begun is not None and self._timer is None:
            seconds = self._form.rotation.seconds
            self._timer = asyncio.get_running_loop().create_task(self._end_after(seconds))
        return [DELIVERED] * len(records)

    async def check(self) -> Verdict:
        """Write and remove an empty file."""
        return await self._run(self._try) or DELIVERED

    async def close(self) -> None:
        """End the file that is under way, where that can be done."""
        if self._starting is not None:
            await self._starting
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._form.single:
            await self._run(self._end)

    async def _run(self, work: Callable[[], None]) -> Verdict | None:
        """Work in a thread, one piece after the other; what went wrong, or None."""
        late = _later("timeout", f"the disk did not answer within {SEND_S_MAX:g} s")
        async with self._turn:
            if self._working is not None:
                # One that nobody waited for to the end: two at once would write over each other.
                await asyncio.wait([self._working], timeout=SEND_S_MAX)
                if not self._working.done():
                    return late
            loop = asyncio.get_running_loop()
            self._working = working = loop.run_in_executor(self._world.threads, work)
            working.add_done_callback(_seen)
            await asyncio.wait([working], timeout=SEND_S_MAX)
            if not working.done():
                return late
            self._working = None
            error = working.exception()
        if error is None:
            return None
        if isinstance(error, (OSError, Astray)):
            return failure(error)
        raise error

    async def _end_after(self, seconds: float) -> None:
        await self._world.sleep(seconds)
        self._timer = None
        # Where it fails, the next `send` tries again and says why.
        await self._run(self._end)

    def _write_lines(self, records: Sequence[Outgoing]) -> None:
        lines = [(record.index, self._content(record) + b"\n") for record in records]
        with growing.entered(self._form.root, self._form.inner) as folder:
            self._growing.add(folder, lines)

    def _take_over(self) -> None:
        with growing.entered(self._form.root, self._form.inner) as folder:
            self._growing.take_over(folder)

    def _end(self) -> None:
        if self._growing.may_end:
            with growing.entered(self._form.root, self._form.inner) as folder:
                self._growing.end(folder)

    def _write_files(self, records: Sequence[Outgoing]) -> None:
        """One file an event. The same event again takes the place of its file."""
        suffix = ".json.gz" if self._form.squeezed else ".json"
        with growing.entered(self._form.root, self._form.inner) as folder:
            for record in records:
                content = self._content(record)
                if self._form.squeezed:
                    content = growing.squeezed(content)
                name = f"{self._prefix}{record.index:0{INDEX_DIGITS}d}{suffix}"
                growing.put(folder, name, content)
            os.fsync(folder)

    def _try(self) -> None:
        with growing.entered(self._form.root, self._form.inner) as folder:
            growing.try_out(folder, f"{self._prefix}check")

    def _content(self, record: Outgoing) -> bytes:
        return record.body if self._form.bare else enveloping.one(self._tenant, record)


def safe(name: str) -> str:
    """A name for use within a file's: what might mean something to a shell or a path is `_`."""
    return _UNSAFE.sub("_", name)[:NAME_CHARS_MAX]


def below(path: PurePosixPath, root: PurePosixPath) -> tuple[str, ...] | None:
    """The names from a root to a path; None where the path does not stay below it."""
    if ".." in path.parts or not path.is_relative_to(root):
        return None
    return path.relative_to(root).parts


def failure(error: OSError | Astray) -> Verdict:
    """Why nothing could be written, without a path of this machine."""
    if isinstance(error, Astray):
        return _later("folder", str(error))
    if error.errno in _FULL:
        return _later("disk-full", "no space is left in the folder")
    words = {
        errno.ENOENT: "the folder is not there",
        errno.ELOOP: "a link stands where a folder or a file should be",
        errno.ENOTDIR: "a link or a file stands where a folder should be",
        errno.EACCES: "the folder may not be written to",
        errno.EPERM: "the folder may not be written to",
        errno.EROFS: "the folder may not be written to",
    }
    code = error.errno or errno.EIO
    return _later("folder", words.get(code, f"writing failed: {os.strerror(code)}"))


def _seen(done: "asyncio.Future[None]") -> None:
    """Nobody may be waiting for it any more; what went wrong is said by whoever comes next."""
    if not done.cancelled():
        done.exception()


def _later(kind: str, reason: str) -> Verdict:
    return Verdict(Outcome.LATER, kind, reason)
