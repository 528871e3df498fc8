"""Scrolls and points in time over HTTP, one request at a time."""

import httpx
import msgspec
import pytest
from tests.compat.elastic_house import serving


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("house") / "data") as house:
        send(house, 0, 5)
        yield house


def send(house, first, end):
    lines = [{"event": {"id": f"e-{nth}", "action": "x"}} for nth in range(first, end)]
    house.send("shop", "ecs", b"\n".join(map(msgspec.json.encode, lines)))


@pytest.fixture
def client(house):
    with house.client(house.key_for("shop")) as client:
        yield client


def test_a_scroll_ends_with_an_empty_page_and_can_be_closed(client):
    page = client.post("/sealog/_search?scroll=1m", json={"size": 3}).json()
    total = page["hits"]["total"]["value"]
    seen = len(page["hits"]["hits"])
    while page["hits"]["hits"]:
        body = {"scroll": "1m", "scroll_id": page["_scroll_id"]}
        page = client.post("/_search/scroll", json=body).json()
        seen += len(page["hits"]["hits"])
    closed = client.request("DELETE", "/_search/scroll", json={"scroll_id": [page["_scroll_id"]]})

    assert seen == total
    assert closed.json() == {"succeeded": True, "num_freed": 1}
    again = client.post("/_search/scroll", json={"scroll_id": page["_scroll_id"]})
    assert again.status_code == 404
    assert again.json()["error"]["type"] == "search_context_missing_exception"


def test_what_comes_later_is_in_no_point_in_time_from_before(client, house):
    point = client.post("/sealog/_pit?keep_alive=1m").json()["id"]
    before = client.post("/_search", json={"pit": {"id": point}}).json()["hits"]["total"]["value"]
    send(house, 100, 103)

    after = client.post("/_search", json={"pit": {"id": point}}).json()["hits"]["total"]["value"]
    anew = client.post("/sealog/_search").json()["hits"]["total"]["value"]

    assert after == before
    assert anew >= before + 3


def test_an_index_cannot_be_named_beside_a_point_in_time(client):
    point = client.post("/sealog/_pit?keep_alive=1m").json()["id"]

    answer = client.post("/sealog/_search", json={"pit": {"id": point}})

    assert answer.status_code == 400
    assert "point in time" in answer.json()["error"]["reason"]


@pytest.mark.parametrize("path", ["/sealog/_pit", "/sealog/_pit?keep_alive=forever"])
def test_a_point_in_time_is_kept_for_so_long(client, path):
    assert client.post(path).status_code == 400


def test_a_scroll_does_not_begin_in_the_middle(client):
    assert client.post("/sealog/_search?scroll=1m", json={"from": 1}).status_code == 400


def test_a_scroll_of_one_key_shows_another_key_only_its_own(client, house):
    page = client.post("/sealog/_search?scroll=1m", json={"size": 1}).json()
    house.send("acme", "ecs", b'{"event":{"action":"mine"}}')
    headers = {"authorization": f"Bearer {house.key_for('acme')}"}

    answer = httpx.post(
        f"{house.elastic}/_search/scroll", json={"scroll_id": page["_scroll_id"]}, headers=headers
    )

    assert answer.json()["hits"]["hits"] == []


def test_a_total_may_be_a_plain_number(client):
    answer = client.get("/sealog/_search?rest_total_hits_as_int=true&size=0").json()

    assert isinstance(answer["hits"]["total"], int)
