"""Settings and retention as JSON: read strictly, and written so that it can be sent back."""

from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealog.errors import Refused
from sealog.policy.reading import (
    Destination,
    read_retention,
    read_settings,
    shown,
    shown_retention,
    shown_settings,
)
from sealog.policy.refusing import Invalid
from sealog.policy.retention import KEEP_MAX_S, KEEP_MIN_S, Retention, Rule
from sealog.policy.settings import Recording, TenantSettings

DAY_S = 86_400


def service(wanted):
    """Takes webhooks."""
    if wanted.get("kind") != "webhook":
        raise Refused("a destination is a webhook", code="bad-destination", pointer="/kind")
    return Destination({"kind": "webhook", "url": wanted["url"]}, {"k": 1}, {"secret": "whsec_x"})


def wrong(read, body):
    with pytest.raises(Invalid) as refused:
        read(body)
    return [(one.pointer, one.code) for one in refused.value.wrong]


def wrong_settings(body):
    return wrong(lambda given: read_settings(given, service), body)


def test_all_of_the_settings_are_read():
    """ES-12, ES-13, LH-Q12."""
    body = {
        "version": 3,
        "recorded": [
            {"dialect": "easysend", "action": "Link*", "record": True},
            {"dialect": "easysend", "record": False},
            {"action": "**", "record": True},
        ],
        "delivery": "api-and-service",
        "service": {"kind": "webhook", "url": "https://siem.example/in", "key": "k"},
        "dialects": {"logichub": {"day_first": False}},
    }

    asked = read_settings(body, service)

    assert asked.wanted == TenantSettings(
        version=3,
        recorded=(
            Recording(record=True, dialect="easysend", action="Link*"),
            Recording(record=False, dialect="easysend"),
            Recording(record=True),
        ),
        delivery="api-and-service",
        service={"kind": "webhook", "url": "https://siem.example/in"},
        secrets={"k": 1},
        day_first=False,
    )
    assert asked.has_version
    assert asked.told == {"secret": "whsec_x"}


def test_what_is_left_out_is_as_if_nothing_was_chosen():
    asked = read_settings({}, service)

    assert asked.wanted == TenantSettings()
    assert not asked.has_version


@pytest.mark.parametrize(
    ("body", "where"),
    [
        pytest.param([], [("", "bad-type")], id="no object"),
        pytest.param({"verison": 1}, [("/verison", "unknown-member")], id="a typing error"),
        pytest.param({"version": "3"}, [("/version", "bad-type")], id="a version in quotes"),
        pytest.param({"version": -1}, [("/version", "bad-value")], id="a negative version"),
        pytest.param({"recorded": {}}, [("/recorded", "bad-type")], id="no list"),
        pytest.param(
            {"recorded": [{"record": True}] * 1_001}, [("/recorded", "too-many")], id="many"
        ),
        pytest.param(
            {"recorded": [7, {}, {"record": None}, {"record": 1, "x": 2}]},
            [
                ("/recorded/0", "bad-type"),
                ("/recorded/1/record", "missing-member"),
                ("/recorded/2/record", "bad-type"),
                ("/recorded/3/x", "unknown-member"),
                ("/recorded/3/record", "bad-type"),
            ],
            id="rules",
        ),
        pytest.param(
            {
                "recorded": [
                    {"dialect": "sealog", "record": False},
                    {"dialect": "EasySend", "record": False},
                    {"action": "", "record": False},
                    {"action": "x" * 257, "record": False},
                    {"action": "a\nb", "record": False},
                    {"action": 7, "dialect": 7, "record": False},
                ]
            },
            [
                ("/recorded/0/dialect", "bad-value"),
                ("/recorded/1/dialect", "bad-value"),
                ("/recorded/2/action", "bad-value"),
                ("/recorded/3/action", "bad-value"),
                ("/recorded/4/action", "bad-value"),
                ("/recorded/5/dialect", "bad-type"),
                ("/recorded/5/action", "bad-type"),
            ],
            id="types",
        ),
        pytest.param({"delivery": "push"}, [("/delivery", "bad-value")], id="another delivery"),
        pytest.param(
            {"delivery": "api-and-service"}, [("/service", "missing-member")], id="no service"
        ),
        pytest.param(
            {"delivery": "api-and-service", "service": {"kind": "fax"}},
            [("/service/kind", "bad-destination")],
            id="an unknown service",
        ),
        pytest.param({"service": []}, [("/service", "bad-type")], id="a service that is none"),
        pytest.param(
            {"dialects": {"closer": {}, "logichub": {"day_first": "yes"}}},
            [
                ("/dialects/closer", "unknown-member"),
                ("/dialects/logichub/day_first", "bad-type"),
            ],
            id="dialects",
        ),
    ],
)
def test_what_is_wrong_with_settings_is_said_by_its_place(body, where):
    assert sorted(wrong_settings(body)) == sorted(where)


def test_the_refusal_of_our_own_dialect_says_why():
    with pytest.raises(Invalid, match="what Sealog records of itself is always recorded"):
        read_settings({"recorded": [{"dialect": "sealog", "record": False}]}, service)


def test_rules_of_retention_are_read_in_their_order():
    body = {
        "version": 3,
        "rules": [
            {"dialect": "easysend", "keep": "48h"},
            {"action": "agent_login*", "keep": "P90D"},
            {"dialect": "sealog", "keep": 86_400},
            {"keep": None},
        ],
        "confirm": True,
    }

    asked = read_retention(body)

    assert asked.wanted == Retention(
        3,
        (
            Rule("easysend", None, 172_800),
            Rule(None, "agent_login*", 90 * DAY_S),
            Rule("sealog", None, DAY_S),
            Rule(),
        ),
    )
    assert asked.confirm


@pytest.mark.parametrize(
    ("body", "where"),
    [
        pytest.param({}, [("/rules", "missing-member")], id="no rules"),
        pytest.param({"rules": None}, [("/rules", "missing-member")], id="null"),
        pytest.param(
            {"rules": [{"keep": "1h"}] * 101}, [("/rules", "too-many")], id="too many rules"
        ),
        pytest.param(
            {"rules": [{}, {"keep": "59m"}, {"keep": 0}, {"keep": "7y"}, {"keep": True}]},
            [
                ("/rules/0/keep", "missing-member"),
                ("/rules/1/keep", "too-short"),
                ("/rules/2/keep", "too-short"),
                ("/rules/3/keep", "bad-value"),
                ("/rules/4/keep", "bad-value"),
            ],
            id="durations",
        ),
        pytest.param(
            {"rules": [{"keep": "36601d"}, {"keep": "36600d"}]},
            [("/rules/0/keep", "too-long")],
            id="longer than a life",
        ),
        pytest.param(
            {"rules": [], "confirm": "yes", "record": True},
            [("/record", "unknown-member"), ("/confirm", "bad-type")],
            id="members",
        ),
        pytest.param(
            {"rules": [{"dialect": "elastic", "keep": None}]},
            [("/rules/0/dialect", "bad-value")],
            id="an unknown dialect",
        ),
    ],
)
def test_what_is_wrong_with_retention_is_said_by_its_place(body, where):
    assert wrong(read_retention, body) == where


def test_an_hour_is_the_least_and_may_be_asked_for():
    wanted = read_retention({"rules": [{"keep": "1h"}]}).wanted

    assert wanted.rules == (Rule(keep_s=3_600),)


ACTIONS = st.none() | st.sampled_from(["agent_login*", "Step Completed", "*.login"])
DIALECTS = st.sampled_from([None, "ecs", "closer", "easysend"])
RETENTIONS = st.builds(
    Retention,
    st.integers(0, 9),
    st.lists(
        st.builds(Rule, DIALECTS, ACTIONS, st.none() | st.integers(KEEP_MIN_S, KEEP_MAX_S)),
        max_size=5,
    ).map(tuple),
)
SETTINGS = st.builds(
    TenantSettings,
    st.integers(0, 9),
    st.lists(st.builds(Recording, st.booleans(), DIALECTS, ACTIONS), max_size=5).map(tuple),
    st.just("api"),
    st.none() | st.just({"kind": "webhook", "url": "https://siem.example/in"}),
    st.just({}),
    st.none() | st.booleans(),
)


@given(RETENTIONS)
def test_retention_that_was_shown_can_be_sent_back(chosen):
    sent = msgspec.json.decode(msgspec.json.encode(shown_retention(chosen)))

    more = {"tenant": "acme", "changed": None, "changed_by": None, "defaults": []}
    assert read_retention(sent | more).wanted == chosen


@given(SETTINGS)
def test_settings_that_were_shown_can_be_sent_back(chosen):
    sent = msgspec.json.decode(msgspec.json.encode(shown_settings(chosen)))

    asked = read_settings(sent, service).wanted
    assert msgspec.structs.replace(asked, secrets={}) == chosen


def test_no_secret_is_shown():
    chosen = TenantSettings(service={"kind": "webhook"}, secrets={"key": "whsec_hidden"})

    assert b"whsec_hidden" not in msgspec.json.encode(shown(chosen))
    assert shown(Retention()) == {"version": 0, "rules": []}


def test_who_may_not_change_it_sees_where_a_url_leads_and_no_more():
    """For many receivers the path is the key."""
    url = "https://user:pw@hooks.example:8443/services/T0/s3cret?token=x"
    chosen = TenantSettings(service={"kind": "webhook", "url": url})
    folder = TenantSettings(service={"kind": "folder", "path": "/srv/drop"})

    assert shown(chosen, whole=False)["service"] == {
        "kind": "webhook",
        "url": "https://hooks.example:8443/…",
    }
    assert shown(chosen)["service"]["url"] == url
    assert shown(folder, whole=False)["service"] == folder.service


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["version", "rules", "recorded", "keep", "action", "dialect", "service"]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_read_or_refused_by_place(body):
    for read in (read_retention, lambda given: read_settings(given, service)):
        with suppress(Invalid):
            read(body)
