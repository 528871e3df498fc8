"""Objects are found by their brackets, in text that is not clean JSON."""

import pytest

from sealog.wire.objects import OBJECT_BYTES_MAX, end_of, spans


def found(text: bytes, *, prose: bool = True) -> list[bytes]:
    return [text[span.begin : span.end] for span in spans(text, prose=prose) if span.closed]


def test_objects_after_each_other_are_told_apart():
    assert found(b'{"a":1}{"b":{"c":[2]}} {"d":3}\n{\n"e": 4\n}') == [
        b'{"a":1}',
        b'{"b":{"c":[2]}}',
        b'{"d":3}',
        b'{\n"e": 4\n}',
    ]


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":"}"}',
        b'{"a":"{"}',
        b'{"a":"\\"}"}',
        b'{"a":"\\\\"}',
        b'{"a": [email protected], "b": 1}',
        b'{"a": 1, // }\n "b": 2}',
        b'{"a": http://x.example/{id}, "b": 1}',
    ],
)
def test_brackets_in_strings_and_comments_do_not_count(text):
    assert found(text + b'{"next":1}') == [text, b'{"next":1}']
    assert end_of(text) == len(text)


def test_braces_of_prose_begin_nothing():
    text = b'Call /users/{id} (or {{name}}), "then:\n{"a":1}\nand `{x}` again.'

    assert found(text) == [b'{"a":1}']


def test_in_an_array_every_brace_begins_an_object():
    assert found(b"[{a:1},{b:2}]", prose=False) == [b"{a:1}", b"{b:2}"]


def test_a_quote_never_closed_spoils_its_own_line_only():
    assert found(b'{\n"a": "b\n}\n{"c":1}') == [b'{\n"a": "b\n}', b'{"c":1}']


def test_an_object_never_closed_ends_where_the_next_one_begins():
    text = b'{\n  "a": {"b": 1}\n\n{\n  "c": 2\n}\n{"d":3}'

    spans_ = list(spans(text))

    assert [span.closed for span in spans_] == [False, True, True]
    assert found(text) == [b'{\n  "c": 2\n}', b'{"d":3}']


def test_an_object_cut_off_in_the_middle_of_a_member_leaves_its_neighbours():
    assert found(b'{"a":\n{"b":2}\n{"c":3}')[-1] == b'{"c":3}'


@pytest.mark.parametrize(
    "text",
    [b'{\n"a":\n{\n"b":1}}', b'{"a":[\n{"b":1},\n{"b":2}\n]}', b'{"a":[{"b":1},\n{"b":2}]}'],
)
def test_objects_nested_without_indentation_stay_inside(text):
    assert found(text) == [text]


def test_an_object_past_the_limit_is_not_followed_to_its_end():
    inner = b'{"a":"' + b"x" * OBJECT_BYTES_MAX + b'"}'

    spans_ = list(spans(inner + b'\n{"b":1}'))

    assert [span.closed for span in spans_] == [False, True]
    assert spans_[0].end - spans_[0].begin > OBJECT_BYTES_MAX


def test_an_object_at_the_limit_is_found_whole():
    text = b'{"a":"' + b"x" * (OBJECT_BYTES_MAX - 8) + b'"}'

    assert len(text) == OBJECT_BYTES_MAX
    assert found(text) == [text]


@pytest.mark.parametrize("text", [b'{"a":1', b'{"a":[1}', b"{", b"", b'{"a":"b}'])
def test_without_a_matching_brace_there_is_no_end(text):
    assert end_of(text) != len(text) or not text


@pytest.mark.parametrize(
    "text",
    [b"[" * 50_000, b"{" * 50_000, b'{"a":[\n' * 9_000, b'{"' * 20_000, b"{\n" * 9_000],
    ids=["arrays", "objects", "lines", "quotes", "braces"],
)
def test_hostile_text_is_walked_to_its_end(text):
    """Every span lies behind the one before it, and none is closed."""
    at = 0
    for span in spans(text):
        assert span.begin >= at
        assert span.end > span.begin
        assert not span.closed
        at = span.end
