import numpy as np
import pytest
from tests.archive.made import ALPHA, BETA, event, statement

from sealog.archive import packwise
from sealog.errors import Corrupt
from sealog.event import joining
from sealog.event.packs import Unpacker


def acquired(home, tenant=ALPHA):
    return lambda: home.archive._waiting.of(tenant.number)


def indexes(pieces):
    """Of every piece the indexes it names."""
    found = []
    for piece in pieces:
        places = range(len(piece.pack.indexes)) if piece.places is None else piece.places
        found.append([piece.base + piece.pack.indexes[place] for place in places])
        assert (piece.first, piece.last, piece.count) == (found[-1][0], found[-1][-1], len(places))
    return found


def flat(pieces):
    return [index for piece in indexes(pieces) for index in piece]


@pytest.fixture
def mixed(home):
    """Events and statements, some in two segments of two classes, some waiting."""
    home.add(ALPHA, *[event(n) for n in range(200)])
    home.add(ALPHA, statement(200), event(201), statement(202))
    home.add(ALPHA, *[event(n) for n in range(203, 300)])
    home.archive.cut()
    home.add(ALPHA, *[event(n) for n in range(300, 320)], statement(320), event(321))
    home.add(BETA, event(1))
    return home


def test_every_index_comes_once_and_in_order_whatever_class_it_rests_in(mixed):
    assert flat(packwise.pieces(acquired(mixed), 322)) == list(range(322))


def test_it_ends_where_it_is_told_to(mixed):
    """Within a pack that rests, and within one that waits."""
    for end in (0, 1, 128, 200, 201, 202, 290, 300, 310, 322):
        assert flat(packwise.pieces(acquired(mixed), end)) == list(range(end))


def test_it_begins_where_it_is_told_to(mixed):
    for first in (0, 1, 127, 200, 201, 290, 300, 310, 321, 322):
        walk = packwise.pieces(acquired(mixed), 322, first=first)

        assert flat(walk) == list(range(first, 322))


def test_whole_packs_are_given_whole(mixed):
    (first, *_) = packwise.pieces(acquired(mixed), 322)

    assert first.places is None
    assert first.count == 128


def test_only_what_passes_comes(mixed):
    wanted = np.array([0, 127, 128, 199, 200, 202, 203, 299, 300, 320, 321])

    def passing(source, _live):
        first = source.first
        last = source.last if hasattr(source, "kept") else source.end - 1
        held = wanted[(wanted >= first) & (wanted <= last)]
        if not hasattr(source, "kept"):
            return held
        ours = np.isin(held, [200, 202])
        return held[ours if source.kept == "statements" else ~ours]

    assert flat(packwise.pieces(acquired(mixed), 322, passing)) == wanted.tolist()
    assert flat(packwise.pieces(acquired(mixed), 203, passing)) == [0, 127, 128, 199, 200, 202]


def test_nothing_passes_and_nothing_comes(mixed):
    assert flat(packwise.pieces(acquired(mixed), 322, lambda *_: np.empty(0, np.int64))) == []


def test_what_is_cut_on_the_way_is_neither_left_out_nor_doubled(mixed):
    walk = packwise.pieces(acquired(mixed), 322)

    begun = indexes([next(walk)])
    mixed.archive.cut()
    rest = indexes(walk)

    assert [index for piece in begun + rest for index in piece] == list(range(322))


def test_what_comes_on_the_way_is_another_walks(mixed):
    walk = packwise.pieces(acquired(mixed), 322)
    next(walk)
    mixed.add(ALPHA, event(1_000))

    assert flat(walk)[-1] == 321


def test_a_hole_is_never_hidden(mixed):
    first = mixed.archive.segments(ALPHA)[0]
    trail = mixed.archive._waiting._trails[ALPHA.number]
    left = tuple(one for one in trail.segments if one is not first)
    mixed.archive._waiting._trails[ALPHA.number] = type(trail)(
        left, trail.chunks, trail.archived, trail.visible
    )

    with pytest.raises(Corrupt, match="are nowhere"):
        flat(packwise.pieces(acquired(mixed), 322))


def test_beyond_what_is_visible_nothing_is_made_up(mixed):
    with pytest.raises(Corrupt, match="index 322 is in no segment"):
        flat(packwise.pieces(acquired(mixed), 323))


def test_columns_that_name_what_a_pack_does_not_hold_are_told_on(mixed):
    """Index 200 is a statement: no pack of the other class holds it."""

    def passing(source, _live):
        return np.array([200]) if getattr(source, "kept", "") == "default" else np.empty(0, int)

    with pytest.raises(Corrupt, match="does not hold the event that the columns name"):
        flat(packwise.pieces(acquired(mixed), 322, passing))


def test_pieces_open_to_the_events_they_name(mixed):
    unpacker = Unpacker()

    lines = b"".join(
        joining.lines(piece.pack, piece.base, unpacker, piece.places)
        for piece in packwise.pieces(acquired(mixed), 322)
    ).splitlines()

    singly = [joining.shown(mixed.archive.get(ALPHA, index), index) for index in range(322)]
    assert lines == singly


def test_batches_hold_about_so_many_events(mixed):
    batches = list(packwise.batches(packwise.pieces(acquired(mixed), 322), 150))

    counts = [sum(piece.count for piece in batch) for batch in batches]
    assert sum(counts) == 322
    assert max(counts) <= 150
    assert flat([piece for batch in batches for piece in batch]) == list(range(322))


def test_nothing_at_all_is_no_batch():
    assert list(packwise.batches([], 10)) == []
