"""What a receiver holds, read back: from webhook bodies, lines, files of a folder, and exports.

Bytes in, records out; nothing here opens a file. Whatever a receiver did to the text (white space,
the order of keys, another spelling of a number) does not matter: what is compared is what it says.
"""

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import chain
from typing import Any

import msgspec

from sealog.delivery.enveloping import TEST_TYPE
from sealog.delivery.shaping import REMOVE, Shape, Shaper
from sealog.errors import Refused, SealogError
from sealog.event import tokens

RECORD_BYTES_MAX = 64 << 20
"""Of one value in a file: a page of events, or a batch."""
DIGEST_BYTES = 8

_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*+"|["{}\[\]]', re.DOTALL)
_LINES_NAME = re.compile(r".+-(\d{12,})-(\d{12,})(?:-\d{1,6})?\.ndjson")
_EVENT_NAME = re.compile(r".+-(\d{12,})\.json")
_SORTED = msgspec.json.Encoder(order="deterministic").encode
_OPENING, _CLOSING = (b"{", b"["), (b"}", b"]")
_BLANK = b" \t\r\n\xef\xbb\xbf"
_CHUNK_BYTES_MAX = 1 << 20
_BAD = (Refused, msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Held(msgspec.Struct, frozen=True):
    """One record as it is held."""

    body: Any
    """The rendered event, as Python values."""
    index: int | None
    """None where nothing in it says."""
    tenant: str | None


class Span(msgspec.Struct, frozen=True):
    """What the name of a folder's file says of what is in it."""

    first: int
    last: int


class Unread(SealogError):
    """What is held does not read as records."""


def named(name: str) -> Span | None:
    """The indexes that a file's name speaks of, if a folder destination gave it."""
    plain = name.removesuffix(".gz")
    match = _LINES_NAME.fullmatch(plain) or _EVENT_NAME.fullmatch(plain)
    if match is None:
        return None
    indexes = list(map(int, match.groups()))
    return Span(indexes[0], indexes[-1])


def values(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """What may be objects in a text: its lines, or the objects of an array or of printed JSON.

    No more of the text is held than one of them needs. Lines are given whatever they hold, for a
    bad one to spoil none but itself. Raises `Unread` where an object does not end, or is too long.
    """
    taken = iter(chunks)
    head = b""
    for chunk in taken:
        head += chunk
        _check(head)
        line, is_whole, _ = head.lstrip(_BLANK).partition(b"\n")
        if is_whole:
            yield from (_lines if _is_object(line) else _objects)(chain([head], taken))
            return
    # One line, or none at all.
    line = head.strip(_BLANK)
    if line:
        yield from _lines([line]) if _is_object(line) else _objects([line])


def _is_object(line: bytes) -> bool:
    if not line.startswith(b"{"):
        return False
    try:
        return isinstance(tokens.plain(line), dict)
    except _BAD:
        return False


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    for chunk in chunks:
        *whole, held = (held + chunk).split(b"\n")
        _check(held)
        yield from filter(None, [line.strip(_BLANK) for line in whole])
    if held.strip(_BLANK):
        yield held.strip(_BLANK)


def _objects(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The outermost objects, or those right in an array around them."""
    held, at, begin, depth = b"", 0, -1, 0
    outer: int | None = None
    for chunk in chunks:
        # What was given already is let go of; of an object under way nothing.
        kept = at if begin < 0 else begin
        held, at, begin = held[kept:] + chunk, at - kept, -1 if begin < 0 else 0
        _check(held)
        while (match := _STRUCTURE.search(held, at)) is not None:
            token = match.group()
            if token == b'"':
                # Its end has not come yet.
                at = match.start()
                break
            at = match.end()
            if token in _OPENING:
                if outer is None:
                    outer = 1 if token == b"[" else 0
                if depth == outer and token == b"{":
                    begin = match.start()
                depth += 1
            elif token in _CLOSING:
                depth -= 1
                if depth == outer and begin >= 0:
                    yield held[begin:at]
                    begin = -1
    if depth or begin >= 0 or outer is None:
        raise Unread("this is no JSON, or its last object does not end")


def _check(held: bytes) -> None:
    if len(held) > RECORD_BYTES_MAX + _CHUNK_BYTES_MAX:
        raise Unread(f"one object is longer than {RECORD_BYTES_MAX} bytes")


def records(value: bytes) -> Iterator[Held]:
    """The records in one object of a file.

    A webhook's body or a line of a folder, a batch of them, a page of events or of hits, or an
    event alone. A test of a webhook is none. Raises `Unread`.
    """
    try:
        read = tokens.plain(value)
    except _BAD as error:
        raise Unread(f"this is no JSON: {error}") from error
    if not isinstance(read, dict):
        raise Unread("this is no object")
    yield from _records(read)


def _records(read: dict[str, Any]) -> Iterator[Held]:
    inner = read.get("data")
    if isinstance(inner, dict) and isinstance(read.get("type"), str) and "timestamp" in read:
        yield from _in_envelope(read["type"], inner)
        return
    page = _page(read)
    if page is not None:
        for one in page:
            if not isinstance(one, dict):
                raise Unread("a page holds something that is no event")
            yield from _records(one)
        return
    source = read.get("_source")
    if isinstance(source, dict) and _index(source) is not None:
        read = source
    if _at(read, "sealog", "test") is not True:
        yield _alone(read)


def _in_envelope(kind: str, inner: dict[str, Any]) -> Iterator[Held]:
    if kind == TEST_TYPE:
        return
    several = inner.get("events")
    for one in several if isinstance(several, list) else [inner]:
        yield _enveloped(one, inner.get("tenant"))


def _page(read: dict[str, Any]) -> list[Any] | None:
    """A page of events or of hits."""
    if "@timestamp" in read:
        return None
    for page in (read.get("events"), _at(read, "hits", "hits")):
        if isinstance(page, list):
            return page
    return None


def _enveloped(one: Any, tenant: Any) -> Held:
    if not isinstance(one, dict) or not isinstance(one.get("event"), dict):
        raise Unread("an envelope holds no event")
    return Held(one["event"], _whole(one.get("index")), _text(tenant))


def _alone(event: dict[str, Any]) -> Held:
    return Held(event, _index(event), _text(_at(event, "organization", "id")))


def _index(event: dict[str, Any]) -> int | None:
    return _whole(_at(event, "sealog", "index"))


def _at(node: Any, *path: str) -> Any:
    for step in path:
        node = node.get(step) if isinstance(node, dict) else None
    return node


def _whole(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


class Comparing:
    """Digests of what events say, for two holders of the same to find that it is the same.

    `shape`: what the stream leaves of an event. Hashes are made with a key that nobody has here:
    their fields are left out on both sides, and so is `related` where anything is masked.
    """

    def __init__(self, shape: Shape, *, is_ecs: bool) -> None:
        excluded = list(shape.exclude)
        mask = dict(shape.mask)
        if mask:
            excluded.append("related")
        masked = {path: way if way != "hash" else REMOVE for path, way in mask.items()}
        known = Shape(shape.include, tuple(excluded), masked)
        self._shaper = None if known.is_whole else Shaper(known, b"", is_ecs=is_ecs)

    def digest(self, event: Any, index: int) -> int:
        """Eight bytes that two events share only if they say the same."""
        if self._shaper is not None:
            (shaped,) = self._shaper.shaped([_SORTED(event)], [index])
            event = tokens.plain(shaped)
        return int.from_bytes(blake2b(_SORTED(event), digest_size=DIGEST_BYTES).digest(), "big")


def has_erased(event: dict[str, Any]) -> bool:
    """Whether an event says that a part of it was erased."""
    return any(
        isinstance(_at(node, "sealog", "erased"), list)
        for node in (event, *event.values())
        if isinstance(node, dict)
    )
