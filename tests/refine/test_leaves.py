"""The values of a text that is JSON, or nearly."""

import pytest

from sealog.refine.layers import Layer
from sealog.refine.leaves import LEVELS_MAX, Reader


def leaves(text: bytes, **options: object) -> list[tuple[str, str, str]]:
    reader = Reader(Layer(text), **options)  # type: ignore[arg-type]
    return [
        (leaf.pointer(), text[leaf.begin : leaf.end].decode(), leaf.under) for leaf in reader.leaves
    ]


def test_every_value_has_its_place() -> None:
    assert leaves(b'{"a":{"b/c":["x",1,{"d":true}]},"e":""}') == [
        ("/a/b~1c/0", "x", ""),
        ("/a/b~1c/1", "1", ""),
        ("/a/b~1c/2/d", "true", ""),
        ("/e", "", ""),
    ]


def test_values_inside_a_secret_stand_under_its_name() -> None:
    assert leaves(b'{"secrets":{"a":["x"],"b":"y"},"c":"z"}') == [
        ("/secrets/a/0", "x", "secrets"),
        ("/secrets/b", "y", "secrets"),
        ("/c", "z", ""),
    ]


@pytest.mark.parametrize(
    "text",
    [
        b'[{"name":"Cookie","value":["x",{"y":"z"}]}]',
        b'[{"value":["x",{"y":"z"}],"name":"Cookie"}]',
    ],
)
def test_the_name_of_a_pair_covers_its_value_in_either_order(text: bytes) -> None:
    under = {value: name for _, value, name in leaves(text)}

    assert under == {"Cookie": "", "x": "cookie", "z": "cookie"}


def test_pairs_do_not_reach_past_their_own_object() -> None:
    text = b'{"value":{"name":"token","value":"a","other":"b"},"x":"c"}'

    assert [under for _, _, under in leaves(text)] == ["", "token", "", ""]


def test_a_documented_name_lends_nothing() -> None:
    assert leaves(b'{"token":"x"}', documented=frozenset({"token"})) == [("/token", "x", "")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"a": b c, "d": "e"}', [("/a", "b c", ""), ("/d", "e", "")]),
        (b'{"a": "b" "token": "c"}', [("/a", "b", ""), ("/token", "c", "token")]),
        (b"{token: 'x', b: y}", [("/token", "x", "token"), ("/b", "y", "")]),
        (b'{"token":"cut', [("/token", "cut", "token")]),
        (b'{"a":[1,2', [("/a/0", "1", ""), ("/a/1", "2", "")]),
        (b'{"u":https://h/x,"b":1}', [("/u", "https://h/x", ""), ("/b", "1", "")]),
        (b'"x"', [("", "x", "")]),
        (b"]]}", []),
        (b"", []),
    ],
)
def test_what_is_not_quite_json_is_read_as_far_as_it_goes(
    text: bytes, expected: list[tuple[str, str, str]]
) -> None:
    assert leaves(text) == expected


def test_reading_ends_where_the_outermost_bracket_closes() -> None:
    assert Reader(Layer(b'x {"a":1} y'), 2).end == 9


def test_with_hits_only_what_they_touch_is_kept() -> None:
    text = b'{"a":"x","b":"y","token":"z","cardRef":1}'

    assert leaves(text, hits=[(13, 16)]) == [
        ("/b", "y", ""),
        ("/token", "z", "token"),
        ("/cardRef", "1", ""),
    ]


def test_depth_past_the_limit_is_read_without_growing() -> None:
    deep = LEVELS_MAX + 50
    text = b'{"token":' + b"[" * deep + b'"x"' + b"]" * deep + b',"a":"y"}'

    found = [(value, under) for _, value, under in leaves(text)]

    assert found == [("x", "token"), ("y", "")]
