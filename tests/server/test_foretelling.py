"""A forecast, summed up for people."""

from tests.server.house import Going

from sealog.server import foretelling
from sealog.server.foretelling import OfType, OnDay, foretold

DAY_US = 86_400_000_000
NOW_US = 100 * DAY_US + 5


def test_what_is_over_goes_at_once_and_the_rest_by_day():
    told = foretold(
        [
            Going("closer", "b", NOW_US, 1),
            Going("closer", "a", NOW_US - DAY_US, 1),
            Going("ecs", "a", 0, 5),
            Going("ecs", "a", NOW_US + 1, 2),
            Going("ecs", "b", NOW_US + 2, 3),
            Going("ecs", "b", NOW_US + DAY_US, 4),
        ],
        NOW_US,
    )

    assert told.at_once.events == 7
    assert told.at_once.types == [
        OfType("ecs", "a", 5),
        OfType("closer", "a", 1),
        OfType("closer", "b", 1),
    ]
    assert told.later == [OnDay("1970-04-11", 5), OnDay("1970-04-12", 4)]
    assert told.beyond == 0


def test_nothing_goes_where_nothing_is():
    told = foretold([], NOW_US)

    assert (told.at_once.events, told.at_once.types, told.later, told.beyond) == (0, [], [], 0)


def test_very_many_types_and_days_are_summed_up(monkeypatch):
    monkeypatch.setattr(foretelling, "TYPES_MAX", 2)
    monkeypatch.setattr(foretelling, "DAYS_MAX", 2)

    told = foretold(
        [Going("ecs", f"x{nth}", 0, 10 - nth) for nth in range(4)]
        + [Going("ecs", "x", NOW_US + nth * DAY_US, nth) for nth in range(1, 5)],
        NOW_US,
    )

    assert told.at_once.types == [
        OfType("ecs", "x0", 10),
        OfType("ecs", "x1", 9),
        OfType(None, None, 15),
    ]
    assert [one.events for one in told.later] == [1, 2]
    assert told.beyond == 7
