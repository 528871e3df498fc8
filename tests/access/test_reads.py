"""Counts of reading: nothing is lost but what was counted since they were last kept."""

import msgspec
import pytest

from sealog.access.grants import Grant
from sealog.access.reads import HOUR_US, ORIGINS_MAX, Counts, Kind, Origin, Reads
from sealog.errors import Busy
from sealog.event.tenants import Tenant
from sealog.storage.store import Store, driver

HOUR = 472_222
KEY = Grant("key_1", frozenset({"read"}), None)
ACME = Tenant(1, "acme", "a" * 32, bytes(32))
GLOBEX = Tenant(2, "globex", "b" * 32, bytes(32))
HOME, OFFICE = Origin("192.0.2.1", "192.0.2.1"), Origin("2001:db8::1", "10.0.0.1")


class Hours:
    """A clock that says what it is told."""

    def __init__(self):
        self.us = HOUR * HOUR_US + 5

    def __call__(self):
        return self.us

    def next(self):
        self.us += HOUR_US


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


@pytest.fixture
def store(path):
    store = Store(path)
    yield store
    store.close()


@pytest.fixture
def clock():
    return Hours()


@pytest.fixture
def reads(store, clock):
    return Reads(store, clock)


def shown(told):
    """Hour, key, tenant, (kind: how often), events, first, last."""
    return [
        (
            one.hour,
            one.key,
            one.tenant,
            {kind.name: one.counts.kinds[kind] for kind in Kind if one.counts.kinds[kind]},
            one.counts.events,
            (one.counts.first, one.counts.last),
        )
        for one in told
    ]


def test_an_hour_of_a_key_and_a_tenant_is_one(reads, clock):
    reads.note(KEY, ACME, Kind.SEARCHES, indexes=[7, 3, 5])
    reads.note(KEY, ACME, Kind.FEEDS, indexes=[9])
    reads.note(KEY, ACME, Kind.FEEDS)
    reads.note(KEY, GLOBEX, Kind.EXPORTS, indexes=(0, 99), events=80)
    reads.note(Grant("key_2", frozenset(), None), ACME, Kind.SINGLE)

    reads.keep()
    assert reads.over() == []
    clock.next()
    reads.note(KEY, ACME, Kind.TAILS)
    reads.keep()

    assert shown(reads.over()) == [
        (HOUR, "key_1", 1, {"SEARCHES": 1, "FEEDS": 2, "TAILS": 1}, 4, (3, 9)),
        (HOUR, "key_1", 2, {"EXPORTS": 1}, 80, (0, 99)),
        (HOUR, "key_2", 1, {"SINGLE": 1}, 0, (-1, -1)),
    ]


def test_what_was_told_is_gone_and_the_next_hour_is_another(reads, clock):
    reads.note(KEY, ACME, Kind.FEEDS)
    clock.next()
    reads.keep()
    reads.note(KEY, ACME, Kind.PROOFS)
    reads.forget(reads.over())
    assert reads.over() == []

    clock.next()
    reads.keep()

    assert shown(reads.over()) == [(HOUR + 1, "key_1", 1, {"PROOFS": 1}, 0, (-1, -1))]


def test_a_restart_within_the_hour_goes_on_counting(path, clock):
    store = Store(path)
    reads = Reads(store, clock)
    reads.note(KEY, ACME, Kind.FEEDS, indexes=[1], origin=OFFICE)
    reads.keep()
    store.close()

    store = Store(path)
    reads = Reads(store, clock)
    reads.note(KEY, ACME, Kind.FEEDS, indexes=[2], origin=HOME)
    clock.next()
    reads.keep()

    assert shown(reads.over()) == [(HOUR, "key_1", 1, {"FEEDS": 2}, 2, (1, 2))]
    assert reads.over()[0].counts.origins == [OFFICE, HOME]
    store.close()


def test_an_hour_that_ended_while_nothing_ran_is_told_at_the_next_start(path, clock):
    store = Store(path)
    reads = Reads(store, clock)
    reads.note(KEY, ACME, Kind.FEEDS)
    reads.keep()
    store.close()

    clock.next()
    store = Store(path)

    assert shown(Reads(store, clock).over()) == [(HOUR, "key_1", 1, {"FEEDS": 1}, 0, (-1, -1))]
    store.close()


def test_a_crash_loses_what_was_counted_since_and_no_more(path, clock):
    store = Store(path)
    reads = Reads(store, clock)
    reads.note(KEY, ACME, Kind.FEEDS)
    reads.keep()
    reads.note(KEY, ACME, Kind.FEEDS)
    store.close()

    clock.next()
    store = Store(path)

    assert Reads(store, clock).over()[0].counts.kinds[Kind.FEEDS] == 1
    store.close()


def test_what_was_counted_after_it_was_last_kept_is_kept_when_the_hour_turns(path, clock):
    """Else a crash before it is told would lose it."""
    store = Store(path)
    reads = Reads(store, clock)
    reads.note(KEY, ACME, Kind.FEEDS)
    clock.next()
    reads.keep()
    store.close()

    store = Store(path)

    assert shown(Reads(store, clock).over()) == [(HOUR, "key_1", 1, {"FEEDS": 1}, 0, (-1, -1))]
    store.close()


def test_a_clock_that_is_set_back_tells_no_hour_twice(path, clock):
    store = Store(path)
    reads = Reads(store, clock)
    reads.note(KEY, ACME, Kind.FEEDS)
    reads.keep()
    store.close()

    clock.us -= HOUR_US
    store = Store(path)
    reads = Reads(store, clock)
    reads.note(KEY, ACME, Kind.FEEDS)
    reads.keep()
    assert reads.over() == []
    clock.us += 2 * HOUR_US
    reads.keep()

    assert shown(reads.over()) == [(HOUR, "key_1", 1, {"FEEDS": 2}, 0, (-1, -1))]
    store.close()


def test_an_hour_that_comes_again_after_it_was_told_is_another_counting(path, clock):
    """The clock ran ahead and was set right over a restart: the events need two ids."""
    begun = []
    for _ in range(2):
        clock.us = HOUR * HOUR_US + 5 + len(begun)
        store = Store(path)
        reads = Reads(store, clock)
        reads.note(KEY, ACME, Kind.FEEDS)
        clock.next()
        reads.keep()
        begun += [(one.hour, one.counts.since_us) for one in reads.over()]
        reads.forget(reads.over())
        store.close()

    assert begun == [(HOUR, HOUR * HOUR_US + 5), (HOUR, HOUR * HOUR_US + 6)]


def test_a_counting_keeps_its_beginning_over_a_restart(path, clock):
    """So that what was told before a crash is known when it is told again."""
    store = Store(path)
    reads = Reads(store, clock)
    reads.note(KEY, ACME, Kind.FEEDS)
    began_us = clock.us
    clock.us += 7
    reads.note(KEY, ACME, Kind.FEEDS)
    clock.next()
    reads.keep()
    store.close()

    store = Store(path)

    assert [one.counts.since_us for one in Reads(store, clock).over()] == [began_us]
    store.close()


def test_what_is_told_is_what_is_kept_even_where_the_disk_did_not_take_it_at_first(
    store, clock, monkeypatch
):
    """Else it would be told with other counts after a crash."""
    reads = Reads(store, clock)
    reads.note(KEY, ACME, Kind.FEEDS)
    clock.next()
    write, written = store.write, []

    def fills_up(work):
        written.append(work)
        if len(written) > 1:
            raise Busy("the disk is full")
        # While the hour turns.
        reads.note(KEY, ACME, Kind.FEEDS)
        return write(work)

    with monkeypatch.context() as patched:
        patched.setattr(store, "write", fills_up)
        with pytest.raises(Busy):
            reads.keep()
    reads.keep()

    once = [(HOUR, "key_1", 1, {"FEEDS": 2}, 0, (-1, -1))]
    assert shown(Reads(store, clock).over()) == shown(reads.over()) == once


def test_what_the_disk_did_not_take_is_kept_another_time(store, clock, monkeypatch):
    reads = Reads(store, clock)
    reads.note(KEY, ACME, Kind.FEEDS)

    def fails(_work):
        raise Busy("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(store, "write", fails)
        with pytest.raises(Busy):
            reads.keep()
    reads.keep()

    again = Reads(store, clock)
    clock.next()
    again.keep()
    assert again.over()[0].counts.kinds[Kind.FEEDS] == 1


def test_nothing_is_written_where_nothing_was_read(store, clock, monkeypatch):
    reads = Reads(store, clock)
    monkeypatch.setattr(store, "write", None)

    reads.keep()
    clock.next()
    reads.keep()


def test_whoever_has_the_folder_itself_is_not_counted(reads, clock):
    reads.note(Grant("key_x", frozenset(), None, is_lent=True), ACME, Kind.FEEDS)
    clock.next()
    reads.keep()

    assert reads.over() == []


def test_addresses_are_few_and_the_newest_is_last(reads, clock):
    many = [Origin(f"192.0.2.{n}", "10.0.0.1") for n in range(40)]
    for origin in [*many, many[39]]:
        reads.note(KEY, ACME, Kind.FEEDS, origin=origin)
    clock.next()
    reads.keep()

    found = reads.over()[0].counts.origins
    assert len(found) == ORIGINS_MAX
    assert found == [*many[:15], many[39]]


def test_counts_of_an_older_program_are_read():
    """Kinds are added at the end: what was kept before them has fewer."""
    kept = msgspec.msgpack.encode([[1, 2], 3, 4, 5, [["192.0.2.1", None]], False])

    counts = msgspec.msgpack.decode(kept, type=Counts)

    assert counts.kinds == [1, 2]
    assert counts.origins == [Origin("192.0.2.1", None)]
    assert counts.since_us == 0


def test_a_kind_that_an_older_program_did_not_know_is_counted_on(path, clock):
    """An hour that was begun before an upgrade goes on after it."""
    store = Store(path)
    kept = msgspec.msgpack.encode([[1, 2], 3, 4, 5, [], False])
    row = (HOUR, "key_1", ACME.number, kept)
    store.write(
        lambda it: driver(it).execute("INSERT INTO reads VALUES (?, ?, ?, ?)", row).rowcount
    ).result()

    reads = Reads(store, clock)
    reads.note(KEY, ACME, Kind.COMPAT, indexes=(7, 9), events=3)
    clock.next()
    reads.keep()

    (told,) = reads.over()
    assert told.counts.kinds == [1, 2, 0, 0, 0, 0, 0, 1]
    assert (told.counts.events, told.counts.first, told.counts.last) == (6, 4, 9)
    store.close()
