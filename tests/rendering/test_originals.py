import msgspec
from tests.rendering.made import one

from sealog.rendering import originals

FACTS = b'{"sealog":{"action":"x","dialect":"supsis"}}'


def rest(original, *codes):
    return msgspec.json.encode(
        {
            "event": {"original": original},
            "sealog": {"findings": [{"code": code} for code in codes]},
        }
    )


def found(facts, text):
    return originals.of_dialect([facts], [text], "supsis")


def test_an_original_is_given_as_it_is():
    text = '{"a":1E2,"b":"\\u00e9","a":2}'

    assert found(FACTS, rest(text, "equal-keys")) == [text.encode()]


def test_an_event_of_another_dialect_has_none():
    assert found(FACTS.replace(b"supsis", b"closer"), rest("{}")) == [None]


def test_an_event_without_one_has_none():
    assert found(FACTS, b"") == [None]
    assert found(FACTS, b'{"message":"a"}') == [None]


def test_a_row_of_csv_is_none():
    assert found(FACTS, rest("2026-01-31,ada,,login")) == [None]


def test_broken_json_is_mended_as_it_was_when_it_came():
    """LH-Q7: values without quotes, commas that are missing."""
    text = '{"a": hlee\n"b": 1,}'

    assert found(FACTS, rest(text, "repaired-missing-comma")) == [b'{"a":"hlee","b":1}']


def test_what_cannot_be_mended_any_more_is_none():
    assert found(FACTS, rest("{a", "repaired")) == [None]


def test_space_between_tokens_goes_where_it_breaks_the_line():
    assert found(FACTS, rest('{"a b": 1}')) == [b'{"a b": 1}']
    assert found(FACTS, rest('{\n"a b":\t[1,\r\n2]}')) == [b'{"a b":[1,2]}']
    assert found(FACTS, rest('{\n"a":"\\ud800 \\n", "b":1e400}')) == [
        b'{"a":"\\ud800 \\n","b":1e400}'
    ]


def test_parts_that_only_the_slow_reader_takes_hide_no_neighbour():
    """Half a character in one event is no reason to lose the next one's original."""
    odd = b'{"message":"\\ud800","\\ud800":1,"event":{"original":"{\\"a\\":1}"}}'

    both = originals.of_dialect([FACTS, FACTS], [odd, rest('{"b":2}')], "supsis")

    assert both == [b'{"a":1}', b'{"b":2}']


def test_a_part_that_is_no_object_has_none():
    assert found(b"[]", rest("{}")) == [None]
    assert found(FACTS, b"{} {}") == [None]
    assert found(FACTS, b"1") == [None]


def test_more_parts_than_there_should_be_are_not_taken_for_others():
    assert originals.of_dialect([FACTS + b"," + FACTS], [rest("{}")], "supsis") == [None]


def test_one_event_gives_the_same():
    sent = {"dateTime": "2026-01-31 12:00:00", "user": "ada", "activity": "login"}
    opened = one("supsis", sent)

    assert originals.of_parts(opened.parts, "supsis") == msgspec.json.encode(sent)
    assert originals.of_parts(opened.parts, "closer") is None
    assert originals.of_parts(opened.parts[:1], "supsis") is None
