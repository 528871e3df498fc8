"""A forecast counts what would go by the hour while it is near, and by the day beyond."""

import pytest
from tests.archive.made import ALPHA, BEGIN_US, Home, event, statement

from sealog.archive.forecasting import DAY_US, HOUR_US, Going
from sealog.policy.retention import Retention, Rule

HOUR = 3_600
DAY = 24 * HOUR


@pytest.mark.parametrize("rests", [False, True], ids=["waiting", "resting"])
def test_what_is_near_is_told_by_the_hour_the_rest_by_the_day(lasting: Home, *, rests: bool):
    lasting.add(ALPHA, *[event(n, came=20 * HOUR * n) for n in range(4)], statement())
    if rests:
        lasting.archive.cut()
    rules = Retention(7, (Rule(dialect="ecs", keep_s=DAY),))

    found = lasting.archive.forecast(ALPHA, rules, BEGIN_US + DAY * 1_000_000)

    expiries = [BEGIN_US + (DAY + 20 * HOUR * n) * 1_000_000 for n in range(4)]
    widths = [HOUR_US, HOUR_US, HOUR_US, DAY_US]
    begins = [at - at % width for at, width in zip(expiries, widths, strict=True)]
    begins[0] = BEGIN_US + DAY * 1_000_000
    assert found == [Going("ecs", "user.login", DAY, at_us, 1) for at_us in begins]


def test_a_forecast_asks_of_no_policy_in_force(lasting: Home):
    """Nor is it remembered as one."""
    lasting.add(ALPHA, event(dialect="easysend"))
    lasting.archive.cut()

    shorter = lasting.archive.forecast(ALPHA, Retention(0, (Rule(keep_s=HOUR),)), BEGIN_US)

    assert [(one.keep_s, one.count) for one in shorter] == [(HOUR, 1)]
    lasting.pass_time(DAY)
    assert len(lasting.archive.feed(ALPHA, -1, 10)) == 1
