"""Supsis's audit page, as an interface."""

import csv
import io

import msgspec
import pytest
from tests.compat.elastic_house import serving

ROWS = [
    {"dateTime": "2026-03-01T10:00:00Z", "user": "Ada", "ip": "198.51.100.7", "activity": "chat-opened"},
    {"dateTime": "2026-03-01T10:01:00Z", "user": "system", "activity": "chat-assigned-to-user"},
    {"dateTime": "2026-03-01T10:02:00Z", "user": "Ada", "ip": "", "activity": "chat-closed"},
    {"dateTime": "2026-03-01T10:03:00Z", "user": "=cmd()", "ip": None, "activity": "user-joined-to-chat"},
]  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("house") / "data") as house:
        house.send("chat", "supsis", b"\n".join(map(msgspec.json.encode, ROWS)))
        house.send("chat", "ecs", b'{"event":{"action":"not.theirs"}}')
        yield house


@pytest.fixture
def client(house):
    with house.client(house.key_for("chat")) as client:
        client.base_url = house.url
        yield client


def logs(client, **params):
    answer = client.get("/supsis/audit-logs", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["logs"]


def test_the_four_columns_are_there_the_newest_first(client):
    """CP-01 to CP-04, CP-10 to CP-13; the address may be blank (CP-Q2), the user the system (CP-Q3)."""
    assert logs(client) == [
        {"dateTime": "2026-03-01T10:03:00Z", "user": "=cmd()", "ip": "", "activity": "user-joined-to-chat"},
        {"dateTime": "2026-03-01T10:02:00Z", "user": "Ada", "ip": "", "activity": "chat-closed"},
        {"dateTime": "2026-03-01T10:01:00Z", "user": "system", "ip": "", "activity": "chat-assigned-to-user"},
        {"dateTime": "2026-03-01T10:00:00Z", "user": "Ada", "ip": "198.51.100.7", "activity": "chat-opened"},
    ]  # fmt: skip


def test_a_user_and_an_event_can_be_asked_for(client):
    """CP-20, CP-21; with time beside them."""
    assert [row["activity"] for row in logs(client, user="Ada")] == ["chat-closed", "chat-opened"]
    assert [row["user"] for row in logs(client, user="system")] == ["system"]
    assert [row["user"] for row in logs(client, event="chat-opened")] == ["Ada"]
    assert logs(client, user="Ada", event="chat-assigned-to-user") == []
    assert len(logs(client, **{"from": "2026-03-01T10:02:00Z"})) == 2


def test_pages_follow_each_other(client):
    first = client.get("/supsis/audit-logs", params={"limit": 3}).json()
    second = client.get("/supsis/audit-logs", params={"limit": 3, "cursor": first["next_cursor"]})

    assert len(first["logs"]) == 3
    assert [row["activity"] for row in second.json()["logs"]] == ["chat-opened"]
    assert second.json()["next_cursor"] is None


def test_all_of_it_comes_as_csv_that_no_spreadsheet_computes(client):
    answer = client.get("/supsis/audit-logs", params={"format": "csv", "limit": 2})

    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert answer.headers["content-type"].startswith("text/csv")
    assert rows == [
        ["Date and Time", "User", "IP Address", "Activity"],
        ["2026-03-01T10:03:00Z", "'=cmd()", "", "user-joined-to-chat"],
        ["2026-03-01T10:02:00Z", "Ada", "", "chat-closed"],
        ["2026-03-01T10:01:00Z", "system", "", "chat-assigned-to-user"],
        ["2026-03-01T10:00:00Z", "Ada", "198.51.100.7", "chat-opened"],
    ]


@pytest.mark.parametrize(
    "params", [{"format": "xml"}, {"users": "Ada"}, {"from": "x"}, {"cursor": "x"}, {"limit": "0"}]
)
def test_what_cannot_be_read_is_refused(client, params):
    answer = client.get("/supsis/audit-logs", params=params)

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_another_tenants_log_is_not_there(house):
    with house.client(house.key_for("other")) as client:
        client.base_url = house.url
        assert client.get("/supsis/audit-logs", params={"tenant": "chat"}).status_code == 404
    with house.client("slk_wrong") as client:
        client.base_url = house.url
        assert client.get("/supsis/audit-logs").status_code == 401


def test_an_odd_record_hides_none_of_its_neighbours(house):
    """What is no text stands in its cell as its JSON."""
    odd = (
        b'{"dateTime":"2026-03-01T10:00:00Z","user":{"a":1e400},"ip":null,"activity":"chat-opened"}'
    )
    house.send("odd", "supsis", odd + b"\n" + msgspec.json.encode(ROWS[0]))

    with house.client(house.key_for("odd")) as client:
        shown = client.get(f"{house.url}/supsis/audit-logs").json()["logs"]
        table = client.get(f"{house.url}/supsis/audit-logs", params={"format": "csv"}).text

    assert sorted(row["user"] for row in shown) == ["Ada", '{"a":1e400}']
    assert len(list(csv.reader(io.StringIO(table)))) == 3
