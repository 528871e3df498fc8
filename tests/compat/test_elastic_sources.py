import msgspec
import pytest

from sealog.compat.elastic_errors import Rejected
from sealog.compat.elastic_names import INDICES
from sealog.compat.elastic_sources import document, read, shown
from sealog.event.packs import Opened

TEXT = b'{"a":{"b":1,"c":[1,2]},"d":"x","a.e":true,"f":{}}'
LISTED = b'{"l":[{"a":1,"b":2},{"b":3},7],"o":{"b":[]},"n":1e400,"s":"\\ud800","f":1.0}'


def cut(source, fields=None):
    found = shown(TEXT, read(source, fields))
    if "_source" in found:
        found["_source"] = msgspec.to_builtins(
            msgspec.json.decode(msgspec.json.encode(found["_source"]))
        )
    if "fields" in found:
        found["fields"] = msgspec.json.decode(msgspec.json.encode(found["fields"]))
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


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (["l.a"], b'{"l":[{"a":1}]}'),
        ({"excludes": ["l.b", "o.b", "n", "s"]}, b'{"l":[{"a":1},7],"f":1.0}'),
        (["n", "s", "f"], b'{"n":1e400,"s":"\\ud800","f":1.0}'),
        (["o"], b'{"o":{"b":[]}}'),
        (["*.b"], b'{"l":[{"b":2},{"b":3}],"o":{"b":[]}}'),
        (["o*b", "f*"], b'{"o":{"b":[]},"f":1.0}'),
        ({"includes": ["l"], "excludes": ["*.b"]}, b'{"l":[{"a":1},7]}'),
        ({"includes": ["o"], "excludes": ["o.c"]}, b'{"o":{"b":[]}}'),
        (False, None),
    ],
)
def test_lists_are_cut_too_and_values_stay_the_tokens_they_are(source, expected):
    """What was not asked for is never shown, however odd its neighbours are."""
    found = shown(LISTED, read(source))

    assert found == {} if expected is None else msgspec.json.encode(found["_source"]) == expected


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


def test_a_format_that_fields_would_not_be_given_in_is_refused():
    """Grafana names the one that documents have."""
    assert read(False, [{"field": "d", "format": "strict_date_optional_time_nanos"}]).fields == (
        "d",
    )
    with pytest.raises(Rejected, match="epoch_millis"):
        read(False, [{"field": "d", "format": "epoch_millis"}])
