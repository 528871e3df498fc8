"""Chatvisor's activity log, and the log of a session."""

import msgspec
import pytest
from tests.compat.elastic_house import serving


def activity(minute, native, data=None, user="tu-42"):
    record = {
        "timestamp": f"2026-04-01T09:{minute:02}:00.123Z",
        "type": native,
        "tenantUserId": user,
    }
    return record | ({} if data is None else {"data": data})


def session_event(minute, native, data, *, agent, session="sess-9"):
    return {
        "timestamp": f"2026-04-01T10:{minute:02}:00.456Z",
        "type": native,
        "sessionId": session,
        "agent": agent,
        "data": data,
    }


ACTIVITIES = [
    activity(0, "LOGGED_IN"),
    activity(1, "PLUGIN_CHANGE", {"configuration": {"plugin": "crm", "enabled": False}}),
    activity(2, "PLUGIN_CHANGE", {"configuration": {"plugin": "mail", "enabled": True}}),
    activity(3, "PLUGIN_CHANGE", {"configuration": {"plugin": "crm", "enabled": True, "key": "k"}}),
    activity(4, "SETTINGS_CHANGE", {"configuration": {"security": {"twoFactor": False}}}),
    activity(5, "SETTINGS_CHANGE", {"configuration": {"security": {"twoFactor": True}}}, "tu-7"),
    activity(6, "LIVE_VIEW", {"sessionId": "sess-9"}),
]
SESSION = [
    session_event(0, "PAGECHANGE", {"page": "/offers"}, agent=False),
    session_event(1, "CLICK", {"element": "button#buy"}, agent=True),
    session_event(2, "CUSTOM_EVENT", {"eventType": "offer.shown", "value": 17}, agent=False),
    session_event(3, "CLICK", {"element": "a"}, agent=True, session="sess-10"),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("house") / "data") as house:
        house.send("shop", "chatvisor", b"\n".join(map(msgspec.json.encode, ACTIVITIES + SESSION)))
        yield house


@pytest.fixture
def client(house):
    with house.client(house.key_for("shop")) as client:
        client.base_url = house.url
        yield client


def logs(client, **params):
    answer = client.get("/chatvisor/activity-logs", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["logs"]


def test_the_activity_log_has_its_columns_and_who_it_was(client):
    """CV-03, CV-04, CV-30: Type, Name, Description, Data, and the tenant user's id."""
    found = logs(client)

    assert [one["type"] for one in found] == [one["type"] for one in reversed(ACTIVITIES)]
    live_view = found[0]
    assert live_view["name"] == "[LiveView] joined"
    assert live_view["description"]
    assert live_view["data"] == {"sessionId": "sess-9"}
    assert live_view["tenantUserId"] == "tu-42"
    assert live_view["timestamp"] == "2026-04-01T09:06:00.123Z"
    assert found[-1]["data"] is None


def test_a_type_and_a_user_can_be_asked_for(client):
    assert len(logs(client, type="PLUGIN_CHANGE")) == 3
    assert [one["type"] for one in logs(client, tenantUserId="tu-7")] == ["SETTINGS_CHANGE"]


def test_a_new_configuration_is_shown_against_the_last_of_the_same_object(client):
    """CV-10, CV-11, CV-33: of another plugin there is no telling."""
    newest, mail, first = logs(client, type="PLUGIN_CHANGE")

    assert newest["changes"] == [
        {
            "object": "plugin crm",
            "previous": {"index": 1, "timestamp": "2026-04-01T09:01:00.123Z"},
            "changed": [
                {"path": "/enabled", "old": False, "new": True},
                {"path": "/key", "new": "k"},
            ],
        }
    ]
    assert mail["changes"] == [{"object": "plugin mail", "previous": None}]
    assert first["changes"] == [{"object": "plugin crm", "previous": None}]
    settings = logs(client, type="SETTINGS_CHANGE")[0]["changes"]
    assert settings[0]["changed"] == [{"path": "/twoFactor", "old": False, "new": True}]


def test_a_session_is_reached_from_the_activity_that_joined_it(client):
    """CV-20 to CV-26, CV-30 to CV-32: in its order, with which side it was."""
    (joined,) = logs(client, type="LIVE_VIEW")

    found = client.get(f"/chatvisor/sessions/{joined['data']['sessionId']}").json()

    assert found["sessionId"] == "sess-9"
    assert [one["type"] for one in found["events"]] == ["PAGECHANGE", "CLICK", "CUSTOM_EVENT"]
    assert [one["agent"] for one in found["events"]] == [False, True, False]
    assert found["events"][2]["data"] == {"eventType": "offer.shown", "value": 17}
    assert found["events"][0]["timestamp"] == "2026-04-01T10:00:00.456Z"
    assert [one["id"] for one in found["joined"]] == [joined["id"]]


def test_a_session_is_read_page_by_page(client):
    first = client.get("/chatvisor/sessions/sess-9", params={"limit": 2}).json()
    cursor = first["next_cursor"]
    second = client.get("/chatvisor/sessions/sess-9", params={"limit": 2, "cursor": cursor}).json()

    assert [one["type"] for one in first["events"] + second["events"]] == [
        "PAGECHANGE",
        "CLICK",
        "CUSTOM_EVENT",
    ]
    assert "joined" not in second


def test_a_session_that_never_was_is_empty(client):
    assert client.get("/chatvisor/sessions/nothing").json() == {
        "sessionId": "nothing",
        "joined": [],
        "events": [],
        "next_cursor": None,
    }


def test_what_cannot_be_read_is_refused(client):
    assert client.get("/chatvisor/activity-logs", params={"typ": "x"}).status_code == 422


def test_an_odd_record_hides_none_of_its_neighbours(house):
    """A number past a double and half a character are kept, so they are shown as they came."""
    odd = b'{"type":"PLUGIN_CHANGE","timestamp":"2026-04-01T10:02:00Z","tenantUserId":"u\\ud800","data":{"plugin":"a","configuration":{"x":1e400}}}'
    house.send("odd", "chatvisor", odd + b"\n" + msgspec.json.encode(ACTIVITIES[0]))

    with house.client(house.key_for("odd")) as client:
        answer = client.get(f"{house.url}/chatvisor/activity-logs")

    assert answer.status_code == 200
    assert b'"tenantUserId":"u\\ud800"' in answer.content
    assert b'"data":{"plugin":"a","configuration":{"x":1e400}}' in answer.content
    assert b'"type":"LOGGED_IN"' in answer.content
