"""What stands around a record as it leaves: its type, its time, its tenant and its index.

The shape is that of Standard Webhooks, `{"type", "timestamp", "data"}`; a line or a file in a
folder has the same. Records are bytes, and are never decoded here.
"""

from collections.abc import Sequence

import msgspec

from sealog.delivery.destination import Outgoing
from sealog.event import times

TEST_TYPE = "sealog.test"
BATCH_TYPE = "sealog.batch"

_ENCODE = msgspec.json.Encoder().encode


def one(tenant: str, record: Outgoing) -> bytes:
    """`{"type", "timestamp", "data": {"tenant", "index", "event"}}`."""
    inner = b'{"tenant":%b,"index":%d,"event":%b}' % (_ENCODE(tenant), record.index, record.body)
    return _envelope(record.type, record.at_us, inner)


def some(tenant: str, records: Sequence[Outgoing]) -> bytes:
    """`data` is `{"tenant", "events": [{"type", "timestamp", "index", "event"}, …]}`."""
    listed = b",".join(
        [
            b'{"type":%b,"timestamp":%b,"index":%d,"event":%b}'
            % (_ENCODE(record.type), _time(record.at_us), record.index, record.body)
            for record in records
        ]
    )
    inner = b'{"tenant":%b,"events":[%b]}' % (_ENCODE(tenant), listed)
    return _envelope(BATCH_TYPE, records[-1].at_us, inner)


def test(tenant: str, at_us: int) -> bytes:
    """A record that is marked as a test and holds nothing of a trail."""
    return _envelope(TEST_TYPE, at_us, bare_test(tenant))


def bare_test(tenant: str) -> bytes:
    """The same without what stands around it."""
    return b'{"sealog":{"test":true,"tenant":%b}}' % _ENCODE(tenant)


def _envelope(kind: str, at_us: int, inner: bytes) -> bytes:
    return b'{"type":%b,"timestamp":%b,"data":%b}' % (_ENCODE(kind), _time(at_us), inner)


def _time(at_us: int) -> bytes:
    return _ENCODE(times.format_us(at_us) or "0001-01-01T00:00:00.000000Z")
