"""A segment: consecutive events of one tenant and one retention class, in two standard files.

The columns (Parquet) find events, the parts (Arrow, memory-mapped) show them. Files are written
whole under another name, renamed, and never changed: a rewritten segment is a new generation.
Whatever is wrong with a file is raised as `Altered` or `Truncated` with its name.
"""

import hashlib
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from numpy.typing import NDArray

from sealog.archive import blooms, tables
from sealog.archive.columns import Row
from sealog.errors import Altered, Corrupt, Truncated
from sealog.event.packs import Pack
from sealog.storage import files

COLUMNS_SUFFIX = ".parquet"
PARTS_SUFFIX = ".arrow"
FOOTERS_MAX = 1_024


class Segment(msgspec.Struct, frozen=True, weakref=True):
    """One row of the table `segments`, and the folder where its files are.

    Whoever reads its files MUST hold it: they are deleted once it is replaced and nobody does.
    """

    tenant: int
    kept: str
    """The retention class."""
    first: int
    last: int
    generation: int
    count: int
    first_us: int
    last_us: int
    columns_bytes: int
    columns_digest: bytes
    parts_bytes: int
    parts_digest: bytes
    folder: Path

    @property
    def name(self) -> str:
        """What the names of both files begin with."""
        return f"{self.first}-{self.last}-{self.generation}"

    @property
    def columns_path(self) -> Path:
        """The Parquet file."""
        return self.folder / (self.name + COLUMNS_SUFFIX)

    @property
    def parts_path(self) -> Path:
        """The Arrow file."""
        return self.folder / (self.name + PARTS_SUFFIX)

    def check_sizes(self) -> None:
        """Raise `Truncated` for a missing file or one of another size, named."""
        _check_size(self.columns_path, self.columns_bytes)
        _check_size(self.parts_path, self.parts_bytes)

    def check_parts(self) -> None:
        """Read the parts file whole; raise `Altered` or `Truncated` unless it is what was cut."""
        _check_size(self.parts_path, self.parts_bytes)
        if files.digest_of(self.parts_path) != self.parts_digest:
            raise Altered(f"{self.parts_path} is not what was written")

    def check(self) -> None:
        """Read both files whole; raise `Altered` or `Truncated` unless they are what was cut."""
        self.check_sizes()
        if files.digest_of(self.columns_path) != self.columns_digest:
            raise Altered(f"{self.columns_path} is not what was written")
        self.check_parts()


def _check_size(path: Path, size: int) -> None:
    try:
        found = path.stat().st_size
    except FileNotFoundError:
        raise Truncated(f"{path} is missing") from None
    if found != size:
        raise Truncated(f"{path} has {found} bytes instead of {size}")


def write(
    folder: Path,
    *,
    tenant: int,
    kept: str,
    rows: Sequence[Row],
    packs: Sequence[Pack],
    generation: int = 0,
) -> Segment:
    """Write both files of a segment, durable at the next `files.sync_all`.

    `rows` and `packs` hold the same events in the order of their indexes, which are absolute.
    """
    assert len(rows) == sum(len(pack.masks) for pack in packs) > 0
    columns, parts = tables.columns_file(rows), tables.parts_file(packs)
    times = [row.at_us for row in rows]
    segment = Segment(
        tenant=tenant,
        kept=kept,
        first=rows[0].index,
        last=rows[-1].index,
        generation=generation,
        count=len(rows),
        first_us=min(times),
        last_us=max(times),
        columns_bytes=columns.size,
        columns_digest=hashlib.sha256(columns).digest(),
        parts_bytes=parts.size,
        parts_digest=hashlib.sha256(parts).digest(),
        folder=folder,
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.replace_later_synced(segment.columns_path, memoryview(columns))
    files.replace_later_synced(segment.parts_path, memoryview(parts))
    return segment


class Text(msgspec.Struct, frozen=True):
    """A text column: its different values, and of each row the place of its value among them."""

    values: Any
    """A pyarrow string array."""
    codes: NDArray[np.int32]


class _Footer(msgspec.Struct):
    metadata: Any
    """What pyarrow read of it."""
    blooms: dict[str, bytes]
    """Column → the blocks of its bloom filter."""


class Shelf:
    """Reads the columns of segments; may be shared by threads.

    It keeps footers and bloom filters of the segments asked last. A `ParquetFile` is made for
    every read: one that two threads share crashes the interpreter.
    """

    def __init__(self, footers_max: int = FOOTERS_MAX) -> None:
        self._footers_max = footers_max
        # By the digest of the file. Read without the lock, changed with it.
        self._footers: dict[bytes, _Footer] = {}
        self._lock = threading.Lock()

    def holding(self, segment: Segment, columns: Sequence[str], hashed: int) -> list[str]:
        """Those of the columns that may hold the value with this `blooms.hash64`.

        A column without a bloom filter may hold anything.
        """
        filters = self._footer(segment).blooms
        return [
            name
            for name in columns
            if name not in filters or blooms.may_hold(filters[name], hashed)
        ]

    def texts(self, segment: Segment, names: Sequence[str]) -> list[Text]:
        """Text columns, in the order asked for."""
        with naming(segment.columns_path):
            read = self._read(segment, names)
            texts = [Text(one.dictionary, one.indices.to_numpy()) for one in read]
            if any(text.codes.max() >= len(text.values) for text in texts):
                raise ValueError("a column names more values than it holds")
            return texts

    def numbers(self, segment: Segment, names: Sequence[str]) -> list[NDArray[np.int64]]:
        """`index` or time columns, in the order asked for."""
        with naming(segment.columns_path):
            return [one.to_numpy() for one in self._read(segment, names)]

    def ids(self, segment: Segment) -> NDArray[np.uint64]:
        """The 8 bytes of every event's id, as numbers in this machine's byte order."""
        with naming(segment.columns_path):
            (column,) = self._read(segment, ["id"])
            return np.frombuffer(column.buffers()[1], np.uint64, len(column), column.offset * 8)

    def _read(self, segment: Segment, names: Sequence[str]) -> list[Any]:
        metadata = self._footer(segment).metadata
        with pq.ParquetFile(
            segment.columns_path, metadata=metadata, page_checksum_verification=True
        ) as file:
            table = file.read_row_group(0, columns=list(names), use_threads=False)
        if table.num_rows != segment.count:
            raise ValueError(f"{table.num_rows} rows instead of {segment.count}")
        return [table.column(name).chunk(0) for name in names]

    def _footer(self, segment: Segment) -> _Footer:
        footer = self._footers.get(segment.columns_digest)
        if footer is None:
            with naming(segment.columns_path):
                footer = _read_footer(segment)
            with self._lock:
                while len(self._footers) >= self._footers_max:
                    del self._footers[next(iter(self._footers))]
                self._footers[segment.columns_digest] = footer
        return footer


def _read_footer(segment: Segment) -> _Footer:
    """Read the footer of a columns file, once the whole file is known to be what was cut.

    It MUST be: a damaged footer does not raise in pyarrow, it ends the process.
    """
    content = segment.columns_path.read_bytes()
    if hashlib.sha256(content).digest() != segment.columns_digest:
        raise ValueError("its digest is another")
    metadata = pq.read_metadata(pa.BufferReader(content))
    group = metadata.row_group(0)
    found = {}
    for number in range(metadata.num_columns):
        column = group.column(number)
        begin = column.bloom_filter_offset
        if begin is not None:
            bloom = content[begin : begin + column.bloom_filter_length]
            found[column.path_in_schema] = blooms.bits_of(bloom)
    return _Footer(metadata, found)


def whole_columns(segment: Segment) -> pa.Table:
    """Every column of a segment, its file checked whole. Raises `Altered` or `Truncated`.

    It MUST be checked before pyarrow reads it: a damaged footer does not raise there, it ends the
    process.
    """
    with naming(segment.columns_path):
        content = segment.columns_path.read_bytes()
        if hashlib.sha256(content).digest() != segment.columns_digest:
            raise ValueError("its digest is another")
        table = tables.columns_read(content)
        if table.num_rows != segment.count:
            raise ValueError(f"{table.num_rows} rows instead of {segment.count}")
        return table


class Parts:
    """The parts file of one segment, mapped; opened for one read and let go."""

    def __init__(self, segment: Segment) -> None:
        self._path = segment.parts_path
        with naming(self._path):
            file = pa.ipc.open_file(pa.memory_map(str(self._path)))
            if file.schema != tables.PARTS:
                raise ValueError("it holds other columns")
            self._batches = [file.get_batch(n) for n in range(file.num_record_batches)]
            for batch in self._batches:
                batch.validate(full=True)
            self._ends = list(accumulate([batch.num_rows for batch in self._batches]))
            self.firsts: NDArray[np.int64] = self._numbers(0)
            if self.events != segment.count:
                raise ValueError(f"{self.events} events instead of {segment.count}")

    @property
    def rows(self) -> int:
        """How many packs there are."""
        return len(self.firsts)

    @property
    def events(self) -> int:
        """How many events there are."""
        return int(self._numbers(1).sum())

    def row_of(self, index: int) -> int:
        """The row whose pack holds this index, if any pack does."""
        return max(int(np.searchsorted(self.firsts, index, "right")) - 1, 0)

    def pack(self, row: int) -> Pack:
        """The pack of one row, checked."""
        values = self.values(row)
        with naming(self._path):
            return tables.pack_of(values)

    def values(self, row: int) -> tables.PartsRow:
        """One row as it stands in the file, checked."""
        with naming(self._path):
            nth = bisect_right(self._ends, row)
            return tables.values_at(self._batches[nth], row - (self._ends[nth - 1] if nth else 0))

    def _numbers(self, column: int) -> NDArray[np.int64]:
        return np.concatenate([batch.column(column).to_numpy() for batch in self._batches])


def place_in(pack: Pack, index: int) -> int | None:
    """Where in a pack the event with this absolute index is; None if it is not there."""
    place = bisect_left(pack.indexes, index)
    return place if place < len(pack.indexes) and pack.indexes[place] == index else None


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Say of whatever goes wrong inside which file it is."""
    try:
        yield
    except FileNotFoundError as error:
        raise Truncated(f"{path} is missing") from error
    except (
        Corrupt,
        pa.ArrowException,
        zstandard.ZstdError,
        msgspec.MsgspecError,
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        OverflowError,
    ) as error:
        raise Altered(f"{path} does not read as written: {error}") from error
