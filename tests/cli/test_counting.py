import re

import pytest
from tests.cli.made import ecs, lines

from sealog.cli.counting import _bars


@pytest.fixture
def acme(sealog):
    """Four logins by u-0 and two by others, the last of them on the day after."""
    events = [
        ecs(number, organization={"id": "acme"}, user={"id": "u-0" if number < 4 else "u-1"})
        for number in range(5)
    ]
    late = ecs(6, organization={"id": "acme"}, user={"id": "[bold]x[/bold]"})
    events.append(late | {"@timestamp": "2026-10-06T09:00:00.000Z"})
    sealog("ingest", "-", stdin=lines(*events))
    return sealog


def rows(ran):
    _, _, below = ran.out.rpartition("─\n")
    return [re.split(r"  +", line.rstrip()) for line in below.splitlines()]


def test_a_count_is_a_number(acme):
    assert acme("count").out == "6\n"
    assert acme("count", "actor:u-0", "--tenant", "acme").out == "4\n"
    assert acme("count", "actor:nobody").out == "0\n"
    assert acme("count", "actor:u-0", "--json").value["count"] == 4


def test_facets_are_tables_with_bars(acme):
    ran = acme("facets", "--field", "actor", "--tenant", "acme")

    assert rows(ran) == [
        ["u-0", "4", "█" * 40],
        ["[bold]x[/bold]", "1", "█" * 10],
        ["u-1", "1", "█" * 10],
    ]
    assert ran.err == "6 events\n"


def test_what_is_left_out_of_the_top_is_counted(acme):
    ran = acme("facets", "--field", "actor", "--top", "1")

    assert rows(ran)[-1] == ["2 more"]


def test_one_event_is_not_several(acme):
    assert acme("histogram", "actor:u-1").err == "1 event\n"
    assert acme("facets", "actor:nobody").err == "0 events\n"


def test_facets_are_of_action_actor_and_outcome_unless_others_are_named(acme):
    found = acme("facets", "--json").value

    assert [facet["field"] for facet in found["facets"]] == ["action", "actor", "outcome"]


def test_a_histogram_has_a_bar_for_every_interval(acme):
    ran = acme("histogram", "--interval", "1d")

    assert rows(ran) == [["2026-10-05", "5", "█" * 40], ["2026-10-06", "1", "█" * 8]]


def test_a_histogram_shows_the_clock_of_its_zone(acme):
    ran = acme("histogram", "actor:u-0", "--interval", "1h", "--zone", "Asia/Tokyo")

    assert rows(ran) == [["2026-10-05 17:00", "4", "█" * 40]]
    assert "from (Asia/Tokyo)" in ran.out


def test_of_a_long_time_without_events_the_ends_are_shown(acme):
    ran = acme("histogram", "--interval", "1h", "--tenant", "acme")

    assert rows(ran) == [
        ["2026-10-05 08:00", "5", "█" * 40],
        ["2026-10-05 09:00", "0"],
        ["…", "0"],
        ["2026-10-06 08:00", "0"],
        ["2026-10-06 09:00", "1", "█" * 8],
    ]
    assert len(acme("histogram", "--interval", "1h", "--json").value["buckets"]) == 26


def test_a_histogram_chooses_its_interval(acme):
    assert acme("histogram", "--json").value["interval"] == "1h"
    assert acme("histogram", "actor:u-0", "--json").value["interval"] == "1m"


def test_a_bar_shows_eighths_and_whatever_is_not_nothing():
    assert _bars([40_000, 20_000, 1, 0]) == ["█" * 40, "█" * 20, "▏", ""]
    assert _bars([320, 9]) == ["█" * 40, "█▏"]
    assert _bars([]) == []
    assert _bars([0]) == [""]
