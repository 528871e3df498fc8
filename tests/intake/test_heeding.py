"""What tenants chose holds where events come in, now and whenever it is changed."""

import pytest

from sealog.access.tenants import Tenants
from sealog.intake.heeding import heed
from sealog.policy.policies import Policies
from sealog.policy.settings import Recording, TenantSettings
from sealog.storage.store import Store


class Told:
    """Stands for intake."""

    def __init__(self):
        self.told = []

    def choose(self, chosen):
        self.told += [(tenant, settings.version) for tenant, settings in chosen.items()]


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state.db")
    yield store
    store.close()


def test_intake_is_told_what_was_chosen_and_what_is_chosen_later(store):
    policies, tenants, intake = Policies(store, lambda: 1), Tenants(store, lambda: 1, bytes), Told()
    number = tenants.make(["acme"])["acme"].number
    policies.change_settings(number, TenantSettings(recorded=(Recording(record=False),)))

    heed(policies, tenants, intake)
    assert intake.told == [("acme", 1)]

    policies.change_settings(number, TenantSettings(version=1))
    assert intake.told == [("acme", 1), ("acme", 2)]
