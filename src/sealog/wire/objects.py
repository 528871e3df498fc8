"""Where each object begins and ends in text that is not clean JSON: brackets outside strings.

For pretty-printed objects one after the other, with prose between them as on a documentation page,
and for arrays that one broken element keeps from being read whole. Linear: what is walked twice is
bounded by the size of the text.
"""

import re
from collections.abc import Iterator

import msgspec

OBJECT_BYTES_MAX = 1 << 20
_COLUMN_MAX = 4096
_AGAIN_BYTES_MAX = 4 << 20

# Up to the next brackets, past strings and comments. A string ends with its line, so that one missing
# quote spoils one line and not all that follows.
_BRACKETS = re.compile(
    rb"(?:"
    rb'"[^"\\\r\n]*+"[ :,]*+'  # most of what there is; the next line covers all else
    rb'|[^"{}\[\]/\n]++|"(?:[^"\\\r\n]|\\[^\r\n])*+"?|(?<=[\s,{}\[\]"])//[^\n]*+|/'
    rb"|\n(?![ \t]*+\{)"
    rb")*+(\n[ \t]*+\{|[\[{]++|[\]}]++)"
)
# In prose a brace begins an object where it is first on its line or a quoted key follows; in an
# array any brace does.
_START_IN_PROSE = re.compile(rb"""^[ \t]*+(\{)|(\{)(?=[ \t\r\n]*+["'}])""", re.MULTILINE)
_START_IN_ARRAY = re.compile(rb"(\{)")
_LINE_START = re.compile(rb"\n([ \t]*+)\{")


class Span(msgspec.Struct, frozen=True):
    """One object: `begin` to `end` in the text. If not `closed`, its `}` was not found by `end`."""

    begin: int
    end: int
    closed: bool = True


def spans(text: bytes, begin: int = 0, *, prose: bool = True) -> Iterator[Span]:
    """The objects of `text` from `begin` on, in order, skipping what stands between them.

    An object without its `}` ends where the next one begins: at a `{` first on its line, indented
    no further, where no value may stand. Unclosed ones end after `OBJECT_BYTES_MAX` bytes too.
    """
    starts = _START_IN_PROSE if prose else _START_IN_ARRAY
    again = _AGAIN_BYTES_MAX
    at = begin
    while (match := starts.search(text, at)) is not None:
        first = match.start(match.lastindex or 0)
        column = _column(text, first)
        end, closed = _end(text, first, column)
        if end is not None:
            yield Span(first, end, closed=closed)
            at = end
            continue
        limit = first + OBJECT_BYTES_MAX + 1
        if limit < len(text):
            at = _next_line_start(text, limit, column)
        elif again > 0:
            # Never closed: look again from the next line that may begin an object.
            at = _next_line_start(text, first, column)
            again -= len(text) - at
        else:
            at = len(text)
        yield Span(first, at, closed=False)


def end_of(text: bytes) -> int | None:
    """Where the object that begins at byte 0 has its matching `}` (the byte after), if it has."""
    end, closed = _end(text, 0, -1)
    return end if closed else None


def _column(text: bytes, at: int) -> int:
    line = text.rfind(b"\n", max(0, at - _COLUMN_MAX), at)
    return at - line - 1 if line >= 0 or at < _COLUMN_MAX else _COLUMN_MAX


def _end(text: bytes, begin: int, column: int) -> tuple[int | None, bool]:
    """Where an object ends: behind its `}`, or, not closed, at the next one. None: not found."""
    open_ = bytearray()
    at = begin
    limit = min(len(text), begin + OBJECT_BYTES_MAX + 1)
    while (match := _BRACKETS.match(text, at, limit)) is not None:
        found, at = match[1], match.end()
        first = found[0]
        if first in b"{[":
            open_ += found
        elif first in b"}]":
            if len(found) >= len(open_):
                return at - len(found) + len(open_), True
            del open_[-len(found) :]
        else:
            line_end = at - len(found)
            if len(found) - 2 <= column and not _may_nest(text, line_end, open_):
                return at - 1, False
            open_ += b"{"
    return None, False


def _may_nest(text: bytes, at: int, open_: bytearray) -> bool:
    """Whether a `{` behind byte `at` can be a value inside what is open."""
    while at > 0 and text[at - 1] in b" \t\r\n":
        at -= 1
    before = text[at - 1 : at]
    return before in (b":", b"[") or (before == b"," and open_[-1:] == b"[")


def _next_line_start(text: bytes, at: int, column: int) -> int:
    for match in _LINE_START.finditer(text, at):
        if match.end(1) - match.start(1) <= column:
            return match.end() - 1
    return len(text)
