"""Cutting: classes apart, full packs carried over, small ones packed again."""

import pytest
from tests.archive.made import ALPHA, batch, event, statement

from sealog.archive import cutting
from sealog.archive.columnwise import Columns
from sealog.archive.cutting import Cutter, runs
from sealog.archive.waiting import Chunk, chunks_of
from sealog.event.packs import Opened, Unpacker
from sealog.journal.blocks import Block, body_of


def _chunks(first: int, events: list[Opened]) -> list[Chunk]:
    one = batch(ALPHA, events)
    block = Block(1, 1, first, len(events), 0, body_of(one.entries, one.packs), b"")
    return chunks_of(block, 0, Unpacker())


def _single(first: int, count: int) -> list[Chunk]:
    return [chunk for n in range(count) for chunk in _chunks(first + n, [event(n)])]


def test_full_packs_are_carried_over_byte_for_byte():
    chunks = _chunks(1_000, [event(n) for n in range(128 + 64)])

    [(_, content)] = Cutter().arrange(chunks)

    assert [pack.frames for pack in content.packs] == [chunk.pack.frames for chunk in chunks]
    assert content.packs[1].indexes == tuple(range(1_128, 1_192))
    assert list(Columns.joined(content.columns).index) == list(range(1_000, 1_192))


def test_small_packs_are_packed_together():
    chunks = _single(50, 300)

    [(_, content)] = Cutter().arrange(chunks)

    assert [len(pack.indexes) for pack in content.packs] == [128, 128, 44]
    assert [index for pack in content.packs for index in pack.indexes] == list(range(50, 350))
    before = [one for chunk in chunks for one in Unpacker().events(chunk.pack)]
    assert [one for pack in content.packs for one in Unpacker().events(pack)] == before


def test_packs_of_large_events_are_not_put_together(monkeypatch: pytest.MonkeyPatch):
    """Whoever reads one event opens all of its pack."""
    monkeypatch.setattr(cutting, "JOINED_BYTES_MAX", 25_000)
    large = [event(n, rest={"message": "x" * 10_000}) for n in range(5)]
    chunks = [chunk for n, one in enumerate(large) for chunk in _chunks(n, [one])]

    [(_, content)] = Cutter().arrange([*chunks, *_single(5, 3)])

    assert [pack.indexes for pack in content.packs] == [(0, 1), (2, 3), (4, 5, 6, 7)]


def test_order_holds_where_small_and_full_packs_meet():
    chunks = [*_single(0, 3), *_chunks(3, [event(n) for n in range(70)]), *_single(73, 2)]

    [(_, content)] = Cutter().arrange(chunks)

    assert [pack.indexes[0] for pack in content.packs] == [0, 3, 73]
    assert list(Columns.joined(content.columns).index) == list(range(75))


def test_statements_go_to_a_class_of_their_own():
    mixed = [statement(n) if n % 40 == 7 else event(n) for n in range(128)]

    content = dict(Cutter().arrange(_chunks(0, mixed)))

    assert content["statements"].packs[0].indexes == (7, 47, 87, 127)
    assert content["statements"].packs[0].kinds == b"\x02\x02\x02\x02"
    assert list(Columns.joined(content["statements"].columns).index) == [7, 47, 87, 127]
    assert len(Columns.joined(content["default"].columns)) == 124
    assert {kind for pack in content["default"].packs for kind in pack.kinds} == {1}


def test_a_run_fits_into_one_segment():
    full = [event(n) for n in range(128)]
    chunks = [chunk for n in range(70) for chunk in _chunks(128 * n, full)]

    found = runs(chunks)

    assert [len(run) for run in found] == [64, 6]
    assert [chunk for run in found for chunk in run] == chunks
    assert runs([]) == []
