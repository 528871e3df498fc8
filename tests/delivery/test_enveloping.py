from sealog.delivery import enveloping
from sealog.delivery.destination import Outgoing

RECORD = Outgoing(7, "str_1-7", b'{"a": 1.0}', 'Log "in"', 1_790_000_000_000_000)


def test_a_record_stands_in_its_envelope_byte_for_byte():
    """Standard Webhooks: type, timestamp, data."""
    assert enveloping.one("acme", RECORD) == (
        b'{"type":"Log \\"in\\"","timestamp":"2026-09-21T14:13:20.000000Z",'
        b'"data":{"tenant":"acme","index":7,"event":{"a": 1.0}}}'
    )


def test_some_records_share_one_and_keep_their_own_type_time_and_index():
    other = Outgoing(9, "str_1-9", b"{}", "b", 1_790_000_000_500_000)

    assert enveloping.some("acme", [RECORD, other]) == (
        b'{"type":"sealog.batch","timestamp":"2026-09-21T14:13:20.500000Z",'
        b'"data":{"tenant":"acme","events":['
        b'{"type":"Log \\"in\\"","timestamp":"2026-09-21T14:13:20.000000Z","index":7,'
        b'"event":{"a": 1.0}},'
        b'{"type":"b","timestamp":"2026-09-21T14:13:20.500000Z","index":9,"event":{}}]}}'
    )


def test_a_test_says_that_it_is_one():
    assert enveloping.test("acme", 0) == (
        b'{"type":"sealog.test","timestamp":"1970-01-01T00:00:00.000000Z",'
        b'"data":{"sealog":{"test":true,"tenant":"acme"}}}'
    )


def test_a_time_that_no_calendar_has_is_its_first():
    record = Outgoing(7, "str_1-7", b"{}", "a", -(2**62))

    assert b'"timestamp":"0001-01-01T00:00:00.000000Z"' in enveloping.one("acme", record)
