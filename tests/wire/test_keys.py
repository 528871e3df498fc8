"""Equal keys are found at every level; different ones never raise a false answer that matters."""

import pytest

from sealog.wire.keys import values_of


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"b":{"a":1,"b":[{"a":1},{"a":2}]}}',
        b'{"a":":","b":"\\":","c:":1,"d\\\\":2}',
        b'{ "a" : 1 , "b" :2}\n{"a":1}',
        b"{}",
    ],
)
def test_records_whose_keys_differ_pass(text):
    assert values_of(text.split(b"\n")) is not None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'{"a":1,"a":2}', id="LH-Q8-top"),
        pytest.param(b'{"d":{"a":[1],"a":[2]}}', id="LH-Q8-nested"),
        pytest.param(b'{"l":[[{"a":1,"a":1}]]}', id="in-arrays"),
        pytest.param(b'{"a":1,"\\u0061":2}', id="escaped"),
        pytest.param(b'{"a":1}\n{"b":{"c":1,"c":1}}', id="second-line"),
        pytest.param(b'{"a":1,"a":"\\u003a"}', id="a colon in an escape"),
        pytest.param(b'{"":1,"":2}', id="empty-keys"),
    ],
)
def test_equal_keys_are_never_missed(text):
    assert values_of(text.split(b"\n")) is None


def test_a_batch_of_many_pieces_is_looked_at_to_its_end():
    lines = [b'{"n":%d,"text":"%s"}' % (n, b"x" * 100) for n in range(2000)]

    assert values_of(lines) == [{"n": n, "text": "x" * 100} for n in range(2000)]
    assert values_of([*lines, b'{"n":1,"n":2}']) is None


@pytest.mark.parametrize("number", [b"1e400", b"1" * 5000])
def test_what_the_quick_decoder_refuses_is_for_the_slow_reader(number):
    assert values_of([b'{"n":' + number + b"}"]) is None


def test_a_line_larger_than_a_piece_is_taken_whole():
    lines = [b'{"a":"' + b"x" * 100_000 + b'"}', b'{"b":1}']

    assert values_of(lines) == [{"a": "x" * 100_000}, {"b": 1}]


@pytest.mark.parametrize(
    "line",
    [
        b'{"n":1E2}',
        b'{"n":1.00}',
        b'{"n":-0}',
        b'{"n":0.1000000000000000055}',
        b'{"s":"\\u00e9"}',
        b'{"s":"\\/"}',
        b'{"a": 1}',
        b'{"a":1 }',
    ],
)
def test_a_line_whose_values_are_not_its_tokens_has_none_and_its_neighbours_have(line):
    assert values_of([b'{"a":1}', line, b'{"b":"\xc3\xa9 \\"","c":[1.5,{}]}']) == [
        {"a": 1},
        None,
        {"b": '\u00e9 "', "c": [1.5, {}]},
    ]


def test_an_object_over_two_lines_has_no_values():
    assert values_of([b'{"a":1}{"b":{}', b'{"c":2}}']) is None
    assert values_of([b'{"a":', b"1}"]) is None
