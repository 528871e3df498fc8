"""Preparing in processes of their own, so that it and all that follows run on different cores.

Decision 0009. A worker holds nothing that matters: what it is given and gives are values. Where one
dies, what it was given is tried once more on a new one; what ends that one too is refused, for it
would end the next.
"""

import asyncio
import ctypes
import gc
import os
import pickle
import signal
import subprocess
import sys
import weakref
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection, Pipe
from typing import Any

from sealog.catalog.shelf import load
from sealog.errors import Refused
from sealog.event.tenants import Tenant
from sealog.intake import choosing, together
from sealog.intake.preparing import Job, Prepared, Preparer
from sealog.intake.together import Together
from sealog.policy.settings import Recording

OBJECTS_UNTIL_COLLECTED = 50_000
TRIES = 2
_PR_SET_PDEATHSIG = 1
_PROGRAM = """
import sys
fd, server, *sys.path = sys.argv[1:]
from sealog.intake.workers import serve
serve(int(fd), int(server))
"""
"""What a worker runs. With `multiprocessing` it would import the server's own program first, and one
process more would keep count of them: a tenth of a second and 20 MB (measured)."""


class Fatal(Refused):
    """Whatever prepares this dies of it."""

    def __init__(self) -> None:
        super().__init__(
            f"reading this request ended the process that did, {TRIES} times; nothing was kept",
            code="cannot-be-prepared",
        )


class Workers:
    """`count` processes, started as they are needed."""

    def __init__(self, count: int) -> None:
        # One thread a worker: it writes to its pipe, sleeps, and reads the answer.
        self._threads = ThreadPoolExecutor(count, "sealog-worker")
        self._count = count
        self._idle: deque[_Worker] = deque()
        self._living: set[_Worker] = set()
        self.is_warming = False
        """None is ready yet, and one is being started: who does not want to wait goes elsewhere."""
        self._is_closing = False
        self._chosen: dict[str, tuple[int, tuple[Recording, ...]]] = {}
        self._changes = 0
        # Whoever forgets to close must not hang when Python ends and waits for its processes.
        weakref.finalize(self, _hang_up, self._idle)

    async def prepare(self, job: Job) -> Prepared:
        """Prepare a request in whichever worker is free. Raises what preparing raises."""
        prepared: Prepared = await self._ask(_prepare, job)
        return prepared

    async def prepare_all(self, jobs: Sequence[Job], told: Sequence[Tenant] = ()) -> Together:
        """Prepare small requests together; `told`: tenants that a worker may not know yet."""
        prepared: Together = await self._ask(_prepare_all, jobs, told)
        return prepared

    def warm(self) -> None:
        """Start the processes before a request asks for them: one after the other, in the background.

        `is_warming` until the first of them is ready.
        """
        self.is_warming = True
        self._threads.submit(self._warm)

    def choose(self, rules: Mapping[str, tuple[Recording, ...]]) -> None:
        """What tenants record holds for all that is asked for from now on; one thread at a time."""
        for tenant, some in rules.items():
            self._chosen[tenant] = self._changes + 1, some
        self._changes += 1

    def pids(self) -> list[int]:
        """The processes that wait for something to do."""
        return [worker.pid for worker in self._idle]

    def close(self) -> None:
        """Finish what was given, and end the processes."""
        self._is_closing = True
        self._threads.shutdown()
        _hang_up(self._idle)

    def _warm(self) -> None:
        try:
            while len(self._living) < self._count and not self._is_closing:
                worker = self._made()
                try:
                    worker.begin()
                except (EOFError, OSError):
                    self._end(worker)
                    return
                self._idle.append(worker)
                self.is_warming = False
        finally:
            self.is_warming = False

    def _made(self) -> "_Worker":
        worker = _Worker()
        self._living.add(worker)
        return worker

    def _end(self, worker: "_Worker") -> None:
        self._living.discard(worker)
        worker.end()

    def _tell(self, worker: "_Worker") -> None:
        """What tenants chose since the worker was last asked."""
        changes = self._changes
        if worker.knows == changes:
            return
        news = {
            name: rules for name, (nth, rules) in self._chosen.copy().items() if nth > worker.knows
        }
        worker.ask(pickle.dumps((_choose, (news,)), pickle.HIGHEST_PROTOCOL))
        worker.knows = changes

    async def _ask(self, work: Callable[..., Any], *values: object) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._done, work, values)

    def _done(self, work: Callable[..., Any], values: tuple[object, ...]) -> Any:
        asked = pickle.dumps((work, values), pickle.HIGHEST_PROTOCOL)
        for _ in range(TRIES):
            worker = self._idle.pop() if self._idle else self._made()
            try:
                self._tell(worker)
                answer = worker.ask(asked)
            except (EOFError, OSError):
                self._end(worker)
                continue
            self._idle.append(worker)
            done, said = pickle.loads(answer)  # noqa: S301 - our own process wrote it
            if done:
                return said
            raise said
        raise Fatal


class _Worker:
    """One process and the pipe to it, used by one thread at a time."""

    def __init__(self) -> None:
        self._pipe, theirs = Pipe()
        fd = theirs.fileno()
        # Not forked: a copy of threads that hold locks would hang.
        command = [sys.executable, "-c", _PROGRAM, str(fd), str(os.getpid()), *sys.path]
        with theirs:
            # Our own interpreter, and nothing that came from outside.
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, pass_fds=[fd]
            )
        self.pid = self._process.pid
        self.knows = 0
        """How many changes of what tenants chose it was told."""
        self._has_begun = False

    def begin(self) -> None:
        """Wait until it has begun. Raises `EOFError` or `OSError` where it died before."""
        if not self._has_begun:
            self._pipe.recv_bytes()
            self._has_begun = True

    def ask(self, asked: bytes) -> bytes:
        """Its answer. Raises `EOFError` or `OSError` where it died."""
        self.begin()
        self._pipe.send_bytes(asked)
        return self._pipe.recv_bytes()

    def end(self) -> None:
        """Hang up, which ends it, and wait until it has."""
        self._pipe.close()
        self._process.wait()


def _hang_up(workers: deque[_Worker]) -> None:
    while workers:
        workers.pop().end()


class _Here:
    """What one worker process holds: its preparer, and the tenants it was told of."""

    def __init__(self) -> None:
        self.preparer = Preparer(load(), os.urandom)
        self.tenants: dict[str, Tenant] = {}

    def told(self, tenants: Sequence[Tenant]) -> None:
        for tenant in tenants:
            self.tenants[tenant.name] = tenant


def serve(fd: int, server: int) -> None:
    """The life of a worker: until whoever asks hangs up. `server`: the process that asks."""
    pipe = Connection(fd)
    _begin(server)
    here = _Here()
    pipe.send_bytes(b"begun")
    while True:
        try:
            work, values = pickle.loads(pipe.recv_bytes())  # noqa: S301 - the server wrote it
        except (EOFError, OSError):
            return
        try:
            answer = pickle.dumps((True, work(here, *values)), pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # noqa: BLE001 - raised where it was asked for
            answer = pickle.dumps((False, error), pickle.HIGHEST_PROTOCOL)
        pipe.send_bytes(answer)


def _begin(server: int) -> None:
    """Runs first in a worker: whoever stops the server stops it, not the terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # A batch makes tens of thousands of objects and no cycle: looking for cycles every 700 of them
    # costs an eighth of preparing (measured: 20 of 138 us an event of Closer's).
    gc.set_threshold(OBJECTS_UNTIL_COLLECTED, *gc.get_threshold()[1:])
    # Where the server dies by force, a worker in the middle of a request would go on with it.
    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # It may have died before that line; of a death in the past nobody tells us.
    if server != os.getppid():
        os._exit(1)


def _prepare(here: _Here, job: Job) -> Prepared:
    here.told(job.told)
    return here.preparer.prepare(job, here.tenants.get)


def _prepare_all(here: _Here, jobs: Sequence[Job], told: Sequence[Tenant]) -> Together:
    here.told(told)
    return together.prepare(here.preparer, jobs, here.tenants.get)


def _choose(here: _Here, news: dict[str, tuple[Recording, ...]]) -> None:
    here.preparer.chosen = choosing.changed(here.preparer.chosen, news)
