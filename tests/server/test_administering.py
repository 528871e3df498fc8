import re
from typing import get_args

import pytest
from tests.server.house import opened

from sealog.access.keys import SCOPES
from sealog.errors import Busy
from sealog.server.administering import Scope
from sealog.server.settings import Settings


def test_the_catalog_is_published(house):
    answer = house.ask("GET", "/v1/catalog", key=house.key("ingest"))

    assert answer.json() == {"closer": [{"native": "agent_login", "action": "agent.login"}]}


def test_tenants_are_listed_by_name_and_only_the_keys_own(house):
    house.tenants.make(["beta"])

    everybody = house.ask("GET", "/v1/tenants", key=house.key("read"))
    some = house.ask("GET", "/v1/tenants", key=house.key("admin", tenants=["globex", "not-made"]))

    assert [one["name"] for one in everybody.json()["tenants"]] == ["acme", "beta", "globex"]
    assert [one["name"] for one in some.json()["tenants"]] == ["globex"]
    assert some.json()["tenants"][0] == {
        "name": "globex",
        "log_id": house.tenants.get("globex").log_id,
        "created": "2023-11-14T22:13:20.000000Z",
        "public": False,
    }


def test_tenants_come_page_by_page(house):
    house.tenants.make(["beta"])
    key = house.key("read")

    first = house.ask("GET", "/v1/tenants?limit=2", key=key).json()
    second = house.ask("GET", f"/v1/tenants?limit=2&cursor={first['next_cursor']}", key=key).json()

    assert [one["name"] for one in first["tenants"]] == ["acme", "beta"]
    assert [one["name"] for one in second["tenants"]] == ["globex"]
    assert second["next_cursor"] is None


def test_a_tenant_shows_its_log_and_what_verifies_it(house):
    tenant = house.tenants.get("acme")
    house.archive.put(tenant, opened(), opened())

    answer = house.ask("GET", "/v1/tenants/acme", key=house.key("read", tenants=["acme"]))

    assert answer.json() == {
        "name": "acme",
        "log_id": tenant.log_id,
        "created": "2023-11-14T22:13:20.000000Z",
        "public": False,
        "size": 2,
        "origin": f"log.example/{tenant.log_id}",
        "vkey": f"log.example/{tenant.log_id}+00000000+AQ==",
        "checkpoint": f"/logs/{tenant.log_id}/checkpoint",
    }


def test_making_a_tenant_twice_gives_the_same_one(house):
    key = house.key("admin")

    made = house.ask("POST", "/v1/tenants", key=key, json={"name": "new"})
    again = house.ask("POST", "/v1/tenants", key=key, json={"name": "new"})

    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json() == again.json()
    assert made.json()["log_id"] == house.tenants.get("new").log_id


def test_a_key_makes_only_tenants_it_is_for(house):
    key = house.key("admin", tenants=["named"])

    assert house.ask("POST", "/v1/tenants", key=key, json={"name": "named"}).status_code == 201
    for name in ("globex", "not-made"):
        answer = house.ask("POST", "/v1/tenants", key=key, json={"name": name})
        assert answer.status_code == 403
        assert answer.json()["type"] == "/problems/other-tenant"
    assert house.tenants.get("not-made") is None


def test_a_log_is_opened_and_closed(house):
    key = house.key("admin", tenants=["acme"])

    answer = house.ask("PATCH", "/v1/tenants/acme", key=key, json={"public": True})
    others = house.ask("PATCH", "/v1/tenants/globex", key=key, json={"public": True})

    assert answer.json()["public"] is True
    assert house.tenants.registration("acme").public
    assert others.status_code == 404
    assert not house.tenants.registration("globex").public
    assert not house.ask("PATCH", "/v1/tenants/acme", key=key, json={"public": False}).json()[
        "public"
    ]


def test_a_new_key_opens_what_it_was_made_for_and_is_shown_once(house):
    admin = house.key("admin", "read", "ingest")
    wanted = {"name": "billing", "tenants": ["acme", "to-come"], "scopes": ["read", "ingest"]}

    made = house.ask("POST", "/v1/keys", key=admin, json=wanted)

    assert made.status_code == 201
    key = made.json()["key"]
    assert re.fullmatch(r"slk_[A-Za-z0-9_-]{43}", key)
    assert {k: v for k, v in made.json().items() if k not in ("id", "key")} == {
        "name": "billing",
        "tenants": ["acme", "to-come"],
        "scopes": ["ingest", "read"],
        "created": "2023-11-14T22:13:20.000000Z",
        "revoked": None,
    }
    assert house.tenants.get("to-come") is not None
    assert house.ask("GET", "/v1/events?tenant=acme", key=key).status_code == 200
    assert house.ask("GET", "/v1/events?tenant=globex", key=key).status_code == 404
    listed = house.ask("GET", "/v1/keys", key=admin)
    assert [one["name"] for one in listed.json()["keys"]] == ["test", "billing"]
    assert key not in listed.text
    assert "hash" not in listed.text


def test_keys_come_page_by_page(house):
    admin = house.key("admin")
    made = [house.keys.create(name, None, ["read"])[0].id for name in "abc"]

    first = house.ask("GET", "/v1/keys?limit=2", key=admin).json()
    second = house.ask("GET", f"/v1/keys?limit=2&cursor={made[0]}", key=admin).json()
    nowhere = house.ask("GET", "/v1/keys?cursor=none", key=admin).json()

    assert [one["name"] for one in first["keys"]] == ["test", "a"]
    assert first["next_cursor"] == made[0]
    assert [one["name"] for one in second["keys"]] == ["b", "c"]
    assert second["next_cursor"] is None
    assert nowhere == {"keys": [], "next_cursor": None}


def test_a_key_gives_no_more_than_it_has(house):
    """An admin of one tenant neither reads another's trail nor erases, by way of a new key."""
    one = house.key("admin", "read", tenants=["acme"])
    before = len(house.keys.all())

    def asked(**wanted):
        wanted = {"name": "x", "tenants": ["acme"], "scopes": ["read"], **wanted}
        answer = house.ask("POST", "/v1/keys", key=one, json=wanted)
        return answer.status_code, answer.json().get("type")

    assert asked(tenants=None) == (403, "/problems/other-tenant")
    assert asked(tenants=["acme", "globex"]) == (403, "/problems/other-tenant")
    assert asked(scopes=["read", "erase"]) == (403, "/problems/more-than-own")
    assert asked(scopes=["root"]) == (422, "/problems/invalid")
    assert len(house.keys.all()) == before
    assert asked()[0] == 201


def test_keys_of_others_are_neither_seen_nor_revoked(house):
    own, _ = house.keys.create("own", ["acme"], ["read"])
    theirs, secret = house.keys.create("theirs", ["acme", "globex"], ["read"])
    key = house.key("admin", tenants=["acme"])

    listed = house.ask("GET", "/v1/keys", key=key).json()["keys"]
    refused = house.ask("DELETE", f"/v1/keys/{theirs.id}", key=key)
    done = house.ask("DELETE", f"/v1/keys/{own.id}", key=key)

    assert [one["name"] for one in listed] == ["own", "test"]
    assert refused.status_code == 404
    assert house.keys.find(secret) is not None
    assert (done.status_code, done.content) == (204, b"")
    assert house.keys.get(own.id).revoked_us is not None
    assert house.ask("DELETE", f"/v1/keys/{own.id}", key=key).status_code == 204


@pytest.mark.parametrize(
    ("path", "body", "pointer", "code"),
    [
        ("/v1/tenants", b'{"name":"a b"}', "/name", "string_pattern_mismatch"),
        ("/v1/tenants", b'{"name":"a","x":1}', "/x", "extra_forbidden"),
        ("/v1/tenants", b"{}", "/name", "missing"),
        ("/v1/tenants", b"", "", "missing"),
        ("/v1/tenants", b"[]", "", "model_attributes_type"),
        ("/v1/keys", b'{"name":"a","tenants":null}', "/scopes", "missing"),
        ("/v1/keys", b'{"name":"a","tenants":[],"scopes":["read"]}', "/tenants", "too_short"),
        ("/v1/keys", b'{"name":"a","tenants":["a","b c"],"scopes":["read"]}', "/tenants/1", "string_pattern_mismatch"),
        ("/v1/keys", b'{"name":"a","tenants":null,"scopes":["root"]}', "/scopes/0", "literal_error"),
        ("/v1/keys", b'{"name":" ","tenants":null,"scopes":["admin"]}', "/name", "bad-key-name"),
    ],
)  # fmt: skip
def test_a_value_that_may_not_be_is_pointed_at(house, path, body, pointer, code):
    answer = house.ask("POST", path, key=house.key("admin"), content=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    error = answer.json()["errors"][0]
    assert (error["pointer"], error["code"]) == (pointer, code)


@pytest.mark.parametrize("body", [b"[]", b"{", b'"a"'], ids=["array", "broken", "text"])
def test_a_body_that_is_no_object_is_told_how_it_is_sent(house, body):
    answer = house.ask("POST", "/v1/tenants", key=house.key("admin"), content=body)

    told = "the body is one JSON object, sent as Content-Type: application/json"
    assert (answer.status_code, answer.json()["detail"]) == (422, told)


def test_what_was_sent_does_not_come_back_in_a_problem(house):
    answer = house.ask("POST", "/v1/tenants", key=house.key("admin"), json={"name": "s3cret word"})

    assert answer.status_code == 422
    assert "s3cret" not in answer.text


def test_json_that_is_none_is_refused(house):
    answer = house.ask("POST", "/v1/tenants", key=house.key("admin"), content=b"{")

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/invalid"


def test_a_body_has_a_limit(build_house):
    house = build_house(settings=Settings(form_bytes_max=20))
    key = house.key("admin")
    at = b'{"name":"a"}' + b" " * 8

    assert house.ask("POST", "/v1/tenants", key=key, content=at).status_code == 201
    answer = house.ask("POST", "/v1/tenants", key=key, content=at + b" ")
    assert answer.status_code == 413
    assert answer.json()["detail"] == "a body here is at most 20 bytes"


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "cursor="])
def test_a_page_that_cannot_be_is_named(house, query):
    answer = house.ask("GET", f"/v1/tenants?{query}", key=house.key("read"))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == query.partition("=")[0]


def test_the_key_is_looked_at_before_anything_else(house):
    """Whoever has no key learns nothing about what a body should look like."""
    assert house.ask("POST", "/v1/tenants", content=b"{").status_code == 401
    assert house.ask("GET", "/v1/tenants?limit=0").status_code == 401


def test_the_scopes_that_may_be_asked_for_are_those_there_are():
    assert get_args(Scope) == SCOPES


def test_keys_and_tenants_are_recorded_with_who_did_it(house):
    made, secret = house.keys.create("admin", None, ["admin", "read"])

    new = {"name": "k", "tenants": ["acme", "fresh"], "scopes": ["read"]}
    key = house.ask("POST", "/v1/keys", key=secret, json=new).json()
    house.ask("POST", "/v1/tenants", key=secret, json={"name": "other"})
    house.ask("DELETE", f"/v1/keys/{key['id']}", key=secret)

    assert house.recorder.told == [
        ("tenant created", "acme", made.id, "127.0.0.1"),
        ("tenant created", "fresh", made.id, "127.0.0.1"),
        ("key created", key["id"], made.id, "127.0.0.1"),
        ("tenant created", "other", made.id, "127.0.0.1"),
        ("key revoked", key["id"], made.id, "127.0.0.1"),
    ]


def test_a_tenant_that_has_events_is_not_told_that_it_was_made(house):
    house.archive.put(house.tenants.get("acme"), opened())

    house.ask("POST", "/v1/tenants", key=house.key("admin"), json={"name": "acme"})

    assert house.recorder.told == []


def test_a_key_that_cannot_be_recorded_opens_nothing(house):
    """Its secret was never shown to anybody: it is as if it had not been made."""
    key = house.key("admin", "read")
    house.recorder.error = Busy("too much waits")

    new = {"name": "k", "tenants": ["acme"], "scopes": ["read"]}
    answer = house.ask("POST", "/v1/keys", key=key, json=new)

    assert answer.status_code == 503
    assert [one.name for one in house.keys.all() if one.revoked_us is None] == ["test"]


def test_a_key_whose_end_could_not_be_recorded_is_worthless_and_recorded_when_asked_again(house):
    key = house.key("admin", "read")
    made, secret = house.keys.create("k", ["acme"], ["read"])
    house.recorder.error = Busy("too much waits")

    first = house.ask("DELETE", f"/v1/keys/{made.id}", key=key)
    house.recorder.error = None
    second = house.ask("DELETE", f"/v1/keys/{made.id}", key=key)

    assert (first.status_code, second.status_code) == (503, 204)
    assert house.ask("GET", "/v1/events", key=secret).status_code == 401
    assert [what for what, *_ in house.recorder.told] == ["key revoked"]
