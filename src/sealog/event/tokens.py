"""JSON as tokens: every scalar stays the bytes it was written in.

Two readers give the same shape, a `Tree`. `opened` is msgspec, quick, for text it accepts. `parse`
is slow and loses nothing: it keeps lone surrogates, numbers of any size and all of several equal
keys, and it stops at `LEVELS_MAX`, so that depth is a limit and not a crash. A tree's objects are
dicts; its leaves (scalars and whole arrays) are `msgspec.Raw`, and an object that nobody has
opened yet may stand as a `Raw` too.
"""

import re
from typing import Any, NoReturn

import msgspec
from msgspec import Raw

from sealog.errors import Refused, TooLarge

LEVELS_MAX = 128
KEYS_MAX = 10_000
# What we wrote around a record (findings, what was sent) may take its parts past those limits; they
# must open all the same.
_OWN_LEVELS_MAX = 2 * LEVELS_MAX
_OWN_KEYS_MAX = 8 * KEYS_MAX

Tree = dict[str, Any]
"""`dict[str, Raw | Tree]`."""

_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_ENCODE = msgspec.json.Encoder().encode
_SPACE = b" \t\r\n"
NUMBER = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
"""What a number of JSON looks like, as a regular expression."""
_SCALAR = re.compile(
    rb'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*+"'
    rb"|" + NUMBER + rb"|true|false|null"
)
_GAP = re.compile(rb"[ \t\r\n]*+")
# Scalars and their commas in one step: an array of a million numbers costs one match.
_SCALARS = re.compile(rb"(?:(?:" + _SCALAR.pattern + rb")[ \t\r\n]*+,[ \t\r\n]*+)*+")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Equal(msgspec.Struct, frozen=True):
    """Keys that stand more than once in one object: where, and every value in the order written."""

    path: tuple[str, ...]
    values: tuple[Raw, ...]


class Parsed(msgspec.Struct, frozen=True):
    """What `parse` read: the first of equal keys stands in `tree`, all of them in `equal`.

    Equal keys inside an array stay in the array's text; `equal` then names them without values, by
    the array's path and the key.
    """

    tree: Tree
    equal: tuple[Equal, ...]
    keys: int


def opened(node: Raw | Tree) -> Tree | None:
    """The object behind a node, or None if the node is no object.

    Raises `msgspec.DecodeError` for text that only `parse` can read.
    """
    if type(node) is dict:
        return node
    text = bytes(node)  # type: ignore[arg-type]
    if text[:1] != b"{":
        return None
    return _OBJECT.decode(text)


def encode(node: Any) -> bytes:
    """The JSON text of a tree: keys written by msgspec, leaves as the tokens they are."""
    return _ENCODE(node)


def raw(value: Any) -> Raw:
    """A value of our own as a leaf."""
    return Raw(_ENCODE(value))


def plain(text: bytes | Raw) -> Any:
    """Python values of any text that `parse` accepts.

    Lone surrogates become U+FFFD and numbers past float become strings: good enough to look at and
    to index, never to store.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return _Reader(bytes(text), own=True).value_plain()


def parse(text: bytes, *, own: bool = False) -> Parsed:
    """Read one JSON object slowly and without loss.

    Raises `TooLarge` past `LEVELS_MAX` levels or `KEYS_MAX` keys, `Refused` for anything that is
    not one JSON object (RFC 8259); the detail names the byte. `own`: the text is a part that we
    wrote, for which the limits are wider.
    """
    return _Reader(text, own=own).document()


def elements(text: bytes | Raw) -> list[Raw]:
    """The values of an array, each the token it is, for text that msgspec refuses."""
    return _Reader(bytes(text), own=True).elements()


class _Reader:
    """One pass over the bytes; `_at` is the next one to read."""

    def __init__(self, text: bytes, *, own: bool = False) -> None:
        self._text = text
        self._levels_max = _OWN_LEVELS_MAX if own else LEVELS_MAX
        self._keys_max = _OWN_KEYS_MAX if own else KEYS_MAX
        self._at = 0
        self._equal: dict[tuple[str, ...], list[Raw]] = {}
        self._keys = 0

    def document(self) -> Parsed:
        self._gap()
        if self._text[self._at : self._at + 1] != b"{":
            self._fail("an object")
        tree = self._object(())
        self._gap()
        if self._at != len(self._text):
            self._fail("nothing more")
        equal = tuple(Equal(path, tuple(values)) for path, values in self._equal.items())
        return Parsed(tree, equal, self._keys)

    def elements(self) -> list[Raw]:
        self._gap()
        if not self._take(b"["):
            self._fail("an array")
        self._gap()
        found: list[Raw] = []
        if self._take(b"]"):
            return found
        while True:
            begin = self._at
            self._skip_value(())
            found.append(Raw(self._text[begin : self._at].rstrip()))
            self._gap()
            if self._take(b"]"):
                return found
            if not self._take(b","):
                self._fail("`,` or `]`")
            self._gap()

    def value_plain(self) -> Any:
        """Objects, arrays and scalars as Python values, for text that msgspec refuses."""
        self._gap()
        value = self._plain(1)
        self._gap()
        if self._at != len(self._text):
            self._fail("nothing more")
        return value

    def _plain(self, depth: int) -> Any:
        head = self._text[self._at : self._at + 1]
        if head not in (b"{", b"["):
            return plain_leaf(self._scalar())
        if depth > self._levels_max:
            self._fail_depth()
        self._at += 1
        closer = b"}" if head == b"{" else b"]"
        values: list[Any] = []
        named: dict[str, Any] = {}
        self._gap()
        while not self._take(closer):
            if values or named:
                if not self._take(b","):
                    self._fail(f"`,` or `{closer.decode()}`")
                self._gap()
            if head == b"[":
                values.append(self._plain(depth + 1))
            else:
                key = self._key()
                self._colon()
                value = self._plain(depth + 1)
                named.setdefault(key, value)
            self._gap()
        return named if head == b"{" else values

    def _scalar(self) -> Raw:
        match = _SCALAR.match(self._text, self._at)
        if match is None:
            self._fail("a value")
        self._at = match.end()
        return Raw(match[0])

    def _fail_depth(self) -> NoReturn:
        msg = f"more than {self._levels_max} levels at byte {self._at}"
        raise TooLarge(msg, code="too-deep")

    def _object(self, path: tuple[str, ...]) -> Tree:
        # Depth is bounded before Python's own limit can be met.
        if len(path) >= self._levels_max:
            self._fail_depth()
        tree: Tree = {}
        self._at += 1
        self._gap()
        if self._take(b"}"):
            return tree
        while True:
            self._member(tree, path)
            self._gap()
            if self._take(b"}"):
                return tree
            if not self._take(b","):
                self._fail("`,` or `}`")
            self._gap()

    def _member(self, tree: Tree, path: tuple[str, ...]) -> None:
        key = self._key()
        self._colon()
        here = (*path, key)
        begin = self._at
        is_object = self._text[begin : begin + 1] == b"{"
        repeated = key in tree
        value: Any
        if is_object and not repeated:
            value = self._object(here)
        else:
            self._skip_value(here)
            value = Raw(self._text[begin : self._at])
        if not repeated:
            tree[key] = value
            return
        first = tree[key]
        kept = self._equal.setdefault(here, [Raw(encode(first)) if type(first) is dict else first])
        kept.append(value)

    def _key(self) -> str:
        match = _SCALAR.match(self._text, self._at)
        if match is None or match[0][:1] != b'"':
            self._fail("a key in quotes")
        self._at = match.end()
        self._keys += 1
        if self._keys > self._keys_max:
            msg = f"more than {self._keys_max} keys"
            raise TooLarge(msg, code="too-many-keys")
        return _string(match[0], lossless=True)

    def _colon(self) -> None:
        self._gap()
        if not self._take(b":"):
            self._fail("`:`")
        self._gap()

    def _skip_value(self, path: tuple[str, ...]) -> None:
        """Move past the value at `path`, checking its grammar, without keeping anything."""
        closers: list[tuple[bytes, set[str]]] = []
        while True:
            self._skip_one(closers, path)
            while closers:
                closer, names = closers[-1]
                self._gap()
                if self._take(closer):
                    closers.pop()
                    continue
                if not self._take(b","):
                    self._fail(f"`,` or `{closer.decode()}`")
                self._gap()
                if closer == b"}":
                    self._skip_key(names, path)
                break
            else:
                return

    def _skip_one(self, closers: list[tuple[bytes, set[str]]], path: tuple[str, ...]) -> None:
        """Move past scalars and opening brackets until one value is begun or done."""
        while True:
            self._gap()
            if closers and closers[-1][0] == b"]":
                run = _SCALARS.match(self._text, self._at)
                assert run is not None
                self._at = run.end()
            head = self._text[self._at : self._at + 1]
            if head not in (b"{", b"["):
                self._scalar()
                return
            if len(path) + len(closers) >= self._levels_max:
                self._fail_depth()
            self._at += 1
            closer = b"}" if head == b"{" else b"]"
            self._gap()
            if self._take(closer):
                return
            names: set[str] = set()
            closers.append((closer, names))
            if closer == b"}":
                self._skip_key(names, path)

    def _skip_key(self, names: set[str], path: tuple[str, ...]) -> None:
        key = self._key()
        if key in names:
            self._equal.setdefault((*path, key), [])
        names.add(key)
        self._colon()

    def _gap(self) -> None:
        match = _GAP.match(self._text, self._at)
        assert match is not None
        self._at = match.end()

    def _take(self, token: bytes) -> bool:
        if self._text.startswith(token, self._at):
            self._at += 1
            return True
        return False

    def _fail(self, wanted: str) -> NoReturn:
        msg = f"not JSON: expected {wanted} at byte {self._at}"
        raise Refused(msg, code="not-json")


def plain_leaf(leaf: Raw) -> Any:
    """The Python value of one leaf, however odd."""
    text = bytes(leaf)
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        pass
    text = text.strip(_SPACE)
    if text[:1] in (b"{", b"["):
        return _Reader(text, own=True).value_plain()
    if text[:1] == b'"':
        return _string(text, lossless=False)
    return text.decode("ascii", "replace")


def _string(token: bytes, *, lossless: bool) -> str:
    """The text of a JSON string token.

    A lone surrogate cannot stand in UTF-8. With `lossless` it becomes the six characters of its
    escape, so that a key stays apart from its neighbours; without, U+FFFD.
    """
    try:
        return msgspec.json.decode(token, type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = _unescape(token)
    if lossless:
        return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "/": "/"}
_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))"
)


def _unescape(token: bytes) -> str:
    def one(match: re.Match[str]) -> str:
        high, low, single, short = match.groups()
        if high is not None:
            pair = ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00
            return chr(0x10000 + pair)
        return chr(int(single, 16)) if single is not None else _ESCAPES[short]

    return _ESCAPE.sub(one, token[1:-1].decode("utf-8", "replace"))
