"""Retention stops for a clock that may be wrong, and asks: here is the question, and the answer."""

import pytest

from sealog.server.application import build
from sealog.server.settings import Settings

CLOCK = "/v1/retention/clock"


def judged_by(house, trust):
    house.trust = trust
    house.app = build(house.parts_anew(), Settings())
    house.connect()
    return house


def test_whoever_reads_sees_that_the_clock_is_not_believed(house):
    answer = house.ask("GET", CLOCK, key=house.key("read"))

    assert answer.status_code == 200
    assert answer.json() == {
        "clock": "2023-11-14T22:13:20.000000Z",
        "expected": "2023-11-13T16:13:20.000000Z",
        "ahead_s": 108_000,
        "trusted": False,
        "tenants_waiting": 3,
    }


def test_where_nothing_tells_what_the_time_should_be_nothing_is_made_up(house):
    house.trust.expected_us = 0

    shown = house.ask("GET", CLOCK, key=house.key("admin")).json()

    assert (shown["expected"], shown["ahead_s"], shown["trusted"]) == (None, None, False)


def test_who_knows_the_time_confirms_it(house):
    answer = house.ask(
        "POST", CLOCK, key=house.key("admin"), json={"clock": "2023-11-14T22:15:00Z"}
    )

    assert answer.status_code == 200
    assert answer.json()["trusted"] is True
    assert house.trust.confirmed == 1


@pytest.mark.parametrize(
    ("clock", "status", "code"),
    [
        ("2023-11-13T16:13:20Z", 409, "clock-differs"),
        ("2023-11-14T22:18:21Z", 409, "clock-differs"),
        ("soon", 400, "bad-clock"),
    ],
    ids=["as-it-should-be", "another-minute", "no-time"],
)
def test_another_time_confirms_nothing(house, clock, status, code):
    answer = house.ask("POST", CLOCK, key=house.key("admin"), json={"clock": clock})

    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{code}")
    assert house.trust.confirmed == 0


def test_only_a_key_that_administers_all_tenants_confirms(house):
    body = {"clock": "2023-11-14T22:13:20Z"}

    reader = house.ask("POST", CLOCK, key=house.key("read"), json=body)
    one = house.ask("POST", CLOCK, key=house.key("admin", tenants=["acme"]), json=body)

    assert (reader.status_code, one.status_code) == (403, 403)
    assert house.trust.confirmed == 0


def test_beside_the_process_that_owns_the_folder_there_is_nothing_to_ask(house):
    judged_by(house, None)

    assert house.ask("GET", CLOCK, key=house.key("read")).status_code == 503
