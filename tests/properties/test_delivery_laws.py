"""Whatever a destination says and whenever the program dies, a stream leaves nothing out."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.delivery.fakes import GONE, LATER, REFUSED, FakeDestination
from tests.delivery.test_pump import FakeReader, live_stream

from sealog.delivery import pump as pumping
from sealog.delivery import stream as rows
from sealog.delivery.pump import Live, Pump, Surroundings, Turns
from sealog.delivery.register import Register
from sealog.storage.store import Store

EVENTS = 12
TAKEN, LATE, NO, OVER, DIE = "taken", "later", "refused", "gone", "die"
_VERDICTS = {TAKEN: None, LATE: LATER, NO: REFUSED, OVER: GONE}


class Killed(BaseException):
    """The program dies here: nothing that was not put down is left."""


class World:
    """A store that stays, and a stream that is taken up again and again by new programs."""

    def __init__(self, store, fates, saves):
        self.store = store
        self.fates = list(fates)
        self.saves = list(saves)
        self.destination = FakeDestination(records_max=5)
        self.destination.answer = self._answer
        self.tried = []
        self.store.write(lambda it: rows.remove(it, "str_1")).result()
        self.store.write(lambda it: rows.add(it, live_stream().stream)).result()

    def _answer(self, record):
        self.tried.append(record.index)
        fate = self.fates.pop(0) if self.fates else TAKEN
        if fate == DIE:
            raise Killed
        return _VERDICTS[fate]

    def life(self):
        """One program: from its start to its end, or to where it dies; whether it ended well."""
        try:
            return asyncio.run(self._live())
        except Killed:
            return False

    async def _live(self):
        register = Register(self.store, lambda: 0, lambda *_: None)
        register.load()
        (live,) = register.lives.values()
        if live.stream.state == "disabled":
            # Somebody resumed it.
            live.stream = live_stream().stream
        assert isinstance(live, Live)

        async def wait(_event, seconds):
            if seconds in (pumping.IDLE_S, pumping.LINGER_S):
                return False
            if self.saves and self.saves.pop(0):
                await register.save()
            return False

        async def work(what):
            if self.saves and self.saves.pop(0):
                await register.save()
            return what()

        around = Surroundings(register, Turns(), work, lambda: 0, lambda: 0.0, wait)
        pump = Pump(live, FakeReader(EVENTS), self.destination, around)
        await pump.run()
        await register.save()
        return live.stream.state == "running" and live.next == EVENTS


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("delivery") / "state.db")
    yield store
    store.close()


@settings(max_examples=60, deadline=None)
@given(
    fates=st.lists(st.sampled_from([TAKEN, TAKEN, TAKEN, LATE, NO, OVER, DIE]), max_size=40),
    saves=st.lists(st.booleans(), max_size=40),
)
def test_every_record_is_delivered_or_parked_in_order_whatever_happens(store, fates, saves):
    world = World(store, fates, saves)
    for _ in range(200):
        if world.life():
            break
    with store.reading() as connection:
        parked = {one.index for one in rows.parked(connection, "str_1")}
        (stream,) = rows.read_all(connection)

    delivered = world.destination.indexes
    assert set(delivered) | parked == set(range(EVENTS))
    assert list(dict.fromkeys(world.tried)) == list(range(EVENTS))
    # It goes back to what was put down, and never leaps ahead.
    assert all(later <= earlier + 1 for earlier, later in pairwise(world.tried))
    assert stream.next == EVENTS
