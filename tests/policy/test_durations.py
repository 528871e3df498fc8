"""How long, in words: read as people write it, and written one way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealog.policy.durations import NoDuration, seconds_of, words_of


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("48h", 172_800),
        ("90d", 7_776_000),
        ("1d12h", 129_600),
        ("2w", 1_209_600),
        ("90m", 5_400),
        ("7200s", 7_200),
        ("48H", 172_800),
        (" 48h ", 172_800),
        ("PT48H", 172_800),
        ("P90D", 7_776_000),
        ("P1DT12H30M", 131_400),
        ("P2W", 1_209_600),
        ("pt1h", 3_600),
        ("172800", 172_800),
        (172_800, 172_800),
        (-1, -1),
    ],
    ids=repr,
)
def test_a_duration_is_read_in_all_the_ways_people_write_it(written, seconds):
    assert seconds_of(written) == seconds


@pytest.mark.parametrize("written", ["7y", "1 year", "3mo", "6 months", "P1Y", "P3M", "1y6mo"])
def test_months_and_years_are_refused_with_what_to_say_instead(written):
    with pytest.raises(NoDuration, match="say days, such as 2557d"):
        seconds_of(written)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "h",
        "48 h",
        "48h ago",
        "5M",
        "-48h",
        "1.5h",
        "PT",
        "P",
        "P1DT",
        "PT1.5H",
        "1h2",
        "٤٨h",
        "1" * 30,
        True,
        1.5,
        None,
        ["48h"],
        {"h": 48},
    ],
    ids=repr,
)
def test_what_is_no_duration_is_refused(written):
    with pytest.raises(NoDuration):
        seconds_of(written)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (172_800, "48h"),
        (259_200, "3d"),
        (7_776_000, "90d"),
        (3_600, "1h"),
        (5_400, "90m"),
        (3_601, "3601s"),
    ],
)
def test_a_duration_is_written_as_short_as_is_true(seconds, words):
    assert words_of(seconds) == words


@given(st.integers(1, 10**11))
def test_what_is_written_is_read_as_it_was(seconds):
    assert seconds_of(words_of(seconds)) == seconds


@given(st.text(max_size=40))
def test_any_text_is_a_duration_or_is_refused(written):
    try:
        seconds = seconds_of(written)
    except NoDuration:
        return
    assert seconds >= 0
