import pytest
from tests.delivery.fakes import Office

from sealog.delivery import engine, register


@pytest.fixture
def office(tmp_path, monkeypatch):
    """Streams that run, with two destinations, here and there; all of it a little quicker."""
    monkeypatch.setattr(register, "SAVE_EVERY_S", 0.02)
    monkeypatch.setattr(engine, "GRACE_S", 0.5)
    office = Office(tmp_path / "data")
    office.start()
    yield office
    office.close()
