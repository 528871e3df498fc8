import numpy as np
import pytest

from sealog.journal import memory as remembering
from sealog.journal.memory import Memory, hashes_of
from sealog.storage.store import driver


def within(store, work):
    return store.write(lambda connection: work(driver(connection))).result()


def key(nth, second=0):
    return second.to_bytes(5, "big") + bytes(3) + nth.to_bytes(8, "little")


def kept(store, memory, seq, *numbers):
    """One commit's ids noted, durable and settled."""
    hashes = hashes_of([key(number) for number in numbers])
    within(store, lambda c: memory.note(c, seq, hashes))
    memory.settle(seq, hashes)


def known(memory, numbers):
    return [n for n in numbers if not memory.all_new(hashes_of([key(n)]))]


def rows(store):
    with store.reading() as connection:
        found = driver(connection).execute("SELECT seq, hashes FROM recent_ids ORDER BY seq")
        return [(seq, np.frombuffer(hashes, np.uint64).tolist()) for seq, hashes in found]


def loaded(store, **more):
    memory = Memory(**more)
    with store.reading() as connection:
        memory.load(driver(connection))
    return memory


def test_the_hash_of_an_id_leaves_its_time_out():
    assert hashes_of([key(7, second=1)]).tolist() == hashes_of([key(7, second=2)]).tolist() == [7]


def test_an_empty_memory_knows_nothing():
    memory = Memory()

    assert memory.all_new(hashes_of([key(1), key(2)]))
    assert memory.recent(hashes_of([key(1), key(2)])) == [False, False]


def test_ids_that_stand_twice_are_not_all_new():
    assert not Memory().all_new(hashes_of([key(1), key(1)]))


def test_what_was_settled_is_known_also_after_a_restart(store):
    memory = Memory()
    kept(store, memory, 1, 1, 2)
    kept(store, memory, 2, 3)

    for each in (memory, loaded(store)):
        assert known(each, range(6)) == [1, 2, 3]
        assert each.recent(hashes_of([key(3), key(9), key(1)])) == [True, False, True]


def test_what_was_noted_but_not_committed_is_not_known(store):
    memory = Memory()

    def fails(connection):
        memory.note(connection, 1, hashes_of([key(1)]))
        raise LookupError

    with pytest.raises(LookupError):
        within(store, fails)

    assert known(memory, [1]) == []
    assert rows(store) == []


def test_the_newest_are_known_and_the_oldest_row_goes_when_they_do_without(store):
    memory = Memory(recent_max=5)
    for seq in range(1, 6):
        kept(store, memory, seq, 2 * seq, 2 * seq + 1)

    assert rows(store) == [(3, [6, 7]), (4, [8, 9]), (5, [10, 11])]
    assert set(known(loaded(store, recent_max=5), range(20))) >= set(range(7, 12))


def test_many_ids_rest_in_sorted_runs_and_are_found_in_each(store, monkeypatch):
    monkeypatch.setattr(remembering, "RUN_MAX", 10)
    memory = Memory(recent_max=30)
    for seq in range(1, 21):
        kept(store, memory, seq, *range(5 * seq, 5 * seq + 5))

    newest = list(range(105 - 30, 105))
    assert known(memory, newest) == newest
    assert known(memory, range(200, 260)) == []
    assert memory.recent(hashes_of([key(n) for n in (104, 3, 76, 999)])) == [
        True,
        False,
        True,
        False,
    ]
    assert set(known(loaded(store, recent_max=30), newest)) == set(newest)


def test_an_id_above_all_of_a_run_is_not_taken_for_its_first(store, monkeypatch):
    monkeypatch.setattr(remembering, "RUN_MAX", 2)
    memory = Memory()
    kept(store, memory, 1, 5, 6)

    assert memory.all_new(hashes_of([key(7)]))
    assert memory.all_new(hashes_of([key(0)]))


def test_small_rows_are_put_together(store, monkeypatch):
    """A million commits of one event would be a million rows to read back at start."""
    monkeypatch.setattr(remembering, "SMALL_ROWS_MAX", 4)
    monkeypatch.setattr(remembering, "SMALL_ROW", 6)
    memory = Memory()
    for seq in range(1, 13):
        kept(store, memory, seq, seq)

    assert rows(store) == [(7, [1, 2, 3, 4, 5, 6, 7]), (11, [8, 9, 10, 11]), (12, [12])]
    assert known(loaded(store), range(1, 14)) == list(range(1, 13))


def test_a_memory_read_back_goes_on_as_before(store, monkeypatch):
    monkeypatch.setattr(remembering, "SMALL_ROWS_MAX", 4)
    monkeypatch.setattr(remembering, "SMALL_ROW", 6)
    for seq in range(1, 40):
        memory = loaded(store, recent_max=12)
        kept(store, memory, seq, seq)
        known_now = known(memory, range(1, seq + 1))
        assert set(known_now) >= set(range(max(1, seq - 11), seq + 1))
        assert len(rows(store)) <= 7


def test_rows_never_hold_an_id_twice_or_lose_one(store, monkeypatch):
    monkeypatch.setattr(remembering, "SMALL_ROWS_MAX", 4)
    monkeypatch.setattr(remembering, "SMALL_ROW", 6)
    memory = Memory(recent_max=20)
    number = 0
    for seq, count in enumerate([1, 1, 7, 1, 1, 1, 1, 2, 3, 9, 1, 1, 1, 1, 1, 1, 6, 5, 1] * 2, 1):
        kept(store, memory, seq, *range(number, number + count))
        number += count
        held = [n for _, hashes in rows(store) for n in hashes]
        assert held == list(range(number - len(held), number))
        assert len(held) >= min(20, number)
