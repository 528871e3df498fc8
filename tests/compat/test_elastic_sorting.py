import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealog.compat.elastic_errors import Rejected
from sealog.compat.elastic_names import INDICES
from sealog.compat.elastic_sorting import Order, read

SEALOG, CLOSER = INDICES["sealog"], INDICES["closer"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, Order()),
        ([], Order()),
        ("@timestamp", Order(("@timestamp",), oldest_first=True)),
        ([{"@timestamp": "desc"}], Order(("@timestamp",))),
        (["@timestamp:asc"], Order(("@timestamp",), oldest_first=True)),
        (
            [{"@timestamp": {"order": "desc", "unmapped_type": "boolean"}}, "_doc"],
            Order(("@timestamp", "_doc")),
        ),
        ("_doc", Order(("_doc",))),
        (
            [{"@timestamp": "asc"}, {"sealog.index": "asc"}],
            Order(("@timestamp", "index"), oldest_first=True),
        ),
    ],
)
def test_events_are_sorted_by_time(body, expected):
    assert read(body, SEALOG) == expected


def test_a_point_in_time_has_a_tie_break_of_its_own():
    assert read([{"@timestamp": "asc"}], SEALOG, is_point=True).keys == ("@timestamp", "_shard_doc")
    assert read(None, SEALOG, is_point=True).keys == ("@timestamp", "_shard_doc")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ([{"user.id": "asc"}], "sort by user.id"),
        ([{"nowhere": "asc"}], "nowhere"),
        ([{"@timestamp": "up"}], "asc or desc"),
        ([{"@timestamp": {"order": "asc", "nested": {}}}], "nested"),
        ([{"@timestamp": "asc"}, {"sealog.index": "desc"}], "different directions"),
        (["sealog.index"], "index alone"),
        ([{}], "names a field"),
    ],
)
def test_any_other_order_is_refused_by_name(body, named):
    with pytest.raises(Rejected, match=named):
        read(body, SEALOG)


# Up to the year 2109: later ones have no exact millisecond with a fraction in a double.
MOMENTS = st.integers(0, 4_400_000_000_000_000)


@given(MOMENTS, st.integers(0, 1 << 32), st.integers(1, (1 << 20) - 1), st.booleans())
def test_the_sort_of_a_hit_is_where_the_next_page_begins(at_us, index, tenant, oldest_first):
    """Whatever digits a time has beyond its milliseconds: nothing is skipped or doubled."""
    order = Order(("@timestamp", "_shard_doc"), oldest_first)

    values = order.values(at_us, index, tenant)

    assert order.after(values, [tenant]) == (at_us, index, tenant)


def test_milliseconds_are_printed_as_whole_numbers():
    assert Order(("@timestamp",)).values(1_620_206_832_529_000, 1, 1) == [1_620_206_832_529]


def test_by_time_alone_what_is_of_the_same_time_is_left_out():
    assert Order(("@timestamp",)).after([1_000], [1]) == (1_000_000, -1, -1)
    at, index, _ = Order(("@timestamp",), oldest_first=True).after([1_000], [1])
    assert (at, index > 1 << 53) == (1_000_000, True)


def test_the_index_names_a_place_within_one_tenant():
    order = Order(("@timestamp", "index"))

    assert order.after([1_000, 7], [3]) == (1_000_000, 7, 3)
    with pytest.raises(Rejected, match="several tenants"):
        order.after([1_000, 7], [3, 4])


@pytest.mark.parametrize("values", [None, [], [1, 2, 3], ["2021", 1], [1, "x"], [True, 1], [{}, 1]])
def test_other_values_are_refused(values):
    with pytest.raises(Rejected):
        Order(("@timestamp", "_doc")).after(values, [1])


def test_without_a_time_there_is_no_place():
    with pytest.raises(Rejected, match="without a sort by time"):
        Order(("_doc",)).after([1], [1])


@pytest.mark.parametrize("value", [1e308, -1e308, 10**30])
def test_a_time_that_cannot_be_is_no_place_to_go_on(value):
    with pytest.raises(Rejected, match="sort values"):
        read([{"@timestamp": "asc"}], INDICES["sealog"]).after([value], [1])
