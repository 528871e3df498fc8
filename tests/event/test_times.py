"""Times as senders write them, each to one moment and one text, or to none."""

import pytest

from sealog.event import times
from sealog.event.findings import Finding
from sealog.event.times import format_us, read

NOON_US = 1_795_176_000_000_000  # 2026-11-20T12:00:00Z


def seen(text: str, **how) -> tuple[int, str, list[str]] | None:
    moment = read(text, **how)
    return moment and (moment.at_us, moment.text, [code for code, _ in moment.oddities])


@pytest.mark.parametrize(
    ("text", "at_us", "sealed"),
    [
        ("2026-11-20T12:00:00.123Z", NOON_US + 123_000, "2026-11-20T12:00:00.123Z"),
        ("2026-11-20T12:00:00.123456Z", NOON_US + 123_456, "2026-11-20T12:00:00.123456Z"),
        ("2026-11-20T12:00:00Z", NOON_US, "2026-11-20T12:00:00.000Z"),
        ("2026-11-20T12:00:00.5Z", NOON_US + 500_000, "2026-11-20T12:00:00.500Z"),
        ("2026-11-20T12:00:00.123456789Z", NOON_US + 123_456, "2026-11-20T12:00:00.123456789Z"),
        ("2026-11-20T12:00:00,25Z", NOON_US + 250_000, "2026-11-20T12:00:00.250Z"),
        ("2026-11-20T17:30:00.100+05:30", NOON_US + 100_000, "2026-11-20T12:00:00.100Z"),
        ("2026-11-20T07:00:00.100-0500", NOON_US + 100_000, "2026-11-20T12:00:00.100Z"),
        ("2026-11-20T13:00:00+01", NOON_US, "2026-11-20T12:00:00.000Z"),
        ("2026-11-20T12:00:15+00:00:15", NOON_US, "2026-11-20T12:00:00.000Z"),
        ("2026-11-20t12:00:00z", NOON_US, "2026-11-20T12:00:00.000Z"),
        ("2026-11-20 12:00:00 UTC", NOON_US, "2026-11-20T12:00:00.000Z"),
        ("  2026-11-20T12:00Z\n", NOON_US, "2026-11-20T12:00:00.000Z"),
        ("2026-11-20T00:00:00+12:00", NOON_US - 86_400_000_000, "2026-11-19T12:00:00.000Z"),
        ("0999-01-01T00:00:00.000Z", -30_641_760_000_000_000, "0999-01-01T00:00:00.000Z"),
        ("1969-12-31T23:59:59.999999Z", -1, "1969-12-31T23:59:59.999999Z"),
    ],
)
def test_iso_times_are_read_to_utc_with_the_digits_as_sent(text, at_us, sealed):
    assert seen(text) == (at_us, sealed, [])


def test_an_offset_without_a_colon_is_iso_too():
    """CL-Q2."""
    assert seen("2021-05-05T09:27:12.529+0000") == (
        1_620_206_832_529_000,
        "2021-05-05T09:27:12.529Z",
        [],
    )


def test_without_a_zone_it_is_utc_with_a_finding():
    """ES-Q9: no suffix is stated."""
    assert seen("2024-11-20T10:37:42.943305") == (
        1_732_099_062_943_305,
        "2024-11-20T10:37:42.943305Z",
        ["no-zone"],
    )


@pytest.mark.parametrize(
    ("text", "how", "sealed", "odd"),
    [
        pytest.param(
            "11/03/2020 12:10:59+05:30",
            {},
            "2020-03-11T06:40:59.000Z",
            ["ambiguous-date"],
            id="LH-Q12",
        ),
        pytest.param(
            "11/03/2020 12:10:59+05:30",
            {"day_first": False},
            "2020-11-03T06:40:59.000Z",
            ["ambiguous-date"],
            id="LH-Q12-month-first",
        ),
        pytest.param(
            "06/10/2020 06:28:42 +05.5:30",
            {},
            "2020-10-06T00:58:42.000Z",
            ["ambiguous-date", "bad-offset"],
            id="LH-Q12-offset",
        ),
        pytest.param("25/12/2020 00:00:00 Z", {}, "2020-12-25T00:00:00.000Z", [], id="past-12"),
        pytest.param("05/05/2020 1:02", {}, "2020-05-05T01:02:00.000Z", ["no-zone"], id="same"),
        pytest.param(
            "2026-11-20T12:00:00+05.5", {}, "2026-11-20T06:30:00.000Z", ["bad-offset"], id="half"
        ),
        pytest.param(
            "2026-11-20T12:00:00-05.25", {}, "2026-11-20T17:15:00.000Z", ["bad-offset"], id="minus"
        ),
    ],
)
def test_odd_times_are_read_with_what_was_odd(text, how, sealed, odd):
    moment = read(text, **how)

    assert moment is not None
    assert (moment.text, [code for code, _ in moment.oddities]) == (sealed, odd)


def test_the_finding_says_how_an_offset_was_read():
    moment = read("06/10/2020 06:28:42 +05.5:30")

    assert moment is not None
    assert moment.findings("/time")[1] == Finding("bad-offset", "/time", "+05.5:30 read as +05:30")


@pytest.mark.parametrize(
    ("text", "sealed"),
    [
        ("20261120120000", "2026-11-20T12:00:00.000Z"),
        ("1569575400206", "2019-09-27T09:10:00.206Z"),
        ("1569575400", "2019-09-27T09:10:00.000Z"),
        ("1569575400.25", "2019-09-27T09:10:00.250Z"),
        ("1569575400206123", "2019-09-27T09:10:00.206123Z"),
        ("1569575400206123456", "2019-09-27T09:10:00.206123Z"),
        ("1569575400206.5", "2019-09-27T09:10:00.206500Z"),
        ("-1569575400", "1920-04-06T14:50:00.000Z"),
    ],
)
def test_digits_are_a_compact_time_or_an_epoch_by_their_number(text, sealed):
    """X-05."""
    moment = read(text)

    assert moment is not None
    assert moment.text == sealed
    assert moment.oddities == ()


def test_a_leap_second_is_the_last_moment_before_it():
    assert seen("2016-12-31T23:59:60.500Z") == (
        1_483_228_799_500_000,
        "2016-12-31T23:59:59.500Z",
        ["leap-second"],
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-20",
        "2026-11-20T25:00:00Z",
        "2026-11-20T12:00:00.Z",
        "2026-11-20T12:00:00+24:00",
        "2026-11-20T12:00:00+05:99",
        "2026-11-20T12:00:00+5:30:1:1",
        "2026-11-20T12:00:00.1234567890123456789012345678901Z",
        "2026-W47-5T12:00:00.123Z",
        "2026-11-20T12:00:00.１２３Z",
        "２０２６-11-20T12:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "0000-01-01T00:00:00.000Z",
        "13/13/2020 10:00:00",
        "11/03/2020 12:10:59 PM",
        "20261320120000",
        "12345678",
        "1" * 20,
        "1" * 100_000,
        " " * 100_000 + "x",
    ],
    ids=lambda text: text[:40],
)
def test_what_is_no_time_gives_none(text):
    assert read(text) is None


@pytest.mark.parametrize(
    ("at_us", "digits", "text"),
    [
        (0, 6, "1970-01-01T00:00:00.000000Z"),
        (NOON_US + 123_456, 3, "2026-11-20T12:00:00.123Z"),
        (-1, 6, "1969-12-31T23:59:59.999999Z"),
        (1 << 62, 6, None),
        (-(1 << 62), 6, None),
    ],
)
def test_microseconds_are_written_in_utc(at_us, digits, text):
    assert format_us(at_us, digits=digits) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T12:00:00.123Z",
        "2026-11-20T12:00:00.1234Z",
        "2026-11-20T12:00:00.12345Z",
        "2026-11-20T12:00:59.123456Z",
        "1969-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00.000Z",
        "9999-12-31T23:59:59.999Z",
    ],
)
def test_a_second_that_is_remembered_gives_the_time_that_reading_gives(text):
    seconds = times.Seconds()

    assert [seconds.us(text), seconds.us(text)] == [times.read(text).at_us] * 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-20T12:00:00Z",
        "2026-11-20T12:00:00.12Z",
        "2026-11-20T12:00:00.1234567Z",
        "2026-11-20 12:00:00.123Z",
        "2026-11-20T12:00:00,123Z",
        "2026-11-20T12:00:00.123z",
        "2026-11-20T12:00:00.+12Z",
        "2026-11-20T12:00:00.1_2Z",
        "2026-11-20T12:00:00.\u0661\u0662\u0663Z",
        "2026-W47-5T12:00:00.123Z",
        "2026-02-30T12:00:00.123Z",
        "2026-11-20T12:00:60.123Z",
    ],
)
def test_seconds_read_only_what_needs_no_mending(text):
    assert times.Seconds().us(text) is None


def test_seconds_are_not_remembered_without_end():
    seconds = times.Seconds()
    for n in range(times.SECONDS_MAX + 1):
        assert (
            seconds.us(f"2026-11-20T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.000Z") is not None
        )

    assert len(seconds._known) == 1
