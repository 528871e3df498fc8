from zoneinfo import ZoneInfo

import pytest
from tests.compat.elastic_house import NOW_US

from sealog.archive.counting import Counts
from sealog.archive.tallies import Bucket, Facet
from sealog.compat.elastic_aggs import AGGREGATIONS_MAX, DEPTH_MAX, answer, read
from sealog.compat.elastic_errors import Rejected
from sealog.compat.elastic_names import INDICES
from sealog.query.tree import And, During, Has, Is

SEALOG = INDICES["sealog"]
WHERE = Is("outcome", "failure")
DAY_US = 86_400_000_000
MAY_5_US = 1_620_172_800_000_000


class Counter:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self):
        self.asked = []
        self.values = [("login", 5), ("logout", 3), ("edit", 1)]
        self.more = 0
        self.buckets = []

    def count(self, where):
        self.asked.append(("count", where))
        return Counts(7)

    def facet(self, where, field):
        self.asked.append(("facet", where, field))
        return Counts(9, {field: Facet(list(self.values), self.more)})

    def histogram(self, where, interval, zone):
        self.asked.append(("histogram", where, interval, zone))
        return Counts(9, {}, list(self.buckets))

    def end_us(self, where, *, oldest):
        self.asked.append(("end", where, oldest))
        return MAY_5_US


@pytest.fixture
def counter():
    return Counter()


def ask(body, counter, **more):
    return answer(read(body, SEALOG, NOW_US), WHERE, counter, **more)


def test_terms_are_the_most_frequent_values(counter):
    found = ask({"a": {"terms": {"field": "event.action", "size": 2}}}, counter)

    assert found == {
        "a": {
            "doc_count_error_upper_bound": 0,
            "sum_other_doc_count": 1,
            "buckets": [
                {"key": "login", "doc_count": 5},
                {"key": "logout", "doc_count": 3},
            ],
        }
    }
    assert counter.asked == [("facet", WHERE, "action")]


@pytest.mark.parametrize(
    ("order", "keys"),
    [
        ({"_count": "asc"}, ["edit", "logout", "login"]),
        ({"_key": "asc"}, ["edit", "login", "logout"]),
        ([{"_count": "desc"}, {"_key": "asc"}], ["login", "logout", "edit"]),
    ],
)
def test_terms_come_in_the_order_asked_for(counter, order, keys):
    found = ask({"a": {"terms": {"field": "event.action", "order": order}}}, counter)

    assert [bucket["key"] for bucket in found["a"]["buckets"]] == keys


def test_terms_that_are_numbers_are_numbers(counter):
    counter.values = [("204", 2)]

    found = ask({"a": {"terms": {"field": "http.response.status_code"}}}, counter)

    assert found["a"]["buckets"] == [{"key": 204, "doc_count": 2}]


def test_an_aggregation_inside_another_is_of_its_bucket(counter):
    inner = {"ends": {"max": {"field": "@timestamp"}}}

    found = ask({"a": {"terms": {"field": "event.action", "size": 1}, "aggs": inner}}, counter)

    assert found["a"]["buckets"][0]["ends"] == {
        "value": 1_620_172_800_000.0,
        "value_as_string": "2021-05-05T00:00:00.000Z",
    }
    assert counter.asked[-1] == ("end", And((WHERE, Is("action", "login"))), False)


def test_a_histogram_counts_when(counter):
    counter.buckets = [Bucket(MAY_5_US, 2), Bucket(MAY_5_US + DAY_US, 0)]
    body = {"field": "@timestamp", "calendar_interval": "1d", "time_zone": "Europe/Berlin"}

    found = ask({"a": {"date_histogram": body}}, counter)

    assert found["a"]["buckets"] == [
        {
            "key_as_string": "2021-05-05T02:00:00.000+02:00",
            "key": 1_620_172_800_000,
            "doc_count": 2,
        },
        {
            "key_as_string": "2021-05-06T02:00:00.000+02:00",
            "key": 1_620_259_200_000,
            "doc_count": 0,
        },
    ]
    assert counter.asked == [("histogram", WHERE, "day", ZoneInfo("Europe/Berlin"))]


def test_a_histogram_leaves_out_what_is_too_little(counter):
    counter.buckets = [Bucket(MAY_5_US, 2), Bucket(MAY_5_US + DAY_US, 0)]
    body = {"field": "@timestamp", "fixed_interval": "1d", "min_doc_count": 1}

    assert len(ask({"a": {"date_histogram": body}}, counter)["a"]["buckets"]) == 1


def test_a_histogram_goes_as_far_as_its_bounds(counter):
    """As Grafana asks: in milliseconds, with seconds or minutes between."""
    counter.buckets = [Bucket(MAY_5_US + DAY_US, 4)]
    bounds = {"min": MAY_5_US // 1_000, "max": (MAY_5_US + 2 * DAY_US) // 1_000}
    body = {
        "field": "@timestamp",
        "fixed_interval": "1d",
        "min_doc_count": 0,
        "extended_bounds": bounds,
        "format": "epoch_millis",
    }

    found = ask({"2": {"date_histogram": body, "aggs": {}}}, counter)

    assert [bucket["doc_count"] for bucket in found["2"]["buckets"]] == [0, 4, 0]


def test_a_bucket_of_a_histogram_has_its_own_events(counter):
    counter.buckets = [Bucket(MAY_5_US, 2), Bucket(MAY_5_US + DAY_US, 1)]
    body = {"field": "@timestamp", "fixed_interval": "1d"}

    ask({"a": {"date_histogram": body, "aggs": {"n": {"filter": {"match_all": {}}}}}}, counter)

    assert counter.asked[1:] == [
        ("count", And((WHERE, During(MAY_5_US, MAY_5_US + DAY_US)))),
        ("count", And((WHERE, During(MAY_5_US + DAY_US, None)))),
    ]


def test_counts_of_values(counter):
    counter.more = 40

    found = ask(
        {
            "c": {"cardinality": {"field": "user.id", "precision_threshold": 100}},
            "v": {"value_count": {"field": "user.id"}},
            "t": {"value_count": {"field": "@timestamp"}},
        },
        counter,
    )

    assert found == {"c": {"value": 43}, "v": {"value": 7}, "t": {"value": 7}}
    assert counter.asked[1:] == [("count", And((WHERE, Has("actor.id")))), ("count", WHERE)]


def test_the_least_and_the_greatest_number(counter):
    counter.values = [("200", 5), ("500", 1), ("404", 2)]
    field = {"field": "http.response.status_code"}

    assert ask({"a": {"min": field}, "b": {"max": field}}, counter) == {
        "a": {"value": 200.0},
        "b": {"value": 500.0},
    }
    counter.values = []
    assert ask({"a": {"min": field}}, counter) == {"a": {"value": None}}


def test_filters_have_names_or_an_order(counter):
    login = {"term": {"event.action": "login"}}

    named = ask({"a": {"filters": {"filters": {"in": login}}}}, counter)
    listed = ask({"a": {"filters": {"filters": [login]}}}, counter)

    assert named == {"a": {"buckets": {"in": {"doc_count": 7}}}}
    assert listed == {"a": {"buckets": [{"doc_count": 7}]}}
    assert counter.asked[0] == ("count", And((WHERE, Is("action", "login"))))


def test_names_may_say_the_type(counter):
    found = ask({"a": {"terms": {"field": "event.action"}}}, counter, typed=True)

    assert list(found) == ["sterms#a"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"a": {"percentiles": {"field": "@timestamp"}}}, "percentiles"),
        ({"a": {"terms": {"field": "url.full"}}}, "cannot be searched"),
        ({"a": {"terms": {"field": "event.id"}}}, "terms of event.id"),
        ({"a": {"terms": {"field": "event.action", "include": "x"}}}, "include in terms"),
        ({"a": {"terms": {"field": "event.action", "size": 0}}}, "greater than 0"),
        ({"a": {"terms": {"field": "event.action", "order": {"other": "asc"}}}}, "order by other"),
        ({"a": {"date_histogram": {"field": "@timestamp"}}}, "interval None"),
        ({"a": {"date_histogram": {"field": "@timestamp", "fixed_interval": "100ms"}}}, "100ms"),
        (
            {"a": {"date_histogram": {"field": "@timestamp", "fixed_interval": "0s"}}},
            "interval is 1s",
        ),
        (
            {"a": {"date_histogram": {"field": "@timestamp", "calendar_interval": "quarter"}}},
            "quarter",
        ),
        (
            {
                "a": {
                    "date_histogram": {
                        "field": "@timestamp",
                        "fixed_interval": "1d",
                        "time_zone": "Europe/Berlin",
                    }
                }
            },
            "calendar_interval",
        ),
        (
            {
                "a": {
                    "date_histogram": {
                        "field": "@timestamp",
                        "fixed_interval": "1d",
                        "offset": "6h",
                    }
                }
            },
            "offset",
        ),
        ({"a": {"min": {"field": "user.id"}}}, "min of user.id"),
        (
            {"a": {"min": {"field": "@timestamp"}, "aggs": {"b": {"min": {}}}}},
            "names a field",
        ),
        (
            {"a": {"min": {"field": "@timestamp"}, "aggs": {"b": {"filter": {"match_all": {}}}}}},
            "cannot accept sub-aggregations",
        ),
        ({"a": {}}, "of one type"),
        ([], "object"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(body, named):
    with pytest.raises(Rejected) as raised:
        read(body, SEALOG, NOW_US)

    assert named in raised.value.detail


def test_aggregations_have_limits():
    one = {"filter": {"match_all": {}}}
    assert read({str(n): one for n in range(AGGREGATIONS_MAX)}, SEALOG, NOW_US)
    with pytest.raises(Rejected):
        read({str(n): one for n in range(AGGREGATIONS_MAX + 1)}, SEALOG, NOW_US)
    deep = {"a": one}
    for _ in range(DEPTH_MAX):
        deep = {"a": one | {"aggs": deep}}
    assert read(deep, SEALOG, NOW_US)
    with pytest.raises(Rejected, match="deep"):
        read({"a": one | {"aggs": deep}}, SEALOG, NOW_US)


def test_without_aggregations_there_are_none(counter):
    assert read(None, SEALOG, NOW_US) == ()
    assert answer((), WHERE, counter) == {}


def test_what_is_equal_comes_in_the_order_that_is_asked_for(counter):
    counter.values = [("b", 2), ("c", 2), ("a", 1), ("d", 3)]
    order = [{"_count": "desc"}, {"_key": "desc"}]

    found = ask({"a": {"terms": {"field": "event.action", "order": order}}}, counter)

    assert [bucket["key"] for bucket in found["a"]["buckets"]] == ["d", "c", "b", "a"]
    plain = ask({"a": {"terms": {"field": "event.action"}}}, counter)
    assert [bucket["key"] for bucket in plain["a"]["buckets"]] == ["d", "b", "c", "a"]


@pytest.mark.parametrize("order", [[], None, {}, {"_count": "desc"}])
def test_the_most_frequent_come_first_unless_told(counter, order):
    found = ask({"a": {"terms": {"field": "event.action", "order": order}}}, counter)

    assert [bucket["key"] for bucket in found["a"]["buckets"]] == ["login", "logout", "edit"]


def test_filters_may_be_listed_with_their_names(counter):
    body = {"keyed": False, "filters": {"x": {"match_all": {}}}}

    found = ask({"a": {"filters": body}}, counter)

    assert found["a"]["buckets"] == [{"key": "x", "doc_count": 7}]


def test_what_a_client_noted_comes_back(counter):
    found = ask({"a": {"value_count": {"field": "user.id"}, "meta": {"panel": 3}}}, counter)

    assert found["a"] == {"meta": {"panel": 3}, "value": 7}


def test_times_are_printed_as_their_format_says(counter):
    found = ask({"a": {"max": {"field": "@timestamp", "format": "epoch_second"}}}, counter)

    assert found["a"] == {"value": 1_620_172_800_000.0, "value_as_string": "1620172800"}


@pytest.mark.parametrize("size", [0, "x", "9" * 5_000, [], True])
def test_a_size_is_a_number_from_one(counter, size):
    with pytest.raises(Rejected, match="size"):
        ask({"a": {"terms": {"field": "event.action", "size": size}}}, counter)
