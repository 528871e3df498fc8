import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compat.elastic_house import NOW_US

from sealog.compat.elastic_errors import Rejected
from sealog.compat.elastic_names import INDICES
from sealog.compat.elastic_query import CLAUSES_MAX, DEPTH_MAX, condition
from sealog.query.tree import EVERYTHING, And, During, Has, Is, Like, Not, Or, Text

ADA, BOB = Is("actor.id", "ada"), Is("actor.id", "bob")


def read(body, index="sealog"):
    return condition(body, INDICES[index], NOW_US)


def term(name, field="user.id"):
    return {"term": {field: name}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (None, EVERYTHING),
        ({"match_all": {}}, EVERYTHING),
        ({"match_none": {}}, Or(())),
        (term("ada"), ADA),
        ({"term": {"user.id": {"value": "ada", "boost": 1.0}}}, ADA),
        ({"terms": {"user.id": ["ada", "bob"]}}, Or((ADA, BOB))),
        ({"ids": {"values": ["a", "b"]}}, Or((Is("id", "a"), Is("id", "b")))),
        ({"exists": {"field": "user.id"}}, Has("actor.id")),
        ({"prefix": {"event.action": "user."}}, Like("action", "user.*")),
        ({"wildcard": {"event.action": {"value": "*.login"}}}, Like("action", "*.login")),
        ({"match": {"user.id": "ada"}}, ADA),
        ({"match": {"*": "two words"}}, Or((Text(("two",)), Text(("words",))))),
        (
            {"match": {"*": {"query": "two words", "operator": "and"}}},
            And((Text(("two",)), Text(("words",)))),
        ),
        ({"match_phrase": {"*": "two words"}}, Text(("two", "words"))),
        ({"multi_match": {"query": "ada", "fields": ["user.id^2", "user.name"]}},
         Or((ADA, Is("actor.name", "ada")))),
        ({"constant_score": {"filter": term("ada")}}, ADA),
        ({"bool": {}}, EVERYTHING),
        ({"bool": {"must": term("ada"), "must_not": [term("bob")]}}, And((ADA, Not(BOB)))),
        ({"bool": {"should": [term("ada"), term("bob")]}}, Or((ADA, BOB))),
        ({"bool": {"filter": [term("ada")], "should": [term("bob")]}}, ADA),
        (
            {"bool": {"filter": [term("ada")], "should": [term("bob")], "minimum_should_match": 1}},
            And((ADA, BOB)),
        ),
        (
            {"bool": {"should": [term("ada"), term("bob")], "minimum_should_match": "2"}},
            And((ADA, BOB)),
        ),
        (
            {"range": {"@timestamp": {"gte": 1_620_172_800_000, "lte": "2021-05-05",
                                      "format": "epoch_millis"}}},
            During(1_620_172_800_000_000, 1_620_259_200_000_000),
        ),
        (
            {"range": {"@timestamp": {"from": "2021-05-05", "to": None, "include_lower": False}}},
            During(1_620_259_200_000_000, None),
        ),
        ({"query_string": {"query": "user.id:ada", "analyze_wildcard": True}}, ADA),
        ({"query_string": {"query": "ada", "default_field": "user.id"}}, ADA),
    ],
)  # fmt: skip
def test_a_clause_is_a_condition(body, expected):
    assert read(body) == expected


def test_fields_are_those_of_the_index():
    """CL-11: dotted, under `message`."""
    found = read(term("agent_login", "message.event.action"), "closer")

    assert found == Is("action", "agent_login")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"fuzzy": {"user.id": "ada"}}, "fuzzy"),
        ({"regexp": {"user.id": "a.*"}}, "regexp"),
        ({"script": {}}, "script"),
        ({"term": {"user.id": {"value": "a", "nonsense": 1}}}, "nonsense in term"),
        ({"terms": {"user.id": {"index": "other", "id": "1", "path": "x"}}}, "terms lookup"),
        ({"wildcard": {"user.id": "a?a"}}, "wildcard"),
        ({"match": {"*": {"query": "a", "fuzziness": "AUTO"}}}, "fuzziness"),
        ({"match_phrase": {"*": {"query": "a b", "slop": 2}}}, "slop"),
        ({"bool": {"should": [], "minimum_should_match": "75%"}}, "minimum_should_match"),
        ({"bool": {"might": []}}, "might in bool"),
        ({"range": {"user.id": {"gte": "a"}}}, "range on user.id"),
        ({"range": {"@timestamp": {"gte": "x"}}}, "failed to parse date"),
        ({"range": {"@timestamp": {"gte": 1, "time_zone": "Mars"}}}, "Mars"),
        ({"range": {"http.response.status_code": {"gte": "x"}}}, "as a number"),
        (term("ada", "nowhere"), "nowhere"),
        (term({}), "a value is"),
        ({}, "one clause"),
        ([], "one clause"),
        ({"bool": []}, "object"),
        ({"a": 1, "b": 2}, "one clause"),
    ],
)
def test_what_is_not_supported_is_refused_by_name(body, named):
    """A clause that was quietly left out would find too much."""
    with pytest.raises(Rejected) as raised:
        read(body)

    assert raised.value.status == 400
    assert named in raised.value.detail


def nested(depth):
    body = term("ada")
    for _ in range(depth - 1):
        body = {"bool": {"must": body}}
    return body


def test_a_query_goes_so_deep_and_no_deeper():
    assert read(nested(DEPTH_MAX)) == ADA
    with pytest.raises(Rejected, match="deep"):
        read(nested(DEPTH_MAX + 1))


def test_a_query_has_so_many_clauses_and_no_more():
    assert read({"bool": {"filter": [term("ada")] * (CLAUSES_MAX - 1)}})
    with pytest.raises(Rejected, match="maxClauseCount"):
        read({"bool": {"filter": [term("ada")] * CLAUSES_MAX}})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "bool",
                    "must",
                    "filter",
                    "should",
                    "term",
                    "terms",
                    "range",
                    "exists",
                    "field",
                    "value",
                    "query",
                    "ids",
                    "values",
                    "gte",
                    "lt",
                    "query_string",
                    "match",
                    "prefix",
                    "wildcard",
                    "@timestamp",
                    "user.id",
                    "format",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=15,
)


@given(JSON)
def test_only_a_refusal_escapes(body):
    try:
        read(body)
    except Rejected as error:
        # Not `pytest.raises`: most are no query, some are.
        assert error.status in (400, 404)  # noqa: PT017


@pytest.mark.parametrize("clause", ["term", "prefix", "wildcard"])
def test_the_case_is_only_ignored_where_it_is(clause):
    """A filter that finds less than it says is refused, one that finds the same is not."""
    body = {"value": "ada", "case_insensitive": True}

    assert condition({clause: {"user.name": body}}, INDICES["sealog"], NOW_US)
    with pytest.raises(Rejected, match="case_insensitive"):
        condition({clause: {"event.action": body}}, INDICES["sealog"], NOW_US)
