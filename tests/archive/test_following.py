"""Following with a filter: piece by piece, nothing left out, nothing twice."""

from pathlib import Path

import numpy as np
import pytest
from tests.archive.made import ALPHA, asking, batch, event, statement

from sealog.archive import reading
from sealog.archive.columnwise import Columns
from sealog.archive.cutting import Cutter
from sealog.archive.following import Wanted, follow
from sealog.archive.segments import Segment, write
from sealog.archive.waiting import Chunk, Trail, chunks_of
from sealog.errors import Altered
from sealog.event.packs import Opened, Unpacker
from sealog.journal.blocks import Block, body_of
from sealog.query.tree import Query

BYTES_MAX = 1 << 30
EVENTS = [
    statement(n) if n % 10 == 3 else event(n, event_id=f"e-{n}", rest={"n": n}) for n in range(400)
]


def _chunks(first: int, events: list[Opened]) -> list[Chunk]:
    one = batch(ALPHA, events)
    block = Block(1, 1, first, len(events), 0, body_of(one.entries, one.packs), b"")
    return chunks_of(block, 0, Unpacker())


def _segments(folder: Path, chunks: list[Chunk]) -> list[Segment]:
    return [
        write(
            folder / kept,
            tenant=1,
            kept=kept,
            columns=Columns.joined(content.columns),
            packs=content.packs,
        )
        for kept, content in Cutter().arrange(chunks)
    ]


@pytest.fixture
def trail(tmp_path: Path) -> Trail:
    """Indexes 0–149 and 150–299 in segments of two classes, 300–399 waiting."""
    segments = [
        *_segments(tmp_path, _chunks(0, EVENTS[:150])),
        *_segments(tmp_path, _chunks(150, EVENTS[150:300])),
    ]
    return Trail(tuple(segments), tuple(_chunks(300, EVENTS[300:])), 300, 400)


def every(step: int, *, limit: int = 1_000, bytes_max: int = BYTES_MAX) -> Wanted:
    """Every event whose index is a multiple of `step`."""

    def matching(one: Segment | Chunk) -> reading.Indexes:
        if isinstance(one, Chunk):
            kept = list(one.columns.index)
        else:
            is_stated = one.kept == "statements"
            kept = [
                n
                for n in range(one.first, one.last + 1)
                if (EVENTS[n].kind == b"\x02") == is_stated
            ]
        return np.array([n for n in kept if n % step == 0], np.int64)

    return Wanted(matching, limit, bytes_max)


def in_pieces(trail: Trail, first: int, wanted: Wanted, out_of_time=lambda: False):
    """All there is from `first` on, and how many calls it took."""
    found: list[tuple[int, Opened]] = []
    calls = 0
    while first < trail.visible:
        calls += 1
        piece = follow(trail, first, wanted, out_of_time)
        assert piece.next > first
        found += piece.events
        first = piece.next
    return found, calls


@pytest.mark.parametrize("limit", [1, 2, 7, 64, 1_000])
@pytest.mark.parametrize("step", [1, 3, 13, 399])
@pytest.mark.parametrize("first", [0, 100, 151, 299, 300, 390])
def test_pieces_together_are_all_that_passes_in_order(trail: Trail, first, step, limit):
    found, _ = in_pieces(trail, first, every(step, limit=limit))

    wanted = [n for n in range(first, 400) if n % step == 0]
    assert [index for index, _ in found] == wanted
    assert [event for _, event in found] == [EVENTS[n] for n in wanted]


def test_a_piece_says_how_far_it_looked_though_it_found_nothing(trail: Trail):
    piece = follow(trail, 1, every(1_000))

    assert piece.events == []
    assert piece.next == 400


def test_a_piece_ends_at_its_limit(trail: Trail):
    piece = follow(trail, 0, every(2, limit=5))

    assert [index for index, _ in piece.events] == [0, 2, 4, 6, 8]
    assert piece.next == 9


def test_a_piece_ends_at_its_bytes_but_never_before_its_first_event(trail: Trail):
    piece = follow(trail, 290, every(1, bytes_max=0))

    assert [index for index, _ in piece.events] == [290]
    assert piece.next == 291


def test_time_that_is_up_at_once_still_leads_on_and_skips_nothing(trail: Trail):
    found, calls = in_pieces(trail, 0, every(7), lambda: True)

    assert [index for index, _ in found] == list(range(0, 400, 7))
    assert calls > 1


def test_nothing_new_leads_nowhere(trail: Trail):
    piece = follow(trail, 400, every(1))

    assert (piece.events, piece.next) == ([], 400)


def test_an_event_that_is_damaged_is_not_passed_over(trail: Trail):
    path = trail.segments[0].parts_path
    content = bytearray(path.read_bytes())
    for at in range(len(content) // 3, len(content) // 2):
        content[at] ^= 0xFF
    path.write_bytes(content)

    with pytest.raises(Altered):
        in_pieces(trail, 0, every(1))


def test_the_archive_follows_a_query_or_everything(home):
    for number in range(6):
        home.add(ALPHA, event(number, actor="ada" if number % 2 else "bob"))

    some = home.archive.follow(ALPHA, asking(actor="ada"), 2, 100)
    rest = home.archive.follow(ALPHA, Query(), 2, 3)
    none = home.archive.follow(ALPHA, Query(), 6, 3)

    assert [index for index, _ in some.events] == [3, 5]
    assert some.next == 6
    assert [index for index, _ in rest.events] == [2, 3, 4]
    assert rest.next == 5
    assert (none.events, none.next) == ([], 6)
