"""One segment: its row, its two files, its events against the log, its columns against its events."""

from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from pathlib import Path
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from sealog.archive import blooms
from sealog.archive.classes import STATEMENTS, keep_of
from sealog.archive.columns import Row
from sealog.archive.columnwise import columns_of
from sealog.archive.joining import words_of
from sealog.archive.segments import Parts, Segment
from sealog.archive.tables import WORDS, PartsRow
from sealog.errors import Altered
from sealog.event.packs import Unpacker
from sealog.event.parts import EVENT_ENTRY, STATEMENT_ENTRY
from sealog.storage.files import digest_of
from sealog.storage.tables import row_digest
from sealog.verify.logs import Log, Step
from sealog.verify.moment import SegmentRow
from sealog.verify.opening import UNREADABLE, Unsealed, reading, tenant_named, unseal, within
from sealog.verify.report import Findings
from sealog.verify.sorting import Sorting

SEGMENTS = "state.db segments"
ROWS_AT_ONCE = 8_192
_COLUMNS = Row.__struct_fields__


class Listed(msgspec.Struct, frozen=True):
    """A segment as `state.db` lists it, and its folder relative to the data folder."""

    segment: Segment
    name: str
    ingested: tuple[int | None, int | None] | None = None
    """The first and the last time of arrival that its row names; None where it names none."""
    only: tuple[tuple[int, int], ...] | None = None
    """The indexes (both ends included) that it is looked at for; None: all that it holds."""

    @property
    def columns(self) -> str:
        """The Parquet file, relative to the data folder."""
        return f"{self.name}/{self.segment.columns_path.name}"

    @property
    def parts(self) -> str:
        """The Arrow file, relative to the data folder."""
        return f"{self.name}/{self.segment.parts_path.name}"

    @property
    def files(self) -> list[tuple[str, Path, int, bytes]]:
        """Name, path, size and SHA-256 of both files."""
        one = self.segment
        return [
            (self.columns, one.columns_path, one.columns_bytes, one.columns_digest),
            (self.parts, one.parts_path, one.parts_bytes, one.parts_digest),
        ]


def listed(row: SegmentRow, archive: Path) -> Listed:
    """A row with its place; `archive` is the tenant's folder there."""
    name = f"archive/{archive.name}/{row.kept}"
    segment = Segment(*row[:12], folder=archive / row.kept)
    ingested = row.first_ingested_us, row.last_ingested_us
    return Listed(segment, name, None if ingested == (None, None) else ingested)


def row_holds(row: SegmentRow) -> bool:
    """Whether a row of the list is what was written."""
    ingested = row.first_ingested_us, row.last_ingested_us
    # What never expires needs no more, and is hashed as it was before anything did.
    values = row[:12] if ingested == (None, None) else (*row[:12], *ingested)
    return row_digest("segments", *values) == row.digest


def missing(one: Listed) -> list[str]:
    """Which of a segment's files are not there."""
    return [name for name, path, _, _ in one.files if not path.is_file()]


def check_files(one: Listed, findings: Findings) -> bool:
    """Hold both files against what was noted when they were cut; say whether they are that."""
    sound = True
    for name, path, size, digest in one.files:
        try:
            found = path.stat().st_size
            if found != size:
                what = f"it has {found} bytes instead of {size}"
            elif digest_of(path) != digest:
                what = "its SHA-256 is not the one noted when it was cut"
            else:
                continue
        except FileNotFoundError:
            what = "it is missing"
        except OSError as error:
            what = f"it cannot be read: {error.strerror}"
        findings.fault(name, what, one.segment.first)
        sound = False
    return sound


def check(one: Listed, log: Log, sorting: Sorting, findings: Findings, step: Step) -> bool:
    """Check everything of a segment whose row holds; False where no event of it was looked at.

    A file that is not what was cut is named and read no further; its events stay unexplained.
    """
    if not check_files(one, findings):
        return False
    try:
        contents = _Contents(one, log, sorting, findings)
    except UNREADABLE as error:
        findings.fault(one.parts, str(error)[:500], one.segment.first)
        return False
    try:
        contents.check(step)
    except UNREADABLE as error:
        findings.fault(one.parts, str(error)[:500], one.segment.first)
    return True


class _Contents:
    """Walks a segment's events, and its columns beside them."""

    def __init__(self, one: Listed, log: Log, sorting: Sorting, findings: Findings) -> None:
        self._one = one
        self._log = log
        self._sorting = sorting
        self._findings = findings
        self._unpacker = Unpacker()
        self._rows: list[Row] = []
        self._compared = 0
        # Both are open before any event is looked at: a server may delete them meanwhile.
        self._parts = Parts(one.segment)
        self._columns: dict[str, Any] | None = self._open_columns()

    def check(self, step: Step) -> None:
        segment = self._one.segment
        first = last = -1
        times: list[int] = []
        arrivals: list[int] = []
        for unsealed in self._unsealed():
            if first < 0:
                first = unsealed.indexes[0]
                named = tenant_named(unsealed.pack, self._unpacker)
                self._sorting.belongs(self._one.parts, named, first)
            last = unsealed.indexes[-1]
            wanted = unsealed if self._one.only is None else within(unsealed, self._one.only)
            if wanted is not None:
                self._sorting.take(self._one.parts, wanted, self._log.at(wanted.indexes))
                step(len(wanted.indexes))
            found = columns_of(unsealed.pack, 0, self._unpacker)
            times = [min([*times, *found.at_us]), max([*times, *found.at_us])]
            arrivals = [min([*arrivals, *found.ingested_us]), max([*arrivals, *found.ingested_us])]
            self._rows += found.rows()
            if len(self._rows) >= ROWS_AT_ONCE:
                self._compare()
        self._compare()
        noted = (segment.first, segment.last, segment.count, segment.first_us, segment.last_us)
        if noted != (first, last, self._compared, *times):
            what = f"indexes, count or times of segment {segment.name} are not those of its events"
            self._findings.fault(SEGMENTS, what, segment.first)
        self._check_arrivals(arrivals)

    def _check_arrivals(self, arrivals: Sequence[int]) -> None:
        """Hold a row's times of arrival, by which it is to go, against those of its events."""
        segment, noted = self._one.segment, self._one.ingested
        if noted is not None and noted != tuple(arrivals):
            what = f"the times of arrival of segment {segment.name} are not those of its events"
            self._findings.fault(SEGMENTS, what, segment.first)
        if (noted is None) != (keep_of(segment.kept) is None):
            what = f"times of arrival are noted where a class expires: not so in {segment.kept}"
            self._findings.fault(SEGMENTS, what, segment.first)

    def _unsealed(self) -> Iterator[Unsealed]:
        last = -1
        parts = self._parts
        kept = self._one.segment.kept
        other = EVENT_ENTRY if kept == STATEMENTS else STATEMENT_ENTRY
        for row in range(parts.rows):
            try:
                unsealed = unseal(parts.pack(row), 0, self._unpacker)
                self._check_words(parts.values(row))
            except Altered as error:
                self._findings.fault(self._one.parts, f"row {row}: {error}")
                # What follows no longer stands beside its columns.
                self._columns = None
                continue
            if unsealed.indexes[0] <= last:
                what = "its indexes do not ascend from row to row"
                self._findings.fault(self._one.parts, what, unsealed.indexes[0])
            last = unsealed.indexes[-1]
            if other in unsealed.kinds:
                what = f"class {kept} is not where these events are kept"
                self._findings.fault(self._one.parts, what, unsealed.indexes[0])
            yield unsealed

    def _check_words(self, values: PartsRow) -> None:
        """Hold the words that a search looks at first against those of the events."""
        if values[WORDS] and values[WORDS] != words_of(values, self._unpacker):
            self._findings.fault(self._one.parts, "words are not those of its events", values[0])

    def _open_columns(self) -> dict[str, Any] | None:
        """The columns by name, None where they do not read. Raises where the file is gone."""
        one = self._one
        try:
            with (
                reading("it"),
                one.segment.columns_path.open("rb") as content,
                pq.ParquetFile(content, page_checksum_verification=True) as file,
            ):
                table = file.read(use_threads=False)
                held = {name: table.column(name).combine_chunks() for name in _COLUMNS}
                hiding = _hiding(file.metadata, held, content)
        except Altered as error:
            if not one.segment.columns_path.exists():
                raise
            self._findings.fault(one.columns, str(error), one.segment.first)
            return None
        for name in hiding:
            what = f"the bloom filter of {name} leaves out values that the column holds"
            self._findings.fault(one.columns, what, one.segment.first)
        if (table.num_rows, table.num_columns) != (one.segment.count, len(_COLUMNS)):
            what = (
                f"it holds {table.num_rows} rows of {table.num_columns} columns,"
                f" not {one.segment.count} of {len(_COLUMNS)}"
            )
            self._findings.fault(one.columns, what, one.segment.first)
        return held

    def _compare(self) -> None:
        """Hold the columns of the next rows against the rows that their parts give."""
        rows, self._rows = self._rows, []
        at, self._compared = self._compared, self._compared + len(rows)
        if self._columns is None or not rows:
            return
        for name in _COLUMNS:
            values = list(map(attrgetter(name), rows))
            difference = _difference(self._columns[name].slice(at, len(rows)), values)
            if difference is not None:
                what = f"column {name} is not what the event's parts say"
                self._findings.fault(self._one.columns, what, rows[difference].index)


def _hiding(metadata: Any, held: Mapping[str, Any], content: IO[bytes]) -> list[str]:
    """The columns whose bloom filter denies a value of theirs: no search would find it.

    Where a file has no filter everything is looked at.
    """
    found = []
    for name, (begin, length) in blooms.places_of(metadata).items():
        content.seek(begin)
        bits = blooms.bits_of(content.read(length))
        values = held[name]
        if pa.types.is_dictionary(values.type):
            values = values.dictionary
        for value in values.cast(pa.binary()).to_pylist():
            if not blooms.may_hold(bits, blooms.hash64(value)):
                found.append(name)
                break
    return found


def _difference(column: Any, values: Sequence[Any]) -> int | None:
    """The first place where a column differs from the values it should hold."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
        column = column.dictionary_decode()
    try:
        if column.equals(pa.array(values, kind)):
            return None
    except (pa.ArrowException, OverflowError, UnicodeEncodeError, TypeError):
        pass
    found = column.to_pylist()
    for place, value in enumerate(values):
        if place >= len(found) or found[place] != value:
            return place
    return None
