"""What events look like in each format, and what stands before and after them in a file."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import msgspec

from sealog.errors import Refused
from sealog.event.moulds import Derive
from sealog.event.packs import Pack, Unpacker
from sealog.exports.columns import COLUMNS, NUMBERS, TIMES, Row, at_us, rows
from sealog.rendering.rendering import ECS, ECS_VERSIONS, Renderer

FORMATS = ("ndjson", "csv", "parquet")
MEDIA_TYPES = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
}
GROUP_EVENTS = 16_384
GROUP_BYTES = 16 << 20
"""A row group of Parquet holds no more than this, in memory and in the file."""

# A spreadsheet takes what begins so for a formula; after a quote too, in those that strip quotes.
_FORMULA = re.compile(r'"?[=+\-@\t\r]')
_QUOTED = re.compile(r'[",\r\n]')
# The same in cells that begin with a NUL each: ten looks cost less than one pattern (measured).
_ODD = ('"', ",", "\r", "\n", "\0=", "\0+", "\0-", "\0@", "\0\t")


class Form(msgspec.Struct, frozen=True):
    """A format, of CSV and Parquet the columns, in order, and whose shape each event has."""

    name: str
    columns: tuple[str, ...] = COLUMNS
    dialect: str = ECS
    ecs_version: str = ECS_VERSIONS[0]

    @property
    def is_native(self) -> bool:
        """Whether events are written as the columns are read from them."""
        return (self.dialect, self.ecs_version) == (ECS, ECS_VERSIONS[0])

    def __post_init__(self) -> None:
        """Refuse what is no format."""
        if self.name not in FORMATS:
            raise Refused(f"a format is one of {', '.join(FORMATS)}", code="bad-format")


Piece = tuple[Pack, int, Sequence[int] | None]
"""A pack, the index from which it counts, and the places that are wanted of it (None: all)."""


class Writer:
    """Writes events in a form: made once for all that is written, because it remembers what it saw."""

    def __init__(self, form: Form, derive: Derive | None = None) -> None:
        """`derive`: what follows from each event."""
        self._form = form
        shaped = Renderer(form.dialect, ecs_version=form.ecs_version, derive=derive)
        self._shaped = None if form.is_native else shaped
        self._native = shaped if form.is_native else Renderer(ECS, derive=derive)

    def write(self, pieces: Iterable[Piece]) -> bytes:
        """Lines of NDJSON or CSV, or a batch of Parquet's rows as an Arrow stream.

        Raises `Altered` for a pack that does not open.
        """
        unpacker = Unpacker()
        if self._shaped is None:
            return of_lines(self._form, _lines(self._native, pieces, unpacker))
        if self._form.name == "ndjson":
            return _lines(self._shaped, pieces, unpacker)
        pieces = list(pieces)
        events = _lines(self._shaped, pieces, unpacker)
        return of_lines(self._form, _lines(self._native, pieces, unpacker), events)


def _lines(renderer: Renderer, pieces: Iterable[Piece], unpacker: Unpacker) -> bytes:
    return b"".join([renderer.lines(pack, base, unpacker, where) for pack, base, where in pieces])


def of_lines(form: Form, lines: bytes, events: bytes | None = None) -> bytes:
    """The same, of events in ECS as NDJSON.

    `events`: the same events as they are to stand in the file, where that is another shape.
    """
    if form.name == "ndjson":
        return lines if events is None else events
    found: Iterable[Row] = rows(lines)
    if events is not None:
        found = _shaped(found, events)
    return (_csv if form.name == "csv" else _arrow)(form, found)


def _shaped(found: Iterable[Row], events: bytes) -> Iterator[Row]:
    texts = events.decode("utf-8", "replace").split("\n")[:-1]
    for row, text in zip(found, texts, strict=True):
        yield (*row[:-1], text)


def _csv(form: Form, found: Iterable[Row]) -> bytes:
    if form.columns != COLUMNS:
        found = _narrowed(found, form.columns)
    return csv_lines(found)


def csv_lines(found: Iterable[Sequence[Any]]) -> bytes:
    """Rows as RFC 4180 has them. A cell that a spreadsheet would compute begins with `'`.

    Not the library's writer: it takes 30 us for an event's JSON, a character at a time (measured).
    """
    # A row that is one empty cell would be no row to a reader.
    lines = [_line(row) or '""' for row in found]
    return "".join([line + "\r\n" for line in lines]).encode("utf-8", "replace")


def _line(row: Sequence[Any]) -> str:
    """A row; its cells but the last, which is an event's JSON nearly always, are judged together."""
    *cells, last = row
    texts = ["" if cell is None else cell if type(cell) is str else str(cell) for cell in cells]
    joined = "\0".join(["", *texts])
    for odd in _ODD:
        if odd in joined:
            return ",".join(map(_cell, row))
    if joined.count("\0") != len(texts):
        return ",".join(map(_cell, row))
    return (joined.replace("\0", ",") + "," + _cell(last))[1:]


def _cell(value: Any) -> str:
    if type(value) is not str:
        return "" if value is None else str(value)
    text: str = "'" + value if _FORMULA.match(value) else value
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def _narrowed(found: Iterable[Row], columns: Sequence[str]) -> Iterable[Row]:
    places = [COLUMNS.index(name) for name in columns]
    return [tuple([row[place] for place in places]) for row in found]


def _arrow(form: Form, found: Iterable[Row]) -> bytes:
    import pyarrow as pa  # noqa: PLC0415 - only Parquet pays for it

    schema = schema_of(form)
    columns = list(zip(*found, strict=True))
    arrays = []
    for field in schema:
        values: Sequence[Any] = columns[COLUMNS.index(field.name)]
        if field.name in TIMES:
            values = list(map(at_us, values))
        arrays.append(pa.array(values, field.type))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as stream:
        stream.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
    content: bytes = sink.getvalue().to_pybytes()
    return content


def schema_of(form: Form) -> Any:
    """The Arrow schema of the columns of a form."""
    import pyarrow as pa  # noqa: PLC0415

    kinds = {name: pa.timestamp("us", tz="UTC") for name in TIMES}
    kinds |= {"index": pa.int64(), "status": pa.int32()}
    return pa.schema(
        [
            pa.field(name, kinds.get(name, pa.string()), nullable=name != "index")
            for name in form.columns
        ],
        metadata={"sealog.export": "1"},
    )


assert set(FORMATS) == set(MEDIA_TYPES)
assert COLUMNS[-1] == "event"
assert set(NUMBERS) < set(COLUMNS)


class Sink(Protocol):
    """Where a file is written, from its beginning to its end."""

    def write(self, content: bytes) -> int:
        """Add bytes."""
        ...


class Document(Protocol):
    """A file being written."""

    def add(self, content: bytes) -> None:
        """Add what `write` or `of_lines` gave."""
        ...

    def end(self) -> None:
        """Write what stands after the last event."""
        ...


def document(form: Form, sink: Sink) -> Document:
    """Begin a file."""
    return _Parquet(form, sink) if form.name == "parquet" else _Text(form, sink)


class _Text:
    def __init__(self, form: Form, sink: Sink) -> None:
        self._sink = sink
        if form.name == "csv":
            sink.write(csv_lines([form.columns]))

    def add(self, content: bytes) -> None:
        self._sink.write(content)

    def end(self) -> None:
        pass


class _Parquet:
    """Row groups of a bounded size: what waits for one is all that is in memory."""

    def __init__(self, form: Form, sink: Sink) -> None:
        import pyarrow.parquet as pq  # noqa: PLC0415

        self._batches: list[Any] = []
        self._events = self._bytes = 0
        wide = {"event", "message", "id"}
        self._writer = pq.ParquetWriter(
            sink,
            schema_of(form),
            compression="zstd",
            use_dictionary=[name for name in form.columns if name not in wide],
            write_page_checksum=True,
        )

    def add(self, content: bytes) -> None:
        import pyarrow as pa  # noqa: PLC0415

        for batch in pa.ipc.open_stream(content):
            self._batches.append(batch)
            self._events += batch.num_rows
            self._bytes += batch.nbytes
        if self._events >= GROUP_EVENTS or self._bytes >= GROUP_BYTES:
            self._write()

    def end(self) -> None:
        self._write()
        self._writer.close()

    def _write(self) -> None:
        import pyarrow as pa  # noqa: PLC0415

        if self._batches:
            table = pa.Table.from_batches(self._batches)
            self._writer.write_table(table, row_group_size=len(table))
            self._batches.clear()
            self._events = self._bytes = 0
