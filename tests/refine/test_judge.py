"""What the exact rules cut from one record."""

import itertools

import msgspec
import pytest

from sealog.dialects.hits import HitLearner
from sealog.event.shapes import LEARNT_AFTER, Shapes
from sealog.refine.judge import LAYERS_MAX, Cut, cut, judged, judged_shaped
from sealog.refine.scan import suspects


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


HIT = (
    b'{"_index":"i","_id":"h","_source":{"@timestamp":"2026-11-20T12:00:00.123+0000",'
    b'"message":{"event.action":"a","http.request.body.content":'
    b'"{\\"name\\":\\"x\\",\\"password\\":\\"hunter2\\",\\"pin\\":1234}","url.full":"https://x/?token=abcdef",'
    b'"count":12345,"roles":["password=hunter2"],"plain":"x"}}}'
)


def both(line: bytes) -> tuple[list[Cut] | None, list[Cut]]:
    """What is cut from a hit by its shape, and by reading it."""
    shapes = Shapes(HitLearner(lambda _: True).learn)
    for _ in range(LEARNT_AFTER):
        shapes.notice(line, ())
    shaped = shapes.read(line)
    assert shaped is not None
    hits = list(suspects(line))
    return judged_shaped(line, hits, shaped), judged(line, hits)


def test_a_record_of_a_known_shape_is_cut_as_one_that_is_read() -> None:
    line = HIT.replace(b"password=hunter2", b"hunter2")

    by_shape, by_reading = both(line)

    assert by_shape == by_reading
    assert by_shape is not None
    assert [(one.detail, one.pointer) for one in by_shape] == [
        ("password", "/_source/message/http.request.body.content"),
        ("pin", "/_source/message/http.request.body.content"),
        ("token", "/_source/message/url.full"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(HIT, id="a secret in an array"),
        pytest.param(HIT.replace(b'"plain"', b'"api_key"'), id="a secret name"),
        pytest.param(HIT.replace(b'"plain"', b'"value"'), id="a pair"),
    ],
)
def test_where_a_key_tells_or_more_than_a_scalar_is_touched_the_record_is_read(
    line: bytes,
) -> None:
    by_shape, by_reading = both(line)

    assert by_shape is None
    assert by_reading
