"""What stands in the two files of a segment, column by column, and how it is written.

Everything here is bytes and values; `segments` puts it into files.
"""

import zlib
from collections.abc import Callable, Container, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from sealog.archive import word_blooms
from sealog.archive.columnwise import Columns
from sealog.archive.forms import ID_BYTES
from sealog.event.packs import Pack, Unpacker
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

# With zstd, whatever is searched rarely, and sessions: nearly every one is another, and they are half
# of all bytes with lz4 (28 of 52 an event, measured).
_SLOWLY_READ = frozenset(
    {"ingested_us", "type", "actor_kind", "target", "session", "status", "finding"}
)
_FILE = pa.schema(
    [
        *[pa.field(name, pa.int64(), nullable=False) for name in TIMES],
        *[pa.field(name, pa.dictionary(pa.int32(), pa.string()), nullable=False) for name in TEXT],
        pa.field("status", pa.int32()),
        pa.field("finding", pa.bool_(), nullable=False),
        pa.field("id", pa.binary(ID_BYTES), nullable=False),
    ],
    metadata={"sealog.columns": "2"},
)

# `offsets`: of each event's index from `first`; null where they follow each other. `lengths`: one
# zstd frame over the msgpack of four arrays. `words`: see `word_blooms`; empty where none was made.
# `check`: CRC-32 of the row, so that a flipped bit is named when it is read, not only when
# everything is verified.
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
        pa.field("words", pa.binary(), nullable=False),
        pa.field("check", pa.uint32(), nullable=False),
    ],
    metadata={"sealog.parts": "2", "zstd.dictionary": "none"},
)
PARTS_1 = pa.schema(
    [field for field in PARTS if field.name != "words"],
    metadata={"sealog.parts": "1", "zstd.dictionary": "none"},
)
"""What folders of format 1 hold; they are brought along."""
WORDS = PARTS.get_field_index("words")
_LENGTHS = msgspec.msgpack.Decoder(tuple[tuple[int, ...], ...])
LENGTHS_BYTES_MAX = 1 << 16

PartsValue = Any
PartsRow = tuple[PartsValue, ...]
"""One value per column of `PARTS`: numbers, bytes, and a list of numbers or None for `offsets`."""


def columns_file(columns: Columns) -> pa.Buffer:
    """A Parquet file of some columns; see `columns_bytes`."""
    return columns_bytes(columns_table(columns))


def columns_table(columns: Columns) -> pa.Table:
    """Columns as Arrow holds them, each of one chunk."""
    arrays = []
    for field in _FILE:
        values = getattr(columns, field.name)
        if pa.types.is_dictionary(field.type):
            arrays.append(pa.array(values, pa.string()).dictionary_encode())
        else:
            arrays.append(pa.array(values, field.type))
    return pa.Table.from_arrays(arrays, schema=_FILE)


def columns_bytes(table: pa.Table) -> pa.Buffer:
    """A Parquet file: one row group, one page a column, searched columns lz4, the others zstd.

    Every column of `table` is one chunk.
    """
    rows = table.num_rows
    blooms = {
        name: {"ndv": len(table.column(name).chunk(0).dictionary), "fpp": FALSE_POSITIVES}
        for name in BLOOMED
    }
    blooms["id"] = {"ndv": rows, "fpp": FALSE_POSITIVES}
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        row_group_size=rows,
        max_rows_per_page=rows,
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


def columns_read(content: bytes) -> pa.Table:
    """Every column of a Parquet file whose bytes are known to be what was written.

    Raises `ValueError` where it is another table.
    """
    with pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True) as file:
        table = file.read_row_group(0, use_threads=False)
    if not table.schema.equals(_FILE):
        raise ValueError("it holds other columns")
    return table


def columns_joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables one after the other as one, each text once in its column's dictionary."""
    joined: pa.Table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    return joined


def parts_file(packs: Sequence[Pack], worded: Container[int] = ()) -> pa.Buffer:
    """An Arrow file: one batch, one row per pack. Indexes are absolute, one entry type a pack.

    The packs at the places `worded` are given a filter of their words.
    """
    unpacker = Unpacker()
    compress = zstandard.ZstdCompressor(level=1).compress
    rows = [
        parts_row(pack, compress, words_of(pack, unpacker) if place in worded else b"")
        for place, pack in enumerate(packs)
    ]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, PARTS) as writer:
        writer.write_batch(parts_batch(rows))
    return sink.getvalue()


def words_of(pack: Pack, unpacker: Unpacker) -> bytes:
    """What stands in `words` of a row, made from its pack's events. Raises `Altered`."""
    texts = [unpacker.joined(pack, number) for number in range(len(pack.frames))]
    return word_blooms.build(pack.indexes[0], texts)


def parts_batch(rows: Sequence[PartsRow]) -> pa.RecordBatch:
    """Rows as Arrow holds them."""
    arrays = [
        pa.array(values, field.type)
        for field, values in zip(PARTS, zip(*rows, strict=True), strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=PARTS)


def parts_row(pack: Pack, compress: Callable[[bytes], bytes], words: bytes = b"") -> PartsRow:
    """A pack as a row of a parts file. `compress`: of one thread's zstd."""
    first, count = pack.indexes[0], len(pack.indexes)
    assert pack.kinds == pack.kinds[:1] * count
    together = pack.indexes[-1] - first + 1 == count
    values: list[PartsValue] = [
        first,
        count,
        pack.kinds[0],
        None if together else [index - first for index in pack.indexes],
        pack.masks,
        compress(msgspec.msgpack.encode(pack.lengths)),
        pack.salts,
        pack.digests,
        *pack.frames,
        words,
    ]
    values.append(checksum(values))
    return tuple(values)


def values_at(batch: pa.RecordBatch, row: int) -> PartsRow:
    """One row of a parts file as it stands there. Raises `ValueError` where its check fails."""
    return values_of(batch.columns, row)


def values_of(columns: Sequence[pa.Array], row: int) -> PartsRow:
    """The same of a batch's columns, taken out of it once for many rows.

    A row of format 1 comes as one without words; its check is the same.
    """
    values = tuple([column[row].as_py() for column in columns])
    if checksum(values[:-1]) != values[-1]:
        raise ValueError(f"row {row} fails its check")
    return values if len(values) == len(PARTS) else (*values[:WORDS], b"", values[-1])


def with_words(values: PartsRow, words: bytes) -> PartsRow:
    """A row with another value of `words`."""
    changed = (*values[:WORDS], words)
    return *changed, checksum(changed)


def indexes_of(values: PartsRow) -> Sequence[int]:
    """The indexes of a row's events."""
    first, count, _, offsets, *_ = values
    return range(first, first + count) if offsets is None else [first + n for n in offsets]


def pack_at(batch: pa.RecordBatch, row: int) -> Pack:
    """One row of a parts file as the pack it was. Raises `ValueError` where its check fails."""
    return pack_of(values_at(batch, row))


def pack_of(values: PartsRow, unpacker: Unpacker | None = None) -> Pack:
    """A row of a parts file as the pack it was. `unpacker`: one for many packs takes less time."""
    _, count, kind, _, masks, lengths, salts, digests, *frames, _, _ = values
    text = (unpacker or Unpacker()).content(lengths, LENGTHS_BYTES_MAX)
    return Pack(
        indexes=tuple(indexes_of(values)),
        kinds=bytes([kind]) * count,
        masks=masks,
        lengths=_LENGTHS.decode(text),
        salts=salts,
        digests=digests,
        frames=tuple(frames),
    )


def checksum(values: Sequence[PartsValue]) -> int:
    """CRC-32 over a row's other values."""
    running = 0
    for value in values:
        text = value if isinstance(value, bytes) else msgspec.msgpack.encode(value)
        running = zlib.crc32(text, running)
    return running
