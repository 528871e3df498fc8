"""Objects that strict JSON refuses, made strict: a few documented faults, each with a finding.

The faults are those of real samples: a value without quotes, a comma missing at a line's end, a
comma too many, a `//` comment. Every other token stays the bytes it was. What has other faults goes
to a lenient parser, whose result is taken only if nothing quoted was lost; what is not one object
from `{` to its matching `}` is never guessed at.
"""

import re
from typing import Any

import msgspec

from sealog.errors import Refused, TooLarge
from sealog.event import tokens
from sealog.event.findings import Finding, pointer
from sealog.wire import objects

LENIENT_BYTES_MAX = 64 << 10
"""What the lenient parser is given at most."""
BARE_STRINGS_MAX = 100
"""Strings without quotes in what the lenient parser gives; each is looked for in the text."""
FINDINGS_MAX = 100
"""Findings of one record; more of them say nothing new."""

_GAP = re.compile(rb"(?:[ \t\r\n]++|//[^\n]*+)*+")
_STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*+"')
_BARE = re.compile(
    rb"(?:" + tokens.NUMBER + rb"|true|false|null)"
    rb"(?=[ \t]*+(?:[,}\]\r\n]|//|\Z))"
)
# Text without quotes, up to what ends a value; it may begin with one pair of brackets of its own.
_UNQUOTED = re.compile(
    rb"(?:\[[^\"{}\[\],\r\n]*+\])?+(?:[^\"{}\[\],\r\n/]|(?<![ \t])/|/(?!/))*+(?=[,}\]\r\n]|//|\Z)"
)
# What is an array and not text in brackets: a value, a comma or a line's end follows its `[`.
_ARRAY = re.compile(
    rb"\[(?:[ \t\r\n]++|//[^\n]*+)*+"
    rb"(?:[\]{\[\"]|(?:-?[0-9][0-9.eE+-]*+|true|false|null)[ \t]*+[,\]\r\n])"
    rb"|\[(?:[ \t]*+\r?\n|[^\[\]{}\",\r\n]++,)"
)
_QUOTED_KEY = re.compile(
    rb"""\{(?:\s++|//[^\n]*+)*+(?:"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+')\s*+:"""
)
_QUOTED = re.compile(r"""(["'])((?:(?!\1)[^\\\n]|\\.)*+)\1""")


class Mended(msgspec.Struct, frozen=True):
    """Strict JSON on one line (equal keys as they were), and what was mended."""

    text: bytes
    findings: tuple[Finding, ...]


class _Beyond(Exception):
    """A fault that is none of the documented ones."""


def mend(text: bytes, *, lenient_bytes_max: int = LENIENT_BYTES_MAX) -> Mended:
    """Make one object strict JSON. `text` is valid UTF-8 that `tokens.parse` refused.

    Raises `Refused` (`not-json`) for what is no object with its matching `}`, and for faults that
    neither reader can mend without loss, `TooLarge` past `LEVELS_MAX` levels. `lenient_bytes_max` is what the caller can still afford.
    """
    if objects.end_of(text) != len(text) or text[:1] != b"{":
        raise _refusal("it does not end with the `}` of its first `{`")
    mender = _Mender(text)
    try:
        return mender.mended()
    except _Beyond:
        return _lenient(text, lenient_bytes_max)


def _refusal(why: str) -> Refused:
    return Refused(f"not JSON, and not to be mended: {why}", code="not-json")


class _Mender:
    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0
        self._out: list[bytes] = []
        self._path: list[str | int] = []
        self._findings: list[Finding] = []

    def mended(self) -> Mended:
        self._container()
        if self._at != len(self._text):
            raise _Beyond
        return Mended(b"".join(self._out), tuple(self._findings))

    def _found(self, code: str) -> None:
        if len(self._findings) < FINDINGS_MAX:
            # Before its first member, a container is what a finding is about.
            path = self._path[:-1] if self._path[-1:] == [-1] else self._path
            self._findings.append(Finding(code, pointer(*path)))

    def _gap(self) -> bool:
        """Move past space and comments; whether a line ended there."""
        match = _GAP.match(self._text, self._at)
        assert match is not None
        self._at = match.end()
        if b"//" in match[0]:
            self._found("repaired-comment")
        return b"\n" in match[0]

    def _take(self, token: bytes) -> bool:
        if self._text.startswith(token, self._at):
            self._at += 1
            return True
        return False

    def _container(self) -> None:
        if len(self._path) >= tokens.LEVELS_MAX:
            msg = f"more than {tokens.LEVELS_MAX} levels at byte {self._at}"
            raise TooLarge(msg, code="too-deep")
        opener = self._text[self._at : self._at + 1]
        closer = b"}" if opener == b"{" else b"]"
        self._at += 1
        self._out.append(opener)
        self._path.append(-1)
        self._gap()
        more = not self._take(closer)
        while more:
            self._member(is_object=opener == b"{")
            more = self._separator(closer)
        self._path.pop()
        self._out.append(closer)

    def _member(self, *, is_object: bool) -> None:
        if not is_object:
            self._path[-1] = int(self._path[-1]) + 1
            self._value()
            return
        key = _STRING.match(self._text, self._at)
        if key is None:
            raise _Beyond
        self._at = key.end()
        self._path[-1] = tokens.plain(key[0])
        self._gap()
        if not self._take(b":"):
            raise _Beyond
        self._out += (key[0], b":")
        self._gap()
        self._value()

    def _separator(self, closer: bytes) -> bool:
        """Move to the next member; False behind the container's end."""
        line_ended = self._gap()
        if self._take(closer):
            return False
        if self._take(b","):
            self._gap()
            if self._take(closer):
                self._found("repaired-trailing-comma")
                return False
        elif line_ended:
            self._found("repaired-missing-comma")
        else:
            raise _Beyond
        self._out.append(b",")
        return True

    def _value(self) -> None:
        text, at = self._text, self._at
        head = text[at : at + 1]
        if head == b"{" or (head == b"[" and _ARRAY.match(text, at)):
            self._container()
            return
        match = _STRING.match(text, at) if head == b'"' else _BARE.match(text, at)
        if match is not None:
            self._at = match.end()
            self._out.append(match[0])
            return
        match = _UNQUOTED.match(text, at)
        verbatim = match[0].strip() if match is not None else b""
        if match is None or not verbatim or verbatim[:1] in (b"'", b":"):
            raise _Beyond
        self._at = match.end()
        self._out.append(msgspec.json.encode(verbatim.decode()))
        self._found("repaired-unquoted-value")


def _lenient(text: bytes, bytes_max: int) -> Mended:
    if len(text) > min(bytes_max, LENIENT_BYTES_MAX):
        raise _refusal("its faults are none of the known ones, and it is too long to try others")
    if _QUOTED_KEY.match(text) is None:
        raise _refusal("no key in quotes follows its `{`")
    import json_repair  # noqa: PLC0415 - most installations never need it

    written = text.decode()
    try:
        value: Any = json_repair.loads(written, skip_json_loads=True)
        encoded = msgspec.json.encode(value)
    except Exception as error:  # whatever a guessing parser may trip over
        raise _refusal("its faults are none of the known ones") from error
    if type(value) is not dict or not value or not _all_kept(written, value):
        raise _refusal("mending it would lose some of it")
    detail = "by a lenient parser; see the original"
    return Mended(encoded, (Finding("repaired", "", detail),))


def _all_kept(written: str, value: Any) -> bool:
    """Whether every string in quotes is still there, alone or inside another, and none is made up."""
    strings: set[str] = set()
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            strings.add(node)
        elif isinstance(node, dict):
            strings.update(map(str, node))
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    quoted = {_unescaped(match[2]) for match in _QUOTED.finditer(written)}
    joined = "\0".join(strings)
    if not all(text in joined for text in quoted - strings):
        return False
    # A string that was not in quotes stands between what separates values, and swallowed none of it.
    bare = strings - quoted
    return len(bare) <= BARE_STRINGS_MAX and all(
        text
        and re.search(_APART % re.escape(text), written)
        and text == text.strip(_AROUND)
        and not _SWALLOWED.search(text)
        for text in bare
    )


_SWALLOWED = re.compile(r"""["']\s*[,:]""")
_AROUND = " \t\r\n,:{}[]"
_APART = r"(?<![^\s,:{}\[\]'\"])%s(?![^\s,:{}\[\]'\"])"


def _unescaped(inner: str) -> str:
    if "\\" not in inner:
        return inner
    try:
        return str(msgspec.json.decode(f'"{inner}"'))
    except msgspec.DecodeError:
        return inner
