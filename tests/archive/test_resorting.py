"""How a segment is shared out by another policy."""

import pytest
from tests.archive.made import ALPHA, Home, event

from sealog.archive import resorting
from sealog.archive.classes import Types
from sealog.archive.segments import Segment
from sealog.policy.retention import Retention, Rule

HOUR = 3_600


def _plan(home: Home, segment: Segment, *rules: Rule) -> list[tuple[str, list[int]]] | None:
    others = [one for one in home.archive.segments(ALPHA) if one is not segment]
    types = Types(Retention(1, rules))
    shares = resorting.plan(segment, types, home.archive._expiry, others)
    return None if shares is None else [(one.kept, one.places.tolist()) for one in shares]


def test_what_stands_where_it_should_is_left_alone(lasting: Home):
    lasting.add(ALPHA, event(dialect="easysend"), event(1))
    lasting.archive.cut()
    easysend, rest = lasting.archive.segments(ALPHA)

    assert _plan(lasting, easysend) is None
    assert _plan(lasting, rest) is None
    assert _plan(lasting, rest, Rule(dialect="closer", keep_s=HOUR)) is None


def test_events_go_to_their_classes_within_their_windows(lasting: Home):
    """Of what is kept for an hour, 25.7 seconds are together."""
    lasting.add(ALPHA, *[event(n, came=5 * n) for n in range(8)], event(8, "user.logout"))
    lasting.archive.cut()
    (segment,) = lasting.archive.segments(ALPHA)

    assert _plan(lasting, segment, Rule(action="user.login", keep_s=HOUR)) == [
        ("default", [8]),
        ("3600s", [0, 1, 2, 3, 4, 5]),
        ("3600s", [6, 7]),
    ]


def test_a_window_that_became_shorter_divides_a_segment(lasting: Home):
    lasting.add(ALPHA, *[event(n, dialect="easysend", came=400 * n) for n in range(4)])
    lasting.archive.cut()
    (segment,) = lasting.archive.segments(ALPHA)

    assert _plan(lasting, segment, Rule(keep_s=24 * HOUR)) == [
        ("86400s", [0, 1]),
        ("86400s", [2, 3]),
    ]


@pytest.mark.parametrize(
    ("first", "last", "lane"),
    [(0, 4, "3600s"), (3, 9, "3600s-1"), (15, 30, "3600s-2"), (31, 40, "3600s")],
)
def test_the_first_lane_with_room_is_taken(first: int, last: int, lane: str):
    spans = [("3600s", 5, 30), ("3600s-1", 12, 20), ("default", 0, 100)]

    assert resorting.lane(HOUR, first, last, spans) == lane
