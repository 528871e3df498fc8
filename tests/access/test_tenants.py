import threading

import pytest

from sealog.access.tenants import Tenants
from sealog.errors import Refused
from sealog.event.tenants import Tenant
from sealog.storage.store import Store


class Counted:
    """Random bytes that count up, so that they can be written out."""

    def __init__(self) -> None:
        self.drawn = 0

    def __call__(self, size: int) -> bytes:
        self.drawn += 1
        return bytes([self.drawn]) * size


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


@pytest.fixture
def store(path):
    store = Store(path)
    yield store
    store.close()


def tenants_of(store, randomness=None):
    return Tenants(store, lambda: 1_700_000_000_000_000, randomness or Counted())


def test_a_tenant_that_was_not_made_is_not_there(store):
    tenants = tenants_of(store)

    assert tenants.get("acme") is None
    assert tenants.numbered(1) is None
    assert tenants.registration("acme") is None
    assert tenants.logged("01" * 16) is None
    assert tenants.all() == []


def test_a_made_tenant_has_a_log_id_and_a_key_of_its_own(store):
    tenants = tenants_of(store)

    made = tenants.make(["acme", "globex"])

    acme = Tenant(1, "acme", "01" * 16, b"\x02" * 32)
    globex = Tenant(2, "globex", "03" * 16, b"\x04" * 32)
    assert made == {"acme": acme, "globex": globex}
    assert tenants.get("acme") == acme
    assert tenants.numbered(2) == globex
    assert tenants.all() == [acme, globex]
    logged = tenants.logged("03" * 16)
    assert logged is not None
    assert logged.tenant == globex
    assert logged.created_us == 1_700_000_000_000_000
    assert not logged.public


def test_a_tenant_is_durable_when_make_returns(store, path):
    """A batch may name its number and key at once."""
    made = tenants_of(store).make(["acme"])

    other = Store(path, writable=False)
    try:
        assert tenants_of(other).all() == [made["acme"]]
    finally:
        other.close()


def test_making_a_tenant_again_gives_the_same_one(store):
    tenants = tenants_of(store)
    first = tenants.make(["acme"])["acme"]

    again = tenants.make(["globex", "acme", "acme"])

    assert again["acme"] == first
    assert [tenant.name for tenant in tenants.all()] == ["acme", "globex"]


def test_whoever_makes_a_tenant_at_the_same_time_gets_the_same_one(store):
    tenants = tenants_of(store)
    start = threading.Barrier(8)
    got = []

    def make(nth):
        start.wait()
        got.append(tenants.make(["shared", f"own-{nth}"])["shared"])

    threads = [threading.Thread(target=make, args=(nth,)) for nth in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(got) == 8
    assert len({tenant.number for tenant in got}) == 1
    assert len(tenants.all()) == 9


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "a" * 129], ids=str)
def test_a_name_that_may_not_be_one_makes_nothing(store, name):
    tenants = tenants_of(store)

    with pytest.raises(Refused) as refused:
        tenants.make(["good", name])

    assert refused.value.code == "bad-tenant"
    assert tenants.all() == []


def test_the_longest_name_with_every_sign_is_taken(store):
    name = "Az09._:@-" + "x" * 119

    assert tenants_of(store).make([name])[name].name == name


def test_a_log_is_closed_until_it_is_opened_and_stays_so_after_a_restart(store):
    tenants = tenants_of(store)
    tenants.make(["acme", "globex"])

    assert tenants.set_public("acme", public=True).public

    after = tenants_of(store)
    assert after.registration("acme").public
    assert not after.registration("globex").public
    assert not after.set_public("acme", public=False).public
    assert not after.logged("01" * 16).public
