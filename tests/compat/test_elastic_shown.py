import pytest
from starlette.requests import Request

from sealog.compat.elastic_errors import Rejected
from sealog.compat.elastic_names import INDICES
from sealog.compat.elastic_requests import Asking
from sealog.compat.elastic_shown import INFO, cat, field_caps


def asked(words, query="", body=b"", headers=()):
    request = Request({"type": "http", "query_string": query.encode(), "headers": list(headers)})
    return Asking(request, None, words, body, 0)


def test_the_version_is_one_that_clients_know():
    assert INFO["version"]["number"].split(".")[0] == "8"
    assert INFO["tagline"] == "You Know, for Search"


def test_a_table_has_the_columns_that_are_asked_for():
    counted = [(INDICES["closer"], 7), (INDICES["easysend"], 12)]

    assert cat(counted, asked((), "h=index,docs.count&v")) == (
        "index    docs.count\ncloser   7\neasysend 12\n"
    )
    assert cat(counted[:1], asked((), "format=json&h=index,docs.count")) == [
        {"index": "closer", "docs.count": "7"}
    ]
    assert cat([], asked((), "v")) == ""


def test_capabilities_are_those_of_the_index_named():
    found = field_caps(asked(("closer", "_field_caps"), "fields=@timestamp,message.user.id"))

    assert found["indices"] == ["closer"]
    assert set(found["fields"]) == {"@timestamp", "message.user.id"}


def test_a_table_is_sorted_and_its_columns_may_be_named_for_short():
    counted = [(INDICES["closer"], 7), (INDICES["easysend"], 12), (INDICES["supsis"], 9)]

    assert cat(counted, asked((), "h=i,dc&s=dc:desc")) == "easysend 12\nsupsis   9\ncloser   7\n"
    assert cat(counted, asked((), "h=i&s=i")) == "closer\neasysend\nsupsis\n"


def test_a_table_is_json_for_who_takes_nothing_else():
    """The official clients take text first."""
    counted = [(INDICES["closer"], 7)]
    json, text = (b"accept", b"application/json"), (b"accept", b"text/plain,application/json")

    assert cat(counted, asked((), "h=i", headers=[json])) == [{"index": "closer"}]
    assert cat(counted, asked((), "h=i", headers=[text])) == "closer\n"


@pytest.mark.parametrize("body", [b'{"fields":5}', b'{"index_filter":{"match_none":{}}}'])
def test_capabilities_that_cannot_be_told_are_refused(body):
    with pytest.raises(Rejected):
        field_caps(asked(("_field_caps",), body=body))
