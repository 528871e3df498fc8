import pytest
from tests.server.house import House

from sealog.storage.store import Store


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state.db")
    yield store
    store.close()


@pytest.fixture
def build_house(store):
    """Make a house with settings of its own."""
    houses = []

    def make(**settings):
        houses.append(House(store, **settings))
        return houses[-1]

    yield make
    for house in houses:
        house.close()


@pytest.fixture
def house(build_house):
    """A house with two tenants, acme and globex."""
    house = build_house()
    house.tenants.make(["acme", "globex"])
    return house
