"""What is not recorded is counted, by type and hour, until it is told."""

import pytest

from sealog.errors import Busy
from sealog.event.tenants import Tenant
from sealog.policy import unrecorded
from sealog.policy.unrecorded import HOUR_US, Told, Unrecorded
from sealog.storage.store import Store

ACME = Tenant(1, "acme", "a" * 32, bytes(32))
GLOBEX = Tenant(2, "globex", "b" * 32, bytes(32))
PAGE, LINK = ("easysend", "PageView"), ("easysend", "LinkSent")
BEGAN_US = 100 * HOUR_US


class Life:
    def __init__(self, path):
        self.us = BEGAN_US
        self.store = Store(path)
        self.begin()

    def begin(self):
        self.counts = Unrecorded(self.store, lambda: self.us)


@pytest.fixture
def life(tmp_path):
    life = Life(tmp_path / "state.db")
    yield life
    life.store.close()


def test_an_hour_that_is_over_is_told_by_type_and_then_forgotten(life):
    life.counts.note(ACME, [PAGE, LINK, PAGE])
    life.counts.note(GLOBEX, [PAGE])
    life.counts.keep()
    life.counts.note(ACME, [PAGE])
    life.counts.keep()
    assert life.counts.over() == []

    life.us += HOUR_US
    told = life.counts.over()

    assert told == [
        Told(100, 1, (("easysend", "LinkSent", 1), ("easysend", "PageView", 3)), BEGAN_US),
        Told(100, 2, (("easysend", "PageView", 1),), BEGAN_US),
    ]
    life.counts.forget(told)
    assert life.counts.over() == []


def test_what_was_kept_outlives_a_restart(life):
    life.counts.note(ACME, [PAGE])
    life.counts.keep()
    life.begin()
    life.us += HOUR_US

    assert [one.types for one in life.counts.over()] == [(("easysend", "PageView", 1),)]


def test_what_cannot_be_kept_is_kept_later(life, monkeypatch):
    life.counts.note(ACME, [PAGE])

    def full(_work):
        raise Busy("the disk is full")

    monkeypatch.setattr(life.store, "write", full)
    with pytest.raises(Busy):
        life.counts.keep()
    monkeypatch.undo()
    life.counts.note(ACME, [PAGE])
    life.counts.keep()
    life.us += HOUR_US

    assert [one.types for one in life.counts.over()] == [(("easysend", "PageView", 2),)]


def test_an_hour_that_comes_again_is_counted_anew(life):
    """A clock was set back: what was told stays told, what comes is told beside it."""
    life.counts.note(ACME, [PAGE])
    life.counts.keep()
    life.us += HOUR_US
    life.counts.forget(life.counts.over())
    life.us = BEGAN_US + 7
    life.counts.note(ACME, [PAGE])
    life.counts.keep()
    life.us += HOUR_US

    assert [one.since_us for one in life.counts.over()] == [BEGAN_US + 7]


def test_very_many_types_are_counted_together(life, monkeypatch):
    monkeypatch.setattr(unrecorded, "TYPES_MAX", 2)
    life.counts.note(ACME, [("ecs", f"made.up.{number}") for number in range(5)])
    life.counts.keep()
    life.begin()
    life.counts.note(ACME, [("ecs", "made.up.1"), ("ecs", "one.more"), ("ecs", "x" * 999)])
    life.counts.keep()
    life.us += HOUR_US

    [told] = life.counts.over()
    assert told.types == (("ecs", "made.up.0", 1), ("ecs", "made.up.1", 2), ("", "", 5))
