import pytest
from starlette.requests import Request

from sealog.compat.elastic_errors import Rejected
from sealog.compat.elastic_names import INDICES
from sealog.compat.elastic_requests import Asking
from sealog.compat.elastic_shown import INFO, cat, field_caps, listed


def asked(words, query=""):
    request = Request({"type": "http", "query_string": query.encode(), "headers": []})
    return Asking(request, None, words, b"", 0)


def test_the_version_is_one_that_clients_know():
    assert INFO["version"]["number"].split(".")[0] == "8"
    assert INFO["tagline"] == "You Know, for Search"


def test_indices_are_listed_by_name_and_by_pattern():
    assert [index.name for index in listed("closer")] == ["closer"]
    assert len(listed("*")) == len(listed("_all")) == len(INDICES)
    assert listed("no*") == []
    with pytest.raises(Rejected):
        listed("nowhere")


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
