"""What the exact rules cut from one record."""

import itertools

import msgspec
import pytest

from sealog.refine.judge import LAYERS_MAX, Cut, cut, judged


def everywhere(text: bytes) -> list[Cut]:
    return judged(text, [(0, len(text))])


def test_a_cut_says_what_where_and_why() -> None:
    text = b'{"a":"b","pin":12}'

    assert everywhere(text) == [Cut(15, 17, b'"[masked]"', "pin", "/pin")]


def test_cutting_touches_nothing_else() -> None:
    cuts = [Cut(1, 2, b"X", "", ""), Cut(4, 6, b"", "", "")]

    assert cut(b"abcdefg", cuts) == b"aXcdg"
    assert cut(b"abc", []) == b"abc"


def test_cuts_never_overlap() -> None:
    text = b'{"a":"token=ghp_0123456789abcdefghij0123&u=https://h:ghp_0123456789abcdefghij0123@x"}'

    cuts = everywhere(text)

    assert cut(text, cuts) == b'{"a":"token=[masked]&u=https://h:[masked]@x"}'
    assert all(first.end <= last.begin for first, last in itertools.pairwise(cuts))


def test_text_around_json_is_judged_too() -> None:
    text = rb'{"a":"token=x {\"pin\":1} secret=y [\"Bearer 0123456789abcdef\"]"}'

    after = cut(text, everywhere(text))

    assert (
        after
        == rb'{"a":"token=[masked] {\"pin\":\"[masked]\"} secret=[masked] [\"Bearer [masked]\"]"}'
    )


def test_a_name_before_json_covers_all_of_it() -> None:
    text = rb'{"a":"credentials={\"user\":\"u\",\"n\":1}"}'

    assert cut(text, everywhere(text)) == rb'{"a":"credentials={\"user\":\"[masked]\",\"n\":1}"}'


@pytest.mark.parametrize("levels", [3, LAYERS_MAX - 1, LAYERS_MAX, LAYERS_MAX + 1, 60])
def test_a_secret_hides_at_no_depth(levels: int) -> None:
    """Each level writes its backslashes as `\\u005c`, so that depth costs few bytes."""
    text = '{"password":"Zq7","n":1}'
    for _ in range(levels):
        text = '{"a":"' + text.replace("\\", r"\u005c").replace('"', r"\u0022") + '"}'
    record = text.encode()

    after = cut(record, everywhere(record))

    assert b"Zq7" not in after
    assert set(msgspec.json.decode(after)) == {"a"}
    assert (b'"a":"[masked]"' in _unescaped(after)) is (levels > LAYERS_MAX)


def _unescaped(text: bytes) -> bytes:
    for _ in range(70):
        text = text.replace(rb"\u005c", b"\\").replace(rb"\u0022", b'"')
    return text


def test_what_does_not_begin_as_an_object_is_judged_as_text() -> None:
    assert cut(b"ada,token=x,y", everywhere(b"ada,token=x y")) == b"ada,token=[masked],y"
