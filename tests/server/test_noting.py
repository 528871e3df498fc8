"""Whatever a key is given of a trail is counted, and nothing else is."""

import asyncio

import pytest
from tests.server.house import NOW_US, Tailed, opened

from sealog.access.reads import HOUR_US, Kind

NAMES = {kind: kind.name.lower() for kind in Kind}


@pytest.fixture
def filled(house):
    acme, globex = house.tenants.get("acme"), house.tenants.get("globex")
    house.archive.put(acme, *[opened(event={"id": name}) for name in "abc"])
    house.archive.put(globex, opened(event={"id": "g"}))
    return house


def counted(house):
    """Tenant → what was counted, events, first and last index; of the one key there is."""
    house.hour.us = NOW_US + HOUR_US
    house.reads.keep()
    return {
        house.tenants.numbered(one.tenant).name: (
            {NAMES[kind]: one.counts.kinds[kind] for kind in Kind if one.counts.kinds[kind]},
            one.counts.events,
            (one.counts.first, one.counts.last),
        )
        for one in house.reads.over()
    }


@pytest.mark.parametrize(
    ("paths", "kinds", "events", "ends"),
    [
        pytest.param(["/v1/events?tenant=acme"], {"searches": 1}, 3, (0, 2), id="search"),
        pytest.param(
            ["/v1/events?tenant=acme&limit=1", "/v1/events?tenant=acme&limit=1&cursor=1"],
            {"searches": 2}, 2, (1, 2), id="pages",
        ),
        pytest.param(["/v1/feed?tenant=acme&after=0"], {"feeds": 1}, 2, (1, 2), id="feed"),
        pytest.param(["/v1/feed?tenant=acme&after=2"], {"feeds": 1}, 0, (-1, -1), id="empty feed"),
        pytest.param(["/v1/events/b?tenant=acme"], {"single": 1}, 1, (1, 1), id="by id"),
        pytest.param(["/v1/events/zz?tenant=acme"], {"single": 1}, 0, (-1, -1), id="not there"),
        pytest.param(["/v1/tenants/acme/events/2"], {"single": 1}, 1, (2, 2), id="by index"),
        pytest.param(["/v1/tenants/acme/events/2/proof"], {"proofs": 1}, 1, (2, 2), id="proof"),
    ],
)  # fmt: skip
def test_every_answer_with_events_is_counted(filled, paths, kinds, events, ends):
    key = filled.key("read")

    for path in paths:
        filled.ask("GET", path, key=key)

    assert counted(filled) == {"acme": (kinds, events, ends)}


def test_a_search_of_all_tenants_counts_where_it_found_something(filled):
    """A tenant without a single hit learns of nothing: there may be thousands."""
    filled.tenants.make(["empty"])

    filled.ask("GET", "/v1/events", key=filled.key("read"))

    assert counted(filled) == {
        "acme": ({"searches": 1}, 3, (0, 2)),
        "globex": ({"searches": 1}, 1, (0, 0)),
    }


def test_a_search_that_names_a_tenant_counts_though_it_found_nothing(filled):
    filled.tenants.make(["empty"])

    filled.ask("GET", "/v1/events?tenant=empty", key=filled.key("read"))

    assert counted(filled) == {"empty": ({"searches": 1}, 0, (-1, -1))}


def test_a_tail_counts_when_it_is_opened_and_what_it_sends(filled):
    async def life():
        async with Tailed(filled, "tenant=acme&after=0", key=filled.key("read")) as tailed:
            await tailed.until(lambda it: len(it.events) == 2)

    filled.runner.run(asyncio.wait_for(life(), 20))

    assert counted(filled) == {"acme": ({"tails": 2}, 2, (1, 2))}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/tenants",
        "/v1/tenants/acme",
        "/v1/catalog",
        "/v1/feed?tenant=nobody",
        "/v1/events?nope=1",
        "/healthz",
    ],
)
def test_what_shows_no_event_is_not_counted(filled, path):
    filled.ask("GET", path, key=filled.key("read"))

    assert counted(filled) == {}


def test_where_from_is_counted_too(filled):
    filled.ask("GET", "/v1/feed?tenant=acme", key=filled.key("read"))
    filled.hour.us = NOW_US + HOUR_US
    filled.reads.keep()

    assert filled.reads.over()[0].counts.origins == [("127.0.0.1", "127.0.0.1")]
