import pytest
from tests.cli.made import Served


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
