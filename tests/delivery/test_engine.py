import asyncio
import threading

import pytest
from tests.archive.made import ALPHA, event
from tests.delivery.fakes import Office

from sealog.delivery import engine as engines
from sealog.errors import Busy


def test_what_is_being_sent_may_end_before_the_streams_do(office):
    office.home.add(ALPHA, event(0), event(1))
    begun = threading.Event()

    async def slowly(records):
        begun.set()
        await asyncio.sleep(0.05)
        return office.here._verdicts(records)

    office.here.send = slowly
    stream = office.create()
    assert begun.wait(5)

    office.streams.stop()
    office.make()

    assert office.streams.get(stream.id).next == 2


def test_what_does_not_end_in_time_is_sent_again(office, monkeypatch):
    monkeypatch.setattr(engines, "GRACE_S", 0.05)
    office.home.add(ALPHA, event(0))
    begun = threading.Event()
    send = office.here.send

    async def hang(_records):
        begun.set()
        await asyncio.Event().wait()

    office.here.send = hang
    stream = office.create()
    assert begun.wait(5)
    office.streams.stop()

    office.here.send = send
    office.make().start()
    office.until(lambda: office.here.taken)

    assert office.here.indexes == [0]
    assert office.streams.get(stream.id).next == 1


def test_a_stream_that_breaks_is_taken_up_again(office, monkeypatch):
    monkeypatch.setattr(engines, "RETRY_S", 0.01)
    office.home.add(ALPHA, event(0))
    close = office.here.close
    failures = [RuntimeError("broken")]

    async def break_once():
        if failures:
            raise failures.pop()
        await close()

    office.here.close = break_once
    stream = office.create()
    office.until(lambda: office.here.taken)
    office.streams.pause(stream.id, {})
    office.home.add(ALPHA, event(1))
    office.streams.resume(stream.id, {})
    office.until(lambda: len(office.here.taken) == 2)

    assert office.here.indexes == [0, 1]


def test_what_keeps_streams_from_starting_is_raised(tmp_path):
    office = Office(tmp_path / "data")
    office.destinations = None
    world = office.streams._engine._world
    office.streams._engine._world = type(world)(
        tenants=world.tenants, tell=world.tell, means=broken, clock_us=world.clock_us,
        randomness=world.randomness,
    )  # fmt: skip

    with pytest.raises(ValueError, match="no means"):
        office.streams.start()

    office.home.close()


def broken():
    raise ValueError("no means")


def test_what_wakes_nobody_is_looked_for_now_and_then(office, monkeypatch):
    """Events that only say what was read are sent too, some time."""
    monkeypatch.setattr(engines, "LOOK_EVERY_S", 0.02)
    office.streams.stop()
    office.make().start()
    office.create()
    monkeypatch.setattr(office.streams._engine, "_hear", lambda _: None)
    office.streams._engine._source.watch = lambda _: lambda: None

    office.home.add(ALPHA, event(0, "sealog.read.by_key"))
    office.until(lambda: office.here.taken)

    assert office.here.indexes == [0]


def test_after_its_end_nothing_is_asked_of_it(office):
    office.streams.stop()

    with pytest.raises(Busy):
        office.streams._engine.ask(None)


def test_where_the_loop_has_ended_by_itself_it_is_said(office):
    engine = office.streams._engine
    engine._loop.call_soon_threadsafe(engine._loop.stop)
    office.until(lambda: engine._failure is not None)

    with pytest.raises(Busy, match="have ended"):
        engine.ask(None)


def test_nobody_waits_for_a_loop_that_does_not_answer(office, monkeypatch):
    monkeypatch.setattr(engines, "ASKED_S", 0.05)

    with pytest.raises(Busy, match="do not answer"):
        office.streams._engine.ask(asyncio.Event().wait)


def test_a_change_that_takes_too_long_by_itself_says_so(office):
    async def slow():
        raise TimeoutError

    with pytest.raises(TimeoutError):
        office.streams._engine.ask(slow)


def test_a_stream_that_cannot_begin_is_no_trouble_of_the_others(office):
    """Its destination was written by another version, say."""
    office.home.add(ALPHA, event(0))
    there = office.destinations.pop("there")

    broken = office.create("there")
    office.create("here")
    office.until(lambda: office.here.taken)
    shown = office.streams.get(broken.id)

    assert shown.shown_state == "failing"
    assert shown.health.last_error.kind == "internal"
    assert office.streams.trouble is None

    office.destinations["there"] = there
    office.streams.resume(broken.id, {})
    office.until(lambda: there.taken)
    assert there.indexes == [0]


def test_one_that_cannot_begin_does_not_keep_the_others_from_starting(office):
    office.home.add(ALPHA, event(0))
    office.create("there")
    office.create("here")
    office.until(lambda: len(office.destinations["there"].taken) == 1)
    office.streams.stop()
    office.home.add(ALPHA, event(1))

    del office.destinations["there"]
    office.make().start()
    office.until(lambda: len(office.here.taken) == 2)

    assert office.streams.trouble is None
    assert office.streams.states()["failing"] == 1


def test_a_loop_that_has_ended_is_trouble(office):
    engine = office.streams._engine

    engine._loop.call_soon_threadsafe(engine._loop.stop)
    office.until(lambda: office.streams.trouble is not None)

    assert type(office.streams.trouble) is RuntimeError
