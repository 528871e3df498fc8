"""Columns come back as they were written, and what was asked last is not read again."""

import gc
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.compute as pc
import pytest
from tests.archive.made import BEGIN_US, event

from sealog.archive import blooms, tables
from sealog.archive import shelf as shelf_of_columns
from sealog.archive.columns import row_of
from sealog.archive.columnwise import Columns
from sealog.archive.forms import id8
from sealog.archive.segments import Segment, write
from sealog.archive.shelf import Kept, Shelf
from sealog.event.packs import Packer, repack


@pytest.fixture
def segment(tmp_path: Path) -> Segment:
    """300 events from index 1,000 on, each of another actor; every second one has a status."""
    events = [event(n, actor=f"User-{n}", event_id=f"e-{n}", rest={"http": {}}) for n in range(300)]
    return write(
        tmp_path,
        tenant=1,
        kept="default",
        columns=Columns.of([row_of(1_000 + n, one) for n, one in enumerate(events)]),
        packs=[
            type(pack)(tuple(1_000 + n for n in pack.indexes), *_rest(pack))
            for pack in repack(Packer(), events)
        ],
    )


def _rest(pack):
    return pack.kinds, pack.masks, pack.lengths, pack.salts, pack.digests, pack.frames


def test_columns_come_back_in_the_order_asked_for(segment: Segment):
    shelf = Shelf()

    actor, action = shelf.texts(segment, ["actor_id", "action"])

    assert shelf.numbers(segment, "index").tolist() == list(range(1_000, 1_300))
    assert shelf.numbers(segment, "at_us")[:2].tolist() == [BEGIN_US, BEGIN_US + 1_000_000]
    assert actor.codes[pc.index(actor.values, "user-5").as_py()] == 5
    assert action.values.to_pylist() == ["user.login"]
    assert set(action.codes.tolist()) == {0}
    assert shelf.numbers(segment, "status")[:3].tolist() == [-1, -1, -1]
    assert shelf.numbers(segment, "finding")[:3].tolist() == [0, 0, 0]
    wanted = int.from_bytes(id8("e-7"), "little", signed=True)
    assert np.flatnonzero(shelf.numbers(segment, "id") == wanted).tolist() == [7]


def test_few_values_are_held_in_few_bytes(segment: Segment):
    actor, action = Shelf().texts(segment, ["actor_id", "action"])

    assert actor.codes.dtype == np.uint16
    assert action.codes.dtype == np.uint8


@pytest.mark.parametrize("kept_bytes_max", [0, 1 << 20])
def test_bloom_filters_rule_out_what_is_not_there(segment: Segment, kept_bytes_max: int):
    shelf = Shelf(1, kept_bytes_max)

    hashes = [(blooms.hash64(b"user-%d" % n), blooms.hash64(b"none-%d" % n)) for n in range(300)]
    held = [shelf.holding(segment, ["actor_id"], one) for one, _ in hashes]
    absent = [shelf.holding(segment, ["actor_id"], other) for _, other in hashes]

    assert held == [["actor_id"]] * 300
    assert absent.count([]) > 270
    assert shelf.holding(segment, ["actor_id", "session"], hashes[0][1]) == ["session"]


def test_what_was_asked_before_is_not_read_again(segment: Segment):
    shelf = Shelf()
    shelf.texts(segment, ["actor_id"])
    shelf.numbers(segment, "at_us")
    segment.columns_path.unlink()

    assert len(shelf.texts(segment, ["actor_id"])[0].codes) == 300
    assert len(shelf.numbers(segment, "at_us")) == 300


def test_columns_do_not_drive_out_bloom_filters(segment: Segment):
    """Without the filters every segment would be read for a value that is in none."""
    shelf = Shelf(kept_bytes_max=12_800)
    nowhere = blooms.hash64(b"nowhere!")
    assert shelf.holding(segment, ["id"], nowhere) == []

    for name in ("at_us", "ingested_us", "id", "status", "finding"):
        shelf.numbers(segment, name)
    shelf.texts(segment, tables.TEXT)
    segment.columns_path.unlink()

    assert shelf.kept.bytes > 6_400
    assert shelf.holding(segment, ["id"], nowhere) == []


def test_parts_stay_open_until_their_segment_goes(segment: Segment):
    """A file that was replaced is not held: neither its disk space nor what was erased in it."""
    shelf = Shelf()
    again = msgspec.structs.replace(segment)

    parts = shelf.parts(again)
    assert shelf.parts(again) is parts

    del again
    gc.collect()
    assert shelf.parts(segment) is not parts


def test_only_so_many_parts_stay_open(segment: Segment, monkeypatch):
    monkeypatch.setattr(shelf_of_columns, "PARTS_OPEN_MAX", 1)
    shelf = Shelf()
    other = msgspec.structs.replace(segment, parts_digest=b"x")

    first = shelf.parts(segment)
    shelf.parts(other)

    assert shelf.parts(segment) is not first


def test_what_is_kept_stays_within_its_bytes_and_the_oldest_goes_first():
    kept = Kept(100)
    for name in "abcde":
        kept.put(name, name.upper(), 20)
    assert kept.get("a") == "A"

    kept.put("f", "F", 20)

    assert [kept.get(name) for name in "abcdef"] == ["A", None, "C", "D", "E", "F"]
    assert kept.bytes == 100


def test_what_would_drive_out_most_others_is_not_kept():
    kept = Kept(100)
    kept.put("small", 1, 25)

    kept.put("large", 2, 26)

    assert (kept.get("small"), kept.get("large"), kept.bytes) == (1, None, 25)


def test_what_is_kept_already_is_not_counted_twice():
    kept = Kept(100)
    kept.put("a", 1, 20)
    kept.put("a", 1, 20)

    assert kept.bytes == 20
