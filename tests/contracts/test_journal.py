"""What intake relies on, held by every journal."""

import pytest
from tests.contracts.journals import MemoryJournal
from tests.journal.made import NOW_US, batch, joined, tenant

from sealog.event.batch import Outcome
from sealog.journal.journal import Journal
from sealog.storage.store import Store

ACME, GLOBEX = tenant(1), tenant(2)


@pytest.fixture(params=["state.db", "memory"])
def append(request, tmp_path):
    if request.param == "memory":
        journal = MemoryJournal()
        yield lambda *batches: journal.append(list(batches)).result()
        return
    store = Store(tmp_path / "state.db")
    journal = Journal(store, lambda: NOW_US)
    yield lambda *batches: journal.append(list(batches)).result()
    store.close()


def test_every_batch_has_its_outcome_in_order(append):
    assert append(batch(ACME, "a", "b"), batch(GLOBEX, "a"), batch(ACME, "c")) == [
        Outcome([0, 1]),
        Outcome([0]),
        Outcome([2]),
    ]


def test_indexes_go_on_without_a_gap(append):
    append(batch(ACME, "a"))
    append(batch(ACME, "a"))

    assert append(batch(ACME, "b")) == [Outcome([1])]


def test_a_repeat_has_the_first_ones_index(append):
    append(batch(ACME, "a", "b"))

    assert append(batch(ACME, "b")) == [Outcome([1], repeated=frozenset({0}))]


def test_what_differs_is_a_conflict(append):
    append(batch(ACME, "a"))

    assert append(batch(ACME, "a", content=b"[]")) == [Outcome([0], conflicts=frozenset({0}))]


def test_another_time_is_a_conflict_at_an_unknown_index(append):
    append(batch(ACME, "a"))

    later = batch(ACME, "a", at_us=NOW_US + 2_000_000, content=b"[]")
    assert append(later) == [Outcome([-1], conflicts=frozenset({0}))]


def test_one_request_is_judged_from_first_to_last(append):
    sent = joined(batch(ACME, "a"), batch(ACME, "a", content=b"[]"), batch(ACME, "a"))

    assert append(sent) == [Outcome([0, 0, 0], repeated=frozenset({2}), conflicts=frozenset({1}))]


def test_nothing_gives_nothing(append):
    assert append() == []
