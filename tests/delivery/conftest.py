import pytest
from tests.delivery.fakes import Office


@pytest.fixture
def office(tmp_path):
    """Streams that run, with two destinations, here and there."""
    office = Office(tmp_path / "data")
    office.start()
    yield office
    office.close()
