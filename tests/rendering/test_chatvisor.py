import msgspec
import pytest
from tests.rendering.made import one, parts, shown, without

ACTIVITY = {
    "id": "a1",
    "timestamp": "2026-01-31T13:00:00+01:00",
    "type": "ROLE_CHANGE",
    "tenantUserId": 17,
    "data": {"role": "admin", "tenantUser": "18"},
}
SESSION = {
    "timestamp": "2026-01-31T12:00:01.000Z",
    "type": "CLICK",
    "sessionId": "c-9",
    "agent": True,
    "data": {"element": "#pay"},
    "tab": 3,
}


@pytest.mark.parametrize("record", [ACTIVITY, SESSION], ids=["activity", "session"])
def test_a_record_comes_back_as_it_was_sent(record):
    """CV-01 to CV-26: type and data to the letter, and the tenant user or the session."""
    assert shown(one("chatvisor", record), "chatvisor") == record


def test_without_the_actor_an_activity_is_what_is_left():
    found = shown(without(one("chatvisor", ACTIVITY), "actor"), "chatvisor")

    assert found == {
        "id": "a1",
        "timestamp": "2026-01-31T13:00:00+01:00",
        "type": "ROLE_CHANGE",
        "data": {"role": "admin", "tenantUser": "18"},
        "sealog": {"erased": ["actor"]},
    }


def test_without_the_target_a_session_that_the_data_name_stays_there():
    """CV-30: `LIVE_VIEW` names the session in its data, and nowhere else."""
    joined = ACTIVITY | {"type": "LIVE_VIEW", "data": {"sessionId": "c-9", "customerId": "4"}}

    found = shown(without(one("chatvisor", joined), "target"), "chatvisor")

    assert "sessionId" not in found
    assert found["data"]["sessionId"] == "c-9"


def test_without_the_rest_a_session_event_is_what_is_left():
    found = shown(without(one("chatvisor", SESSION), "rest"), "chatvisor")

    assert (found["type"], found["sessionId"]) == ("CLICK", "c-9")
    assert found["sealog"] == {"erased": ["rest"]}
    assert "data" not in found


def test_an_event_of_another_product_has_the_documented_columns():
    """Type, Name, Description, Data and the tenant user's id: what the activity log shows."""
    record = {
        "time": "2026-01-31T12:00:00.000Z",
        "category": "Flow",
        "actor": "ada",
        "type": "FlowCreated",
        "details": {"flowId": "f-1", "status": "SUCCESS"},
    }

    found = shown(one("logichub", record), "chatvisor")

    del found["id"]
    assert found == {
        "timestamp": "2026-01-31T12:00:00.000Z",
        "type": "FlowCreated",
        "description": "A playbook was made.",
        "data": {"flowId": "f-1", "status": "SUCCESS"},
    }


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("agent", {"tenantUserId": "7", "sessionId": "s", "agent": True}),
        ("customer", {"sessionId": "s", "agent": False}),
        ("user", {"tenantUserId": "7", "sessionId": "s"}),
    ],
)
def test_an_event_of_a_session_says_whose_side_it_was(kind, expected):
    """CV-31: only an agent or a customer has a side."""
    event = {
        "event": {"action": "x"},
        "user": {"id": "7"},
        "session": {"id": "s"},
        "sealog": {"actor": {"kind": kind}, "dialect": "ecs"},
    }

    assert shown(parts(event), "chatvisor") == {"type": "x"} | expected


def test_gaps_are_left_out():
    assert shown(parts({"event": {"action": "x"}}), "chatvisor") == {"type": "x"}


def test_a_row_of_csv_comes_back_as_its_object():
    body = b"timestamp,type,tenantUserId\n2026-01-31T12:00:00.000Z,LOGGED_IN,17\n"

    found = shown(one("chatvisor", body), "chatvisor")

    assert msgspec.json.encode(found).startswith(b'{"id":')
    del found["id"]
    assert found == {
        "timestamp": "2026-01-31T12:00:00.000Z",
        "type": "LOGGED_IN",
        "tenantUserId": "17",
    }
