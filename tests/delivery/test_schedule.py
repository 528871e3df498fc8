import pytest

from sealog.delivery import schedule

HOUR = 3_600


def test_the_schedule_is_that_of_standard_webhooks_and_then_once_a_day():
    delays = [schedule.delay_s(failures, None, 0.0) for failures in range(1, 13)]

    assert delays == [
        5, 300, 1_800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR,
        24 * HOUR, 24 * HOUR, 24 * HOUR,
    ]  # fmt: skip


def test_jitter_only_adds_and_a_tenth_at_most():
    assert schedule.delay_s(2, None, 1.0) == pytest.approx(330)
    assert schedule.delay_s(2, None, 0.5) == pytest.approx(315)


def test_what_a_destination_asks_for_counts_instead():
    assert schedule.delay_s(5, 90.0, 0.0) == 90


def test_nobody_is_left_alone_for_more_than_a_day():
    assert schedule.delay_s(1, 1e9, 0.0) == 24 * HOUR


def test_who_says_in_a_second_each_time_is_asked_less_and_less():
    delays = [schedule.delay_s(failures, 0.0, 0.0) for failures in (1, 2, 3, 9, 10, 99)]

    assert delays == [1, 2, 4, 256, 300, 300]
