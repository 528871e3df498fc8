"""The hour is told when it is over, once, whatever fails meanwhile."""

import pytest

from sealog.access.grants import Grant
from sealog.access.reads import HOUR_US, Kind, Reads
from sealog.errors import Busy
from sealog.event.tenants import Tenant
from sealog.intake.telling import KEEP_S, Teller
from sealog.policy.policies import Policies
from sealog.policy.settings import TenantSettings
from sealog.policy.unrecorded import Unrecorded
from sealog.storage.store import Store

KEY = Grant("key_1", frozenset({"read"}), None)
ACME = Tenant(1, "acme", "a" * 32, bytes(32))


class Recorded:
    def __init__(self):
        self.told = []
        self.error = None

    def reads(self, told):
        if self.error is not None:
            raise self.error
        self.told += [(one.hour, one.key, one.counts.kinds[Kind.FEEDS]) for one in told]


class Life:
    def __init__(self, path):
        self.us = 100 * HOUR_US
        self.store = Store(path)
        self.reads = Reads(self.store, lambda: self.us)
        self.recorded = Recorded()
        self.teller = Teller(self.reads, self.recorded, lambda: self.us)


@pytest.fixture
def life(tmp_path):
    life = Life(tmp_path / "state.db")
    yield life
    life.store.close()


def test_an_hour_is_told_when_it_is_over_and_once(life):
    life.reads.note(KEY, ACME, Kind.FEEDS)
    life.teller.step()
    assert life.recorded.told == []

    life.us += HOUR_US
    life.teller.step()
    life.teller.step()

    assert life.recorded.told == [(100, "key_1", 1)]


def test_what_could_not_be_told_is_told_later(life):
    life.reads.note(KEY, ACME, Kind.FEEDS)
    life.us += HOUR_US
    life.recorded.error = Busy("too much waits")
    with pytest.raises(Busy):
        life.teller.step()

    life.recorded.error = None
    life.teller.step()

    assert life.recorded.told == [(100, "key_1", 1)]


def test_it_wakes_every_few_seconds_and_at_the_end_of_the_hour(life):
    assert life.teller._until_next_s() == KEEP_S
    life.us += HOUR_US - 2_500_000
    assert life.teller._until_next_s() == 2.5


def test_stopping_keeps_what_was_counted_last(life):
    life.teller.start()
    life.reads.note(KEY, ACME, Kind.FEEDS)
    life.teller.stop()

    again = Reads(life.store, lambda: life.us + HOUR_US)
    again.keep()

    assert [(one.hour, one.counts.kinds[Kind.FEEDS]) for one in again.over()] == [(100, 1)]


def test_what_was_over_when_it_started_is_told_at_once(life):
    life.reads.note(KEY, ACME, Kind.FEEDS)
    life.reads.keep()
    life.us += HOUR_US
    later = Teller(Reads(life.store, lambda: life.us), life.recorded, lambda: life.us)

    later.start()
    later.stop()

    assert life.recorded.told == [(100, "key_1", 1)]


def test_trouble_is_told_and_passes(life):
    life.recorded.error = Busy("too much waits")
    life.reads.note(KEY, ACME, Kind.FEEDS)
    life.us += HOUR_US
    life.teller.start()
    life.teller.stop()

    assert life.teller.trouble is life.recorded.error


class Told(Recorded):
    """Takes what was not recorded, and what was changed, too."""

    def __init__(self):
        super().__init__()
        self.unkept = []
        self.changes = []

    def not_recorded(self, told):
        if self.error is not None:
            raise self.error
        self.unkept += [(one.hour, one.tenant, one.types) for one in told]

    def policy_changed(self, change):
        if self.error is not None:
            raise self.error
        self.changes.append((change.tenant, change.kind, change.new.version))


def test_what_was_not_recorded_is_told_when_its_hour_is_over_and_once(life):
    told = Told()
    unrecorded = Unrecorded(life.store, lambda: life.us)
    teller = Teller(life.reads, told, lambda: life.us, unrecorded)
    unrecorded.note(ACME, [("easysend", "PageView")] * 2)
    teller.step()
    assert told.unkept == []

    life.us += HOUR_US
    told.error = Busy("too much waits")
    with pytest.raises(Busy):
        teller.step()
    told.error = None
    teller.step()
    teller.step()

    assert told.unkept == [(100, 1, (("easysend", "PageView", 2),))]


def test_stopping_keeps_what_was_not_recorded_last(life):
    unrecorded = Unrecorded(life.store, lambda: life.us)
    teller = Teller(life.reads, Told(), lambda: life.us, unrecorded)
    teller.start()
    unrecorded.note(ACME, [("easysend", "PageView")])
    teller.stop()

    later = Unrecorded(life.store, lambda: life.us + HOUR_US)
    assert [one.types for one in later.over()] == [(("easysend", "PageView", 1),)]


def test_a_change_that_is_not_told_yet_is_told_by_the_next_start(life):
    """ES-12: each change is an event, whatever happens between the two."""

    def fail(_change):
        raise Busy("too much waits")

    told = Told()
    with pytest.raises(Busy):
        Policies(life.store, lambda: life.us).change_settings(
            ACME.number, TenantSettings(day_first=False), tell=fail
        )
    policies = Policies(life.store, lambda: life.us)
    teller = Teller(life.reads, told, lambda: life.us, None, policies)

    teller.start()
    teller.stop()

    assert told.changes == [(1, "settings", 1)]
    assert policies.settings(ACME.number).version == 1
