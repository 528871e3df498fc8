import pytest
from tests.dialects.samples import at, codes, draft_of, sent_of

from sealog.errors import Refused


def activity(type_, data=None, **over):
    sent = {
        "id": "cv-1",
        "timestamp": "2026-04-01T09:00:00.123Z",
        "type": type_,
        "tenantUserId": "tu-42",
        **({} if data is None else {"data": data}),
        **over,
    }
    return draft_of("chatvisor", sent)


def in_session(type_, data=None, *, agent=True, **over):
    sent = {
        "timestamp": "2026-04-01T09:00:00.123Z",
        "type": type_,
        "sessionId": "sess-9",
        "agent": agent,
        **({} if data is None else {"data": data}),
        **over,
    }
    return draft_of("chatvisor", sent)


@pytest.mark.parametrize(
    ("type_", "data", "alias"),
    [
        pytest.param("START_CALL", {"callId": "1"}, "call.start", id="CV-01"),
        pytest.param("MESSENGER_SEND", {"customerId": "c"}, "chat.message.send", id="CV-02"),
        pytest.param("LIVE_VIEW", {"sessionId": "s"}, "cobrowsing.join", id="CV-03"),
        pytest.param("LOGGED_IN", None, "user.login", id="CV-04"),
        pytest.param("ONLINE_STATUS_ONLINE", None, "agent.online", id="CV-05"),
        pytest.param("ONLINE_STATUS_OFFLINE", None, "agent.offline", id="CV-06"),
        pytest.param("STATUS_CHANGE", {"status": "Done"}, "chat.status.change", id="CV-07"),
        pytest.param("ROLE_CHANGE", {"role": "r"}, "user.role.change", id="CV-08"),
        pytest.param("PERMISSION_CHANGE", {"role": "r"}, "role.permissions.change", id="CV-09"),
        pytest.param("PLUGIN_CHANGE", {"configuration": {}}, "plugin.change", id="CV-10"),
        pytest.param("SETTINGS_CHANGE", {"configuration": {}}, "settings.change", id="CV-11"),
        pytest.param("MEETING_CHANGE", {"operation": "DELETE"}, "meeting.change", id="CV-12"),
        pytest.param("CONFERENCE_AGENT", {"callId": "1"}, "meeting.join", id="CV-13"),
        pytest.param("CONFERENCE_RECORDING", {"tags": []}, "meeting.recording.start", id="CV-14"),
    ],
)
def test_every_activity_is_known_with_the_tenant_user_and_its_data(type_, data, alias):
    """X-01; CV-33: a changed configuration is there as it became, and nothing is made up."""
    draft = activity(type_, data)

    assert (draft.action, draft.alias, draft.known) == (type_, alias, True)
    assert draft.id == "cv-1"
    assert draft.at_text == "2026-04-01T09:00:00.123Z"
    assert at(draft, "user.id") == "tu-42"
    assert at(draft, "sealog.actor.kind") == "user"
    assert at(draft, "chatvisor.data") == data
    assert at(draft, "event.provider") == "chatvisor"
    assert codes(draft) == []


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        pytest.param("CLICK", {"element": "#buy"}, id="CV-20"),
        pytest.param("SCROLL", {"position": {"x": 0, "y": 640}, "element": "page"}, id="CV-21"),
        pytest.param("FORM", {"form": "checkout"}, id="CV-22"),
        pytest.param("INPUT", {"text": "Ada", "element": "#name"}, id="CV-23-CV-Q5"),
        pytest.param("PAGECHANGE", {"page": "/checkout"}, id="CV-24"),
        pytest.param("SELECTION", None, id="CV-25-CV-Q3"),
        pytest.param("CUSTOM_EVENT", {"eventType": "offer", "value": 17}, id="CV-26-CV-32"),
    ],
)
@pytest.mark.parametrize(("agent", "kind"), [(True, "agent"), (False, "customer")])
def test_every_session_event_tells_the_session_and_the_side(type_, data, agent, kind):
    """CV-30, CV-31, X-02."""
    draft = in_session(type_, data, agent=agent)

    assert draft.known
    assert at(draft, "session.id") == "sess-9"
    assert at(draft, "sealog.actor.kind") == kind
    assert at(draft, "chatvisor.agent") is agent
    assert at(draft, "chatvisor.data") == data
    assert codes(draft) == []


def test_joining_a_session_is_found_by_that_session():
    """CV-30: the session in the activity's data is the link to the session's own events."""
    draft = activity("LIVE_VIEW", {"sessionId": "sess-9"})

    assert at(draft, "session.id") == "sess-9"
    assert at(draft, "chatvisor.data.sessionId") == "sess-9"


@pytest.mark.parametrize("key", ["customerId", "customerID", "customerlD"])
def test_the_customer_is_the_target_however_the_id_is_spelled(key):
    draft = activity("START_CALL", {"callID": "call-1", key: "cust-7"})

    assert at(draft, "user.target") == {"id": "cust-7"}
    assert at(draft, "chatvisor.data") == {"callID": "call-1", key: "cust-7"}


@pytest.mark.parametrize(
    ("person", "target"),
    [
        ("tu-43", {"id": "tu-43"}),
        (43, {"id": "43"}),
        ({"id": "tu-43", "name": "Ada"}, {"id": "tu-43", "name": "Ada"}),
        (None, None),
        ([1], None),
    ],
)
def test_the_tenant_user_whose_role_changed_is_the_target(person, target):
    """CV-08."""
    draft = activity("ROLE_CHANGE", {"role": "admin", "tenantUser": person})

    assert at(draft, "user.target") == target
    assert at(draft, "chatvisor.data.tenantUser") == person


@pytest.mark.parametrize(
    ("data", "type_"),
    [
        ({"operation": "CREATE_OR_UPDATE"}, ["change"]),
        ({"operation": "DELETE"}, ["deletion"]),
        ({"action": "DELETE", "conference": {"title": "Weekly"}}, ["deletion"]),
        ({"conference": {"title": "DELETE"}}, ["change"]),
        ({}, ["change"]),
        ("DELETE", ["change"]),
    ],
)
def test_what_became_of_a_meeting_follows_from_the_operation(data, type_):
    """CV-Q7: one type, two operations, and one of them says creation or change."""
    assert at(activity("MEETING_CHANGE", data), "event.type") == type_


def test_the_printed_name_is_the_catalogs_and_is_not_stored():
    """CV-Q1: names mix their styles; the type is what stays."""
    draft = activity("LIVE_VIEW", {"sessionId": "s"})

    assert "name" not in at(draft, "chatvisor")


@pytest.mark.parametrize("type_", ["LOGGED_OUT", "LOGIN_FAILED", "END_CALL", "RECORDING_STOPPED"])
def test_what_the_list_lacks_is_kept_and_found_unknown(type_):
    """CV-Q2: a gap of the product is surfaced, not filled in silence."""
    draft = activity(type_)

    assert draft.action == type_
    assert draft.alias == "chatvisor." + type_.lower().replace("_", ".")
    assert codes(draft) == ["unknown-type"]


def test_an_activity_claims_no_more_than_is_documented():
    """CV-Q6: no address, no outcome of its own."""
    draft = activity("LOGGED_IN")

    assert draft.tree.keys() == {"event", "user", "sealog"}


@pytest.mark.parametrize(
    ("over", "path", "kept", "found"),
    [
        ({"timestamp": 1775034000123}, "@timestamp", 1775034000123, ["wrong-type"]),
        ({"timestamp": "soon"}, "@timestamp", "soon", ["bad-time"]),
        ({"timestamp": None}, "@timestamp", None, ["no-time"]),
        ({"timestamp": {"at": 1}}, "@timestamp", {"at": 1}, ["bad-time"]),
        ({"tenantUserId": 42}, "user.id", 42, []),
        ({"tenantUserId": {"id": 1}}, "user.id", {"id": 1}, ["wrong-type"]),
        ({"type": 7}, "event.action", 7, ["wrong-type", "no-action"]),
        ({"type": None}, "event.action", None, ["no-action"]),
        ({"id": 9}, "event.id", 9, ["bad-id"]),
        ({"id": "a@b"}, "event.id", "a@b", ["bad-id"]),
        ({"organization": {"id": 5}}, "organization.id", 5, ["wrong-type"]),
        ({"organization": "acme"}, "organization", "acme", ["not-an-object"]),
    ],
)
def test_a_value_of_the_wrong_type_stands_as_sent(over, path, kept, found):
    draft = activity("LOGGED_IN", **over)

    assert sent_of(draft)[path] == kept
    assert codes(draft) == found


@pytest.mark.parametrize("data", ["text", 7, ["a"], True])
def test_data_that_is_no_object_is_kept_with_a_finding(data):
    draft = activity("LOGGED_IN", data)

    assert at(draft, "chatvisor.data") == data
    assert codes(draft) == ["wrong-type"]


@pytest.mark.parametrize("flag", ["true", 1, None, {}])
def test_a_side_that_is_neither_true_nor_false_is_nobodys(flag):
    draft = in_session("CLICK", agent=flag)

    assert at(draft, "sealog.actor.kind") == "absent"
    assert at(draft, "chatvisor.agent") == flag
    assert codes(draft) == ["wrong-type"]


def test_unknown_fields_stand_under_the_dialects_object():
    draft = activity("LOGGED_IN", ip="203.0.113.9", nested={"a.b": 1})

    assert at(draft, "chatvisor") == {"ip": "203.0.113.9", "nested": {"a.b": 1}}


@pytest.mark.parametrize(
    "organization", [{"organization": {"id": "acme"}}, {"organization.id": "acme"}]
)
def test_the_organisation_of_a_record_is_its_tenant(organization):
    draft = activity("LOGGED_IN", **organization)

    assert draft.tenant == "acme"
    assert "organization" not in draft.tree


def test_an_action_of_sealogs_own_is_refused():
    with pytest.raises(Refused, match=r"sealog\."):
        activity(" Sealog.retention")
