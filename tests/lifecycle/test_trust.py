"""A wrong clock deletes nothing: it is asked about, and goes on once somebody says that it is right."""

import msgspec
import pytest

from sealog.lifecycle.trust import AHEAD_US, MARKED_EVERY_US, Clocks, Trust
from sealog.storage.store import Store

NOON_US = 1_795_176_000_000_000
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
MINUTE_US = 60_000_000


class Machine:
    """A machine with a clock that can be set, and one that only counts while it is on."""

    def __init__(self):
        self.us = NOON_US
        self.elapsed_us = 5 * HOUR_US
        self.boot = "first"

    def passes(self, us):
        self.us += us
        self.elapsed_us += us

    def is_off(self, us):
        self.us += us
        self.elapsed_us = 0
        self.boot += "'"

    def clocks(self):
        return Clocks(lambda: self.us, lambda: self.elapsed_us, self.boot)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state.db")
    yield store
    store.close()


@pytest.fixture
def machine():
    return Machine()


def trust(store, machine, newest_us=None):
    return Trust(store, machine.clocks(), lambda: newest_us)


def test_a_clock_that_goes_with_the_time_is_trusted_however_long(store, machine):
    judge = trust(store, machine)

    machine.passes(400 * DAY_US)

    assert judge.judge().is_trusted
    assert judge.judge().ahead_us == 0


@pytest.mark.parametrize(
    ("ahead_us", "is_trusted"),
    [(AHEAD_US, True), (AHEAD_US + 1, False), (-400 * DAY_US, True)],
    ids=["an-hour", "more-than-an-hour", "behind"],
)
def test_a_clock_that_was_set_is_trusted_up_to_an_hour_ahead(store, machine, ahead_us, is_trusted):
    judge = trust(store, machine)
    machine.passes(DAY_US)

    machine.us += ahead_us

    assert judge.judge().is_trusted is is_trusted
    assert judge.judge().ahead_us == ahead_us


def test_a_clock_that_is_put_right_is_trusted_again(store, machine):
    judge = trust(store, machine)
    machine.us += DAY_US
    judge.mark(now=True)
    assert not judge.judge().is_trusted

    machine.us -= DAY_US

    assert judge.judge().is_trusted


def test_events_that_come_while_the_clock_is_wrong_do_not_make_it_right(store, machine):
    """Their time of arrival is the wrong clock's: a restart MUST NOT take its word."""
    judge = trust(store, machine)
    judge.mark()
    machine.us += 400 * DAY_US
    newest_us = machine.us
    machine.passes(MINUTE_US)

    again = trust(store, machine, newest_us)

    assert not again.judge().is_trusted


def test_time_goes_on_while_the_program_is_stopped_and_the_machine_is_not(store, machine):
    trust(store, machine).mark()

    machine.passes(30 * DAY_US)

    assert trust(store, machine).judge().is_trusted


@pytest.mark.parametrize(
    ("off_us", "is_trusted"), [(50 * MINUTE_US, True), (2 * HOUR_US, False)], ids=["short", "long"]
)
def test_after_the_machine_was_off_for_more_than_an_hour_it_is_asked(
    store, machine, off_us, is_trusted
):
    trust(store, machine).mark()

    machine.is_off(off_us)

    assert trust(store, machine).judge().is_trusted is is_trusted


def test_who_knows_the_time_says_so_once(store, machine):
    judge = trust(store, machine)
    machine.us += DAY_US
    assert not judge.judge().is_trusted

    said = judge.confirm()

    assert said.is_trusted
    machine.passes(3 * HOUR_US)
    assert trust(store, machine).judge().is_trusted


def test_small_steps_are_followed_and_large_ones_add_up(store, machine):
    judge = trust(store, machine)
    for _ in range(100):
        machine.passes(MARKED_EVERY_US)
        machine.us += MINUTE_US
        judge.mark()
    assert judge.judge().ahead_us == 0

    for _ in range(10):
        machine.passes(MARKED_EVERY_US)
        machine.us += 10 * MINUTE_US
        judge.mark()

    assert not judge.judge().is_trusted


def test_a_mark_is_written_every_few_minutes_and_at_the_end(store, machine):
    judge = trust(store, machine)
    written = []
    for now in (False, False, True):
        machine.passes(MINUTE_US)
        judge.mark(now=now)
        written.append(kept(store)["us"])

    assert written == [NOON_US + MINUTE_US, NOON_US + MINUTE_US, NOON_US + 3 * MINUTE_US]


@pytest.mark.parametrize(
    ("newest_us", "is_trusted"),
    [(None, True), (NOON_US - MINUTE_US, True), (NOON_US - 2 * HOUR_US, False), (0, False)],
    ids=["no-events", "one-of-late", "an-old-one", "nobody-knows"],
)
def test_a_folder_that_was_never_marked_is_judged_by_its_newest_event(
    store, machine, newest_us, is_trusted
):
    judge = trust(store, machine, newest_us)
    judge.mark()

    assert judge.judge().is_trusted is is_trusted
    assert trust(store, machine, newest_us).judge().is_trusted is is_trusted


def kept(store):
    with store.reading() as connection:
        sql = "SELECT value FROM installation WHERE name = 'clock'"
        return msgspec.msgpack.decode(connection.exec_driver_sql(sql).scalar())
