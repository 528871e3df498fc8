"""The thread in which all streams run, each in a task of its own, on one event loop.

A stream that has nothing to send has no task, no connection and no timer: it is woken when the
archive has something new of its tenant. Nothing here is shared between streams but a few threads
that read, and turns to send of which those that fail have their own.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol, TypeVar

import msgspec
import structlog

from sealog.delivery.batches import Reader, Renderer, Source, Ways
from sealog.delivery.destination import About, Destination, Parsed
from sealog.delivery.pump import Live, Pump, Surroundings, Turns, wait_for
from sealog.delivery.register import RETRY_S, Register, Tell
from sealog.delivery.shaping import Shaper
from sealog.delivery.stream import RUNNING, Stream, Trouble
from sealog.errors import Busy, SealogError
from sealog.event.moulds import Derive
from sealog.event.tenants import Tenant
from sealog.rendering.rendering import ECS
from sealog.rendering.rendering import Renderer as Rendering
from sealog.storage.store import Store

T = TypeVar("T")

READERS = 2
"""Threads that read, filter and render; more would only take the interpreter from each other."""
GRACE_S = 5.0
"""What is being sent has so long to end; what is then not acknowledged is sent again."""
ASKED_S = 120.0
"""Past all that anybody is kept waiting for in the loop."""
LOOK_EVERY_S = 60.0
"""What wakes nobody, such as the events that only say what was read, is sent so often, at least."""

_log = structlog.get_logger("sealog.delivery")


class Watched(Source, Protocol):
    """Where events come from, and who says so."""

    def watch(self, watcher: Callable[[Mapping[int, int]], None]) -> Callable[[], None]:
        """Call `watcher` with tenant → visible end; see `archive.archive.Archive.watch`."""
        ...


class Means(Protocol):
    """Makes destinations; see `destinations.Means`."""

    def make(self, parsed: Parsed, about: About) -> Destination:
        """A destination, ready to send."""
        ...

    def close(self) -> None:
        """Let go of what destinations share."""
        ...


class World(msgspec.Struct, frozen=True, kw_only=True):
    """What streams depend on beside the archive."""

    tenants: Callable[[int], Tenant | None]
    tell: Tell
    means: Callable[[], Means]
    clock_us: Callable[[], int]
    randomness: Callable[[int], bytes]
    derive: Derive | None = None
    """What follows from each event and is shown with it."""
    wait: Callable[[asyncio.Event, float | None], Awaitable[bool]] = wait_for


class Engine:
    """See the module. `start` and `stop` it; `ask` it from any thread."""

    def __init__(self, store: Store, source: Watched, world: World) -> None:
        self._store = store
        self._source = source
        self._world = world
        self._thread: threading.Thread | None = None
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._renderers: dict[tuple[str, str], Renderer] = {}
        self._is_stopping = False
        # Set in the loop's thread, before `_started`.
        self.register: Register
        self._stop: asyncio.Event
        self._means: Means
        self._among: Surroundings
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._readers: ThreadPoolExecutor

    @property
    def is_running(self) -> bool:
        """Whether streams run."""
        return self._thread is not None

    def start(self) -> None:
        """Take up every stream where it was. Raises what keeps it from that."""
        self._thread = threading.Thread(target=self._run, name="sealog-delivery", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            self._thread = None
            raise self._failure

    def stop(self) -> None:
        """Let what is being sent end, put down how far all are, and end."""
        if self._thread is None:
            return
        assert self._loop is not None
        with suppress(RuntimeError):  # It has ended by itself.
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None

    def ask(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something in the loop, from another thread. Raises `Busy` where no streams run."""
        if self._failure is not None:
            raise Busy("streams have ended: the server's log says why")
        if self._thread is None or self._loop is None or self._is_stopping:
            raise Busy("streams run while a server runs")

        async def run() -> T:
            return await work()

        asked = asyncio.run_coroutine_threadsafe(run(), self._loop)
        try:
            return asked.result(ASKED_S)
        except CancelledError as error:
            raise Busy("streams are about to end") from error
        except TimeoutError as error:
            if asked.done():
                raise
            # The loop ended before it came to it.
            asked.cancel()
            raise Busy("streams do not answer") from error

    def lock(self, live: Live) -> asyncio.Lock:
        """Held while somebody changes a stream."""
        return self._locks.setdefault(live.stream.id, asyncio.Lock())

    @property
    def failure(self) -> BaseException | None:
        """What ended the loop, though nobody stopped it; None while all is well."""
        return self._failure

    def begin(self, live: Live) -> None:
        """Let a stream go on, if it runs and is not under way.

        One that cannot begin says so, and is tried again when somebody looks around: it is no
        trouble of the others.
        """
        try:
            self._begin(live)
        except Exception as error:  # noqa: BLE001 - the stream says that it fails, the log says why
            _log.error("a stream cannot begin", stream=live.stream.id, error=type(error).__name__)
            health, now_us = live.health, self._world.clock_us()
            health.failures += 1
            health.failing_since_us = health.failing_since_us or now_us
            health.last_error = Trouble(now_us, "internal", "something went wrong on our side")
            self.register.moved(live)

    def _begin(self, live: Live) -> None:
        if self._is_stopping or live.is_held or live.stream.id in self._tasks:
            return
        tenant = self._world.tenants(live.stream.tenant)
        if tenant is None or live.stream.state != RUNNING:
            return
        reader = Reader(
            self._source, tenant, (live.stream.id, live.stream.wanted), self.ways(live.stream)
        )
        destination = self.destination(live.stream, tenant)
        live.pump = pump = Pump(live, reader, destination, self._among)
        self._tasks[live.stream.id] = asyncio.create_task(self._pumped(live, pump))

    async def halt(self, live: Live) -> None:
        """Let what a stream is sending end, for a while, and end it."""
        task = self._tasks.get(live.stream.id)
        if task is None:
            return
        assert live.pump is not None
        live.pump.end()
        await asyncio.wait([task], timeout=GRACE_S)
        task.cancel()
        await asyncio.wait([task])

    def forget(self, live: Live) -> None:
        """Nobody changes it any more."""
        self._locks.pop(live.stream.id, None)

    def ways(self, stream: Stream) -> Ways:
        """How a stream's events come to look as they leave."""
        wanted = stream.wanted
        shaper = Shaper(wanted.shape, stream.secrets.hashing, is_ecs=wanted.dialect == ECS)
        return Ways(self.renderer(wanted.dialect, wanted.ecs_version), shaper, self._world.clock_us)

    def renderer(self, dialect: str, ecs_version: str) -> Renderer:
        """One for all streams of a shape: what one learned of how events look serves all."""
        found = self._renderers.get((dialect, ecs_version))
        if found is None:
            found = Rendering(dialect, ecs_version=ecs_version, derive=self._world.derive)
            self._renderers[dialect, ecs_version] = found
        return found

    def destination(self, stream: Stream, tenant: Tenant) -> Destination:
        """A stream's destination. In the loop only."""
        return self._means.make(stream.destination, About(stream.id, tenant.name))

    def is_behind(self, live: Live) -> bool:
        """Whether there is something it has not looked at."""
        tenant = self._world.tenants(live.stream.tenant)
        return tenant is not None and (bool(live.retry) or self._source.visible(tenant) > live.next)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - told to whoever starts it, else written down
            self._failure = error
            if self._started.is_set():
                _log.error("streams ended", error=type(error).__name__)
        finally:
            self._started.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        world = self._world
        self.register = Register(self._store, world.clock_us, world.tell)
        self._readers = ThreadPoolExecutor(READERS, "sealog-streams")
        self._means = world.means()
        self._among = Surroundings(
            keeper=self.register,
            turns=Turns(),
            work=self._work,
            clock_us=world.clock_us,
            chance=lambda: int.from_bytes(world.randomness(4), "big") / (1 << 32),
            wait=world.wait,
        )
        self.register.load()
        saving = asyncio.create_task(self.register.keep_saving())
        looking = asyncio.create_task(self._look_around())
        unwatch = self._source.watch(self._hear)
        self._started.set()
        try:
            self._wake(list(self.register.of_tenant))
            await self._stop.wait()
        finally:
            self._is_stopping = True
            unwatch()
            await self._end(saving, looking)

    async def _end(self, *tasks: asyncio.Task[None]) -> None:
        lives = list(self.register.lives.values())
        await asyncio.gather(*[self.halt(live) for live in lives])
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        try:
            await self.register.save()
        except SealogError as error:
            # What was acknowledged since the last time is sent again.
            _log.error("how far streams are is not put down", reason=str(error))
        self._means.close()
        self._readers.shutdown(wait=True, cancel_futures=True)

    async def _work(self, work: Callable[[], Any]) -> Any:
        assert self._loop is not None
        return await self._loop.run_in_executor(self._readers, work)

    def _hear(self, visible: Mapping[int, int]) -> None:
        """In the archive's thread: pass on what is new of tenants that have streams."""
        of_tenant = self.register.of_tenant
        tenants = [tenant for tenant in visible if of_tenant.get(tenant)]
        if tenants and not self._is_stopping:
            assert self._loop is not None
            with suppress(RuntimeError):  # The loop has just ended.
                self._loop.call_soon_threadsafe(self._wake, tenants)

    def _wake(self, tenants: Iterable[int]) -> None:
        for tenant in tenants:
            for live in self.register.of(tenant):
                if live.pump is not None:
                    live.pump.wake()
                elif self.is_behind(live):
                    self.begin(live)

    async def _look_around(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                self._wake([tenant for tenant, lives in self.register.of_tenant.items() if lives])
            except Exception as error:  # noqa: BLE001 - it is looked again, whatever happens
                _log.error("streams cannot be looked after", error=type(error).__name__)

    async def _pumped(self, live: Live, pump: Pump) -> None:
        name = live.stream.id
        again_s: float | None = None
        try:
            await pump.run()
        except Exception as error:  # noqa: BLE001 - one stream's trouble is its own
            _log.error("a stream ended", stream=name, error=type(error).__name__)
            again_s = RETRY_S
        finally:
            live.pump = None
            self._tasks.pop(name, None)
        assert self._loop is not None
        if again_s is not None:
            self._loop.call_later(again_s, self.begin, live)
        elif self.is_behind(live):
            # It came while the stream was about to rest.
            self.begin(live)
