"""Several neighbouring segments written as one: columns through their dictionaries, parts as they are.

No event is decoded. Packs that are full enough are carried over, smaller neighbours are compressed
together. What is read is held against the digests noted when it was cut, so that a merge never
gives a new digest to what was altered. Memory: the columns of all sources, one batch of parts.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec
import numpy as np
import pyarrow as pa
import zstandard
from numpy.typing import NDArray

from sealog.archive import segments, tables
from sealog.archive.segments import Parts, Segment
from sealog.errors import Altered, Corrupt
from sealog.event.packs import EVENTS_PER_PACK_MAX, JOINED_BYTES_MAX, Pack, Packer, Unpacker
from sealog.event.parts import PART_NAMES
from sealog.storage import files

ZSTD_LEVEL = 1
"""Of small packs compressed together. Measured with packs of 50 events: 166 bytes an event at levels
1 and 3; 163 at 6 for 7 more microseconds an event, 160 at 9 for 10 more."""
BATCH_BYTES = 8 << 20
"""Parts are written, and made durable, so many at once: the disk is never kept busy for long."""

_FRAMES = slice(tables.PARTS.get_field_index(PART_NAMES[0]), tables.WORDS)

Pause = Callable[[], None]
"""Called between small steps; it may wait, and ends the work by raising."""


class Unsound(Exception):
    """A source that is not what was cut; it MUST be left alone."""

    def __init__(self, segment: Segment, error: Corrupt) -> None:
        super().__init__(str(error))
        self.segment = segment
        self.error = error


def join(sources: Sequence[Segment], pause: Pause) -> Segment:
    """Write one segment of the events of several, in order, of one tenant and class; durable.

    Nothing relies on it until it is listed. Raises `Unsound` for the source at fault; whatever is
    raised, no file is left.
    """
    first = sources[0]
    came = [one.first_ingested_us for one in sources], [one.last_ingested_us for one in sources]
    generation = 1 + max(source.generation for source in sources)
    name = f"{first.first}-{sources[-1].last}-{generation}"
    with draft(first.folder, name) as files_of:
        columns = _join_columns(sources, files_of.columns, pause)
        pause()
        _join_parts(sources, files_of, columns, pause)
        return files_of.place(
            msgspec.structs.replace(
                first,
                last=sources[-1].last,
                generation=generation,
                count=sum(source.count for source in sources),
                first_us=min(source.first_us for source in sources),
                last_us=max(source.last_us for source in sources),
                first_ingested_us=min((at for at in came[0] if at is not None), default=None),
                last_ingested_us=max((at for at in came[1] if at is not None), default=None),
            )
        )


class Draft:
    """Both files of a segment under names of their own, until `place`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self.columns = folder / (name + segments.COLUMNS_SUFFIX + ".new")
        self.parts = folder / (name + segments.PARTS_SUFFIX + ".new")

    def place(self, segment: Segment) -> Segment:
        """Make both durable under the names of `segment`; the segment with their digests."""
        placed = msgspec.structs.replace(
            segment,
            columns_bytes=self.columns.stat().st_size,
            columns_digest=files.digest_of(self.columns),
            parts_bytes=self.parts.stat().st_size,
            parts_digest=files.digest_of(self.parts),
            folder=self._folder,
        )
        self.columns.replace(placed.columns_path)
        self.parts.replace(placed.parts_path)
        files.sync_folder(self._folder)
        return placed

    def discard(self) -> None:
        """Leave nothing behind."""
        self.columns.unlink(missing_ok=True)
        self.parts.unlink(missing_ok=True)


@contextmanager
def draft(folder: Path, name: str) -> Iterator[Draft]:
    """A draft that leaves nothing behind where the block raises."""
    it = Draft(folder, name)
    try:
        yield it
    except BaseException:
        it.discard()
        raise


class PartsWriter:
    """Writes rows of a parts file in batches, each durable before the next."""

    def __init__(self, path: Path, batch_bytes: int | None = None) -> None:
        self._batch_bytes = batch_bytes or BATCH_BYTES
        self._file: IO[bytes] = path.open("wb")
        self._writer = pa.ipc.new_file(self._file, tables.PARTS)
        self._rows: list[tables.PartsRow] = []
        self._bytes = 0

    def add(self, row: tables.PartsRow) -> None:
        """Add the next row."""
        self._rows.append(row)
        self._bytes += sum([len(value) for value in row if isinstance(value, bytes)])
        if self._bytes >= self._batch_bytes:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_batch(tables.parts_batch(self._rows))
            self._file.flush()
            os.fdatasync(self._file.fileno())
        self._rows, self._bytes = [], 0

    def close(self) -> None:
        """Give up; the file is left as it is."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Write the rest and the footer, durable; after an error leave the file as it is."""
        with self._file:
            if error is None:
                self._flush()
                self._writer.close()
                self._file.flush()
                os.fsync(self._file.fileno())


def write_columns(path: Path, content: pa.Buffer) -> None:
    """Write a columns file, durable but for its name."""
    with path.open("wb") as file:
        file.write(memoryview(content))
        file.flush()
        os.fsync(file.fileno())


def _join_columns(sources: Sequence[Segment], path: Path, pause: Pause) -> list[NDArray[np.int64]]:
    """Write the columns of all; the indexes that the columns of each source name."""
    read = []
    for source in sources:
        pause()
        with blaming(source):
            read.append(segments.whole_columns(source))
    joined = tables.columns_joined(read)
    pause()
    write_columns(path, tables.columns_bytes(joined))
    return [table.column("index").to_numpy() for table in read]


def _join_parts(
    sources: Sequence[Segment], files_of: Draft, columns: Sequence[NDArray[np.int64]], pause: Pause
) -> None:
    with PartsWriter(files_of.parts) as writer:
        is_worded = sum(source.count for source in sources) >= segments.WORDED_EVENTS_MIN
        pile = Pile(writer, is_worded=is_worded)
        for source, indexes in zip(sources, columns, strict=True):
            with blaming(source):
                pause()
                source.check_parts()
                _take_in(source, indexes, pile, pause)
        pile.press()


def _take_in(source: Segment, indexes: NDArray[np.int64], pile: "Pile", pause: Pause) -> None:
    parts = Parts(source)
    if parts.is_old:
        # Its columns are of another kind: as part of a new segment nobody would see that any more.
        raise Altered(f"{source.parts_path} is of an older format: `sealog repair` brings it along")
    held: list[Sequence[int]] = []
    for row in range(parts.rows):
        pause()
        values = parts.values(row)
        held.append(tables.indexes_of(values))
        pile.add(source, values)
    found = np.fromiter(chain.from_iterable(held), np.int64)
    if not np.array_equal(found, indexes):
        raise Altered(f"{source.parts_path} and its columns hold other events")


class Pile:
    """Packs on their way into a parts file; those too small to stand alone wait until they are enough."""

    def __init__(self, writer: PartsWriter, *, is_worded: bool) -> None:
        self._writer = writer
        self._is_worded = is_worded
        self._packer = Packer(ZSTD_LEVEL)
        self._unpacker = Unpacker()
        self._compress = zstandard.ZstdCompressor(level=1).compress
        self._small: list[tuple[Segment, tables.PartsRow]] = []
        self._events = self._bytes = 0

    def add(self, source: Segment, values: tables.PartsRow) -> None:
        """Add the next pack, of a segment that is to blame for what is wrong with it."""
        count, size = values[1], _content_bytes(values)
        is_carried = count >= segments.CARRIED_EVENTS_MIN or size > JOINED_BYTES_MAX
        if (
            is_carried
            or self._events + count > EVENTS_PER_PACK_MAX
            or self._bytes + size > JOINED_BYTES_MAX
        ):
            self.press()
        if is_carried:
            self._write(source, values)
            return
        self._small.append((source, values))
        self._events += count
        self._bytes += size

    def press(self) -> None:
        """Write what is piled up as one pack."""
        if len(self._small) == 1:
            self._write(*self._small[0])
        elif self._small:
            source = self._small[0][0]
            packs = [tables.pack_of(values, self._unpacker) for _, values in self._small]
            indexes = tuple(chain.from_iterable([pack.indexes for pack in packs]))
            pack: Pack = msgspec.structs.replace(self._packer.merge(packs), indexes=indexes)
            self._write(source, tables.parts_row(pack, self._compress))
        self._small, self._events, self._bytes = [], 0, 0

    def _write(self, source: Segment, values: tables.PartsRow) -> None:
        if self._is_worded and not values[tables.WORDS]:
            with blaming(source):
                values = tables.with_words(values, words_of(values, self._unpacker))
        self._writer.add(values)


def _content_bytes(values: tables.PartsRow) -> int:
    frames = values[_FRAMES]
    return sum([zstandard.frame_content_size(frame) for frame in frames if frame])


def words_of(values: tables.PartsRow, unpacker: Unpacker) -> bytes:
    """What stands in `words` of a row of a parts file, made from its events. Raises `Altered`."""
    return tables.words_of(tables.pack_of(values, unpacker), unpacker)


@contextmanager
def blaming(source: Segment) -> Iterator[None]:
    """Raise what goes wrong inside as what is wrong with a segment."""
    try:
        yield
    except Corrupt as error:
        raise Unsound(source, error) from error
