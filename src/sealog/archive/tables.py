"""What stands in the two files of a segment, column by column, and how it is written.

Everything here is bytes and values; `segments` puts it into files.
"""

import zlib
from collections.abc import Sequence
from operator import attrgetter

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from sealog.archive.columns import ID_BYTES, Row
from sealog.event.packs import Pack
from sealog.event.parts import PART_NAMES

TEXT = (
    "action",
    "alias",
    "category",
    "type",
    "outcome",
    "actor_id",
    "actor_name",
    "actor_email",
    "actor_kind",
    "address",
    "target",
    "session",
    "dialect",
)
"""Text columns, kept as dictionaries."""
BLOOMED = ("actor_id", "actor_name", "actor_email", "address")
"""Text columns with a bloom filter; `id` has one too."""
TIMES = ("index", "at_us", "ingested_us")
FALSE_POSITIVES = 0.01

_SLOWLY_READ = frozenset({"ingested_us", "type", "actor_kind", "target", "status", "finding"})
_FILE = pa.schema(
    [
        *[pa.field(name, pa.int64(), nullable=False) for name in TIMES],
        *[pa.field(name, pa.dictionary(pa.int32(), pa.string()), nullable=False) for name in TEXT],
        pa.field("status", pa.int32()),
        pa.field("finding", pa.bool_(), nullable=False),
        pa.field("id", pa.binary(ID_BYTES), nullable=False),
    ],
    metadata={"sealog.columns": "1"},
)

# `offsets`: of each event's index from `first`; null where they follow each other. `lengths`: one
# zstd frame over the msgpack of four arrays. `check`: CRC-32 of the row, so that a flipped bit is
# named when it is read, not only when everything is verified.
PARTS = pa.schema(
    [
        pa.field("first", pa.int64(), nullable=False),
        pa.field("count", pa.int32(), nullable=False),
        pa.field("kind", pa.uint8(), nullable=False),
        pa.field("offsets", pa.list_(pa.uint32())),
        pa.field("masks", pa.binary(), nullable=False),
        pa.field("lengths", pa.binary(), nullable=False),
        pa.field("salts", pa.large_binary(), nullable=False),
        pa.field("digests", pa.large_binary(), nullable=False),
        *[pa.field(name, pa.large_binary(), nullable=False) for name in PART_NAMES],
        pa.field("check", pa.uint32(), nullable=False),
    ],
    metadata={"sealog.parts": "1", "zstd.dictionary": "none"},
)
_LENGTHS = msgspec.msgpack.Decoder(tuple[tuple[int, ...], ...])
LENGTHS_BYTES_MAX = 1 << 16


def columns_file(rows: Sequence[Row]) -> pa.Buffer:
    """A Parquet file: one row group, one page a column, searched columns lz4, the others zstd."""
    arrays = []
    blooms = {}
    for field in _FILE:
        values = list(map(attrgetter(field.name), rows))
        if pa.types.is_dictionary(field.type):
            array = pa.array(values, pa.string()).dictionary_encode()
            if field.name in BLOOMED:
                blooms[field.name] = {"ndv": len(array.dictionary), "fpp": FALSE_POSITIVES}
        else:
            array = pa.array(values, field.type)
        arrays.append(array)
    blooms["id"] = {"ndv": len(rows), "fpp": FALSE_POSITIVES}
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=_FILE),
        sink,
        row_group_size=len(rows),
        max_rows_per_page=len(rows),
        data_page_size=1 << 30,
        dictionary_pagesize_limit=1 << 30,
        compression={name: "zstd" if name in _SLOWLY_READ else "lz4" for name in _FILE.names},
        use_dictionary=list(TEXT),
        column_encoding=dict.fromkeys(TIMES, "DELTA_BINARY_PACKED"),
        bloom_filter_options=blooms,
        write_statistics=False,
        write_page_checksum=True,
    )
    return sink.getvalue()


def parts_file(packs: Sequence[Pack]) -> pa.Buffer:
    """An Arrow file: one batch, one row per pack. Indexes are absolute, one entry type a pack."""
    compress = zstandard.ZstdCompressor(level=1).compress
    rows = [_row(pack, compress(msgspec.msgpack.encode(pack.lengths))) for pack in packs]
    arrays = [
        pa.array(values, field.type)
        for field, values in zip(PARTS, zip(*rows, strict=True), strict=True)
    ]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, PARTS) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=PARTS))
    return sink.getvalue()


def pack_at(batch: pa.RecordBatch, row: int) -> Pack:
    """One row of a parts file as the pack it was. Raises `ValueError` where its check fails."""
    values = [column[row].as_py() for column in batch.columns]
    if checksum(values[:-1]) != values[-1]:
        raise ValueError(f"row {row} fails its check")
    first, count, kind, offsets, masks, lengths, salts, digests, *frames, _ = values
    text = zstandard.ZstdDecompressor().decompress(lengths, max_output_size=LENGTHS_BYTES_MAX)
    indexes = range(first, first + count) if offsets is None else [first + n for n in offsets]
    return Pack(
        indexes=tuple(indexes),
        kinds=bytes([kind]) * count,
        masks=masks,
        lengths=_LENGTHS.decode(text),
        salts=salts,
        digests=digests,
        frames=tuple(frames),
    )


def checksum(values: Sequence[bytes | int | list[int] | None]) -> int:
    """CRC-32 over a row's other values."""
    running = 0
    for value in values:
        text = value if isinstance(value, bytes) else msgspec.msgpack.encode(value)
        running = zlib.crc32(text, running)
    return running


def _row(pack: Pack, lengths: bytes) -> tuple[bytes | int | list[int] | None, ...]:
    first, count = pack.indexes[0], len(pack.indexes)
    assert pack.kinds == pack.kinds[:1] * count
    together = pack.indexes[-1] - first + 1 == count
    values: list[bytes | int | list[int] | None] = [
        first,
        count,
        pack.kinds[0],
        None if together else [index - first for index in pack.indexes],
        pack.masks,
        lengths,
        pack.salts,
        pack.digests,
        *pack.frames,
    ]
    values.append(checksum(values))
    return tuple(values)
