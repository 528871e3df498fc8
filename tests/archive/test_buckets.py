"""Buckets begin where people's clocks and calendars say."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sealog.archive.buckets import BUCKETS_MAX, begins, quantum_us
from sealog.errors import Refused


def _us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


def _begins(interval, zone, first, last):
    found = begins(interval, zone, _us(first), _us(last))
    return [datetime.fromtimestamp(one / 1e6, zone).isoformat() for one in found]


BERLIN = ZoneInfo("Europe/Berlin")


def test_a_day_begins_at_midnight_of_the_zone_and_has_23_hours_in_spring():
    assert _begins("day", BERLIN, "2026-03-28T12:00:00Z", "2026-03-30T01:00:00Z") == [
        "2026-03-28T00:00:00+01:00",
        "2026-03-29T00:00:00+01:00",
        "2026-03-30T00:00:00+02:00",
    ]


def test_both_hours_of_an_autumn_night_are_there():
    assert _begins("hour", BERLIN, "2026-10-24T23:30:00Z", "2026-10-25T02:00:00Z") == [
        "2026-10-25T01:00:00+02:00",
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ]


def test_the_hour_that_spring_leaves_out_is_no_bucket():
    assert _begins("hour", BERLIN, "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z") == [
        "2026-03-29T01:00:00+01:00",
        "2026-03-29T03:00:00+02:00",
    ]


def test_hours_begin_where_the_zones_clock_shows_full_hours():
    kolkata = ZoneInfo("Asia/Kolkata")

    assert _begins("hour", kolkata, "2026-01-01T00:00:00Z", "2026-01-01T00:31:00Z") == [
        "2026-01-01T05:00:00+05:30",
        "2026-01-01T06:00:00+05:30",
    ]


def test_a_clock_that_jumps_half_an_hour_still_shows_full_hours_afterwards():
    lord_howe = ZoneInfo("Australia/Lord_Howe")

    found = begins("hour", lord_howe, _us("2026-04-04T13:30:00Z"), _us("2026-04-04T17:00:00Z"))

    assert found == sorted(set(found))
    assert datetime.fromtimestamp(found[-1] / 1e6, lord_howe).minute == 0


def test_a_day_whose_midnight_the_clock_jumps_over_begins_when_it_jumped():
    santiago = ZoneInfo("America/Santiago")

    assert _begins("day", santiago, "2025-09-06T12:00:00Z", "2025-09-07T12:00:00Z") == [
        "2025-09-06T00:00:00-04:00",
        "2025-09-07T01:00:00-03:00",
    ]


def test_a_week_begins_on_monday_and_a_month_on_its_first():
    assert _begins("week", UTC, "2026-01-01T00:00:00Z", "2026-01-06T00:00:00Z") == [
        "2025-12-29T00:00:00+00:00",
        "2026-01-05T00:00:00+00:00",
    ]
    assert _begins("month", BERLIN, "2026-01-31T23:30:00Z", "2026-03-01T00:00:00Z") == [
        "2026-02-01T00:00:00+01:00",
        "2026-03-01T00:00:00+01:00",
    ]


def test_a_year_begins_on_the_first_of_january_of_the_zone():
    assert _begins("year", BERLIN, "2024-12-31T23:30:00Z", "2026-06-01T00:00:00Z") == [
        "2025-01-01T00:00:00+01:00",
        "2026-01-01T00:00:00+01:00",
    ]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_all_years_that_there_are_fit_into_one_histogram(zone: str):
    """A date of nothing but zeros and one of nothing but nines are what clocks get wrong most."""
    found = begins("year", ZoneInfo(zone), -(1 << 62), 1 << 62)

    assert 9_997 <= len(found) <= BUCKETS_MAX
    assert found == sorted(set(found))


def test_seconds_count_from_1970_whatever_the_zone():
    assert begins(60, BERLIN, 61_000_000, 180_000_000) == [60_000_000, 120_000_000, 180_000_000]
    assert begins(7, BERLIN, -1, 0) == [-7_000_000, 0]


@pytest.mark.parametrize("interval", ["hour", "day", "week", "month", "year"])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("at_us", [-(1 << 62), (1 << 62), 253_402_300_799_999_999])
def test_a_time_at_the_end_of_the_calendar_has_a_bucket(interval: str, zone: str, at_us: int):
    assert len(begins(interval, ZoneInfo(zone), at_us, at_us)) == 1


def test_there_are_so_many_buckets_and_no_more():
    last = BUCKETS_MAX * 1_000_000 - 1
    assert len(begins(1, UTC, 0, last)) == BUCKETS_MAX
    for interval, until in ((1, last + 1), ("hour", 3_600 * (last + 1)), ("day", 1 << 60)):
        with pytest.raises(Refused) as caught:
            begins(interval, UTC, 0, until)
        assert caught.value.code == "too-many-buckets"


@pytest.mark.parametrize("interval", [0, -1, "decade", ""])
def test_another_interval_is_refused(interval):
    with pytest.raises(Refused) as caught:
        quantum_us(interval)
    assert caught.value.code == "bad-interval"


def test_an_interval_has_its_quantum():
    assert quantum_us(5) == 5_000_000
    assert quantum_us("month") == 900_000_000
