"""A flat object in a string is judged as the reader would judge it, or not at all."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealog.refine import flat
from sealog.refine.flat import FLAT_BYTES_MAX, named
from sealog.refine.judge import Cut, judged
from sealog.refine.scan import suspects


def test_strings_under_secret_names_are_told_with_their_place_and_name() -> None:
    text = b'{"email":"a@b.example","skills":["x",1.5],"password":"hunter2", "token": "abc"}'

    found = named(text, list(suspects(text)))

    assert found == [(54, 61, "password"), (74, 77, "token")]


def test_an_object_without_any_secret_has_none() -> None:
    assert named(b'{"a":1,"b":null,"c":[],"d":""}', []) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'{"password":1234}', id="a number"),
        pytest.param(b'{"password":["a"]}', id="an array"),
        pytest.param(b'{"name":"password","a":"b"}', id="a pair"),
        pytest.param(b'{"card":"4111111111111111"}', id="a card"),
        pytest.param(b'{"a":{"password":"x"}}', id="more than one level"),
        pytest.param(b'{"a":"b\\"c","password":"x"}', id="an escape"),
        pytest.param(b'{"password":"x"} and more', id="text behind"),
        pytest.param(b'{"password":"x"}\n', id="a line break behind"),
        pytest.param(b'{"password":"x"', id="never closed"),
        pytest.param(b'{"password":"x",}', id="a comma too many"),
        pytest.param(b'{"password" :"x"}', id="space before a colon"),
        pytest.param(b'{"a":"' + b"x" * FLAT_BYTES_MAX + b'"}', id="too long"),
        pytest.param(b'{"' + b"x" * 96 + b'":"y"}', id="a key that is too long"),
        pytest.param(b'["password","x"]', id="an array of all"),
        pytest.param(b"{}", id="nothing"),
    ],
)
def test_of_anything_else_nothing_is_said(text: bytes) -> None:
    assert named(text, list(suspects(text))) is None


def test_a_value_that_the_scan_stopped_at_is_left_to_the_reader() -> None:
    text = b'{"url":"https://x/?token=abcdef","b":1}'

    assert named(text, list(suspects(text))) is None


def test_a_placeholder_is_no_secret() -> None:
    assert named(b'{"password":"","token":"[masked]"}', []) == []


def test_what_is_cut_from_inside_a_string_is_what_stands_there() -> None:
    line = b'{"body":"{\\"a\\":\\"b\\",\\"password\\":\\"hunter2\\",\\"c\\":[\\"d\\"]}"}'

    cuts = judged(line, list(suspects(line)))

    assert cuts == [Cut(37, 44, b"[masked]", "password", "/body")]
    assert line[37:44] == b"hunter2"


KEYS = st.sampled_from(
    ["a", "password", "x_token", "name", "value", "key", "card", "pin", "p\u00e9", 'pass"word', ""]
)
TEXTS = st.sampled_from(
    ["b", "", "[masked]", "hunter2", "password", "token=hunter2", "4111111111111111", 'a"b', "\\"]
)
VALUES = st.recursive(
    TEXTS | st.sampled_from([1, 4111111111111111, 1.5, None, True]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=3,
)


@settings(max_examples=300)
@given(st.dictionaries(KEYS, VALUES, max_size=4), st.integers(0, 3))
def test_whatever_is_said_is_what_the_reader_says(body: dict[str, object], times: int) -> None:
    text = msgspec.json.encode(body)
    for _ in range(times):
        text = msgspec.json.encode({"body": text.decode()})

    cuts = judged(text, list(suspects(text)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flat, "named", lambda *_: None)
        assert cuts == judged(text, list(suspects(text)))
