"""A file of records cut into requests, with identical records counted over the whole file."""

import gzip
import hashlib
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import msgspec
import zstandard
from msgspec import Raw

from sealog.errors import Refused
from sealog.wire import framing, objects

RECORDS_PER_REQUEST = 1_000
BYTES_PER_REQUEST = 4 << 20
_LOOK_BYTES = 1 << 16
_ZSTD_PIECE_BYTES = 1 << 16
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError)
"""What reading a compressed file that is not whole raises."""
_ARRAY = msgspec.json.Decoder(list[Raw])


class Readable(Protocol):
    """A stream of bytes, compressed before or not."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes; all that is left without it."""
        ...


class Piece(msgspec.Struct):
    """One request's worth of a file."""

    body: bytes
    framing: str
    repeats: dict[int, int]
    """Place in the request → how many identical records came before it in the file."""
    first: int
    """The 0-based number, in the file, of the piece's first record."""
    count: int


def cut(path: Path | None, stream: BinaryIO) -> Iterator[Piece]:
    """Cut a file (`stream`; `path` only tells its compression) into pieces.

    Lines are streamed; a file of another shape is read whole. A file that no cut fits goes as one
    piece: what is wrong with it is the server's to say. Raises `Refused` where a compressed file is
    not whole; pieces from before that place may have been given already.
    """
    try:
        yield from _cut(plain(path, stream))
    except DAMAGED as error:
        raise Refused(f"{path} is truncated or corrupt: {error}") from error


def _cut(source: Readable) -> Iterator[Piece]:
    head = source.read(_LOOK_BYTES)
    kind = framing.detect(head.removeprefix(b"\xef\xbb\xbf"))
    if kind == "ndjson":
        yield from _pieces(_lines(head, source), "ndjson")
        return
    whole = head + source.read()
    kind = framing.detect(whole.removeprefix(b"\xef\xbb\xbf"))
    if len(whole) <= BYTES_PER_REQUEST:
        yield Piece(whole, kind, {}, 0, 0)
        return
    if kind == "ndjson":
        yield from _pieces(whole.splitlines(), "ndjson")
    elif kind == "json" and whole.lstrip()[:1] == b"[":
        yield from _pieces(map(bytes, _elements(whole)), "array")
    elif kind == "csv":
        yield Piece(whole, kind, {}, 0, 0)
    else:
        yield from _objects(whole, kind)


def plain(path: Path | None, stream: BinaryIO) -> Readable:
    """A file's own bytes, by its suffix: .gz, .zst or .zstd. One cut short raises, see `DAMAGED`."""
    suffix = "" if path is None else path.suffix
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=stream)
    if suffix in (".zst", ".zstd"):
        return io.BufferedReader(_Frames(stream), _LOOK_BYTES)
    return stream


class _Frames(io.RawIOBase):
    """The plain bytes of zstd frames, one after the other. A frame cut short is an `EOFError`.

    zstandard's own reader gives what there is of such a frame and says nothing.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._inflater: zstandard.ZstdDecompressionObj | None = None
        self._taken = self._plain = b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any, /) -> int:
        while not self._plain:
            taken = self._taken or self._stream.read(_ZSTD_PIECE_BYTES)
            if not taken:
                if self._inflater is not None:
                    raise EOFError("the last frame has no end")
                return 0
            inflater = self._inflater or zstandard.ZstdDecompressor().decompressobj()
            self._plain = inflater.decompress(taken)
            self._taken = inflater.unused_data
            self._inflater = None if inflater.eof else inflater
        count = min(len(into), len(self._plain))
        into[:count], self._plain = self._plain[:count], self._plain[count:]
        return count


def _lines(head: bytes, rest: Readable) -> Iterator[bytes]:
    held = head
    while True:
        more = rest.read(BYTES_PER_REQUEST)
        lines = (held + more).split(b"\n")
        held = lines.pop() if more else b""
        yield from lines
        if not more:
            return


def _objects(whole: bytes, kind: str) -> Iterator[Piece]:
    """Objects one after the other; a single one, such as a hits envelope, goes whole."""
    found = objects.spans(whole)
    first, second = next(found, None), next(found, None)
    if first is None or second is None:
        yield Piece(whole, kind, {}, 0, 0)
        return
    spans = chain((first, second), found)
    yield from _pieces((whole[span.begin : span.end] for span in spans), "concatenated")


def _elements(whole: bytes) -> Iterable[Raw]:
    try:
        return _ARRAY.decode(whole)
    except msgspec.DecodeError:
        return [Raw(whole)]


def _pieces(records: Iterable[bytes], kind: str) -> Iterator[Piece]:
    seen: Counter[bytes] = Counter()
    held: list[bytes] = []
    repeats: dict[int, int] = {}
    size = first = 0
    for record in records:
        text = record.strip()
        if not text:
            continue
        if held and (len(held) >= RECORDS_PER_REQUEST or size + len(text) > BYTES_PER_REQUEST):
            yield _piece(held, kind, repeats, first)
            first += len(held)
            held, repeats, size = [], {}, 0
        mark = hashlib.blake2b(text, digest_size=16).digest()
        if seen[mark]:
            repeats[len(held)] = seen[mark]
        seen[mark] += 1
        held.append(text)
        size += len(text)
    if held:
        yield _piece(held, kind, repeats, first)


def _piece(records: list[bytes], kind: str, repeats: dict[int, int], first: int) -> Piece:
    if kind == "array":
        return Piece(b"[" + b",".join(records) + b"]", "json", repeats, first, len(records))
    return Piece(b"\n".join(records) + b"\n", kind, repeats, first, len(records))
