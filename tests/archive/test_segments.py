"""Segments: what goes in comes out, and what is damaged is named by its file."""

import random
from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from tests.archive.made import BEGIN_US, event

from sealog.archive import segments, word_blooms
from sealog.archive.columns import row_of
from sealog.archive.columnwise import Columns
from sealog.archive.segments import Parts, Segment, place_in
from sealog.archive.shelf import Shelf
from sealog.errors import Altered, Corrupt, Truncated
from sealog.event.packs import Opened, Packer, Unpacker

EVENTS = 300
FIRST = 1_000


def _events() -> list[Opened]:
    return [
        event(n % 7, actor=f"user-{n}", event_id=f"e-{n}", rest={"n": n}) for n in range(EVENTS)
    ]


def _write(folder: Path, events: list[Opened], sizes: Sequence[int] = (128, 128, 44)) -> Segment:
    packer = Packer()
    spans = list(pairwise(accumulate(sizes, initial=0)))
    return segments.write(
        folder,
        tenant=1,
        kept="default",
        columns=Columns.of([row_of(FIRST + n, one) for n, one in enumerate(events)]),
        packs=[packer.pack(events[a:b], range(FIRST + a, FIRST + b)) for a, b in spans],
    )


@pytest.fixture
def events() -> list[Opened]:
    return _events()


@pytest.fixture
def segment(tmp_path: Path, events: list[Opened]) -> Segment:
    return _write(tmp_path, events)


@pytest.mark.parametrize(
    ("sizes", "worded"),
    [
        ((128, 40, 40, 92), [True, False, False, True]),
        ((128, 72, 66, 34), [True, True, False, False]),
        ((60, 90, 30, 120), [True, False, False, True]),
        ((128, 128, 43), [False, False, False]),
    ],
    ids=str,
)
def test_large_segments_name_the_words_of_packs_that_a_merge_carries_over(
    tmp_path: Path, events: list[Opened], monkeypatch: pytest.MonkeyPatch, sizes, worded
):
    """Others are compressed together with their neighbours then, and need other filters."""
    monkeypatch.setattr(segments, "WORDED_EVENTS_MIN", EVENTS)

    ((words, firsts),) = Parts(_write(tmp_path, events[: sum(sizes)], sizes)).words()

    assert [len(one) > 0 for one in words.to_pylist()] == worded
    asked = word_blooms.hashes_of(["rhubarb"])
    found = word_blooms.candidates(words, firsts, asked).tolist()
    assert found == [not each for each in worded]


def test_a_segment_is_two_files_named_by_its_indexes_and_generation(segment: Segment):
    names = sorted(path.name for path in segment.folder.iterdir())

    assert names == ["1000-1299-0.arrow", "1000-1299-0.parquet"]
    assert (segment.count, segment.first_us, segment.last_us) == (
        300,
        BEGIN_US,
        BEGIN_US + 6_000_000,
    )
    segment.check()


def test_parts_come_back_byte_for_byte(segment: Segment, events: list[Opened]):
    parts = Parts(segment)

    found = [one for row in range(parts.rows) for one in Unpacker().events(parts.pack(row))]

    assert found == events
    assert [one.entry() for one in found] == [one.entry() for one in events]


def test_an_index_leads_to_its_row_and_place(segment: Segment):
    parts = Parts(segment)

    assert [parts.row_of(index) for index in (1_000, 1_127, 1_128, 1_299)] == [0, 0, 1, 2]
    assert place_in(parts.pack(1), 1_130) == 2
    assert place_in(parts.pack(1), 1_000) is None


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_a_flipped_bit_anywhere_is_named_by_the_check(segment: Segment, suffix: str):
    path = segment.folder / (segment.name + suffix)
    good = path.read_bytes()
    for place in range(0, len(good), 211):
        _flip(path, good, place, 1 << place % 8)

        with pytest.raises(Altered, match=path.name):
            segment.check()


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_a_missing_or_shortened_file_is_named(segment: Segment, suffix: str):
    path = segment.folder / (segment.name + suffix)
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(Truncated, match=path.name):
        segment.check_sizes()

    path.unlink()

    with pytest.raises(Truncated, match=f"{path.name} is missing"):
        segment.check()
    with pytest.raises(Corrupt, match=path.name):
        _read_all(segment)


def test_reading_a_parts_file_with_a_flipped_bit_gives_what_was_written_or_names_it(
    segment: Segment, events: list[Opened]
):
    """A changed byte is never shown as an event."""
    path = segment.parts_path
    good = path.read_bytes()
    named: list[str] = []
    for place in random.Random(5).sample(range(len(good)), 400):
        _flip(path, good, place, 1 << place % 8)

        try:
            parts = Parts(segment)
            assert [
                e for n in range(parts.rows) for e in Unpacker().events(parts.pack(n))
            ] == events
        except Corrupt as error:
            named.append(str(error))
    assert len(named) > 300
    assert all(path.name in one for one in named)


def test_columns_with_a_flipped_bit_are_never_given_to_the_parquet_reader(segment: Segment):
    """In pyarrow a damaged footer ends the process, so the digest comes first."""
    path = segment.columns_path
    good = path.read_bytes()
    for place in random.Random(6).sample(range(len(good)), 200):
        _flip(path, good, place, 1 << place % 8)

        with pytest.raises(Altered, match=path.name):
            _columns(segment, Shelf())


def test_columns_damaged_after_their_first_read_give_what_was_written_or_are_named(
    segment: Segment,
):
    path = segment.columns_path
    good = path.read_bytes()
    shelf = Shelf(kept_bytes_max=0)
    before = _columns(segment, shelf)
    named: list[str] = []
    for place in random.Random(7).sample(range(len(good)), 400):
        _flip(path, good, place, 1 << place % 8)

        try:
            assert _columns(segment, shelf) == before
        except Corrupt as error:
            named.append(str(error))
    assert len(named) > 10
    assert all(path.name in one for one in named)


def _flip(path: Path, good: bytes, place: int, bit: int) -> None:
    path.write_bytes(good[:place] + bytes([good[place] ^ bit]) + good[place + 1 :])


def _columns(segment: Segment, shelf: Shelf) -> list[object]:
    names = ["action", "actor_id", "category"]
    texts = [one.values.take(one.codes).to_pylist() for one in shelf.texts(segment, names)]
    return [*texts, *[shelf.numbers(segment, name).tolist() for name in ("ingested_us", "at_us")]]


def _read_all(segment: Segment) -> None:
    _columns(segment, Shelf())
    parts = Parts(segment)
    for row in range(parts.rows):
        parts.pack(row)
