import pytest
from tests.rendering.made import one, parts, shown, without

from sealog.catalog.shelf import load
from sealog.rendering.easysend import LABELS

LOG = {
    "ecs": {"version": "8.11"},
    "@timestamp": "2026-03-02T10:37:42.943305",
    "organization": {"name": "Acme"},
    "user_agent": {
        "os": {
            "browser_language": "en",
            "browser_platform": "MacIntel",
            "is_mobile_device": False,
            "is_verified_bot": False,
        },
        "name": "Safari",
        "device": {"name": "Mac"},
        "original": "Mozilla/5.0",
    },
    "os": {"family": "Mac OS X", "full": "Mac OS X 10.15.7"},
    "client": {"ip": "203.0.113.40"},
    "event": {"action": "Opened", "timezone": "UTC"},
    "geo": {"country_name": "Israel", "region_name": "Tel Aviv"},
    "url": {"full": "https://player.example.com/wf-3", "domain": "player.example.com"},
    "service": {"environment": "prod"},
    "label": {"app_type": "player", "is_co_browsing_on": False, "step_index": "1", "rid": "r"},
}


def test_a_log_comes_back_as_it_was_sent():
    """ES-40 to ES-46: `label`, `os` and `geo` where ECS has none, the time without a zone."""
    assert shown(one("easysend", LOG), "easysend") == LOG


def test_without_the_actor_a_log_is_what_is_left():
    """ES-41: what is told of the browser beside the user agent is no part of the actor."""
    found = shown(without(one("easysend", LOG), "actor"), "easysend")

    gone = {"client", "geo", "os"}
    assert found == {key: value for key, value in LOG.items() if key not in gone} | {
        "user_agent": {"os": LOG["user_agent"]["os"]},
        "sealog": {"erased": ["actor"]},
    }


def test_of_facts_alone_a_log_is_made_again_with_its_types():
    """ES-46: every label is a string but `is_co_browsing_on`."""
    found = shown(without(one("easysend", LOG), "actor", "rest"), "easysend")

    assert found == {
        "ecs": {"version": "8.11"},
        "@timestamp": "2026-03-02T10:37:42.943305Z",
        "event": {"action": "Opened", "timezone": "UTC"},
        "service": {"environment": "prod"},
        "label": {"app_type": "player", "is_co_browsing_on": False, "step_index": "1"},
        "sealog": {"erased": ["actor", "rest"]},
    }


def test_a_flat_record_is_flat_again():
    flat = {
        "timestamp": "2026-03-02T10:37:42Z",
        "message": "Security log",
        "environment": "prod",
        "event": "OPENED",
        "product_type": "Player",
        "geo": {"country_name": "Israel"},
    }

    found = shown(without(one("easysend", flat), "actor"), "easysend")

    assert found == {
        "@timestamp": "2026-03-02T10:37:42Z",
        "message": "Security log",
        "environment": "prod",
        "event": "OPENED",
        "product_type": "Player",
        "sealog": {"erased": ["actor"]},
    }


def test_a_flat_record_names_its_event_where_it_did():
    flat = {"message": "m", "event_type": "OPENED", "geo": {"country_name": "Israel"}}

    found = shown(without(one("easysend", flat), "actor"), "easysend")

    assert found == {"message": "m", "event_type": "OPENED", "sealog": {"erased": ["actor"]}}


def test_an_event_of_another_product_has_the_documented_fields_it_has():
    event = {
        "@timestamp": "2026-01-31T12:00:00.123Z",
        "event": {"id": "e", "action": "page.view", "timezone": "UTC", "kind": "event"},
        "organization": {"id": "acme", "name": "Acme"},
        "source": {"ip": "192.0.2.1", "geo": {"country_name": "Norway"}},
        "user_agent": {
            "name": "Safari",
            "original": "Mozilla/5.0",
            "os": {"family": "macos", "full": "macOS 14"},
            "device": {"name": "Mac"},
        },
        "url": {"full": "https://example.org/", "domain": "example.org", "path": "/"},
        "service": {"environment": "prod", "name": "shop"},
        "labels": {"rid": "r-1", "is_co_browsing_on": "true", "colour": "red"},
    }

    assert shown(parts(event), "easysend") == {
        "ecs": {"version": "8.11"},
        "@timestamp": "2026-01-31T12:00:00.123Z",
        "organization": {"name": "Acme"},
        "user_agent": {"name": "Safari", "device": {"name": "Mac"}, "original": "Mozilla/5.0"},
        "os": {"family": "macos", "full": "macOS 14"},
        "client": {"ip": "192.0.2.1"},
        "event": {"action": "page.view", "timezone": "UTC"},
        "geo": {"country_name": "Norway"},
        "url": {"full": "https://example.org/", "domain": "example.org"},
        "service": {"environment": "prod"},
        "label": {"is_co_browsing_on": True, "rid": "r-1"},
    }


def test_gaps_are_left_out():
    found = shown(parts({"event": {"action": "x"}}), "easysend")

    assert found == {"ecs": {"version": "8.11"}, "event": {"action": "x"}}


def test_the_labels_are_those_of_the_catalog():
    """ES-46: 26 keys."""
    assert len(LABELS) == 26
    assert set(LABELS) == load().dialects["easysend"].fields.keys()


@pytest.mark.parametrize("label", [None, 7, "x"])
def test_a_label_that_is_no_object_comes_back_as_it_was(label):
    log = LOG | {"label": label}

    assert shown(one("easysend", log), "easysend") == log
