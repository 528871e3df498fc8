import pytest
from tests.dialects.samples import at, codes, draft_of, sent_of


def row(activity="chat-opened", **over):
    return draft_of(
        "supsis",
        {
            "dateTime": "2026-05-01T08:00:00.000Z",
            "user": "selin",
            "ip": "203.0.113.9",
            "activity": activity,
            **over,
        },
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("user", {"name": "selin"}, id="CP-02"),
        pytest.param("source", {"ip": "203.0.113.9"}, id="CP-03"),
        pytest.param("event.action", "chat-opened", id="CP-04"),
        pytest.param("sealog.actor.kind", "user", id="X-02"),
    ],
)
def test_the_columns_stand_where_ecs_has_them(path, value):
    assert at(row(), path) == value


def test_date_and_time_are_when_it_happened():
    """CP-01."""
    draft = row()

    assert draft.at_text == "2026-05-01T08:00:00.000Z"
    assert draft.at_us == 1_777_622_400_000_000
    assert draft.sent == {}


@pytest.mark.parametrize(
    ("activity", "alias"),
    [
        pytest.param("chat-assigned-to-user", "chat.assign", id="CP-10"),
        pytest.param("chat-opened", "chat.open", id="CP-11"),
        pytest.param("user-joined-to-chat", "chat.join", id="CP-12"),
        pytest.param("chat-closed", "chat.close", id="CP-13"),
        pytest.param("login", "user.login", id="CP-14-login"),
        pytest.param("logout", "user.logout", id="CP-14-logout"),
    ],
)
def test_activities_keep_their_name_and_have_a_dotted_alias(activity, alias):
    """CP-Q1, X-01."""
    draft = row(activity)

    assert (draft.action, draft.alias, draft.known) == (activity, alias, True)
    assert codes(draft) == []


def test_the_list_of_activities_is_open():
    """CP-33: the product says that it records every operation, and lists four."""
    draft = row("canned-response-deleted")

    assert draft.alias == "supsis.canned.response.deleted"
    assert codes(draft) == ["unknown-type"]


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_blank_address_is_no_address_and_nothing_odd(blank):
    """CP-03, CP-Q2: searches and charts see addresses or nothing."""
    draft = row(ip=blank)

    assert "source" not in draft.tree
    assert sent_of(draft) == {"source.ip": blank}
    assert codes(draft) == []


def test_an_address_that_is_none_is_found():
    draft = row(ip="office")

    assert "source" not in draft.tree
    assert codes(draft) == ["bad-ip"]


@pytest.mark.parametrize("user", ["system", "System"])
def test_what_the_system_did_has_the_system_for_its_actor(user):
    """CP-02, CP-Q3, X-02."""
    draft = row(user=user)

    assert at(draft, "sealog.actor.kind") == "system"
    assert at(draft, "user.name") == user


@pytest.mark.parametrize("user", [None, ""])
def test_without_a_user_the_actor_is_absent(user):
    draft = row(user=user)

    assert at(draft, "sealog.actor.kind") == "absent"
    assert sent_of(draft) == {"user.name": user}


@pytest.mark.parametrize(
    ("user", "understood", "kind"),
    [
        ({"id": "u-1", "name": "Selin"}, {"id": "u-1", "name": "Selin"}, "user"),
        (17, {"name": "17"}, "user"),
        (["selin"], None, "absent"),
        (True, None, "absent"),
    ],
)
def test_a_user_who_is_no_string_is_kept_and_understood_where_possible(user, understood, kind):
    draft = row(user=user)

    assert at(draft, "user") == understood
    assert at(draft, "supsis.user") == user
    assert at(draft, "sealog.actor.kind") == kind
    assert codes(draft) == ["wrong-type"]


def test_an_e_mail_address_is_a_name_and_an_e_mail_address():
    draft = row(user="selin@example.com")

    assert at(draft, "user") == {"name": "selin@example.com", "email": "selin@example.com"}


def test_a_row_of_the_four_columns_is_the_same_event():
    """CP-01 to CP-04: the titles of the columns are its keys."""
    draft = draft_of(
        "supsis",
        {
            "Date and Time": "2026-05-01 08:20:00",
            "User": "selin",
            "IP Address": "203.0.113.9",
            "Activity": "chat-opened",
        },
    )

    assert draft.at_text == "2026-05-01T08:20:00.000Z"
    assert at(draft, "user.name") == "selin"
    assert at(draft, "source.ip") == "203.0.113.9"
    assert draft.alias == "chat.open"
    assert codes(draft) == ["no-zone"]


def test_data_and_unknown_fields_stand_under_the_dialects_object():
    draft = row(data={"chat": "c-1"}, note="x")

    assert at(draft, "supsis") == {"data": {"chat": "c-1"}, "note": "x"}


def test_days_come_before_months_unless_set_otherwise():
    """X-05."""
    sent = {"dateTime": "03/04/2026 08:00:00", "user": "a", "activity": "login"}

    assert draft_of("supsis", sent).at_text == "2026-04-03T08:00:00.000Z"
    assert draft_of("supsis", sent, day_first=False).at_text == "2026-03-04T08:00:00.000Z"


def test_equal_keys_stand_as_sent():
    draft = draft_of("supsis", b'{"user":"a","user":"b","activity":"login"}')

    assert at(draft, "user.name") == "a"
    assert sent_of(draft)["user.name"] == ["a", "b"]
