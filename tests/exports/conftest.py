import pytest
from tests.archive.made import Home
from tests.exports.made import Port


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "data")
    yield home
    home.close()


@pytest.fixture
def port(tmp_path):
    """Exports that go on at once."""
    port = Port(tmp_path / "data")
    yield port
    port.close()


@pytest.fixture
def build_port(tmp_path):
    ports = []

    def make(**limits):
        ports.append(Port(tmp_path / "data", **limits))
        return ports[-1]

    yield make
    for port in ports:
        port.close()
