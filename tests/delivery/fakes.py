"""A destination, a clock and a whole delivery around a real archive, made for the tests of this room."""

import asyncio
import hashlib
import threading

from tests.archive.made import ALPHA, BEGIN_US, TENANTS, Home

from sealog.delivery.destination import DELIVERED, Batching, Outcome, Parsed, Verdict
from sealog.delivery.engine import World
from sealog.delivery.shaping import WHOLE
from sealog.delivery.stream import Wanted
from sealog.delivery.streams import Settings, Streams
from sealog.delivery.wishes import Wish
from sealog.query.tree import Query

LATER = Verdict(Outcome.LATER, "status-503", "it answered 503")
GONE = Verdict(Outcome.GONE, "status-410", "it answered 410")
REFUSED = Verdict(Outcome.REFUSED, "status-400", "it answered 400")
ACTOR = {"user": {"id": "key_1"}, "sealog": {"kind": "key"}}


class FakeDestination:
    """Takes everything, until it is told what to say; remembers what it was given and took."""

    def __init__(self, records_max=100, bytes_max=1 << 20):
        self.batching = Batching(records_max, bytes_max)
        self.given = []
        self.taken = []
        self.answer = None
        """Called with a record; gives a verdict, raises, or gives None: it is taken."""
        self.gate = None
        """An asyncio.Event, made by the test's own loop, that each send waits for."""
        self.error = None
        self.checked = 0
        self.closed = 0
        self.sending = 0

    async def send(self, records):
        self.sending += 1
        assert self.sending == 1, "a destination is given one batch at a time"
        try:
            if self.gate is not None:
                await self.gate.wait()
            self.given.append([record.index for record in records])
            if self.error is not None:
                raise self.error
            return self._verdicts(records)
        finally:
            self.sending -= 1

    def _verdicts(self, records):
        verdicts = []
        for record in records:
            verdict = self.answer(record) if self.answer is not None else None
            verdicts.append(verdict or DELIVERED)
            if verdict is None:
                self.taken.append(record)
            elif verdict.outcome in (Outcome.LATER, Outcome.GONE):
                break
        return verdicts

    async def check(self):
        self.checked += 1
        return DELIVERED

    async def close(self):
        self.closed += 1

    @property
    def indexes(self):
        """Of all that was taken, in the order it was."""
        return [record.index for record in self.taken]


class FakeMeans:
    """Gives the destinations that a test laid ready, by the name of the stream's destination."""

    def __init__(self, destinations):
        self._destinations = destinations
        self.about = []

    def make(self, parsed, about):
        self.about.append(about)
        return self._destinations[parsed.shown["at"]]

    def close(self):
        pass


class Clock:
    """Time that goes on when somebody waits."""

    def __init__(self, us=BEGIN_US):
        self.us = us
        self.waits = []
        """Seconds of every wait for another attempt."""
        self.passed = lambda: None
        """Called whenever time has gone by so."""

    async def wait(self, event, seconds):
        """As `pump.wait_for`, but the time that nobody else needs goes by at once."""
        if event.is_set():
            return True
        if seconds is None or seconds in (60.0, 0.1):
            # Idle, or lingering: real time, a little of it.
            try:
                async with asyncio.timeout(0.02 if seconds == 0.1 else None):
                    await event.wait()
            except TimeoutError:
                return False
            return True
        self.waits.append(seconds)
        self.us += int(seconds * 1e6)
        self.passed()
        await asyncio.sleep(0)
        return event.is_set()


def wish(at="here", *, name="siem", query=None, secrets=None, **more):
    """What a stream is to do."""
    shown = {"kind": "fake", "at": at, **more.pop("destination", {})}
    wanted = Wanted(
        name=name, destination=shown, query=query or Query(), shape=more.pop("shape", WHOLE), **more
    )
    return Wish(wanted, Parsed(shown, secrets or {}))


class Office:
    """Streams around an archive in a folder, and what tenants were told."""

    def __init__(self, path, *, home=None, clock=None, settings=None):
        self.home = home or Home(path)
        self.clock = clock or Clock()
        self.destinations = {"here": FakeDestination(), "there": FakeDestination()}
        self.told = []
        self.tell_error = None
        self._drawn = 0
        self._settings = settings or Settings()
        self.make()

    def make(self):
        """Streams as a new process has them."""
        world = World(
            tenants=TENANTS.get,
            tell=self._tell,
            means=lambda: FakeMeans(self.destinations),
            clock_us=lambda: self.clock.us,
            randomness=self._draw,
            wait=self.clock.wait,
        )
        self.streams = Streams(self.home.store, self.home.archive, world, self._settings)
        return self.streams

    def start(self):
        self.streams.start()
        return self.streams

    def restart(self):
        self.streams.stop()
        return self.make().start()

    def close(self):
        self.streams.stop()
        self.home.close()

    @property
    def here(self):
        return self.destinations["here"]

    def create(self, at="here", *, first=0, tenant=ALPHA, **more):
        return self.streams.create(tenant, wish(at, **more), first, ACTOR).stream

    def until(self, true):
        """Wait for what the loop does; fail when it does not come."""
        pause = threading.Event()
        for _ in range(2_000):
            if true():
                return
            pause.wait(0.005)
        raise AssertionError(self.streams.all())

    def _tell(self, tenant, happened):
        if self.tell_error is not None:
            raise self.tell_error
        self.told.append((tenant, happened.action, happened.details["stream"]))

    def _draw(self, size):
        self._drawn += 1
        return hashlib.shake_256(self._drawn.to_bytes(8, "big")).digest(size)
