"""Cutting: classes apart, full packs carried over, small ones packed again."""

import pytest
from tests.archive.made import ALPHA, batch, event, statement

from sealog.archive import cutting
from sealog.archive.classes import Types
from sealog.archive.columnwise import Columns
from sealog.archive.cutting import Cutter, runs
from sealog.archive.waiting import Chunk, chunks_of
from sealog.event.packs import Opened, Pack, Unpacker
from sealog.journal.blocks import Block, body_of
from sealog.policy.retention import Retention, Rule


def _chunks(first: int, events: list[Opened]) -> list[Chunk]:
    one = batch(ALPHA, events)
    block = Block(1, 1, first, len(events), 0, body_of(one.entries, one.packs), b"")
    return chunks_of(block, 0, Unpacker())


def _opened(pack: Pack) -> list[Opened]:
    return Unpacker().events(pack)


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


def _types(*rules: Rule) -> Types:
    return Types(Retention(1, rules))


def test_a_pack_of_one_class_is_carried_over_whatever_the_class():
    chunks = _chunks(0, [event(n, dialect="easysend") for n in range(128)])

    [(kept, content)] = Cutter().arrange(chunks, _types())

    assert kept == "172800s"
    assert content.packs[0].frames == chunks[0].pack.frames


def test_a_pack_of_several_classes_is_divided():
    """Case by case: by dialect, by native name and by alias."""
    rules = _types(Rule("ecs", "user_login", 3_600), Rule("ecs", "user.logout", 7_200))
    actions = ["user_login", "user.logout", "other"]
    mixed = [event(n, actions[n % 3], dialect="ecs") for n in range(9)]

    found = dict(Cutter().arrange(_chunks(0, [*mixed, statement(9)]), rules))

    assert {kept: list(Columns.joined(one.columns).index) for kept, one in found.items()} == {
        "3600s": [0, 3, 6],
        "7200s": [1, 4, 7],
        "default": [2, 5, 8],
        "statements": [9],
    }
    assert [one.parts[0][2] for one in _opened(found["7200s"].packs[0])] == [
        mixed[n].parts[0][2] for n in (1, 4, 7)
    ]


def test_what_came_too_far_apart_to_go_together_is_cut_apart():
    """Of what is kept for 48 hours, 20 minutes are together; of what never goes, anything is."""
    every = [event(n, dialect="easysend", came=400 * n) for n in range(10)]
    small = [chunk for n, one in enumerate(every) for chunk in _chunks(n, [one])]

    for chunks in (small, _chunks(0, every)):
        found = Cutter().arrange(chunks, _types())
        assert [kept for kept, _ in found] == ["172800s"] * 3
        assert [list(Columns.joined(one.columns).index) for _, one in found] == [
            [0, 1, 2, 3],
            [4, 5, 6, 7],
            [8, 9],
        ]
        assert [list(one.packs[0].indexes) for _, one in found] == [
            [0, 1, 2, 3],
            [4, 5, 6, 7],
            [8, 9],
        ]
        assert len(Cutter().arrange(chunks, _types(Rule()))) == 1


@pytest.mark.parametrize(
    ("moments", "runs_found"),
    [
        ([5], [[0]]),
        ([0, 10, 20], [[0, 1], [2]]),
        ([20, 0, 5, 11], [[0], [1, 2], [3]]),
        ([0, 10, 5, 0, 10], [[0, 1, 2, 3, 4]]),
    ],
)
def test_moments_are_taken_in_runs_within_a_window(moments: list[int], runs_found: list[list[int]]):
    """A clock that is set back divides what it must, and loses nothing."""
    assert [list(run) for run in cutting.within(moments, 10)] == runs_found
