import pytest
from tests.rendering.made import one, parts, shown, without

ROW = {
    "dateTime": "2026-01-31T12:00:00.000Z",
    "user": "ada@example.org",
    "ip": "192.0.2.1",
    "activity": "chat-assigned-to-user",
    "data": {"chat": 7},
}


@pytest.mark.parametrize(
    "changed",
    [{}, {"ip": ""}, {"ip": None}, {"user": "system"}, {"user": {"id": 7}}, {"activity": None}],
    ids=["whole", "blank", "null", "system", "object", "no-activity"],
)
def test_a_row_comes_back_as_it_was_sent(changed):
    """CP-01 to CP-04, CP-Q2, CP-Q3: a blank address stays blank, the system stays the system."""
    assert shown(one("supsis", ROW | changed), "supsis") == ROW | changed


def test_a_row_with_the_titles_of_the_columns_comes_back_with_them():
    row = {
        "Date and Time": "2026-01-31 12:00",
        "User": "ada",
        "IP Address": "",
        "Activity": "login",
    }

    assert shown(one("supsis", row), "supsis") == row


def test_without_the_actor_a_row_is_what_is_left():
    found = shown(without(one("supsis", ROW), "actor"), "supsis")

    assert found == {
        "dateTime": "2026-01-31T12:00:00.000Z",
        "activity": "chat-assigned-to-user",
        "data": {"chat": 7},
        "sealog": {"erased": ["actor"]},
    }


def test_a_person_who_was_no_text_comes_back_as_sent():
    found = shown(without(one("supsis", ROW | {"user": {"id": 7}}), "actor"), "supsis")

    assert found["user"] == {"id": 7}


@pytest.mark.parametrize(
    ("user", "kind", "expected"),
    [
        ({"name": "ada", "email": "a@b", "id": "1"}, "user", {"user": "ada"}),
        ({"email": "a@b", "id": "1"}, "user", {"user": "a@b"}),
        ({"id": "1"}, "agent", {"user": "1"}),
        ({}, "system", {"user": "system"}),
        ({}, "absent", {}),
    ],
    ids=["name", "email", "id", "system", "absent"],
)
def test_an_event_of_another_product_stands_in_the_four_columns(user, kind, expected):
    """CP-02: the user or the system; CP-03: an address that is not known is blank."""
    event = {
        "@timestamp": "2026-01-31T12:00:00.000Z",
        "event": {"action": "page.view"},
        "user": user,
        "client": {"ip": "192.0.2.1"},
        "message": "left out",
        "sealog": {"actor": {"kind": kind}},
    }

    assert (
        shown(parts(event), "supsis")
        == {
            "dateTime": "2026-01-31T12:00:00.000Z",
            "ip": "192.0.2.1",
            "activity": "page.view",
        }
        | expected
    )


def test_gaps_are_left_out():
    assert shown(parts({"event": {"action": "x"}}), "supsis") == {"activity": "x"}
