"""A body is cut into its records whatever it is framed in; one bad record spoils no other."""

from pathlib import Path

import msgspec
import pytest

from sealog.errors import Refused, TooLarge, UnsupportedType
from sealog.event.record import Record
from sealog.wire.framing import detect, split

GOLDEN = Path(__file__).parents[1] / "golden" / "wire"
ONE, TWO, THREE = b'{"a":1}', b'{"b":{"c":[2,{"d":"}"}]}}', b'{ "e" : "\xc3\xa9" }'


def received(body: bytes, framing: str | None = None) -> list[bytes]:
    answers = split(body, framing)
    assert all(isinstance(one, Record) for one in answers), answers
    assert [one.place for one in answers if isinstance(one, Record)] == list(range(len(answers)))
    return [one.received for one in answers if isinstance(one, Record)]


def outcome(body: bytes, framing: str | None = None) -> list[object]:
    """The bytes of each record, or the code and place of its refusal."""
    return [
        one.received if isinstance(one, Record) else (one.code, one.record)
        for one in split(body, framing)
    ]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"\n".join([ONE, TWO, THREE]), id="ndjson"),
        pytest.param(b"\n".join([ONE, TWO, THREE, b""]), id="ndjson, newline at the end"),
        pytest.param(b"\r\n".join([ONE, TWO, THREE, b""]), id="ndjson, CRLF"),
        pytest.param(b"\n\n" + b"\n \t\n".join([ONE, TWO, b" " + THREE]), id="ndjson, blank lines"),
        pytest.param(b"\xef\xbb\xbf" + b"\n".join([ONE, TWO, THREE]), id="ndjson, BOM"),
        pytest.param(b"[" + b",".join([ONE, TWO, THREE]) + b"]", id="array"),
        pytest.param(
            b"\xef\xbb\xbf\r\n [\r\n" + b" ,\r\n".join([ONE, TWO, THREE]) + b"\r\n]\r\n",
            id="array, BOM, CRLF",
        ),
        pytest.param(b"".join([ONE, TWO, THREE]), id="concatenated on one line"),
        pytest.param(b" ".join([ONE, TWO, THREE]), id="concatenated, spaces"),
        pytest.param(b"First:\n" + b"\nthen\nand\n".join([ONE, TWO, THREE]), id="prose between"),
        pytest.param(
            b'{"took":1,"hits":{"total":{"value":3},"hits":['
            + b",".join([ONE, TWO, THREE])
            + b']},"aggregations":{"x":{}}}',
            id="hits",
        ),
        pytest.param(
            b'{\n "hits": {\n  "hits": [\n' + b",\n".join([ONE, TWO, THREE]) + b"\n]}}",
            id="hits, pretty",
        ),
    ],
)
def test_every_framing_gives_the_records_byte_for_byte(body):
    assert received(body) == [ONE, TWO, THREE]


@pytest.mark.parametrize(
    "body",
    [ONE, b"\n" + ONE + b"\r\n", b"\xef\xbb\xbf" + ONE, b"[" + ONE + b"]", b" [\n" + ONE + b"]"],
)
def test_one_object_is_one_record(body):
    assert received(body) == [ONE]


def test_a_pretty_printed_object_is_one_record_with_its_text_on_one_line():
    body = b'{\n  "a": 1.0,\n  "b": [\n    {\n      "c": 2\n    }\n  ]\n}\n'

    (one,) = split(body)

    assert isinstance(one, Record)
    assert one.received == body.strip()
    assert one.text == b'{"a":1.0,"b":[{"c":2}]}'


def test_a_single_hit_is_one_record():
    """CL-22: one hit without its envelope."""
    hit = b'{"_index":"closer","_type":"entry","_id":"x","_source":{"message":{}}}'

    assert received(hit) == [hit]


def test_a_hit_in_an_envelope_is_the_record_itself():
    hit = b'{"_index":"closer","_id":"x","_source":{"message":{}}}'

    assert received(b'{"hits":{"hits":[' + hit + b"]}}") == [hit]


def test_an_object_that_only_speaks_of_hits_is_one_record():
    body = b'{"hits":{"hits":3},"message":"hits"}'

    assert received(body) == [body]


@pytest.mark.parametrize("body", [b"[]", b" [ ] ", b'{"hits":{"hits":[]}}'])
def test_an_empty_array_has_no_records(body):
    assert split(body) == []


def test_every_printed_object_of_the_documentation_page_becomes_a_record():
    """LH-Q7, LH-Q8, LH-Q17: broken ones and the one printed twice included."""
    page = (GOLDEN / "logichub-page.txt").read_bytes()

    records = [one for one in split(page) if isinstance(one, Record)]
    values = [msgspec.json.decode(one.text) for one in records]

    assert len(records) == len(split(page)) == 48
    assert all(page.count(one.received) in (1, 2) for one in records)
    assert [value["type"] for value in values].count("CaseModified") == 2
    assert len({(value["category"], value["type"]) for value in values}) == 44
    assert {
        (values[one.place]["type"], finding.code, finding.pointer)
        for one in records
        for finding in one.findings
    } == {
        ("UserPasswordResetSuccess", "repaired-unquoted-value", "/details/resetUsername"),
        ("UserCreateSuccess", "repaired-unquoted-value", "/details/newUserNameCreated"),
        ("UserCreateFailed", "repaired-unquoted-value", "/details/newUsername"),
        ("UserCreateSuccess", "repaired-unquoted-value", "/details/newUsernameCreated"),
        ("UserGroupPermissionChanged", "equal-keys", "/details/oldPermissions"),
        ("CaseClosed", "repaired-missing-comma", "/details/timeTaken"),
        ("CaseCurrentStatus", "repaired-missing-comma", "/details/countProgress"),
    }
    assert sum(one.strict for one in records) == 41
    assert values[4]["details"]["resetUsername"] == "[email\xa0protected]"
    (equal,) = records[20].equal
    assert [bytes(value) for value in equal.values] == [
        b'["User Management => List"]',
        b'["Playbook => Admin"]',
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            ONE + b'\n{"b":\n' + TWO, [ONE, ("not-json", 1), TWO], id="ndjson, truncated line"
        ),
        pytest.param(
            ONE + b"\nrubbish\n\n" + TWO, [ONE, ("not-json", 1), TWO], id="ndjson, rubbish"
        ),
        pytest.param(ONE + b"\n[1]\n" + TWO, [ONE, ("not-an-object", 1), TWO], id="ndjson, array"),
        pytest.param(
            ONE + b'\n{"b":"\xff"}\n' + TWO, [ONE, ("not-utf-8", 1), TWO], id="ndjson, bad UTF-8"
        ),
        pytest.param(
            b"[" + ONE + b',{"b":"\xff"},' + TWO + b"]",
            [ONE, ("not-utf-8", 1), TWO],
            id="array, bad UTF-8",
        ),
        pytest.param(
            b'[{"a":"\xff"},\n{"x" 1},' + TWO + b"]",
            [("not-utf-8", 0), ("not-json", 1), TWO],
            id="array, bad UTF-8 and bad JSON",
        ),
        pytest.param(
            b"[" + ONE + b",2," + TWO + b"]", [ONE, ("not-an-object", 1), TWO], id="array, number"
        ),
        pytest.param(
            b"[" + ONE + b',{"b"},' + TWO + b"]", [ONE, ("not-json", 1), TWO], id="array, broken"
        ),
        pytest.param(
            b"[" + ONE + b",2,x," + TWO + b"]", [ONE, ("not-json", 1), TWO], id="array, rubbish"
        ),
        pytest.param(
            b"[" + ONE + b",\n" + TWO, [ONE, TWO, ("not-json", 2)], id="array, never closed"
        ),
        pytest.param(
            b"[" + ONE + b',{"b":', [ONE, ("not-json", 1)], id="array, truncated in an element"
        ),
        pytest.param(
            b'{"hits":{"hits":[' + ONE + b',{"x"},' + TWO + b']},"aggs":{"y":{}}}',
            [ONE, ("not-json", 1), TWO],
            id="hits, broken",
        ),
        pytest.param(
            b'{\n "a": {\n\n' + ONE + b"\n" + b"{\n" + b'"b":2\n}',
            [("not-json", 0), ONE, b'{\n"b":2\n}'],
            id="concatenated, never closed",
        ),
    ],
)
def test_one_bad_record_neither_hides_nor_blocks_its_neighbours(body, expected):
    assert outcome(body) == expected


def test_a_refusal_names_the_line():
    answers = split(ONE + b"\r\n\r\n\n" + b'{"b":\r\n' + TWO)

    assert isinstance(answers[1], Refused)
    assert answers[1].detail.startswith("record 1 (line 4): ")


def test_a_refusal_in_a_long_text_names_its_byte():
    answers = split(b"Two of\nthem:\n\n" + ONE + b"\nand\n" + b'{"x" 2}\n')

    assert isinstance(answers[1], Refused)
    assert answers[1].detail.startswith("record 1 (byte 26): ")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"hello", "not-json"),
        (b"3", "not-json"),
        (b"null", "not-json"),
        (b"\xff\xfe\x00\x01", "not-utf-8"),
        ('{"a":1}'.encode("utf-16"), "not-utf-8"),
        ('{"a":1}'.encode("utf-16-le"), "not-utf-8"),
        ('{"a":1}'.encode("utf-32-be"), "not-utf-8"),
        (b"\xc3\x28 \xa0\xa1", "not-utf-8"),
        (b"\x1f\x8b\x08 \xff", "not-utf-8"),
    ],
)
def test_a_body_without_any_record_is_refused_whole(body, code):
    with pytest.raises(Refused) as refusal:
        split(body)

    assert refusal.value.code == code
    assert refusal.value.record is None


@pytest.mark.parametrize(
    "frame",
    [
        b"\n".join,
        lambda records: b"[" + b",".join(records) + b"]",
        lambda records: b'{"hits":{"hits":[' + b",".join(records) + b"]}}",
        b" ".join,
        lambda records: b"[" + b",".join([*records[:-1], b'{"bad"}']) + b"]",
        lambda records: b"[" + b",".join(records),
        lambda records: b"\n".join([*records[:-1], b'{"bad"}']),
    ],
    ids=["ndjson", "array", "hits", "concatenated", "bad array", "open array", "bad ndjson"],
)
def test_10_000_records_are_taken_and_one_more_is_not(frame):
    assert len(split(frame([ONE] * 10_000))) in (10_000, 10_001)
    with pytest.raises(TooLarge) as refusal:
        split(frame([ONE] * 10_001))

    assert refusal.value.code == "too-many-records"
    assert "10000" in refusal.value.detail


def test_blank_lines_are_not_counted():
    assert received(b"\n" * 30_000 + ONE + b"\n" * 30_000 + TWO) == [ONE, TWO]


def test_a_named_framing_is_taken_at_its_word():
    assert outcome(b'{\n"a":1}', "ndjson") == [("not-json", 0), ("not-json", 1)]
    assert received(b'{\n"a":1}', "json") == [b'{\n"a":1}']
    assert received(b"a,b\n1,2", "csv") == [b"1,2"]


def test_an_unknown_framing_is_not_taken():
    with pytest.raises(UnsupportedType, match="ndjson"):
        split(ONE, "xml")


@pytest.mark.parametrize(
    ("body", "framing"),
    [
        (b' [{"a":1}]', "json"),
        (b'{"a":\n1}', "json"),
        (b'{"a":1}\n{"b":', "ndjson"),
        (b'{"a":1}\nrubbish', "ndjson"),
        (b'rubbish\n{"a":1}\n{"b":1}', "ndjson"),
        (b'{\n"a":1\n}\n{\n"a":1\n}', "json"),
        (b'See:\n\n{ "a": 1,\n"b": 2 }', "concatenated"),
        (b"Date and Time,User,IP Address,Activity\n1,2,3,4", "csv"),
        (b'{\n"a":1\n{"b":2}\n', "json"),
        (b'Look:\n{"a":1}\n{"b":1}', "ndjson"),
        (b"A list, of words, in prose.\n{\n}", "concatenated"),
    ],
)
def test_the_bytes_decide_the_framing(body, framing):
    assert detect(body) == framing


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":' + b"[" * 3_000_000,
        b"[" * 3_000_000,
        b"{" * 3_000_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"a":"' + b"\\" * 3_000_000,
        b'{"' * 1_000_000,
        b'{"a":[\n' * 100_000,
        b"{" + b"/" * 1_000_000,
        b"a,b,c\n" + b'"""\n' * 9_001,
        b'{"n":' + b"1" * 3_000_000 + b"}",
        b"{" + b",".join([b'"%d":1' % n for n in range(300_000)]) + b"}",
    ],
    ids=["arrays", "only arrays", "braces", "100,000 levels", "backslashes", "quotes", "open lines",
         "slashes", "csv quotes", "digits", "300,000 keys"],
)  # fmt: skip
def test_hostile_bodies_are_refused_and_nothing_else_escapes(body):
    try:
        answers = split(body)
    except Refused:
        return
    assert not any(isinstance(one, Record) and not one.received for one in answers)
    assert any(isinstance(one, Refused) for one in answers)


@pytest.mark.parametrize("digits", [1_000, 5_000])
def test_numbers_of_a_thousand_digits_are_kept(digits):
    body = b'{"n":' + b"1" * digits + b"}"

    assert received(body) == [body]


def test_a_deep_record_is_refused_and_its_neighbours_kept():
    deep = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    for body in (
        b"\n".join([ONE, deep, TWO]),
        b"[" + b",".join([ONE, deep, TWO]) + b"]",
        b'{"hits":{"hits":[' + b",".join([ONE, deep, TWO]) + b"]}}",
        b" ".join([ONE, deep, TWO]),
    ):
        assert outcome(body) == [ONE, ("too-deep", 1), TWO]


def test_a_record_past_1_mib_is_refused_and_its_neighbours_kept():
    big = b'{"a":"' + b"x" * (1 << 20) + b'"}'

    for body in (
        b"\n".join([ONE, big, TWO]),
        b"[" + b",".join([ONE, big, TWO]) + b"]",
        b"Some:\n" + b"\n".join([ONE, big, b"{", b'"b": 2}']),
    ):
        first, second, third = outcome(body)
        assert (first, second) == (ONE, ("record-too-large", 1))
        assert third in (TWO, b'{\n"b": 2}')
