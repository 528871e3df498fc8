"""One record's bytes become a `Record`, strictly where possible, slowly where needed."""

import pytest

from sealog.errors import Refused, TooLarge
from sealog.event import tokens
from sealog.event.record import Record
from sealog.wire.reading import (
    EVENT_BYTES_MAX,
    SLOW_TOKENS_MAX,
    Allowance,
    read,
    strict_lines,
)


def record(received: bytes) -> Record:
    answer = read(received, 0, "line 1", Allowance())
    assert isinstance(answer, Record), answer
    return answer


def refusal(received: bytes) -> Refused:
    answer = read(received, 7, "line 9", Allowance())
    assert isinstance(answer, Refused)
    assert answer.record == 7
    assert answer.detail.startswith("record 7 (line 9): ")
    return answer


def codes(one: Record) -> list[tuple[str, str]]:
    return [(finding.code, finding.pointer) for finding in one.findings]


def test_a_strict_line_is_kept_as_the_very_same_bytes():
    received = b'{ "a" : 1.0,"b":{"c":[1,2]}, "d":"\\u00e9" }'

    one = record(received)

    assert one.text is one.received is received
    assert {key: bytes(value) for key, value in one.fields.items()} == {
        "a": b"1.0",
        "b": b'{"c":[1,2]}',
        "d": b'"\\u00e9"',
    }
    assert (one.strict, one.equal, one.findings, one.keys) == (True, (), [], None)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_a_pretty_printed_record_gets_a_text_on_one_line(newline):
    received = newline.join([b"{", b' "n": 1.50,', b' "s": "a b",', b' "l": [1,', b" 2]", b"}"])

    one = record(received)

    assert one.received == received
    assert one.text == b'{"n":1.50,"s":"a b","l":[1,2]}'
    assert bytes(one.fields["l"]) == b"[1,2]"
    assert one.strict


@pytest.mark.parametrize(
    ("received", "text", "pointers"),
    [
        pytest.param(b'{"a":1,"a":2}', b'{"a":1}', ["/a"], id="LH-Q8-top"),
        pytest.param(
            b'{"details":{"oldPermissions":[1],"oldPermissions":[2]}}',
            b'{"details":{"oldPermissions":[1]}}',
            ["/details/oldPermissions"],
            id="LH-Q8",
        ),
        pytest.param(
            b'{\n"x/y":{"a":1,\n"a":[2, 3]}}', b'{"x/y":{"a":1}}', ["/x~1y/a"], id="pretty"
        ),
        pytest.param(
            b'{"l":[{"a":1,"a":2}]}', b'{"l":[{"a":1,"a":2}]}', ["/l/a"], id="in-an-array"
        ),
    ],
)
def test_equal_keys_are_all_kept_and_found(received, text, pointers):
    one = record(received)

    assert one.text == text
    assert tokens.encode(one.fields) == text
    assert codes(one) == [("equal-keys", pointer) for pointer in pointers]
    assert not one.strict
    assert one.received == received


def test_every_value_of_an_equal_key_stands_in_order():
    (equal,) = record(b'{"a":1,"b":0,"a":{"c":2},"a":"3"}').equal

    assert equal.path == ("a",)
    assert [bytes(value) for value in equal.values] == [b"1", b'{"c":2}', b'"3"']


def test_lone_surrogates_are_kept_as_they_were_written():
    received = b'{"a":"\\ud800","b":{"c":["\\udc00"]}}'

    one = record(received)

    assert one.text == received
    assert bytes(one.fields["a"]) == b'"\\ud800"'
    assert codes(one) == [("lone-surrogate", "")]


@pytest.mark.parametrize(
    "token",
    [b"1e400", b"1" * 5000, b"-0.0", b"12345678901234567890123", b'"\\u0000"', b'"\\u003a"'],
    ids=["past float", "5000 digits", "minus zero", "past 64 bits", "NUL", "escaped colon"],
)
def test_odd_tokens_are_strict_json_and_stay_as_they_are(token):
    received = b'{"a":{"n":' + token + b"}}"

    one = record(received)

    assert one.strict
    assert one.text == received
    assert tokens.encode(one.fields) == received
    assert one.findings == []


def test_a_mended_record_keeps_what_was_sent():
    received = b'{"newUsername": hlee,\n"a": 1, "a": 2}'

    one = record(received)

    assert one.received == received
    assert one.text == b'{"newUsername":"hlee","a":1}'
    assert codes(one) == [("repaired-unquoted-value", "/newUsername"), ("equal-keys", "/a")]
    assert not one.strict


def test_a_control_character_written_raw_is_mended_and_kept():
    one = record(b'{"a":"x\x00y"}')

    assert one.text == b'{"a":"x\\u0000y"}'
    assert one.received == b'{"a":"x\x00y"}'
    assert codes(one) == [("repaired", "")]


@pytest.mark.parametrize(
    ("received", "code"),
    [
        (b'{"a":', "not-json"),
        (b'{"a":1', "not-json"),
        (b"hello", "not-json"),
        (b'{"a":1}{"b":2}', "not-json"),
        (b"[1]", "not-an-object"),
        (b"null", "not-an-object"),
        (b'"{}"', "not-an-object"),
        (b'{"a":"\xff"}', "not-utf-8"),
        (b'{"\xed\xa0\x80":1}', "not-utf-8"),
    ],
)
def test_what_is_no_object_is_refused_by_name(received, code):
    assert refusal(received).code == code


def test_a_refusal_names_the_byte():
    assert "at byte 7" in refusal(b'{"a":1,"b]').detail
    assert "at its byte 6" in refusal(b'{"a":"\xff"}').detail


def test_a_record_of_1_mib_is_taken_and_one_byte_more_is_not():
    at_limit = b'{"a":"' + b"x" * (EVENT_BYTES_MAX - 8) + b'"}'

    assert record(at_limit).strict
    answer = refusal(at_limit[:-2] + b'x"}')
    assert isinstance(answer, TooLarge)
    assert answer.code == "record-too-large"
    assert "1048576" in answer.detail


@pytest.mark.parametrize(("opening", "closing"), [(b'{"a":', b"}"), (b"[", b"]")])
def test_128_levels_are_taken_and_129_are_not(opening, closing):
    at_limit = b'{"a":' + opening * 127 + b"1" + closing * 127 + b"}"
    past = b'{"a":' + opening * 128 + b"1" + closing * 128 + b"}"

    assert record(at_limit).strict
    answer = refusal(past)
    assert isinstance(answer, TooLarge)
    assert answer.code == "too-deep"
    assert "128 levels" in answer.detail


def test_10_000_keys_are_taken_and_10_001_are_not():
    members = [b'"k%d":0' % n for n in range(10_001)]

    assert record(b"{" + b",".join(members[1:]) + b"}").strict
    answer = refusal(b"{" + b",".join(members) + b"}")
    assert isinstance(answer, TooLarge)
    assert answer.code == "too-many-keys"
    assert "10000 keys" in answer.detail


@pytest.mark.parametrize("levels", [1_000, 100_000])
def test_100_000_levels_are_refused_without_a_crash(levels):
    assert refusal(b'{"a":' * levels + b"1" + b"}" * levels).code == "too-deep"


def test_what_a_request_may_spend_on_slow_reading_is_limited():
    odd = b'{"a":1,"a":2}'
    cost = 5

    assert isinstance(read(odd, 0, "line 1", Allowance(tokens=cost)), Record)
    answer = read(odd, 0, "line 1", Allowance(tokens=cost - 1))
    assert isinstance(answer, TooLarge)
    assert answer.code == "too-odd"
    assert str(SLOW_TOKENS_MAX) in answer.detail


def test_the_lenient_parser_is_paid_from_the_same_allowance():
    allowance = Allowance(lenient_bytes=20)

    first = read(b'{"a":1 "b":2}', 0, "line 1", allowance)
    second = read(b'{"a":1 "b":2}', 1, "line 2", allowance)

    assert isinstance(first, Record)
    assert isinstance(second, Refused)


def test_strict_lines_become_records_in_order():
    lines = [b'{"a":1}', b'{"b":{"c":2}}']

    records = strict_lines(lines)

    assert records is not None
    assert [(one.place, one.received, one.text) for one in records] == [
        (0, lines[0], lines[0]),
        (1, lines[1], lines[1]),
    ]


@pytest.mark.parametrize(
    "line",
    [
        b'{"a":1',
        b'{"a":1}{"b":2}',
        b'{"a":1,"a":2}',
        b'{"a":"\\ud800"}',
        b'{"a":\r1}',
        b"[1]",
        b'{"a":' * 129 + b"1" + b"}" * 129,
    ],
)
def test_one_odd_line_makes_the_whole_batch_need_a_closer_look(line):
    lines = [b'{"a":1}', line, b'{"c":3}']

    assert strict_lines(lines) is None


def test_objects_that_share_and_span_lines_do_not_pass_as_one_each():
    """Two objects on one line, and one over two lines, are as many as there are lines."""
    lines = [b'{"a":1}{"b":{}', b'{"c":2}}']

    assert strict_lines(lines) is None
