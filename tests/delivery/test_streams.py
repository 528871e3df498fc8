import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.archive.made import ALPHA, BEGIN_US, BETA, Home, asking, event, statement
from tests.delivery.fakes import ACTOR, GONE, LATER, REFUSED, Office, wish
from tests.delivery.test_looking import taken_in

from sealog.delivery import register
from sealog.delivery.pump import wait_for
from sealog.delivery.stream import PAUSED, RUNNING
from sealog.delivery.streams import Settings
from sealog.errors import Altered, Busy, Conflict, Limited, Missing, Refused
from sealog.policy.retention import Retention, Rule
from sealog.query.tree import Query

DAY_US = 86_400_000_000


def actions(office):
    return [action.rpartition(".")[2] for _, action, _ in office.told]


def test_a_stream_delivers_what_is_there_and_what_comes(office):
    office.home.add(ALPHA, *[event(n) for n in range(300)])

    stream = office.create()
    office.until(lambda: len(office.here.taken) == 300)
    office.home.add(ALPHA, event(300), event(301))
    office.until(lambda: len(office.here.taken) == 302)

    assert office.here.indexes == list(range(302))
    now = office.streams.get(stream.id)
    assert (now.shown_state, now.next, now.health.delivered) == ("running", 302, 302)
    assert actions(office) == ["created"]


def test_one_that_begins_now_leaves_out_what_was(office):
    office.home.add(ALPHA, event(0), event(1))

    office.create(first=None)
    office.home.add(ALPHA, event(2))
    office.until(lambda: office.here.taken)

    assert office.here.indexes == [2]


def test_a_stream_carries_its_own_tenants_events_alone(office):
    office.home.add(BETA, *[event(n) for n in range(5)])
    office.home.add(ALPHA, event(0))

    office.create()
    office.until(lambda: office.here.taken)
    office.home.add(BETA, event(9))

    assert office.here.indexes == [0]


def test_each_stream_has_a_filter_of_its_own(office):
    office.home.add(ALPHA, event(0, "a.b"), event(1, "c.d"), statement(2))

    office.create("here", query=asking(action="a.b"))
    office.create("there")
    office.until(lambda: len(office.destinations["there"].taken) == 3)
    office.until(lambda: len(office.here.taken) == 2)

    assert office.here.indexes == [0, 2]


def test_one_dead_destination_slows_nobody(office):
    """It hangs for ever; the other goes on as if it were alone."""
    office.home.add(ALPHA, *[event(n) for n in range(50)])
    hanging = threading.Event()

    async def hang(_records):
        hanging.set()
        import asyncio

        await asyncio.Event().wait()

    office.destinations["there"].send = hang
    office.create("there")
    assert hanging.wait(5)
    office.create("here")
    office.until(lambda: len(office.here.taken) == 50)
    office.home.add(ALPHA, event(51))
    office.until(lambda: len(office.here.taken) == 51)

    assert office.here.indexes == list(range(51))


def test_after_a_restart_it_goes_on_where_it_was(office):
    office.home.add(ALPHA, *[event(n) for n in range(10)])
    stream = office.create()
    office.until(lambda: len(office.here.taken) == 10)

    office.restart()
    office.home.add(ALPHA, event(10))
    office.until(lambda: len(office.here.taken) == 11)

    assert office.here.indexes == list(range(11))
    assert office.streams.get(stream.id).version == 1


def test_ten_days_down_lose_nothing_that_is_kept(office):
    """By the clock of the test, which goes on whenever somebody waits."""
    up_again_us = BEGIN_US + 10 * DAY_US
    office.here.answer = lambda _: LATER if office.clock.us < up_again_us else None
    office.home.add(ALPHA, *[event(n) for n in range(200)])

    office.create()
    office.until(lambda: len(office.here.taken) == 200)
    office.home.add(ALPHA, event(200))
    office.until(lambda: len(office.here.taken) == 201)

    assert office.here.indexes == list(range(201))
    hours = [seconds / 3_600 for seconds in office.clock.waits]
    expected = [5 / 3_600, 1 / 12, 0.5, 2, 5, 10, 14, 20, *[24] * (len(hours) - 8)]
    assert all(due <= got <= due * 1.1 + 1e-9 for due, got in zip(expected, hours, strict=True))
    assert sum(hours) >= 240
    assert actions(office) == ["created", "failing"]


def test_what_is_paused_waits_and_is_not_lost(office):
    office.home.add(ALPHA, event(0))
    stream = office.create()
    office.until(lambda: office.here.taken)

    assert office.streams.pause(stream.id, ACTOR).shown_state == PAUSED
    office.home.add(ALPHA, event(1), event(2))
    assert office.streams.lag(office.streams.get(stream.id))[0] == 2
    assert office.here.indexes == [0]

    assert office.streams.resume(stream.id, ACTOR).shown_state == RUNNING
    office.until(lambda: len(office.here.taken) == 3)
    assert office.here.indexes == [0, 1, 2]
    assert actions(office) == ["created", "paused", "resumed"]


def test_pausing_twice_tells_once(office):
    stream = office.create()

    for _ in range(2):
        office.streams.pause(stream.id, ACTOR)

    assert actions(office) == ["created", "paused"]


def test_one_that_is_made_paused_sends_nothing(office):
    office.home.add(ALPHA, event(0))

    made = office.streams.create(ALPHA, wish(), 0, ACTOR, paused=True)

    assert made.stream.shown_state == PAUSED
    assert office.here.given == []


def test_a_destination_that_is_gone_disables_it_until_it_is_resumed(office):
    office.home.add(ALPHA, event(0), event(1))
    office.here.answer = lambda record: GONE if record.index else None
    stream = office.create()
    office.until(lambda: office.streams.get(stream.id).state == "disabled")

    office.here.answer = None
    office.streams.resume(stream.id, ACTOR)
    office.until(lambda: len(office.here.taken) == 2)

    assert office.here.indexes == [0, 1]
    assert actions(office) == ["created", "disabled", "resumed"]


def test_a_replay_sends_again_from_an_index(office):
    office.home.add(ALPHA, *[event(n) for n in range(5)])
    stream = office.create()
    office.until(lambda: len(office.here.taken) == 5)

    office.streams.replay(stream.id, 3, None, ACTOR)
    office.until(lambda: len(office.here.taken) == 7)

    assert office.here.indexes == [0, 1, 2, 3, 4, 3, 4]
    assert office.told[-1][2]["from"] == 3


def test_a_replay_from_a_time_goes_by_when_events_were_taken_in(office):
    office.home.add(ALPHA, *[event(n) for n in range(5)])
    stream = office.create()
    office.until(lambda: len(office.here.taken) == 5)

    office.streams.replay(stream.id, None, BEGIN_US, ACTOR)
    office.until(lambda: len(office.here.taken) == 10)
    office.streams.replay(stream.id, None, BEGIN_US + 1, ACTOR)

    assert office.streams.get(stream.id).next == 5


def test_a_replay_cannot_go_where_nothing_is(office):
    stream = office.create()

    with pytest.raises(Refused) as caught:
        office.streams.replay(stream.id, 1, None, ACTOR)

    assert caught.value.code == "bad-index"


def test_a_replay_forward_leaves_out_what_is_stuck(office):
    """A record that its destination answers with 500 for ever is passed, if somebody says so."""
    office.home.add(ALPHA, event(0), event(1))
    office.here.answer = lambda record: LATER if record.index == 0 else None
    stream = office.create()
    office.until(lambda: office.streams.get(stream.id).health.failures)

    office.streams.replay(stream.id, 1, None, ACTOR)
    office.until(lambda: office.here.taken)

    assert office.here.indexes == [1]


def test_what_is_refused_is_parked_shown_and_sent_again(office):
    office.home.add(ALPHA, *[event(n) for n in range(6)])
    office.here.answer = lambda record: REFUSED if record.index in (1, 3, 4) else None
    stream = office.create()
    office.until(lambda: len(office.here.taken) == 3)
    office.until(lambda: len(office.streams.parked(stream.id, -1, 10)) == 3)

    office.here.answer = lambda record: REFUSED if record.index == 4 else None
    assert office.streams.retry(stream.id, [1, 4, 99]) == 2
    office.until(lambda: 1 in office.here.indexes)
    office.until(lambda: [one.index for one in office.streams.parked(stream.id, -1, 9)] == [3, 4])
    office.until(lambda: office.streams.parked(stream.id, 3, 9)[0].attempts == 2)

    assert office.here.indexes == [0, 2, 5, 1]
    assert office.streams.drop(stream.id, None) == 2
    assert office.streams.parked(stream.id, -1, 9) == []
    assert office.streams.parked_count(office.streams.get(stream.id)) == 0


def test_parked_records_of_one_that_is_paused_are_not_sent(office):
    office.home.add(ALPHA, event(0))
    office.here.answer = lambda _: REFUSED
    stream = office.create()
    office.until(lambda: office.streams.parked(stream.id, -1, 9))
    office.streams.pause(stream.id, ACTOR)

    with pytest.raises(Conflict):
        office.streams.retry(stream.id, None)


def test_a_change_holds_from_the_next_record_on(office):
    office.home.add(ALPHA, event(0))
    stream = office.create()
    office.until(lambda: office.here.taken)

    made = office.streams.change(stream.id, wish("there", name="other"), 1, ACTOR)
    office.home.add(ALPHA, event(1))
    office.until(lambda: office.destinations["there"].taken)

    assert made.stream.version == 2
    assert office.here.indexes == [0]
    assert office.destinations["there"].indexes == [1]
    assert office.told[-1][2]["changed"] == ["destination", "name"]


def test_a_change_of_an_older_version_is_refused(office):
    stream = office.create()
    office.streams.change(stream.id, wish(name="other"), 1, ACTOR)

    with pytest.raises(Conflict) as caught:
        office.streams.change(stream.id, wish(name="third"), 1, ACTOR)

    assert caught.value.code == "stale-version"


def test_a_change_of_nothing_is_none(office):
    stream = office.create()

    assert office.streams.change(stream.id, wish(), 1, ACTOR).stream.version == 1
    assert actions(office) == ["created"]


def test_a_change_is_tried_at_once_where_it_failed_before(office):
    office.home.add(ALPHA, event(0))
    office.here.answer = lambda _: LATER
    held = threading.Event()
    office.clock.wait = stuck(held)
    office.streams.stop()
    office.make().start()
    stream = office.create()
    office.until(held.is_set)

    office.streams.change(stream.id, wish("there"), 1, ACTOR)
    office.until(lambda: office.destinations["there"].taken)

    assert office.destinations["there"].indexes == [0]


def stuck(held):
    """Waiting for another attempt is waiting for ever."""
    from sealog.delivery import pump

    async def wait(event, seconds):
        if seconds not in (pump.IDLE_S, pump.LINGER_S):
            held.set()
        return await pump.wait_for(event, 0.02 if seconds == pump.LINGER_S else None)

    return wait


def test_a_deleted_stream_is_gone_and_told(office):
    office.home.add(ALPHA, event(0))
    stream = office.create()
    office.until(lambda: office.here.taken)

    office.streams.delete(stream.id, ACTOR)
    office.home.add(ALPHA, event(1))

    assert office.streams.all() == []
    assert office.streams.get(stream.id) is None
    assert actions(office) == ["created", "deleted"]
    for act in (office.streams.pause, office.streams.resume):
        with pytest.raises(Missing):
            act(stream.id, ACTOR)
    assert office.here.indexes == [0]


def test_a_tenant_has_so_many_streams_and_no_more(tmp_path):
    office = Office(tmp_path / "data", settings=Settings(per_tenant_max=2))
    office.start()
    try:
        office.create()
        office.create()
        with pytest.raises(Limited):
            office.create()
        office.create(tenant=BETA)
        assert len(office.streams.all()) == 3
    finally:
        office.close()


def test_many_who_make_streams_at_once_make_no_more_than_there_may_be(office):
    with ThreadPoolExecutor(12) as threads:
        made = [threads.submit(office.create) for _ in range(30)]

    assert sum(one.exception() is None for one in made) == 20
    assert {type(one.exception()) for one in made} == {type(None), Limited}
    assert len(office.streams.all()) == 20


def test_a_check_sends_a_test_record_and_no_event(office):
    office.home.add(ALPHA, event(0))

    verdict = office.streams.check(ALPHA, wish())

    assert verdict.outcome == "delivered"
    assert (office.here.checked, office.here.given, office.here.closed) == (1, [], 1)


def test_how_streams_are_is_counted_for_whoever_scrapes(office):
    office.home.add(ALPHA, event(0), event(1))
    office.here.answer = lambda record: REFUSED if record.index == 0 else None
    stream = office.create()
    office.until(lambda: office.here.taken)
    paused = office.create("there")
    office.streams.pause(paused.id, ACTOR)
    office.home.add(ALPHA, event(2))
    office.until(lambda: len(office.here.taken) == 2)

    assert office.streams.states() == {"running": 1, "failing": 0, "paused": 1, "disabled": 0}
    lag, parked = office.streams.behind()
    assert lag >= 1
    assert parked == 1
    assert office.streams.get(stream.id).health.refused == 1


def test_damage_in_one_tenants_archive_hides_no_stream(office, monkeypatch):
    office.home.add(ALPHA, event(0))
    stream = office.streams.create(ALPHA, wish(), 0, ACTOR, paused=True).stream

    def damaged(*_):
        raise Altered("a segment is not what was sealed")

    monkeypatch.setattr(office.home.archive, "feed", damaged)

    assert office.streams.lag(office.streams.get(stream.id)) == (1, None)


def test_after_ten_refusals_somebody_says_to_go_on(office):
    """Or the receiver is mended, and it goes on by itself; see test_pump.py."""
    office.here.answer = lambda _: REFUSED
    office.home.add(ALPHA, *[event(n) for n in range(25)])
    office.clock.wait = wait_for
    office.restart()
    stream = office.create()
    office.until(lambda: len(office.streams.parked(stream.id, -1, 99)) == 10)

    office.streams.resume(stream.id, ACTOR)
    office.until(lambda: office.streams.get(stream.id).next == 20)

    office.until(lambda: len(office.streams.parked(stream.id, -1, 99)) == 20)
    assert office.streams.get(stream.id).shown_state == "failing"


def test_before_they_run_streams_are_seen_and_not_changed(office):
    stream = office.create()
    office.streams.stop()
    office.make()

    assert [one.id for one in office.streams.all()] == [stream.id]
    assert office.streams.get(stream.id) is not None
    assert office.streams.parked_count(stream) == 0
    assert sum(office.streams.states().values()) == 0
    assert office.streams.behind() == (0, 0)
    with pytest.raises(Busy):
        office.streams.pause(stream.id, ACTOR)


def test_an_idle_stream_takes_nothing_and_is_woken(office):
    """Of a thousand of them none has a task, a connection or a timer."""
    office.home.add(ALPHA, event(0))
    for _ in range(15):
        office.create(first=1)

    assert len(office.streams._engine._tasks) == 0
    office.home.add(ALPHA, event(1))
    office.until(lambda: office.here.indexes == [1] * 15)


def test_what_a_full_journal_does_not_take_is_told_later(office):
    office.tell_error = Busy("full")
    stream = office.create()
    assert office.told == []

    office.tell_error = None
    office.streams.pause(stream.id, ACTOR)

    assert actions(office) == ["created", "paused"]


def test_an_estimate_tells_events_and_bytes(office):
    office.home.add(ALPHA, *[event(n) for n in range(10)])

    found = office.streams.estimate(ALPHA, wish())

    assert found.events == 10
    assert found.bytes_per_day > 0


@pytest.fixture
def short(tmp_path, monkeypatch):
    """Streams of a tenant whose events are kept for two hours."""
    monkeypatch.setattr(register, "SAVE_EVERY_S", 0.02)
    home = Home(tmp_path / "data", rules={1: Retention(1, (Rule(keep_s=7_200),))})
    office = Office(None, home=home)
    office.start()
    yield office
    office.close()


def test_what_expired_before_it_was_sent_is_replaced_by_the_statement(short):
    """Retention wins over delivery; whoever holds the stream knows why the indexes are missing."""
    short.home.add(ALPHA, *[event(n) for n in range(5)])
    stream = short.create()
    short.until(lambda: len(short.here.taken) == 5)
    short.streams.pause(stream.id, ACTOR)
    short.home.add(ALPHA, *[event(n) for n in range(20)])

    short.home.pass_time(7_201)
    assert short.home.let_go(ALPHA) == [(0, 24)]
    short.streams.resume(stream.id, ACTOR)
    short.until(lambda: len(short.here.taken) == 6)

    last = short.here.taken[-1]
    assert (last.index, last.type) == (25, "sealog.retention")
    assert short.here.indexes == [0, 1, 2, 3, 4, 25]
    assert short.streams.get(stream.id).next == 26


def test_what_has_expired_is_not_sent_though_nothing_says_so_yet(short):
    """From the second on; the statement follows."""
    short.home.add(ALPHA, *[event(n) for n in range(5)])
    stream = short.streams.create(ALPHA, wish(), 0, ACTOR, paused=True).stream

    short.home.pass_time(7_200)
    short.streams.resume(stream.id, ACTOR)
    short.until(lambda: short.streams.get(stream.id).next == 5)
    assert short.here.given == []
    short.home.let_go(ALPHA)
    short.until(lambda: short.here.taken)

    assert short.here.indexes == [5]


def test_what_was_parked_and_has_expired_is_dropped_when_it_is_sent_again(short):
    short.home.add(ALPHA, event(0))
    short.here.answer = lambda _: REFUSED
    stream = short.create()
    short.until(lambda: short.streams.parked(stream.id, -1, 9))

    short.home.pass_time(7_200)
    short.here.answer = None
    short.streams.retry(stream.id, None)
    short.until(lambda: not short.streams.parked(stream.id, -1, 9))

    assert short.here.taken == []


def test_a_stream_is_replayed_over_what_has_expired(short):
    short.home.add(ALPHA, *[event(n) for n in range(5)])
    stream = short.create()
    short.until(lambda: len(short.here.taken) == 5)
    short.home.pass_time(7_200)
    short.home.let_go(ALPHA)
    short.until(lambda: len(short.here.taken) == 6)

    short.streams.replay(stream.id, 0, None, ACTOR)
    short.until(lambda: len(short.here.taken) == 7)

    assert short.here.indexes == [0, 1, 2, 3, 4, 5, 5]
    assert short.streams.lag(short.streams.get(stream.id)) == (0, 0.0)


def test_ten_days_down_lose_nothing_that_retention_still_keeps(tmp_path):
    """Events come all the while, and are kept for five days; the rest is stated."""
    home = Home(tmp_path / "data", rules={1: Retention(1, (Rule(keep_s=5 * 86_400),))})
    office = Office(None, home=home)
    up_again_us = BEGIN_US + 10 * DAY_US

    def live_on():
        """While the stream waits, events come and others are let go."""
        home.now_us = office.clock.us
        minutes = (office.clock.us - BEGIN_US) // 60_000_000
        home.add(ALPHA, *[taken_in(minutes, f"act.{n}") for n in range(3)])
        home.let_go(ALPHA)

    office.clock.passed = live_on
    office.here.answer = lambda _: LATER if office.clock.us < up_again_us else None
    home.add(ALPHA, *[taken_in(0, f"first.{n}") for n in range(50)])
    office.start()
    try:
        office.create()
        office.until(lambda: office.here.taken)
        kept = [
            piece.base + piece.pack.indexes[place]
            for piece in home.archive.pieces(ALPHA, Query(), home.archive.visible(ALPHA))
            for place in (piece.places or range(len(piece.pack.indexes)))
        ]
        office.until(lambda: len(office.here.taken) >= len(kept))
    finally:
        office.close()

    assert office.here.indexes == kept
    assert kept[0] > 50
    statements = [one for one in office.here.taken if one.type == "sealog.retention"]
    assert statements
    assert office.clock.us - BEGIN_US >= 10 * DAY_US
