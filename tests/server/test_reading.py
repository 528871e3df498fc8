import asyncio

import pytest
from tests.server.house import NOW_US, opened

from sealog.errors import Altered, Busy, Refused
from sealog.query.tree import Is, Query
from sealog.server.settings import Settings


@pytest.fixture
def filled(house):
    """acme has events a, b, c; globex has one, g."""
    acme, globex = house.tenants.get("acme"), house.tenants.get("globex")
    house.archive.put(acme, *[opened(event={"id": name}) for name in "abc"])
    house.archive.put(globex, opened(event={"id": "g"}))
    return house


def shown(answer):
    return [(event["event"]["id"], event["sealog"]["index"]) for event in answer.json()["events"]]


def test_a_search_shows_events_newest_first_with_their_index(filled):
    answer = filled.ask("GET", "/v1/events?tenant=acme", key=filled.key("read"))

    assert answer.status_code == 200
    assert shown(answer) == [("c", 2), ("b", 1), ("a", 0)]
    assert answer.json()["next_cursor"] is None
    assert "link" not in answer.headers


def test_a_search_leads_to_its_next_page_in_body_and_link(filled):
    key = filled.key("read")

    first = filled.ask("GET", "/v1/events?tenant=acme&action=a%2Fb&limit=2", key=key)
    second = filled.ask("GET", first.links["next"]["url"], key=key)

    assert first.json()["next_cursor"] == "2"
    assert first.headers["link"] == (
        '</v1/events?tenant=acme&action=a%2Fb&limit=2&cursor=2>; rel="next"'
    )
    assert shown(first) + shown(second) == [("c", 2), ("b", 1), ("a", 0)]
    assert "link" not in second.headers


def test_a_search_may_cross_the_tenants_of_its_key_and_no_others(filled):
    both = filled.ask("GET", "/v1/events", key=filled.key("read"))
    one = filled.ask("GET", "/v1/events", key=filled.key("read", tenants=["globex", "not-made"]))

    assert len(shown(both)) == 4
    assert shown(one) == [("g", 0)]
    assert filled.archive.asked[-1][0] == ("globex",)


def test_a_search_is_told_what_was_asked(filled):
    path = "/v1/events?tenant=acme&from=-1s&actor=bob&limit=7&at_least=2"

    filled.ask("GET", path, key=filled.key("read"))

    acme = filled.tenants.get("acme").number
    asked = (
        ("acme",),
        Query(from_us=NOW_US - 1_000_000, where=Is("actor", "bob")),
        7,
        None,
        {acme: 2},
    )
    assert filled.archive.asked == [asked]


def test_a_search_may_begin_with_the_oldest(filled):
    answer = filled.ask("GET", "/v1/events?tenant=acme&order=oldest", key=filled.key("read"))

    assert shown(answer) == [("a", 0), ("b", 1), ("c", 2)]


def test_a_search_says_what_was_asked_as_it_was_understood(filled):
    path = "/v1/events?q=event.action:a,b+on:1970-01-02&zone=Europe/Berlin&status=>%3D400"

    answer = filled.ask("GET", path, key=filled.key("read"))

    assert answer.json()["query"] == (
        "date:1970-01-01T23:00:00Z..<1970-01-02T23:00:00Z status:400.. action:a,b"
    )


def test_pages_are_bound_to_what_was_asked_and_not_to_when(filled):
    """A cursor of `from=-15m` is of use a minute later."""
    key = filled.key("read")
    first = filled.ask("GET", "/v1/events?tenant=acme&from=-15m&limit=2", key=key)
    filled.hour.us += 60_000_000
    filled.ask("GET", first.links["next"]["url"], key=key)

    assert filled.archive.words == ["search?from=-15m&tenant=acme"] * 2


def test_at_least_is_within_one_tenant(filled):
    answer = filled.ask("GET", "/v1/events?at_least=0", key=filled.key("read"))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "at_least"


def test_a_search_that_ran_out_of_time_says_how_far_it_came(filled):
    filled.archive.more = {"looked_us": NOW_US, "damaged": ("/data/a.parquet is altered",)}

    answer = filled.ask("GET", "/v1/events?tenant=acme", key=filled.key("read"))

    assert answer.json()["looked_from"] == "2023-11-14T22:13:20.000000Z"
    assert answer.json()["damaged"] == 1
    assert "/data" not in answer.text


def test_a_search_for_the_oldest_says_up_to_when_it_came(filled):
    filled.archive.more = {"looked_us": NOW_US}

    path = "/v1/events?tenant=acme&order=oldest"
    answer = filled.ask("GET", path, key=filled.key("read"))

    assert answer.json()["looked_to"] == "2023-11-14T22:13:20.000000Z"
    assert "looked_from" not in answer.json()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(Refused("x", code="bad-cursor"), 400, id="refused"),
        pytest.param(Busy("not searchable yet"), 503, id="busy"),
        pytest.param(Altered("/data/x is altered"), 500, id="damaged"),
    ],
)
@pytest.mark.parametrize(
    "path",
    ["/v1/events", "/v1/feed?tenant=acme", "/v1/events/a?tenant=acme", "/v1/tenants/acme/events/0"],
)
def test_what_the_archive_raises_becomes_a_problem(filled, path, error, status):
    filled.archive.error = error

    answer = filled.ask("GET", path, key=filled.key("read"))

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "/data" not in answer.text


def test_an_event_is_found_by_its_id_and_by_its_index(filled):
    key = filled.key("read", tenants=["acme"])

    by_id = filled.ask("GET", "/v1/events/b", key=key)
    by_index = filled.ask("GET", "/v1/tenants/acme/events/1", key=key)

    assert by_id.status_code == by_index.status_code == 200
    assert by_id.content == by_index.content
    assert by_id.json()["event"] == {"id": "b"}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/events?tenant=acme&limit=1&",
        "/v1/feed?tenant=acme&after=1&",
        "/v1/events/c?tenant=acme&",
        "/v1/tenants/acme/events/2?",
    ],
    ids=["search", "feed", "id", "index"],
)
def test_events_are_given_in_the_shape_that_is_asked_for(filled, path):
    key = filled.key("read")

    shaped = filled.ask("GET", path + "dialect=chatvisor", key=key).json()
    older = filled.ask("GET", path + "dialect=ecs&ecs_version=1.9", key=key).json()
    wrong = filled.ask("GET", path + "dialect=chatvisor&ecs_version=1.9", key=key)

    assert shaped.get("events", [shaped]) == [{"id": "c"}]
    assert older.get("events", [older])[0]["ecs"] == {"version": "1.9.0"}
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["parameter"] == "ecs_version"


def test_the_link_to_the_next_page_keeps_the_shape(filled):
    path = "/v1/events?tenant=acme&limit=2&dialect=supsis"

    answer = filled.ask("GET", path, key=filled.key("read"))

    assert "dialect=supsis" in answer.links["next"]["url"]


def test_an_id_may_hold_slashes_and_anything_else(filled):
    filled.archive.put(filled.tenants.get("acme"), opened(event={"id": "a/b c?d"}))

    answer = filled.ask("GET", "/v1/events/a/b%20c%3Fd?tenant=acme", key=filled.key("read"))

    assert answer.json()["sealog"]["index"] == 3


@pytest.mark.parametrize(
    "path",
    [
        "/v1/events/zzz?tenant=acme",
        "/v1/tenants/acme/events/3",
        "/v1/tenants/acme/events/-1",
        "/v1/tenants/acme/events/x",
        "/v1/tenants/acme/events/%D9%A1",
        "/v1/tenants/acme/events/" + "9" * 30,
    ],
)
def test_an_event_that_is_not_there_is_a_404(filled, path):
    answer = filled.ask("GET", path, key=filled.key("read"))

    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/no-such-event"


OTHERS = [
    "/v1/events?tenant={}",
    "/v1/events/g?tenant={}",
    "/v1/feed?tenant={}",
    "/v1/feed?tenant={}&wait=1",
    "/v1/tenants/{}",
    "/v1/tenants/{}/events/0",
    "/v1/tenants/{}/events/0/proof",
    "/v1/tenants/{}/consistency?old=0&new=1",
]


@pytest.mark.parametrize("path", OTHERS)
def test_another_tenants_things_and_things_that_are_not_there_look_alike(filled, path):
    """CL: nobody learns from an answer which tenants exist."""
    key = filled.key("read", "export", "admin", tenants=["acme"])

    theirs = filled.ask("GET", path.format("globex"), key=key)
    nobodys = filled.ask("GET", path.format("initech"), key=key)

    assert theirs.status_code == nobodys.status_code == 404
    without = ("instance", "request_id")
    for answer in (theirs, nobodys):
        assert answer.json()["type"] == "/problems/no-such-tenant"
    assert {k: v for k, v in theirs.json().items() if k not in without} == {
        k: v for k, v in nobodys.json().items() if k not in without
    }


def test_a_key_for_several_tenants_must_say_which(filled):
    for path in ("/v1/feed", "/v1/events/a"):
        answer = filled.ask("GET", path, key=filled.key("read"))

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/no-tenant"


def test_the_feed_follows_the_order_of_the_log_and_never_ends(filled):
    key = filled.key("read", tenants=["acme"])

    first = filled.ask("GET", "/v1/feed?limit=2", key=key)
    second = filled.ask("GET", first.links["next"]["url"], key=key)
    third = filled.ask("GET", second.links["next"]["url"], key=key)

    assert shown(first) == [("a", 0), ("b", 1)]
    assert first.json()["next_cursor"] == "1"
    assert shown(second) == [("c", 2)]
    assert shown(third) == []
    assert third.json()["next_cursor"] == "2"
    assert third.headers["link"] == '</v1/feed?limit=2&after=2>; rel="next"'


def test_an_empty_feed_leads_on_as_well(house):
    key = house.key("read", tenants=["acme"])

    empty = house.ask("GET", "/v1/feed", key=key)
    house.archive.put(house.tenants.get("acme"), opened(event={"id": "a"}))

    assert empty.json() == {"events": [], "next_cursor": "-1"}
    assert shown(house.ask("GET", empty.links["next"]["url"], key=key)) == [("a", 0)]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("after=-2", "after"), ("after=x", "after"), ("after=99999", "after"), ("wait=61", "wait"), ("wait=-1", "wait"),
        ("limit=0", "limit"), ("limit=1001", "limit"), ("cursor=1", "cursor"), ("since=1", "since"),
    ],
)  # fmt: skip
def test_a_feed_names_the_parameter_that_cannot_be(house, query, parameter):
    answer = house.ask("GET", f"/v1/feed?tenant=acme&{query}", key=house.key("read"))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == parameter


def test_a_waiting_feed_answers_as_soon_as_something_arrives(filled):
    acme, globex = filled.tenants.get("acme"), filled.tenants.get("globex")
    headers = {"Authorization": "Bearer " + filled.key("read", tenants=["acme"])}

    async def life():
        asked = asyncio.create_task(filled.client.get("/v1/feed?after=2&wait=60", headers=headers))
        await asyncio.to_thread(filled.archive.watched.wait)
        filled.archive.put(globex, opened(event={"id": "other"}))
        await asyncio.sleep(0.01)
        assert not asked.done()
        filled.archive.put(acme, opened(event={"id": "d"}))
        return await asked

    assert shown(filled.runner.run(life())) == [("d", 3)]


def test_a_feed_that_has_something_does_not_wait(filled):
    answer = filled.ask("GET", "/v1/feed?after=1&wait=60&tenant=acme", key=filled.key("read"))

    assert shown(answer) == [("c", 2)]
    assert filled.archive.watchers == []


def test_one_waiting_feed_too_many_is_answered_with_what_is_there(build_house):
    house = build_house(settings=Settings(waiting_max=0))
    house.tenants.make(["acme"])

    answer = house.ask("GET", "/v1/feed?tenant=acme&wait=60", key=house.key("read"))

    assert answer.json() == {"events": [], "next_cursor": "-1"}
