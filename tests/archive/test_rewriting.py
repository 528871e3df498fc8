"""A segment written anew: the same parts to the byte, columns derived from them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.archive.made import ALPHA, Home, event

from sealog.archive import rewriting, tables
from sealog.archive.rewriting import rewrite
from sealog.archive.segments import Parts, Segment
from sealog.errors import Altered, Truncated


@pytest.fixture
def cut(home: Home) -> Segment:
    """A segment of 300 events in three packs."""
    home.add(ALPHA, *[event(n, actor=f"actor-{n}") for n in range(300)])
    home.archive.cut()
    (segment,) = home.archive.segments(ALPHA)
    return segment


def _rows(segment: Segment) -> list[tables.PartsRow]:
    parts = Parts(segment)
    return [parts.values(row) for row in range(parts.rows)]


@pytest.mark.parametrize("columns", ["sound", "damaged", "missing"])
def test_columns_are_derived_again_whatever_became_of_them(
    cut: Segment, columns: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rewriting, "ROWS_AT_ONCE", 100)
    expected = pq.read_table(cut.columns_path).to_pylist()
    if columns == "damaged":
        cut.columns_path.write_bytes(b"PAR1")
    if columns == "missing":
        cut.columns_path.unlink()
    told: list[int] = []

    fresh = rewrite(cut, told.append)

    assert fresh.name == "0-299-1"
    fresh.check()
    assert _rows(fresh) == _rows(cut)
    assert pq.read_table(fresh.columns_path).to_pylist() == expected
    assert sum(told) == 300


def test_parts_that_are_not_what_was_cut_are_named_and_nothing_is_left(cut: Segment):
    whole = cut.parts_path.read_bytes()
    files = sorted(cut.folder.iterdir())

    cut.parts_path.write_bytes(whole[:-1])
    with pytest.raises(Truncated, match=r"0-299-0\.arrow"):
        rewrite(cut)
    cut.parts_path.write_bytes(whole[:5_000] + b"x" + whole[5_001:])
    with pytest.raises(Altered, match=r"0-299-0\.arrow is not what was written"):
        rewrite(cut)

    assert sorted(cut.folder.iterdir()) == files


def test_a_full_disk_is_not_taken_for_damage(cut: Segment, monkeypatch: pytest.MonkeyPatch):
    files = sorted(cut.folder.iterdir())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rewriting.PartsWriter, "add", full)

    with pytest.raises(OSError, match="No space left"):
        rewrite(cut)
    assert sorted(cut.folder.iterdir()) == files


def test_a_row_of_format_1_comes_as_one_without_words(cut: Segment, tmp_path: Path):
    batch = pa.ipc.open_file(cut.parts_path).get_batch(0)
    old = pa.RecordBatch.from_arrays(
        [batch.column(name) for name in tables.PARTS_1.names], schema=tables.PARTS_1
    )
    with pa.ipc.new_file(tmp_path / "old", tables.PARTS_1) as writer:
        writer.write_batch(old)

    assert tables.values_at(old, 1) == tables.values_at(batch, 1)
