"""What came in, as it came: the record that stands in an event's `rest`, as strict JSON on one line.

Only the two things that are looked for are decoded; all else of the parts is skipped.
"""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from sealog.errors import Refused
from sealog.event import tokens
from sealog.event.parts import FACTS, REST
from sealog.wire import mending

_REPAIRED = "repaired"
_SPACE_OUTSIDE_STRINGS = re.compile(rb'("(?:[^"\\]|\\.)*+")|[ \t\r\n]++', re.DOTALL)


class _Dialect(msgspec.Struct, gc=False, frozen=True):
    dialect: str | None = None


class _Facts(msgspec.Struct, gc=False, frozen=True):
    sealog: _Dialect = _Dialect()


class _Found(msgspec.Struct, gc=False, frozen=True):
    code: str = ""


class _Own(msgspec.Struct, gc=False, frozen=True):
    findings: tuple[_Found, ...] = ()


class _Event(msgspec.Struct, gc=False, frozen=True):
    original: str | None = None


class _Rest(msgspec.Struct, gc=False, frozen=True):
    event: _Event = _Event()
    sealog: _Own = _Own()


_READ_FACTS = msgspec.json.Decoder(list[_Facts]).decode
_READ_RESTS = msgspec.json.Decoder(list[_Rest]).decode
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def of_dialect(facts: Sequence[bytes], rests: Sequence[bytes], dialect: str) -> list[bytes | None]:
    """The record of each event, from its facts and its rest; None where it cannot be given so.

    That is where the event is of another dialect, has no original, came as a row of CSV, or where
    one of the two parts is empty. A record with faults is mended as it was when it came in.
    """
    try:
        named = _READ_FACTS(_array(facts))
        found = _READ_RESTS(_array(rests))
    except _UNREADABLE:
        return [_one(*both, dialect) for both in zip(facts, rests, strict=True)]
    if len(named) != len(facts) or len(found) != len(rests):
        return [None] * len(facts)
    return [
        None if who.sealog.dialect != dialect else _strict(rest.event.original, rest.sealog)
        for who, rest in zip(named, found, strict=True)
    ]


def of_parts(parts: Sequence[tuple[int, bytes, bytes]], dialect: str) -> bytes | None:
    """The same of one event's open parts, as (number, salt, bytes)."""
    by_number = {number: text for number, _, text in parts}
    return _one(by_number.get(FACTS, b""), by_number.get(REST, b""), dialect)


def _one(facts: bytes, rest: bytes, dialect: str) -> bytes | None:
    try:
        ((who,), (found,)) = _READ_FACTS(_array([facts])), _READ_RESTS(_array([rest]))
    except (*_UNREADABLE, ValueError):
        named = _slowly(facts, "sealog", "dialect")
        if named is None or tokens.plain(named) != dialect:
            return None
        found = _read_slowly(rest)
        return _strict(found.event.original, found.sealog)
    return _strict(found.event.original, found.sealog) if who.sealog.dialect == dialect else None


def _read_slowly(rest: bytes) -> _Rest:
    """Of text that only the slow reader takes: half a character as a value, for one."""
    original = _slowly(rest, "event", "original")
    findings = _slowly(rest, "sealog", "findings")
    try:
        return _Rest(
            _Event(None if original is None else msgspec.json.decode(original, type=str)),
            _Own(
                () if findings is None else msgspec.json.decode(findings, type=tuple[_Found, ...])
            ),
        )
    except _UNREADABLE:
        return _Rest()


def _slowly(part: bytes, *path: str) -> bytes | None:
    try:
        node: Any = tokens.parse(part, own=True).tree
    except Refused:
        return None
    for step in path:
        node = node.get(step) if type(node) is dict else None
    return None if node is None else tokens.encode(node)


def _array(texts: Sequence[bytes]) -> bytes:
    return b"[%b]" % b",".join([text or b"{}" for text in texts])


def _strict(original: str | None, own: _Own) -> bytes | None:
    if original is None or original[:1] != "{":
        return None
    text = original.encode()
    if own.findings:
        for finding in own.findings:
            if finding.code.startswith(_REPAIRED):
                return _mended(text)
    return text if b"\n" not in text and b"\r" not in text else _on_one_line(text)


def _mended(text: bytes) -> bytes | None:
    try:
        return mending.mend(text).text
    except Refused:
        return None


def _on_one_line(text: bytes) -> bytes:
    try:
        return msgspec.json.format(text, indent=-1)
    except _UNREADABLE:
        return _SPACE_OUTSIDE_STRINGS.sub(rb"\1", text)
