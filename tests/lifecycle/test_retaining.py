"""What has expired is stated, and then it goes: once, whatever happens in between."""

import time

import msgspec
import pytest
from tests.lifecycle.made import HOUR_US, NOON_US, Died, Due, Sealed, Shelf, tenant

from sealog.archive.classes import keep_of
from sealog.errors import Busy, Corrupt
from sealog.lifecycle.retaining import (
    DUES_AT_ONCE,
    TENANTS_AT_ONCE,
    VISIBLE_LOOKS,
    Retainer,
    World,
)
from sealog.lifecycle.trust import Clocks, Trust
from sealog.policy.retention import Retention
from sealog.storage.store import Store

WINDOW_S = 1_728
"""Of what is kept for 48 hours."""


class House:
    """A retainer on fakes; `start` again is what a start after a crash is."""

    def __init__(self, path):
        self._path = path
        self.shelf = Shelf()
        self.sealed = Sealed()
        self.us = NOON_US
        self.elapsed_us = 0
        self.store = None
        self.start()

    def start(self):
        self.close()
        self.store = Store(self._path)
        clocks = Clocks(lambda: self.us, lambda: self.elapsed_us, "boot")
        self.trust = Trust(self.store, clocks, lambda: None)
        world = World(
            tenants=tenant,
            rules=lambda _: Retention(version=3),
            shortest_s=lambda: 172_800,
            state=self.sealed.state,
            keep_of=keep_of,
            monotonic_s=lambda: self.elapsed_us / 1e6,
        )
        self.retainer = Retainer(self.store, self.shelf, self.trust, world)

    def passes(self, s):
        self.us += s * 1_000_000
        self.elapsed_us += s * 1_000_000

    def close(self):
        if self.store is not None:
            self.store.close()

    def said(self):
        return [msgspec.json.decode(says) for says in self.sealed.said.values()]


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path / "state.db")
    yield house
    house.close()


def test_what_has_expired_is_stated_with_why_and_then_dropped(house):
    house.shelf.put(1, _3=NOON_US, _4=NOON_US - 1, _5=NOON_US + 1)

    house.retainer.step()

    assert house.said() == [
        {
            "v": 1,
            "ranges": [[3, 3], [4, 4]],
            "reason": "kept for 172800 s",
            "policy": "version 3",
        }
    ]
    assert house.shelf.dropped == [(1, 1_000, [3, 4])]
    assert house.shelf.events == {1: {5: NOON_US + 1}}
    assert house.retainer.done.statements == 1
    assert house.retainer.done.events == 2
    assert house.retainer.done.bytes == 200


def test_a_tenant_gets_one_statement_a_window(house):
    house.shelf.put(1, _0=NOON_US)
    house.retainer.step()
    house.shelf.put(1, _1=NOON_US)

    house.passes(WINDOW_S - 1)
    house.retainer.step()
    assert len(house.shelf.dropped) == 1

    house.passes(1)
    house.retainer.step()
    assert house.shelf.dropped == [(1, 1_000, [0]), (1, 1_001, [1])]


def test_of_ten_thousand_tenants_only_those_are_looked_at_that_are_due(house):
    for number in range(10_000):
        house.shelf.put(number, _0=NOON_US + HOUR_US)
    house.shelf.put(77, _1=NOON_US)

    house.retainer.step()

    assert house.shelf.looked == [77]


def test_many_tenants_are_stated_together_and_each_of_itself(house):
    count = 2 * TENANTS_AT_ONCE + 1
    for number in range(1, count + 1):
        house.shelf.put(number, _0=NOON_US)

    house.retainer.step()

    assert sorted(house.shelf.dropped) == [(n, 1_000, [0]) for n in range(1, count + 1)]
    assert sorted(house.sealed.stated) == list(range(1, count + 1))


@pytest.mark.parametrize("dies", ["before", "after", "at-drop"])
def test_whoever_dies_on_the_way_goes_on_with_the_same_statement(house, dies):
    house.shelf.put(1, _0=NOON_US)
    house.sealed.dies = dies
    house.shelf.dies_at_drop = dies == "at-drop"
    with pytest.raises(Died):
        house.retainer.step()
    assert house.shelf.events == {1: {0: NOON_US}}

    house.sealed.dies = ""
    house.shelf.dies_at_drop = False
    house.passes(60)
    house.shelf.put(1, _1=NOON_US)
    house.start()
    house.retainer.step()

    assert [says["ranges"] for says in house.said()] == [[[0, 0]], [[1, 1]]]
    assert house.shelf.dropped == [(1, 1_000, [0]), (1, 1_001, [1])]


def test_what_was_begun_is_finished_even_by_a_clock_that_is_not_trusted(house):
    """It was found by one that was; and its statement may be sealed."""
    house.shelf.put(1, _0=NOON_US)
    house.shelf.put(2, _0=NOON_US + 1)
    house.sealed.dies = "after"
    with pytest.raises(Died):
        house.retainer.step()
    house.sealed.dies = ""

    house.us += 30 * 24 * HOUR_US
    house.start()
    house.retainer.step()

    assert house.shelf.dropped == [(1, 1_000, [0])]
    assert house.retainer.held() == 1


def test_a_clock_more_than_an_hour_ahead_deletes_nothing_until_it_is_confirmed(house):
    house.shelf.put(1, _0=NOON_US + HOUR_US)

    house.us += HOUR_US + 1
    house.retainer.step()
    assert house.shelf.dropped == []
    assert house.retainer.held() == 1

    house.trust.confirm()
    house.retainer.step()
    assert house.shelf.dropped == [(1, 1_000, [0])]
    assert house.retainer.held() == 0


def test_nothing_is_held_where_nothing_is_due(house):
    house.us += 30 * 24 * HOUR_US

    house.retainer.step()

    assert house.retainer.held() == 0


def test_damage_of_one_tenant_keeps_nobody_elses_events(house):
    for number in (1, 2, 3):
        house.shelf.put(number, _0=NOON_US)
    house.shelf.damaged.add(2)

    with pytest.raises(Corrupt):
        house.retainer.step()

    assert [number for number, _, _ in house.shelf.dropped] == [1, 3]


def test_what_is_not_searchable_yet_is_waited_for_a_while_and_dropped_later(house):
    """However many there are: others go first, and an end is not held up."""
    for number in range(1, 51):
        house.shelf.put(number, _0=NOON_US)
    house.shelf.hidden = set(range(2, 51))

    with pytest.raises(Busy):
        house.retainer.step()
    assert house.shelf.dropped == [(1, 1_000, [0])]
    assert house.shelf.waited <= VISIBLE_LOOKS + 50

    house.shelf.hidden = set()
    house.retainer.step()
    assert len(house.shelf.dropped) == 50
    assert len(house.sealed.said) == 50


def test_it_goes_on_by_itself_and_tells_what_keeps_it(house):
    house.shelf.put(1, _0=NOON_US)
    house.shelf.put(2, _0=NOON_US)
    house.shelf.damaged.add(2)

    house.retainer.start()
    until = time.monotonic() + 30
    while house.retainer.trouble is None and time.monotonic() < until:
        time.sleep(0.01)
    house.retainer.stop()

    assert house.shelf.dropped == [(1, 1_000, [0])]
    assert isinstance(house.retainer.trouble, Corrupt)


def test_of_very_much_some_waits_for_the_next_window(house):
    class Piecemeal(Shelf):
        def expired_until(self, tenant, _now_us):
            yield from (Due(((index, index),)) for index in sorted(self.events[tenant.number]))

    house.shelf = Piecemeal()
    house.shelf.events[1] = dict.fromkeys(range(DUES_AT_ONCE + 4), NOON_US)
    house.start()

    house.retainer.step()

    assert len(house.shelf.dropped) == DUES_AT_ONCE
