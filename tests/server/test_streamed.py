import pytest
from tests.archive.made import ALPHA
from tests.delivery.fakes import Office
from tests.delivery.test_stream import a_stream

from sealog.errors import Refused
from sealog.server.streamed import place_of, shown


class FakeTenants:
    def numbered(self, number):
        return ALPHA if number == 1 else None


def test_a_stream_is_shown_whole_and_without_its_secrets(tmp_path):
    office = Office(tmp_path / "data")
    try:
        found = shown(a_stream(), office.streams, FakeTenants())
    finally:
        office.close()

    assert found == {
        "id": "str_1",
        "tenant": "alpha",
        "version": 2,
        "name": "siem",
        "destination": {"kind": "webhook", "body": "enveloped"},
        "filter": {"q": "actor:ada"},
        "fields": {"include": ("a",), "exclude": ("b",)},
        "mask": {"c": "hash"},
        "dialect": "ecs",
        "ecs_version": "8.11",
        "state": "running",
        "next": 7,
        "lag_events": 0,
        "lag_seconds": 0.0,
        "delivered": 3,
        "delivered_bytes": 0,
        "parked": 0,
        "last_success": None,
        "failures": 0,
        "failing_since": None,
        "next_attempt": None,
        "last_error": {
            "at": "1970-01-01T00:00:00.000005Z",
            "kind": "timeout",
            "reason": "too long",
        },
        "created": "1970-01-01T00:00:00.000001Z",
        "changed": "1970-01-01T00:00:00.000002Z",
    }


def test_a_place_is_an_index_or_a_time():
    assert place_of({"index": 7}) == (7, None)
    assert place_of("beginning") == (0, None)
    assert place_of({"time": "1970-01-01T00:00:01Z"}) == (None, 1_000_000)


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        (None, "/from"),
        (7, "/from"),
        ({"index": 1, "time": "x"}, "/from"),
        ({"indexes": 1}, "/from/indexes"),
        ({"index": -1}, "/from/index"),
        ({"time": "yesterday"}, "/from/time"),
        ({"time": "2026-01-31T00:00:00"}, "/from/time"),
        ({"time": 5}, "/from/time"),
    ],
    ids=str,
)
def test_a_place_that_is_none_is_refused(asked, pointer):
    with pytest.raises(Refused) as caught:
        place_of(asked)

    assert caught.value.pointer == pointer
