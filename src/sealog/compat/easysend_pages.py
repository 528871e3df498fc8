"""The body of an answer, piece by piece: an array of pages, each of up to 10,000 logs (ES-31, ES-33).

    [{"pageNumber": 1, "results": 10000, "securityLogs": [{…}, …]}, {"pageNumber": 2, …}]

How many logs there are is known before the first is written, so that every page says its own number.
Whoever is cut off before the end holds no JSON.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from sealog.archive.packwise import Piece
from sealog.errors import Truncated
from sealog.event.packs import Pack, Unpacker, content_bytes

PAGE_LOGS = 10_000
BATCH_LOGS = 500
"""So many are written at once: some milliseconds of work, and less than a megabyte."""
BATCH_BYTES = 1 << 20
"""Of stored parts; where events are larger, fewer are written at once."""
EMPTY = b"[]"


class Lines(Protocol):
    """Writes the events of a pack, each on a line, in any thread; see `rendering.Renderer`."""

    def lines(
        self, pack: Pack, base: int, unpacker: Unpacker, places: Sequence[int] | None = None
    ) -> bytes:
        """All of them, or those at some places."""
        ...


class Written(msgspec.Struct, frozen=True):
    """A piece of the body."""

    logs: int
    text: bytes


def pages_of(count: int) -> int:
    """How many pages there are of so many logs."""
    return -(-count // PAGE_LOGS)


def written(found: Iterable[Piece], count: int, lines: Lines) -> Iterator[Written]:
    """The body of `count` logs, which `found` MUST hold. Raises `Truncated` where there are fewer."""
    if not count:
        yield Written(0, EMPTY)
        return
    unpacker = Unpacker()
    given = 0
    for batch in _batches(found):
        logs = sum([piece.count for piece in batch])
        begin = b"," if given % PAGE_LOGS else _head(given, count)
        given += logs
        assert given <= count
        end = b"" if given % PAGE_LOGS and given < count else b"]}"
        text = b"".join([lines.lines(one.pack, one.base, unpacker, one.places) for one in batch])
        inner = text.removesuffix(b"\n").replace(b"\n", b",")
        yield Written(logs, b"".join([begin, inner, end, b"]" if given == count else b""]))
    if given < count:
        raise Truncated(f"of {count} events that were counted {count - given} are nowhere")


def _head(given: int, count: int) -> bytes:
    number, results = given // PAGE_LOGS + 1, min(count - given, PAGE_LOGS)
    text = b'%b{"pageNumber":%d,"results":%d,"securityLogs":['
    return text % (b"," if given else b"[", number, results)


def _batches(found: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Pieces in lists that are written at once, cut so that no list is of two pages."""
    batch: list[Piece] = []
    logs = size = page = 0
    for piece in found:
        share = content_bytes(piece.pack.lengths) // len(piece.pack.masks) + 1
        rest: Piece | None = piece
        while rest is not None:
            room = min(BATCH_LOGS, PAGE_LOGS - page) - logs
            fitting = max(min(room, (BATCH_BYTES - size) // share), 0 if batch else 1)
            some, rest = _cut(rest, fitting)
            if some is not None:
                batch.append(some)
                logs += some.count
                size += some.count * share
            if rest is not None or logs == min(BATCH_LOGS, PAGE_LOGS - page):
                yield batch
                page = (page + logs) % PAGE_LOGS
                batch, logs, size = [], 0, 0
    if batch:
        yield batch


def _cut(piece: Piece, count: int) -> tuple[Piece | None, Piece | None]:
    """The first `count` events of a piece, and the others."""
    if piece.count <= count:
        return piece, None
    places = range(len(piece.pack.masks)) if piece.places is None else piece.places
    some, rest = places[:count], places[count:]
    return (
        msgspec.structs.replace(piece, places=some) if some else None,
        msgspec.structs.replace(piece, places=rest),
    )
