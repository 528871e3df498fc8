import pytest

from sealog.storage.store import Store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


@pytest.fixture
def store(path):
    store = Store(path)
    yield store
    store.close()
