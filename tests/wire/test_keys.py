"""Equal keys are found at every level; different ones never raise a false answer that matters."""

import pytest

from sealog.wire.keys import all_differ


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"b":{"a":1,"b":[{"a":1},{"a":2}]}}',
        b'{"a":":","b":"\\":","c:":1,"d\\\\":2}',
        b'{ "a" : 1 , "b" :2}\n\n{"a":1}',
        b"{}",
        b"",
    ],
)
def test_records_whose_keys_differ_pass(text):
    assert all_differ(text)


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
    assert not all_differ(text)


def test_a_batch_of_many_pieces_is_looked_at_to_its_end():
    lines = [b'{"n":%d,"text":"%s"}' % (n, b"x" * 100) for n in range(2000)]

    assert all_differ(b"\n".join(lines))
    assert not all_differ(b"\n".join([*lines, b'{"n":1,"n":2}']))


@pytest.mark.parametrize("number", [b"1e400", b"1" * 5000])
def test_what_the_quick_decoder_refuses_is_for_the_slow_reader(number):
    assert not all_differ(b'{"n":' + number + b"}")


def test_a_line_larger_than_a_piece_is_taken_whole():
    assert all_differ(b'{"a":"' + b"x" * 100_000 + b'"}\n{"b":1}')
