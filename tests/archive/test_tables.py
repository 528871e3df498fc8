"""What the two files of a segment hold, for any reader of Parquet and Arrow."""

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.archive.made import event, opened, statement

from sealog.archive import tables
from sealog.archive.columns import Row, row_of
from sealog.archive.columnwise import Columns
from sealog.event.packs import Opened, Pack, Packer


def _rows(events: list[Opened]) -> list[Row]:
    return [row_of(index, one) for index, one in enumerate(events)]


def _batch(packs: list[Pack]) -> pa.RecordBatch:
    return pa.ipc.open_file(tables.parts_file(packs)).get_batch(0)


def test_any_reader_finds_the_rows_in_the_columns_file():
    rows = _rows([event(at, actor=f"user-{at}") for at in range(200)])

    table = pq.read_table(pa.BufferReader(tables.columns_file(Columns.of(rows))))

    assert table.num_rows == 200
    assert table.column_names == list(Row.__struct_fields__)
    assert [Row(**row) for row in table.to_pylist()] == rows


def test_the_columns_are_one_row_group_with_blooms_and_the_settings_that_were_measured():
    rows = _rows([event(at, actor=f"user-{at}") for at in range(700)])

    metadata = pq.read_metadata(pa.BufferReader(tables.columns_file(Columns.of(rows))))

    assert metadata.num_row_groups == 1
    group = metadata.row_group(0)
    columns = {group.column(n).path_in_schema: group.column(n) for n in range(19)}
    bloomed = {name for name, one in columns.items() if one.bloom_filter_offset is not None}
    assert bloomed == {"actor_id", "actor_name", "actor_email", "address", "id"}
    assert columns["actor_id"].compression == "LZ4"
    assert columns["target"].compression == "ZSTD"
    assert "DELTA_BINARY_PACKED" in columns["at_us"].encodings
    assert columns["actor_name"].bloom_filter_length < 100


def test_a_pack_comes_back_as_it_was():
    events = [event(n, actor="ada", rest={"n": n}) for n in range(100)]
    erased = msgspec.structs.replace(
        events[3], parts=events[3].parts[:1], erased=((1, b"d" * 32), (3, b"e" * 32))
    )
    events[3] = erased
    near = Packer().pack(events, range(1_000, 1_100))
    far = Packer().pack([statement(), statement()], [5, 5_000_000_000 - 10**9])

    batch = _batch([near, far])

    assert tables.pack_at(batch, 0) == near
    assert tables.pack_at(batch, 1) == far


def test_a_flipped_value_fails_the_check_of_its_row():
    pack = Packer().pack([event(), event()], [0, 1])
    batch = _batch([pack])
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    columns["masks"] = pa.array([bytes([3, 1])], pa.binary())

    altered = pa.RecordBatch.from_arrays(list(columns.values()), schema=batch.schema)

    with pytest.raises(ValueError, match="row 0 fails its check"):
        tables.pack_at(altered, 0)


def test_a_full_pack_of_large_parts_keeps_its_lengths():
    events = [opened(b"{}", b"x" * (1 << 20)) for _ in range(128)]
    pack = Packer().pack(events, range(128))

    assert tables.pack_at(_batch([pack]), 0).lengths[1] == (1 << 20,) * 128
