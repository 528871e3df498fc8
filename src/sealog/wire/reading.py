"""One record's bytes to a `Record`: strictly and quickly first, slowly without loss where needed.

A batch of lines is decoded as one; only when that fails is each looked at by itself. What is slow is
paid from one `Allowance` for the whole request.
"""

import re
from collections.abc import Callable, Iterator, Sequence

import msgspec
from msgspec import Raw

from sealog.errors import Refused, TooLarge
from sealog.event import tokens
from sealog.event.findings import Finding, pointer
from sealog.event.record import Record
from sealog.event.shapes import Shaped
from sealog.event.tokens import Tree
from sealog.wire import keys, levels, mending, objects

EVENT_BYTES_MAX = objects.OBJECT_BYTES_MAX
RECORDS_MAX = 10_000
SLOW_TOKENS_MAX = 2_000_000
"""What the slow reader and the mender look at in one request: some seconds of work at most."""
LENIENT_BYTES_MAX = 256 << 10
"""What the lenient parser is given in one request."""

_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_ANY = msgspec.json.Decoder(Raw)
_SPACE_OUTSIDE_STRINGS = re.compile(rb'("(?:[^"\\]|\\.)*+")|[ \t\r\n]++', re.DOTALL)


Shape = Callable[[Sequence[bytes]], list[Shaped | None]]
"""What a shape reads of each record, which is valid UTF-8; None where none is known."""


def no_shape(lines: Sequence[bytes]) -> list[Shaped | None]:
    """No shape is known of anything."""
    return [None] * len(lines)


class Allowance(msgspec.Struct):
    """What a request may still spend on slow reading."""

    tokens: int = SLOW_TOKENS_MAX
    lenient_bytes: int = LENIENT_BYTES_MAX

    def spend(self, text: bytes) -> None:
        """Pay for one slow look at `text`; `TooLarge` when there is too little left."""
        self.tokens -= sum(text.count(sign) for sign in (b",", b":", b"[", b"{")) + 1
        if self.tokens < 0:
            msg = f"too much of the request is odd JSON: more than {SLOW_TOKENS_MAX} tokens of it"
            raise TooLarge(msg, code="too-odd")


def strict_lines(
    lines: list[bytes], first: int = 0, shape: Shape = no_shape
) -> list[Record] | None:
    """Every line a record, or None if any of them needs a closer look.

    The lines are trimmed and valid UTF-8; `first` is the place of the first of them. Those of which
    a shape is known are not decoded.
    """
    shaped = shape(lines)
    decoded: Iterator[Tree] = iter(())
    if None in shaped:
        others = [line for line, read in zip(lines, shaped, strict=True) if read is None]
        found = _decoded(others)
        if found is None:
            return None
        decoded = iter(found)
    return [
        Record(place, line, line, next(decoded) if read is None else None, shaped=read)
        for place, (line, read) in enumerate(zip(lines, shaped, strict=True), first)
    ]


def _decoded(lines: list[bytes]) -> list[Tree] | None:
    # With both ends right and as many objects as lines, every line is exactly one object: no line
    # that begins with `{` can go on with what a line that ended with `}` left open.
    if not all([line.startswith(b"{") and line.endswith(b"}") for line in lines]):  # noqa: C419 - quicker
        return None
    if levels.lines_may_exceed(lines) or any([b"\r" in line for line in lines]):  # noqa: C419 - quicker
        return None
    text = b"\n".join(lines)
    try:
        decoded = _OBJECT.decode_lines(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return decoded if len(decoded) == len(lines) and keys.all_differ(text) else None


def read(received: bytes, place: int, where: str, allowance: Allowance) -> Record | Refused:
    """One record, or why not. `where` says in words where in the body it stands."""
    try:
        return _read(received, place, allowance)
    except Refused as refusal:
        return refused(refusal, place, where)


def refused(refusal: Refused, place: int, where: str) -> Refused:
    """The same refusal, with the record and its place in the body."""
    msg = f"record {place} ({where}): {refusal.detail}"
    return type(refusal)(msg, code=refusal.code, record=place, pointer=refusal.pointer)


def _read(received: bytes, place: int, allowance: Allowance) -> Record:
    check_size(received)
    if not received.isascii():
        check_utf8(received)
    if received[:1] != b"{":
        raise _no_object(received)
    one_line = b"\n" not in received and b"\r" not in received
    try:
        if levels.exceeds(received):
            return _slow(received, place, None, allowance)
        fields = _OBJECT.decode(received)
        text = received if one_line else msgspec.json.format(received, indent=-1)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _slow(received, place, None, allowance)
    if not one_line:
        fields = _OBJECT.decode(text)
    record = Record(place, received, text, fields)
    return record if keys.all_differ(text) else _slow(received, place, record, allowance)


def check_records(count: int) -> None:
    """Raise `TooLarge` if a request has too many records."""
    if count > RECORDS_MAX:
        msg = f"more than {RECORDS_MAX} records in one request"
        raise TooLarge(msg, code="too-many-records")


def check_size(received: bytes) -> None:
    """Raise `TooLarge` if a record has too many bytes."""
    if len(received) > EVENT_BYTES_MAX:
        msg = f"larger than {EVENT_BYTES_MAX} bytes, which a record may have"
        raise TooLarge(msg, code="record-too-large")


def check_utf8(received: bytes) -> str:
    """The record as text; `Refused` naming its first bad byte."""
    try:
        return received.decode()
    except UnicodeDecodeError as error:
        msg = f"not UTF-8 at its byte {error.start}"
        raise Refused(msg, code="not-utf-8") from error


def _no_object(received: bytes) -> Refused:
    try:
        _ANY.decode(received)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refused("not JSON: an object begins with `{`", code="not-json")
    return Refused("JSON, but not an object", code="not-an-object")


def _slow(received: bytes, place: int, quick: Record | None, allowance: Allowance) -> Record:
    """What the quick reader refused, or may have lost a key of."""
    allowance.spend(received)
    findings: tuple[Finding, ...] = ()
    text = received
    try:
        parsed = tokens.parse(received)
        if b"\n" in text or b"\r" in text:
            text = _SPACE_OUTSIDE_STRINGS.sub(rb"\1", received)
            parsed = tokens.parse(text)
    except TooLarge:
        raise
    except Refused as fault:
        mended = _mended(received, fault, allowance)
        text, findings = mended.text, mended.findings
        parsed = tokens.parse(text)
    if quick is not None and not parsed.equal:
        quick.keys = parsed.keys
        return quick
    if not findings and not parsed.equal:
        findings = (Finding("lone-surrogate", "", "half a character, kept as it was written"),)
    equal = tuple(
        Finding("equal-keys", pointer(*one.path), "the first is used, all are kept")
        for one in parsed.equal[: mending.FINDINGS_MAX]
    )
    if equal:
        text = tokens.encode(parsed.tree)
    return Record(
        place,
        received,
        text,
        parsed.tree,
        equal=parsed.equal,
        findings=[*findings, *equal],
        strict=False,
        keys=parsed.keys,
    )


def _mended(received: bytes, fault: Refused, allowance: Allowance) -> mending.Mended:
    # Mending costs twice what reading does.
    allowance.spend(received)
    try:
        mended = mending.mend(received, lenient_bytes_max=allowance.lenient_bytes)
    except TooLarge:
        raise
    except Refused as refusal:
        msg = f"{fault.detail}; {refusal.detail.removeprefix('not JSON, and ')}"
        raise Refused(msg, code="not-json") from refusal
    if any(finding.code == "repaired" for finding in mended.findings):
        allowance.lenient_bytes -= len(received)
    return mended
