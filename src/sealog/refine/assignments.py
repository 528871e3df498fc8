"""Secrets that a text gives a name: `token=…` in a query or form, `Cookie: …`, `<password>…`."""

import re

import msgspec
import re2

from sealog.refine.rules import is_header, is_placeholder, name_pattern, secret_name

# What ends an unquoted value. A comma or semicolon ends it only where another name follows.
_BARE = re.compile(
    rb"""(?:(?:bearer|basic|token|digest|negotiate|apikey)[ ]+)?"""
    rb"""((?:[^&\s"'<>`,;\\]|\\(?!["'])|[,;](?!\s|[ ]?[\w.\-]{1,64}[=:]|\Z))*+)""",
    re.IGNORECASE,
)
_LINE = re.compile(rb"[^\r\n]*+")
_ELEMENT = re.compile(rb"[^<]*+")
_QUOTE = re.compile(rb"""["'`]""")
ASSIGNMENTS_MAX = 1_000
"""Named values cut one by one in one text; what stands after so many is cut whole."""

# A field of a multipart form. The lengths are bounded, so that the work stays linear.
_FIELD = re.compile(
    rb"""\bname="([^"\r\n]{1,96})"[^\r\n]{0,200}+\r?\n(?:[^\r\n]{1,200}\r?\n){0,8}+\r?\n"""
    rb"""(.*?)(?=\r?\n--|\Z)""",
    re.DOTALL,
)
_WORDS = frozenset({b"true", b"false", b"null", b"none", b"undefined", b"nil"})


def _compiled() -> re2._Regexp:
    options = re2.Options()
    options.max_mem = 64 << 20
    options.encoding = re2.Options.Encoding.LATIN1
    names = name_pattern(r"[_\-. +]*")
    pattern = (
        rf"(?i)(?:^|[^a-z0-9_\-])[_\-$]*({names})"
        r"""["'`\]]*[ \t]*(=>|[=:>])[ \t]*"""
    )
    return re2.compile(pattern.encode("ascii"), options)


_NAMED = _compiled()


class Assignments(msgspec.Struct):
    """What was found in a text: `(begin, end, name)` of every value; and a name left without one."""

    found: list[tuple[int, int, str]]
    pending: str = ""
    """The name at the very end of the text, whose value is what comes after the text."""


def assignments(text: bytes) -> Assignments:
    """Every value that a secret name announces in decoded text."""
    result = Assignments(_fields(text) if b'name="' in text else [])
    at = 0
    while (match := _NAMED.search(text, at)) is not None:
        name = match.group(1).decode("ascii").lower()
        begin = match.end()
        if begin == len(text):
            result.pending = name
            return result
        span = _value(text, match.start(1), begin, name, match.group(2))
        # A value begins where the name ends, so every byte is read a bounded number of times.
        at = max(begin - 1, match.end(1)) if span is None else max(span[1], begin)
        if span is None:
            continue
        value = text[span[0] : span[1]]
        if not is_placeholder(value) and value.lower() not in _WORDS:
            result.found.append((*span, name))
            if len(result.found) >= ASSIGNMENTS_MAX:
                result.found.append((at, len(text), "too-many"))
                return result
    return result


def _fields(text: bytes) -> list[tuple[int, int, str]]:
    """Fields of a multipart form, whose values stand below their names."""
    named = (
        (*match.span(2), secret_name(match[1].decode("utf-8", "replace")))
        for match in _FIELD.finditer(text)
        if not is_placeholder(match[2])
    )
    return [one for one in named if one[2]]


def _value(text: bytes, named: int, begin: int, name: str, sign: bytes) -> tuple[int, int] | None:
    before = text[max(named - 2, 0) : named]
    if sign == b">":
        if before.endswith(b"</") or before[-1:] not in (b"<", b":"):
            return None
        return _span(_ELEMENT, text, begin)
    quote = _QUOTE.match(text, begin)
    if quote is not None:
        return _in_quotes(text, quote)
    if sign == b":" and is_header(name):
        begin, end = _span(_LINE, text, begin)
        if before[-1:] in (b'"', b"'"):
            close = text.find(before[-1:], begin, end)
            end = end if close < 0 else close
        return begin, end
    match = _BARE.match(text, begin)
    assert match is not None
    return match.span(1) if match[1] else match.span()


def _span(shape: re.Pattern[bytes], text: bytes, begin: int) -> tuple[int, int]:
    match = shape.match(text, begin)
    assert match is not None
    return match.span()


def _in_quotes(text: bytes, quote: re.Match[bytes]) -> tuple[int, int]:
    """Up to the same quote, unescaped; to the end where none follows."""
    close = quote.end()
    while True:
        close = text.find(quote[0], close)
        if close < 0:
            return quote.end(), len(text)
        if text[close - 1 : close] != b"\\":
            return quote.end(), close
        close += len(quote[0])
