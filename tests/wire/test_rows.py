"""Rows of CSV become records, each the object its header names."""

import msgspec
import pytest

from sealog.errors import Refused, TooLarge
from sealog.event.record import Record
from sealog.wire.rows import looks_like_header, split_rows

HEADER = b"Date and Time,User,IP Address,Activity"


def objects(body: bytes) -> list[object]:
    answers = split_rows(body)
    assert all(isinstance(one, Record) for one in answers), answers
    return [msgspec.json.decode(one.text) for one in answers if isinstance(one, Record)]


def test_the_four_columns_of_the_page_become_objects():
    """CP-01 to CP-04; CP-Q2: a blank address leaves its key out."""
    body = HEADER + (
        b"\r\n2024-03-01 10:00:00,ayse,85.1.2.3,chat-opened\r\n"
        b"2024-03-01 10:00:05,system,,chat-assigned-to-user\r\n"
    )

    assert objects(body) == [
        {
            "Date and Time": "2024-03-01 10:00:00",
            "User": "ayse",
            "IP Address": "85.1.2.3",
            "Activity": "chat-opened",
        },
        {
            "Date and Time": "2024-03-01 10:00:05",
            "User": "system",
            "Activity": "chat-assigned-to-user",
        },
    ]


def test_the_record_bytes_are_one_row_as_received():
    row = b'2024-03-01,"O\'Neil, ""Jo""",,"chat\nopened"'

    (one,) = split_rows(HEADER + b"\n\n" + row + b"\r\n\r\n")

    assert isinstance(one, Record)
    assert one.received == row
    assert one.text == (
        b'{"Date and Time":"2024-03-01","User":"O\'Neil, \\"Jo\\"","Activity":"chat\\nopened"}'
    )
    assert bytes(one.fields["User"]) == b'"O\'Neil, \\"Jo\\""'
    assert (one.place, one.strict, one.findings) == (0, False, [])


@pytest.mark.parametrize("delimiter", [b",", b";", b"\t"])
def test_the_header_decides_the_delimiter(delimiter):
    body = delimiter.join([b"a", b"b", b"c"]) + b"\n" + delimiter.join([b"1", b"2,5", b"3"])
    if delimiter == b",":
        body = body.replace(b"2,5", b'"2,5"')

    assert objects(body) == [{"a": "1", "b": "2,5", "c": "3"}]


def test_cells_past_the_header_are_kept_with_a_finding():
    (one,) = split_rows(b"a,b,\n1,2,3,4")

    assert isinstance(one, Record)
    assert one.text == b'{"a":"1","b":"2","column 3":"3","column 4":"4"}'
    assert [finding.code for finding in one.findings] == ["extra-cells"]


def test_a_bad_row_is_refused_and_its_neighbours_kept():
    first, second, third = split_rows(HEADER + b'\n1,2,3,4\n5,\xff,7,8\n"9,10,11,12')

    assert isinstance(first, Record)
    assert isinstance(second, Refused)
    assert (second.code, second.record) == ("not-utf-8", 1)
    assert "line 3" in second.detail
    assert isinstance(third, Refused)
    assert (third.code, third.record) == ("not-csv", 2)


def test_a_quote_never_closed_spoils_its_own_line_only():
    first, second = split_rows(HEADER + b'\n"1,2,3,4\n5,6,7,8')

    assert isinstance(first, Refused)
    assert isinstance(second, Record)


@pytest.mark.parametrize("header", [b"a,b,a\n1,2,3", b",".join([b"c%d" % n for n in range(1001)])])
def test_a_header_that_names_columns_twice_or_too_many_is_refused(header):
    with pytest.raises(Refused) as refusal:
        split_rows(header)

    assert refusal.value.code == "bad-header"


def test_10_000_rows_are_taken_and_one_more_is_not():
    assert len(split_rows(b"a,b,c\n" + b"1,2,3\n" * 10_000)) == 10_000
    with pytest.raises(TooLarge, match="10000 records"):
        split_rows(b"a,b,c\n" + b"1,2,3\n" * 10_001)


def test_a_header_alone_has_no_records():
    assert split_rows(HEADER + b"\n") == []


@pytest.mark.parametrize("body", [b"", b"\n \n"])
def test_without_a_header_there_is_nothing(body):
    with pytest.raises(Refused):
        split_rows(body)


def test_a_header_has_three_cells_and_nothing_of_json():
    assert looks_like_header(HEADER)
    assert looks_like_header(b'"a";"b";"c"')
    assert not looks_like_header(b"Hello, world")
    assert not looks_like_header(b'{"a":1,"b":2,"c":3}')
