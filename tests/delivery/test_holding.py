import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.delivery.made import record, records

from sealog.delivery import enveloping, holding
from sealog.delivery.holding import Comparing, Held, Span, Unread
from sealog.delivery.shaping import Shape

ECS = {
    "@timestamp": "2026-01-31T00:00:00.000Z",
    "organization": {"id": "acme"},
    "sealog": {"index": 7},
}


def encoded(value):
    return msgspec.json.encode(value)


def read(text, size=7):
    """The objects of a text that comes in small pieces."""
    return list(holding.values(text[at : at + size] for at in range(0, len(text), size)))


def held(*values):
    return [one for value in values for one in holding.records(value)]


def test_a_webhooks_body_is_read_back():
    event = msgspec.json.decode(record(7).body)

    assert held(enveloping.one("acme", record(7))) == [Held(event, 7, "acme")]


def test_a_batch_is_read_back_one_by_one():
    found = held(enveloping.some("acme", records(3, 4, 9)))

    assert [(one.index, one.tenant, one.body["n"]) for one in found] == [
        (3, "acme", 3),
        (4, "acme", 4),
        (9, "acme", 9),
    ]


@pytest.mark.parametrize(
    "value",
    [
        ECS,
        {"events": [ECS], "next_cursor": "7"},
        {"_index": "logs", "_id": "x", "_source": ECS},
        {"took": 1, "hits": {"total": 1, "hits": [{"_id": "x", "_source": ECS}]}},
    ],
    ids=["alone", "page", "hit", "hits"],
)
def test_events_are_found_wherever_a_tool_put_them(value):
    assert held(encoded(value)) == [Held(ECS, 7, "acme")]


def test_a_record_of_a_product_says_no_index():
    document = {"message": {"event.action": "login"}, "_source": {"a": 1}}

    assert held(encoded(document)) == [Held(document, None, None)]


def test_a_test_of_the_connection_is_no_record():
    assert held(enveloping.test("acme", 0), enveloping.bare_test("acme")) == []


@pytest.mark.parametrize(
    "value",
    [
        b"{", b"[]", b"7", b"", b"\xff", b'{"events": [7]}',
        b'{"type": "a", "timestamp": "b", "data": {"index": 7}}',
        b'{"type": "a", "timestamp": "b", "data": {"events": [[]]}}',
    ],
)  # fmt: skip
def test_what_holds_no_records_is_unread(value):
    with pytest.raises(Unread):
        held(value)


LAYOUTS = {
    "lines": lambda values: b"".join(encoded(value) + b"\n" for value in values),
    "lines-without-the-last-break": lambda values: b"\n".join(map(encoded, values)),
    "lines-of-windows": lambda values: b"\xef\xbb\xbf" + b"\r\n\r\n".join(map(encoded, values)),
    "array": encoded,
    "printed": lambda values: msgspec.json.format(encoded(values), indent=4),
    "one-after-the-other": lambda values: b"\n".join(
        msgspec.json.format(encoded(value), indent=1) for value in values
    ),
}
VALUES = [
    {"a": [{"b": "}{]["}, '"\\"'], "n": 1},
    {"long": "x" * 100, "e": {}},
    {"ü": "\u2028", "deep": [[[{"x": [{}]}]]]},
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_objects_are_found_however_a_file_is_laid_out(layout, size):
    found = read(LAYOUTS[layout](VALUES), size)

    assert [msgspec.json.decode(value) for value in found] == VALUES


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.lists(
        st.dictionaries(st.text(max_size=5), JSON, min_size=1, max_size=3), min_size=1, max_size=4
    ),
    st.sampled_from(sorted(LAYOUTS)),
    st.integers(1, 50),
)
def test_whatever_the_objects_are_all_are_found(objects, layout, size):
    found = read(LAYOUTS[layout](objects), size)

    assert [msgspec.json.decode(value) for value in found] == objects


@pytest.mark.parametrize("text", [b"", b"\n \r\n", b"[]", b"[\n]\n"])
def test_a_file_may_hold_nothing(text):
    assert read(text) == []


@pytest.mark.parametrize("text", [b'[{"a": 1}, {"b":', b"hello\nworld\n", b'{\n"a":\n', b"hello"])
def test_a_file_that_is_no_json_or_breaks_off_is_unread(text):
    with pytest.raises(Unread):
        read(text)


def test_a_bad_line_spoils_no_other():
    assert read(b'{"a":1}\n{"b":\n{"c":3}\n') == [b'{"a":1}', b'{"b":', b'{"c":3}']


@pytest.mark.parametrize("head", [b"", b'{"a":1}\n', b"[\n"])
def test_one_object_has_a_limit(monkeypatch, head):
    monkeypatch.setattr(holding, "RECORD_BYTES_MAX", 1_000)
    monkeypatch.setattr(holding, "_CHUNK_BYTES_MAX", 0)

    with pytest.raises(Unread, match="longer than 1000 bytes"):
        read(head + b'{"a":"' + b"x" * 2_000, 100)


@pytest.mark.parametrize(
    ("name", "span"),
    [
        ("str_1-acme-000000000003-000000000009.ndjson", Span(3, 9)),
        ("str_1-acme-000000000003-000000000009-2.ndjson.gz", Span(3, 9)),
        ("str_1-acme-000000000003.json", Span(3, 3)),
        ("str_1-a-1-000000000003.json.gz", Span(3, 3)),
        ("export.ndjson", None),
        ("acme-3-9.ndjson", None),
        ("str_1-acme-000000000003.txt", None),
    ],
)
def test_a_files_name_says_which_indexes_are_in_it(name, span):
    assert holding.named(name) == span


WHOLE = Comparing(Shape(), is_ecs=True)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"b":{"c":[1.5,"x"]}}',
        b'{ "b" : {"c":[15e-1, "\\u0078"]}, "a" : 1 }',
    ],
)
def test_what_says_the_same_has_the_same_digest(text):
    assert WHOLE.digest(msgspec.json.decode(text), 7) == 18_294_900_629_741_894_776


def test_what_says_something_else_has_another():
    digests = {
        WHOLE.digest(msgspec.json.decode(text), 7)
        for text in (
            b'{"a":1}',
            b'{"a":1.5}',
            b'{"a":"1"}',
            b'{"a":[1]}',
            b'{"b":1}',
            b'{"a":null}',
        )
    }

    assert len(digests) == 6


def test_fields_that_never_left_are_not_compared():
    """What a stream projects and masks; hashes are made with a key that nobody has here."""
    shape = Shape(exclude=("url",), mask={"user.name": "mask", "user.id": "hash"})
    comparing = Comparing(shape, is_ecs=True)
    ours = {
        "@timestamp": "t", "url": {"full": "x"}, "user": {"name": "Ada", "id": "7", "email": "a"},
        "related": {"user": ["Ada"]},
    }  # fmt: skip
    theirs = {
        "@timestamp": "t", "user": {"name": "[masked]", "id": "9c1f", "email": "a"},
        "related": {"user": ["[masked]"]}, "sealog": {"index": 7},
    }  # fmt: skip

    assert comparing.digest(ours, 7) == comparing.digest(theirs, 7)
    theirs["user"]["email"] = "b"
    assert comparing.digest(ours, 7) != comparing.digest(theirs, 7)


@pytest.mark.parametrize(
    ("event", "is_erased"),
    [
        ({"sealog": {"erased": ["actor"]}}, True),
        ({"_source": {"sealog": {"erased": ["actor"]}}}, True),
        ({"sealog": {"index": 7}, "user": {"name": "erased"}}, False),
        ({}, False),
    ],
)
def test_an_event_says_that_a_part_of_it_was_erased(event, is_erased):
    assert holding.has_erased(event) is is_erased
