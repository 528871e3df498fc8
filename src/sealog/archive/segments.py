"""A segment: consecutive events of one tenant and one retention class, in two standard files.

The columns (Parquet) find events, the parts (Arrow, memory-mapped) show them. Files are written
whole under another name, renamed, and never changed: a rewritten segment is a new generation.
Whatever is wrong with a file is raised as `Altered` or `Truncated` with its name.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, chain
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import zstandard
from numpy.typing import NDArray

from sealog.archive import tables
from sealog.archive.classes import keep_of
from sealog.archive.columnwise import Columns
from sealog.errors import Altered, Corrupt, Truncated
from sealog.event.packs import EVENTS_PER_PACK_MAX, Pack, Unpacker
from sealog.storage import files

COLUMNS_SUFFIX = ".parquet"
PARTS_SUFFIX = ".arrow"
CARRIED_EVENTS_MIN = 96
"""A pack of at least so many events is carried over when segments are merged, its words with it."""
WORDED_EVENTS_MIN = 2_048
"""From so many events on, packs are given a filter of their words: in smaller segments it would cost
more than opening them. In those that are cut only packs that will be carried over."""


class Segment(msgspec.Struct, frozen=True, weakref=True):
    """One row of the table `segments`, and the folder where its files are.

    Whoever reads its files MUST hold it: they are deleted once it is replaced and nobody does. Of
    what expires they are deleted soon, held or not: who reads them opens them at once.
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
    first_ingested_us: int | None = None
    """When the first and the last of its events came, where its class expires."""
    last_ingested_us: int | None = None

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
    columns: Columns,
    packs: Sequence[Pack],
    begun: Callable[[Segment], None] = lambda _: None,
) -> Segment:
    """Write both files of a segment, durable at the next `files.sync_all`.

    `begun` is told of it before there is any file, for whoever must delete what was begun.
    `columns` and `packs` hold the same events in the order of their indexes, which are absolute.
    """
    assert len(columns) == sum(len(pack.masks) for pack in packs) > 0
    worded = _carried(packs) if len(columns) >= WORDED_EVENTS_MIN else ()
    searched, parts = tables.columns_file(columns), tables.parts_file(packs, worded)
    segment = Segment(
        tenant=tenant,
        kept=kept,
        first=columns.index[0],
        last=columns.index[-1],
        generation=0,
        count=len(columns),
        first_us=min(columns.at_us),
        last_us=max(columns.at_us),
        columns_bytes=searched.size,
        columns_digest=hashlib.sha256(searched).digest(),
        parts_bytes=parts.size,
        parts_digest=hashlib.sha256(parts).digest(),
        folder=folder,
    )
    if keep_of(kept) is not None:
        came = min(columns.ingested_us), max(columns.ingested_us)
        segment = msgspec.structs.replace(
            segment, first_ingested_us=came[0], last_ingested_us=came[1]
        )
    begun(segment)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files.replace_later_synced(segment.columns_path, memoryview(searched))
    files.replace_later_synced(segment.parts_path, memoryview(parts))
    return segment


def _carried(packs: Sequence[Pack]) -> set[int]:
    """The places of packs that a merge carries over: full enough, or beside none that they fit.

    What stands before the first and behind the last is not known; it counts as full.
    """
    full = EVENTS_PER_PACK_MAX
    counts = [full, *[len(pack.masks) for pack in packs], full]
    return {
        place
        for place in range(len(packs))
        if (count := counts[place + 1]) >= CARRIED_EVENTS_MIN
        or all(
            one >= CARRIED_EVENTS_MIN or one + count > full
            for one in (counts[place], counts[place + 2])
        )
    }


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
            self.is_old = file.schema == tables.PARTS_1
            if not self.is_old and file.schema != tables.PARTS:
                raise ValueError("it holds other columns")
            self._batches = [file.get_batch(n) for n in range(file.num_record_batches)]
            for batch in self._batches:
                batch.validate(full=True)
            self._columns = [batch.columns for batch in self._batches]
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

    def pack(self, row: int, unpacker: Unpacker | None = None) -> Pack:
        """The pack of one row, checked. `unpacker`: of the caller's thread."""
        values = self.values(row)
        with naming(self._path):
            return tables.pack_of(values, unpacker)

    def values(self, row: int) -> tables.PartsRow:
        """One row as it stands in the file, checked."""
        with naming(self._path):
            nth = bisect_right(self._ends, row)
            return tables.values_of(self._columns[nth], row - (self._ends[nth - 1] if nth else 0))

    def indexes(self) -> NDArray[np.int64]:
        """The index of every event, in order."""
        with naming(self._path):
            rows = (tables.indexes_of(self.values(row)) for row in range(self.rows))
            return np.fromiter(chain.from_iterable(rows), np.int64)

    def words(self) -> list[tuple[pa.BinaryArray, NDArray[np.int64]]]:
        """Of each batch, in order, the `words` of its rows and their first indexes; not copied."""
        if self.is_old:
            return [(pa.array([b""] * self.rows, pa.binary()), self.firsts)]
        return [(batch.column(tables.WORDS), batch.column(0).to_numpy()) for batch in self._batches]

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
