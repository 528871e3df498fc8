"""Looks for a word in every file of a folder, through every way in which bytes are wrapped there.

As they stand; in every zstd frame, whole or cut short, wherever one begins; in every value of Parquet
and Arrow files, their pages decompressed; in every value of SQLite's tables, and in every page of the
file and of its write-ahead log, free ones and old ones too, with what overflows from it.
"""

import shutil
import sqlite3
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import zstandard

MAGIC = b"\x28\xb5\x2f\xfd"
PAGE_BYTES = 4_096
WAL_HEADER_BYTES, FRAME_HEADER_BYTES = 32, 24
OVERFLOWING_MAX = 64
"""Pages that one value may go on through."""
OPENED_BYTES_MAX = 8 << 20


def found(folder: Path, word: bytes) -> set[str]:
    """The files that hold the word, by their names below the folder."""
    return {
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and holds(path, word)
    }


def holds(path: Path, word: bytes) -> bool:
    """Whether a file holds the word, wrapped in whatever way."""
    content = path.read_bytes()
    if _in(content, word):
        return True
    if path.name == "state.db":
        return _in_tables([path], word) or _in_pages(_pages(content), word)
    if path.name == "state.db-wal" and content:
        both = [path.with_name("state.db"), path]
        return _in_pages(_frames(content), word) or _in_tables(both, word)
    if path.suffix == ".parquet":
        return _in_table(pq.read_table(path), word)
    if path.suffix == ".arrow":
        return _in_table(pa.ipc.open_file(path).read_all(), word)
    return False


def _in(content: bytes, word: bytes) -> bool:
    """In the bytes as they are, or in any zstd frame among them."""
    if word in content:
        return True
    at = content.find(MAGIC)
    while at >= 0:
        if word in _opened(content[at : at + OPENED_BYTES_MAX]):
            return True
        at = content.find(MAGIC, at + 1)
    return False


def _opened(frame: bytes) -> bytes:
    """What a frame holds, as far as it goes."""
    opening = zstandard.ZstdDecompressor().decompressobj()
    opened = b""
    # In pieces: what is damaged further on is read up to there.
    for at in range(0, len(frame), PAGE_BYTES):
        try:
            opened += opening.decompress(frame[at : at + PAGE_BYTES])
        except zstandard.ZstdError:
            break
        if opening.eof or len(opened) > OPENED_BYTES_MAX:
            break
    return opened


def _in_table(table: pa.Table, word: bytes) -> bool:
    return any(
        _in(_flat(value), word) for column in table.columns for value in column.to_pylist() if value
    )


def _flat(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, list):
        return b"\0".join(map(_flat, value))
    return str(value).encode()


def _in_tables(paths: list[Path], word: bytes) -> bool:
    """In a value of any table; of copies, so that nothing of the files is touched."""
    with tempfile.TemporaryDirectory() as beside:
        for path in paths:
            shutil.copyfile(path, Path(beside) / path.name)
        connection = sqlite3.connect(Path(beside) / paths[0].name)
        try:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return any(
                _in(_flat(value), word)
                for (name,) in names.fetchall()
                for row in connection.execute(f"SELECT * FROM {name}")
                for value in row
                if value is not None
            )
        finally:
            connection.close()


def _pages(content: bytes) -> list[bytes]:
    return [content[at : at + PAGE_BYTES] for at in range(0, len(content), PAGE_BYTES)]


def _frames(content: bytes) -> list[bytes]:
    """The pages in a write-ahead log, those of old transactions too."""
    size = FRAME_HEADER_BYTES + PAGE_BYTES
    return [
        content[at + FRAME_HEADER_BYTES : at + size]
        for at in range(WAL_HEADER_BYTES, len(content), size)
    ]


def _in_pages(pages: list[bytes], word: bytes) -> bool:
    """In what begins in any page and goes on, after four bytes that name the next, in those behind."""
    return any(
        MAGIC in page
        and _in(page + b"".join(more[4:] for more in pages[n + 1 : n + OVERFLOWING_MAX]), word)
        for n, page in enumerate(pages)
    )
