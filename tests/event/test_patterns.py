"""Patterns, quick and strict, find the same values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealog.event.patterns import (
    COMMA,
    KEYS_MAX,
    QUICK_AFTER,
    Pattern,
    Shapeless,
    are_plain,
    key_pattern,
    styled,
    value_pattern,
)


def learnt(line: bytes, **values: object) -> Pattern:
    members = [key_pattern(key) + b"(%b)" % value_pattern(value) for key, value in values.items()]
    return styled(rb"\{%b\}" % COMMA.join(members), line)


LINE = b'{"a":"x","b":"y","c":{"d":"x","e":1},"f":["x"]}'
PATTERN = learnt(
    LINE,
    a="x",
    b="y",
    c={"d": "x", "e": 1},
    f=["x"],
)
PATTERN.left = 1
assert PATTERN.plainly(LINE) is not None
assert PATTERN.quick is not None


def test_the_quick_pattern_is_made_when_it_pays() -> None:
    pattern = learnt(b'{"a":"x"}', a="x")

    for _ in range(QUICK_AFTER):
        assert pattern.quick is None
        assert pattern.plainly(b'{"a":"x"}') is not None
    assert pattern.quick is not None


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b'{"a":"x","b":"y","c":{"d":"","e":-1},"f":[]}', id="no escape"),
        pytest.param(b'{"a":"x","b":"\\\\","c":{"d":"","e":1},"f":[]}', id="a backslash"),
        pytest.param(b'{"a":"\\"","b":"y","c":{"d":"","e":1},"f":[]}', id="one elsewhere"),
        pytest.param(b'{"a":"x","b":"y","c":{"d":"\\n","e":1},"f":[]}', id="one in an object"),
        pytest.param(b'{"a":"x","b":"y","c":{"d":"x","e":1},"f":["\\t"]}', id="one in an array"),
    ],
)
def test_wherever_escapes_stand_the_same_is_found(line: bytes) -> None:
    strict, plain = PATTERN.match(line), PATTERN.plainly(line)

    assert strict is not None
    assert plain is not None
    assert strict.groups() == plain.groups()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b'{"a":"x\\","b":"y","c":{"d":"","e":1},"f":[]}', id="the quote is escaped"),
        pytest.param(b'{"a":"\\x","b":"y","c":{"d":"","e":1},"f":[]}', id="no escape of JSON"),
        pytest.param(b'{"a":" :x","b":"y","c":{"d":"","e":1},"f":[]}', id="a colon first"),
        pytest.param(b'{"a":"x","b":"y","c":{"d":"","e":01},"f":[]}', id="no number"),
        pytest.param(b'{"a":"x","b":"y","c":{"d":"","e":1},"f":[],"g":1}', id="one key more"),
    ],
)
def test_what_is_not_of_the_shape_is_not_found_plainly_either(line: bytes) -> None:
    assert PATTERN.match(line) is None
    assert PATTERN.plainly(line) is None


@settings(max_examples=300)
@given(st.lists(st.sampled_from(['"', "\\", ",", ":", "x", '"b"', "{", "é"]), max_size=12))
def test_no_text_is_read_otherwise_by_the_quick_pattern(signs: list[str]) -> None:
    text = "".join(signs)
    for place in ('"a":"%s","b":"y"', '"a":"x","b":"%s"'):
        line = ("{" + place % text + ',"c":{"d":"","e":1},"f":[]}').encode()

        strict, plain = PATTERN.match(line), PATTERN.plainly(line)

        assert (strict and strict.groups()) == (plain and plain.groups())


def test_a_record_with_escapes_leaves_no_quick_pattern() -> None:
    pattern = learnt(b'{"a":"x\\/y"}', a="x/y")

    for _ in range(QUICK_AFTER + 1):
        assert pattern.plainly(b'{"a":"x"}') is not None
    assert pattern.quick is None


def test_too_many_keys_have_no_pattern() -> None:
    values = {f"k{number}": 1 for number in range(KEYS_MAX + 1)}

    with pytest.raises(Shapeless):
        learnt(b"{}", **values)


@pytest.mark.parametrize("size", [1, 10_000])
def test_a_control_character_anywhere_is_noticed(size: int) -> None:
    lines = [b"x" * size, "é\x7f".encode()]

    assert are_plain(lines)
    assert not are_plain([*lines, b"\x1f"])
    assert not are_plain([b"\x00", *lines])
    assert not are_plain([b"a\nb", *lines])
