import pytest
from tests.verify.made import Home, small


@pytest.fixture
def home(tmp_path):
    """A running home without events; closed when the test is over."""
    home = Home(tmp_path / "folder")
    yield home
    if home.folder._lock is not None:
        home.close()


@pytest.fixture(scope="session")
def stopped(tmp_path_factory):
    """A small folder of a server that was stopped. Tests copy it, never change it."""
    path = tmp_path_factory.mktemp("stopped") / "folder"
    small(path).close()
    return path
