"""Settings and retention: seen, changed as a whole, and told before they are in force."""

import msgspec
import pytest
from tests.server.house import Going

from sealog.errors import Busy
from sealog.policy.retention import Retention, Rule
from sealog.policy.settings import Recording, TenantSettings
from sealog.server.parts import no_service

DAY_US = 86_400_000_000
NOW_US = 1_700_000_000_000_000
SETTINGS, RETENTION = "/v1/settings?tenant=acme", "/v1/retention?tenant=acme"
NO_PAGES = {"dialect": "easysend", "action": "Page*", "record": False}
WEBHOOK = {"kind": "webhook", "url": "https://siem.example/in"}
NOTHING = {
    "version": 0,
    "recorded": [],
    "delivery": "api",
    "service": None,
    "dialects": {"logichub": {"day_first": None}},
}


def put(house, path, body, *, key=None, headers=None):
    key = key or house.key("admin", "export")
    return house.ask("PUT", path, key=key, json=body, headers=headers)


def places(answer):
    return [(one["pointer"], one["code"]) for one in answer.json()["errors"]]


def test_who_chose_nothing_sees_the_defaults(house):
    key = house.key("read", tenants=["acme"])

    settings = house.ask("GET", "/v1/settings", key=key)
    retention = house.ask("GET", "/v1/retention", key=key)

    assert settings.json() == {"tenant": "acme", **NOTHING, "changed": None, "changed_by": None}
    assert retention.json() == {
        "tenant": "acme",
        "version": 0,
        "rules": [],
        "defaults": [{"dialect": "easysend", "keep": "48h"}, {"keep": None}],
        "changed": None,
        "changed_by": None,
    }
    assert settings.headers["etag"] == retention.headers["etag"] == '"0"'


def test_settings_are_changed_seen_and_told(house):
    """ES-12, ES-13, ES-14."""
    made, secret = house.keys.create("support", None, ["admin", "export"])
    wanted = {
        "version": 0,
        "recorded": [NO_PAGES],
        "delivery": "api-and-service",
        "service": WEBHOOK,
        "dialects": {"logichub": {"day_first": False}},
    }

    changed = put(house, SETTINGS, wanted, key=secret)
    seen = house.ask("GET", SETTINGS, key=house.key("admin"))

    assert changed.status_code == 200
    assert changed.headers["etag"] == '"1"'
    assert changed.json() == {
        "tenant": "acme",
        **wanted,
        "version": 1,
        "changed": "2023-11-14T22:13:20.000000Z",
        "changed_by": made.id,
        "told_once": {"secret": "whsec_1"},
    }
    assert seen.json() == {k: v for k, v in changed.json().items() if k != "told_once"}
    actor = {"user": {"id": made.id}, "source": {"ip": "127.0.0.1"}}
    assert house.recorder.told == [("settings changed", 1, made.id, actor)]
    acme = house.tenants.get("acme").number
    assert house.policies.settings(acme).recorded == (Recording(False, "easysend", "Page*"),)


def test_a_secret_of_a_service_is_told_once_and_never_shown(house):
    put(house, SETTINGS, {"version": 0, "service": WEBHOOK})

    again = put(house, SETTINGS, {"version": 1, "service": WEBHOOK, "delivery": "api-and-service"})
    history = house.ask("GET", "/v1/settings/history?tenant=acme", key=house.key("read"))

    assert again.json()["version"] == 2
    assert "whsec" not in again.text + history.text


def test_who_may_only_read_sees_where_a_service_is_and_no_more(house):
    put(house, SETTINGS, {"version": 0, "service": WEBHOOK})

    for path in (SETTINGS, "/v1/settings/history?tenant=acme"):
        assert "siem.example/…" in house.ask("GET", path, key=house.key("read")).text
        assert "siem.example/in" in house.ask("GET", path, key=house.key("export", "read")).text


def test_what_is_seen_can_be_sent_back(house):
    put(house, RETENTION, {"version": 0, "rules": [{"keep": "90d"}]})
    for path in (SETTINGS, RETENTION):
        seen = house.ask("GET", path, key=house.key("admin"))

        sent = put(house, path, seen.json())

        assert (sent.status_code, sent.json()) == (200, seen.json())
    assert [what for what, *_ in house.recorder.told] == ["retention changed"]


@pytest.mark.parametrize("path", [SETTINGS, RETENTION])
def test_a_change_names_the_version_it_is_based_on(house, path):
    body = {"rules": []} if path == RETENTION else {}

    answer = put(house, path, body)

    assert answer.status_code == 428
    assert answer.json()["type"] == "/problems/no-version"


def test_a_change_based_on_an_old_version_is_a_conflict(house):
    put(house, SETTINGS, {"version": 0, "recorded": [NO_PAGES]})

    by_body = put(house, SETTINGS, {"version": 0})
    by_header = put(house, SETTINGS, {}, headers={"If-Match": '"0"'})
    differing = put(house, SETTINGS, {"version": 1}, headers={"If-Match": '"0"'})

    assert by_body.status_code == 409
    assert by_body.json()["type"] == "/problems/stale-version"
    assert places(by_body) == [("/version", "stale-version")]
    for answer in (by_header, differing):
        assert answer.status_code == 412
        assert answer.json()["type"] == "/problems/stale-etag"
    assert house.policies.settings(house.tenants.get("acme").number).version == 1


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ('"0"', 200),
        ("*", 200),
        ('"7", "0"', 200),
        ('"7"', 412),
        ('W/"x"', 422),
        ("0", 422),
        ("", 422),
    ],
)
def test_if_match_says_the_version_too(house, header, status):
    answer = put(house, SETTINGS, {"recorded": [NO_PAGES]}, headers={"If-Match": header})

    assert answer.status_code == status


def test_a_change_sent_again_because_its_answer_was_lost_is_answered_as_done(house):
    body = {"version": 0, "recorded": [NO_PAGES]}
    first = put(house, SETTINGS, body)

    again = put(house, SETTINGS, body)

    assert again.status_code == 200
    assert again.json() == first.json()
    assert len(house.recorder.told) == 1


def test_a_change_that_cannot_be_told_is_not_in_force(house):
    house.recorder.error = Busy("too much waits")

    answer = put(house, SETTINGS, {"version": 0, "recorded": [NO_PAGES]})

    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    assert house.policies.settings(house.tenants.get("acme").number) == TenantSettings()


def test_only_admins_change_and_only_who_may_read_sees(house):
    for path, body in ((SETTINGS, {"version": 0}), (RETENTION, {"version": 0, "rules": []})):
        assert put(house, path, body, key=house.key("read", "ingest")).status_code == 403
        assert house.ask("GET", path, key=house.key("ingest")).status_code == 403
        assert house.ask("GET", path, key=house.key("admin")).status_code == 200
        assert house.ask("GET", path).status_code == 401


def test_who_may_not_export_has_nothing_sent_anywhere(house):
    """Else a key without the right to fetch events would have them delivered."""
    admin = house.key("admin")
    put(house, SETTINGS, {"version": 0, "service": WEBHOOK, "delivery": "api-and-service"})
    seen = house.ask("GET", SETTINGS, key=admin).json()

    elsewhere = WEBHOOK | {"url": "https://elsewhere.example/"}
    refused = put(house, SETTINGS, seen | {"service": elsewhere}, key=admin)
    recorded = put(house, SETTINGS, seen | {"recorded": [NO_PAGES]}, key=admin)
    ended = put(house, SETTINGS, {"version": 2}, key=admin)

    assert refused.status_code == 403
    assert refused.json()["type"] == "/problems/missing-scope"
    assert [recorded.status_code, ended.status_code] == [200, 200]


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("name", ["globex", "not-made"])
@pytest.mark.parametrize("path", ["settings", "retention"])
def test_another_tenants_are_not_there(house, method, name, path):
    key = house.key("read", "admin", tenants=["acme"])
    body = {"version": 0, "rules": []} if path == "retention" else {"version": 0}

    answer = house.ask(method, f"/v1/{path}?tenant={name}", key=key, json=body)

    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/no-such-tenant"


@pytest.mark.parametrize("path", ["/v1/settings", "/v1/retention/history"])
def test_a_key_for_several_tenants_names_one(house, path):
    answer = house.ask("GET", path, key=house.key("read"))

    assert answer.status_code == 422


def test_everything_that_is_wrong_is_said_by_its_place(house):
    answer = put(
        house,
        SETTINGS,
        {"version": 0, "recorded": [{"record": 1}], "service": {"kind": "fax"}, "recorder": 1},
    )

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert places(answer) == [
        ("/recorder", "unknown-member"),
        ("/service/kind", "bad-destination"),
        ("/recorded/0/record", "bad-type"),
    ]
    assert all(one["detail"] for one in answer.json()["errors"])


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"x"', b"\xff{}", b"[" * 10_000])
def test_a_body_that_is_no_object_is_refused(house, content):
    answer = house.ask("PUT", SETTINGS, key=house.key("admin"), content=content)

    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/not-json"


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        (SETTINGS + "&dry_run=1", "dry_run"),
        (RETENTION + "&dry_run=yes", "dry_run"),
        (RETENTION + "&x=1", "x"),
    ],
)
def test_an_unknown_parameter_is_refused(house, path, parameter):
    answer = put(house, path, {"version": 0, "rules": []})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == parameter


def test_a_dry_run_says_what_would_go_and_when_and_changes_nothing(house):
    house.going = [
        Going("closer", "agent_login", NOW_US - 5, 7),
        Going("closer", "agent_login", NOW_US, 1),
        Going("closer", "agent_logout", NOW_US + 1, 3),
        Going("ecs", "x", NOW_US + 2 * DAY_US, 2),
    ]
    body = {"rules": [{"dialect": "closer", "keep": "P90D"}]}

    answer = put(house, RETENTION + "&dry_run=1", body)

    assert answer.status_code == 200
    assert answer.json() == {
        "tenant": "acme",
        "version": 0,
        "rules": [{"dialect": "closer", "keep": "90d"}],
        "defaults": [{"dialect": "easysend", "keep": "48h"}, {"keep": None}],
        "at_once": {
            "events": 8,
            "types": [{"dialect": "closer", "action": "agent_login", "events": 8}],
        },
        "later": [{"day": "2023-11-14", "events": 3}, {"day": "2023-11-16", "events": 2}],
        "beyond": 0,
    }
    assert house.asked_of_forecast == [("acme", (Rule("closer", None, 7_776_000),))]
    assert house.policies.retention(house.tenants.get("acme").number) == Retention()
    assert house.recorder.told == []


def test_what_would_expire_at_once_expires_only_when_that_is_meant(house):
    """What is gone is gone: a typing error must not delete a trail."""
    house.going = [Going("closer", "agent_login", NOW_US - 5, 7)]
    body = {"version": 0, "rules": [{"dialect": "closer", "keep": "90d"}]}

    refused = put(house, RETENTION, body)
    done = put(house, RETENTION, {**body, "confirm": True})

    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/needs-confirmation"
    assert refused.json()["detail"].startswith("7 events would expire at once")
    assert places(refused) == [("/confirm", "needs-confirmation")]
    assert (done.status_code, done.json()["version"]) == (200, 1)
    acme = house.tenants.get("acme").number
    assert house.policies.retention(acme).rules == (Rule("closer", None, 7_776_000),)


def test_what_only_expires_later_needs_no_word(house):
    house.going = [Going("closer", "agent_login", NOW_US + 5, 7)]

    answer = put(house, RETENTION, {"version": 0, "rules": [{"keep": "90d"}]})

    assert answer.status_code == 200


def test_where_nobody_can_tell_every_change_is_to_be_meant(house):
    parts = msgspec.structs.replace(house.parts_anew(), forecast=None)
    house.serve(parts)
    body = {"version": 0, "rules": [{"keep": "90d"}]}

    foretold = put(house, RETENTION + "&dry_run=1", body)
    refused = put(house, RETENTION, body)
    done = put(house, RETENTION, {**body, "confirm": True})

    assert foretold.status_code == 501
    assert foretold.json()["type"] == "/problems/not-there-yet"
    assert refused.json()["type"] == "/problems/needs-confirmation"
    assert done.status_code == 200


def test_where_nothing_delivers_a_service_is_refused(house):
    house.serve(msgspec.structs.replace(house.parts_anew(), service=no_service))

    answer = put(house, SETTINGS, {"version": 0, "service": WEBHOOK})

    assert answer.status_code == 422
    assert places(answer) == [("/service", "not-there-yet")]


def test_every_version_is_in_the_history_newest_first_page_by_page(house):
    made, secret = house.keys.create("admin", None, ["admin"])
    for version in range(3):
        days = f"{version + 3}d"
        put(house, RETENTION, {"version": version, "rules": [{"keep": days}]}, key=secret)
    path = "/v1/retention/history?tenant=acme&limit=2"

    first = house.ask("GET", path, key=house.key("read")).json()
    second = house.ask("GET", f"{path}&cursor={first['next_cursor']}", key=secret).json()

    assert first["versions"][0] == {
        "version": 3,
        "rules": [{"keep": "5d"}],
        "changed": "2023-11-14T22:13:20.000000Z",
        "changed_by": made.id,
    }
    assert [one["version"] for one in first["versions"]] == [3, 2]
    assert [one["version"] for one in second["versions"]] == [1]
    assert second["next_cursor"] is None
    assert house.ask("GET", path + "&cursor=x", key=secret).status_code == 422


def test_the_history_of_settings_is_its_own(house):
    put(house, SETTINGS, {"version": 0, "recorded": [NO_PAGES]})

    found = house.ask("GET", "/v1/settings/history?tenant=acme", key=house.key("read")).json()

    assert [one["recorded"] for one in found["versions"]] == [[NO_PAGES]]
