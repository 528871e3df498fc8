import tomllib

import httpx
import msgspec
import pytest
from tests.cli.made import ecs, lines

from sealog import config
from sealog.cli.connection import Client


def test_init_writes_a_file_that_every_command_takes(sealog, tmp_path):
    ran = sealog("init", "here.toml")

    assert ran == (0, "wrote here.toml\n", "")
    assert config.load(tmp_path / "here.toml") == config.Settings()
    assert sealog("tenants", "create", "acme", "--config", "here.toml").code == 0


def test_init_names_every_setting_there_is(sealog, tmp_path):
    """Each line that is commented out becomes the default when it is not."""
    sealog("init")

    text = (tmp_path / "sealog.toml").read_text()
    lines = [line.removeprefix("# ") if " = " in line else line for line in text.splitlines()]
    said = tomllib.loads("\n".join(line for line in lines if not line.startswith("#")))
    for section, field in config.Settings.model_fields.items():
        for name in type(field.default).model_fields:
            assert name in said[section], f"[{section}] {name}"


def test_init_never_writes_over_a_file(sealog, tmp_path):
    (tmp_path / "sealog.toml").write_text("mine")

    ran = sealog("init")

    assert ran == (2, "", "sealog: sealog.toml is there already\n")
    assert (tmp_path / "sealog.toml").read_text() == "mine"


def test_an_unknown_setting_is_refused_by_name(sealog, tmp_path):
    (tmp_path / "sealog.toml").write_text("[server]\nlistne = '127.0.0.1:1'\n")

    ran = sealog("tenants", "create", "acme")

    assert ran.code == 2
    assert "server.listne" in ran.err


def test_the_catalog_is_a_list_of_types_a_dialect(sealog):
    shown = sealog("catalog", "--json").value

    assert sorted(shown) == ["chatvisor", "closer", "easysend", "logichub", "sealog", "supsis"]
    for types in shown.values():
        assert types
        assert all(one["native"] and one["action"] for one in types)
    actions = {one["native"]: one["action"] for one in shown["closer"]}
    assert actions["agent_login"] == "agent.login"


def test_the_catalog_of_one_dialect(sealog):
    ran = sealog("catalog", "supsis")

    assert list(sealog("catalog", "supsis", "--json").value) == ["supsis"]
    assert ran.code == 0
    assert "chat-opened" in ran.out


def test_a_dialect_without_a_catalog_is_a_matter_of_usage(sealog):
    ran = sealog("catalog", "klingon")

    assert ran.code == 2
    assert "the catalog has chatvisor, closer" in ran.err


def test_a_tenant_is_made_once_and_listed(sealog):
    first = sealog("tenants", "create", "acme", "--json")
    again = sealog("tenants", "create", "acme")

    assert first.value["name"] == "acme"
    assert again.out == "tenant acme\n"
    [listed] = sealog("tenants", "list", "--json").value["tenants"]
    assert listed["log_id"] == first.value["log_id"]
    # It was told that it was made, once.
    assert listed["size"] == 1
    assert listed["vkey"].startswith("sealog.invalid/")


def test_more_tenants_than_a_page_are_all_listed(sealog):
    events = [ecs(number, organization={"id": f"t-{number:04}"}) for number in range(120)]
    sealog("ingest", "-", stdin=lines(*events))

    listed = sealog("tenants", "list", "--json").value["tenants"]

    assert [one["name"] for one in listed] == [f"t-{number:04}" for number in range(120)]


def test_every_key_is_listed_however_many_there_are(sealog, monkeypatch):
    """The API gives lists by the page."""
    sealog("keys", "create", "--name", "first")
    asked = []

    async def paged(self, path, **params):
        asked.append(params.get("cursor"))
        keys = [{"id": f"key_{len(asked)}"}]
        content = msgspec.json.encode(
            {"keys": keys, "next_cursor": "2" if len(asked) < 3 else None}
        )
        return httpx.Response(200, content=content)

    monkeypatch.setattr(Client, "get", paged)
    listed = sealog("keys", "list", "--json").value["keys"]

    assert [one["id"] for one in listed] == ["key_1", "key_2", "key_3"]
    assert asked == [None, "2", "2"]


def test_the_whole_verifier_key_is_shown(sealog):
    """Alone on its line and never wrapped: `verify --key` takes a file of them."""
    sealog("tenants", "create", "acme")
    [listed] = sealog("tenants", "list", "--json").value["tenants"]

    shown = sealog("tenants", "list").out

    assert listed["vkey"] in shown.splitlines()


@pytest.mark.parametrize("name", ["a b", "a/b", "", "x" * 129])
def test_a_name_that_no_tenant_may_have_is_refused(sealog, name):
    assert sealog("tenants", "create", name).code == 2


def test_a_keys_secret_is_alone_on_its_line_and_shown_once(sealog):
    ran = sealog("keys", "create", "--tenant", "acme", "--scope", "ingest", "--name", "ci")

    assert ran.code == 0
    assert ran.out.startswith("slk_")
    assert ran.out.count("\n") == 1
    secret = ran.out.strip()
    listed = sealog("keys", "list", "--json")
    assert secret not in listed.out
    assert secret not in sealog("keys", "list").out
    [key] = listed.value["keys"]
    assert (key["name"], key["tenants"], key["scopes"]) == ("ci", ["acme"], ["ingest"])


def test_a_key_makes_the_tenants_it_names(sealog):
    sealog("keys", "create", "--tenant", "acme", "--tenant", "other", "--json")

    names = [one["name"] for one in sealog("tenants", "list", "--json").value["tenants"]]
    assert names == ["acme", "other"]


def test_a_key_for_all_tenants(sealog):
    made = sealog("keys", "create", "--json").value

    assert made["tenants"] is None
    assert made["scopes"] == ["ingest", "read"]
    assert made["key"].startswith("slk_")


def test_a_revoked_key_opens_nothing(sealog, served):
    where = ("--server", served.url, "--key", served.key)
    made = sealog("keys", "create", "--scope", "read", *where, "--json").value
    at = ("--server", served.url, "--key", made["key"])
    assert sealog("search", *at).code == 0

    ran = sealog("keys", "revoke", made["id"], *where)

    assert ran.out == f"key {made['id']} is revoked\n"
    assert sealog("search", *at).code == 1
    listed = {key["id"]: key for key in sealog("keys", "list", *where, "--json").value["keys"]}
    assert listed[made["id"]]["revoked"]


def test_an_unknown_scope_is_refused(sealog):
    ran = sealog("keys", "create", "--scope", "everything")

    assert ran.code == 2
    assert ran.err.startswith("sealog: /scopes/0: Input should be 'ingest', 'read'")


def test_a_key_that_is_not_there_cannot_end(sealog):
    sealog("tenants", "create", "acme")

    assert sealog("keys", "revoke", "key_0000").code == 1
