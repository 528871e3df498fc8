import pytest
from starlette.requests import Request

from sealog.compat.elastic_errors import Rejected
from sealog.compat.elastic_names import Choosing
from sealog.compat.elastic_requests import BODY_BYTES_MAX, SEARCHED, Asking, body_of, lines_of


def asked(query="", body=b""):
    request = Request({"type": "http", "query_string": query.encode(), "headers": []})
    return Asking(request, None, ("closer", "_search"), body, 0)


def test_parameters_stand_for_members_of_the_body():
    found = asked("q=a:b&size=5&from=1&sort=@timestamp:desc,_doc&df=x&_source=a,b").search_body()

    assert found == {
        "query": {"query_string": {"query": "a:b", "default_field": "x"}},
        "size": "5",
        "from": "1",
        "sort": ["@timestamp:desc", "_doc"],
        "_source": ["a", "b"],
    }


def test_parts_of_a_document_may_be_named_either_way():
    assert asked("_source=false").search_body() == {"_source": False}
    assert asked("_source_includes=a&_source_excludes=b,c").search_body() == {
        "_source": {"includes": ["a"], "excludes": ["b", "c"]}
    }
    assert asked("", b'{"_source":["x"]}').search_body() == {"_source": ["x"]}


@pytest.mark.parametrize(
    "query", ["nonsense=1", "filter_path=hits.hits", "terminate_after=1", "format=yaml"]
)
def test_a_parameter_that_would_go_unheeded_is_refused_by_name(query):
    with pytest.raises(Rejected, match=query.partition("=")[0]):
        asked(query).check(SEARCHED)


def test_what_the_clients_send_is_taken():
    asked("pretty&human=false&preference=x&track_total_hits=true&typed_keys=true").check(SEARCHED)


@pytest.mark.parametrize(
    ("query", "said", "expected"),
    [
        ("", {}, Choosing()),
        ("ignore_unavailable=true", {}, Choosing(ignore_missing=True)),
        ("ignore_unavailable=true", {"ignore_unavailable": False}, Choosing()),
        ("allow_no_indices=false", {}, Choosing(may_be_none=False)),
        ("", {"allow_no_indices": False}, Choosing(may_be_none=False)),
        ("expand_wildcards=none", {}, Choosing(expands=False)),
        ("expand_wildcards=open,hidden", {}, Choosing()),
        ("", {"expand_wildcards": ["closed"]}, Choosing(expands=False)),
    ],
)
def test_what_becomes_of_names_that_are_not_there(query, said, expected):
    assert asked(query).choosing(said) == expected


def test_a_flag_is_there_unless_it_says_no():
    request = asked("v&typed_keys=true&pretty=false")

    assert request.flag("typed_keys")
    assert not request.flag("pretty")
    assert not request.flag("ignore_unavailable")


@pytest.mark.parametrize(
    "body",
    [
        b"[1]",
        b"{",
        b"\xff",
        b"{" * 100_000,
        b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
        b'"x"',
    ],
)
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(Rejected) as raised:
        body_of(body)

    assert raised.value.status == 400


def test_a_body_has_a_limit():
    head = b'{"a":"'
    largest = head + b"x" * (BODY_BYTES_MAX - len(head) - 2) + b'"}'

    assert len(body_of(largest)["a"]) == BODY_BYTES_MAX - len(head) - 2
    with pytest.raises(Rejected) as raised:
        body_of(largest + b" ")
    assert raised.value.status == 413


def test_no_body_is_an_empty_one():
    assert body_of(b"") == body_of(b" \n") == {}


def test_lines_are_objects_each():
    assert lines_of(b'{"index":"closer"}\n{"size":0}\n\n{}\n', 4) == [
        {"index": "closer"},
        {"size": 0},
        {},
        {},
    ]


def test_lines_are_counted_before_any_is_read():
    """A body of nothing but line breaks holds millions of them."""
    assert lines_of(b"", 2) == lines_of(b" \n\n", 2) == []
    with pytest.raises(Rejected, match="at most 2 lines"):
        lines_of(b"{}\n" * 3, 2)
