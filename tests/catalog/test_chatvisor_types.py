"""The 14 activities and 7 co-browsing events of Chatvisor's "Data - Audit Logs"."""

import pytest

from sealog.catalog import shelf
from sealog.event.parts import ACTOR, FACTS, TARGET

CUSTOMER = (
    ("chatvisor.data.customerId", TARGET),
    ("chatvisor.data.customerID", TARGET),
    ("chatvisor.data.customerlD", TARGET),
)


@pytest.fixture(scope="module")
def catalog():
    return shelf.load()


@pytest.mark.parametrize(
    ("native", "name", "action", "fields"),
    [
        pytest.param(
            "START_CALL",
            "[Call] Start",
            "call.start",
            ["callId", "callID", "customerId", "customerID", "customerlD"],
            id="CV-01",
        ),
        pytest.param(
            "MESSENGER_SEND",
            "[Messenger] Send message",
            "chat.message.send",
            ["customerId", "customerID", "customerlD"],
            id="CV-02",
        ),
        pytest.param(
            "LIVE_VIEW", "[LiveView] joined", "cobrowsing.join", ["sessionId"], id="CV-03"
        ),
        pytest.param("LOGGED_IN", "[Account] Logged in", "user.login", [], id="CV-04"),
        pytest.param("ONLINE_STATUS_ONLINE", "[Agent] Go Online", "agent.online", [], id="CV-05"),
        pytest.param(
            "ONLINE_STATUS_OFFLINE", "[Agent] Go Offline", "agent.offline", [], id="CV-06"
        ),
        pytest.param(
            "STATUS_CHANGE",
            "[Chat] Status changed",
            "chat.status.change",
            ["customerId", "customerID", "customerlD", "status", "messageId"],
            id="CV-07",
        ),
        pytest.param(
            "ROLE_CHANGE",
            "[Roles] changed",
            "user.role.change",
            ["role", "tenantUser", "tenantUserId", "tenantUserID"],
            id="CV-08",
        ),
        pytest.param(
            "PERMISSION_CHANGE",
            "[Permissions] changed",
            "role.permissions.change",
            ["role", "permissions"],
            id="CV-09",
        ),
        pytest.param(
            "PLUGIN_CHANGE", "[Plugin] changed", "plugin.change", ["configuration"], id="CV-10"
        ),
        pytest.param(
            "SETTINGS_CHANGE",
            "[Settings] changed",
            "settings.change",
            ["configuration"],
            id="CV-11",
        ),
        pytest.param(
            "MEETING_CHANGE",
            "[Meeting] changed",
            "meeting.change",
            ["operation", "conference"],
            id="CV-12",
        ),
        pytest.param(
            "CONFERENCE_AGENT",
            "[Meeting] Agent joined",
            "meeting.join",
            ["callId", "callID", "customerId", "customerID", "customerlD"],
            id="CV-13",
        ),
        pytest.param(
            "CONFERENCE_RECORDING",
            "[Meeting] Recording started",
            "meeting.recording.start",
            ["callId", "callID", "customerId", "customerID", "customerlD", "agents", "tags"],
            id="CV-14",
        ),
    ],
)
def test_an_activity_has_its_printed_name_its_alias_and_its_data(
    catalog, native, name, action, fields
):
    each = catalog.find("chatvisor", native)

    assert (each.name, each.action, each.group) == (name, action, "general")
    assert list(each.fields) == fields
    assert [field.path for field in each.fields.values()] == [f"chatvisor.data.{f}" for f in fields]
    assert each.description


@pytest.mark.parametrize(
    ("native", "name", "action", "data"),
    [
        pytest.param("CLICK", "Clicked on element", "cobrowsing.click", ["element"], id="CV-20"),
        pytest.param(
            "SCROLL",
            "Scroll on page or element",
            "cobrowsing.scroll",
            ["position", "element"],
            id="CV-21",
        ),
        pytest.param("FORM", "Formular sent", "cobrowsing.form.submit", ["form"], id="CV-22"),
        pytest.param(
            "INPUT", "Input changed", "cobrowsing.input.change", ["text", "element"], id="CV-23"
        ),
        pytest.param("PAGECHANGE", "Page changed", "cobrowsing.page.change", ["page"], id="CV-24"),
        pytest.param("SELECTION", "Text or elements selected", "cobrowsing.select", [], id="CV-25"),
        pytest.param(
            "CUSTOM_EVENT",
            "Custom event was triggered via API",
            "cobrowsing.custom",
            ["eventType", "value"],
            id="CV-26",
        ),
    ],
)
def test_a_session_event_tells_which_side_did_what(catalog, native, name, action, data):
    """CV-Q3: where the name column holds the description, it is the name all the same."""
    each = catalog.find("chatvisor", native)

    assert (each.name, each.action, each.group) == (name, action, "co-browsing")
    assert list(each.fields) == ["agent", "sessionId", *data]
    assert each.fields["agent"].type == "boolean"
    assert catalog.entry_paths("chatvisor", native) == (
        ("chatvisor.agent", FACTS),
        ("session.id", ACTOR),
    )
    assert each.description


def test_there_are_14_activities_and_7_session_events(catalog):
    groups = [each.group for each in catalog.dialects["chatvisor"].types]

    assert groups == ["general"] * 14 + ["co-browsing"] * 7


@pytest.mark.parametrize(
    ("native", "category", "types"),
    [
        ("LOGGED_IN", ("authentication",), ("start",)),
        ("ONLINE_STATUS_OFFLINE", ("session",), ("end",)),
        ("ROLE_CHANGE", ("iam",), ("user", "change")),
        ("PERMISSION_CHANGE", ("iam",), ("admin", "change")),
        ("SETTINGS_CHANGE", ("configuration",), ("change",)),
        ("PAGECHANGE", ("web",), ("access",)),
    ],
)
def test_a_type_has_its_place_in_ecs(catalog, native, category, types):
    each = catalog.find("chatvisor", native)

    assert (each.category, each.type) == (category, types)


def test_the_operation_of_a_meeting_is_a_fact_and_counts_as_a_change_by_itself(catalog):
    """CV-Q7: only the record's own value can make it a deletion."""
    each = catalog.find("chatvisor", "MEETING_CHANGE")

    assert (each.category, each.type) == (("configuration",), ("change",))
    assert catalog.entry_paths("chatvisor", "MEETING_CHANGE") == (
        ("chatvisor.data.operation", FACTS),
    )


@pytest.mark.parametrize(
    ("native", "paths"),
    [
        ("START_CALL", CUSTOMER),
        ("STATUS_CHANGE", (*CUSTOMER, ("chatvisor.data.status", FACTS))),
        (
            "ROLE_CHANGE",
            (
                ("chatvisor.data.role", FACTS),
                ("chatvisor.data.tenantUser", TARGET),
                ("chatvisor.data.tenantUserId", TARGET),
                ("chatvisor.data.tenantUserID", TARGET),
            ),
        ),
        ("CONFERENCE_RECORDING", CUSTOMER),
        ("LIVE_VIEW", ()),
    ],
)
def test_the_customer_is_the_one_it_was_done_to(catalog, native, paths):
    """The agents who joined a recorded meeting are several people: they stay in the rest."""
    assert catalog.entry_paths("chatvisor", native) == paths


@pytest.mark.parametrize(
    "native", ["LOGGED_OUT", "LOGIN_FAILED", "END_CALL", "CONFERENCE_RECORDING_STOPPED"]
)
def test_what_the_document_does_not_list_is_not_made_up(catalog, native):
    """CV-Q2"""
    assert catalog.find("chatvisor", native) is None


@pytest.mark.parametrize(
    ("native", "note"),
    [
        ("LOGGED_IN", "The document lists no logout and no failed login."),
        ("START_CALL", "The document lists no end of a call."),
        ("CONFERENCE_RECORDING", "The document lists no end of a recording."),
    ],
)
def test_a_gap_is_told_where_one_would_look_for_it(catalog, native, note):
    """CV-Q2"""
    assert catalog.find("chatvisor", native).note == note


def test_what_was_typed_is_never_a_fact(catalog):
    """CV-Q5"""
    assert catalog.find("chatvisor", "INPUT").fields["text"].part == "rest"
