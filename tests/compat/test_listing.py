import pytest
from starlette.requests import Request
from tests.server.house import House

from sealog.compat.listing import Listing
from sealog.query.tree import And, Is
from sealog.server.knocking import Visit
from sealog.server.problems import BadParameter
from sealog.server.settings import Settings
from sealog.storage.store import Store


@pytest.fixture
def ask(tmp_path):
    store = Store(tmp_path / "state.db")
    house = House(store)
    house.tenants.make(["acme"])
    listing = Listing(house.parts_anew(), Settings(), "supsis")
    _, key = house.keys.create("one", ["acme"], ["read"])

    def asked(query, **more):
        scope = {
            "type": "http",
            "path": "/x",
            "query_string": query.encode(),
            "headers": [],
            "sealog": Visit("id", {b"authorization": b"Bearer " + key.encode()}),
        }
        return listing.asked(Request(scope), {"event": "action"}, **more)

    yield asked
    house.close()
    store.close()


def test_only_the_products_own_events_are_asked_for(ask):
    assert ask("").query.where == Is("dialect", "supsis")
    assert ask("").tenant.name == "acme"


def test_parameters_have_the_products_names(ask):
    assert ask("event=a").query.where == And((Is("action", "a"), Is("dialect", "supsis")))


def test_a_listing_begins_where_its_product_does(ask):
    assert ask("").oldest_first is False
    assert ask("", order="oldest").oldest_first is True
    assert ask("order=newest", order="oldest").oldest_first is False


def test_what_nobody_reads_is_refused(ask):
    assert ask("mine=1", also=("mine",)).limit == 100
    with pytest.raises(BadParameter, match="mine"):
        ask("mine=1")
