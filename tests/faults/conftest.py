import pytest
from tests.cli.made import Served
from tests.faults.clocks import Clock, libfaketime


@pytest.fixture
def data(tmp_path):
    """Where a data folder is to be."""
    return tmp_path / "data"


@pytest.fixture
def serve(data):
    """Starts servers on the folder; whatever becomes of the test, none outlives it."""
    started = []

    def start(*more, folder=data, **settings):
        server = Served(folder, *more, **settings)
        started.append(server)
        return server

    yield start
    for server in started:
        if server.process.poll() is None:
            server.kill()


@pytest.fixture
def clock(tmp_path):
    """The clock of a test's servers."""
    return Clock(libfaketime(), tmp_path / "clock")
