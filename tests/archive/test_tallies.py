"""Values and moments are counted source by source and put together at the end."""

from datetime import UTC

import numpy as np
import pyarrow as pa
import pytest
from tests.archive.made import BEGIN_US

from sealog.archive import tallies
from sealog.archive.sources import Rows, Values
from sealog.archive.tallies import Bucket, Facet, Times, tally_of
from sealog.errors import Refused


class Columns:
    """A source of columns as they are given; every row is asked for."""

    def __init__(self, **columns):
        self._columns = columns

    def counted(self, name: str, rows: Rows):
        texts = np.array(self._columns[name], object)[rows if rows is not True else slice(None)]
        values, counts = np.unique(texts.astype(str), return_counts=True)
        return pa.array(values.tolist(), pa.string()), counts

    def passed(self, values: Values) -> Rows:
        return np.array([text in values.exact for text in self._columns[values.columns[0]]])

    def numbers(self, name: str):
        return np.array(self._columns[name], np.int64)


def _facet(field: str, *sources: Columns, top: int = 10) -> Facet:
    tally = tally_of(field)
    for source in sources:
        tally.add(source, True)
    return tally.facet(top)


def test_the_most_frequent_come_first_and_equals_by_their_text():
    facet = _facet("outcome", Columns(outcome=["b", "a", "", "c"]), Columns(outcome=["c", "a"]))

    assert facet == Facet([("a", 2), ("c", 2), ("b", 1)], 0)
    assert _facet("outcome", Columns(outcome=["b", "a", "c"]), top=1) == Facet([("a", 1)], 2)
    assert _facet("outcome") == Facet([], 0)


def test_of_several_columns_the_first_with_a_value_counts():
    facet = _facet(
        "actor",
        Columns(
            actor_name=["ada", "", "", ""],
            actor_id=["u-1", "u-2", "", ""],
            actor_email=["a@b.c", "", "c@d.e", ""],
        ),
    )

    assert facet.values == [("ada", 1), ("c@d.e", 1), ("u-2", 1)]


def test_lists_count_each_value_once_an_event_and_a_target_its_first():
    assert _facet("category", Columns(category=["iam\nweb", "web", "x\nx", ""])).values == [
        ("web", 2),
        ("iam", 1),
        ("x", 1),
    ]
    assert _facet("target", Columns(target=["grace\nu-8", "grace", ""])).values == [("grace", 2)]


def test_numbers_are_counted_as_text():
    assert _facet("status", Columns(status=[404, -1, 200, 404])).values == [("404", 2), ("200", 1)]
    assert _facet("findings", Columns(finding=[1, 0, 1])).values == [("true", 2)]
    assert _facet("findings", Columns(finding=[0])).values == []


@pytest.mark.parametrize("field", ["id", "index", "nothing"])
def test_a_field_of_too_many_values_is_not_counted(field: str):
    with pytest.raises(Refused) as caught:
        tally_of(field)
    assert caught.value.code == "bad-query"


def test_of_too_many_values_the_rarest_are_given_up_and_it_says_so(monkeypatch):
    monkeypatch.setattr(tallies, "VALUES_MAX", 10)
    rare = [f"rare-{n}" for n in range(9)]

    facet = _facet("session", *[Columns(session=[*rare, *["often"] * 3]) for _ in range(2)])
    assert facet.is_exact
    assert facet.more == 0

    many = [Columns(session=[f"{n}-{m}" for m in range(9)] + ["often"] * 3) for n in range(9)]
    facet = _facet("session", *many, top=1)

    assert facet.values == [("often", 27)]
    assert not facet.is_exact


def _times(interval, sources, by=None):
    times = Times(interval, UTC, by)
    for source in sources:
        times.add(source, True)
    return times.buckets()


def test_moments_fall_into_buckets_and_empty_ones_are_there():
    begin = BEGIN_US // 10_000_000 * 10_000_000
    source = Columns(at_us=[begin, begin + 9_999_999, begin + 31_000_000])

    assert _times(10, [source, source]) == [
        Bucket(begin, 4),
        Bucket(begin + 10_000_000, 0),
        Bucket(begin + 20_000_000, 0),
        Bucket(begin + 30_000_000, 2),
    ]
    assert _times(10, []) == []


def test_a_bucket_is_divided_by_values():
    source = Columns(at_us=[0, 0, 1_000_000], outcome=["success", "failure", ""])

    assert _times(1, [source], "outcome") == [
        Bucket(0, 2, {"success": 1, "failure": 1}),
        Bucket(1_000_000, 1, {"": 1}),
    ]


def test_a_bucket_is_divided_by_few_values(monkeypatch):
    """What senders make up must not cost a pass over the rows each."""
    monkeypatch.setattr(tallies, "SPLIT_VALUES_MAX", 1)
    source = Columns(at_us=[0, 0, 0, 0], outcome=["a", "a", "b", "c"])

    assert _times(1, [source], "outcome") == [Bucket(0, 4, {"a": 2, "": 2})]


def test_a_histogram_is_not_divided_by_just_anything():
    with pytest.raises(Refused):
        Times(1, UTC, "session")


def test_moments_far_apart_are_counted_without_all_that_lies_between(monkeypatch):
    monkeypatch.setattr(tallies, "_QUANTA_MAX", 3)
    moments = tallies._Moments()
    for numbers in ([1, 1, 10**15], [5], [5, 10**15], [7, 8]):
        moments.add(np.array(numbers))

    numbers, counts = moments.counted()

    assert numbers.tolist() == [1, 5, 7, 8, 10**15]
    assert counts.tolist() == [2, 2, 1, 1, 2]
