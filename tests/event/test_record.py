from msgspec import Raw

from sealog.event import tokens
from sealog.event.record import Record


def test_a_record_is_opened_when_its_fields_are_asked_for():
    record = Record(0, b'{"a":1.0}', b'{"a":1.0}')
    assert record.opened is None

    assert tokens.encode(record.fields) == b'{"a":1.0}'
    assert record.opened is record.fields


def test_fields_that_are_set_are_the_records():
    record = Record(0, b'{"a":1}', b'{"a":1}', {"a": Raw(b"1")})

    record.fields = {"b": Raw(b"2")}

    assert tokens.encode(record.fields) == b'{"b":2}'
