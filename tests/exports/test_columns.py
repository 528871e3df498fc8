import msgspec
import pytest
from tests.exports.made import line

from sealog.errors import Refused
from sealog.exports import columns
from sealog.exports.columns import COLUMNS

WHOLE = line(
    **{
        "@timestamp": "2026-10-05T08:00:00.123456Z",
        "event": {
            "id": "e-1",
            "action": "Login",
            "category": ["iam", "authentication"],
            "type": ["start"],
            "outcome": "success",
            "ingested": "2026-10-05T08:00:01.000Z",
        },
        "sealog": {
            "index": 7,
            "action": "user.login",
            "dialect": "ecs",
            "actor": {"kind": "agent"},
        },
        "user": {
            "id": "u-1",
            "name": "Ann",
            "email": "ann@example.org",
            "target": {"id": "u-2", "name": "Bob", "email": "bob@example.org"},
        },
        "source": {"ip": "198.51.100.1"},
        "client": {"ip": "198.51.100.2"},
        "session": {"id": "s"},
        "http": {"response": {"status_code": 200}},
        "message": "hello",
        "labels": {"x": 1},
    }
)


def row(text):
    (one,) = columns.rows(text)
    return dict(zip(COLUMNS, one, strict=True))


def test_every_column_has_its_value():
    assert row(WHOLE) == {
        "index": 7,
        "time": "2026-10-05T08:00:00.123456Z",
        "ingested": "2026-10-05T08:00:01.000Z",
        "id": "e-1",
        "action": "Login",
        "alias": "user.login",
        "category": "iam,authentication",
        "type": "start",
        "outcome": "success",
        "actor_id": "u-1",
        "actor_name": "Ann",
        "actor_email": "ann@example.org",
        "actor_kind": "agent",
        "address": "198.51.100.1",
        "target_id": "u-2",
        "target_name": "Bob",
        "target_email": "bob@example.org",
        "session": "s",
        "dialect": "ecs",
        "status": 200,
        "message": "hello",
        "event": WHOLE.decode().rstrip("\n"),
    }


def test_what_an_event_does_not_have_is_nothing():
    found = row(b'{"sealog":{"index":3}}\n')

    assert found.pop("event") == '{"sealog":{"index":3}}'
    assert found.pop("index") == 3
    assert set(found.values()) == {None}


@pytest.mark.parametrize(
    ("members", "column", "value"),
    [
        ({"user": "ann"}, "actor_id", None),
        pytest.param(
            {"user": {"id": msgspec.Raw(b"12345678901234567890123")}},
            "actor_id",
            "12345678901234567890123",
            id="a number past every other",
        ),
        ({"user": {"id": 5}}, "actor_id", "5"),
        ({"user": {"id": 5}}, "actor_kind", "user"),
        ({"user": {"id": {"a": 1}}}, "actor_id", '{"a":1}'),
        ({"user": {"name": ["a", "b"]}}, "actor_name", "a,b"),
        ({"user": {"id": True}}, "actor_id", "true"),
        ({"client": {"ip": "::1"}}, "address", "::1"),
        ({"source": "x", "client": {"ip": "::1"}}, "address", "::1"),
        ({"event": {"category": "iam"}}, "category", "iam"),
        ({"event": {"category": [1]}}, "category", "[1]"),
        ({"event": []}, "action", None),
        ({"http": {"response": {"status_code": "404"}}}, "status", 404),
        ({"http": {"response": {"status_code": "OK"}}}, "status", None),
        ({"http": {"response": {"status_code": 10**12}}}, "status", None),
        ({"http": {"response": None}}, "status", None),
        ({"http": 1}, "status", None),
        ({"message": {"text": 1}}, "message", '{"text":1}'),
        ({"session": {"id": 1.5}}, "session", "1.5"),
        ({"@timestamp": 17}, "time", "17"),
    ],
    ids=str,
)
def test_whatever_stands_there_becomes_text_or_nothing(members, column, value):
    assert row(line(**members))[column] == value


def test_text_that_only_the_slow_reader_takes_is_a_row_too():
    found = row(b'{"sealog":{"index":1},"message":"\\ud800","big":1e400}\n')

    assert (found["index"], found["message"]) == (1, "\N{REPLACEMENT CHARACTER}")


def test_one_odd_event_does_not_change_its_neighbours():
    found = columns.rows(WHOLE + b'{"sealog":{"index":8},"user":[]}\n' + WHOLE)

    assert [one[0] for one in found] == [7, 8, 7]
    assert found[0] == found[2] == columns.rows(WHOLE)[0]


def test_columns_are_asked_for_by_name_in_any_order():
    assert columns.check(["event", "index"]) == ("event", "index")


@pytest.mark.parametrize("names", [[], ["nope"], ["index", "index"]], ids=str)
def test_columns_that_are_none_are_refused(names):
    with pytest.raises(Refused, match="columns are one or more of index, time"):
        columns.check(names)


def test_times_are_microseconds():
    assert columns.at_us("2023-11-14T22:13:20.000001Z") == 1_700_000_000_000_001
    assert columns.at_us("yesterday") is None
    assert columns.at_us(None) is None
