"""One segment becomes several: every event where it belongs, and nothing of the others."""

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.archive.made import ALPHA, Home, event

from sealog.archive import segments, splitting
from sealog.archive.columnwise import columns_of
from sealog.archive.joining import Unsound
from sealog.archive.segments import Parts, Segment
from sealog.archive.splitting import Share, split
from sealog.event.packs import Opened, Unpacker

if TYPE_CHECKING:
    from pathlib import Path


def _one(home: Home, count: int = 400) -> Segment:
    home.add(ALPHA, *[event(n, actor=f"actor-{n}", came=n % 7) for n in range(count)])
    home.archive.cut()
    (segment,) = home.archive.segments(ALPHA)
    return segment


def _events(segment: Segment) -> dict[int, Opened]:
    parts, unpacker = Parts(segment), Unpacker()
    packs = [parts.pack(row) for row in range(parts.rows)]
    return {
        index: one
        for pack in packs
        for index, one in zip(pack.indexes, unpacker.events(pack), strict=True)
    }


def _split(segment: Segment, shares: list[Share]) -> list[Segment]:
    return split(segment, shares, segment.folder.parent.joinpath, lambda: None)


def test_every_event_is_in_its_share_and_in_no_other(lasting: Home):
    whole = _one(lasting)
    before = _events(whole)
    places = np.arange(400)
    odd, even, late = places[:300][1::2], places[:300:2], places[300:]

    several = _split(whole, [Share("3600s", odd), Share("default-1", even), Share("default", late)])

    assert {one.kept: one.name for one in several} == {
        "3600s": "1-299-1",
        "default-1": "0-298-1",
        "default": "300-399-1",
    }
    for one in several:
        one.check()
        assert all(before[index] == opened for index, opened in _events(one).items())
    held = {one.kept: sorted(_events(one)) for one in several}
    assert held == {"3600s": odd.tolist(), "default-1": even.tolist(), "default": late.tolist()}
    ends = {one.kept: (one.first_ingested_us, one.last_ingested_us) for one in several}
    assert ends["default"] == ends["default-1"] == (None, None)
    assert ends["3600s"] == (1_700_000_000_000_000, 1_700_000_006_000_000)


def test_columns_are_those_of_the_events_and_hold_no_others_values(lasting: Home):
    """A dictionary that kept every value would keep what was to go."""
    whole = _one(lasting)

    (one,) = _split(whole, [Share("default", np.arange(10, 20))])

    table = segments.whole_columns(one)
    names = {f"actor-{n}" for n in range(10, 20)}
    assert set(table.column("actor_id").chunk(0).dictionary.to_pylist()) == names
    parts = Parts(one)
    packs = [parts.pack(row) for row in range(parts.rows)]
    rows = [row for pack in packs for row in columns_of(pack, 0, Unpacker()).rows()]
    assert [row.actor_id for row in rows] == table.column("actor_id").to_pylist()
    assert b"actor-9" not in one.columns_path.read_bytes()
    assert pq.read_metadata(one.columns_path).num_rows == 10


def test_packs_that_go_one_way_are_carried_over(lasting: Home):
    whole = _one(lasting)
    before = [Parts(whole).values(row) for row in range(3)]

    (one,) = _split(whole, [Share("default", np.arange(0, 256))])

    assert [Parts(one).values(row) for row in range(Parts(one).rows)] == before[:2]


@pytest.mark.parametrize("what", ["columns_path", "parts_path"])
def test_what_is_not_what_was_cut_is_not_written_again(lasting: Home, what: str):
    whole = _one(lasting)
    path: Path = getattr(whole, what)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    files = lasting.files()

    with pytest.raises(Unsound) as raised:
        _split(whole, [Share("3600s", np.arange(10))])

    assert raised.value.segment is whole
    assert lasting.files() == files


def test_whatever_is_raised_no_file_is_left(lasting: Home):
    whole = _one(lasting)
    files = lasting.files()
    steps = iter(range(5))

    def pause() -> None:
        next(steps)

    with pytest.raises(StopIteration):
        split(
            whole,
            [Share("default", np.arange(0, 128)), Share("3600s", np.arange(128, 400))],
            whole.folder.parent.joinpath,
            pause,
        )

    assert lasting.files() == files
    assert splitting.BATCH_BYTES == 8 << 20
