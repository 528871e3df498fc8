"""A body cut into its records, whichever of the framings it is in.

One JSON object, an array, a hits envelope, NDJSON, objects one after the other, or rows of CSV.
The bytes decide, not the content type. What is wrong with one record is an answer in its place; only
what is wrong with the whole body is raised.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
from msgspec import Raw

from sealog.errors import Refused, TooLarge, UnsupportedType
from sealog.event.record import Record
from sealog.wire import objects, reading, rows

FRAMINGS = ("json", "ndjson", "concatenated", "csv")
_SPACE = b" \t\r\n"
_PIECE_BYTES = 1 << 20
# With all that is made of them on the way (measured: a quarter less than a whole batch at once).
_PIECE_READ_BYTES = 64 << 10
# More lines or elements than this are counted one by one before any list of them is made.
_LINES_AT_ONCE = 2 * reading.RECORDS_MAX
_COMMAS_AT_ONCE = 100 * reading.RECORDS_MAX

_LINE = re.compile(rb"[^ \t\r\n][^\n]*+")
_LINES_LOOKED_AT = 200
_HITS = re.compile(rb'"hits"[ \t\r\n]*+:[ \t\r\n]*+\[')
_HITS_WITHIN_BYTES = 64 << 10
_ANY = msgspec.json.Decoder(Raw)
_ELEMENTS = msgspec.json.Decoder(list[Raw])


class _Hits(msgspec.Struct):
    hits: list[Raw]


class _Envelope(msgspec.Struct):
    hits: _Hits


_ENVELOPE = msgspec.json.Decoder(_Envelope)

Answer = Record | Refused


def split(data: bytes, framing: str | None = None) -> list[Answer]:
    """All that `pieces` gives, as one list."""
    return [answer for piece in pieces(data, framing) for answer in piece]


def pieces(
    data: bytes, framing: str | None = None, shape: reading.Shape = reading.no_shape
) -> Iterator[list[Answer]]:
    """The records of a body in the order they stand in it, each read or refused, some at a time.

    Few enough at a time that the processor's cache holds them until they are sealed. `shape` says
    what is known of a record before it is decoded.
    `framing` is one of `FRAMINGS`, None to tell from the bytes. Raises `Refused` for a body that is
    empty, in another encoding than UTF-8, or holds no record at all; `TooLarge` for more than
    `RECORDS_MAX` records; `UnsupportedType` for an unknown framing.
    """
    if framing is not None and framing not in FRAMINGS:
        msg = f"framing {framing!r} is none of {', '.join(FRAMINGS)}"
        raise UnsupportedType(msg, code="unknown-framing")
    text = data.removeprefix(codecs.BOM_UTF8)
    _check_encoding(text)
    if not text.strip():
        raise Refused("the body is empty", code="empty")
    kind = framing or detect(text)
    if kind == "csv":
        return iter([rows.split_rows(text)])
    if kind == "ndjson":
        return _lines(text, shape)
    head = text.lstrip(_SPACE)[:1]
    if kind == "json" and head == b"[":
        return _array(text, shape)
    if kind == "json" and head == b"{":
        return _document(text, shape)
    return iter([_spans(text, objects.spans(text))])


def detect(text: bytes) -> str:
    """Which of `FRAMINGS` a body that is not blank is in."""
    head = text.lstrip(_SPACE)[:1]
    if head == b"[":
        return "json"
    if b"\n" in text.strip(_SPACE) and _is_lines(text):
        return "ndjson"
    if head == b"{":
        return "json"
    first = _LINE.search(text)
    if first is not None and rows.looks_like_header(first[0]) and b"\n{" not in text:
        return "csv"
    return "concatenated"


def _is_lines(text: bytes) -> bool:
    """At least half of the lines are whole objects, or every line begins one and some are whole.

    So a line of rubbish is refused where objects stand line by line, and is prose elsewhere.
    """
    lines = begun = whole = 0
    for match in islice(_LINE.finditer(text), _LINES_LOOKED_AT):
        lines += 1
        if text.startswith(b"{", match.start()):
            begun += 1
            whole += match[0].rstrip(_SPACE).endswith(b"}")
    return whole > 0 and (2 * whole >= lines or begun == lines)


def _check_encoding(text: bytes) -> None:
    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in text[:4]:
        msg = "the body is not UTF-8; it looks like UTF-16 or UTF-32"
        raise Refused(msg, code="not-utf-8")


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(text), _PIECE_BYTES):
            decoder.decode(text[at : at + _PIECE_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _lines(text: bytes, shape: reading.Shape) -> Iterator[list[Answer]]:
    allowance = reading.Allowance()
    if text.count(b"\n") > _LINES_AT_ONCE or not _is_utf8(text):
        yield list(_read_lines(_numbered(text), 0, allowance))
        return
    lines = [line for raw in text.split(b"\n") if (line := raw.strip(b" \t\r"))]
    reading.check_records(len(lines))
    numbered: list[tuple[int, bytes]] = []
    for first, some in _some(lines, text):
        quick = reading.strict_lines(some, first, shape)
        if quick is None:
            numbered = numbered or list(_numbered(text))
            yield list(_read_lines(numbered[first : first + len(some)], first, allowance))
        else:
            yield list(quick)


def _some(lines: list[bytes], text: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Lines or elements, some at a time, with the place of the first of them."""
    size = max(1, _PIECE_READ_BYTES * len(lines) // len(text))
    return ((first, lines[first : first + size]) for first in range(0, len(lines), size))


def _read_lines(
    lines: Iterable[tuple[int, bytes]], first: int, allowance: reading.Allowance
) -> Iterator[Answer]:
    for place, (number, line) in enumerate(lines, first):
        reading.check_records(place + 1)
        yield reading.read(line, place, f"line {number}", allowance)


def _numbered(text: bytes) -> Iterator[tuple[int, bytes]]:
    number, at = 1, 0
    for match in _LINE.finditer(text):
        number += text.count(b"\n", at, match.start())
        at = match.start()
        yield number, match[0].rstrip(_SPACE)


def _array(text: bytes, shape: reading.Shape) -> Iterator[list[Answer]]:
    if text.count(b",") <= _COMMAS_AT_ONCE:
        try:
            return _read_all(_ELEMENTS.decode(text), "element", text, shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
    begin = text.index(b"[") + 1
    return iter([_spans(text, objects.spans(text, begin, prose=False), begin)])


def _document(text: bytes, shape: reading.Shape) -> Iterator[list[Answer]]:
    """One object, an envelope of hits, or several objects after all."""
    if b'"hits"' in text:
        if text.count(b",") <= _COMMAS_AT_ONCE:
            try:
                return _read_all(_ENVELOPE.decode(text).hits.hits, "hit", text, shape)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                pass
        match = _HITS.search(text, 0, _HITS_WITHIN_BYTES)
        if match is not None and b'"hits"' in text[: match.start()]:
            hits = objects.spans(text, match.end(), prose=False)
            return iter([_spans(text, hits, match.end())])
    whole = text.strip(_SPACE)
    known = shape([whole])[0] if _is_utf8(whole) else None
    if known is not None:
        return iter([[Record(0, whole, whole, shaped=known)]])
    if len(whole) <= reading.EVENT_BYTES_MAX and _is_one(whole):
        return iter([[reading.read(whole, 0, "byte 0", reading.Allowance())]])
    return iter([_spans(text, objects.spans(text))])


def _is_one(text: bytes) -> bool:
    try:
        _ANY.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _read_all(
    elements: Iterable[Raw], noun: str, text: bytes, shape: reading.Shape
) -> Iterator[list[Answer]]:
    received = [bytes(element) for element in elements]
    reading.check_records(len(received))
    return _read_some(received, noun, text, shape)


def _read_some(
    received: list[bytes], noun: str, text: bytes, shape: reading.Shape
) -> Iterator[list[Answer]]:
    is_utf8 = _is_utf8(text)
    allowance = reading.Allowance()
    for first, some in _some(received, text):
        quick = None
        if is_utf8 and not any(b"\n" in one for one in some):
            quick = reading.strict_lines(some, first, shape)
        yield (
            list(quick)
            if quick is not None
            else [
                reading.read(one, place, f"{noun} {place}", allowance)
                for place, one in enumerate(some, first)
            ]
        )


def _spans(text: bytes, spans: Iterable[objects.Span], begin: int | None = None) -> list[Answer]:
    """Objects found by their brackets.

    With `begin`, where an array's elements begin: what else stands between them is refused, and the
    first `]` between them ends it. Without, it is prose.
    """
    answers: list[Answer] = []
    allowance = reading.Allowance()
    behind = begin
    for span in spans:
        if behind is not None:
            gap = text[behind : span.begin]
            _refuse_between(gap, behind, answers)
            if b"]" in gap:
                return answers
            behind = span.end
        reading.check_records(len(answers) + 1)
        answers.append(_read_span(text, span, len(answers), allowance))
    if behind is not None:
        _refuse_between(text[behind:], behind, answers)
        if text.find(b"]", behind) < 0 and (not answers or isinstance(answers[-1], Record)):
            answers.append(_refusal("the array is never closed", len(answers), len(text)))
    if not answers:
        msg = "the body holds no JSON object"
        raise Refused(msg, code="not-json" if _is_utf8(text) else "not-utf-8")
    return answers


def _refusal(detail: str, place: int, at: int) -> Refused:
    return reading.refused(Refused(detail, code="not-json"), place, f"byte {at}")


def _refuse_between(gap: bytes, at: int, answers: list[Answer]) -> None:
    within = gap.partition(b"]")[0]
    if within.strip(b" \t\r\n,"):
        reading.check_records(len(answers) + 1)
        answers.append(_refusal("not an object", len(answers), at))


def _read_span(text: bytes, span: objects.Span, place: int, allowance: reading.Allowance) -> Answer:
    if span.closed:
        where = f"byte {span.begin}"
        return reading.read(text[span.begin : span.end], place, where, allowance)
    if span.end - span.begin > reading.EVENT_BYTES_MAX:
        msg = f"larger than {reading.EVENT_BYTES_MAX} bytes, or never closed"
        refusal = TooLarge(msg, code="record-too-large")
        return reading.refused(refusal, place, f"byte {span.begin}")
    return _refusal("not JSON: the object is never closed", place, span.begin)
