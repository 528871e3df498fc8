"""What the records of one shape look like: regular expressions made from one of them."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from sealog.event.parts import FACT_STRING_BYTES_MAX
from sealog.event.tokens import NUMBER

KEYS_MAX = 128
KEY_CHARS_MAX = 64
QUICK_AFTER = 1_024
"""Lines are read by the first pattern until a second one is made: that takes some milliseconds, and
saves one or two microseconds a line."""

COMMA, COLON = b"\x01", b"\x02"
"""Stand in a pattern for what a sender writes between members, and behind a key."""
# As nearly every writer of JSON does, and as Python's does.
_STYLES = ((b",", b":"), (b", ", b": "))


_ENCODE = msgspec.json.Encoder().encode
_KEY = re.compile(r"[A-Za-z0-9@_-]+")
_DOTTED_KEY = re.compile(r"[A-Za-z0-9@_.-]+")
# No string begins with a colon, spaces aside: `trees.has_dotted_key` takes one behind a number for a
# dotted key.
_FACT = rb'"(?! *+:)[^"\\@\x00-\x1f]{0,%d}+"' % FACT_STRING_BYTES_MAX
_STRING = rb'"(?! *+:)[^"\\\x00-\x1f]*+(?:\\["\\/bfnrt][^"\\\x00-\x1f]*+)*+"'
# The same where it is known that there is no escape and no control character.
_PLAIN_STRING = rb'"(?! *+:)[^"]*+"'
_KINDS: dict[type, bytes] = {
    str: _STRING,
    int: NUMBER,
    float: NUMBER,
    bool: b"(?:true|false)",
    type(None): b"null",
}
_SCALAR = b"(?:" + b"|".join([_STRING, NUMBER, b"true|false|null"]) + b")"
_FACT_SCALAR = b"(?:" + b"|".join([_FACT, NUMBER, b"true|false|null"]) + b")"

Match = Callable[[bytes], re.Match[bytes] | None]


class Pattern(msgspec.Struct):
    """A pattern with a group for each value, in one style of JSON."""

    match: Match
    plain: bytes = b""
    """What a line without escapes and control characters looks like; empty where learning from one
    with escapes says that they are usual."""
    quick: Match | None = None
    """`plain`, made once it pays."""
    left: int = 0
    """How many lines come until then."""

    def strictly(self, line: bytes) -> re.Match[bytes] | None:
        """What `match` finds."""
        return self.match(line)

    def plainly(self, line: bytes) -> re.Match[bytes] | None:
        """The same in a line without control characters."""
        if self.quick is None:
            if self.left:
                self.left -= 1
                if self.left == 0:
                    self.quick = re.compile(self.plain).fullmatch
            return self.match(line)
        return self.match(line) if b"\\" in line else self.quick(line)


class Shapeless(ValueError):
    """A record that no shape is learnt from."""


def key_pattern(key: str, *, dotted: bool = False) -> bytes:
    """What a key and its colon look like; raises `Shapeless` for one that is odd."""
    accepted = _DOTTED_KEY if dotted else _KEY
    if accepted.fullmatch(key) is None or len(key) > KEY_CHARS_MAX:
        raise Shapeless(key[:KEY_CHARS_MAX])
    return b'"%b"%b' % (re.escape(key.encode()), COLON)


def fact_pattern(value: Any) -> bytes:
    """What values of this kind look like where they are sure to be facts."""
    if type(value) is list:
        return _array(value, _FACT_SCALAR)
    if type(value) is dict:
        raise Shapeless("an object is no fact")
    return _FACT if type(value) is str else _KINDS[type(value)]


def value_pattern(value: Any) -> bytes:
    """What values of this kind look like anywhere else."""
    if type(value) is list:
        return _array(value, _SCALAR)
    if type(value) is dict:
        members = [key_pattern(key) + value_pattern(child) for key, child in value.items()]
        return rb"\{%b\}" % COMMA.join(members)
    return _KINDS[type(value)]


def literal(value: Any) -> bytes:
    """What this value looks like, and no other."""
    if type(value) is dict:
        members = [key_pattern(key) + literal(child) for key, child in value.items()]
        return rb"\{%b\}" % COMMA.join(members)
    return re.escape(_ENCODE(value))


def _array(values: Sequence[Any], scalar: bytes) -> bytes:
    if any(type(value) in (list, dict) for value in values):
        raise Shapeless("an array of more than scalars")
    return rb"\[(?:%b(?:%b%b)*+)?+\]" % (scalar, COMMA, scalar)


def styled(pattern: bytes, line: bytes) -> Pattern:
    """The pattern in the style of a record, which it matches; raises `Shapeless` for any other."""
    if pattern.count(COLON) > KEYS_MAX:
        raise Shapeless("too many keys")
    first = line.find(b'":') + len(b'":')
    style = _STYLES[line[first : first + 1] == b" "]
    match = re.compile(_in_style(pattern, style)).fullmatch
    if match(line) is None:
        raise Shapeless("white space where hardly anybody writes any, or a value that is odd")
    if b"\\" in line:
        return Pattern(match)
    plain = _in_style(pattern.replace(_STRING, _PLAIN_STRING), style)
    return Pattern(match, plain, left=QUICK_AFTER)


def _in_style(pattern: bytes, style: tuple[bytes, bytes]) -> bytes:
    comma, colon = style
    return pattern.replace(COMMA, comma).replace(COLON, colon)


def are_plain(lines: Sequence[bytes]) -> bool:
    """Whether no control character stands in any of these lines."""
    text = b"\x7f".join(lines)
    if len(text) < _SMALL_BYTES:
        return len(text.translate(None, _CONTROLS)) == len(text)
    return bool(np.frombuffer(text, np.uint8).min() > _CONTROLS[-1])


_CONTROLS = bytes(range(0x20))
_SMALL_BYTES = 2_048
