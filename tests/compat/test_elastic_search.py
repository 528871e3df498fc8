"""Searches asked of a real archive, and of a plain reading of the same documents."""

import asyncio

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.compat.elastic_house import NOW_US

from sealog.access.grants import Grant
from sealog.app import running
from sealog.compat.elastic_errors import Rejected
from sealog.compat.elastic_names import INDICES
from sealog.compat.elastic_search import WINDOW_MAX, Searcher, condition, read
from sealog.intake.source import Source
from sealog.query.tree import And, Is, Or
from sealog.rendering.rendering import Renderer

SEALOG, CLOSER = INDICES["sealog"], INDICES["closer"]
ACTIONS = ("user.login", "user.logout", "invoice.edit")
PEOPLE = ("ada", "bob", "eve")
BEGIN_MS = 1_620_000_000_000


def made(nth):
    """An event: its time, who, what, and how it went follow from its number."""
    return {
        "@timestamp": BEGIN_MS + nth * 1_000 // 3 * 60,
        "event": {
            "id": f"e-{nth}",
            "action": ACTIONS[nth % 3],
            "outcome": "failure" if nth % 5 == 0 else "success",
        },
        "user": {"id": PEOPLE[nth % 7 % 3]},
        "http": {"response": {"status_code": 200 + 100 * (nth % 4)}},
        "message": f"word{nth % 11} of all",
    }


COUNT = 150
EVENTS = [made(nth) for nth in range(COUNT)]


def sent():
    lines = []
    for event in EVENTS:
        at = event["@timestamp"]
        text = f"2021-05-03T00:{at // 60_000 % 60:02}:{at // 1_000 % 60:02}.{at % 1_000:03}Z"
        lines.append(msgspec.json.encode(event | {"@timestamp": text}))
        event["at"] = text
    return b"\n".join(lines)


@pytest.fixture(scope="module")
def searcher(tmp_path_factory):
    with running(tmp_path_factory.mktemp("data")) as app:
        grant = Grant("key_1", frozenset(["ingest"]), None, may_create=True)
        source = Source(grant, tenant="acme")
        asyncio.run(app.intake.accept(sent(), source))
        tenant = app.tenants.get("acme")
        assert app.archive.wait_for(tenant, app.journal.size(tenant.number) - 1, 10)
        app.archive.cut()
        renderer = Renderer("ecs")
        yield Searcher(
            app.archive, [tenant], lambda _, opened, index: renderer.event(opened, index)
        )


def find(searcher, body, index=SEALOG, **more):
    return searcher.answer(read(body, [index], NOW_US), **more).body


def ids(body):
    return [hit["_id"] for hit in body["hits"]["hits"]]


NEWEST = [
    f"e-{nth}"
    for nth in sorted(range(COUNT), key=lambda nth: (EVENTS[nth]["@timestamp"], nth), reverse=True)
]
ONLY = {"exists": {"field": "event.outcome"}}


def test_hits_are_the_newest_first_with_their_documents(searcher):
    body = find(searcher, {"size": 2, "query": {"term": {"sealog.dialect": "ecs"}}})

    assert ids(body) == NEWEST[:2]
    hit = body["hits"]["hits"][0]
    assert (hit["_index"], hit["_score"]) == ("sealog", 1.0)
    assert msgspec.json.decode(bytes(hit["_source"]))["event"]["id"] == hit["_id"]
    assert body["hits"]["total"] == {"value": COUNT, "relation": "eq"}
    assert "sort" not in hit


def test_pages_follow_each_other_by_their_sort(searcher):
    """Events of one millisecond too: nothing is skipped, nothing comes twice."""
    found, after = [], None
    while True:
        body = {"size": 7, "sort": [{"@timestamp": "desc"}, {"_doc": "desc"}]}
        body |= {"query": {"term": {"sealog.dialect": "ecs"}}}
        page = find(searcher, body | ({"search_after": after} if after else {}))
        if not page["hits"]["hits"]:
            break
        found += ids(page)
        after = page["hits"]["hits"][-1]["sort"]

    assert found == NEWEST


def test_a_window_begins_where_it_is_asked_to(searcher):
    body = {"size": 3, "from": 4, "query": {"term": {"sealog.dialect": "ecs"}}}

    assert ids(find(searcher, body)) == NEWEST[4:7]


def test_totals_are_counted_as_far_as_is_asked_for(searcher):
    query = {"query": {"term": {"sealog.dialect": "ecs"}}, "size": 0}

    capped = find(searcher, query | {"track_total_hits": 10})["hits"]["total"]
    whole = find(searcher, query | {"track_total_hits": True})["hits"]["total"]

    assert capped == {"value": 10, "relation": "gte"}
    assert whole == {"value": COUNT, "relation": "eq"}
    assert "total" not in find(searcher, query | {"track_total_hits": False})["hits"]


def test_a_point_in_time_has_only_what_was_there_then(searcher):
    searcher = Searcher(
        searcher._archive, searcher._tenants, searcher._render, {searcher._tenants[0].number: 5}
    )

    assert find(searcher, {"size": 10})["hits"]["total"]["value"] == 5


def test_too_many_countings_are_refused(searcher):
    inner = {
        "b": {
            "terms": {"field": "user.id"},
            "aggs": {"c": {"filter": {"match_all": {}}}, "d": {"min": {"field": "@timestamp"}}},
        }
    }
    many = {str(n): {"terms": {"field": "event.action"}, "aggs": inner} for n in range(60)}

    with pytest.raises(Rejected, match="more than"):
        find(searcher, {"size": 0, "aggs": many})


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"suggest": {}}, "suggest"),
        ({"collapse": {"field": "user.id"}}, "collapse"),
        ({"post_filter": {"match_all": {}}}, "post_filter"),
        ({"knn": {}}, "knn"),
        ({"min_score": 1}, "min_score"),
        ({"script_fields": {"a": {}}}, "script_fields"),
        ({"size": WINDOW_MAX, "from": 1}, "Result window is too large"),
        ({"size": -1}, "cannot be negative"),
        ({"from": 1, "search_after": [1]}, "must be set to 0"),
        ({"track_total_hits": "maybe"}, "track_total_hits"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(body, named):
    with pytest.raises(Rejected) as raised:
        read(body, [SEALOG], NOW_US)

    assert named in raised.value.detail


def test_what_changes_nothing_is_taken():
    body = {"version": True, "timeout": "5s", "highlight": {}, "script_fields": {}}

    assert read(body, [SEALOG], NOW_US).size == 10


def test_each_of_several_indices_has_its_own_fields():
    found = condition(
        {"term": {"_id": "x"}},
        [CLOSER, INDICES["easysend"]],
        NOW_US,
    )

    assert found == Or(
        (
            And((Is("dialect", "closer"), Is("id", "x"))),
            And((Is("dialect", "easysend"), Is("id", "x"))),
        )
    )


def test_aggregations_are_of_one_index():
    with pytest.raises(Rejected, match="several indices"):
        read({"aggs": {"a": {}}}, [CLOSER, SEALOG], NOW_US)


LEAVES = st.one_of(
    st.builds(lambda v: {"term": {"event.action": v}}, st.sampled_from(ACTIONS)),
    st.builds(lambda v: {"terms": {"user.id": v}}, st.lists(st.sampled_from(PEOPLE), max_size=2)),
    st.builds(lambda v: {"prefix": {"event.action": v}}, st.sampled_from(("user.", "inv", "x"))),
    st.builds(lambda v: {"match": {"*": v}}, st.integers(0, 12).map(lambda n: f"word{n}")),
    st.builds(
        lambda low, high: {"range": {"http.response.status_code": {"gte": low, "lt": high}}},
        st.integers(150, 600),
        st.integers(150, 600),
    ),
    st.builds(
        lambda v: {"ids": {"values": v}},
        st.lists(st.integers(0, COUNT).map(lambda n: f"e-{n}"), max_size=5),
    ),
    st.just({"match_all": {}}),
    st.just({"exists": {"field": "user.name"}}),
)
QUERIES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda must, should, must_not: {
            "bool": {"must": must, "should": should, "must_not": must_not}
        },
        st.lists(inner, max_size=2),
        st.lists(inner, max_size=2),
        st.lists(inner, max_size=1),
    ),
    max_leaves=6,
)


def passes(body, event):  # noqa: PLR0911 - a clause a line
    """What Elasticsearch's documentation says of a clause, read off a document."""
    ((clause, inner),) = body.items()
    match clause:
        case "term":
            return event["event"]["action"] == inner["event.action"]
        case "terms":
            return event["user"]["id"] in inner["user.id"]
        case "prefix":
            return event["event"]["action"].startswith(inner["event.action"])
        case "match":
            return inner["*"] in event["message"].split()
        case "range":
            ends = inner["http.response.status_code"]
            return ends["gte"] <= event["http"]["response"]["status_code"] < ends["lt"]
        case "ids":
            return event["event"]["id"] in inner["values"]
        case "match_all":
            return True
        case "exists":
            return False
    found = all(passes(one, event) for one in inner["must"])
    found = found and not any(passes(one, event) for one in inner["must_not"])
    if inner["should"] and not inner["must"]:
        found = found and any(passes(one, event) for one in inner["should"])
    return found


@settings(deadline=None, max_examples=80)
@given(QUERIES)
def test_a_query_finds_what_its_documentation_says(searcher, query):
    body = {"bool": {"filter": [query, {"term": {"sealog.dialect": "ecs"}}]}}

    found = find(searcher, {"query": body, "size": COUNT})

    expected = [event["event"]["id"] for event in EVENTS if passes(query, event)]
    assert sorted(ids(found)) == sorted(expected)
    assert found["hits"]["total"]["value"] == len(expected)
