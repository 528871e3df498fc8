"""The official clients, unchanged, against a server on a port. Grafana's requests as it sends them."""

import base64

import elasticsearch8
import elasticsearch8.helpers
import elasticsearch9
import elasticsearch9.helpers
import httpx
import msgspec
import opensearchpy
import opensearchpy.helpers
import pytest
from sqlalchemy import select
from tests.compat.elastic_house import serving
from tests.conftest import GOLDEN

from sealog.access.reads import Kind
from sealog.storage.tables import reads

SAMPLE = (GOLDEN / "dialects/closer/sample.in.json").read_bytes()
PRINTED = msgspec.json.decode(SAMPLE)["_source"]
COUNT = 25


def event(nth):
    return {
        "@timestamp": f"2026-01-{nth + 1:02}T00:00:00.000Z",
        "event": {"id": f"e-{nth}", "action": "user.login" if nth % 2 else "user.logout"},
        "user": {"id": "ada" if nth % 3 else "bob"},
    }


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("house") / "data") as house:
        house.send("shop", "ecs", b"\n".join(msgspec.json.encode(event(n)) for n in range(COUNT)))
        house.send("acme", "closer", SAMPLE)
        yield house


@pytest.fixture(scope="module")
def key(house):
    return house.key_for("acme")


@pytest.fixture(params=["8", "9"])
def elastic(request, house):
    """elasticsearch-py, both of them, with a key for `shop` alone."""
    made = {"8": elasticsearch8.Elasticsearch, "9": elasticsearch9.Elasticsearch}[request.param]
    with made(house.elastic, api_key=house.key_for("shop")) as client:
        client.helpers = {"8": elasticsearch8.helpers, "9": elasticsearch9.helpers}[request.param]
        yield client


@pytest.fixture
def opensearch(house):
    port = int(house.url.rpartition(":")[2])
    auth = ("anybody", house.key_for("shop"))
    with opensearchpy.OpenSearch(
        [{"host": "127.0.0.1", "port": port}], url_prefix="elasticsearch", http_auth=auth
    ) as client:
        yield client


MINE = {"term": {"sealog.dialect": "ecs"}}


def test_the_sample_of_closer_comes_back_as_it_is_printed(house, key):
    """CL-10 to CL-22: all of `_source`; and the id is the envelope's."""
    with elasticsearch9.Elasticsearch(house.elastic, api_key=key) as client:
        found = client.search(
            index="closer", query={"term": {"message.event.action": "agent_skills_change"}}
        )

    (hit,) = found["hits"]["hits"]
    assert hit["_source"] == PRINTED
    assert hit["_id"] == msgspec.json.decode(SAMPLE)["_id"]
    assert hit["_index"] == "closer"


def test_the_client_knows_what_it_talks_to(elastic):
    assert elastic.info()["tagline"] == "You Know, for Search"
    assert elastic.ping() is True
    assert elastic.cluster.health()["status"] == "green"


def test_a_scan_gives_every_event_once(elastic):
    found = [
        hit["_id"]
        for hit in elastic.helpers.scan(elastic, index="sealog", query={"query": MINE}, size=4)
    ]

    assert sorted(found) == sorted(f"e-{nth}" for nth in range(COUNT))


def test_a_point_in_time_is_read_page_by_page(elastic, house):
    point = elastic.open_point_in_time(index="sealog", keep_alive="1m")["id"]
    found, after = [], None
    while True:
        page = elastic.search(
            pit={"id": point, "keep_alive": "1m"},
            query=MINE,
            size=4,
            sort=[{"@timestamp": {"order": "asc", "format": "strict_date_optional_time_nanos"}}],
            search_after=after,
        )
        if not page["hits"]["hits"]:
            break
        point = page["pit_id"]
        found += [hit["_id"] for hit in page["hits"]["hits"]]
        after = page["hits"]["hits"][-1]["sort"]

    assert found == [f"e-{nth}" for nth in range(COUNT)]
    assert elastic.close_point_in_time(id=point)["num_freed"] == 1
    with pytest.raises((elasticsearch8.NotFoundError, elasticsearch9.NotFoundError)):
        elastic.search(pit={"id": point})


def test_counts_and_aggregations(elastic):
    assert elastic.count(index="sealog", query=MINE)["count"] == COUNT
    found = elastic.search(
        index="sealog",
        size=0,
        query={"bool": {"filter": [MINE, {"range": {"@timestamp": {"lt": "2026-01-05"}}}]}},
        aggs={
            "who": {
                "terms": {"field": "user.id"},
                "aggs": {"n": {"cardinality": {"field": "event.action"}}},
            },
            "when": {"date_histogram": {"field": "@timestamp", "calendar_interval": "day"}},
        },
    )["aggregations"]

    assert [
        (one["key"], one["doc_count"], one["n"]["value"]) for one in found["who"]["buckets"]
    ] == [
        ("ada", 2, 2),
        ("bob", 2, 2),
    ]
    assert [one["doc_count"] for one in found["when"]["buckets"]] == [1, 1, 1, 1]


def test_a_document_is_found_by_its_id(elastic):
    assert elastic.get(index="sealog", id="e-3")["_source"]["event"]["id"] == "e-3"
    assert elastic.exists(index="sealog", id="nothing").body is False


def test_indices_are_told_of(elastic):
    assert elastic.indices.exists(index="closer").body is True
    assert elastic.indices.exists(index="nowhere").body is False
    assert "sealog" in elastic.indices.get_mapping(index="sealog")
    assert "event.action" in elastic.field_caps(index="sealog", fields="*")["fields"]
    rows = elastic.cat.indices(format="json", h="index,docs.count").body
    assert {"index": "closer", "docs.count": "0"} in rows


@pytest.mark.parametrize("write", ["index", "update", "delete", "delete_by_query", "drop", "bulk"])
def test_nothing_is_written_changed_or_deleted(elastic, write):
    calls = {
        "index": lambda: elastic.index(index="closer", document={"a": 1}),
        "update": lambda: elastic.update(index="closer", id="1", doc={}),
        "delete": lambda: elastic.delete(index="sealog", id="e-1"),
        "delete_by_query": lambda: elastic.delete_by_query(index="sealog", query={"match_all": {}}),
        "drop": lambda: elastic.indices.delete(index="sealog"),
        "bulk": lambda: elastic.bulk(operations=[{"delete": {"_index": "sealog", "_id": "e-1"}}]),
    }

    with pytest.raises(Exception, match="an audit log is not written") as raised:
        calls[write]()

    assert raised.value.status_code == 403


@pytest.mark.parametrize("call", ["sql", "esql", "eql", "mget", "suggest"])
def test_what_is_not_there_is_refused_by_name(house, call):
    paths = {
        "sql": ("POST", "/_sql", {"query": "SELECT 1"}),
        "esql": ("POST", "/_query", {"query": "FROM x"}),
        "eql": ("GET", "/sealog/_eql/search", {}),
        "mget": ("GET", "/_mget", {"ids": []}),
        "suggest": ("POST", "/sealog/_search", {"suggest": {}}),
    }
    method, path, body = paths[call]

    with house.client() as client:
        answer = client.request(method, path, json=body)

    assert answer.status_code in (400, 403)
    assert answer.headers["x-elastic-product"] == "Elasticsearch"
    assert answer.json()["error"]["type"]
    assert answer.json()["status"] == answer.status_code


def test_opensearch_reads_by_scrolling_and_at_a_point_in_time(opensearch):
    scanned = list(
        opensearchpy.helpers.scan(opensearch, index="sealog", query={"query": MINE}, size=7)
    )
    point = opensearch.create_pit(index="sealog", params={"keep_alive": "1m"})["pit_id"]
    body = {"pit": {"id": point}, "query": MINE, "sort": [{"@timestamp": "asc"}], "size": 3}
    page = opensearch.search(body=body)

    assert len(scanned) == COUNT
    assert [hit["_id"] for hit in page["hits"]["hits"]] == ["e-0", "e-1", "e-2"]
    assert opensearch.delete_pit(body={"pit_id": [point]})["pits"][0]["successful"] is True


def authorization(scheme, key):
    pair = base64.b64encode(b"someone:" + key.encode()).decode()
    return {
        "bearer": f"Bearer {key}",
        "basic": f"Basic {pair}",
        "plain": f"ApiKey {key}",
        "encoded": f"ApiKey {pair}",
    }[scheme]


@pytest.mark.parametrize("scheme", ["bearer", "basic", "plain", "encoded"])
def test_a_key_may_come_in_any_of_their_ways(house, key, scheme):
    headers = {"authorization": authorization(scheme, key)}

    answer = httpx.get(f"{house.elastic}/closer/_count", headers=headers)

    assert answer.status_code == 200
    assert answer.json()["count"] == 1


@pytest.mark.parametrize("value", [None, "Bearer slk_wrong", "ApiKey !!!", "Negotiate x"])
def test_without_a_key_nothing_is_told(house, value):
    headers = {} if value is None else {"authorization": value}

    answer = httpx.get(f"{house.elastic}/_search", headers=headers)

    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "security_exception"
    assert "www-authenticate" in answer.headers


def test_a_key_of_another_tenant_finds_nothing(house):
    key = house.key_for("shop")
    headers = {"authorization": f"Bearer {key}"}

    mine = httpx.get(f"{house.elastic}/closer/_count", headers=headers)
    theirs = httpx.get(f"{house.elastic}/closer/_count", params={"tenant": "acme"}, headers=headers)

    assert mine.json()["count"] == 0
    assert theirs.status_code == 404


def test_a_key_that_may_not_read_is_refused(house):
    headers = {"authorization": f"Bearer {house.key_for('acme', scopes=('ingest',))}"}

    assert httpx.get(f"{house.elastic}/_search", headers=headers).status_code == 403


def test_grafana_reads_a_histogram_and_logs(house):
    """The requests of its data source: health, fields, then `_msearch` with a line before each."""
    headers = {"authorization": f"Bearer {house.key_for('shop')}", "user-agent": "Grafana/11"}
    with httpx.Client(base_url=house.elastic, headers=headers) as client:
        assert client.get("/").json()["version"]["build_flavor"] == "default"
        health = client.get("/_cluster/health", params={"wait_for_status": "yellow"})
        assert health.json()["status"] != "red"
        assert "@timestamp" in client.get("/sealog/_mapping").text
        bounds = {"gte": 1_767_225_600_000, "lte": 1_767_571_200_000, "format": "epoch_millis"}
        filters = [
            {"range": {"@timestamp": bounds}},
            {"query_string": {"analyze_wildcard": True, "query": "event.action:user.*"}},
        ]
        buckets = {
            "interval": "1d",
            "field": "@timestamp",
            "min_doc_count": 0,
            "extended_bounds": {"min": 1_767_225_600_000, "max": 1_767_571_200_000},
            "format": "epoch_millis",
        }
        lines = [
            {"search_type": "query_then_fetch", "ignore_unavailable": True, "index": "sealog"},
            {
                "size": 0,
                "query": {"bool": {"filter": filters}},
                "aggs": {"2": {"date_histogram": buckets, "aggs": {}}},
            },
            {"search_type": "query_then_fetch", "ignore_unavailable": True, "index": "sealog"},
            {
                "size": 2,
                "query": {"bool": {"filter": filters}},
                "sort": [
                    {"@timestamp": {"order": "desc", "unmapped_type": "boolean"}},
                    {"_doc": {"order": "desc"}},
                ],
                "script_fields": {},
            },
        ]
        content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)

        answer = client.post(
            "/_msearch",
            params={"max_concurrent_shard_requests": "5"},
            content=content,
            headers={"content-type": "application/x-ndjson"},
        )

    histogram, logs = answer.json()["responses"]
    assert [one["doc_count"] for one in histogram["aggregations"]["2"]["buckets"]] == [
        1,
        1,
        1,
        1,
        1,
    ]
    assert [hit["_id"] for hit in logs["hits"]["hits"]] == ["e-4", "e-3"]
    assert (histogram["status"], logs["status"]) == (200, 200)


def test_one_bad_search_of_several_spoils_no_other(house, key):
    content = b'{"index":"nowhere"}\n{}\n{"index":"closer"}\n{"size":0}\n'
    headers = {"authorization": f"Bearer {key}"}

    answer = httpx.post(f"{house.elastic}/_msearch", content=content, headers=headers)

    bad, good = answer.json()["responses"]
    assert (bad["status"], good["hits"]["total"]["value"]) == (404, 1)


def test_a_query_nested_a_thousand_deep_is_refused(house):
    body = b'{"query":' + b'{"bool":{"must":' * 1_000 + b"{}" + b"}}" * 1_000 + b"}"

    with house.client() as client:
        answer = client.post("/_search", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "parsing_exception"


def test_what_is_read_is_counted(house):
    """It is told to the tenant by the hour, whichever interface it was read by."""
    key, secret = house.app.keys.create("counted", ["acme"], ["read"])
    with house.client(secret) as client:
        client.get("/closer/_search")
        client.get("/closer/_count")

    house.app.reads.keep()

    asked = select(reads.c.counts).where(reads.c.key == key.id)
    with house.app.store.reading() as connection:
        (counts,) = connection.execute(asked).one()
    kinds, events, *_ = msgspec.msgpack.decode(counts)
    assert (kinds[Kind.SEARCHES], kinds[Kind.COUNTS], events) == (1, 1, 1)


@pytest.mark.parametrize(
    "body",
    [
        {"size": "9" * 5_000},
        {"query": {"bool": {"should": [], "minimum_should_match": "9" * 5_000}}},
        {"sort": ["@timestamp"], "search_after": [1e308]},
        {"aggs": {"a": {"date_histogram": {"field": "@timestamp", "calendar_interval": ["1d"]}}}},
        {"aggs": {"a": {"date_histogram": {"field": "@timestamp", "interval": {}}}}},
        {"aggs": {"a": {"date_histogram": {"field": "@timestamp", "fixed_interval": "9" * 30}}}},
        {"explain": True},
        {"profile": True},
        {"pit": "x"},
    ],
    ids=[
        "size",
        "minimum_should_match",
        "search_after",
        "calendar_interval",
        "interval",
        "fixed_interval",
        "explain",
        "profile",
        "pit",
    ],
)
def test_what_no_search_can_mean_is_a_bad_request(house, body):
    with house.client() as client:
        answer = client.post("/_search", json=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["type"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/closer,easysend/_doc/x", 404),
        ("/_all/_doc/x", 404),
        ("/closer/_doc", 400),
        ("/closer,nowhere/_mapping", 404),
        ("/no*/_search?allow_no_indices=false", 404),
        ("/no*/_search", 200),
        ("/nowhere/_search?ignore_unavailable=true&sort=_doc", 200),
        ("/_search?filter_path=hits.hits", 400),
        ("/_cluster/health?filter_path=status", 400),
        ("/closer?unheard=1", 400),
    ],
)
def test_what_is_there_and_what_is_not(house, path, status):
    with house.client() as client:
        assert client.get(path).status_code == status


@pytest.mark.parametrize("path", ["/_mget", "/_sql", "/closer/_explain/x", "/_validate/query"])
def test_a_question_that_is_not_answered_is_no_write(house, path):
    with house.client() as client:
        assert client.post(path, json={}).status_code == 400


def test_an_id_may_hold_what_a_path_quotes(house):
    house.send("odd", "ecs", b'{"event":{"id":"a b/c?d#e","action":"x"},"n":1e400,"s":"\\ud800"}')

    with house.client(house.key_for("odd")) as client:
        found = client.get("/sealog/_doc/a%20b%2Fc%3Fd%23e")
        source = client.get("/sealog/_source/a%20b%2Fc%3Fd%23e?_source=n,s")
        none = client.get("/sealog/_doc/a%20b%2Fc%3Fd%23e?_source=false").json()

    assert found.status_code == 200
    assert b'"_id":"a b/c?d#e"' in found.content
    assert source.content == b'{"n":1e400,"s":"\\ud800"}'
    assert none["found"] is True
    assert "_source" not in none


def test_an_answer_may_be_pretty(house, key):
    with house.client(key) as client:
        assert client.get("/?pretty").text.startswith('{\n  "name": "sealog"')
        assert "\n" in client.get("/closer/_search?pretty=true&size=1").text
        assert "\n" not in client.get("/?pretty=false").text


def test_hits_say_how_often_they_were_written_where_asked(elastic):
    body = {"version": True, "seq_no_primary_term": True}

    hit = elastic.search(index="sealog", query=MINE, size=1, **body)["hits"]["hits"][0]

    assert (hit["_version"], hit["_primary_term"]) == (1, 1)
    assert isinstance(hit["_seq_no"], int)


def test_one_search_of_several_heeds_what_its_head_says(house, key):
    """A point in time, or a word that is not known, is not passed over."""
    with house.client(key) as client:
        point = client.post("/closer/_pit?keep_alive=1m").json()["id"]
        lines = [
            {},
            {"size": 0, "pit": {"id": point}},
            {"unheard": 1},
            {"size": 0},
            {"index": "no*", "allow_no_indices": False},
            {"size": 0},
            {"index": ["closer"]},
            {"size": 0},
        ]
        content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)

        answers = client.post("/_msearch?rest_total_hits_as_int=true", content=content).json()

    assert [one["status"] for one in answers["responses"]] == [400, 400, 404, 200]
    assert answers["responses"][3]["hits"]["total"] == 1
