"""ES-21, ES-26: the header apiKey, and what it opens."""

import pytest

from sealog.access.keys import Keys
from sealog.compat.easysend_keys import KEY, Gate, own_key
from sealog.errors import Misconfigured, Unauthorised
from sealog.storage.store import Store


@pytest.fixture
def keys(tmp_path):
    store = Store(tmp_path / "state.db")
    drawn = iter(range(1_000))
    yield Keys(store, lambda: 1, lambda size: next(drawn).to_bytes(size, "big"))
    store.close()


def made(keys, tenants, *scopes):
    return keys.create("test", tenants, scopes or ("read",))[1].encode()


def opened(gate, secret):
    grant = gate.grant(secret)
    return gate.tenant(grant)


def test_the_documented_key_reads_the_configured_tenant_and_nothing_else(keys):
    """ES-21."""
    gate = Gate(keys, "acme", "what-support-gave-us")

    grant = gate.grant(b"what-support-gave-us")

    assert gate.tenant(grant) == "acme"
    assert (grant.key, grant.scopes, grant.tenants) == (
        KEY, frozenset({"read"}), frozenset({"acme"}),
    )  # fmt: skip


def test_a_key_for_one_tenant_reads_that_tenant(keys):
    assert opened(Gate(keys, "easysend", None), made(keys, ["acme"])) == "acme"


def test_a_key_for_more_reads_the_configured_one(keys):
    gate = Gate(keys, "easysend", None)

    assert opened(gate, made(keys, None)) == "easysend"
    assert opened(gate, made(keys, ["acme", "easysend"])) == "easysend"


def test_a_key_for_others_reads_nothing(keys):
    """ES-26: there is no 403, and it is not told who is there."""
    with pytest.raises(Unauthorised, match="none of which is the one that is served here"):
        opened(Gate(keys, "easysend", None), made(keys, ["acme", "globex"]))


@pytest.mark.parametrize("scope", ["ingest", "export", "admin", "erase"])
def test_a_key_that_may_not_read_reads_nothing(keys, scope):
    with pytest.raises(Unauthorised, match="does not have the scope read"):
        opened(Gate(keys, "easysend", None), made(keys, ["acme"], scope))


@pytest.mark.parametrize("given", [None, b""])
def test_without_a_key_it_says_where_it_belongs(keys, given):
    """ES-26."""
    with pytest.raises(Unauthorised, match="in the header apiKey") as error:
        Gate(keys, "easysend", "own").grant(given)

    assert error.value.code == "no-key"


@pytest.mark.parametrize(
    "given",
    [b"slk_x", b"OWN", b"own ", b"ow", b"ownn", b"\xff\xfe", b"none", b"slk_" + b"x" * 9_999],
)
def test_a_wrong_key_is_a_wrong_key(keys, given):
    """ES-26."""
    with pytest.raises(Unauthorised) as error:
        Gate(keys, "easysend", "own").grant(given)

    assert error.value.code == "wrong-key"


def test_a_revoked_key_is_a_wrong_key(keys):
    secret = made(keys, ["acme"])
    keys.revoke(keys.all()[0].id)

    with pytest.raises(Unauthorised):
        Gate(keys, "easysend", None).grant(secret)


def test_where_there_is_no_documented_key_nothing_opens_instead(keys):
    for given in (b"None", b"None".lower(), b"\0"):
        with pytest.raises(Unauthorised):
            Gate(keys, "easysend", None).grant(given)


def test_the_variable_wins_over_the_file(tmp_path):
    file = tmp_path / "key"
    file.write_text("of-the-file\n")

    assert own_key(None, None) is None
    assert own_key(None, file) == "of-the-file"
    assert own_key("of-the-variable", file) == "of-the-variable"


@pytest.mark.parametrize("text", ["", " ", "a\nb", "clé", " a-key", "a-key\t", "x" * 4_097])
def test_what_is_no_key_is_the_operators_to_change(text):
    """An empty one would let in whoever sends none."""
    with pytest.raises(Misconfigured, match="EASYSEND_SECURITY_LOGS_API_KEY") as error:
        own_key(text, None)

    assert not text.strip() or text not in str(error.value)


def test_a_file_that_holds_none_is_named(tmp_path):
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")

    for name in ("empty", "binary", "missing"):
        with pytest.raises(Misconfigured, match=name):
            own_key(None, tmp_path / name)
