"""Counting looks at no more than it must, and says what it could not count."""

from pathlib import Path

import pytest
from tests.archive.made import ALPHA, BEGIN_US, Home, asking, event
from tests.archive.test_search import CountingShelf

from sealog.archive.counting import Counting, count
from sealog.query.tree import Query, Text


@pytest.fixture
def trail(home: Home):
    """Three segments of ten events, one a second, and five events that wait."""
    for first in (0, 10, 20):
        home.add(ALPHA, *[event(n, f"act-{n % 2}") for n in range(first, first + 10)])
        home.archive.cut()
    home.add(ALPHA, *[event(n, rest={"said": "hello"}) for n in range(30, 35)])
    return home.archive._waiting.of(1)


def _count(trail, query=Query(), wanted=Counting(), shelf=None, out_of_time=lambda: False):  # noqa: B008
    return count({1: trail}, query, wanted, shelf or CountingShelf(), out_of_time)


def test_without_a_filter_no_column_is_read(trail):
    shelf = CountingShelf()

    assert _count(trail, shelf=shelf).count == 35
    assert shelf.read == []


def test_times_are_read_only_where_the_range_begins_and_ends(trail):
    shelf = CountingShelf()

    found = _count(
        trail, asking(from_us=BEGIN_US + 5_000_000, to_us=BEGIN_US + 25_000_000), shelf=shelf
    )

    assert found.count == 20
    assert sorted(shelf.read) == [(0, "at_us"), (20, "at_us")]


def test_out_of_time_it_says_how_far_it_came(trail):
    found = _count(trail, out_of_time=lambda: True)

    assert found.count == 5
    assert found.looked_us == BEGIN_US + 29_000_001
    assert _count(trail).looked_us is None


def test_a_damaged_segment_is_named_and_the_rest_is_counted(trail):
    trail.segments[1].columns_path.unlink()

    found = _count(trail, asking(action="act-*"))

    assert found.count == 20
    assert "10-19-0.parquet is missing" in found.damaged[0]


def test_words_are_counted_in_what_is_opened(trail):
    assert _count(trail, Query(where=Text(("hello",)))).count == 5


def test_the_archive_counts_for_its_tenants(home: Home, tmp_path: Path):
    home.add(ALPHA, event(0, "a"), event(1, "b"), event(1, "b"))

    assert home.archive.count([ALPHA], asking(action="b")).count == 2
    assert home.archive.facets([ALPHA], Query(), ["action"]).facets["action"].values == [
        ("b", 2),
        ("a", 1),
    ]
    assert [one.count for one in home.archive.histogram([ALPHA], Query(), 1).buckets] == [1, 2]
