"""Holes: explained by a statement or by what has expired, and told of otherwise."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from sealog.archive import holes
from sealog.archive.holes import Explained, Holes
from sealog.archive.waiting import Trail
from sealog.errors import Altered, Corrupt, Gone
from sealog.storage.store import Store, driver

NOTHING = Trail(visible=100)


@pytest.fixture
def store(tmp_path: Path):
    it = Store(tmp_path / "state.db")
    yield it
    it.close()


def _note(store: Store, statement: int, ranges: Sequence[tuple[int, int]], tenant: int = 1) -> None:
    store.write(lambda c: holes.note(driver(c), tenant, statement, ranges)).result()


def test_ranges_are_packed_as_lengths_and_gaps():
    ranges = [(5, 7), (10, 10), (12, 20)]

    packed = holes.pack(ranges)

    assert packed == b"\x96\x05\x03\x02\x01\x01\x09"
    assert holes.unpack(packed).tolist() == [[5, 7], [10, 10], [12, 20]]


@pytest.mark.parametrize("packed", [b"", b"\x90", b"\x93\x01\x02\x03", b"\x92\x01\xff", b"\xa1x"])
def test_what_does_not_read_as_ranges_is_altered(packed: bytes):
    with pytest.raises(Altered):
        holes.unpack(packed)


def test_each_index_leads_to_its_statement(store: Store):
    _note(store, 30, [(0, 3), (9, 9)])
    _note(store, 40, [(4, 5), (31, 35)])
    _note(store, 40, [(4, 5), (31, 35)])
    _note(store, 50, [(6, 6)], tenant=2)
    known = Holes(store)

    assert [known.statement_of(1, n) for n in (0, 3, 4, 6, 9, 35, 36)] == [
        *[30, 30, 40, None, 30, 40, None]
    ]
    assert known.explained(1, 2, 32) == [Explained(30, 0, 9, 5), Explained(40, 4, 35, 7)]
    assert known.explained(1, 6, 9) == []


def test_a_hole_is_checked_to_the_last_index(store: Store):
    _note(store, 30, [(0, 3), (9, 9)])
    known = Holes(store)

    known.check(1, NOTHING, 0, [4, 5, 6, 7, 8], 10)
    known.check(1, NOTHING, 2, [4, 5], 6)
    known.check(1, NOTHING, 7, [], 7)
    with pytest.raises(Corrupt, match="index 6 is in no segment"):
        known.check(1, NOTHING, 0, [4, 5, 7, 8], 10)
    assert known.count(1, 0, 100) == 5


def test_many_indexes_are_looked_at_in_pieces(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(holes, "AT_ONCE", 7)
    _note(store, 100, [(0, 49), (52, 98)])
    known = Holes(store)

    known.check(1, NOTHING, 0, [50, 51, 99], 100)
    with pytest.raises(Corrupt, match="index 51 "):
        known.check(1, NOTHING, 0, [50, 99], 100)
    assert known.count(1, 10, 60) == 48


def test_what_has_gone_says_where_to_read_why(store: Store):
    _note(store, 30, [(0, 3)])

    with pytest.raises(Gone, match="see the statement at index 30"):
        Holes(store).refuse_gone(1, NOTHING, 2)
    Holes(store).refuse_gone(1, NOTHING, 4)
