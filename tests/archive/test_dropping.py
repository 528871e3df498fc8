"""What is due is put so that a statement can say it."""

import numpy as np
import pytest
from tests.archive.made import ALPHA, Home, event, statement

from sealog.archive import dropping

TWO_DAYS = 172_800


def _alternating(home: Home, count: int) -> None:
    home.add(ALPHA, *[event(n, dialect=("easysend", "ecs")[n % 2]) for n in range(count)])
    home.archive.cut()
    home.pass_time(TWO_DAYS)


def test_a_statement_holds_so_many_ranges_or_so_many_bits(
    lasting: Home, monkeypatch: pytest.MonkeyPatch
):
    _alternating(lasting, 40)
    for ranges_max, span_max, counts in ((8, 1, [8, 8, 4]), (2, 21, [11, 9]), (99, 1, [20])):
        monkeypatch.setattr(dropping, "RANGES_MAX", ranges_max)
        monkeypatch.setattr(dropping, "SPAN_MAX", span_max)

        dues = list(lasting.archive.expired_until(ALPHA, lasting.now_us))

        assert [due.count for due in dues] == counts
        assert [one for due in dues for one in due.ranges] == [(n, n) for n in range(0, 40, 2)]


def test_ranges_of_several_segments_that_touch_are_one(lasting: Home):
    for _ in range(3):
        lasting.add(ALPHA, *[event(n, dialect="easysend") for n in range(4)])
        lasting.archive.cut()
    lasting.pass_time(TWO_DAYS)

    (due,) = lasting.archive.expired_until(ALPHA, lasting.now_us)

    assert due.ranges == ((0, 11),)


def test_asking_changes_nothing(lasting: Home):
    _alternating(lasting, 10)

    first = list(lasting.archive.expired_until(ALPHA, lasting.now_us))

    assert list(lasting.archive.expired_until(ALPHA, lasting.now_us)) == first
    assert len(lasting.archive.segments(ALPHA)) == 2


def test_what_went_is_counted(lasting: Home):
    _alternating(lasting, 10)
    before = sum(
        one.columns_bytes + one.parts_bytes
        for one in lasting.archive.segments(ALPHA)
        if one.kept == "172800s"
    )
    (due,) = lasting.archive.expired_until(ALPHA, lasting.now_us)
    (index,) = lasting.add(ALPHA, statement())

    dropped = lasting.archive.drop(ALPHA, index, due.ranges)

    assert (dropped.segments, dropped.events, dropped.bytes) == (1, 5, before)


def test_a_statement_speaks_of_what_came_before_it(lasting: Home):
    _alternating(lasting, 10)

    with pytest.raises(AssertionError):
        lasting.archive.drop(ALPHA, 3, [(0, 4)])


def test_runs_and_their_joining():
    one, other = np.array([1, 2, 3, 7]), np.array([4, 5, 9])

    joined = dropping._joined([dropping._runs(one), dropping._runs(other)])

    assert joined.tolist() == [[1, 5], [7, 7], [9, 9]]
