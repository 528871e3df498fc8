"""A segment written as several, or as itself without some events: parts as they are, columns regrouped.

Packs whose events all go the same way are carried over to the byte; only others are opened. What is
read is held against the digests noted when it was cut. Nothing of what is left out is in the new
files: dictionaries are made anew. Memory: the columns of the segment, and a batch of parts.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import zstandard
from numpy.typing import NDArray

from sealog.archive import segments, tables
from sealog.archive.classes import keep_of
from sealog.archive.joining import (
    BATCH_BYTES,
    Draft,
    PartsWriter,
    Pause,
    Pile,
    blaming,
    write_columns,
)
from sealog.archive.segments import Parts, Segment
from sealog.errors import Altered
from sealog.event.packs import Packer, Unpacker
from sealog.storage import files

Places = NDArray[np.intp]


class Share(msgspec.Struct, frozen=True):
    """Some of a segment's events, and the class they go to."""

    kept: str
    places: Places
    """Their places in it, counted from 0, ascending, one at least."""


def split(
    segment: Segment, shares: Sequence[Share], folder_of: Callable[[str], Path], pause: Pause
) -> list[Segment]:
    """Write a segment of each share, durable; what is in no share is left out.

    `folder_of`: where a class is. Nothing relies on the new segments until they are listed. Raises
    `Unsound` where the segment is not what was cut; whatever is raised, no file is left.
    """
    work = _Split(segment, shares, folder_of)
    try:
        work.run(pause)
    except BaseException:
        work.discard()
        raise
    return work.done


class _Split:
    def __init__(
        self, segment: Segment, shares: Sequence[Share], folder_of: Callable[[str], Path]
    ) -> None:
        self.done: list[Segment] = []
        self._segment = segment
        self._shares = shares
        self._folder_of = folder_of
        self._open: dict[int, _Out] = {}
        self._owners = np.full(segment.count, -1, np.int32)
        for nth, share in enumerate(shares):
            self._owners[share.places] = nth
        # Few are written at a time, each for a class; together they hold a batch.
        classes = {share.kept for share in shares}
        self._batch_bytes = BATCH_BYTES // max(len(classes), 1)
        self._packer = Packer()
        self._unpacker = Unpacker()
        self._compress = zstandard.ZstdCompressor(level=1).compress

    def run(self, pause: Pause) -> None:
        segment = self._segment
        with blaming(segment):
            segment.check_parts()
            pause()
            table = segments.whole_columns(segment)
            parts = Parts(segment)
            if parts.is_old:
                raise Altered(f"{segment.parts_path} is of an older format: `sealog repair` it")
        indexes = table.column("index").to_numpy()
        at = 0
        for row in range(parts.rows):
            pause()
            with blaming(segment):
                values = parts.values(row)
                end = at + values[1]
                if list(tables.indexes_of(values)) != indexes[at:end].tolist():
                    raise Altered(f"{segment.parts_path} and its columns hold other events")
            self._take(values, self._owners[at:end])
            at = end
            for nth, out in list(self._open.items()):
                if self._shares[nth].places[-1] < at:
                    pause()
                    self.done.append(out.finish(table))
                    del self._open[nth]
        assert not self._open

    def discard(self) -> None:
        for out in self._open.values():
            out.discard()
        for segment in self.done:
            segment.columns_path.unlink(missing_ok=True)
            segment.parts_path.unlink(missing_ok=True)

    def _take(self, values: tables.PartsRow, owners: NDArray[np.int32]) -> None:
        """Hand a pack on, whole or in pieces."""
        several = np.unique(owners).tolist()
        if len(several) == 1:
            if several[0] >= 0:
                self._out(several[0]).pile.add(self._segment, values)
            return
        with blaming(self._segment), segments.naming(self._segment.parts_path):
            pack = tables.pack_of(values)
            for nth in several:
                if nth < 0:
                    continue
                places = np.flatnonzero(owners == nth).tolist()
                events = self._unpacker.some(pack, places)
                part = self._packer.pack(events, [pack.indexes[place] for place in places])
                self._out(nth).pile.add(self._segment, tables.parts_row(part, self._compress))

    def _out(self, nth: int) -> "_Out":
        out = self._open.get(nth)
        if out is None:
            share = self._shares[nth]
            folder = self._folder_of(share.kept)
            if not folder.is_dir():
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                files.sync_folder(folder.parent)
            out = self._open[nth] = _Out(self._segment, share, folder, self._batch_bytes)
        return out


class _Out:
    """A segment that is being written."""

    def __init__(self, source: Segment, share: Share, folder: Path, batch_bytes: int) -> None:
        self._source = source
        self._share = share
        # The name is not known before the first index and the last are; no two have the same places.
        name = f"{source.name}-{share.kept}-{share.places[0]}"
        self._draft = Draft(folder, name)
        self._writer = PartsWriter(self._draft.parts, batch_bytes)
        self._is_written = False
        self.pile = Pile(self._writer, is_worded=len(share.places) >= segments.WORDED_EVENTS_MIN)

    def finish(self, table: pa.Table) -> Segment:
        """Write the rest, and the columns, durable under the names of the new segment."""
        share, source = self._share, self._source
        with self._writer:
            self.pile.press()
        self._is_written = True
        some = _rows(table, share.places)
        write_columns(self._draft.columns, tables.columns_bytes(some))
        index, at, came = [some.column(name).to_numpy() for name in tables.TIMES]
        expires = keep_of(share.kept) is not None
        return self._draft.place(
            msgspec.structs.replace(
                source,
                kept=share.kept,
                first=int(index[0]),
                last=int(index[-1]),
                generation=source.generation + 1,
                count=len(index),
                first_us=int(at.min()),
                last_us=int(at.max()),
                first_ingested_us=int(came.min()) if expires else None,
                last_ingested_us=int(came.max()) if expires else None,
            )
        )

    def discard(self) -> None:
        """Leave nothing behind."""
        if not self._is_written:
            self._writer.close()
        self._draft.discard()


def _rows(table: pa.Table, places: Places) -> pa.Table:
    """Some rows, with dictionaries that hold nothing else."""
    some = table.take(pa.array(places))
    for nth, field in enumerate(some.schema):
        if pa.types.is_dictionary(field.type):
            texts = some.column(nth).combine_chunks().cast(pa.string())
            some = some.set_column(nth, field, pc.dictionary_encode(texts))
    return some.combine_chunks()
