import pytest
from tests.dialects.samples import GOLDEN, at, codes, draft_of, plain, sent_of

from sealog.catalog.shelf import load
from sealog.dialects import registry
from sealog.dialects.dialect import Settings
from sealog.wire import framing

LABELS = """
    app_type customer_id business_group business_group_id deploy_timestamp is_co_browsing_on
    master_rid page_analytics_id page_index page_name process_id process_multi_language request_id
    rid role source_type source_value step_id step_index web_flow_name webflow_id player_version
    authentication_method authentication_status auth_action auth_page
"""


def log(action="Opened", **over):
    return {
        "ecs": {"version": "8.11"},
        "@timestamp": "2026-03-02T10:37:42.943305Z",
        "event": {"action": action, "timezone": "UTC"},
        "label": {"app_type": "player", "page_index": "2"},
        **over,
    }


def translated(action="Opened", **over):
    return draft_of("easysend", log(action, **over))


@pytest.mark.parametrize(
    ("sent", "native", "outcome"),
    [
        pytest.param("CheckAuthResponseMissingCredentials", "MissingCredentials", "failure",
                     id="ES-02-missing"),
        pytest.param("CheckAuthResponseAuthenticationSucceed", "Succeed", "success",
                     id="ES-02-succeed"),
        pytest.param("CheckAuthResponseAuthenticationError", "Error", "failure", id="ES-02-error"),
        pytest.param("CheckAuthResponseAuthenticationFailed", "Failed", "failure",
                     id="ES-02-failed"),
    ],
)  # fmt: skip
def test_authentication_is_classified_by_action_and_status(sent, native, outcome):
    """ES-Q4, ES-Q8, X-04: an error is not a failure, and both are no success."""
    draft = translated(sent, label={"authentication_status": native})

    assert draft.known
    assert draft.action == sent
    assert at(draft, "event.kind") == "event"
    assert at(draft, "event.category") == ["authentication"]
    assert at(draft, "event.type") == ["start"]
    assert at(draft, "event.outcome") == outcome
    assert codes(draft) == []


def test_the_four_authentication_events_stay_apart():
    """ES-Q8."""
    aliases = {
        translated(f"CheckAuthResponse{word}").alias
        for word in (
            "MissingCredentials",
            "AuthenticationSucceed",
            "AuthenticationError",
            "AuthenticationFailed",
        )
    }

    assert len(aliases) == 4


def test_a_status_that_contradicts_the_action_counts_and_is_found():
    draft = translated(
        "CheckAuthResponseAuthenticationSucceed", label={"authentication_status": "Failed"}
    )

    assert at(draft, "event.outcome") == "failure"
    assert codes(draft) == ["outcome-contradicts-type"]


def test_how_someone_once_came_in_says_nothing_about_other_events():
    draft = translated("Completed", label={"authentication_status": "Failed"})

    assert at(draft, "event.outcome") == "success"
    assert codes(draft) == []


@pytest.mark.parametrize(
    ("written", "alias"),
    [
        pytest.param("LinkSent", "workflow.link.send", id="ES-04"),
        pytest.param("Link Sent", "workflow.link.send", id="ES-04-spaced"),
        pytest.param("Opened", "workflow.open", id="ES-05"),
        pytest.param("OPENED", "workflow.open", id="ES-05-upper"),
        pytest.param("Link Opened event", "workflow.open", id="ES-05-sibling"),
        pytest.param("Data Submitted event", "workflow.data.submit", id="ES-06"),
        pytest.param("step_completed", "workflow.step.complete", id="ES-07"),
        pytest.param("Completed Step", "workflow.step.complete", id="ES-07-sibling"),
        pytest.param("Completed", "workflow.complete", id="ES-08"),
    ],
)
def test_names_match_folded_and_are_kept_as_sent(written, alias):
    """X-01."""
    draft = translated(written)

    assert draft.alias == alias
    assert draft.known
    assert draft.action == written
    assert at(draft, "event.action") == written


def test_the_one_time_passwords_page_and_action_are_labels():
    """ES-03."""
    draft = translated(label={"auth_page": "otp", "auth_action": "verify"})

    assert at(draft, "labels") == {"auth_page": "otp", "auth_action": "verify"}


@pytest.mark.parametrize(
    ("label", "action", "kind"),
    [
        ({"app_type": "player"}, "Opened", "customer"),
        ({"app_type": "builder"}, "Opened", "user"),
        ({"app_type": "player"}, "LinkSent", "system"),
        ({"app_type": "player"}, "CheckAuthResponseAuthenticationFailed", "unauthenticated"),
        ({"app_type": "player"}, "CheckAuthResponseAuthenticationSucceed", "customer"),
        ({}, "Opened", "absent"),
    ],
)
def test_who_acted_follows_from_the_event_and_the_application(label, action, kind):
    """ES-09, X-02: a log carries no user's id."""
    assert at(translated(action, label=label), "sealog.actor.kind") == kind


@pytest.mark.parametrize(
    ("sent", "path", "value"),
    [
        pytest.param({"organization": {"name": "Acme"}}, "organization.name", "Acme", id="ES-40"),
        pytest.param({"user_agent": {"os": {"browser_language": "en"}}},
                     "easysend.browser.browser_language", "en", id="ES-41-ES-Q3-language"),
        pytest.param({"user_agent": {"os": {"is_verified_bot": False}}},
                     "easysend.browser.is_verified_bot", False, id="ES-41-ES-Q3-bot"),
        pytest.param({"user_agent": {"original": "UA"}}, "user_agent.original", "UA",
                     id="ES-41-original"),
        pytest.param({"os": {"family": "Mac"}}, "user_agent.os.family", "Mac", id="ES-42-ES-Q2"),
        pytest.param({"client": {"ip": "::1"}}, "client.ip", "::1", id="ES-42-ip"),
        pytest.param({"geo": {"country_name": "Israel"}}, "client.geo.country_name", "Israel",
                     id="ES-44-ES-Q2"),
        pytest.param({"url": {"full": "https://a.example/"}}, "url.full", "https://a.example/",
                     id="ES-45-url"),
        pytest.param({"service": {"environment": "prod"}}, "service.environment", "prod",
                     id="ES-45-service"),
        pytest.param({}, "event.timezone", "UTC", id="ES-43"),
    ],
)  # fmt: skip
def test_what_ecs_does_not_know_moves_and_the_rest_stays(sent, path, value):
    draft = translated(**sent)

    assert at(draft, path) == value
    assert codes(draft) == []


def test_nothing_stays_where_ecs_has_no_place_for_it():
    """ES-Q1, ES-Q2, ES-Q3."""
    draft = draft_of("easysend", (GOLDEN / "easysend" / "Opened.in.json").read_bytes())

    assert not {"os", "geo", "label", "ecs"} & draft.tree.keys()
    assert set(at(draft, "user_agent.os")) == {"family", "full"}


def test_every_label_is_a_string_and_keeps_its_type_beside():
    """ES-46, ES-Q1, ES-Q6: 26 distinct keys, one a boolean."""
    sent = dict.fromkeys(LABELS.split(), "text") | {"is_co_browsing_on": True}

    draft = translated(label=sent)

    assert len(sent) == 26
    assert at(draft, "labels") == sent | {"is_co_browsing_on": "true"}
    assert at(draft, "easysend.label") == {"is_co_browsing_on": True}


@pytest.mark.parametrize(
    "label",
    [
        {"page_index": "2", "is_co_browsing_on": False},
        {"page_index": 2, "odd": None, "list": ["a"], "deep": {"a.b": 1}},
        {},
    ],
)
def test_the_labels_as_sent_can_be_rendered_again(label):
    """`labels`, with what `easysend.label` holds put over it."""
    draft = translated(label=label)

    typed = at(draft, "easysend.label") or {}
    assert (at(draft, "labels") or {}) | typed == label


def test_labels_beside_label_are_kept():
    draft = translated(label={"role": "agent"}, labels={"role": "other", "env": "prod"})

    assert at(draft, "labels") == {"role": "agent", "env": "prod"}
    assert sent_of(draft)["labels.role"] == "other"
    assert codes(draft) == ["clash"]


def test_a_time_without_a_zone_is_utc():
    """ES-Q9, X-05: the documentation says that all its times are."""
    draft = translated(**{"@timestamp": "2024-11-20T10:37:42.943305"})

    assert draft.at_text == "2024-11-20T10:37:42.943305Z"
    assert sent_of(draft)["@timestamp"] == "2024-11-20T10:37:42.943305"
    assert codes(draft) == ["no-zone"]


def test_the_comma_too_many_of_the_printed_format_does_no_harm():
    """ES-Q5: it stands behind `auth_page`; the wire mends it and says so."""
    (record,) = framing.split(b'{"event":{"action":"Opened"},"label":{"auth_page":"otp",}}')

    draft = registry.of("easysend", load()).translate(record, Settings())

    assert at(draft, "labels") == {"auth_page": "otp"}
    assert draft.findings[0].code.startswith("repaired")


def test_the_version_of_the_schema_stands_as_sent():
    """ES-01, ES-40, X-03."""
    assert sent_of(translated()) == {"ecs.version": "8.11"}


def test_what_the_record_says_of_itself_is_not_overwritten():
    draft = translated(
        event={"action": "Opened", "kind": "event", "category": ["web"], "outcome": "Failure"}
    )

    assert at(draft, "event.category") == ["web", "session"]
    assert at(draft, "event.outcome") == "failure"
    assert sent_of(draft)["event.outcome"] == "Failure"


def test_the_flat_shape_is_kept_with_findings():
    """The sibling page's current sample: no ECS in it."""
    draft = draft_of(
        "easysend",
        {
            "message": "Security log",
            "environment": "acme-easysend",
            "product_type": "Player",
            "event": "Opened",
            "timestamp": "2026-03-02T10:37:42Z",
        },
    )

    assert draft.action == "Opened"
    assert draft.at_text == "2026-03-02T10:37:42.000Z"
    assert at(draft, "message") == "Security log"
    assert at(draft, "service.environment") == "acme-easysend"
    assert at(draft, "easysend.flat") == {"product_type": "Player"}
    assert codes(draft) == ["flat-record"]


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("label", "text", "easysend.label"),
        ("os", ["a"], "easysend.os"),
        ("geo", 7, "easysend.geo"),
    ],
)
def test_a_value_of_the_wrong_type_is_kept_with_a_finding(field, value, path):
    draft = translated(**{field: value})

    assert at(draft, path) == value
    assert codes(draft) == ["wrong-type"]


def test_dotted_keys_are_the_same_log():
    nested = translated()
    dotted = draft_of(
        "easysend",
        {
            "ecs.version": "8.11",
            "@timestamp": "2026-03-02T10:37:42.943305Z",
            "event.action": "Opened",
            "event.timezone": "UTC",
            "label": {"app_type": "player", "page_index": "2"},
        },
    )

    assert plain(dotted.tree) == plain(nested.tree)
