"""Writing events out in processes of their own, at the lowest priority: ingest goes first.

Decision 0012. A worker holds nothing: packs go in as they rest, compressed, and the bytes of a file come out.
"""

import contextlib
import ctypes
import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache

from sealog.event.moulds import Derive
from sealog.exports.forms import Form, Piece, Writer
from sealog.exports.part import Unwritten

NICE = 10
COUNT_MAX = 2
"""Of workers, unless more are asked for: they are not to stand in the way of what goes first."""
EVENTS_MIN = 10_000
"""Fewer are written here: a worker takes a third of a second of CPU to begin (measured), as long as
40,000 events take."""
OBJECTS_UNTIL_COLLECTED = 50_000
_PR_SET_PDEATHSIG = 1
KEPT_S = 15.0
"""So long processes are kept for the next export: they take half a second to begin, and hold some
tens of megabytes each."""
FORMS_MAX = 8
"""Of so many a process keeps what it has seen of events."""


class Crew:
    """Processes that write; begun when they are first wanted, and shared by all who want them."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool: ProcessPoolExecutor | None = None
        self._users = self._uses = 0
        self._changing = threading.Lock()

    @property
    def under_way_max(self) -> int:
        """How many batches one export may have under way."""
        return 2 * self._count

    @contextlib.contextmanager
    def at_work(self) -> Generator[ProcessPoolExecutor]:
        """The processes, for one export; after the death of one, others."""
        with self._changing:
            if self._pool is None:
                # Not forked: a copy of threads that hold locks would hang.
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(self._count, context, _begin)
            pool = self._pool
            self._users += 1
        try:
            yield pool
        except BrokenProcessPool:
            with self._changing:
                if self._pool is pool:
                    self._pool = None
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            with self._changing:
                self._users -= 1
                self._uses += 1
                self._end_later()

    def close(self) -> None:
        """End the processes where nobody writes any more."""
        with self._changing:
            uses = self._uses
        self._rest(uses)

    def _end_later(self) -> None:
        timer = threading.Timer(KEPT_S, self._rest, [self._uses])
        timer.daemon = True
        timer.start()

    def _rest(self, uses: int) -> None:
        """End them if nobody has wanted them since they were used so often."""
        with self._changing:
            if self._users or self._uses != uses:
                return
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()


def written(
    form: Form,
    batches: Iterable[Sequence[Piece]],
    workers: int | Crew,
    derive: Derive | None = None,
) -> Generator[tuple[int, bytes]]:
    """Of every batch, in order, its number of events and its bytes in a form.

    `derive`: what follows from each event; `workers`: who writes: so many processes, gone
    afterwards, or a crew; 0 does it here. No more than three batches a worker are under way. Raises
    what reading a batch raises, and `Unwritten` where a worker dies.
    """
    if not workers:
        writer = Writer(form, derive)
        for batch in batches:
            yield _count(batch), writer.write(batch)
        return
    crew = Crew(workers) if isinstance(workers, int) else workers
    waiting: deque[tuple[int, Future[bytes]]] = deque()
    try:
        with crew.at_work() as pool:
            for batch in batches:
                waiting.append((_count(batch), pool.submit(_write, form, list(batch), derive)))
                if len(waiting) > crew.under_way_max:
                    count, first = waiting.popleft()
                    yield count, first.result()
            while waiting:
                count, first = waiting.popleft()
                yield count, first.result()
    except BrokenProcessPool as error:
        raise Unwritten("a process that wrote it died") from error
    finally:
        for _, one in waiting:
            one.cancel()
        if crew is not workers:
            crew.close()


def count_of(wanted: int | None) -> int:
    """How many processes write: as many as wanted; else one a core, up to 2."""
    return min(len(os.sched_getaffinity(0)), COUNT_MAX) if wanted is None else wanted


def count_for(events: int, workers: int) -> int:
    """How many of the workers that may be had so many events are worth."""
    return 0 if events < EVENTS_MIN else workers


def _count(batch: Iterable[Piece]) -> int:
    return sum([len(pack.indexes) if places is None else len(places) for pack, _, places in batch])


def _write(form: Form, batch: Sequence[Piece], derive: Derive | None) -> bytes:
    return _writer(form, derive).write(batch)


@lru_cache(FORMS_MAX)
def _writer(form: Form, derive: Derive | None) -> Writer:
    """Of this worker: what it has seen of one batch serves the next."""
    return Writer(form, derive)


def _begin() -> None:
    """Runs first in a worker: whoever stops the server stops it, not the terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    gc.set_threshold(OBJECTS_UNTIL_COLLECTED, *gc.get_threshold()[1:])
    with contextlib.suppress(OSError):
        os.nice(NICE)
    # Where the server dies by force, a worker that waits for it for ever would stay behind.
    libc = ctypes.CDLL(None)
    if hasattr(libc, "prctl"):
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # It may have died before that line; of a death in the past nobody tells us.
    server = multiprocessing.parent_process()
    if server is not None and server.pid != os.getppid():
        os._exit(1)
