"""Opening events by index, by id, in order and by the page."""

import random
from pathlib import Path

import msgspec
import pytest
from tests.archive.made import ALPHA, batch, event, opened, statement

from sealog.archive import reading
from sealog.archive.columnwise import Columns
from sealog.archive.cutting import Cutter
from sealog.archive.reading import Hit
from sealog.archive.segments import Segment, write
from sealog.archive.shelf import Shelf
from sealog.archive.waiting import Chunk, Trail, chunks_of
from sealog.errors import Altered, Corrupt
from sealog.event.packs import Opened, Packer, Unpacker
from sealog.journal.blocks import Block, body_of

BYTES_MAX = 1 << 30


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


EVENTS = [
    statement(n) if n % 10 == 3 else event(n, event_id=f"e-{n}", rest={"n": n}) for n in range(400)
]


@pytest.fixture
def trail(tmp_path: Path) -> Trail:
    """Indexes 0–149 and 150–299 in segments of two classes, 300–399 waiting."""
    segments = [
        *_segments(tmp_path, _chunks(0, EVENTS[:150])),
        *_segments(tmp_path, _chunks(150, EVENTS[150:300])),
    ]
    segments.sort(key=lambda one: (one.first, one.last))
    return Trail(tuple(segments), tuple(_chunks(300, EVENTS[300:])), 300, 400)


def test_every_index_opens_the_event_that_was_given_it(trail: Trail):
    assert [reading.get(trail, index) for index in range(400)] == EVENTS


@pytest.mark.parametrize("index", [-1, 400, 10**18])
def test_an_index_that_is_not_visible_opens_nothing(trail: Trail, index: int):
    assert reading.get(trail, index) is None


@pytest.mark.parametrize("number", [0, 149, 150, 299, 300, 399])
def test_an_id_leads_to_its_event(trail: Trail, number: int):
    assert reading.by_id(trail, f"e-{number}", Shelf()) == (number, EVENTS[number])


def test_an_unknown_id_leads_nowhere(trail: Trail):
    assert reading.by_id(trail, "e-400", Shelf()) is None
    assert reading.by_id(trail, "\ud800", Shelf()) is None


def test_walking_merges_the_classes_by_index(trail: Trail):
    assert list(reading.walk(trail, 0)) == list(enumerate(EVENTS))
    assert list(reading.walk(trail, 145)) == list(enumerate(EVENTS))[145:]
    assert list(reading.walk(trail, 399)) == [(399, EVENTS[399])]
    assert list(reading.walk(Trail(), 0)) == []


def test_a_feed_ends_at_its_limit_or_its_bytes_but_never_empty(trail: Trail):
    found = reading.feed(trail, 10, 3, bytes_max=BYTES_MAX)
    assert found == (list(enumerate(EVENTS))[10:13], 13)
    events, end = reading.feed(trail, 298, 50, bytes_max=0)
    assert ([index for index, _ in events], end) == ([298], 299)
    assert reading.feed(trail, 400, 50, bytes_max=BYTES_MAX) == ([], 400)


def test_a_feed_stops_loudly_where_an_event_is_missing(trail: Trail):
    """An index that nobody can explain is never stepped over."""
    holed = msgspec.structs.replace(
        trail, segments=tuple(one for one in trail.segments if one.kept == "default")
    )

    with pytest.raises(Corrupt, match="index 3 "):
        reading.feed(holed, 0, 10, bytes_max=BYTES_MAX)


def test_a_feed_whose_page_is_full_does_not_look_at_what_comes_after_it(tmp_path: Path):
    events = [event(n) for n in range(20)]
    (whole,) = _segments(tmp_path, _chunks(0, events[:10]))
    (broken,) = _segments(tmp_path, _chunks(10, events[10:]))
    broken.parts_path.write_bytes(b"x" * 100)
    trail = Trail((whole, broken), (), 20, 20)

    page = reading.feed(trail, 0, 10, bytes_max=BYTES_MAX)

    assert page == (list(enumerate(events[:10])), 10)
    with pytest.raises(Altered, match=broken.parts_path.name):
        reading.feed(trail, 0, 11, bytes_max=BYTES_MAX)


def _hits(trail: Trail, indexes: list[int]) -> list[Hit]:
    found = []
    for index in indexes:
        sources = [
            *[
                one
                for one in trail.segments
                if one.first <= index <= one.last and one.kept == "default"
            ],
            *[one for one in trail.chunks if one.first <= index < one.end],
        ]
        found.append(Hit(0, index, 1, sources[0]))
    return found


def test_a_page_opens_in_the_order_of_its_hits(trail: Trail):
    indexes = random.Random(1).sample([n for n in range(400) if n % 10 != 3], 120)

    opening = reading.open_hits(_hits(trail, indexes), bytes_max=BYTES_MAX)

    assert [event for _, event in opening.events] == [EVENTS[index] for index in indexes]
    assert (opening.taken, opening.damaged) == (120, [])


def test_a_page_ends_early_when_it_holds_too_many_bytes():
    events = [opened(b"{}", None, None, b"x" * 1_000) for _ in range(10)]
    (chunk,) = _chunks(0, events)
    hits = [Hit(0, index, 1, chunk) for index in range(10)]

    assert reading.open_hits(hits, bytes_max=3_500).taken == 3
    assert reading.open_hits(hits, bytes_max=1).taken == 1


def test_hits_whose_parts_are_damaged_are_named_and_the_others_open(trail: Trail):
    broken = trail.segments[0].parts_path
    broken.write_bytes(b"x" * 100)

    opening = reading.open_hits(_hits(trail, [350, 5, 250]), bytes_max=BYTES_MAX)

    assert [hit.index for hit, _ in opening.events] == [350, 250]
    assert opening.taken == 3
    assert [broken.name in one for one in opening.damaged] == [True]
    with pytest.raises(Altered, match=broken.name):
        reading.get(trail, 5)


def test_some_of_a_packs_events_are_the_same_as_all_of_them():
    """Whatever parts each event has, and whichever of them are erased."""
    chance = random.Random(3)
    events = []
    for number in range(128):
        whole = opened({"n": number}, *[{"p": chance.random()} for _ in range(3)])
        erased = [place for place in (1, 2, 3) if chance.random() < 0.3]
        open_ = [part for part in whole.parts if part[0] not in erased]
        gone = tuple((place, bytes([number]) * 32) for place in erased if chance.random() < 0.5)
        events.append(msgspec.structs.replace(whole, parts=tuple(open_), erased=gone))
    pack = Packer().pack(events, range(128))
    places = sorted(chance.sample(range(128), 40))

    assert Unpacker().some(pack, places) == [events[place] for place in places]
    assert Unpacker().some(pack, []) == []
    for number in range(4):
        held = [{n: part for n, _, part in one.parts}.get(number, b"") for one in events]
        assert Unpacker().parts(pack, number) == held
