from zoneinfo import ZoneInfo

import pytest
from tests.server.house import NOW_US, opened

from sealog.access.reads import Kind
from sealog.archive.tallies import SPLIT_FIELDS
from sealog.errors import Altered, Refused
from sealog.query.tree import Is
from sealog.server import counting
from sealog.server.counting import INTERVALS

HOUR_US = 3_600_000_000


@pytest.fixture
def filled(house):
    """acme has three events; globex has one."""
    acme, globex = house.tenants.get("acme"), house.tenants.get("globex")
    house.archive.put(acme, *[opened(event={"id": name}) for name in "abc"])
    house.archive.put(globex, opened(event={"id": "g"}))
    return house


def ask(house, path, **key):
    return house.ask("GET", path, key=house.key("read", **key))


def test_a_count_says_how_many_pass_and_what_was_asked(filled):
    answer = ask(filled, "/v1/count?tenant=acme&q=user.name:Ada+after:1970-01-02&action=x")

    assert answer.status_code == 200
    assert answer.json() == {
        "count": 3,
        "query": "after:1970-01-02T00:00:00Z action:x actor.name:Ada",
    }
    (names, query) = filled.archive.asked[-1]
    assert names == ("acme",)
    assert query.from_us == 24 * HOUR_US
    assert query.where.nodes == (Is("action", "x"), Is("actor.name", "Ada"))


def test_a_count_may_cross_the_tenants_of_its_key_and_no_others(filled):
    assert ask(filled, "/v1/count").json()["count"] == 4
    assert ask(filled, "/v1/count", tenants=["globex", "not-made"]).json()["count"] == 1


def test_facets_give_the_most_frequent_values_in_the_order_asked(filled):
    path = "/v1/facets?tenant=acme&field=outcome&field=event.action&field=action&top=1"

    answer = ask(filled, path)

    shown = {"values": [{"value": "x", "count": 2}], "more": 3, "exact": False}
    assert answer.json() == {
        "count": 3,
        "facets": [{"field": "outcome", **shown}, {"field": "action", **shown}],
        "query": "",
    }


def test_a_histogram_gives_pieces_of_time(filled):
    answer = ask(filled, "/v1/histogram?tenant=acme&interval=1h&zone=Europe/Berlin&by=outcome")

    assert answer.json() == {
        "count": 3,
        "interval": "1h",
        "zone": "Europe/Berlin",
        "buckets": [
            {"from": "2023-11-14T22:13:20.000Z", "count": 2, "by": {"success": 2}},
            {"from": "2023-11-14T23:13:20.000Z", "count": 0, "by": {}},
        ],
        "query": "",
    }
    assert filled.archive.counted == ("hour", ZoneInfo("Europe/Berlin"), "outcome")


def test_a_histogram_is_of_utc_and_undivided_unless_asked(filled):
    shown = ask(filled, "/v1/histogram?tenant=acme&interval=1mo").json()

    assert shown["zone"] == "UTC"
    assert "by" not in shown["buckets"][0]


@pytest.mark.parametrize(
    ("spans", "interval"),
    [
        ("from=1970-01-01T00:00:00Z&to=1970-01-01T01:40:00Z", "1m"),
        ("from=1970-01-01T00:00:00Z&to=1970-01-01T01:41:00Z", "1h"),
        ("from=1970-01-01&to=1970-01-05", "1h"),
        ("from=1970-01-01&to=1970-01-06", "1d"),
        ("from=1970-01-01&to=1970-04-11", "1d"),
        ("from=1970-01-01&to=1970-04-12", "1w"),
        ("from=1970&to=1973", "1mo"),
        ("q=date:1970..2000", "1y"),
        ("from=1970&to=9000", "1y"),
        # The fake's events are of the first microseconds of 1970.
        ("", "1m"),
        ("to=1970-01-06", "1d"),
        ("from=1969-12-01", "1d"),
    ],
)
def test_the_interval_is_the_shortest_with_few_pieces(filled, spans, interval):
    assert ask(filled, f"/v1/histogram?tenant=acme&{spans}").json()["interval"] == interval


def test_the_interval_of_nothing_is_the_shortest(house):
    assert ask(house, "/v1/histogram?tenant=acme").json()["interval"] == next(iter(INTERVALS))


@pytest.mark.parametrize("path", ["/v1/count?", "/v1/facets?field=action&", "/v1/histogram?"])
class TestEveryCount:
    """What holds for all three."""

    def test_what_ran_out_of_time_says_how_far_it_came(self, filled, path):
        filled.archive.more = {"looked_us": NOW_US, "damaged": ("/data/a.parquet is altered",)}

        answer = ask(filled, f"{path}tenant=acme")

        assert answer.json()["looked_from"] == "2023-11-14T22:13:20.000000Z"
        assert answer.json()["damaged"] == 1
        assert "/data" not in answer.text

    def test_it_needs_a_key_that_may_read(self, filled, path):
        assert filled.ask("GET", path).status_code == 401
        assert filled.ask("GET", path, key=filled.key("ingest")).status_code == 403

    def test_another_tenant_is_a_404(self, filled, path):
        answer = ask(filled, f"{path}tenant=globex", tenants=["acme"])

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/no-such-tenant"

    def test_a_wrong_query_is_told_with_its_place(self, filled, path):
        answer = ask(filled, f"{path}q=acter:ada")

        assert answer.status_code == 400
        assert answer.json()["errors"] == [
            {
                "pointer": "",
                "parameter": "q",
                "code": "bad-query",
                "detail": "unknown field 'acter'; did you mean 'actor'?",
                "offset": 0,
                "length": 5,
                "suggestion": "actor",
            }
        ]

    @pytest.mark.parametrize("wrong", ["limit=1", "cursor=x", "actr=a", "zone=Berln"])
    def test_a_parameter_that_cannot_be_is_named(self, filled, path, wrong):
        answer = ask(filled, path + wrong)

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["parameter"] == wrong.partition("=")[0]

    def test_it_is_counted_among_what_the_key_read(self, filled, path):
        """Of the tenants that are named: who asks of all learns of none in particular."""
        key = filled.key("read")
        filled.ask("GET", f"{path}tenant=acme", key=key)
        filled.ask("GET", path, key=key)

        filled.hour.us = NOW_US + HOUR_US
        filled.reads.keep()
        (told,) = filled.reads.over()
        assert told.tenant == filled.tenants.get("acme").number
        assert told.counts.kinds[Kind.COUNTS] == 1
        assert told.counts.events == 0

    def test_what_the_archive_raises_becomes_a_problem(self, filled, path):
        for error, status in [(Refused("x", code="bad-query"), 400), (Altered("/data/x"), 500)]:
            filled.archive.error = error

            answer = ask(filled, path)

            assert answer.status_code == status
            assert "/data" not in answer.text


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/count?field=action", "field"),
        ("/v1/facets", "field"),
        ("/v1/facets?field=id", "field"),
        ("/v1/facets?field=nothing", "field"),
        ("/v1/facets?" + "&".join(["field=action"] * 11), "field"),
        ("/v1/facets?field=action&top=0", "top"),
        ("/v1/facets?field=action&top=101", "top"),
        ("/v1/histogram?interval=2h", "interval"),
        ("/v1/histogram?by=actor", "by"),
    ],
    ids=lambda each: each[:40],
)
def test_what_only_one_of_them_takes_is_checked(filled, path, parameter):
    answer = ask(filled, path)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == parameter


def test_limits_themselves_are_taken(filled):
    fields = "&".join(f"field={name}" for name in counting.FACETED[:10])

    assert ask(filled, f"/v1/facets?{fields}&top=100").status_code == 200


def test_what_may_divide_is_what_the_archive_divides_by():
    assert set(counting.DIVIDING) == SPLIT_FIELDS
