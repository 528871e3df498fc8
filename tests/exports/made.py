"""A home with exports, a clock that stands still, and a tenant with events."""

import hashlib
import threading

import msgspec
from tests.archive.made import ALPHA, TENANTS, Home, event

from sealog.event import joining
from sealog.exports.exports import Exports, Settings, Wanted, World
from sealog.exports.forms import Form
from sealog.query.tree import Query

NOW_US = 1_700_000_000_000_000
EVERYTHING = Query()


class Clock:
    """Two clocks, as a machine has them."""

    def __init__(self):
        self.us = NOW_US
        self.s = 1_000.0

    def pass_by(self, seconds):
        self.us += int(seconds * 1e6)
        self.s += seconds


class Held:
    """A source whose packs come when they are let go."""

    def __init__(self, archive):
        self._archive = archive
        self.gate = threading.Event()
        self.gate.set()
        self.reached = threading.Event()
        self.error = None
        self.hidden = False
        self.expiry_us = None
        self.asked_us = []

    def wait_for(self, tenant, index, timeout_s):
        return not self.hidden and self._archive.wait_for(tenant, index, timeout_s)

    def segments(self, tenant):
        return self._archive.segments(tenant)

    def pieces(self, tenant, query, end, *, now_us=None):
        self.asked_us.append(now_us)
        for piece in self._archive.pieces(tenant, query, end):
            self.reached.set()
            assert self.gate.wait(20)
            if self.error is not None:
                raise self.error
            yield piece


class Port:
    """Exports on a data folder."""

    def __init__(self, path, *, derive=None, **limits):
        self._derive = derive
        self.home = Home(path)
        self.clock = Clock()
        self.finished = []
        self.spare_us = 0
        self._limits = limits
        self._drawn = 0
        self.open()

    def open(self):
        self.source = Held(self.home.archive)
        world = World(
            TENANTS.get,
            self.home.journal.size,
            self._draw,
            lambda: self.clock.us,
            derive=self._derive,
            monotonic_s=lambda: self.clock.s,
            finished=self.finished.append,
            spare_us=lambda _: self.spare_us,
            first_expiry_us=lambda *_: self.source.expiry_us,
        )
        settings = Settings(workers=0, **self._limits)
        self.exports = Exports(self.home.store, self.home.folder, self.source, world, settings)
        self.exports.start()

    def restart(self):
        self.exports.stop()
        self.home.restart()
        self.open()

    def close(self):
        self.source.gate.set()
        self.exports.stop()
        self.home.close()

    def ask(self, form="ndjson", *, tenant=ALPHA, query=EVERYTHING, **asked):
        return self.exports.create(tenant, "key_1", Wanted(Form(form), query, asked))

    def files(self):
        return sorted(path.name for path in self.home.folder.exports.iterdir())

    def wait(self, job, *states):
        """The job, once it is in one of these states."""
        pause = threading.Event()
        for _ in range(2_000):
            found = self.exports.get(job.id)
            if found.state in (states or ("ready",)):
                return found
            pause.wait(0.005)
        raise AssertionError(found)

    def _draw(self, size):
        self._drawn += 1
        return hashlib.shake_256(self._drawn.to_bytes(8, "big")).digest(size)


def shown(home, tenant, indexes):
    """The events at these indexes as they are shown one by one."""
    return [joining.shown(home.archive.get(tenant, index), index) for index in indexes]


def fill(home, count, *, tenant=ALPHA):
    """That many events, some at rest, some waiting."""
    half = count // 2
    home.add(
        tenant, *[event(n, actor=f"u-{n % 3}", rest={"message": f"m {n}"}) for n in range(half)]
    )
    home.archive.cut()
    home.add(tenant, *[event(n, actor=f"u-{n % 3}") for n in range(half, count)])


def pieces_of(home, end, *, tenant=ALPHA):
    """Packs as workers take them."""
    return [
        (one.pack, one.base, one.places) for one in home.archive.pieces(tenant, EVERYTHING, end)
    ]


def line(**members):
    """One event as a line of NDJSON."""
    return msgspec.json.encode({"sealog": {"index": 0}, **members}) + b"\n"
