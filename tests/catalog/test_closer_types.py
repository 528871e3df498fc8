"""The 58 event actions of Closer's "Elasticsearch security logs"."""

import pytest

from sealog.catalog import shelf

CONFIGURATION = {
    "creation": (("configuration",), ("creation",)),
    "change": (("configuration",), ("change",)),
    "deletion": (("configuration",), ("deletion",)),
}
LOGIN = (("authentication",), ("start",))
LOGOUT = (("authentication",), ("end",))
AGENT_CHANGE = (("iam",), ("user", "change"))
AGENT_CREATION = (("iam",), ("user", "creation"))

ORGANISATION = ["org_config_change", "free_org_creation", "stripe_org_creation"]
WIDGET_HEADER = [
    "widget_logo_creation",
    "widget_logo_deletion",
    "widget_background_creation",
    "widget_background_deletion",
]
AGENT = [
    "agent_profile_change",
    "agent_deactivation",
    "agent_restore",
    "agent_login",
    "agent_login_with_magic_link",
    "agent_logout",
    "agent_password_change",
    "agent_password_change_with_token",
    "agent_password_reset",
    "agent_skills_change",
    "agent_preferences_change",
    "agent_limit_change",
    "agent_role_change",
    "agent_invitation",
    "agent_invitation_acceptation",
    "agent_avatar_creation",
    "agent_avatar_deletion",
]
UNAVAILABILITY_REASON = [
    "unavailability_reason_creation",
    "unavailability_reason_change",
    "unavailability_reason_deletion",
]
BOT = [
    "bot_type_change",
    "lekta_config_creation",
    "lekta_config_change",
    "event_action_config_creation",
    "event_action_config_change",
    "event_action_config_deletion",
]
AI_SUGGESTIONS = [
    "ai_suggestions_config_change",
    "ai_suggestions_intent_creation",
    "ai_suggestions_intent_change",
    "ai_suggestions_intent_deletion",
    "ai_suggestions_dataset_creation",
    "ai_suggestions_dataset_change",
    "ai_suggestions_dataset_deletion",
]
WIDGET_FORM = [
    "widget_form_config_creation",
    "widget_form_config_change",
    "widget_form_config_deletion",
]
OAUTH = [
    "oauth_authorization",
    "oauth_config_creation",
    "oauth_config_change",
    "oauth_config_deletion",
]
PROACTIVE_MESSAGES = [
    "proactive_messages_config_creation",
    "proactive_messages_config_change",
    "proactive_messages_config_deletion",
]
PROFANITIES = ["profanities_config_creation", "profanities_config_change"]
TAG_MAPPING = [
    "tag_mapping_config_creation",
    "tag_mapping_config_change",
    "tag_mapping_config_deletion",
]
TOPIC = ["org_topic_creation", "org_topic_change", "org_topic_deletion"]

GROUPS = {
    "CL-30": ORGANISATION,
    "CL-31": WIDGET_HEADER,
    "CL-32": AGENT,
    "CL-33": UNAVAILABILITY_REASON,
    "CL-34": BOT,
    "CL-35": AI_SUGGESTIONS,
    "CL-36": WIDGET_FORM,
    "CL-37": OAUTH,
    "CL-38": PROACTIVE_MESSAGES,
    "CL-39": PROFANITIES,
    "CL-40": TAG_MAPPING,
    "CL-41": TOPIC,
}


@pytest.fixture(scope="module")
def catalog():
    return shelf.load()


def meaning(catalog, native):
    each = catalog.find("closer", native)
    return each.category, each.type


def test_the_58_actions_stand_in_the_order_of_the_document(catalog):
    natives = [each.native for each in catalog.dialects["closer"].types]

    assert natives == [native for group in GROUPS.values() for native in group]
    assert len(natives) == 58


@pytest.mark.parametrize("natives", GROUPS.values(), ids=GROUPS)
def test_every_action_of_a_group_is_described_and_judged_by_its_http_status(catalog, natives):
    for native in natives:
        each = catalog.find("closer", native)

        assert each.description
        assert (each.kind, each.outcome, each.documented) == ("event", "http-status", True)


@pytest.mark.parametrize(
    "native",
    [
        pytest.param(native, id=f"{requirement} {native}")
        for requirement, natives in GROUPS.items()
        if requirement != "CL-32"
        for native in natives
        if native != "oauth_authorization"
    ],
)
def test_all_but_agents_and_authorisation_is_configuration(catalog, native):
    verb = native.rpartition("_")[2]

    assert meaning(catalog, native) == CONFIGURATION[verb]


@pytest.mark.parametrize(
    ("native", "expected"),
    [
        pytest.param("agent_login", LOGIN, id="CL-32 login"),
        pytest.param("agent_login_with_magic_link", LOGIN, id="CL-32 magic link"),
        pytest.param("oauth_authorization", LOGIN, id="CL-37 authorisation"),
        pytest.param("agent_logout", LOGOUT, id="CL-32 logout"),
        pytest.param("agent_password_change", AGENT_CHANGE, id="CL-32 password"),
        pytest.param("agent_password_change_with_token", AGENT_CHANGE, id="CL-32 token"),
        pytest.param("agent_password_reset", AGENT_CHANGE, id="CL-32 reset"),
        pytest.param("agent_role_change", AGENT_CHANGE, id="CL-32 role"),
        pytest.param("agent_profile_change", AGENT_CHANGE, id="CL-32 profile"),
        pytest.param("agent_skills_change", AGENT_CHANGE, id="CL-32 skills"),
        pytest.param("agent_limit_change", AGENT_CHANGE, id="CL-32 limit"),
        pytest.param("agent_preferences_change", AGENT_CHANGE, id="CL-32 preferences"),
        pytest.param("agent_restore", AGENT_CHANGE, id="CL-32 restore"),
        pytest.param("agent_invitation", AGENT_CREATION, id="CL-32 invitation"),
        pytest.param("agent_invitation_acceptation", AGENT_CREATION, id="CL-32 acceptance"),
        pytest.param("agent_avatar_creation", AGENT_CREATION, id="CL-32 avatar"),
        pytest.param(
            "agent_avatar_deletion", (("iam",), ("user", "deletion")), id="CL-32 avatar removed"
        ),
        pytest.param(
            "agent_deactivation",
            (("iam",), ("user", "deletion", "change")),
            id="CL-32 deactivation can be undone",
        ),
    ],
)
def test_agents_and_customers_are_people(catalog, native, expected):
    assert meaning(catalog, native) == expected


@pytest.mark.parametrize(
    ("native", "action"),
    [
        ("org_config_change", "org.config.change"),
        ("agent_skills_change", "agent.skills.change"),
        ("agent_login", "agent.login"),
        ("agent_login_with_magic_link", "agent.login.magic_link"),
        ("agent_logout", "agent.logout"),
        ("oauth_authorization", "customer.login.oauth"),
        ("widget_form_config_deletion", "widget.form.deletion"),
        ("org_topic_creation", "org.topic.creation"),
    ],
)
def test_an_action_has_a_dotted_alias(catalog, native, action):
    assert catalog.find("closer", native).action == action


@pytest.mark.parametrize(
    "native",
    [
        "lekta_config_deletion",
        "profanities_config_deletion",
        "org_deletion",
        "free_org_deletion",
        "customer_logout",
        "oauth_logout",
    ],
)
def test_what_the_document_does_not_list_is_not_made_up(catalog, native):
    """CL-42"""
    assert catalog.find("closer", native) is None


@pytest.mark.parametrize(
    ("native", "note"),
    [
        ("lekta_config_change", "The document lists no deletion of it."),
        ("profanities_config_change", "The document lists no deletion of it."),
        ("oauth_authorization", "The document lists no logout of a customer."),
        ("agent_limit_change", "The document says that it is not in use at present."),
    ],
)
def test_a_gap_is_told_where_one_would_look_for_it(catalog, native, note):
    """CL-32, CL-42"""
    assert catalog.find("closer", native).note == note
