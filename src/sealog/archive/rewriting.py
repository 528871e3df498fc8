"""A segment written anew as its next generation, its columns derived again from its parts.

So a damaged columns file is repaired, and an older format brought along. Parts are carried over to
the byte; a row at a time is in memory, and the columns.
"""

from collections.abc import Callable

import msgspec
import pyarrow as pa

from sealog.archive import tables
from sealog.archive.columnwise import Columns, columns_of
from sealog.archive.joining import Draft, PartsWriter, draft, write_columns
from sealog.archive.segments import Parts, Segment, naming
from sealog.event.packs import Unpacker

ROWS_AT_ONCE = 8_192

Step = Callable[[int], None]
"""Told of how many events were just done; ends the work by raising."""


def rewrite(segment: Segment, step: Step = lambda _: None) -> Segment:
    """Write the next generation of a segment, durable; nothing relies on it until it is listed.

    Raises `Altered` or `Truncated` unless its parts file is what was cut. The columns file may be
    anything, or missing.
    """
    segment.check_parts()
    generation = segment.generation + 1
    with draft(segment.folder, f"{segment.first}-{segment.last}-{generation}") as files_of:
        joined = _copy(segment, files_of, step)
        write_columns(files_of.columns, tables.columns_bytes(joined))
        return files_of.place(msgspec.structs.replace(segment, generation=generation))


def _copy(segment: Segment, files_of: Draft, step: Step) -> pa.Table:
    """Copy the parts; the columns that follow from them."""
    parts = Parts(segment)
    done: list[pa.Table] = []
    several: list[Columns] = []
    waiting = 0
    unpacker = Unpacker()
    with PartsWriter(files_of.parts) as writer:
        for number in range(parts.rows):
            values = parts.values(number)
            writer.add(values)
            with naming(segment.parts_path):
                several.append(columns_of(tables.pack_of(values), 0, unpacker))
            waiting += values[1]
            step(values[1])
            if waiting >= ROWS_AT_ONCE:
                done.append(tables.columns_table(Columns.joined(several)))
                several, waiting = [], 0
    if several:
        done.append(tables.columns_table(Columns.joined(several)))
    return tables.columns_joined(done)
