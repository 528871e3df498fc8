"""Reading the columns of segments, with what was asked last kept in memory, decoded."""

import hashlib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from sealog.archive import blooms
from sealog.archive.segments import Parts, Segment, naming

FOOTERS_MAX = 2_048
KEPT_BYTES_MAX = 64 << 20
BLOOMS_SHARE = 4
"""One in so many of the bytes kept is for bloom filters."""
PARTS_OPEN_MAX = 512
"""Each costs some kilobytes; opening one anew costs as much as opening five packs."""
_BYTE_CODES = 1 << 8
_SHORT_CODES = 1 << 16

Codes: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.int32]


class Text(msgspec.Struct, frozen=True):
    """A text column: its different values, and of each row the place of its value among them."""

    values: Any
    """A pyarrow string array."""
    codes: Codes


class _Footer(msgspec.Struct, frozen=True):
    metadata: Any
    """What pyarrow read of it."""
    blooms: dict[str, tuple[int, int]]
    """Column → where in the file its bloom filter stands: begin and length."""


class Kept:
    """Values by key, up to so many bytes; the one asked for longest ago goes first."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()
        self.bytes = 0

    def get(self, key: Hashable) -> Any:
        """The value, None where there is none."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: Any, size: int) -> None:
        """Keep a value of so many bytes, unless it alone would drive out most others."""
        if size > self._bytes_max // 4:
            return
        with self._lock:
            if key in self._values:
                return
            self._values[key] = (value, size)
            self.bytes += size
            while self.bytes > self._bytes_max:
                _, (_, gone) = self._values.popitem(last=False)
                self.bytes -= gone


class Shelf:
    """Reads the columns of segments; may be shared by threads.

    It keeps footers, bloom filters and decoded columns of what was asked last. A `ParquetFile` is
    made for every read: one that two threads share crashes the interpreter.
    """

    def __init__(
        self, footers_max: int = FOOTERS_MAX, kept_bytes_max: int = KEPT_BYTES_MAX
    ) -> None:
        self._footers_max = footers_max
        # By the digest of the file. Read without the lock, changed with it.
        self._footers: dict[bytes, _Footer] = {}
        self._lock = threading.Lock()
        # Columns MUST NOT drive out bloom filters: without those every segment is read.
        self.kept = Kept(kept_bytes_max - kept_bytes_max // BLOOMS_SHARE)
        self._blooms = Kept(kept_bytes_max // BLOOMS_SHARE)
        # By the digest of the file, with who has them go.
        self._parts: OrderedDict[bytes, tuple[Parts, weakref.ref[Segment]]] = OrderedDict()

    def holding(self, segment: Segment, columns: Sequence[str], hashed: int) -> list[str]:
        """Those of the columns that may hold the value with this `blooms.hash64`.

        A column without a bloom filter may hold anything.
        """
        places = self._footer(segment).blooms
        return [
            name
            for name in columns
            if name not in places or blooms.may_hold(self._bits(segment, name), hashed)
        ]

    def texts(self, segment: Segment, names: Sequence[str]) -> list[Text]:
        """Text columns, in the order asked for."""
        return self._columns(segment, names, _text)

    def numbers(self, segment: Segment, name: str) -> NDArray[np.int64]:
        """A column of numbers; -1 where a status is not there, an id as its 8 bytes."""
        if name == "index" and segment.last - segment.first == segment.count - 1:
            return np.arange(segment.first, segment.last + 1, dtype=np.int64)
        numbers: NDArray[np.int64]
        (numbers,) = self._columns(segment, [name], _number)
        return numbers

    def parts(self, segment: Segment) -> Parts:
        """The parts of a segment. Those asked for last stay open, unless their segment goes."""
        digest = segment.parts_digest
        found = self._parts.get(digest)
        if found is not None:
            return found[0]
        parts = Parts(segment)
        # A file that was replaced MUST NOT be held: its disk space, and what was erased in it.
        gone = weakref.ref(segment, lambda _: self._parts.pop(digest, None))
        self._parts[digest] = parts, gone
        while len(self._parts) > PARTS_OPEN_MAX:
            with suppress(KeyError):
                self._parts.popitem(last=False)
        return parts

    def _columns(
        self, segment: Segment, names: Sequence[str], decode: Callable[[Any], Any]
    ) -> list[Any]:
        digest = segment.columns_digest
        found = {name: self.kept.get((digest, name)) for name in names}
        missing = [name for name, one in found.items() if one is None]
        if missing:
            with naming(segment.columns_path):
                for name, column in zip(missing, self._read(segment, missing), strict=True):
                    one = found[name] = decode(column)
                    self.kept.put((digest, name), one, _size(one))
        return [found[name] for name in names]

    def _read(self, segment: Segment, names: Sequence[str]) -> list[Any]:
        metadata = self._footer(segment).metadata
        with (
            pa.OSFile(str(segment.columns_path)) as source,
            pq.ParquetFile(source, metadata=metadata, page_checksum_verification=True) as file,
        ):
            table = file.read_row_group(0, columns=list(names), use_threads=False)
        if table.num_rows != segment.count:
            raise ValueError(f"{table.num_rows} rows instead of {segment.count}")
        return [table.column(name).chunk(0) for name in names]

    def _bits(self, segment: Segment, name: str) -> bytes:
        key = (segment.columns_digest, name)
        found: bytes | None = self._blooms.get(key)
        if found is None:
            begin, length = self._footer(segment).blooms[name]
            with naming(segment.columns_path), segment.columns_path.open("rb") as file:
                file.seek(begin)
                found = blooms.bits_of(file.read(length))
            self._blooms.put(key, found, len(found))
        return found

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
    return _Footer(metadata, blooms.places_of(metadata))


def _text(column: Any) -> Text:
    values, codes = column.dictionary, column.indices.to_numpy()
    if codes.max() >= len(values):
        raise ValueError("a column names more values than it holds")
    # Few values need few bits: more columns are kept, and compared sooner.
    if len(values) <= _BYTE_CODES:
        codes = codes.astype(np.uint8)
    elif len(values) <= _SHORT_CODES:
        codes = codes.astype(np.uint16)
    return Text(values, codes)


def _number(column: Any) -> NDArray[np.int64]:
    if pa.types.is_fixed_size_binary(column.type):
        bits = column.buffers()[1]
        found: NDArray[np.int64] = np.frombuffer(bits, "<i8", len(column), column.offset * 8)
        return found
    filled = column.fill_null(-1) if column.null_count else column
    numbers: NDArray[np.int64] = filled.cast(pa.int64()).to_numpy()
    return numbers


def _size(one: Any) -> int:
    if isinstance(one, Text):
        return int(one.values.nbytes) + one.codes.nbytes
    return int(one.nbytes)
