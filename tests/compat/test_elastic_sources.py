import msgspec
import pytest

from sealog.compat.elastic_errors import Rejected
from sealog.compat.elastic_names import INDICES
from sealog.compat.elastic_sources import document, read, shown
from sealog.event.packs import Opened

TEXT = b'{"a":{"b":1,"c":[1,2]},"d":"x","a.e":true,"f":{}}'


def cut(source, fields=None):
    found = shown(TEXT, read(source, fields))
    if "_source" in found:
        found["_source"] = msgspec.to_builtins(
            msgspec.json.decode(msgspec.json.encode(found["_source"]))
        )
    return found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (None, {"a": {"b": 1, "c": [1, 2]}, "d": "x", "a.e": True, "f": {}}),
        (True, {"a": {"b": 1, "c": [1, 2]}, "d": "x", "a.e": True, "f": {}}),
        ("d", {"d": "x"}),
        (["a.b", "d"], {"a": {"b": 1}, "d": "x"}),
        ("a", {"a": {"b": 1, "c": [1, 2]}, "a.e": True}),
        ("a.*", {"a": {"b": 1, "c": [1, 2]}, "a.e": True}),
        ({"includes": ["a"], "excludes": ["a.c"]}, {"a": {"b": 1}, "a.e": True}),
        ({"excludes": ["a*"]}, {"d": "x", "f": {}}),
        ("nowhere", {}),
    ],
)
def test_a_document_is_as_much_as_is_asked_for(source, expected):
    assert cut(source) == {"_source": expected}


def test_no_document_is_shown_where_none_is_asked_for():
    assert cut(False) == {}


def test_fields_stand_beside_it_as_lists():
    assert cut(False, ["a.*", {"field": "d"}]) == {
        "fields": {"a.b": [1], "a.c": [1, 2], "a.e": [True], "d": ["x"]}
    }


def test_what_names_no_field_is_refused():
    with pytest.raises(Rejected):
        read([1])


def test_a_hit_of_closers_loses_its_envelope():
    """CL-22: what is printed in it is Elasticsearch's own."""
    opened = Opened(b"\x01", ())
    hit = b'{"_index":"closer","_id":"x","_source":{"@timestamp":"t","message":{}}}'

    found = document(opened, 0, INDICES["closer"], lambda *_: hit)

    assert found == b'{"@timestamp":"t","message":{}}'
    assert document(opened, 0, INDICES["closer"], lambda *_: b'{"message":1}') == b'{"message":1}'
    assert document(opened, 0, INDICES["sealog"], lambda *_: hit) == hit
