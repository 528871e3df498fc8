"""Depth and number of keys are known before any recursive reader sees a text."""

import pytest

from sealog.wire.levels import exceeds, lines_may_exceed


@pytest.mark.parametrize(
    ("opening", "closing"), [(b'{"a":', b"}"), (b"[", b"]"), (b'{"a":[', b"]}")]
)
def test_128_levels_pass_and_129_do_not(opening, closing):
    per_step = opening.count(b"{") + opening.count(b"[")
    steps = 128 // per_step
    padding = b'"' + b"[" * 200 + b'\\"{"'

    at_limit = opening * steps + padding + closing * steps
    past = b'{"a":' + at_limit + b"}"

    assert not exceeds(at_limit)
    assert exceeds(past)


@pytest.mark.parametrize("keys", [10_000, 10_001])
def test_10_000_keys_pass_and_10_001_do_not(keys):
    text = b"{" + b",".join(b'"%d":":::"' % n for n in range(keys)) + b"}"

    assert exceeds(text) is (keys > 10_000)


def test_many_brackets_side_by_side_are_not_depth():
    assert not exceeds(b'{"a":[' + b"[]," * 5000 + b"{}]}")


def test_runs_of_backslashes_do_not_hide_where_a_string_ends():
    deep = b"[" * 130 + b"]" * 130

    assert exceeds(b'{"a":"\\\\","b":' + deep + b"}")
    assert not exceeds(b'{"a":"\\\\\\",' + deep + b'"}')


def test_a_line_with_few_brackets_cannot_exceed():
    assert not lines_may_exceed([b'{"a":' * 128 + b"1" + b"}" * 128] * 3)
    assert lines_may_exceed([b"{}", b'{"a":' * 129 + b"1" + b"}" * 129])


def test_a_long_line_may_exceed():
    shortest = b"{" + b",".join([b'"":0'] * 10_001) + b"}"

    assert lines_may_exceed([shortest])
    assert not lines_may_exceed([])
