"""However events come, what has expired is gone within 1/48 of the time it was kept."""

import msgspec
import pytest
from tests.lifecycle.test_gone import Clock, House, natives

from sealog import app
from sealog.archive.classes import grace_us
from sealog.policy.retention import Retention, Rule
from sealog.verify.folder import verify_folder

HOUR_S = 3_600
STEP_S = 6
EVENT_EVERY_S = 24
CUT_EVERY_S = 600
"""As long as events wait before they come to rest, at most."""


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(app, "clock_us", clock)
    return clock


def told_by(retainer, clock):
    """All that counts time for retention counts by one clock."""
    retainer._world = msgspec.structs.replace(retainer._world, monotonic_s=lambda: clock.ahead_s)
    trust = retainer.trust
    trust._clocks = msgspec.structs.replace(trust._clocks, elapsed_us=clock)
    retainer.confirm()


def oldest_us(running, tenant):
    """When the oldest came of what is there still and will go."""
    came = [one.first_ingested_us for one in running.archive.segments(tenant)]
    return min((one for one in came if one is not None), default=None)


def test_nothing_stays_for_longer_than_a_48th(tmp_path, clock):
    late_us, gone, segments = [], 0, []
    with app.running(tmp_path / "data") as running:
        house = House(running)
        told_by(running.retainer, clock)
        acme = house.take_in("acme", "ecs", natives(1))
        running.policies.change_retention(
            acme.number, Retention(rules=(Rule(dialect="ecs", keep_s=HOUR_S),))
        )
        look_s = 0.0
        for at_s in range(0, 3 * HOUR_S, STEP_S):
            clock.ahead_s = float(at_s)
            if at_s % EVENT_EVERY_S == 0:
                house.take_in("acme", "ecs", natives(1, at_s + 1))
            if at_s % CUT_EVERY_S == 0:
                running.archive.cut()
                running.archive.merge()
            if at_s >= look_s:
                running.retainer.step()
                look_s = at_s + running.retainer._until_next_s()
            oldest = oldest_us(running, acme)
            if oldest is not None:
                late_us.append(app.clock_us() - oldest - HOUR_S * 1_000_000)
                segments.append(len(running.archive.segments(acme)))
        gone = running.retainer.done

    # Files stay for a moment more.
    assert max(late_us) + grace_us(HOUR_S) <= HOUR_S * 1_000_000 // 48
    assert max(late_us) > 0
    assert gone.events > 2 * HOUR_S // EVENT_EVERY_S - 60
    # One a window at most: of what came in the first two hours.
    assert gone.statements <= 2 * 100 + 1
    assert verify_folder(tmp_path / "data").holds
