import pytest

from sealog.journal.seen import PERIOD_US, PERIODS_KEPT, PRUNED_MIN, Known, Seen
from sealog.storage.store import driver

NOW_US = 1_000 * PERIOD_US
DAY_US = 86_400 * 1_000_000


def key(nth, second=0):
    return second.to_bytes(5, "big") + nth.to_bytes(11, "little")


@pytest.fixture
def seen(store):
    return Remembered(store)


class Remembered:
    """Ids remembered and asked for at times of one's choosing, each in a transaction."""

    def __init__(self, store):
        self.store = store
        self.seen = Seen()

    def within(self, work):
        return self.store.write(lambda connection: work(driver(connection))).result()

    def add(self, *rows, at_us=NOW_US):
        return self.within(lambda c: self.seen.remember(c, rows, at_us))

    def find(self, asked, at_us=NOW_US):
        return self.within(lambda c: self.seen.find(c, asked, at_us))

    def prune(self, added):
        self.within(lambda c: self.seen.prune(c, added))

    def count(self):
        return self.within(lambda c: c.execute("SELECT count(*) FROM seen").fetchone()[0])


def test_what_is_remembered_is_found_with_its_fingerprint(seen):
    assert seen.add((key(1), 0, b"a"), (key(2), 1, b"b"))

    assert seen.find(key(2)) == Known(1, b"b")
    assert seen.find(key(3)) is None


def test_remembering_says_when_one_was_there(seen):
    seen.add((key(1), 0, b"a"))

    assert not seen.add((key(2), 1, b"b"), (key(1), 2, b"c"))
    assert seen.find(key(1)) == Known(0, b"a")


@pytest.mark.parametrize("days", [1, 14, 15, 16, 29, 30])
@pytest.mark.parametrize("begin", [0, 7, 14.999])
def test_an_id_is_known_thirty_days_after_it_came(seen, days, begin):
    came_us = NOW_US + int(begin * DAY_US)
    seen.add((key(1, second=77), 5, b"a"), at_us=came_us)

    later_us = came_us + days * DAY_US
    seen.add((key(2, second=99), 6, b"b"), at_us=later_us)
    seen.prune(1_000)

    assert seen.find(key(1, second=77), at_us=later_us) == Known(5, b"a")
    assert not seen.add((key(3), 7, b"c"), (key(1, second=77), 7, b"c"), at_us=later_us)


def test_a_late_import_of_old_events_is_known_as_long_as_any_other(seen):
    """It counts when they came, not when they happened."""
    seen.add((key(1, second=900), 0, b"a"))
    month_us = NOW_US + 30 * DAY_US
    seen.add((key(2, second=3), 1, b"old"), at_us=month_us)
    seen.add((key(9, second=950), 2, b"b"), at_us=month_us + 29 * DAY_US)
    seen.prune(1_000)

    assert seen.find(key(2, second=3), at_us=month_us + 29 * DAY_US) == Known(1, b"old")


def test_a_whole_period_is_forgotten_some_rows_at_a_time(seen):
    rows = [(key(n, second=n), n, b"a") for n in range(200)]
    seen.add(*rows)
    for period in range(1, PERIODS_KEPT + 1):
        seen.add((key(period, second=5_000), 200, b"b"), at_us=NOW_US + period * PERIOD_US)
    left = [seen.count()]
    for _ in range(4):
        seen.prune(0)
        left.append(seen.count())

    assert left == [203, 203 - PRUNED_MIN, 203 - 2 * PRUNED_MIN, 203 - 3 * PRUNED_MIN, 3]
    seen.prune(0)
    assert seen.count() == 3


def test_twice_as_many_are_forgotten_as_are_added(seen):
    seen.add(*[(key(n, second=n), n, b"a") for n in range(500)])
    for period in range(1, PERIODS_KEPT + 1):
        seen.add((key(period, second=5_000), 500, b"b"), at_us=NOW_US + period * PERIOD_US)

    seen.prune(100)

    assert seen.count() == 503 - 200 - PRUNED_MIN


def test_nothing_is_forgotten_while_it_is_to_be_known(seen):
    seen.add((key(1), 0, b"a"))
    seen.add((key(2), 1, b"b"), at_us=NOW_US + (PERIODS_KEPT - 1) * PERIOD_US)

    seen.prune(1_000)

    assert seen.count() == 2


def test_after_a_restart_earlier_periods_are_known(seen, store):
    seen.add((key(1, second=70), 0, b"a"))
    later_us = NOW_US + PERIOD_US

    again = Remembered(store)

    assert not again.add((key(1, second=70), 1, b"a"), at_us=later_us)
    assert again.find(key(1, second=70), at_us=later_us) == Known(0, b"a")


def test_a_clock_that_is_set_back_forgets_nothing(seen, store):
    seen.add((key(1), 0, b"a"), at_us=NOW_US + PERIOD_US)

    for each in (seen, Remembered(store)):
        assert not each.add((key(1), 1, b"a"), at_us=NOW_US)
        assert each.find(key(1), at_us=NOW_US) == Known(0, b"a")


@pytest.mark.parametrize("days", [31, 60, 400, 20_000])
def test_a_clock_that_jumped_ahead_for_a_moment_forgets_nothing(seen, store, days):
    """Neither while it is wrong, nor once it is set right, nor after a restart."""
    came_us = [NOW_US, NOW_US + 15 * DAY_US, NOW_US + 29 * DAY_US]
    for nth, at_us in enumerate(came_us):
        seen.add((key(nth, second=nth), nth, b"a"), at_us=at_us)
    right_us = NOW_US + 29 * DAY_US
    seen.add((key(9, second=9), 9, b"b"), at_us=right_us + days * DAY_US)
    seen.prune(1_000)

    for each in (seen, Remembered(store)):
        each.add((key(10, second=1_000), 10, b"c"), at_us=right_us)
        each.prune(1_000)
        for nth in range(3):
            assert each.find(key(nth, second=nth), at_us=right_us) == Known(nth, b"a")
            assert not each.add((key(nth, second=nth), 11, b"a"), at_us=right_us)


def test_what_came_now_and_then_is_forgotten_after_three_periods_in_which_something_came(seen):
    for nth in range(6):
        seen.add((key(nth, second=nth), nth, b"a"), at_us=NOW_US + 10 * nth * PERIOD_US)
        seen.prune(1_000)

    assert seen.count() == 1 + PERIODS_KEPT
