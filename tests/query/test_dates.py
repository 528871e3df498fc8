"""Days are those of a zone: 2026-11-21T12:34:56Z is now, in Berlin 13:34:56."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from sealog.query.dates import Clock, span
from sealog.query.refusing import BadQuery
from sealog.query.scanning import plain

BERLIN = ZoneInfo("Europe/Berlin")


def us(text):
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


CLOCK = Clock(us("2026-11-21T12:34:56+00:00"), BERLIN)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2026", "2026-01-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00"),
        ("2028-02", "2028-02-01T00:00:00+01:00", "2028-03-01T00:00:00+01:00"),
        ("2026-01-31", "2026-01-31T00:00:00+01:00", "2026-02-01T00:00:00+01:00"),
        ("today", "2026-11-21T00:00:00+01:00", "2026-11-22T00:00:00+01:00"),
        ("Yesterday", "2026-11-20T00:00:00+01:00", "2026-11-21T00:00:00+01:00"),
        ("tomorrow", "2026-11-22T00:00:00+01:00", "2026-11-23T00:00:00+01:00"),
        ("2026-01-31T12:00", "2026-01-31T12:00:00+01:00", "2026-01-31T12:01:00+01:00"),
        ("2026-01-31 12:00:05", "2026-01-31T12:00:05+01:00", "2026-01-31T12:00:06+01:00"),
        ("2026-01-31T12:00:05Z", "2026-01-31T12:00:05+00:00", "2026-01-31T12:00:06+00:00"),
        ("2026-01-31t12:00:05.25-05:30", "2026-01-31T17:30:05.25+00:00",
         "2026-01-31T17:30:05.26+00:00"),
        ("2026-01-31T12:00:05+0530", "2026-01-31T06:30:05+00:00", "2026-01-31T06:30:06+00:00"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59+00:00", "2017-01-01T00:00:00+00:00"),
    ],
)  # fmt: skip
def test_a_time_takes_as_long_as_it_says(text, begin, end):
    found = span(plain(text), CLOCK)

    assert (found.from_us, found.to_us, found.point) == (us(begin), us(end), False)


def test_a_day_may_have_23_or_25_hours():
    """The clocks of Berlin go forward on 2026-03-29 and back on 2026-10-25."""
    hours = [
        (found.to_us - found.from_us) // 3_600_000_000
        for found in (span(plain(day), CLOCK) for day in ("2026-03-29", "2026-10-25"))
    ]

    assert hours == [23, 25]


def test_a_day_without_a_midnight_begins_when_it_begins():
    """In Beirut 2026-03-29 begins at 01:00."""
    found = span(plain("2026-03-29"), Clock(0, ZoneInfo("Asia/Beirut")))

    assert found.from_us == us("2026-03-28T22:00:00+00:00")
    assert found.to_us - found.from_us == 23 * 3_600_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("now", 0), ("-1s", 1), ("-15m", 900), ("-2h", 7_200), ("-7d", 604_800), ("-1w", 604_800)],
)
def test_so_long_ago_is_a_moment(text, seconds):
    found = span(plain(text), CLOCK)

    assert (found.from_us, found.point) == (CLOCK.now_us - seconds * 1_000_000, True)


@pytest.mark.parametrize(
    ("text", "says", "meant"),
    [
        ("2026-02-30", "'2026-02-30' is no date: February 2026 has 28 days", "2026-02-28"),
        ("2026-02-00", "'2026-02-00' is no date: February 2026 has 28 days", "2026-02-01"),
        ("2026-04-31T10:00", "'2026-04-31T10:00' is no date: April 2026 has 30 days", None),
        ("2026-13", "'2026-13' is no date: months are 01 to 12", None),
        ("2026-00-01", "'2026-00-01' is no date: months are 01 to 12", None),
        ("0000-01-01", "'0000-01-01' is outside the years 1 to 9999", None),
        ("9999", "'9999' is outside the years 1 to 9999", None),
        ("-999999999w", "'-999999999w' is outside the years 1 to 9999", None),
        ("2026-01-01T24:00", "'2026-01-01T24:00' is no time of the day: 00:00:00 to 23:59:59", None),
        ("2026-01-01T00:00+24:00", "'+24:00' is no offset: -23:59 to +23:59", None),
        ("7d", "'7d' is no time; did you mean -7d?", "-7d"),
        ("2026/1/31", "'2026/1/31' is no time; did you mean 2026-01-31?", "2026-01-31"),
        ("last week", ("'last week' is no time; write 2026, 2026-01, 2026-01-31,"
         " 2026-01-31T12:00:00Z, -7d, today, yesterday or now"), None),
        ("٢٠٢٦", ("'٢٠٢٦' is no time; write 2026, 2026-01, 2026-01-31,"
         " 2026-01-31T12:00:00Z, -7d, today, yesterday or now"), None),
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_what_was_meant(text, says, meant):
    with pytest.raises(BadQuery) as refused:
        span(plain(text), CLOCK)

    assert (str(refused.value), refused.value.suggestion) == (says, meant)
