"""Decoded text leads back to the bytes it was written in."""

import pytest

from sealog.refine.layers import Layer, has_percent


def test_the_record_itself_is_where_it_stands() -> None:
    layer = Layer(b"abc")

    assert (layer.at(0), layer.at(3), layer.depth) == (0, 3, 0)
    assert layer.quoted(b"[masked]") == b'"[masked]"'


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (rb"plain", b"plain"),
        (rb"a\"b\\c\/d", b'a"b\\c/d'),
        (rb"\b\f\n\r\t", b"\b\f\n\r\t"),
        (rb"\u0041\u00e9\u20ac", "Aé€".encode()),
        (rb"\ud83d\ude00", "😀".encode()),
        (rb"\ud83d!", "\N{REPLACEMENT CHARACTER}!".encode()),
        (rb"cut\u00", b"cutu00"),
        (b"end\\", b"end"),
    ],
    ids=str,
)
def test_a_string_is_unescaped(written: bytes, text: bytes) -> None:
    layer = Layer(b'"' + written + b'"').unescaped(1, 1 + len(written))

    assert layer.text == text
    assert (layer.at(0), layer.at(len(text))) == (1, 1 + len(written))


def test_every_character_leads_back_to_its_escape() -> None:
    record = rb'{"a":"x\n\u0070in"}'
    layer = Layer(record).unescaped(6, 17)

    places = [layer.at(place) for place in range(len(layer.text) + 1)]

    assert layer.text == b"x\npin"
    assert places == [6, 7, 9, 15, 16, 17]


def test_layers_lead_back_through_each_other() -> None:
    record = rb'{"a":"{\"b\":\"q=%2541%20z\"}"}'
    string = Layer(record).unescaped(6, record.rindex(b'"'))
    begin = string.text.index(b"q=")
    inner = string.unescaped(begin, string.text.rindex(b'"')).unpercented()

    assert inner.text == b"q=A z"
    assert record[inner.at(2) : inner.at(3)] == b"%2541"
    assert record[inner.at(4) : inner.at(5)] == b"z"
    assert inner.depth == 3


def test_quotes_are_written_as_deep_as_they_stand() -> None:
    once = Layer(b"x").unescaped(0, 1)
    twice = once.unescaped(0, 1)

    assert once.quoted(b"m") == rb"\"m\""
    assert twice.quoted(b"m") == rb"\\\"m\\\""
    assert once.unpercented().quoted(b"m") == b"%22m%22"
    assert once.unpercented().unescaped(0, 1).quoted(b"m") == rb"\\%22m\\%22"


def test_a_form_is_decoded_however_often_it_was_encoded() -> None:
    layer = Layer(b"a+b%20c%2520d%252520e%2Bf%25%").unpercented()

    assert layer.text == b"a b c d e+f%%"
    assert has_percent(b"a%20")
    assert not has_percent(b"50% of 100%")


def test_a_part_is_the_same_layer_further_on() -> None:
    layer = Layer(b"0123456789")
    part = layer.part(3, 6)

    assert (part.text, part.at(0), part.at(3), part.depth) == (b"345", 3, 6, 0)
    assert layer.part(0, 10) is layer


@pytest.mark.parametrize(
    "written",
    [rb"\"", rb"\"\"", rb"ab\"c", rb"\"ab", rb"ab\"", 'é\\"ü\\"'.encode(), rb"a\"b\"\"c"],
)
def test_where_only_quotes_are_escaped_every_byte_is_found_as_by_each_escape(
    written: bytes,
) -> None:
    record = b'{"a":"' + written + b'"}'
    end = len(record) - 2

    quick = Layer(record).unescaped(6, end)

    places = [at for at in range(6, end) if record[at - 1 : at] != b"\\"]
    assert quick.text == written.replace(b'\\"', b'"')
    assert [quick.at(place) for place in range(len(quick.text) + 1)] == [*places, end]
