"""A search finds what passes, newest first, and reads no more than it must."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.archive.made import ALPHA, BEGIN_US, asking, batch, event

from sealog.archive import conditions, sources
from sealog.archive.columns import row_of
from sealog.archive.columnwise import Columns
from sealog.archive.cursors import Position
from sealog.archive.search import Hits, Wanted, find, matching
from sealog.archive.segments import Segment, write
from sealog.archive.shelf import Shelf, Text
from sealog.archive.waiting import Trail, chunks_of
from sealog.event.packs import Opened, Packer, Unpacker
from sealog.journal.blocks import Block, body_of
from sealog.query import tree
from sealog.query.tree import Query


class CountingShelf(Shelf):
    """Notes which segments' columns were read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[tuple[int, str]] = []

    def texts(self, segment: Segment, names: Sequence[str]) -> list[Text]:
        self.read += [(segment.first, name) for name in names]
        return super().texts(segment, names)

    def numbers(self, segment: Segment, name: str) -> Any:
        self.read.append((segment.first, name))
        return super().numbers(segment, name)

    @property
    def looked_at(self) -> list[int]:
        """Segments of which anything was read, by their first index, in order."""
        return list(dict.fromkeys(first for first, _ in self.read))


def _segment(folder: Path, first: int, events: list[Opened], tenant: int = 1) -> Segment:
    indexes = range(first, first + len(events))
    return write(
        folder / str(tenant),
        tenant=tenant,
        kept="default",
        columns=Columns.of(
            [row_of(index, one) for index, one in zip(indexes, events, strict=True)]
        ),
        packs=[Packer().pack(events, indexes)],
    )


def _waiting(first: int, events: list[Opened]) -> Trail:
    one = batch(ALPHA, events)
    block = Block(1, 1, first, len(events), 0, body_of(one.entries, one.packs), b"")
    chunks = tuple(chunks_of(block, 0, Unpacker()))
    return Trail((), chunks, first, first + len(events))


@pytest.fixture
def shelf() -> CountingShelf:
    return CountingShelf()


@pytest.fixture
def trail(tmp_path: Path) -> Trail:
    """Ten segments of ten events; event n happened at second n and was user n's."""
    segments = tuple(
        _segment(
            tmp_path, at, [event(n, f"act-{n % 2}", actor=f"User-{n}") for n in range(at, at + 10)]
        )
        for at in range(0, 100, 10)
    )
    return Trail(segments, (), 100, 100)


def _find(
    trail: Trail,
    shelf: Shelf,
    query: Query = Query(),  # noqa: B008 - frozen
    count: int = 5,
    before: Position | None = None,
) -> Hits:
    return find({1: trail}, Wanted(query, count, before), shelf, lambda: False)


def _indexes(hits: Hits) -> list[int]:
    return [hit.index for hit in hits.hits]


def _us(second: int) -> int:
    return BEGIN_US + second * 1_000_000


def test_the_newest_come_first_and_older_segments_are_left_alone(
    trail: Trail, shelf: CountingShelf
):
    assert _indexes(_find(trail, shelf)) == [99, 98, 97, 96, 95]
    assert shelf.looked_at == [90]


def test_segments_outside_the_time_asked_for_are_left_alone(trail: Trail, shelf: CountingShelf):
    found = _find(trail, shelf, asking(from_us=_us(35), to_us=_us(42)), 50)

    assert _indexes(found) == [41, 40, 39, 38, 37, 36, 35]
    assert shelf.looked_at == [40, 30]


def test_a_rare_actor_is_looked_for_only_where_a_bloom_filter_may_hold_it(
    trail: Trail, shelf: CountingShelf
):
    assert _indexes(_find(trail, shelf, asking(actor="USER-33"))) == [33]
    assert len(shelf.looked_at) <= 3


def test_where_no_value_matches_no_time_is_read(trail: Trail, shelf: CountingShelf):
    assert _indexes(_find(trail, shelf, asking(action=("nothing",)))) == []
    assert {name for _, name in shelf.read} == {"action", "alias"}


def test_a_deep_page_reads_no_more_than_the_first(trail: Trail, shelf: CountingShelf):
    found = _find(trail, shelf, before=(_us(12), 12, 1))

    assert _indexes(found) == [11, 10, 9, 8, 7]
    assert shelf.looked_at == [10, 0]


def test_late_arrivals_find_their_place(tmp_path: Path, trail: Trail, shelf: CountingShelf):
    """What happened long ago and came last stands between its neighbours in time."""
    late = _segment(tmp_path, 100, [event(97), event(3), event(200)])
    with_late = Trail((*trail.segments, late), (), 103, 103)

    assert _indexes(_find(with_late, shelf)) == [102, 99, 98, 100, 97]
    assert _indexes(_find(with_late, shelf, asking(to_us=_us(5)))) == [4, 101, 3, 2, 1]


def test_of_equal_times_the_higher_index_comes_first(tmp_path: Path, shelf: CountingShelf):
    segments = (
        _segment(tmp_path, 0, [event(5) for _ in range(4)]),
        _segment(tmp_path, 4, [event(5) for _ in range(4)]),
    )

    found = _find(Trail(segments, (), 8, 8), shelf)

    assert _indexes(found) == [7, 6, 5, 4, 3]
    after = _find(Trail(segments, (), 8, 8), shelf, before=(_us(5), 3, 1))
    assert _indexes(after) == [2, 1, 0]


def test_of_equal_times_and_indexes_the_higher_tenant_comes_first(
    tmp_path: Path, shelf: CountingShelf
):
    trails = {
        tenant: Trail((_segment(tmp_path, 0, [event(1), event(1)], tenant),), (), 2, 2)
        for tenant in (1, 2)
    }
    order = [(1, 2), (1, 1), (0, 2), (0, 1)]

    for count in range(1, 5):
        found = find(trails, Wanted(Query(), count), shelf, lambda: False)
        assert [(hit.index, hit.tenant) for hit in found.hits] == order[:count]
    for place, (index, tenant) in enumerate(order):
        wanted = Wanted(Query(), 9, (_us(1), index, tenant))
        found = find(trails, wanted, shelf, lambda: False)
        assert [(hit.index, hit.tenant) for hit in found.hits] == order[place + 1 :]


def test_waiting_events_are_found_beside_resting_ones(trail: Trail, shelf: CountingShelf):
    waiting = _waiting(100, [event(98), event(150)])
    both = Trail(trail.segments, waiting.chunks, 100, 102)

    assert _indexes(_find(both, shelf)) == [101, 99, 100, 98, 97]


def test_a_search_out_of_time_says_how_far_it_came_and_always_comes_further(
    trail: Trail, shelf: CountingShelf
):
    found: list[int] = []
    before: Position | None = None
    for _ in range(20):
        page = find({1: trail}, Wanted(asking(actor="user-33"), 5, before), shelf, lambda: True)
        found += _indexes(page)
        if page.looked is None:
            break
        assert before is None or page.looked < before
        before = page.looked

    assert page.looked is None
    assert found == [33]


def test_events_of_the_far_future_do_not_have_every_segment_looked_at(
    tmp_path: Path, shelf: CountingShelf
):
    """Only times are read to see that the page begins elsewhere, and those are kept."""
    segments = tuple(
        _segment(tmp_path, at, [*[event(n) for n in range(at, at + 9)], event(10**8 + at)])
        for at in range(0, 100, 10)
    )
    trail = Trail(segments, (), 100, 100)

    page = _find(trail, shelf, count=5, before=(_us(200), 0, 0))
    shelf.read.clear()
    found = _find(trail, shelf, asking(action="user.login"), 5, (_us(200), 0, 0))

    assert _indexes(page) == _indexes(found) == [98, 97, 96, 95, 94]
    assert {first for first, name in shelf.read if name == "action"} == {90}


@pytest.mark.parametrize("oldest_first", [False, True])
def test_a_search_that_never_has_time_finds_everything_in_the_end(
    tmp_path: Path,
    shelf: CountingShelf,
    oldest_first: bool,  # noqa: FBT001
):
    """Even where all segments end with the same moment of the far future."""
    trails = {
        tenant: Trail(
            tuple(
                _segment(tmp_path, at, [event(at), event(at + 1), event(10**9)], tenant)
                for at in range(0, 12, 3)
            ),
            (),
            12,
            12,
        )
        for tenant in (1, 2)
    }
    found: list[tuple[int, int, int]] = []
    before: Position | None = None
    for _ in range(200):
        wanted = Wanted(asking(action="user.*"), 2, before, oldest_first)
        page = find(trails, wanted, shelf, lambda: True)
        found += [(hit.at_us, hit.index, hit.tenant) for hit in page.hits]
        if page.looked is None and len(page.hits) < 2:
            break
        following = found[-1] if page.looked is None else page.looked
        assert before is None or (following > before if oldest_first else following < before)
        before = following

    assert len(set(found)) == len(found) == 24
    assert found == sorted(found, reverse=not oldest_first)


def test_words_are_looked_for_pack_by_pack_and_time_may_end_between_two(
    tmp_path: Path, shelf: CountingShelf
):
    events = [event(n, rest={"said": "yes" if n == 40 else "no"}) for n in range(300)]
    segment = write(
        tmp_path,
        tenant=1,
        kept="default",
        columns=Columns.of([row_of(index, one) for index, one in enumerate(events)]),
        packs=[Packer().pack(events[at : at + 100], range(at, at + 100)) for at in (0, 100, 200)],
    )
    trail = Trail((segment,), (), 300, 300)
    query = Query(where=tree.Text(("yes",)))
    pages: list[tuple[list[int], Position | None]] = []
    before: Position | None = None
    for _ in range(3):
        page = find({1: trail}, Wanted(query, 5, before), shelf, lambda: True)
        pages.append((_indexes(page), page.looked))
        before = page.looked

    assert pages == [
        ([], (_us(199), 199, 2)),
        ([], (_us(99), 99, 2)),
        ([40], None),
    ]


def test_a_search_out_of_time_shows_only_what_is_certain(tmp_path: Path, shelf: CountingShelf):
    """An older event is not shown while a segment nobody looked at may hold a newer one."""
    segments = (
        _segment(tmp_path, 0, [event(1), event(50)]),
        _segment(tmp_path, 2, [event(40), event(45)]),
    )

    found = find({1: Trail(segments, (), 4, 4)}, Wanted(Query(), 5), shelf, lambda: True)

    assert _indexes(found) == [1]
    assert found.looked == (_us(45), 3, 2)


def test_a_damaged_segment_is_named_and_the_rest_is_searched(trail: Trail, shelf: CountingShelf):
    broken = trail.segments[9].columns_path
    broken.write_bytes(b"nothing like it")
    trail.segments[8].columns_path.unlink()

    found = _find(trail, shelf)

    assert _indexes(found) == [79, 78, 77, 76, 75]
    assert len(found.damaged) == 2
    assert broken.name in found.damaged[0]
    assert "80-89-0.parquet is missing" in found.damaged[1]


def test_the_matching_indexes_of_one_segment_are_named_in_order(trail: Trail, shelf: CountingShelf):
    source = sources.Resting(trail.segments[1], shelf)

    def of(query: Query) -> list[int]:
        return matching(source, conditions.ready(query)).tolist()

    assert of(asking(action="act-1")) == [11, 13, 15, 17, 19]
    assert of(asking(from_us=_us(18))) == [18, 19]
    assert of(asking(from_us=_us(20))) == []
    assert of(asking(actor="nobody")) == []
