"""Preparing in processes of their own, so that it and all that follows run on different cores.

Decision 0009. A worker holds nothing that matters: what it is given and gives are values, and where one dies the
request is answered `Busy` with nothing kept.
"""

import asyncio
import ctypes
import gc
import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from sealog.catalog.shelf import load
from sealog.errors import Busy
from sealog.intake.preparing import Job, Prepared, Preparer

if TYPE_CHECKING:
    from sealog.event.tenants import Tenant

OBJECTS_UNTIL_COLLECTED = 50_000
_PR_SET_PDEATHSIG = 1


class Workers:
    """`count` processes, started as they are needed. Used from one event loop."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool = self._new_pool()

    async def prepare(self, job: Job) -> Prepared:
        """Prepare a request in whichever worker is free. Raises what preparing raises."""
        pool = self._pool
        try:
            return await asyncio.wrap_future(pool.submit(_prepare, job))
        except BrokenProcessPool as error:
            if self._pool is pool:
                self._pool = self._new_pool()
            raise Busy("a process that prepares records died; nothing was kept") from error

    def warm(self) -> None:
        """Start the processes before the first request asks for them."""
        for _ in range(self._count):
            self._pool.submit(_warm)

    def close(self) -> None:
        """Finish what was given, and end the processes."""
        self._pool.shutdown()

    def _new_pool(self) -> ProcessPoolExecutor:
        # Not forked: a copy of threads that hold locks would hang.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._count, context, _begin)


class _Here:
    """What one worker process holds: its preparer, and the tenants it was told of."""

    def __init__(self) -> None:
        self.preparer = Preparer(load(), os.urandom)
        self.tenants: dict[str, Tenant] = {}


def _begin() -> None:
    """Runs first in a worker: whoever stops the server stops it, not the terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # A batch makes tens of thousands of objects and no cycle: looking for cycles every 700 of them
    # costs an eighth of preparing (measured: 20 of 138 us an event of Closer's).
    gc.set_threshold(OBJECTS_UNTIL_COLLECTED, *gc.get_threshold()[1:])
    # Where the server dies by force, a worker that waits for it for ever would stay behind.
    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # It may have died before that line; of a death in the past nobody tells us.
    server = multiprocessing.parent_process()
    if server is not None and server.pid != os.getppid():
        os._exit(1)


_held: list[_Here] = []


def _here() -> _Here:
    if not _held:
        _held.append(_Here())
    return _held[0]


def _warm() -> None:
    _here()


def _prepare(job: Job) -> Prepared:
    here = _here()
    for tenant in job.told:
        here.tenants[tenant.name] = tenant
    return here.preparer.prepare(job, here.tenants.get)
