"""Sealog's own events: ordinary ones, each once, in the tenants they concern."""

import msgspec
import pytest

from sealog import app
from sealog.access.grants import Grant
from sealog.access.keys import LENT
from sealog.access.reads import HOUR_US, Counts, Kind, Origin, Told
from sealog.catalog import ecs
from sealog.catalog.shelf import load
from sealog.errors import Corrupt
from sealog.event.parts import ACTOR, EVENT_ENTRY, FACTS, REST
from sealog.intake import recording
from sealog.intake.recording import actor_of
from sealog.policy.policies import Change
from sealog.policy.retention import Retention, Rule
from sealog.policy.settings import Recording, TenantSettings
from sealog.policy.unrecorded import Told as Unkept

HOUR = 472_222  # 2023-11-14T22:00:00Z
OFFICE = Origin("198.51.100.7", "10.0.0.1")
BY = Grant(LENT, frozenset(), None, is_lent=True)


@pytest.fixture
def running(tmp_path):
    with app.running(tmp_path / "data") as running:
        running.tenants.make(["acme", "globex"])
        yield running


def events(running, name):
    """Every event of a tenant: its parts by number, as values."""
    tenant = running.tenants.get(name)
    size = running.journal.size(tenant.number)
    if not size:
        return []
    assert running.archive.wait_for(tenant, size - 1, 10)
    return [
        (opened.kind, {number: msgspec.json.decode(part) for number, _, part in opened.parts})
        for _, opened in running.archive.feed(tenant, -1, 100)
    ]


def feeds_in(events):
    return [parts[FACTS]["sealog"]["read"]["feeds"] for _, parts in events]


def told(running, key, *, feeds=3, tenant="acme", since_us=0):
    counts = Counts([2, 0, feeds, 0, 0, 0, 0], 12, 4, 40, [OFFICE], since_us=since_us)
    return Told(HOUR, key.id, running.tenants.get(tenant).number, counts)


HOOK = {"kind": "webhook", "url": "https://hooks.example/services/T0/B0/s3cret"}


def settings_changed(running):
    old = TenantSettings(4, delivery="api-and-service", service=HOOK)
    new = TenantSettings(5, recorded=(Recording(False, "easysend", "Page*"),))
    actor = running.recorder.actor(BY, OFFICE)
    return Change(running.tenants.get("acme").number, "settings", 7, LENT, old, new, actor)


def retention_changed(running):
    old, new = Retention(), Retention(1, (Rule("closer", None, 90 * 86_400), Rule()))
    return Change(running.tenants.get("acme").number, "retention", 7, LENT, old, new)


def unkept(running, records=3):
    types = (("closer", "agent_login", records), ("easysend", "PageView", 1), ("", "", 9))
    return Unkept(HOUR, running.tenants.get("acme").number, types, 5)


def test_a_change_of_settings_says_who_changed_what_to_what(running):
    """ES-12, ES-13."""
    running.recorder.policy_changed(settings_changed(running))

    [(_, parts)] = events(running, "acme")
    assert parts[FACTS]["event"]["action"] == "sealog.settings.changed"
    assert parts[FACTS]["sealog"]["settings"] == {"version": 5}
    assert parts[ACTOR]["user"] == {"id": LENT, "name": "whoever has the data folder"}
    assert parts[ACTOR]["source"] == {"ip": "198.51.100.7"}
    assert parts[REST]["sealog"]["settings"] == {
        "old": {
            "version": 4,
            "recorded": [],
            "delivery": "api-and-service",
            "service": {"kind": "webhook", "url": "https://hooks.example/…"},
            "dialects": {"logichub": {"day_first": None}},
        },
        "new": {
            "version": 5,
            "recorded": [{"dialect": "easysend", "action": "Page*", "record": False}],
            "delivery": "api",
            "service": None,
            "dialects": {"logichub": {"day_first": None}},
        },
    }


def test_a_change_of_retention_is_told_once_however_often_it_is_told(running):
    running.recorder.policy_changed(retention_changed(running))
    running.recorder.policy_changed(retention_changed(running))

    [(_, parts)] = events(running, "acme")
    assert parts[FACTS]["event"]["action"] == "sealog.retention.changed"
    assert parts[REST]["sealog"]["retention"] == {
        "old": {"version": 0, "rules": []},
        "new": {"version": 1, "rules": [{"dialect": "closer", "keep": "90d"}, {"keep": None}]},
    }


def test_what_was_not_recorded_is_told_by_type_and_hour(running):
    running.recorder.not_recorded([unkept(running)])

    [(_, parts)] = events(running, "acme")
    event = parts[FACTS]["event"]
    assert event["action"] == "sealog.intake.not_recorded"
    assert (event["start"], event["end"]) == (
        "2023-11-14T22:00:00.000000Z",
        "2023-11-14T23:00:00.000000Z",
    )
    assert parts[FACTS]["sealog"]["not_recorded"] == {
        "hour": "2023-11-14T22:00:00.000000Z",
        "records": 13,
    }
    assert parts[ACTOR] == {"user": {"id": "sealog"}, "sealog": {"actor": {"kind": "system"}}}
    assert parts[REST]["sealog"]["not_recorded"]["types"] == [
        {"dialect": "closer", "action": "agent_login", "records": 3},
        {"dialect": "easysend", "action": "PageView", "records": 1},
        {"others": True, "records": 9},
    ]


def test_other_counts_of_the_same_counting_are_told_beside_the_first(running):
    running.recorder.not_recorded([unkept(running)])
    running.recorder.not_recorded([unkept(running, records=4)])
    running.recorder.not_recorded([unkept(running, records=4)])

    found = [
        parts[FACTS]["sealog"]["not_recorded"]["records"] for _, parts in events(running, "acme")
    ]
    assert found == [13, 14]


def test_an_hour_of_reading_is_an_ordinary_event(running):
    key, _ = running.keys.create("their SIEM", ["acme"], ["read"])

    running.recorder.reads([told(running, key)])

    [(kind, parts)] = events(running, "acme")
    event = parts[FACTS]["event"]
    assert kind == EVENT_ENTRY
    assert parts[FACTS]["@timestamp"] == "2023-11-14T23:00:00.000000Z"
    assert (event["action"], event["kind"]) == ("sealog.read.by_key", "event")
    assert event["category"] == ["api"]
    assert event["type"] == ["access"]
    assert event["outcome"] == "success"
    assert event["start"] == "2023-11-14T22:00:00.000000Z"
    assert event["end"] == "2023-11-14T23:00:00.000000Z"
    assert parts[FACTS]["sealog"] == {
        "action": "sealog.read.by_key",
        "dialect": "sealog",
        "read": {
            "hour": "2023-11-14T22:00:00.000000Z",
            "searches": 2,
            "feeds": 3,
            "events": 12,
            "first": 4,
            "last": 40,
        },
    }
    assert parts[ACTOR] == {
        "user": {"id": key.id, "name": "their SIEM"},
        "source": {"ip": "198.51.100.7"},
        "sealog": {"actor": {"kind": "key", "peers": ["10.0.0.1"]}},
    }
    assert REST not in parts


def test_an_hour_is_told_once_however_often_it_is_tried(running):
    key, _ = running.keys.create("k", ["acme"], ["read"])

    running.recorder.reads([told(running, key)])
    running.recorder.reads([told(running, key)])

    assert feeds_in(events(running, "acme")) == [3]


def test_other_counts_of_an_hour_are_told_beside_the_first_and_each_once(running):
    """A crash after the telling and a clock set back: what is counted on then is not lost."""
    key, _ = running.keys.create("k", None, ["read"])
    running.recorder.reads([told(running, key)])

    for _ in range(2):
        running.recorder.reads([told(running, key, tenant="globex"), told(running, key, feeds=5)])
        running.recorder.reads([told(running, key, feeds=7)])

    assert feeds_in(events(running, "acme")) == [3, 5, 7]
    assert feeds_in(events(running, "globex")) == [3]


def test_an_hour_that_was_counted_twice_is_told_twice_even_with_equal_counts(running):
    """The clock ran ahead, the hour was told, the clock was set right: the hour comes again."""
    key, _ = running.keys.create("k", ["acme"], ["read"])

    for since_us in (0, 1_700_000_000_000_000, 1_700_000_000_000_001, 1_700_000_000_000_001):
        running.recorder.reads([told(running, key, since_us=since_us)])

    assert feeds_in(events(running, "acme")) == [3, 3, 3]


def test_counts_that_can_be_told_no_more_are_an_error(running, monkeypatch):
    monkeypatch.setattr(recording, "TELLINGS_MAX", 2)
    key, _ = running.keys.create("k", ["acme"], ["read"])
    running.recorder.reads([told(running, key, feeds=1)])
    running.recorder.reads([told(running, key, feeds=2)])

    with pytest.raises(Corrupt, match="told 2 times"):
        running.recorder.reads([told(running, key, feeds=3)])


def test_many_hours_are_told_in_the_tenants_they_concern(running):
    key, _ = running.keys.create("k", None, ["read"])
    gone = Told(HOUR, key.id, 99, Counts([1]))

    running.recorder.reads([told(running, key), gone, told(running, key, tenant="globex")])

    assert len(events(running, "acme")) == len(events(running, "globex")) == 1


def test_a_key_is_told_in_its_tenants_and_in_no_others(running):
    key, secret = running.keys.create("billing", ["acme", "not-made"], ["read", "ingest"])

    running.recorder.key_created(key, BY, OFFICE)

    [(_, parts)] = events(running, "acme")
    assert events(running, "globex") == []
    assert parts[FACTS]["event"]["action"] == "sealog.keys.created"
    shown = {"id": key.id, "scopes": ["ingest", "read"], "all_tenants": False}
    assert parts[FACTS]["sealog"]["key"] == shown
    assert parts[REST] == {"sealog": {"key": {"name": "billing"}}}
    assert parts[ACTOR]["user"] == {
        "id": "key_of_the_folder",
        "name": "whoever has the data folder",
    }
    assert secret not in str(parts)


def test_a_key_for_all_is_told_in_every_tenant_that_is_there(running):
    key, _ = running.keys.create("k", None, ["admin"])

    running.recorder.key_created(key, BY)
    running.recorder.key_revoked(running.keys.revoke(key.id), BY)
    running.recorder.key_revoked(running.keys.revoke(key.id), BY)

    for name in ("acme", "globex"):
        actions = [parts[FACTS]["event"]["action"] for _, parts in events(running, name)]
        assert actions == ["sealog.keys.created", "sealog.keys.revoked"]


def test_a_tenant_is_told_that_it_was_made(running):
    acme = running.tenants.registration("acme")

    running.recorder.tenant_created(acme.tenant, acme.created_us, BY)

    [(_, parts)] = events(running, "acme")
    assert parts[FACTS]["event"]["action"] == "sealog.tenants.created"


def test_what_is_recorded_is_what_the_catalog_says_and_ecs_expects(running):
    key, _ = running.keys.create("k", ["acme"], ["read"])
    acme = running.tenants.registration("acme")
    running.recorder.tenant_created(acme.tenant, acme.created_us, BY)
    running.recorder.key_created(key, BY)
    running.recorder.key_revoked(running.keys.revoke(key.id), BY)
    running.recorder.reads([told(running, key)])
    running.recorder.policy_changed(settings_changed(running))
    running.recorder.policy_changed(retention_changed(running))
    running.recorder.not_recorded([unkept(running)])

    found = events(running, "acme")

    assert {parts[FACTS]["event"]["action"] for _, parts in found} == {
        each.native
        for each in load().dialects["sealog"].types
        if each.kind == "event" and each.section != "Streams"
    }
    for _, parts in found:
        event = parts[FACTS]["event"]
        declared = load().find("sealog", event["action"]).fields
        beside = {"action", "dialect", "actor"}
        given = {
            f"sealog.{name}.{inner}"
            for part in parts.values()
            for name, value in part.get("sealog", {}).items()
            if name not in beside
            for inner in value
        }
        assert given <= {field.path for field in declared.values()}
        assert ecs.lint(event["kind"], event["category"], event["type"], event["outcome"]) == []


def test_an_actor_says_all_addresses_and_which_were_proxies():
    home = Origin("192.0.2.1", "192.0.2.1")

    assert actor_of("key_1", "", [home, OFFICE, Origin(None, None)]) == {
        "user": {"id": "key_1"},
        "source": {"ip": "198.51.100.7"},
        "sealog": {
            "kind": "key",
            "addresses": ["192.0.2.1", "198.51.100.7"],
            "peers": ["10.0.0.1"],
        },
    }
    assert actor_of("key_1", "k", []) == {
        "user": {"id": "key_1", "name": "k"},
        "sealog": {"kind": "key"},
    }


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_reading_is_a_field_of_its_type(kind):
    declared = load().find("sealog", "sealog.read.by_key").fields

    assert declared[kind.name.lower()].path == f"sealog.read.{kind.name.lower()}"
    assert HOUR * HOUR_US == 1_699_999_200_000_000
