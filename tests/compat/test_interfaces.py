from tests.server.house import House

from sealog.compat.interfaces import routes
from sealog.server.settings import Settings
from sealog.storage.store import Store


def test_every_interface_is_served(tmp_path):
    """X-06: Elasticsearch's pull and each product's own; EasySend's is tested by itself."""
    store = Store(tmp_path / "state.db")
    house = House(store)

    paths = {route.path for route in routes(house.parts_anew(), Settings())}

    house.close()
    store.close()
    assert {path.split("/")[1] for path in paths} == {
        "elasticsearch",
        "chatvisor",
        "supsis",
        "logichub",
    }
