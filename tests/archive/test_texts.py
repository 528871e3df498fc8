import json

import pytest

from sealog.archive import texts
from sealog.catalog.shelf import load
from sealog.event.parts import FACT_PATHS, FACTS

FACT = (
    b'{"event":{"action":"a","id":"%d","ingested":"2026"},"@timestamp":"2027","organization":'
    b'{"id":"acme"}}'
)


def left(facts=b"", rest=b""):
    return b" ".join(texts.searchable([facts, b"", b"", rest])).decode()


def test_times_and_names_of_facts_are_left_out():
    assert left(FACT % 1 + FACT % 2) == (
        '{"event":{"action":"a",},,"organization":{"id":"acme"}}' * 2
    )


def test_no_declared_fact_ends_like_what_is_left_out_of_facts():
    """`texts.searchable` looks for the keys alone."""
    catalog = load()
    declared = {
        field.path
        for file in catalog.dialects.values()
        for each in file.types
        for field in each.fields.values()
        if field.part == "facts"
    }

    steps = [path.split(".")[-1] for path in [*FACT_PATHS, *declared]]

    assert declared
    assert FACTS == 0
    assert [steps.count("@timestamp"), steps.count("ingested")] == [1, 1]


@pytest.mark.parametrize(
    "record",
    ['{"a":"b \\"c\\"}}{","d":[1,"e"]}', '{"a":"\\\\"}', "id,name;x", 'x"}}{"', "ends in \\}"],
)
@pytest.mark.parametrize("before", [{}, {"url": {"full": "kept"}}], ids=["first", "last"])
def test_an_original_alone_in_its_event_is_left_out(record, before):
    rest = json.dumps({**before, "event": {"original": record}}, separators=(",", ":")).encode()

    assert "original" not in left(rest=rest + rest)
    assert left(rest=rest + rest).count("kept") == 2 * len(before)


@pytest.mark.parametrize(
    "rest",
    [
        {"event": {"original": "kept", "x": 1}},
        {"event": {"original": "kept"}, "x": 1},
        {"a": {"event": {"original": "kept"}}},
        {"a": {"event": {"original": "kept\\", "}}{": 1}}},
        {"event": {"original": "kept\\", "}}{": 1}},
        {'a"event': {"original": "kept"}},
        {"a": ['"event":{"original":"', "kept", '"}}{']},
        {"a": {"event": {"original": "x\\"}}, "b": "kept", "c": {"d": {"e": "}}{"}}},
    ],
    ids=range(8),
)
def test_whatever_may_be_anything_else_is_kept(rest):
    text = json.dumps(rest, separators=(",", ":")).encode()

    assert "kept" in left(rest=text + text)


def test_many_originals_take_no_time_to_speak_of():
    rest = b'{"a":[' + b'{"event":{"original":"a","b":1}},' * 60_000 + b"1]}"

    assert len(left(rest=rest)) == len(rest)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (rb"a\u00e9b", "aéb"),
        (rb"a\\u00e9", "a  u00e9"),
        (rb"a\\\u00e9", "a  é"),
        (rb"\"a\/\n\t\\", "  a        "),
        (rb"\ud83d\ude00", "\U0001f600"),
        (rb"\ud83dx", "\ufffdx"),
    ],
)
def test_escapes_become_what_they_mean(text, plain):
    assert texts.unescaped(text).decode() == plain


def test_values_are_what_is_neither_key_nor_null():
    part = rb'{"a":["b",-1.5E3,{"c":"d"}],"e" : true,"f":null,"g":"null","h":"i\"j\\"}'

    assert texts.values(part) == [b"b", b"-1.5E3", b"d", b"true", b"null", rb"i\"j\\"]


def test_plain_values_stand_side_by_side():
    part = b'{"a":["b",-1.5E3,2,{"c":"d d"}],"e" : true , "f" :null,"g":""}'

    said = [piece.strip(b" :[]{}") for piece in texts.plain_values(part).split(b'"')]

    assert [each for each in said if each] == [b"-1.5E3", b"2", b"true", b"null", b"b", b"d d"]


def test_an_event_is_searched_but_for_its_time_its_name_and_its_original():
    part = b'{"@timestamp":"t","event":{"id":"n","ingested":"t","original":"o","x":"y"},"id":"z"}'

    assert texts.values(texts.searched(part)) == [b"y", b"z"]


@pytest.mark.parametrize(
    ("part", "found"),
    [
        (rb'{"a\ud800":"x","event":{"k\ud800":"y","original":"o"}}', [b"x", b"y"]),
        (rb'{"event":{"original":"o"},"b":"v\ud800w"}', [rb"v\ud800w"]),
        (b'{"a":' + b'{"b":' * 150 + b'"x"' + b"}" * 150 + b',"event":{"original":"o"}}', [b"x"]),
        (b'{"event":"x","@timestamp":{"a":"o"}}', [b"x"]),
        (rb'{"\u0065vent":{"origina\u006c":"o","a":"x"}}', [b"x"]),
        (b'{"a":{"b":"x","b":"y"}}', [b"x", b"y"]),
    ],
    ids=["half-a-character-in-a-key", "in-a-value", "deep", "a-text", "escaped-keys", "equal-keys"],
)
def test_the_values_of_parts_that_look_odd(part, found):
    assert texts.values(texts.searched(part)) == found


def test_characters_beyond_ascii_are_told_apart():
    text = r'"é\u00e9e\u0301 \ud835\udc00 \ud835 \\u0041 \n ж"'.encode()

    assert texts.foreign_characters(text) == {"é", "\u0301", "\U0001d400", "\ufffd", "A", "ж"}
