"""JSON is read and written as the tokens it was sent in."""

import msgspec
import pytest
from msgspec import Raw

from sealog.errors import Refused, TooLarge
from sealog.event import tokens
from sealog.event.tokens import KEYS_MAX, LEVELS_MAX, encode, opened, parse, plain, plain_leaf, raw


def equals(text: bytes) -> list[tuple[tuple[str, ...], list[bytes]]]:
    return [(one.path, [bytes(value) for value in one.values]) for one in parse(text).equal]


@pytest.mark.parametrize(
    "token",
    [
        b"1.0",
        b"1E+2",
        b"-0",
        b"12345678901234567890123",
        b"1e999",
        b'"\\u00e9"',
        b'"\\ud800"',
        b'"\\u0000"',
        b'"\xc3\xa9\\/"',
        b"true",
        b"null",
        b"[]",
        b'[1.0, {"b": "\\udfff"}, [ ]]',
    ],
)
def test_every_value_stays_the_token_it_was(token):
    text = b'{"a":{"n":' + token + b"}}"

    assert encode(parse(text).tree) == text


def test_objects_are_opened_and_arrays_are_leaves():
    tree = parse(b' { "a" : {"b": [1, 2]} , "c":{} } ').tree

    assert set(tree) == {"a", "c"}
    assert tree["c"] == {}
    assert isinstance(tree["a"]["b"], Raw)
    assert bytes(tree["a"]["b"]) == b"[1, 2]"


def test_keys_are_counted_at_every_level():
    assert parse(b'{"a":{"b":1},"c":[{"d":1,"e":[{"f":2}]}]}').keys == 6


@pytest.mark.parametrize(
    ("text", "kept", "equal"),
    [
        pytest.param(b'{"a":1,"a":2}', b'{"a":1}', [(("a",), [b"1", b"2"])], id="LH-Q8"),
        pytest.param(
            b'{"o":{"a":1,"b":0,"a":{"c":1},"a":[]}}',
            b'{"o":{"a":1,"b":0}}',
            [(("o", "a"), [b"1", b'{"c":1}', b"[]"])],
            id="nested",
        ),
        pytest.param(
            b'{"a":{"b":1},"a":2}', b'{"a":{"b":1}}', [(("a",), [b'{"b":1}', b"2"])], id="object"
        ),
        pytest.param(b'{"a":1,"\\u0061":2}', b'{"a":1}', [(("a",), [b"1", b"2"])], id="escaped"),
        pytest.param(
            b'{"l":[{"x":1,"x":2}]}', b'{"l":[{"x":1,"x":2}]}', [(("l", "x"), [])], id="in-array"
        ),
    ],
)
def test_of_equal_keys_the_first_stays_and_all_are_told(text, kept, equal):
    parsed = parse(text)

    assert encode(parsed.tree) == kept
    assert equals(text) == equal


def test_keys_that_are_half_characters_stay_apart():
    parsed = parse(b'{"\\ud800":1,"\\ud801":2,"\\ud83d\\ude00":3}')

    assert list(parsed.tree) == ["\\ud800", "\\ud801", "\N{GRINNING FACE}"]
    assert parsed.equal == ()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (b"", 0),
        (b"[1]", 0),
        (b'{"a"}', 4),
        (b'{"a":}', 5),
        (b'{"a":1,}', 7),
        (b'{"a":1 "b":2}', 7),
        (b'{"a":1}x', 7),
        (b'{"a":[1,]}', 8),
        (b'{"a":[1 2]}', 8),
        (b'{"a":[,1]}', 6),
        (b'{"a":[{"b" 1}]}', 11),
        (b'{"a":01}', 6),
        (b'{"a":"\x01"}', 5),
        (b'{"a":"\\x"}', 5),
        (b'{"a":nul}', 5),
        (b'{"a":[1}', 7),
        (b'{"a":1', 6),
    ],
)
def test_what_is_not_one_json_object_is_refused_naming_the_byte(text, at):
    with pytest.raises(Refused) as refusal:
        parse(text)

    assert refusal.value.code == "not-json"
    assert refusal.value.detail.endswith(f"at byte {at}")


@pytest.mark.parametrize(
    ("opening", "closing"), [(b'{"a":', b"}"), (b"[", b"]"), (b'[{"a":', b"}]")]
)
def test_128_levels_are_read_and_129_are_not(opening, closing):
    steps = (LEVELS_MAX - 2) // (opening.count(b"{") + opening.count(b"["))
    middle = opening * steps, closing * steps
    padding = LEVELS_MAX - 1 - steps * (opening.count(b"{") + opening.count(b"["))

    def nested(levels: int) -> bytes:
        return b'{"a":' + b"[" * levels + middle[0] + b"1" + middle[1] + b"]" * levels + b"}"

    assert encode(parse(nested(padding)).tree) == nested(padding)
    with pytest.raises(TooLarge) as refusal:
        parse(nested(padding + 1))
    assert refusal.value.code == "too-deep"


@pytest.mark.parametrize("wrap", [b"%s", b'{"a":[%s]}'], ids=["top", "array"])
def test_10_000_keys_are_read_and_one_more_is_not(wrap):
    extra = wrap.count(b":")

    def text(keys: int) -> bytes:
        return wrap % (b"{" + b",".join(b'"%d":0' % n for n in range(keys - extra)) + b"}")

    assert parse(text(KEYS_MAX)).keys == KEYS_MAX
    with pytest.raises(TooLarge) as refusal:
        parse(text(KEYS_MAX + 1))
    assert refusal.value.code == "too-many-keys"


def test_opened_gives_the_object_behind_a_node_or_none():
    tree = {"a": Raw(b"1")}

    assert opened(tree) is tree
    assert opened(Raw(b"[1]")) is None
    assert opened(Raw(b'"{"')) is None
    inner = opened(Raw(b'{"b":[1.0]}'))
    assert inner is not None
    assert bytes(inner["b"]) == b"[1.0]"
    with pytest.raises(msgspec.DecodeError):
        opened(Raw(b'{"b":"\\ud800"}'))


def test_values_of_our_own_become_leaves():
    assert bytes(raw({"a": [1, "é"]})) == '{"a":[1,"é"]}'.encode()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a":[1,2.5,null,true]}', {"a": [1, 2.5, None, True]}),
        (b'"\\ud800x"', "\ufffdx"),
        (
            b' [ "\\udc00" , {"\\ud800" : [ ] } , 1e999, {} ] ',
            ["\ufffd", {"\\ud800": []}, "1e999", {}],
        ),
        (b"1e999", "1e999"),
        (b"1" * 5000, "1" * 5000),
        (b'{"a":"\\ud800","a":2}', {"a": "\ufffd"}),
        (b'"\\ud83d\\ude00\\n\\"\\ud800"', '\N{GRINNING FACE}\n"\ufffd'),
    ],
    ids=lambda one: str(one)[:30],
)
def test_plain_gives_python_values_to_look_at(text, value):
    assert plain(text) == value
    assert plain_leaf(Raw(text)) == value


@pytest.mark.parametrize(
    "text", [b'["\\ud800",]', b'["\\ud800" 1]', b'{"a" "\\ud800"}', b'["\\ud800"]]']
)
def test_plain_refuses_what_is_not_json(text):
    with pytest.raises(Refused):
        plain(text)


def deep(levels: int) -> bytes:
    return b'{"a":' + b"[" * (levels - 1) + b'"\\ud800"' + b"]" * (levels - 1) + b"}"


def test_what_we_wrote_around_a_record_may_be_twice_as_deep():
    """A part holds a record below a few levels of our own."""
    assert encode(parse(deep(2 * LEVELS_MAX), own=True).tree) == deep(2 * LEVELS_MAX)
    assert "\ufffd" in str(plain(deep(2 * LEVELS_MAX)))
    with pytest.raises(TooLarge, match="256 levels"):
        parse(deep(2 * LEVELS_MAX + 1), own=True)
    with pytest.raises(TooLarge, match="256 levels"):
        plain(deep(2 * LEVELS_MAX + 1))


def test_long_strings_and_long_arrays_are_read_whole():
    text = b'{"s":"' + b"\\n" * 500_000 + b'","a":[' + b"1," * 500_000 + b'"\\ud800"]}'

    parsed = parse(text)

    assert encode(parsed.tree) == text
    assert len(plain(text)["a"]) == 500_001


def test_the_limits_are_those_that_are_documented():
    assert (tokens.LEVELS_MAX, tokens.KEYS_MAX) == (128, 10_000)
