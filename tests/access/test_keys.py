import hashlib
import re

import pytest
from tests.access.test_tenants import Counted

from sealog.access.grants import Grant
from sealog.access.keys import Keys
from sealog.errors import Refused
from sealog.storage.store import Store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


@pytest.fixture
def store(path):
    store = Store(path)
    yield store
    store.close()


class Ticking:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        self.now += 1
        return self.now


def keys_of(store, **settings):
    return Keys(store, Ticking(), Counted(), **settings)


def test_a_key_is_shown_once_and_only_its_hash_is_stored(store, path):
    """A copy of `state.db` opens nothing."""
    key, secret = keys_of(store).create("ci", ["acme"], ["ingest"])
    store.close()

    assert secret == "slk_" + "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"
    assert re.fullmatch(r"slk_[A-Za-z0-9_-]{43}", secret)
    assert key.id == "key_0101010101010101"
    stored = path.read_bytes()
    assert secret.encode() not in stored
    assert b"\x02" * 32 not in stored
    assert hashlib.sha256(secret.encode()).digest() in stored


def test_a_key_opens_what_it_was_made_for(store):
    keys = keys_of(store)

    _, secret = keys.create("reader", ["acme", "globex"], ["read", "export"])

    grant = keys.find(secret)
    assert grant == Grant(
        "key_0101010101010101",
        frozenset({"read", "export"}),
        frozenset({"acme", "globex"}),
        may_create=False,
    )
    assert grant.may("read")
    assert not grant.may("ingest")
    assert grant.covers("acme")
    assert not grant.covers("initech")
    assert grant.only is None


def test_a_key_for_one_tenant_names_it(store):
    keys = keys_of(store)

    assert keys.find(keys.create("one", ["acme"], ["ingest"])[1]).only == "acme"


def test_a_key_for_all_covers_every_tenant_and_may_create(store):
    keys = keys_of(store)

    grant = keys.find(keys.create("all", None, ["ingest"])[1])

    assert grant.covers("whoever comes")
    assert grant.may_create
    assert grant.only is None


def test_creating_by_naming_can_be_switched_off(store):
    keys = keys_of(store, create_by_naming=False)

    assert not keys.find(keys.create("all", None, ["ingest"])[1]).may_create


@pytest.mark.parametrize("secret", ["", "slk_", "slk_nobody", "\ud800", "é"], ids=repr)
def test_what_was_never_a_key_opens_nothing(store, secret):
    keys = keys_of(store)
    keys.create("one", None, ["ingest"])

    assert keys.find(secret) is None


def test_a_revoked_key_opens_nothing_from_then_on(store):
    keys = keys_of(store)
    key, secret = keys.create("one", None, ["ingest"])
    _, other = keys.create("two", None, ["ingest"])

    revoked = keys.revoke(key.id)

    assert revoked.revoked_us == 3
    assert keys.find(secret) is None
    assert keys.find(other) is not None
    assert keys.revoke(key.id).revoked_us == 3
    assert keys.revoke("key_nobody") is None
    again = keys_of(store)
    assert again.find(secret) is None
    assert again.get(key.id).revoked_us == 3


def test_keys_outlive_a_restart_in_the_order_they_were_made(store):
    before = keys_of(store)
    made = [
        before.create("b", ["acme"], ["erase", "ingest"])[0],
        before.create("a", None, ["admin"])[0],
    ]

    assert before.all() == made
    assert keys_of(store).all() == made
    assert made[0].scopes == ("ingest", "erase")


def test_a_lent_secret_opens_everything_and_is_never_stored(store):
    """Whoever has the data folder needs no key of their own."""
    keys = keys_of(store)

    secret = keys.lend()

    grant = keys.find(secret)
    assert grant.scopes == {"ingest", "read", "export", "admin", "erase"}
    assert grant.tenants is None
    assert keys.all() == []
    assert keys_of(store).find(secret) is None


@pytest.mark.parametrize(
    ("name", "tenants", "scopes", "code"),
    [
        pytest.param(" ", None, ["read"], "bad-key-name", id="no name"),
        pytest.param("a\nb", None, ["read"], "bad-key-name", id="a line break"),
        pytest.param("x" * 201, None, ["read"], "bad-key-name", id="a name too long"),
        pytest.param("x", [], ["read"], "bad-tenants", id="no tenant"),
        pytest.param("x", ["a b"], ["read"], "bad-tenant", id="no tenant's name"),
        pytest.param(
            "x", [f"t{n}" for n in range(10_001)], ["read"], "bad-tenants", id="too many tenants"
        ),
        pytest.param("x", None, [], "bad-scopes", id="no scope"),
        pytest.param("x", None, ["root"], "bad-scopes", id="an unknown scope"),
    ],
)
def test_a_key_that_may_not_be_is_refused(store, name, tenants, scopes, code):
    keys = keys_of(store)

    with pytest.raises(Refused) as refused:
        keys.create(name, tenants, scopes)

    assert refused.value.code == code
    assert keys.all() == []


def test_the_longest_name_and_list_are_taken(store):
    keys = keys_of(store)

    key, _ = keys.create("x" * 200, [f"t{n}" for n in range(10_000)], ["read"])

    assert len(key.tenants) == 10_000
