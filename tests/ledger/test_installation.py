import hashlib
import hmac

import pytest
from tests.journal.made import tenant

from sealog.errors import Misconfigured
from sealog.ledger.installation import open_installation, read_installation
from sealog.storage.store import Store
from sealog.storage.tables import signed

SEED = bytes(range(32))


def drawn(size):
    return SEED[:size]


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state.db")
    yield store
    store.close()


@pytest.fixture
def keys(tmp_path):
    (tmp_path / "keys").mkdir(mode=0o700)
    return tmp_path / "keys"


def test_a_new_folder_gets_a_random_name_and_a_key(store, keys):
    made = open_installation(store, keys, drawn)

    assert made.name == "sealog.invalid/0001020304050607"
    assert made.seed == SEED
    assert (keys / "signing-key").read_text() == SEED.hex() + "\n"
    assert (keys / "signing-key").stat().st_mode & 0o777 == 0o600


def test_the_name_asked_for_is_fixed_when_the_folder_is_made(store, keys):
    open_installation(store, keys, drawn, name="log.example.com/eu")

    assert open_installation(store, keys, drawn).name == "log.example.com/eu"
    assert open_installation(store, keys, drawn, name="log.example.com/eu").seed == SEED
    with pytest.raises(Misconfigured, match=r"is log\.example\.com/eu; it cannot become other"):
        open_installation(store, keys, drawn, name="other")


@pytest.mark.parametrize(
    "name",
    ["Log.example", "https://log.example", "log.example/", "a b", "a+b", "/a", "a" * 300],
)
def test_a_name_that_cannot_begin_an_origin_is_refused(store, keys, name):
    with pytest.raises(Misconfigured, match="is no installation name"):
        open_installation(store, keys, drawn, name=name)


def test_every_log_has_an_origin_of_its_own_that_names_its_key(store, keys):
    made = open_installation(store, keys, drawn, name="log.example")
    acme = tenant(1)

    assert made.origin(acme) == f"log.example/{acme.log_id}"
    assert made.vkey(acme).name == made.origin(acme)
    assert made.vkey(acme) == made.signer(acme).vkey
    assert made.vkey(acme).public_key == made.vkey(tenant(2)).public_key


def test_a_secret_is_of_its_purpose(store, keys):
    made = open_installation(store, keys, drawn)

    expected = hmac.new(SEED, b"sealog/secret/v1\x00cursors", hashlib.sha256).digest()
    assert made.secret("cursors") == expected
    assert made.secret("other") != expected


def test_reading_makes_nothing(store, keys):
    with pytest.raises(Misconfigured, match="no installation name"):
        read_installation(store, keys)
    made = open_installation(store, keys, drawn)
    assert read_installation(store, keys) == made
    (keys / "signing-key").unlink()
    with pytest.raises(Misconfigured, match="is missing"):
        read_installation(store, keys)


def test_a_key_that_signed_is_never_replaced_by_a_new_one(store, keys):
    open_installation(store, keys, drawn)
    row = {"tenant": 1, "size": 1, "root": b"r", "note": b"n"}
    store.write(lambda c: c.execute(signed.insert(), row).rowcount).result()
    (keys / "signing-key").unlink()

    with pytest.raises(Misconfigured, match="is missing, and 1 logs were signed with it"):
        open_installation(store, keys, drawn)
    assert not (keys / "signing-key").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [("00" * 31, "holds 31 bytes; a seed is 32"), ("no hex", "hex digits"), ("", "holds 0 bytes")],
)
def test_a_key_file_that_is_none_is_refused(store, keys, text, says):
    open_installation(store, keys, drawn)
    (keys / "signing-key").write_text(text)

    with pytest.raises(Misconfigured, match=says):
        read_installation(store, keys)


def test_a_key_that_others_may_read_is_refused(store, keys):
    open_installation(store, keys, drawn)
    (keys / "signing-key").chmod(0o644)

    with pytest.raises(Misconfigured, match="chmod 600"):
        read_installation(store, keys)
