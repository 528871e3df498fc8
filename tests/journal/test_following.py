import sqlite3

import pytest
from tests.journal.made import NOW_US, batch, tenant

from sealog.errors import Altered, Busy
from sealog.journal.following import RETRY_MAX_S, RETRY_S, Following
from sealog.journal.journal import Journal

ACME, GLOBEX, INITECH = tenant(1), tenant(2), tenant(3)


@pytest.fixture
def journal(store):
    return Journal(store, lambda: NOW_US)


class Taker:
    """Keeps how many events of each tenant it has; what `stop` holds is raised instead."""

    def __init__(self, journal):
        self.has = {}
        self.stop = {}
        self.now_s = 0.0
        self.tries = 0
        self.following = Following(
            journal, self.take, lambda number: self.has.get(number, 0), lambda: self.now_s
        )

    def take(self, waiting):
        self.tries += 1
        for number, blocks in waiting.items():
            if number in self.stop:
                raise self.stop[number]
            for block in blocks:
                assert block.first <= self.has.get(number, 0)
                self.has[number] = max(self.has.get(number, 0), block.end)

    def follow(self):
        while self.following.round(2):
            pass


@pytest.fixture
def taker(journal):
    return Taker(journal)


def append(journal, of, *names):
    journal.append([batch(of, *names)]).result()


def test_every_tenants_blocks_are_taken_in_order(journal, taker):
    append(journal, ACME, "a", "b")
    append(journal, GLOBEX, "a")
    append(journal, ACME, "c")

    taker.follow()

    assert taker.has == {1: 3, 2: 1}
    assert taker.following.after == journal.newest()
    assert taker.following.trouble() is None


def test_one_tenants_trouble_holds_up_no_other(journal, taker):
    taker.stop = {1: Altered("not what was written")}
    append(journal, ACME, "a")
    append(journal, GLOBEX, "a")
    taker.follow()
    append(journal, ACME, "b")
    append(journal, INITECH, "a")
    taker.follow()

    assert taker.has == {2: 1, 3: 1}
    assert isinstance(taker.following.trouble(), Altered)


def test_a_damaged_block_is_its_tenants_trouble_alone(journal, taker, path):
    append(journal, ACME, "a")
    append(journal, GLOBEX, "a")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE blocks SET accepted_us = 1 WHERE tenant = 1")
    connection.close()

    taker.follow()

    assert taker.has == {2: 1}
    assert "journal block 1" in str(taker.following.trouble())


def test_what_is_set_aside_goes_on_from_where_it_stands_once_it_is_well(journal, taker):
    append(journal, ACME, "a")
    taker.follow()
    taker.stop = {1: Altered("not what was written")}
    append(journal, ACME, "b", "c")
    taker.follow()
    append(journal, ACME, "d")
    taker.follow()
    taker.stop = {}

    taker.follow()
    before = dict(taker.has)
    taker.now_s += RETRY_S
    taker.follow()
    append(journal, ACME, "e")
    taker.follow()

    assert before == {1: 1}
    assert taker.has == {1: 5}
    assert taker.following.trouble() is None


def test_it_is_tried_again_less_and_less_often(journal, taker):
    taker.stop = {1: Altered("not what was written")}
    append(journal, ACME, "a")
    taker.follow()
    taker.tries = 0

    for _ in range(1_000):
        taker.now_s += RETRY_S
        taker.follow()

    # After 1, 2, 4, 8, 16, 32 seconds, then every 60.
    assert taker.tries == 6 + (1_000 - 63) // int(RETRY_MAX_S)


def test_what_stands_in_the_way_of_all_is_raised_and_the_round_tried_again(journal, taker):
    append(journal, ACME, "a")
    taker.stop = {1: Busy("the disk is full")}

    with pytest.raises(Busy):
        taker.follow()
    taker.stop = {}
    taker.follow()

    assert taker.has == {1: 1}


def test_an_unforeseen_fault_is_one_tenants_as_well(journal, taker):
    append(journal, ACME, "a")
    append(journal, GLOBEX, "a")
    taker.stop = {1: KeyError("who would have thought")}

    taker.follow()

    assert taker.has == {2: 1}
    assert isinstance(taker.following.trouble(), KeyError)


def test_what_is_set_aside_holds_no_blocks_in_memory(journal, taker):
    append(journal, ACME, "a")
    append(journal, GLOBEX, "a")
    taker.stop[1] = Altered("block 1 is not what was written")

    taker.follow()

    trouble = taker.following.trouble()
    assert trouble is taker.stop[1]
    assert (trouble.__traceback__, trouble.__context__, trouble.__cause__) == (None, None, None)


def test_whoever_follows_may_set_a_tenant_aside(journal, taker):
    append(journal, ACME, "a")
    taker.follow()
    taker.following.set_aside(1, Altered("the file is not what was written"))
    append(journal, ACME, "b")
    append(journal, GLOBEX, "a")

    taker.follow()
    before = dict(taker.has)
    taker.now_s += RETRY_S
    taker.follow()

    assert before == {1: 1, 2: 1}
    assert taker.has == {1: 2, 2: 1}
    assert taker.following.trouble() is None
