"""What was counted is what is given, whatever happens between the two."""

import numpy as np
import pytest
from tests.archive.made import ALPHA, BEGIN_US, BETA, asking, event, statement

from sealog.archive.snapshots import How, Stopped
from sealog.errors import Corrupt
from sealog.event.packs import Unpacker
from sealog.query.tree import Query

SECOND = 1_000_000


def indexes(snapshot):
    return [
        piece.base + piece.pack.indexes[place]
        for piece in snapshot.pieces()
        for place in (range(len(piece.pack.indexes)) if piece.places is None else piece.places)
    ]


def named(snapshot):
    """How many, from where to where, and below what."""
    return snapshot.count, snapshot.first, snapshot.last, snapshot.end


@pytest.fixture
def mixed(home):
    """Two actions and statements, in segments of two classes, and some that wait."""
    home.add(ALPHA, *[event(n, "user.login" if n % 3 else "user.logout") for n in range(300)])
    home.add(ALPHA, statement(300), *[event(n) for n in range(301, 320)], statement(320))
    home.archive.cut()
    home.add(ALPHA, *[event(n, "user.logout") for n in range(321, 340)], statement(340))
    home.add(ALPHA, *[event(n) for n in range(341, 350)])
    home.add(BETA, event(1))
    return home


def test_it_counts_what_it_gives(mixed):
    everything = mixed.archive.snapshot(ALPHA, Query())
    logouts = mixed.archive.snapshot(ALPHA, asking(action="user.logout"))

    assert named(everything) == (350, 0, 349, 350)
    assert indexes(everything) == list(range(350))
    assert named(logouts) == (119, 0, 339, 350)
    assert indexes(logouts) == [*range(0, 300, 3), *range(321, 340)]


def test_a_range_of_time_has_its_beginning_and_not_its_end(mixed):
    found = mixed.archive.snapshot(ALPHA, asking(BEGIN_US + 290 * SECOND, BEGIN_US + 345 * SECOND))

    assert named(found) == (55, 290, 344, 350)
    assert indexes(found) == list(range(290, 345))


def test_of_nothing_there_is_nothing_to_give(mixed, home):
    for found in (
        mixed.archive.snapshot(ALPHA, asking(action="none.such")),
        mixed.archive.snapshot(ALPHA, asking(BEGIN_US + 10_000 * SECOND)),
    ):
        assert named(found) == (0, None, None, 350)
        assert indexes(found) == []


def test_what_comes_later_is_not_in_it(mixed):
    found = mixed.archive.snapshot(ALPHA, Query())

    mixed.add(ALPHA, *[event(n) for n in range(350, 400)])

    assert found.count == 350
    assert indexes(found) == list(range(350))


def test_what_is_cut_and_merged_meanwhile_is_given_all_the_same(mixed):
    """Some of what waited rests in another class by then, between the others."""
    found = mixed.archive.snapshot(ALPHA, asking(action=("user.logout", "sealog.retention")))
    begun = found.pieces()
    first = next(begun)
    mixed.archive.cut()
    mixed.add(ALPHA, *[event(n) for n in range(350, 400)])
    mixed.archive.cut()
    mixed.archive.merge()

    expected = [*range(0, 300, 3), 300, 320, *range(321, 340), 340]
    assert first.first == 0
    assert found.count == len(expected)
    assert indexes(found) == expected


def test_files_it_needs_stay_until_it_is_let_go(mixed):
    """A merge replaces them; who counted them still gives them."""
    mixed.archive._merger.stop()
    mixed.archive._merger._stopping.clear()
    for n in range(17):
        mixed.add(ALPHA, event(400 + n))
        mixed.archive.cut()
    found = mixed.archive.snapshot(ALPHA, Query())
    before = mixed.files()

    mixed.archive.merge()

    assert indexes(found) == list(range(367))
    assert mixed.archive._merger.sweep() > 0
    assert before <= mixed.files()
    del found
    assert mixed.archive._merger.sweep() == 0
    assert not before <= mixed.files()


def test_what_no_column_tells_is_chosen_once_when_it_is_counted(mixed):
    """Whatever choosing would say later: what was counted is given."""
    asked = []

    def odd(piece):
        places = range(len(piece.pack.indexes)) if piece.places is None else piece.places
        asked.append(len(places))
        return [place for place in places if (piece.base + piece.pack.indexes[place]) % 2]

    found = mixed.archive.snapshot(ALPHA, asking(action="user.logout"), How(choose=odd))
    told = sum(asked)
    expected = [n for n in [*range(0, 300, 3), *range(321, 340)] if n % 2]

    assert found.count == len(expected)
    assert indexes(found) == expected
    assert sum(asked) == told == 119


def test_choosing_may_open_the_pack(mixed):
    unpacker = Unpacker()

    def of_the_first_minute(piece):
        parts = unpacker.parts(piece.pack, 0)
        places = range(len(parts)) if piece.places is None else piece.places
        return [place for place in places if b'"@timestamp":"2023-11-14T22:13:' in parts[place]]

    found = mixed.archive.snapshot(ALPHA, Query(), How(choose=of_the_first_minute))

    assert indexes(found) == list(range(40))


def test_none_chosen_is_nothing(mixed):
    found = mixed.archive.snapshot(ALPHA, Query(), How(choose=lambda _: []))

    assert named(found) == (0, None, None, 350)
    assert indexes(found) == []


@pytest.mark.parametrize("after", range(4))
def test_counting_ends_when_it_is_told_to(mixed, after):
    """Between segments, and between the packs that are looked into."""
    left = iter(range(after))

    with pytest.raises(Stopped):
        mixed.archive.snapshot(
            ALPHA, Query(), How(choose=lambda _: [0], stop=lambda: next(left, None) is None)
        )


def test_rows_are_noted_a_bit_each(mixed):
    """A million rows are 125 kB, not 8 MB."""
    found = mixed.archive.snapshot(ALPHA, asking(action="user.logout"))

    (bits,) = found._bits.values()
    assert bits.dtype == np.uint8
    assert bits.nbytes == (318 + 7) // 8


def test_a_damaged_segment_is_told_before_anything_is_counted_wrong(mixed):
    (segment, _) = mixed.archive.segments(ALPHA)
    mixed.restart()
    (segment, _) = mixed.archive.segments(ALPHA)
    segment.columns_path.write_bytes(b"\0" * segment.columns_bytes)

    with pytest.raises(Corrupt, match=segment.columns_path.name):
        mixed.archive.snapshot(ALPHA, asking(action="user.logout"))
