import base64

import pytest

from sealog.access.limits import Settings as LimitSettings
from sealog.errors import Unauthorised
from sealog.server.knocking import secret_of


def basic(pair):
    return b"Basic " + base64.b64encode(pair)


@pytest.mark.parametrize(
    "header",
    [
        b"Bearer slk_x", b"bearer slk_x", b"BEARER   slk_x ", basic(b":slk_x"), basic(b"anyone:slk_x"),
        b"basic " + base64.b64encode(b"a:slk_x"),
    ],
    ids=repr,
)  # fmt: skip
def test_a_key_is_a_bearer_token_or_the_password_of_basic(header):
    assert secret_of(header) == "slk_x"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        pytest.param(None, "no-key", id="none"),
        pytest.param(b"", "no-key", id="empty"),
        pytest.param(b"slk_x", "no-key", id="no scheme"),
        pytest.param(b"Splunk slk_x", "no-key", id="another scheme"),
        pytest.param(b"Basic !", "wrong-key", id="not base64"),
    ],
)
def test_without_a_key_nobody_comes_in(header, code):
    with pytest.raises(Unauthorised) as error:
        secret_of(header)

    assert error.value.code == code


def test_a_key_in_the_address_is_no_key(house):
    """Addresses are written into logs on the way."""
    answer = house.ask("GET", f"/v1/events?key={house.key('read')}")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="sealog"'


def test_a_revoked_key_does_not_come_in_any_more(house):
    key, secret = house.keys.create("one", None, ["read"])
    assert house.ask("GET", "/v1/events", key=secret).status_code == 200

    house.keys.revoke(key.id)

    answer = house.ask("GET", "/v1/events", key=secret)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="sealog", error="invalid_token"'
    assert answer.json()["type"] == "/problems/wrong-key"


def test_every_answer_to_a_key_tells_what_it_has_left(build_house):
    house = build_house(limits=LimitSettings(requests_per_second=1, requests_burst=2))
    key = house.key("read")

    first = house.ask("GET", "/v1/events", key=key)
    unscoped = house.ask("GET", "/v1/keys", key=key)
    over = house.ask("GET", "/v1/events", key=key)

    assert first.headers["ratelimit-policy"] == '"requests";q=2;w=2'
    assert first.headers["ratelimit"] == '"requests";r=1;t=1'
    assert (unscoped.status_code, unscoped.headers["ratelimit"]) == (403, '"requests";r=0;t=2')
    assert over.status_code == 429
    assert over.headers["ratelimit"] == '"requests";r=0;t=1'
    assert over.headers["ratelimit-policy"] == '"requests";q=2;w=2'
    assert over.headers["retry-after"] == "1"
    assert over.json()["type"] == "/problems/rate-limited"


def test_room_comes_back_with_time(build_house):
    house = build_house(limits=LimitSettings(requests_per_second=1, requests_burst=1))
    key, other = house.key("read"), house.key("read")
    assert house.ask("GET", "/v1/events", key=key).status_code == 200
    assert house.ask("GET", "/v1/events", key=key).status_code == 429
    assert house.ask("GET", "/v1/events", key=other).status_code == 200

    house.hour.s += 1

    assert house.ask("GET", "/v1/events", key=key).status_code == 200


ROUTES = [
    ("POST", "/v1/events", {"ingest"}),
    ("POST", "/v1/ingest/closer", {"ingest"}),
    ("POST", "/v1/ingest/none-of-ours", {"ingest"}),
    ("GET", "/v1/events", {"read"}),
    ("GET", "/v1/count", {"read"}),
    ("GET", "/v1/facets?field=action", {"read"}),
    ("GET", "/v1/histogram", {"read"}),
    ("GET", "/v1/events/id-1?tenant=acme", {"read"}),
    ("GET", "/v1/tenants/acme/events/0", {"read"}),
    ("GET", "/v1/tenants/acme/events/0/proof", {"read", "export"}),
    ("GET", "/v1/tenants/acme/consistency?old=1&new=2", {"read", "export"}),
    ("GET", "/v1/feed?tenant=acme", {"read", "export"}),
    ("GET", "/v1/tail?tenant=acme&limit=1", {"read", "export"}),
    ("GET", "/v1/catalog", {"ingest", "read", "export", "admin", "erase"}),
    ("GET", "/v1/tenants", {"read", "admin"}),
    ("GET", "/v1/tenants/acme", {"read", "admin"}),
    ("POST", "/v1/tenants", {"admin"}),
    ("PATCH", "/v1/tenants/acme", {"admin"}),
    ("GET", "/v1/keys", {"admin"}),
    ("POST", "/v1/keys", {"admin"}),
    ("DELETE", "/v1/keys/key_x", {"admin"}),
    ("GET", "/v1/exports", {"export"}),
    ("POST", "/v1/exports", {"export"}),
    ("GET", "/v1/exports/exp_x", {"export"}),
    ("DELETE", "/v1/exports/exp_x", {"export"}),
    ("GET", "/v1/exports/exp_x/content", {"export"}),
    ("GET", "/v1/settings?tenant=acme", {"read", "admin"}),
    ("PUT", "/v1/settings?tenant=acme", {"admin"}),
    ("GET", "/v1/settings/history?tenant=acme", {"read", "admin"}),
    ("GET", "/v1/retention?tenant=acme", {"read", "admin"}),
    ("PUT", "/v1/retention?tenant=acme", {"admin"}),
    ("GET", "/v1/retention/history?tenant=acme", {"read", "admin"}),
    ("GET", "/v1/retention/clock", {"read", "admin"}),
    ("POST", "/v1/retention/clock", {"admin"}),
    ("GET", "/v1/streams", {"admin", "export"}),
    ("POST", "/v1/streams", {"admin+export"}),
    ("POST", "/v1/streams/check", {"admin+export"}),
    ("POST", "/v1/streams/estimate", {"admin+export"}),
    ("GET", "/v1/streams/str_x", {"admin", "export"}),
    ("PUT", "/v1/streams/str_x", {"admin+export"}),
    ("DELETE", "/v1/streams/str_x", {"admin+export"}),
    ("POST", "/v1/streams/str_x/pause", {"admin+export"}),
    ("POST", "/v1/streams/str_x/resume", {"admin+export"}),
    ("POST", "/v1/streams/str_x/replay", {"admin+export"}),
    ("POST", "/v1/streams/str_x/check", {"admin+export"}),
    ("POST", "/v1/streams/str_x/rotate", {"admin+export"}),
    ("GET", "/v1/streams/str_x/parked", {"admin", "export"}),
    ("POST", "/v1/streams/str_x/parked/retry", {"admin+export"}),
    ("POST", "/v1/streams/str_x/parked/drop", {"admin+export"}),
    ("GET", "/logs/" + "0" * 32 + "/checkpoint", {"read", "export"}),
]
SCOPES = ("ingest", "read", "export", "admin", "erase", "admin+export")
"""What keys are tried with; `+`: one key with both."""


def _id_of(value):
    """The same in every process: a set's own order is not."""
    return (",".join(sorted(value)) if isinstance(value, set) else value)[:60]


@pytest.mark.parametrize(("method", "path", "scopes"), ROUTES, ids=_id_of)
def test_a_route_opens_to_its_scopes_and_to_no_others(house, method, path, scopes):
    """No key, no answer; a key without the scope learns that it has not, and nothing else."""
    assert house.ask(method, path, content=b"{").status_code == 401
    for scope in SCOPES:
        parts = scope.split("+")
        answer = house.ask(method, path, key=house.key(*parts), content=b"{")
        if scopes & {scope, *parts}:
            assert answer.status_code not in (401, 403, 405, 500), scope
        else:
            assert answer.status_code == 403, scope
            assert answer.json()["type"] == "/problems/missing-scope"


def test_the_matrix_above_names_every_route_that_needs_a_key(house):
    document = house.ask("GET", "/openapi.json").json()
    keyed = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation.get("security")
    }

    assert len({(method, path) for method, path, _ in ROUTES}) == len(keyed) + 1
