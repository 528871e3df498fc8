"""Waiting events: visible at once, in order, and in one place only."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from tests.archive.made import ALPHA, batch, event

from sealog.archive.segments import Segment
from sealog.archive.waiting import NOTHING, Chunk, Waiting, chunks_of
from sealog.errors import Altered, Truncated
from sealog.event.packs import Unpacker
from sealog.event.parts import ENTRY_BYTES
from sealog.journal.blocks import Block, body_of


def _block(first: int, count: int) -> Block:
    one = batch(ALPHA, [event(n) for n in range(count)])
    body = body_of(one.entries, one.packs)
    return Block(1, 1, first, count, 0, body, b"")


def _chunks(first: int, count: int) -> list[Chunk]:
    return chunks_of(_block(first, count), 0, Unpacker())


def _segment(first: int, last: int) -> Segment:
    return Segment(1, "default", first, last, 0, last - first + 1, 0, 0, 0, b"", 0, b"", Path())


def test_a_block_becomes_chunks_with_absolute_indexes():
    chunks = _chunks(1_000, 300)

    assert [(chunk.first, chunk.end) for chunk in chunks] == [
        (1_000, 1_128),
        (1_128, 1_256),
        (1_256, 1_300),
    ]
    assert chunks[1].columns.index[0] == 1_128


def test_packs_that_rest_in_a_segment_already_are_left_out():
    chunks = chunks_of(_block(1_000, 300), 1_128, Unpacker())

    assert [chunk.first for chunk in chunks] == [1_128, 1_256]


def test_a_block_that_does_not_open_is_altered():
    block = _block(0, 3)
    broken = msgspec.structs.replace(block, body=block.body[: 3 * ENTRY_BYTES] + b"junk")

    with pytest.raises(Altered):
        chunks_of(broken, 0, Unpacker())


def test_added_events_are_visible_and_counted():
    waiting = Waiting()

    waiting.add({1: _chunks(0, 200)})
    waiting.add({1: _chunks(200, 10)})

    assert waiting.of(1).visible == 210
    assert waiting.of(2) == NOTHING
    assert (waiting.events, waiting.waiting(), waiting.visible()) == (210, {1: 210}, {1: 210})
    assert waiting.bytes == sum(chunk.bytes for chunk in waiting.of(1).chunks) > 210 * 700


def test_settled_events_change_places_in_one_step():
    waiting = Waiting()
    waiting.add({1: _chunks(0, 300), 2: _chunks(0, 5)})
    before = waiting.of(1)

    waiting.settle(1, [_segment(0, 255)], 256)

    after = waiting.of(1)
    assert (before.archived, len(before.chunks), before.segments) == (0, 3, ())
    assert (after.archived, after.visible) == (256, 300)
    assert [chunk.first for chunk in after.chunks] == [256]
    assert [segment.last for segment in after.segments] == [255]
    assert waiting.waiting() == {1: 44, 2: 5}
    assert [(tenant, events) for tenant, events, _ in waiting.largest()] == [(1, 44), (2, 5)]


def test_nothing_waits_when_all_is_settled():
    waiting = Waiting()
    waiting.add({1: _chunks(0, 3)})

    waiting.settle(1, [_segment(0, 2)], 3)

    assert (waiting.events, waiting.bytes, waiting.waiting(), waiting.largest()) == (0, 0, {}, [])


def test_a_gap_between_events_is_never_taken_in():
    waiting = Waiting()
    waiting.set_out(1, [], 10)

    with pytest.raises(Truncated, match="no events from 10"):
        waiting.add({1: _chunks(11, 1)})


def test_a_list_of_segments_is_read_once_and_when_it_is_asked_for():
    asked: list[list[int]] = []

    def list_of(tenants: Sequence[int]) -> dict[int, list[Segment]]:
        asked.append(list(tenants))
        return {tenant: [_segment(5, 9), _segment(0, 4)] for tenant in tenants}

    waiting = Waiting()
    waiting.list_of = list_of
    for tenant in (1, 2, 3):
        waiting.set_out(tenant, None, 10)

    waiting.add({1: _chunks(10, 3)})
    counted = waiting.segment_count()
    trail = waiting.of(1)
    both = waiting.of_each([2, 1, 7])
    again = waiting.of(2)

    assert (counted, waiting.visible_of(1)) == (0, 13)
    assert asked == [[1], [2]]
    assert [one.first for one in trail.segments] == [0, 5]
    assert (trail.archived, trail.visible, len(trail.chunks)) == (10, 13, 1)
    assert list(both) == [2, 1, 7]
    assert both[2] == again
    assert both[7] == NOTHING
