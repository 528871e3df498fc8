"""The question that a clock out of step raises, and its answer, from the command line."""

import sqlite3

import msgspec
import pytest
from tests.cli.made import script

HOUR_US = 3_600_000_000


@pytest.fixture
def data(tmp_path):
    """A folder that was marked, and never had an event."""
    path = tmp_path / "data"
    assert script("tenants", "create", "acme", "--data", path, cwd=tmp_path).code == 0
    return path


def set_ahead(data, hours):
    """As if the clock had been set ahead since: what was trusted was noted so much earlier."""
    connection = sqlite3.connect(data / "state.db")
    with connection:
        (value,) = connection.execute(
            "SELECT value FROM installation WHERE name = 'clock'"
        ).fetchone()
        mark = msgspec.msgpack.decode(value)
        mark["us"] -= hours * HOUR_US
        sql = "UPDATE installation SET value = ? WHERE name = 'clock'"
        connection.execute(sql, (msgspec.msgpack.encode(mark),))
    connection.close()


def test_a_clock_in_step_is_believed(data):
    ran = script("retention", "clock", "--data", data, "--json", cwd=data.parent)

    assert ran.code == 0
    assert ran.value["trusted"] is True
    assert abs(ran.value["ahead_s"]) < 60
    assert ran.value["tenants_waiting"] == 0


def test_a_clock_out_of_step_is_confirmed_by_one_that_agrees(data):
    set_ahead(data, 30)

    ran = script("retention", "confirm-clock", "--data", data, cwd=data.parent, stdin=b"y\n")
    after = script("retention", "clock", "--data", data, "--json", cwd=data.parent)

    assert ran.code == 0
    assert "trusted: no: nothing expires by it\n" in ran.out
    assert "Is that the time?" in ran.out + ran.err
    assert ran.out.endswith("trusted: yes\n")
    assert after.value["trusted"] is True


def test_who_says_no_confirms_nothing(data):
    set_ahead(data, 30)

    ran = script("retention", "confirm-clock", "--data", data, cwd=data.parent, stdin=b"n\n")
    after = script("retention", "clock", "--data", data, "--json", cwd=data.parent)

    assert ran.code == 1
    assert ran.err.endswith("sealog: the clock was not confirmed\n")
    assert after.value["trusted"] is False


def test_who_is_sure_is_not_asked(data):
    set_ahead(data, 2)

    told = script("retention", "confirm-clock", "--yes", "--json", "--data", data, cwd=data.parent)

    assert told.value["trusted"] is True
