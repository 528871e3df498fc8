"""Scrolls and points in time over HTTP, one request at a time."""

import httpx
import msgspec
import pytest
from tests.compat.elastic_house import serving

from sealog.compat.elastic_contexts import Contexts


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


def test_a_point_in_time_is_no_scroll(client):
    point = client.post("/sealog/_pit?keep_alive=1m").json()["id"]

    answer = client.post("/_search/scroll", json={"scroll_id": point})

    assert answer.status_code == 400
    assert "point in time" in answer.json()["error"]["reason"]


@pytest.mark.parametrize(
    "body", [{"search_after": [1], "sort": ["@timestamp"]}, {"size": 0}, {"pit": {"id": "x"}}]
)
def test_what_would_scroll_for_ever_or_nowhere_is_refused(client, body):
    assert client.post("/_search?scroll=1m", json=body).status_code == 400


@pytest.mark.parametrize("body", [b"[]", b"7", b"\xff", b'{"sort":[[]]}'])
def test_an_id_that_somebody_altered_is_refused(client, body):
    """An id is no secret: whoever writes one gets no more than their key allows."""
    contexts = Contexts(lambda: 1 << 61, bytes)
    context = contexts.open("sealog", {1: 1 << 62}, "1m", body)

    answer = client.post("/_search/scroll", json={"scroll_id": contexts.written(context)})

    assert answer.status_code == 400


def test_indices_that_were_not_there_are_not_missed_later(client):
    path = "/closer,nowhere/_pit?keep_alive=1m&ignore_unavailable=true"
    point = client.post(path).json()["id"]
    none = client.post("/nowhere/_pit?keep_alive=1m&ignore_unavailable=true").json()["id"]

    assert client.post("/_search", json={"pit": {"id": point}}).status_code == 200
    assert client.post("/_search", json={"pit": {"id": none}}).json()["hits"]["hits"] == []


def test_a_scroll_of_large_events_has_shorter_pages_and_loses_none(house, monkeypatch):
    monkeypatch.setattr("sealog.compat.elastic_search.HITS_BYTES_MAX", 500_000)
    monkeypatch.setattr("sealog.compat.elastic_search.PAGE_MAX", 2)
    large = [{"event": {"id": f"l-{nth}", "action": "x"}, "x": "y" * 100_000} for nth in range(20)]
    for nth in (0, 10):
        house.send("large", "ecs", b"\n".join(map(msgspec.json.encode, large[nth : nth + 10])))

    with house.client(house.key_for("large")) as client:
        alone = client.get("/_search?size=20")
        page = client.get("/_search?size=20&scroll=1m").json()
        sizes, seen = [], []
        while page["hits"]["hits"]:
            sizes.append(len(page["hits"]["hits"]))
            seen += [hit["_id"] for hit in page["hits"]["hits"]]
            page = client.post("/_search/scroll", json={"scroll_id": page["_scroll_id"]}).json()

    assert alone.status_code == 400
    assert "size" in alone.json()["error"]["reason"]
    assert len(sizes) > 1
    assert {one for one in seen if one.startswith("l-")} == {f"l-{nth}" for nth in range(20)}
    assert len(seen) == len(set(seen))
