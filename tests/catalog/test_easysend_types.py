"""The nine events of EasySend's "Security Logs Services" and their 26 labels."""

import pytest

from sealog.catalog import shelf
from sealog.event.parts import FACTS


@pytest.fixture(scope="module")
def catalog():
    return shelf.load()


@pytest.mark.parametrize(
    ("native", "expected"),
    [
        pytest.param(
            "CheckAuthResponseMissingCredentials",
            ("user.login.missing_credentials", ("authentication",), ("start",), "failure"),
            id="ES-02 missing",
        ),
        pytest.param(
            "CheckAuthResponseAuthenticationSucceed",
            ("user.login", ("authentication",), ("start",), "success"),
            id="ES-02 succeed",
        ),
        pytest.param(
            "CheckAuthResponseAuthenticationError",
            ("user.login.error", ("authentication",), ("start",), "failure"),
            id="ES-02 error",
        ),
        pytest.param(
            "CheckAuthResponseAuthenticationFailed",
            ("user.login.failed", ("authentication",), ("start",), "failure"),
            id="ES-02 failed",
        ),
        pytest.param(
            "LinkSent", ("workflow.link.send", ("email",), ("info",), "success"), id="ES-04"
        ),
        pytest.param(
            "Opened",
            ("workflow.open", ("session", "web"), ("start", "access"), "success"),
            id="ES-05",
        ),
        pytest.param(
            "DataSubmitted",
            ("workflow.data.submit", ("web",), ("access",), "success"),
            id="ES-06",
        ),
        pytest.param(
            "StepCompleted",
            ("workflow.step.complete", ("session",), ("info",), "success"),
            id="ES-07",
        ),
        pytest.param(
            "Completed", ("workflow.complete", ("session",), ("end",), "success"), id="ES-08"
        ),
    ],
)
def test_an_event_has_its_alias_its_place_in_ecs_and_its_outcome(catalog, native, expected):
    each = catalog.find("easysend", native)

    assert (each.action, each.category, each.type, each.outcome) == expected
    assert each.description


def test_there_are_nine_events(catalog):
    assert [each.native for each in catalog.dialects["easysend"].types] == [
        "CheckAuthResponseMissingCredentials",
        "CheckAuthResponseAuthenticationSucceed",
        "CheckAuthResponseAuthenticationError",
        "CheckAuthResponseAuthenticationFailed",
        "LinkSent",
        "Opened",
        "DataSubmitted",
        "StepCompleted",
        "Completed",
    ]


@pytest.mark.parametrize(
    ("sent", "native"),
    [
        ("OPENED", "Opened"),
        ("Opened event", "Opened"),
        ("Link Opened", "Opened"),
        ("LINK_OPENED", "Opened"),
        ("Link Sent", "LinkSent"),
        ("link_sent", "LinkSent"),
        ("Link Sent event", "LinkSent"),
        ("Data Submitted", "DataSubmitted"),
        ("data-submitted", "DataSubmitted"),
        ("Step Completed event", "StepCompleted"),
        ("Completed Step", "StepCompleted"),
        ("COMPLETED", "Completed"),
        ("check_auth_response_authentication_failed", "CheckAuthResponseAuthenticationFailed"),
    ],
)
def test_names_are_known_however_they_are_spelled(catalog, sent, native):
    """ES-04 to ES-08: the page prints no names, and its sibling prints several."""
    assert catalog.find("easysend", sent).native == native


@pytest.mark.parametrize("sent", ["Closed", "Link", "CheckAuthResponse", "event", "", "Succeeded"])
def test_other_names_are_not_known(catalog, sent):
    assert catalog.find("easysend", sent) is None


LABELS = [
    "app_type",
    "customer_id",
    "business_group",
    "business_group_id",
    "deploy_timestamp",
    "is_co_browsing_on",
    "master_rid",
    "page_analytics_id",
    "page_index",
    "page_name",
    "process_id",
    "process_multi_language",
    "request_id",
    "rid",
    "role",
    "source_type",
    "source_value",
    "step_id",
    "step_index",
    "web_flow_name",
    "webflow_id",
    "player_version",
    "authentication_method",
    "authentication_status",
    "auth_action",
    "auth_page",
]


def test_every_event_carries_the_26_labels(catalog):
    """ES-46: all are strings, the indexes too, but for one boolean."""
    for each in catalog.dialects["easysend"].types:
        assert list(each.fields) == LABELS
        assert [name for name, field in each.fields.items() if field.type != "string"] == [
            "is_co_browsing_on"
        ]
        assert [field.path for field in each.fields.values()] == [f"labels.{n}" for n in LABELS]


def test_labels_from_a_closed_set_of_words_and_numbers_are_facts(catalog):
    assert catalog.entry_paths("easysend", "OPENED") == (
        ("labels.app_type", FACTS),
        ("labels.deploy_timestamp", FACTS),
        ("labels.is_co_browsing_on", FACTS),
        ("labels.page_index", FACTS),
        ("labels.role", FACTS),
        ("labels.source_type", FACTS),
        ("labels.step_index", FACTS),
        ("labels.player_version", FACTS),
        ("labels.authentication_method", FACTS),
        ("labels.authentication_status", FACTS),
        ("labels.auth_action", FACTS),
    )
