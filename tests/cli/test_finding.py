"""Every option of the commands that ask arrives."""

import pytest
from tests.cli.made import ecs, lines


@pytest.fixture
def acme(sealog):
    events = [ecs(number, organization={"id": "acme"}) for number in range(6)]
    sealog("ingest", "-", stdin=lines(*events))
    return sealog


def ids(ran):
    return [event["event"]["id"] for event in ran.value["events"]]


def test_a_query_and_options_are_fulfilled_together(acme):
    ran = acme("search", "actor:u-1 OR actor:u-2", "--from", "2026-10-05T08:00:02Z", "--json")

    assert ids(ran) == ["e-5", "e-4", "e-2"]


@pytest.mark.parametrize(
    "asked",
    [
        ("--actor", "u-1", "--action", "user.login", "--from", "2026-10-05T08:00:02Z"),
        ("actor:u-1 action:user.login after:2026-10-05T08:00:02Z",),
        ("actor:u-1", "--action", "user.*", "--from", "2026-10-05T08:00:02Z"),
    ],
    ids=["options", "query", "both"],
)
def test_one_users_events_of_one_type_are_found_within_a_time(acme, asked):
    """CP-20, CP-21: both filters, and time."""
    assert ids(acme("search", *asked, "--json")) == ["e-4"]


def test_the_oldest_come_first_where_that_is_asked(acme):
    assert ids(acme("search", "--oldest", "--limit", "2", "--json")) == ["e-0", "e-1"]


@pytest.mark.parametrize(
    ("zone", "days"),
    [("Europe/Berlin", ["2026-10-05"]), ("Pacific/Pago_Pago", ["2026-10-04"])],
)
def test_a_zone_says_whose_days_are_meant(acme, zone, days):
    """The events are of 2026-10-05, eight o'clock in UTC, when it is still the day before there."""
    found = [
        day
        for day in ("2026-10-04", "2026-10-05")
        if len(ids(acme("search", f"on:{day}", "--zone", zone, "--json"))) == 6
    ]

    assert found == days


def test_a_query_that_begins_with_a_minus_stands_behind_two(acme):
    assert ids(acme("search", "--json", "--", "-actor:u-1 -actor:u-2")) == ["e-3", "e-0"]


@pytest.mark.parametrize("command", ["search", "count", "facets", "histogram"])
def test_a_mistake_is_pointed_at_under_the_query(acme, command):
    ran = acme(command, "has:findings acter:ada", "--tenant", "acme")

    assert ran.code == 2
    assert ran.err.splitlines() == [
        "has:findings acter:ada",
        "             ^^^^^",
        "sealog: unknown field 'acter'; did you mean 'actor'? (HTTP 400)",
    ]
