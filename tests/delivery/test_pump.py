import asyncio
import weakref

import pytest
from tests.archive.made import BEGIN_US
from tests.delivery.fakes import GONE, LATER, REFUSED, FakeDestination

from sealog.delivery import pump as pumping
from sealog.delivery.batches import Batch
from sealog.delivery.destination import Outcome, Outgoing, Verdict
from sealog.delivery.pump import Live, Pump, Surroundings, Turns
from sealog.delivery.stream import Health, Secrets, Stream, Wanted
from sealog.errors import Altered, Busy

HOUR = 3_600


def live_stream(**more):
    values = {"next": 0, "health": Health(), **more}
    stream = Stream(
        id="str_1", tenant=1, state="running", version=1, wanted=Wanted(name="x", destination={}),
        secrets=Secrets(b""), created_us=0, changed_us=0, **values,
    )  # fmt: skip
    return Live(stream)


class FakeReader:
    """A log of so many records; gives those that are there."""

    def __init__(self, end):
        self.end = end
        self.errors = []
        self.gone = set()
        self.forgotten = 0
        self.batchings = []

    def next(self, first, batching):
        self.batchings.append(batching)
        if self.errors:
            raise self.errors.pop(0)
        if first >= self.end:
            return None
        upto = min(first + batching.records_max, self.end)
        return Batch([record(index) for index in range(first, upto)], upto)

    def single(self, index):
        return None if index in self.gone else record(index)

    def forget(self):
        self.forgotten += 1


def record(index):
    return Outgoing(index, f"str_1-{index}", b"{}", "a.b", 0)


class FakeKeeper:
    """Remembers what it was told."""

    def __init__(self):
        self.parked = {}
        self.unparked = []
        self.told = []
        self.disabled = []
        self.positions = []

    def moved(self, live):
        self.positions.append(live.next)

    def park(self, _live, one):
        self.parked[one.index] = one

    def unpark(self, _live, indexes):
        self.unparked += indexes

    async def failing(self, live):
        self.told.append(live.health.failures)

    async def disable(self, _live, why):
        self.disabled.append(why)


class Scene:
    """A pump, everything about it, and a clock that goes on when it waits."""

    def __init__(self, *, end=10, live=None, records_max=4):
        self.us = BEGIN_US
        self.waits = []
        self.live = live or live_stream()
        self.reader = FakeReader(end)
        self.destination = FakeDestination(records_max)
        self.keeper = FakeKeeper()
        self.pump = None
        self.on_wait = lambda _: None
        self.turns = None

    async def _wait(self, event, seconds):
        if seconds == pumping.IDLE_S:
            return False
        if seconds != pumping.LINGER_S:
            self.waits.append(seconds)
            self.us += int(seconds * 1e6)
            self.on_wait(seconds)
        await asyncio.sleep(0)
        return event.is_set()

    async def _work(self, work):
        return work()

    async def _run(self):
        self.turns = Turns()
        among = Surroundings(
            self.keeper, self.turns, self._work, lambda: self.us, lambda: 0.0, self._wait
        )
        self.pump = Pump(self.live, self.reader, self.destination, among)
        self.live.pump = self.pump
        await self.pump.run()

    def run(self):
        asyncio.run(self._run())
        return self

    def refuse(self, *answers):
        """Answer the first records so, then take everything."""
        left = list(answers)
        self.destination.answer = lambda _: left.pop(0) if left else None


def test_everything_is_delivered_in_order_and_noted():
    scene = Scene(end=10).run()

    assert scene.destination.indexes == list(range(10))
    assert scene.live.next == 10
    assert scene.live.health.delivered == 10
    assert scene.live.health.delivered_bytes == 20
    assert scene.live.health.last_success_us == BEGIN_US
    assert scene.destination.closed == 1


def test_it_goes_on_from_where_it_was():
    scene = Scene(live=live_stream(next=7)).run()

    assert scene.destination.indexes == [7, 8, 9]


def test_the_position_is_never_ahead_of_what_was_taken():
    scene = Scene(end=8)
    scene.refuse(None, None, LATER)
    scene.destination.error = None

    positions = []
    scene.on_wait = lambda _: positions.append(scene.live.next)
    scene.run()

    assert positions == [2]
    assert scene.destination.indexes == list(range(8))


def test_what_is_not_taken_is_sent_again_by_the_schedule():
    """Ten days down: nothing is lost, nothing is out of order, the times are those written down."""
    scene = Scene(end=6)
    up_again_us = BEGIN_US + 10 * 24 * HOUR * 1_000_000
    scene.destination.answer = lambda _: LATER if scene.us < up_again_us else None

    scene.run()

    assert scene.waits == [
        5, 300, 1_800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR,
        *[24 * HOUR] * 8,
    ]  # fmt: skip
    assert scene.destination.indexes == list(range(6))
    assert scene.live.health.failures == 0
    assert scene.live.health.failing_since_us is None
    assert scene.live.health.last_error.kind == "status-503"


def test_a_failing_one_tries_little_and_holds_nothing_while_it_waits():
    scene = Scene(end=100, records_max=50)
    scene.refuse(LATER)

    scene.run()

    assert [batching.records_max for batching in scene.reader.batchings][:3] == [50, 16, 50]
    assert scene.reader.forgotten >= 2


def test_a_destination_is_left_alone_for_as_long_as_it_asks():
    scene = Scene()
    scene.refuse(Verdict(Outcome.LATER, "status-429", "", 40.0))

    assert scene.run().waits == [40.0]


def test_its_tenant_is_told_once_it_failed_for_a_while():
    scene = Scene()
    scene.refuse(*[LATER] * 6)

    assert scene.run().keeper.told == [3]


def test_one_that_comes_and_goes_tells_every_hour_at_most():
    scene = Scene(end=3, records_max=1)
    scene.refuse(*[LATER] * 3, None, *[LATER] * 3, None)

    scene.run()

    assert scene.keeper.told == [3]


def test_what_is_refused_for_good_is_parked_and_the_stream_goes_on():
    scene = Scene(end=4)
    scene.refuse(None, REFUSED)

    scene.run()

    assert scene.destination.indexes == [0, 2, 3]
    assert scene.keeper.parked[1].reason == "status-400: it answered 400"
    assert scene.live.next == 4
    assert (scene.live.parked, scene.live.health.refused) == (1, 1)


def test_where_too_much_is_parked_the_stream_waits(monkeypatch):
    """A mistake of somebody's, such as a wrong address, must not push a whole trail aside."""
    monkeypatch.setattr(pumping, "PARKED_MAX", 2)
    assert pumping.REFUSED_IN_A_ROW_MAX > 2
    scene = Scene(end=9)
    scene.destination.answer = lambda _: REFUSED
    scene.on_wait = lambda _: scene.pump.end()

    scene.run()

    assert sorted(scene.keeper.parked) == [0, 1]
    assert scene.live.next == 2
    assert scene.live.health.last_error.kind == "parked-full"


def test_parked_records_are_sent_again_when_it_is_asked_for():
    live = live_stream(next=10)
    live.retry = {3, 5, 7}
    scene = Scene(live=live)
    scene.reader.gone = {5}
    scene.destination.answer = lambda one: REFUSED if one.index == 7 else None

    scene.run()

    assert scene.destination.given == [[3], [7]]
    assert scene.keeper.unparked == [3, 5]
    assert sorted(scene.keeper.parked) == [7]
    assert live.retry == set()


def test_a_parked_record_that_is_not_taken_holds_up_nothing():
    """Asked for is one attempt. What is not taken stays parked, with the reason of now."""
    live = live_stream(next=8)
    live.retry = {3, 5}
    scene = Scene(live=live)
    scene.destination.answer = lambda one: LATER if one.index < 8 else None

    scene.run()

    assert scene.destination.given == [[3], [8, 9]]
    assert scene.waits == []
    assert scene.keeper.parked[3].reason == "status-503: it answered 503"
    assert scene.keeper.unparked == []
    assert live.retry == set()
    assert live.health.failures == 0


@pytest.mark.parametrize(
    ("error", "waits", "sent"), [(Busy("x", retry_after_s=7.0), [7.0], [3, 9]), (Altered("x"), [], [9])],
    ids=["busy", "damaged"],
)  # fmt: skip
def test_a_parked_record_that_cannot_be_read_holds_up_nothing_but_a_busy_moment(error, waits, sent):
    live = live_stream(next=9)
    live.retry = {3}
    scene = Scene(live=live)
    errors, single = [error], scene.reader.single

    def read(index):
        if errors:
            raise errors.pop()
        return single(index)

    scene.reader.single = read
    scene.run()

    assert scene.waits == waits
    assert scene.destination.indexes == sent


def test_a_parked_record_is_told_that_its_destination_is_gone():
    live = live_stream(next=10)
    live.retry = {3}
    scene = Scene(live=live)
    scene.refuse(GONE)

    scene.run()

    assert scene.keeper.disabled == [GONE]


def test_a_receiver_that_refuses_everything_gets_no_trail_parked():
    """Ten different records in a row are not all bad; it is tried again by the schedule."""
    scene = Scene(end=30, records_max=30)
    mended_us = BEGIN_US + HOUR * 1_000_000
    scene.destination.answer = lambda _: REFUSED if scene.us < mended_us else None

    scene.run()

    assert sorted(scene.keeper.parked) == list(range(10))
    assert scene.waits == [5, 300, 1_800, 7_200]
    assert scene.live.health.last_error.kind == "refuses-all"
    assert scene.live.health.last_error.reason == (
        "10 records in a row were refused, and the next as well: status-400"
    )
    assert scene.destination.indexes == list(range(10, 30))
    assert scene.live.health.refused_in_a_row == 0


def test_bad_records_among_good_ones_are_parked_however_many_they_are():
    scene = Scene(end=60)
    scene.destination.answer = lambda one: None if one.index % 10 == 9 else REFUSED

    scene.run()

    assert len(scene.keeper.parked) == 54
    assert scene.waits == []


def test_what_a_destination_did_not_try_is_read_again():
    """It may have expired since it was read."""
    scene = Scene(end=6, records_max=6)
    send = scene.destination.send

    async def two_at_most(records):
        return await send(records[:2])

    scene.destination.send = two_at_most
    scene.run()

    assert scene.destination.given == [[0, 1], [2, 3], [4, 5]]
    assert len(scene.reader.batchings) == 4
    assert scene.live.next == 6


def test_nothing_of_a_batch_is_held_while_it_waits():
    scene = Scene(end=6, records_max=6)
    held, alive = [], []

    def batch(first, _batching):
        if first >= 6:
            return None
        made = Records([record(index) for index in range(first, 6)])
        held.append(weakref.ref(made))
        return Batch(made, 6)

    scene.reader.next = batch
    scene.refuse(None, LATER)
    scene.on_wait = lambda _: alive.append(held[0]() is not None)
    scene.run()

    assert alive == [False]


class Records(list):
    """Some that can be watched going away."""


def test_one_that_waits_for_its_turn_has_read_nothing():
    scene = Scene(end=3)

    async def run():
        scene.turns = Turns()
        among = Surroundings(
            scene.keeper, scene.turns, scene._work, lambda: BEGIN_US, lambda: 0.0, scene._wait
        )
        for _ in range(pumping.SENDING_MAX):
            await scene.turns.sound.acquire()
        pump = Pump(scene.live, scene.reader, scene.destination, among)
        task = asyncio.create_task(pump.run())
        await asyncio.sleep(0.01)
        before = list(scene.reader.batchings)
        scene.turns.sound.release()
        await asyncio.wait_for(task, 5)
        return before

    assert asyncio.run(run()) == []
    assert scene.destination.indexes == [0, 1, 2]


def test_haste_holds_for_one_attempt():
    """Who was in a hurry while nothing was wrong does not cut a later wait short."""
    scene = Scene(end=0)
    left, hasty = [LATER], []
    wait = scene._wait

    async def hurried(event, seconds):
        if seconds == pumping.IDLE_S and scene.reader.end == 0:
            scene.reader.end = 1
            scene.pump.hurry()
            return True
        if seconds == 5:
            hasty.append(event.is_set())
        return await wait(event, seconds)

    scene._wait = hurried
    scene.destination.answer = lambda _: left.pop() if left else None
    scene.run()

    assert hasty == [False]
    assert scene.destination.indexes == [0]


def test_a_destination_that_is_gone_disables_the_stream():
    scene = Scene(end=4)
    scene.refuse(None, GONE)

    scene.run()

    assert scene.keeper.disabled == [GONE]
    assert scene.live.next == 1
    assert scene.live.health.last_error.kind == "status-410"
    assert scene.waits == []


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Busy("x", retry_after_s=7.0), "busy"),
        (Altered("x"), "damaged"),
        (KeyError("x"), "internal"),
    ],
    ids=["busy", "damaged", "internal"],
)
def test_what_cannot_be_read_now_is_read_later(error, kind):
    scene = Scene(end=3)
    scene.reader.errors = [error]

    scene.run()

    assert scene.live.health.last_error.kind == kind
    assert scene.waits == [7.0 if kind == "busy" else 5]
    assert scene.destination.indexes == [0, 1, 2]


def test_a_destination_that_raises_is_tried_again_and_what_it_said_is_not_shown():
    scene = Scene(end=3)
    scene.destination.error = ValueError("secret")
    scene.on_wait = lambda _: setattr(scene.destination, "error", None)

    scene.run()

    assert scene.destination.indexes == [0, 1, 2]
    assert "secret" not in scene.live.health.last_error.reason


def test_a_destination_that_says_nothing_has_taken_nothing():
    scene = Scene(end=1)
    verdicts = [[], None]
    send = scene.destination.send

    async def silent(records):
        return verdicts.pop(0) if len(verdicts) > 1 else await send(records)

    scene.destination.send = silent
    scene.run()

    assert scene.waits == [5]
    assert scene.destination.indexes == [0]


def test_after_a_start_it_waits_for_what_is_left_of_its_time():
    health = Health(failures=4, next_attempt_us=BEGIN_US + 90_000_000)
    scene = Scene(live=live_stream(health=health)).run()

    assert scene.waits == [90.0]


def test_a_clock_that_was_set_back_keeps_nobody_waiting_for_ever():
    health = Health(failures=4, next_attempt_us=BEGIN_US + 10**15)
    scene = Scene(live=live_stream(health=health)).run()

    assert scene.waits == [pytest.approx(1.1 * 24 * HOUR)]


def test_who_is_in_a_hurry_does_not_wait():
    scene = Scene(end=1)
    scene.refuse(LATER, LATER, LATER)

    async def run():
        task = asyncio.create_task(scene._run())
        await asyncio.sleep(0)
        scene.pump.hurry()
        await task

    asyncio.run(run())

    assert scene.destination.indexes == [0]


def test_it_ends_between_two_batches_when_it_is_told_to():
    scene = Scene(end=10, records_max=4)

    def end_after_one(_):
        scene.pump.end()

    scene.destination.answer = end_after_one
    scene.run()

    assert scene.destination.indexes == [0, 1, 2, 3]
    assert scene.live.next == 4


def test_a_hundred_dead_ones_leave_the_others_their_turns():
    """Those that failed have turns of their own, so that nobody else waits behind them."""

    async def run():
        gate = asyncio.Event()
        turns = Turns()
        dead = [Scene(live=live_stream(health=Health(failures=1))) for _ in range(100)]
        sound = Scene(end=5)
        for scene in (*dead, sound):
            scene.make = Surroundings(
                scene.keeper, turns, scene._work, lambda: BEGIN_US, lambda: 0.0, scene._wait
            )
        tasks = []
        for scene in dead:
            scene.destination.gate = gate
            pump = Pump(scene.live, scene.reader, scene.destination, scene.make)
            tasks.append(asyncio.create_task(pump.run()))
        await asyncio.sleep(0.01)
        pump = Pump(sound.live, sound.reader, sound.destination, sound.make)
        await asyncio.wait_for(pump.run(), 5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return sound.destination.indexes

    assert asyncio.run(run()) == [0, 1, 2, 3, 4]
