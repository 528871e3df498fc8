"""The files that a receiver holds, opened: whatever they are compressed with or laid out as."""

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sealog.cli import pieces
from sealog.cli.pieces import Readable
from sealog.delivery import holding
from sealog.delivery.growing import PART
from sealog.delivery.holding import Unread
from sealog.errors import Misconfigured

CHUNK_BYTES = 1 << 18
ROWS_AT_ONCE = 1_000

UNREADABLE = (*pieces.DAMAGED, OSError, Unread, ValueError, csv.Error)
"""What a file that is damaged, or is something else, may make of its readers."""


def paths(files: Sequence[str]) -> list[Path | None]:
    """The files; of a folder all that are ended."""
    found: list[Path | None] = []
    for name in files:
        path = Path(name)
        if name == "-":
            found.append(None)
        elif path.is_dir():
            inner = sorted(one for one in path.rglob("*") if one.is_file())
            found += [one for one in inner if not one.name.endswith(PART)]
        elif path.is_file():
            found.append(path)
        else:
            raise Misconfigured(f"there is no {name}")
    if not found:
        raise Misconfigured(f"there is no file in {', '.join(files)} that is ended (not {PART})")
    return found


def values(path: Path | None) -> Iterator[bytes]:
    """The objects of a file, whatever it is compressed with or laid out as."""
    if path is None:
        yield from holding.values(_chunks(sys.stdin.buffer))
        return
    suffixes = [suffix for suffix in path.suffixes if suffix not in (".gz", ".zst", ".zstd")]
    if suffixes[-1:] == [".parquet"]:
        yield from _column(path)
        return
    with path.open("rb") as stream:
        file = pieces.plain(path, stream)
        if suffixes[-1:] == [".csv"]:
            yield from _cells(file)
        else:
            yield from holding.values(_chunks(file))


def _chunks(file: Readable) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def _cells(file: Any) -> Iterator[bytes]:
    """The events of an export as CSV."""
    csv.field_size_limit(holding.RECORD_BYTES_MAX)
    with io.TextIOWrapper(file, "utf-8", newline="") as text:
        rows = csv.DictReader(text)
        if "event" not in (rows.fieldnames or ()):
            raise Unread("it has no column event: only a CSV with whole events can be compared")
        for row in rows:
            yield str(row["event"]).encode()


def _column(path: Path) -> Iterator[bytes]:
    """The events of an export as Parquet."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        if "event" not in file.schema_arrow.names:
            raise Unread("it has no column event: only a file with whole events can be compared")
        for batch in file.iter_batches(ROWS_AT_ONCE, columns=["event"]):
            for event in batch.column(0).to_pylist():
                yield str(event).encode()
