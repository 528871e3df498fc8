"""What of stored parts is searched for words, on their bytes.

Searched is every value of an event but `@timestamp`, `event.id` and `event.ingested`, which have
filters of their own, and `event.original`, whose content stands in the fields. Keys are not.
"""

import re
from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec import Raw

from sealog.event.parts import joined
from sealog.event.tokens import Tree

NOT_SEARCHED = frozenset({"id", "ingested", "original"})
"""Children of `event`; beside them `@timestamp`."""

# Only facts hold these, and only at these paths: what is declared a fact may not end like them.
_NAME = re.compile(rb'"id":"[^"\\]*","ingested":"[^"\\]*"')
_TIME = re.compile(rb'"@timestamp":"[^"\\]*"')
_ORIGINAL = b'"event":{"original":"'
_BEFORE_KEY = (b"{", b",")
_BEFORE_STRING = b"{[:, \t\r\n"
_END_OF_PART = (b'"}}{', b'"}}')
_QUOTE, _BACKSLASH, _U = b'"\\u'
_ESCAPES = re.compile(rb"(?:\\u[0-9a-fA-F]{4})+|\\.", re.DOTALL)
_CHARACTERS = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}"
)
_ASCII = bytes(range(0x80))
_VALUES = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"\s*+(:?)|([-+.0-9A-Za-z]++)', re.DOTALL)
_ENCODE = msgspec.json.Encoder().encode


def searchable(parts: Sequence[bytes]) -> list[bytes]:
    """What may be searched of a pack, given of each part kind all its parts joined.

    Only words may be read of it. All values are in it, and keys too; what is not searched is left
    out where that can be seen at once. Escapes are resolved as in `unescaped`.
    """
    facts, *others, rest = parts
    facts = _TIME.sub(b"", _NAME.sub(b"", facts))
    return [unescaped(text) for text in (facts, *others, _without_originals(rest)) if text]


def _without_originals(rest: bytes) -> bytes:
    """Leave out originals that stand alone in the `event` that ends their part."""
    begins = []
    begin = rest.find(_ORIGINAL)
    while begin >= 0:
        begins.append(begin)
        begin = rest.find(_ORIGINAL, begin + len(_ORIGINAL))
    if not begins:
        return rest
    # The first quote without a backslash before it: it ends the string, or it begins the next one,
    # where the string ended with a backslash itself. Nothing that is searched stands before it.
    text = np.frombuffer(rest, np.uint8)
    quotes = np.flatnonzero((text[1:] == _QUOTE) & (text[:-1] != _BACKSLASH)) + 1
    nexts = np.searchsorted(quotes, np.array(begins) + len(_ORIGINAL))
    kept = []
    at = 0
    for begin, end in zip(begins, quotes[np.minimum(nexts, len(quotes) - 1)].tolist(), strict=True):
        if (
            rest[begin - 1 : begin] in _BEFORE_KEY
            and rest[end : end + 4] in _END_OF_PART
            and rest[end - 1] not in _BEFORE_STRING
        ):
            kept.append(rest[at:begin])
            at = end
    kept.append(rest[at:])
    return b"".join(kept)


def unescaped(text: bytes) -> bytes:
    r"""JSON text with the characters of its `\u` escapes in place, all other escapes spaces.

    Only words may be read of it; and its strings, where it had no `\u` escape.
    """
    if b"\\" not in text:
        return text
    # Pairs first, from the left: a backslash that is left begins an escape.
    text = text.replace(b"\\\\", b"  ").replace(b'\\"', b"  ")
    if b"\\" not in text:
        return text
    known: dict[bytes, bytes] = {}

    def meant(found: re.Match[bytes]) -> bytes:
        escape = found[0]
        return known.get(escape) or known.setdefault(escape, _meant(escape))

    return _ESCAPES.sub(meant, text)


def _meant(escape: bytes) -> bytes:
    if escape[1:2] != b"u":
        return b"  "
    units = bytes.fromhex(escape.replace(b"\\u", b"").decode())
    return units.decode("utf-16-be", "replace").encode()


def escapes(text: bytes) -> bool:
    r"""Whether there may be a `\u` escape in it."""
    if b"\\" not in text:
        return False
    # Quicker than to look for both at once.
    array = np.frombuffer(text, np.uint8)
    return bool(((array[:-1] == _BACKSLASH) & (array[1:] == _U)).any())


def foreign_characters(text: bytes) -> set[str]:
    """The different characters in JSON text that are escaped or not ASCII, and maybe some more."""
    found = set(text.translate(None, _ASCII).decode("utf-8", "replace"))
    if b"\\" in text:
        for escape in set(_CHARACTERS.findall(text)):
            found.update(_meant(escape).decode())
    return found


def searched(part: bytes) -> bytes:
    """A part without what is not searched. Raises `Refused` for what is no part."""
    if not (b'"event"' in part or b'"@timestamp"' in part or escapes(part)):
        return part
    tree = joined([part])
    tree.pop("@timestamp", None)
    event = _object(tree.get("event"))
    if event is not None:
        tree["event"] = {key: node for key, node in event.items() if key not in NOT_SEARCHED}
    return _ENCODE(tree)


def values(text: bytes) -> list[bytes]:
    """Every value in JSON text: strings as written between their quotes, numbers, true, false."""
    return [
        string or scalar
        for string, colon, scalar in _VALUES.findall(text)
        if not colon and scalar != b"null"
    ]


def plain_values(text: bytes) -> bytes:
    """The same for text without a backslash, all in one with a quote between each two.

    Only words may be read of it, and `null` is among them.
    """
    pieces = text.split(b'"')
    strings, others = pieces[1::2], pieces[::2]
    if any(piece[:1].isspace() for piece in others):
        others = [piece.lstrip() for piece in others]
    said = [string for string, after in zip(strings, others[1:], strict=True) if after[:1] != b":"]
    return b'"'.join([b'"'.join(others).replace(b",", b'"'), *said])


def _object(node: Raw | Tree | None) -> Tree | None:
    if isinstance(node, Raw):
        text = bytes(node)
        return joined([text]) if text[:1] == b"{" else None
    return node
