"""What the documents print of each product's records comes out again, point by point."""

from pathlib import Path

import msgspec
import pytest
from tests.dialects.samples import GOLDEN
from tests.rendering.made import one, shown

CLOSER = [
    ("CL-10", "_source.@timestamp", "2021-05-05T09:27:12.529+0000"),
    ("CL-11", "_source.message/event.kind", ["event"]),
    ("CL-12", "_source.message/source.ip", "/89.187.249.34"),
    ("CL-13", "_source.message/user.id", "00000000-0000-0000-0000-000000000000"),
    ("CL-14", "_source.message/user.roles", ["ADMIN"]),
    ("CL-15", "_source.message/http.request.body.content", '{"skills":["skill"]}'),
    ("CL-16", "_source.message/http.request.method", "PUT"),
    ("CL-17", "_source.message/http.response.body", None),
    ("CL-18", "_source.message/http.response.status_code", 204),
    (
        "CL-19",
        "_source.message/url.full",
        "http://spinner.stage.closer.app/api/users/agents/00000000-0000-0000-0000-000000000000/skills",
    ),
    ("CL-20 category", "_source.message/event.category", ["configuration"]),
    ("CL-20 type", "_source.message/event.type", ["change", "user"]),
    ("CL-20 outcome", "_source.message/event.outcome", "success"),
    ("CL-20 action", "_source.message/event.action", "agent_skills_change"),
    ("CL-21", "_source.message/ecs.version", "1.9"),
    ("CL-22 index", "_index", "closer"),
    ("CL-22 type", "_type", "entry"),
    ("CL-22 id", "_id", "s3baO3kBZbVQk2pxTK-w"),
    ("CL-22 version", "_version", 1),
    ("CL-22 score", "_score", 0),
]
EASYSEND = [
    ("ES-40 version", "ecs.version", str),
    ("ES-40 time", "@timestamp", str),
    ("ES-40 organization", "organization.name", str),
    ("ES-41 language", "user_agent.os.browser_language", str),
    ("ES-41 platform", "user_agent.os.browser_platform", str),
    ("ES-41 mobile", "user_agent.os.is_mobile_device", bool),
    ("ES-41 bot", "user_agent.os.is_verified_bot", bool),
    ("ES-41 name", "user_agent.name", str),
    ("ES-41 device", "user_agent.device.name", str),
    ("ES-41 original", "user_agent.original", str),
    ("ES-42 family", "os.family", str),
    ("ES-42 full", "os.full", str),
    ("ES-42 ip", "client.ip", str),
    ("ES-43 action", "event.action", str),
    ("ES-43 timezone", "event.timezone", str),
    ("ES-44 country", "geo.country_name", str),
    ("ES-44 region", "geo.region_name", str),
    ("ES-45 url", "url.full", str),
    ("ES-45 domain", "url.domain", str),
    ("ES-45 environment", "service.environment", str),
    ("ES-46 index", "label.page_index", str),
    ("ES-46 flag", "label.is_co_browsing_on", bool),
]
CHATVISOR = [
    ("CV-01", "START_CALL", {"callId", "customerId"}),
    ("CV-02", "MESSENGER_SEND", {"customerId"}),
    ("CV-03", "LIVE_VIEW", {"sessionId"}),
    ("CV-04", "LOGGED_IN", set()),
    ("CV-05", "ONLINE_STATUS_ONLINE", set()),
    ("CV-06", "ONLINE_STATUS_OFFLINE", set()),
    ("CV-07", "STATUS_CHANGE", {"customerId", "status", "messageId"}),
    ("CV-13", "CONFERENCE_AGENT", {"callID", "customerID"}),
    ("CV-20", "CLICK", {"element"}),
    ("CV-21", "SCROLL", {"element", "position"}),
    ("CV-22", "FORM", {"form"}),
    ("CV-23", "INPUT", {"element", "text"}),
    ("CV-24", "PAGECHANGE", {"page"}),
    ("CV-25", "SELECTION", set()),
    ("CV-26", "CUSTOM_EVENT", {"eventType", "value"}),
]
CHANGES = [
    ("CV-08", "ROLE_CHANGE"),
    ("CV-09", "PERMISSION_CHANGE"),
    ("CV-10", "PLUGIN_CHANGE"),
    ("CV-11", "SETTINGS_CHANGE"),
    ("CV-12", "MEETING_CHANGE"),
    ("CV-14", "CONFERENCE_RECORDING"),
]
SUPSIS = [
    ("CP-10", "chat-assigned-to-user"),
    ("CP-11", "chat-opened"),
    ("CP-12", "user-joined-to-chat"),
    ("CP-13", "chat-closed"),
    ("CP-14", "login"),
    ("CP-14", "logout"),
]
LOGICHUB = [
    ("LH-10", "UserLoginSuccess", {"needsPasswordReset", "actorRole", "authenticationType"}),
    ("LH-10", "UserLoginFailed", {"message"}),
    ("LH-10", "UserPrivilegeChange", {"editedUsername", "oldRole", "newRole"}),
    ("LH-10", "UserEmailChanged", {"oldEmail", "newEmail", "editedUsername"}),
    ("LH-20", "FlowModified", {"flowId", "modifiedType", "oldData", "newData"}),
    ("LH-30", "PythonScriptDeleted", {"names"}),
    ("LH-40", "BatchExecuted", {"batchStartTime", "batchEndTime", "executionTime", "nodeCount"}),
    ("LH-40", "NodeDeleted", {"flowId", "nodeIds"}),
    ("LH-50", "CaseClosed", {"caseId", "title", "timeTaken"}),
    ("LH-50", "CaseCurrentStatus", {"countDone", "countToDo", "countProgress"}),
    ("LH-60", "IntegrationConnectionCreated", {"label", "data", "descriptorId"}),
    ("LH-70", "CustomListRowEdited", {"name", "before", "after", "action"}),
]


def back(dialect, case):
    """A documented sample, stored and rendered into its own dialect again."""
    sent = Path(GOLDEN / dialect / f"{case}.in.json").read_bytes()
    return shown(one(dialect, sent), dialect)


def at(record, path):
    """The value at a dotted path; behind a slash stands a key that is dotted itself."""
    above, _, last = path.partition("/")
    for step in above.split("."):
        record = record.get(step)
    return record.get(last) if last else record


def named(rows):
    return [pytest.param(*row[1:], id=f"{row[0]} {row[1]}") for row in rows]


@pytest.mark.parametrize(
    ("path", "value"), [pytest.param(path, value, id=name) for name, path, value in CLOSER]
)
def test_closers_sample_has_every_documented_field(path, value):
    assert at(back("closer", "sample"), path) == value


@pytest.mark.parametrize(
    ("path", "kind"), [pytest.param(path, kind, id=name) for name, path, kind in EASYSEND]
)
def test_easysends_log_has_every_documented_field_in_its_type(path, kind):
    assert type(at(back("easysend", "Opened"), path)) is kind


def test_easysends_log_has_every_documented_label():
    """ES-46: 26 keys; all but one are strings."""
    label = back("easysend", "Opened")["label"]

    assert len(label) == 26
    assert {type(value) for key, value in label.items() if key != "is_co_browsing_on"} == {str}


@pytest.mark.parametrize(("type_", "keys"), named(CHATVISOR))
def test_chatvisors_type_has_its_documented_data(type_, keys):
    record = back("chatvisor", type_)

    assert record["type"] == type_
    assert record.get("data", {}).keys() >= keys


@pytest.mark.parametrize("type_", named(CHANGES))
def test_chatvisors_change_says_what_it_was(type_):
    record = back("chatvisor", type_)

    assert record["type"] == type_
    assert record["tenantUserId"]
    assert record["data"]


@pytest.mark.parametrize("activity", named(SUPSIS))
def test_supsis_shows_its_columns(activity):
    """CP-01 date and time, CP-02 user, CP-03 address, CP-04 activity."""
    record = back("supsis", activity)

    assert record["activity"] == activity
    assert record["dateTime"].startswith("2026-")
    assert record["user"]
    assert "ip" in record or activity != "login"


@pytest.mark.parametrize(("type_", "keys"), named(LOGICHUB))
def test_logichubs_type_has_its_documented_details(type_, keys):
    """LH-01 five fields, LH-02 their meaning, LH-03 a status on every sample."""
    record = back("logichub", type_)

    assert record["type"] == type_
    assert record.keys() >= {"time", "category", "type", "details"}
    assert record["details"].keys() >= keys | {"status"}


def test_every_sample_of_logichub_has_the_envelope():
    """LH-01 to LH-03, of all that are printed; LH-Q15: those of custom lists name no actor."""
    cases = [path.name.removesuffix(".in.json") for path in (GOLDEN / "logichub").glob("*.in.json")]

    records = [back("logichub", case) for case in cases]

    assert len(records) >= 44
    for record in records:
        assert record.keys() - {"actor"} == {"time", "category", "type", "details"}
        assert record["details"]["status"] in ("SUCCESS", "FAILURE", "FAILED")


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("UserPasswordResetFailed", ["details", "message"]),
        ("CaseCurrentStatus", ["details", "countToDo"]),
        ("CaseClosed", ["details", "timeTaken"]),
    ],
)
def test_numbers_that_were_sent_as_strings_stay_strings(case, expected):
    """LH-Q13: and `version` stays a number."""
    record = back("logichub", case)

    for step in expected:
        record = record[step]
    assert type(record) is str
    assert back("logichub", "FlowPublished")["details"]["version"] == 23
    assert msgspec.json.encode(record)
