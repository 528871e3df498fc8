"""What of a rendered event leaves: some of its fields, some of them masked.

A path names a field by the keys on the way to it, with dots between (`user.email`); `*` stands for
any one key, and arrays are passed through. A key that has a dot in it itself is found by the same
path. Statements are never shaped: nothing in them is anybody's.
"""

import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from sealog.errors import Refused
from sealog.event import tokens
from sealog.event.tokens import Tree

MASK, HASH, REMOVE = "mask", "hash", "remove"
WAYS = (MASK, HASH, REMOVE)
PATHS_MAX = 200
PATH_CHARS_MAX = 256
HASH_HEX = 32

# They hold, in other words, what stands in other fields.
_COPIES = ("event.original", "sealog.sent")
_OWN = ("sealog.index", "sealog.erased")
_MASKED = Raw(b'"[masked]"')
_READ = msgspec.json.Decoder(dict[str, Raw]).decode
_READ_LIST = msgspec.json.Decoder(list[Raw]).decode
_WRITE = msgspec.json.Encoder().encode


class Shape(msgspec.Struct, frozen=True, omit_defaults=True):
    """What leaves of every event."""

    include: tuple[str, ...] = ()
    """Only these paths, and what is below them; none for all."""
    exclude: tuple[str, ...] = ()
    """Not these."""
    mask: dict[str, str] = {}
    """Path → what becomes of its value: `mask`, `hash` or `remove`."""

    @property
    def is_whole(self) -> bool:
        """Whether every event leaves as it is."""
        return not (self.include or self.exclude or self.mask)


WHOLE = Shape()


def check(shape: Shape) -> Shape:
    """The shape itself; raises `Refused` (`bad-fields`) with the pointer of what cannot be."""
    places = [
        *[(f"/fields/include/{n}", path) for n, path in enumerate(shape.include)],
        *[(f"/fields/exclude/{n}", path) for n, path in enumerate(shape.exclude)],
        *[(f"/mask/{_escaped(path)}", path) for path in shape.mask],
    ]
    if len(places) > PATHS_MAX:
        raise _bad(f"a stream names at most {PATHS_MAX} paths", "/fields")
    for pointer, path in places:
        if not 0 < len(path) <= PATH_CHARS_MAX:
            raise _bad(f"a path has 1 to {PATH_CHARS_MAX} characters", pointer)
        if not all(path.split(".")):
            raise _bad("a path is names with single dots between, such as user.email", pointer)
    for path, way in shape.mask.items():
        if way not in WAYS:
            raise _bad(f"a field is masked by {', '.join(WAYS)}", f"/mask/{_escaped(path)}")
    return shape


class Shaper:
    """Shapes the events of one stream. `secret`: its own key, so that hashes tell nobody else."""

    def __init__(self, shape: Shape, secret: bytes, *, is_ecs: bool) -> None:
        self._is_ecs = is_ecs
        self._secret = secret
        self._hides = bool(shape.exclude or shape.mask)
        self._kept = _Node()
        for path in shape.include:
            self._kept.add(path, MASK)
        if shape.include and is_ecs:
            for path in _OWN:
                self._kept.add(path, MASK)
        self._changed = _Node()
        for path in shape.exclude:
            self._changed.add(path, REMOVE)
        for path, way in shape.mask.items():
            self._changed.add(path, way)
        self._copies = [
            path.split(".")
            for path in _COPIES
            if is_ecs and (self._hides or path not in shape.include)
        ]
        self._is_whole = shape.is_whole

    def shaped(self, bodies: Sequence[bytes], indexes: Iterable[int]) -> list[bytes]:
        """What leaves of rendered events, each one JSON object; of ECS its index always does."""
        if self._is_whole:
            return list(bodies)
        return [self._one(body, index) for body, index in zip(bodies, indexes, strict=True)]

    def _one(self, body: bytes, index: int) -> bytes:
        # No path leads into what is no object, so that nothing of it can be hidden: none of it leaves.
        tree = _object(body) or {}
        if self._kept.below:
            tree = _narrowed(tree, self._kept)
        for group, name in self._copies:
            _drop(tree, group, name)
        if self._changed.below:
            hidden: dict[bytes, str] = {}
            self._change(tree, self._changed, hidden)
            if hidden and self._is_ecs and "related" in tree:
                self._hide_related(tree, hidden)
        if self._is_ecs:
            _keep_index(tree, index)
        return _WRITE(tree)

    def _change(self, tree: Tree, node: "_Node", hidden: dict[bytes, str]) -> None:
        """Change an object in place; `hidden` gets the values that were, and what became of them."""
        for key in list(tree):
            for found in node.of(key):
                if found.way is not None:
                    self._hide(tree, key, found.way, hidden)
                    break
                inner = _opened(tree[key])
                if inner is not None:
                    tree[key] = inner
                    for one in _objects(inner):
                        self._change(one, found, hidden)

    def _hide(self, tree: Tree, key: str, way: str, hidden: dict[bytes, str]) -> None:
        value = tree[key]
        hidden |= dict.fromkeys(_scalars(value), way)
        if way == REMOVE:
            del tree[key]
        else:
            tree[key] = self._masked(value, way)

    def _masked(self, value: Any, way: str) -> Any:
        if type(value) is Raw and bytes(value) == b"null":
            return value
        if way == MASK:
            return _MASKED
        inner = _opened(value)
        if type(inner) is list:
            return [self._hashed(one) for one in inner]
        return self._hashed(value)

    def _hashed(self, value: Any) -> Raw:
        """The same value has the same hash, wherever it stands and however it is escaped."""
        text = bytes(value) if type(value) is Raw else _WRITE(value)
        if text == b"null":
            return Raw(text)
        if text[:1] == b'"':
            text = str(tokens.plain_leaf(Raw(text))).encode("utf-8", "replace")
        found = hmac.digest(self._secret, text, "sha256").hex()[:HASH_HEX]
        return Raw(b'"hash:%b"' % found.encode())

    def _hide_related(self, tree: Tree, hidden: Mapping[bytes, str]) -> None:
        """What was hidden stands in `related.*` once more, put there on the way out."""
        related = _opened(tree["related"])
        if type(related) is not dict:
            return
        for name, values in related.items():
            listed = _opened(values)
            if type(listed) is list:
                related[name] = [
                    one if way is None else self._masked(one, way)
                    for one in listed
                    if (way := hidden.get(_token(one))) != REMOVE
                ]
        tree["related"] = related


class _Node:
    """What some paths say of the values at one place."""

    __slots__ = ("below", "way")

    def __init__(self) -> None:
        self.way: str | None = None
        self.below: dict[str, _Node] = {}

    def add(self, path: str, way: str) -> None:
        node = self
        for name in path.split("."):
            node = node.below.setdefault(name, _Node())
        # Of several that name the same place the strictest stands.
        if node.way is None or WAYS.index(way) > WAYS.index(node.way):
            node.way = way

    def of(self, key: str) -> list["_Node"]:
        """What they say of the value under a key, those first that say something of all of it."""
        below = self.below
        found = [below[name] for name in (key, "*") if name in below]
        if "." in key:
            found += self._of_dotted(key)
        return found if len(found) < 2 else sorted(found, key=lambda one: one.way is None)  # noqa: PLR2004

    def _of_dotted(self, key: str) -> list["_Node"]:
        nodes = [self]
        for name in key.split("."):
            nodes = [node.below[one] for node in nodes for one in (name, "*") if one in node.below]
            ended = [node for node in nodes if node.way is not None]
            if ended:
                # A path that ends within the key names all that is under it.
                return ended
        return nodes


def _narrowed(tree: Tree, node: _Node) -> Tree:
    """Only what is named of an object, in the order it stands."""
    left: Tree = {}
    for key, value in tree.items():
        found = node.of(key)
        if not found:
            continue
        if found[0].way is not None:
            left[key] = value
            continue
        inner = _opened(value)
        if type(inner) is dict:
            some = _narrowed_by(inner, found)
            if some:
                left[key] = some
        elif type(inner) is list:
            several = [_narrowed_by(one, found) for one in _objects(inner)]
            if any(several):
                left[key] = several
    return left


def _narrowed_by(tree: Tree, nodes: Sequence[_Node]) -> Tree:
    if len(nodes) == 1:
        return _narrowed(tree, nodes[0])
    kept: Tree = {}
    for key in tree:
        for node in nodes:
            kept |= _narrowed({key: tree[key]}, node)
    return kept


def _object(text: bytes) -> Tree | None:
    """An object whose values are tokens; None for what is none."""
    try:
        return _READ(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return tokens.parse(text, own=True).tree if text[:1] == b"{" else None


def _opened(value: Any) -> Any:
    """An object, or an array with the objects in it opened; None for what is neither."""
    if type(value) is not Raw:
        return value
    text = bytes(value)
    head = text[:1]
    if head == b"{":
        return _object(text)
    if head != b"[":
        return None
    try:
        listed = _READ_LIST(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        listed = tokens.elements(text)
    return [_opened(one) if bytes(one)[:1] in (b"{", b"[") else one for one in listed]


def _objects(inner: Any) -> Iterator[Tree]:
    """The objects of what was opened, through arrays in arrays."""
    if type(inner) is dict:
        yield inner
    elif type(inner) is list:
        for one in inner:
            yield from _objects(one)


def _scalars(value: Any) -> Iterator[bytes]:
    """The tokens of all scalars in a value."""
    inner = _opened(value)
    if inner is None:
        yield _token(value)
        return
    for one in inner.values() if type(inner) is dict else inner:
        yield from _scalars(one)


def _drop(tree: Tree, group: str, name: str) -> None:
    inner = _opened(tree.get(group))
    if type(inner) is dict and inner.pop(name, None) is not None:
        tree[group] = inner


def _token(value: Any) -> bytes:
    return bytes(value) if type(value) is Raw else _WRITE(value)


def _keep_index(tree: Tree, index: int) -> None:
    own = tree.get("sealog")
    if type(own) is not dict:
        own = _opened(own) if type(own) is Raw else None
        tree["sealog"] = own = own if type(own) is dict else {}
    own["index"] = index


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _bad(detail: str, pointer: str) -> Refused:
    return Refused(detail, code="bad-fields", pointer=pointer)
