from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compat.elastic_house import NOW_US

from sealog.compat.elastic_errors import Rejected
from sealog.compat.elastic_times import check_format, printed, span, zone_of

BERLIN = ZoneInfo("Europe/Berlin")
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
MIDNIGHT_US = 1_795_219_200_000_000  # 2026-11-21T00:00:00Z
MAY_5_US = 1_620_172_800_000_000  # 2021-05-05T00:00:00Z


def ends(value, zone=UTC, form=""):
    found = span(value, NOW_US, zone, form)
    return found.from_us, found.to_us


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2021-05-05", (MAY_5_US, MAY_5_US + DAY_US)),
        ("2021-05", (MAY_5_US - 4 * DAY_US, MAY_5_US - 3 * DAY_US)),
        ("2021-05-05T01:00:00Z", (MAY_5_US + HOUR_US, MAY_5_US + HOUR_US + 1_000_000)),
        ("2021-05-05T03:00:00.000+0200", (MAY_5_US + HOUR_US, MAY_5_US + HOUR_US + 1_000)),
        ("2021-05-05T01:00:00.000500Z", (MAY_5_US + HOUR_US, MAY_5_US + HOUR_US + 1_000)),
        (1_620_172_800_000, (MAY_5_US, MAY_5_US + 1_000)),
        ("1620172800000", (MAY_5_US, MAY_5_US + 1_000)),
        (1_620_172_800_000.0, (MAY_5_US, MAY_5_US + 1_000)),
        ("now", (NOW_US, NOW_US + 1_000)),
        ("now-1h", (NOW_US - HOUR_US, NOW_US - HOUR_US + 1_000)),
        ("now/d", (MIDNIGHT_US, MIDNIGHT_US + DAY_US)),
        ("now-1d/d", (MIDNIGHT_US - DAY_US, MIDNIGHT_US)),
        ("now/d+1h", (MIDNIGHT_US + HOUR_US, MIDNIGHT_US + DAY_US + HOUR_US)),
        ("2021-05-05||+1d", (MAY_5_US + DAY_US, MAY_5_US + 2 * DAY_US)),
        ("2021-05-31||-1M/d", (MAY_5_US - 5 * DAY_US, MAY_5_US - 4 * DAY_US)),
        ("2021-05-05||/w", (MAY_5_US - 2 * DAY_US, MAY_5_US + 5 * DAY_US)),
        ("2020-02-29||+1y/M", (1_612_137_600_000_000, 1_614_556_800_000_000)),
    ],
)
def test_a_time_is_a_span(value, expected):
    assert ends(value) == expected


def test_seconds_are_read_where_the_format_says_so():
    assert ends(1_620_172_800, form="epoch_second") == (MAY_5_US, MAY_5_US + 1_000_000)


def test_a_year_is_a_year_and_not_some_milliseconds():
    """Of a year alone, as of a month, the first day is meant: missing components are 01."""
    assert ends("2021") == (1_609_459_200_000_000, 1_609_545_600_000_000)


def test_seconds_may_have_a_fraction():
    assert ends(1_620_172_800.5, form="epoch_second")[0] == MAY_5_US + 500_000


@pytest.mark.parametrize(
    ("zone", "form", "expected"),
    [
        (UTC, "strict_date_optional_time", "2021-05-05T00:00:00.000Z"),
        (BERLIN, "strict_date_optional_time", "2021-05-05T02:00:00.000+02:00"),
        (UTC, "epoch_millis", "1620172800000"),
        (UTC, "epoch_second||date", "1620172800"),
        (BERLIN, "date", "2021-05-05"),
    ],
)
def test_a_time_is_printed_as_its_format_says(zone, form, expected):
    assert printed(MAY_5_US, zone, form) == expected


def test_a_day_is_that_of_the_zone():
    assert ends("2021-05-05", BERLIN) == (MAY_5_US - 2 * HOUR_US, MAY_5_US + 22 * HOUR_US)
    assert ends("now/d", BERLIN)[0] == MIDNIGHT_US - HOUR_US


def test_a_day_on_which_clocks_change_is_as_long_as_it_is():
    begin, end = ends("2026-10-25", BERLIN)

    assert end - begin == 25 * HOUR_US


@pytest.mark.parametrize(
    "value",
    ["yesterday", "2021-13-01", "now-", "now-1x", "now/Q", "2021-05-05||", "-7d", True, None, [1]],
)
def test_what_is_no_time_is_refused_by_name(value):
    if value == "2021-05-05||":
        assert ends(value) == (MAY_5_US, MAY_5_US + DAY_US)
        return
    with pytest.raises(Rejected, match="failed to parse date"):
        span(value, NOW_US, UTC)


@given(st.text(max_size=30) | st.floats() | st.integers())
def test_only_a_refusal_escapes(value):
    try:
        found = span(value, NOW_US, UTC)
    except Rejected:
        return
    assert found.from_us < found.to_us


@pytest.mark.parametrize("name", ["UTC", "Z", "Europe/Berlin", "+02:00", "-0530"])
def test_zones_have_names_and_offsets(name):
    assert zone_of(name) is not None


@pytest.mark.parametrize("name", ["Nowhere/Land", "+99:00", "/etc/passwd", "", 7])
def test_a_zone_that_is_none_is_refused(name):
    with pytest.raises(Rejected):
        zone_of(name)


def test_formats_that_are_not_known_are_named():
    assert check_format("strict_date_optional_time||epoch_millis").endswith("epoch_millis")
    with pytest.raises(Rejected, match="dd/MM/yyyy"):
        check_format("dd/MM/yyyy")
