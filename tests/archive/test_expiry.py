"""What has expired at a moment, by class where segments are sorted, by type where they are not."""

import numpy as np
from tests.archive.made import ALPHA, BEGIN_US, Home, event, statement

from sealog.archive.expiry import Expiry, Live, moments_of
from sealog.archive.segments import Segment
from sealog.policy.retention import Retention, Rule

HOUR_US = 3_600_000_000


def _filled(home: Home) -> tuple[Expiry, Segment]:
    home.add(ALPHA, *[event(n, dialect="easysend", came=10 * n) for n in range(10)])
    home.archive.cut()
    return home.archive._expiry, home.archive.segments(ALPHA)[0]


def _live(home: Home, now_us: int) -> Live | None:
    trail = home.archive._waiting.of(ALPHA.number)
    return home.archive._expiry.alive(ALPHA.number, trail, now_us).live


def test_a_segment_is_looked_into_only_while_it_expires(lasting: Home):
    _, segment = _filled(lasting)
    first = BEGIN_US + 48 * HOUR_US

    assert _live(lasting, first - 1) is None
    now, end = _live(lasting, first + 30_000_000), _live(lasting, first + 90_000_000)
    assert now is not None
    assert end is not None
    assert np.flatnonzero(now.rows(segment)).tolist() == [4, 5, 6, 7, 8, 9]
    assert end.rows(segment) is False
    assert [now.holds(segment, n) for n in (3, 4, 99)] == [False, True, False]
    assert [n for some in now.expired(1, 3) for n in some.tolist()] == [1, 2]
    assert now.indexes(segment).tolist() == [4, 5, 6, 7, 8, 9]


def test_what_has_expired_whole_is_not_in_the_trail(lasting: Home):
    _filled(lasting)
    trail = lasting.archive._waiting.of(ALPHA.number)

    alive = lasting.archive._expiry.alive(ALPHA.number, trail, BEGIN_US + 49 * HOUR_US)

    assert alive.segments == ()
    assert alive.live is not None
    assert alive.live.whole is trail


def test_until_they_are_sorted_the_types_of_events_decide(lasting: Home):
    lasting.add(
        ALPHA,
        *[event(n, ("user.login", "user.logout")[n % 2], came=n) for n in range(6)],
        statement(),
    )
    lasting.archive.cut()
    segment = lasting.archive.segments(ALPHA)[0]
    lasting.decide(ALPHA, Rule(action="user.login", keep_s=3_600))

    live = _live(lasting, BEGIN_US + HOUR_US + 2_000_000)

    assert live is not None
    assert live.rows(segment).tolist() == [False, True, False, True, True, True]
    assert live.rows(lasting.archive.segments(ALPHA)[1]) is True


def test_a_statement_that_waits_never_expires(lasting: Home):
    lasting.add(ALPHA, event(0), statement(), event(2, dialect="closer"))
    (chunk,) = lasting.archive._waiting.of(ALPHA.number).chunks
    lasting.decide(ALPHA, Rule(dialect="ecs", keep_s=3_600))

    live = _live(lasting, BEGIN_US + HOUR_US)

    assert live is not None
    assert live.rows(chunk).tolist() == [False, True, True]
    types = lasting.archive._expiry.types(ALPHA.number)
    assert moments_of(chunk, types)[0] == BEGIN_US + HOUR_US


def test_tenants_with_the_same_rules_share_what_was_asked():
    rules = {1: Retention(), 2: Retention(), 3: Retention(1, (Rule(keep_s=3_600),))}
    expiry = Expiry(rules.__getitem__, lambda: 0, None)

    assert expiry.types(1) is expiry.types(2)
    assert expiry.types(3) is not expiry.types(1)
    rules[1] = rules[3]
    assert expiry.types(1) is expiry.types(3)
