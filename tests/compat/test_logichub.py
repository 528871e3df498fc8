"""LogicHub's envelope, a line each."""

import msgspec
import pytest
from tests.compat.elastic_house import serving

LOGIN = {
    "time": "2020-06-10T06:28:42.123Z",
    "category": "UserAccounts",
    "actor": "vivian",
    "type": "UserLoginSuccess",
    "details": {"needsPasswordReset": False, "status": "SUCCESS"},
}
FLOW = {
    "time": "2020-06-10T07:00:00.000Z",
    "category": "Flow",
    "actor": "vivian",
    "type": "FlowCreated",
    "details": {"flowId": "flow-1", "status": "SUCCESS"},
}
UNQUOTED = b"""{"time": "2020-06-10T08:00:00.000Z", "category": "UserAccounts", "actor": "admin",
 "type": "UserPasswordResetSuccess", "details": {"resetUsername": hlee, "status": "SUCCESS"}}"""
TWICE = (
    b'{"time":"2020-06-10T09:00:00.000Z","category":"UserAccounts","actor":"admin",'
    b'"type":"UserGroupPermissionChanged","details":{"oldPermissions":["a"],'
    b'"oldPermissions":["b"],"status":"SUCCESS"}}'
)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("house") / "data") as house:
        for body in (msgspec.json.encode(LOGIN), msgspec.json.encode(FLOW), UNQUOTED, TWICE):
            house.send("hub", "logichub", body)
        yield house


@pytest.fixture
def client(house):
    with house.client(house.key_for("hub")) as client:
        client.base_url = house.url
        yield client


def lines(client, **params):
    answer = client.get("/logichub/audit-events", params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return answer.content.splitlines()


def test_events_leave_in_the_envelope_that_they_came_in(client):
    """LH-01 to LH-03, LH-10, LH-20."""
    found = lines(client, order="oldest")

    assert msgspec.json.decode(found[0]) == LOGIN
    assert msgspec.json.decode(found[1]) == FLOW


def test_a_broken_record_leaves_repaired_with_what_was_found(client):
    """LH-Q7: a value without quotes."""
    (line,) = [
        msgspec.json.decode(one)
        for one in lines(client, findings="yes")
        if b"PasswordReset" in one and b"hlee" in one
    ]

    assert line["details"] == {"resetUsername": "hlee", "status": "SUCCESS"}
    assert [one["code"] for one in line["sealog"]["findings"]] == ["repaired-unquoted-value"]
    assert line["sealog"]["index"] == 2


def test_equal_keys_leave_as_they_came(client):
    """LH-Q8: which of the two counts, the reader decides."""
    (line,) = [one for one in lines(client) if b"PermissionChanged" in one]

    assert line == TWICE


def test_a_category_is_found_however_it_is_spelled(client):
    """LH-Q2: documents and records differ."""
    for name in ("UserAccounts", "useraccount", "User Accounts"):
        assert len(lines(client, category=name)) == 3
    assert len(lines(client, category="Flow", type="FlowCreated", actor="Vivian")) == 1


def test_a_link_leads_to_the_next_page(client):
    first = client.get("/logichub/audit-events", params={"limit": 3})
    second = client.get(first.links["next"]["url"])

    assert len(first.content.splitlines()) == 3
    assert len(second.content.splitlines()) == 1
    assert "next" not in second.links


@pytest.mark.parametrize("params", [{"category": "Nothing"}, {"findings": "some"}, {"q": "x"}])
def test_what_cannot_be_read_is_refused(client, params):
    assert client.get("/logichub/audit-events", params=params).status_code in (400, 422)


def test_findings_stand_beside_half_a_character_too(house):
    odd = b'{"time":"2020-06-10T09:00:00Z","category":"x\\ud800","actor":"a","type":"CaseClosed"}'
    house.send("odd", "logichub", odd)

    with house.client(house.key_for("odd")) as client:
        answer = client.get(f"{house.url}/logichub/audit-events", params={"findings": "yes"})

    assert b'"category":"x\\ud800"' in answer.content
    assert b'"code":"lone-surrogate"' in answer.content
