import asyncio
from concurrent.futures import Future

import pytest
from tests.delivery.fakes import GONE
from tests.delivery.test_stream import a_stream

from sealog.delivery import register as registering
from sealog.delivery import stream as rows
from sealog.delivery.register import Register
from sealog.delivery.stream import Happened, Parked
from sealog.errors import Busy
from sealog.storage.store import Store

HAPPENED = Happened("sealog.streams.paused", 5, "n-1", {}, {"stream": {}})


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state.db")
    yield store
    store.close()


class Desk:
    """A register, what it told, and a journal that may be full."""

    def __init__(self, store):
        self.store = store
        self.told = []
        self.full = False
        self.register = Register(store, lambda: 77, self._tell)

    def _tell(self, tenant, happened):
        if self.full:
            raise Busy("full")
        self.told.append((tenant, happened.name))

    def listed(self):
        with self.store.reading() as connection:
            return rows.read_all(connection)

    def parked(self):
        with self.store.reading() as connection:
            return [one.index for one in rows.parked(connection, "str_1")]


def run(store, work):
    async def main():
        desk = Desk(store)
        desk.register.load()
        await work(desk)
        return desk

    return asyncio.run(main())


def test_a_new_stream_is_durable_and_told(store):
    async def work(desk):
        live = await desk.register.add(a_stream(untold=(HAPPENED,)))
        assert desk.register.of(1) == [live]

    desk = run(store, work)

    assert desk.told == [(1, "n-1")]
    assert desk.listed() == [a_stream(untold=())]


def test_a_change_is_durable_before_it_is_told(store):
    async def work(desk):
        live = await desk.register.add(a_stream(untold=()))
        seen = []
        desk.register._tell = lambda _, __: seen.append(desk.listed()[0].state)
        await desk.register.put(live, HAPPENED, state="paused")
        assert seen == ["paused"]

    (stream,) = run(store, work).listed()

    assert (stream.state, stream.changed_us, stream.untold) == ("paused", 77, ())


def test_what_the_journal_does_not_take_is_told_after_the_next_start(store):
    async def full(desk):
        desk.full = True
        live = await desk.register.add(a_stream(untold=()))
        await desk.register.put(live, HAPPENED, state="paused")

    assert run(store, full).listed()[0].untold == (HAPPENED,)

    async def later(desk):
        saving = asyncio.create_task(desk.register.keep_saving())
        while not desk.told:
            await asyncio.wait([saving], timeout=0.01)
        saving.cancel()

    assert run(store, later).told == [(1, "n-1")]


def test_a_deleted_stream_is_gone_only_once_it_is_told(store):
    async def full(desk):
        live = await desk.register.add(a_stream(untold=()))
        desk.full = True
        await desk.register.remove(live, HAPPENED)
        assert live.stream.state == "deleted"

    assert run(store, full).listed()[0].state == "deleted"

    async def later(desk):
        await desk.register._tell_all(desk.register.lives["str_1"])
        assert desk.register.of(1) == []

    assert run(store, later).listed() == []


def test_positions_are_put_down_together_with_what_is_parked(store):
    async def work(desk):
        live = await desk.register.add(a_stream(next=0, untold=()))
        live.next = 5
        live.parked = 9
        desk.register.park(live, Parked(3, 1, 1, "no"))
        assert desk.listed()[0].next == 0
        await desk.register.save()
        assert desk.listed()[0].next == 5
        assert desk.parked() == [3]
        assert live.parked == 1

    run(store, work)


def test_what_could_not_be_put_down_is_with_what_comes(store):
    async def work(desk):
        live = await desk.register.add(a_stream(next=0, untold=()))
        live.next = 5
        desk.register.park(live, Parked(3, 1, 1, "no"))
        write = desk.store.write
        desk.store.write = lambda _: (_ for _ in ()).throw(Busy("disk"))
        with pytest.raises(Busy):
            await desk.register.save()
        desk.store.write = write
        desk.register.unpark(live, [3])
        desk.register.park(live, Parked(4, 1, 1, "no"))
        await desk.register.save()

    desk = run(store, work)

    assert desk.listed()[0].next == 5
    assert desk.parked() == [4]


def test_a_change_that_could_not_be_put_down_did_not_happen(store):
    async def work(desk):
        live = await desk.register.add(a_stream(next=3, untold=()))
        desk.store = None
        desk.register._store = Broken()
        with pytest.raises(Busy):
            await desk.register.put(live, HAPPENED, first=0, state="paused")
        assert (live.stream.state, live.next, live.stream.untold) == ("running", 3, ())

    run(store, work)


class Broken:
    def write(self, _work):
        raise Busy("disk")


def test_positions_are_put_down_at_most_once_a_second(store, monkeypatch):
    naps = []

    async def nap(seconds):
        naps.append(seconds)
        await asyncio.Event().wait()

    async def work(desk):
        live = await desk.register.add(a_stream(next=0, untold=()))
        monkeypatch.setattr(registering.asyncio, "sleep", nap)
        saving = asyncio.create_task(desk.register.keep_saving())
        live.next = 4
        desk.register.moved(live)
        while not naps:
            await asyncio.wait([saving], timeout=0.01)
        live.next = 8
        desk.register.moved(live)
        await asyncio.wait([saving], timeout=0.05)
        saving.cancel()

    desk = run(store, work)

    assert desk.listed()[0].next == 4
    assert naps == [1.0]


def test_a_disabled_stream_is_put_down_and_told(store):
    async def work(desk):
        live = await desk.register.add(a_stream(untold=()))
        await desk.register.disable(live, GONE)

    desk = run(store, work)

    assert desk.listed()[0].state == "disabled"
    assert desk.told == [(1, "sealog.streams.disabled/str_1/77")]


def test_a_failing_stream_is_told_in_its_own_trail(store):
    async def work(desk):
        live = await desk.register.add(a_stream(untold=()))
        await desk.register.failing(live)

    assert run(store, work).told == [(1, "sealog.streams.failing/str_1/77")]


def test_streams_are_taken_up_as_they_were_with_what_they_parked(store):
    async def first(desk):
        live = await desk.register.add(a_stream(untold=()))
        desk.register.park(live, Parked(3, 1, 1, "no"))
        await desk.register.save()

    run(store, first)

    async def then(desk):
        live = desk.register.lives["str_1"]
        assert (live.next, live.parked, live.now()) == (7, 1, a_stream(untold=()))

    run(store, then)


def failing_write(store, monkeypatch, nth):
    """The write of that number fails; what came to each of them."""
    seen, write = [], store.write

    def counted(work):
        seen.append(work)
        if len(seen) != nth:
            return write(work)
        failed = Future()
        failed.set_exception(Busy("full"))
        return failed

    monkeypatch.setattr(store, "write", counted)
    return seen


def test_no_position_is_put_down_without_what_was_parked_before_it(store, monkeypatch):
    """Two at once, and the first fails: the second takes along what that one had."""

    async def work(desk):
        live = await desk.register.add(a_stream(next=7))
        failing_write(store, monkeypatch, 1)
        live.next = 8
        desk.register.park(live, Parked(7, 1, 1, "x"))
        first = asyncio.create_task(desk.register.save())
        second = asyncio.create_task(desk.register.put(live, HAPPENED, state="paused"))
        came = await asyncio.gather(first, second, return_exceptions=True)
        assert isinstance(came[0], Busy)
        assert desk.parked() == [7]
        assert desk.listed()[0].next == 8

    run(store, work)


def test_where_a_change_would_have_gone_is_not_put_down_when_it_fails(store, monkeypatch):
    """A replay forward that fails must not skip anything after a crash."""

    async def work(desk):
        live = await desk.register.add(a_stream(next=7))
        seen = failing_write(store, monkeypatch, 2)
        desk.register.moved(live)
        tasks = [asyncio.create_task(desk.register.save())]
        desk.register.moved(live)
        tasks += [
            asyncio.create_task(desk.register.put(live, HAPPENED, first=90)),
            asyncio.create_task(desk.register.save()),
        ]
        came = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in came] == [type(None), Busy, type(None)]
        assert len(seen) >= 2
        assert live.next == 7
        assert desk.listed()[0].next == 7

    run(store, work)
