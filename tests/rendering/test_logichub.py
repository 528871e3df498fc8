import pytest
from tests.rendering.made import one, parts, shown, without

RECORD = {
    "time": "11/03/2020 12:10:59+05:30",
    "category": "UserAccounts",
    "actor": "ada",
    "type": "UserCreateSuccess",
    "details": {"actorRole": "admin", "newUsername": "bob", "status": "FAILURE"},
}


@pytest.mark.parametrize(
    "changed",
    [{}, {"time": "06/10/2020 06:28:42 +05.5:30"}, {"actor": ["a", "b"]}, {"details": "none"}],
    ids=["whole", "broken-offset", "actors", "no-object"],
)
def test_a_record_comes_back_as_it_was_printed(changed):
    """LH-01 to LH-03, LH-Q11, LH-Q12: the time as printed, whatever is odd about it."""
    assert shown(one("logichub", RECORD | changed), "logichub") == RECORD | changed


def test_a_record_without_an_actor_has_none():
    """LH-Q15: events of custom lists name nobody."""
    record = {key: value for key, value in RECORD.items() if key != "actor"}

    assert shown(one("logichub", record), "logichub") == record


def test_without_the_actor_a_record_is_what_is_left():
    found = shown(without(one("logichub", RECORD), "actor"), "logichub")

    assert found == {
        "time": "11/03/2020 12:10:59+05:30",
        "category": "UserAccounts",
        "type": "UserCreateSuccess",
        "details": {"newUsername": "bob", "actorRole": "admin", "status": "FAILURE"},
        "sealog": {"erased": ["actor"]},
    }


def test_an_event_of_another_product_stands_in_the_envelope():
    """LH-01, LH-02: category is the kind of action, actor the name of who did it."""
    event = {
        "@timestamp": "2026-01-31T12:00:00.000Z",
        "event": {"action": "page.view", "category": ["web", "session"], "outcome": "failure"},
        "user": {"id": "1", "email": "a@b"},
    }

    assert shown(parts(event), "logichub") == {
        "time": "2026-01-31T12:00:00.000Z",
        "category": "web",
        "actor": "a@b",
        "type": "page.view",
        "details": {"status": "FAILURE"},
    }


def test_the_status_is_the_outcome_and_nothing_else():
    """LH-03, LH-Q1: what Chatvisor calls a status says how a chat stands."""
    record = {
        "timestamp": "2026-01-31T12:00:00.000Z",
        "type": "STATUS_CHANGE",
        "data": {"customerId": "4", "status": "Done"},
    }

    found = shown(one("chatvisor", record), "logichub")

    assert found["details"] == {"customerId": "4", "status": "SUCCESS"}


def test_gaps_are_left_out():
    assert shown(parts({"event": {"action": "x"}}), "logichub") == {"type": "x"}
