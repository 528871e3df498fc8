"""Preparing in processes of their own, so that it and all that follows run on different cores.

Decision 0009. A worker holds nothing that matters: what it is given and gives are values. Where one
dies, what it was given is tried once more on a new one; what ends that one too is refused, for it
would end the next.
"""

import asyncio
import ctypes
import gc
import multiprocessing
import os
import pickle
import signal
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

from sealog.catalog.shelf import load
from sealog.errors import Refused
from sealog.event.tenants import Tenant
from sealog.intake import together
from sealog.intake.preparing import Job, Prepared, Preparer
from sealog.intake.together import Together

OBJECTS_UNTIL_COLLECTED = 50_000
TRIES = 2
_PR_SET_PDEATHSIG = 1


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
        """Start the processes before the first request asks for them."""
        self._idle.extend(_Worker() for _ in range(self._count - len(self._idle)))

    def pids(self) -> list[int]:
        """The processes that wait for something to do."""
        return [worker.pid for worker in self._idle]

    def close(self) -> None:
        """Finish what was given, and end the processes."""
        self._threads.shutdown()
        _hang_up(self._idle)

    async def _ask(self, work: Callable[..., Any], *values: object) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._done, work, values)

    def _done(self, work: Callable[..., Any], values: tuple[object, ...]) -> Any:
        asked = pickle.dumps((work, values), pickle.HIGHEST_PROTOCOL)
        for _ in range(TRIES):
            worker = self._idle.pop() if self._idle else _Worker()
            try:
                answer = worker.ask(asked)
            except (EOFError, OSError):
                worker.end()
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
        # Not forked: a copy of threads that hold locks would hang.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), name="sealog-preparer")
        self._process.start()
        theirs.close()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def ask(self, asked: bytes) -> bytes:
        """Its answer. Raises `EOFError` or `OSError` where it died."""
        self._pipe.send_bytes(asked)
        return self._pipe.recv_bytes()

    def end(self) -> None:
        """Hang up, which ends it, and wait until it has."""
        self._pipe.close()
        self._process.join()


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


def _serve(pipe: Connection) -> None:
    """The life of a worker: until whoever asks hangs up."""
    _begin()
    here = _Here()
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


def _begin() -> None:
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
    server = multiprocessing.parent_process()
    if server is not None and server.pid != os.getppid():
        os._exit(1)


def _prepare(here: _Here, job: Job) -> Prepared:
    here.told(job.told)
    return here.preparer.prepare(job, here.tenants.get)


def _prepare_all(here: _Here, jobs: Sequence[Job], told: Sequence[Tenant]) -> Together:
    here.told(told)
    return together.prepare(here.preparer, jobs, here.tenants.get)
