"""An event as whoever writes it in a product's shape reads it: one document, and what was sent."""

from collections.abc import Iterable
from functools import cached_property, lru_cache, partial
from typing import Any

import msgspec
from msgspec import Raw

from sealog.dialects import leaves, trees
from sealog.event import tokens
from sealog.event.tokens import Tree

_steps = lru_cache(1_024)(partial(str.split, sep="."))
_UNKNOWN = Raw(b'"unknown"')
_AMBIGUOUS = frozenset({"clash", "equal-keys"})
_TIMELESS = frozenset({"no-time", "bad-time"})
_ITEMS = msgspec.json.Decoder(list[Raw]).decode


class Document:
    """One event; its values are the tokens that were stored.

    `own`: it is of the dialect whose shape it gets, so that what was sent may be given back.
    """

    def __init__(self, tree: Tree, dialect: str) -> None:
        """`tree`: what `joining.document` gives; from here on it is this document's own."""
        self.tree = tree
        self.own = self.text("sealog.dialect") == dialect
        self._sent: Tree = self.others("sealog.sent") if self.own else {}

    @property
    def sealog(self) -> Tree:
        """What Sealog says of the event."""
        return self.others("sealog")

    def get(self, path: str) -> Any:
        """The node at a dotted path, or None; what is opened on the way stays open."""
        *above, leaf = _steps(path)
        at = self.tree
        for step in above:
            node = at.get(step)
            if type(node) is not dict:
                node = None if node is None else trees.opened(node)
                if node is None:
                    return None
                at[step] = node
            at = node
        return at.get(leaf)

    def text(self, path: str) -> str | None:
        """The text at a path; None where there is none, or another value."""
        return trees.text_of(self.get(path))

    def first(self, *paths: str) -> Any:
        """The first node that is there and is neither null nor a blank string."""
        for path in paths:
            node = self.get(path)
            if not leaves.is_blank(node):
                return node
        return None

    def said(self, path: str) -> Any:
        """What was sent for a value that is there and was mended; else the value.

        Where several were sent for it, nobody can tell which it was made of, and it is the value.
        """
        return self.as_sent(path, self.get(path))

    def as_sent(self, path: str, node: Any) -> Any:
        """The same, of the value that stands there."""
        if node is None or path not in self._sent or self._codes & _AMBIGUOUS:
            return node
        return self._sent[path]

    def time(self) -> Any:
        """When it happened: as sent; None where the record had no time."""
        if "@timestamp" in self._sent:
            return self._sent["@timestamp"]
        if self.own and self._codes & _TIMELESS:
            return None
        return self.get("@timestamp")

    def action(self) -> Any:
        """The native name; None where the record had none."""
        node = self.get("event.action")
        if node == _UNKNOWN and "no-action" in self._codes:
            return self._sent.get("event.action")
        return node

    def version(self, otherwise: str) -> Any:
        """`ecs.version` as sent."""
        return self._sent.get("ecs.version", tokens.raw(otherwise))

    def others(self, root: str, without: Iterable[str] = ()) -> Tree:
        """What stands in an object, but for some keys; nothing where there is none."""
        gone = set(without)
        node = self.get(root)
        inner = None if node is None else trees.opened(node)
        return {key: child for key, child in (inner or {}).items() if key not in gone}

    @cached_property
    def _codes(self) -> frozenset[str | None]:
        """Of the findings."""
        found = map(trees.opened, items(self.get("sealog.findings")))
        return frozenset(trees.text_of(one["code"]) for one in found if one)


def items(node: Any) -> list[Raw]:
    """The values of an array; of anything else, that alone, and of nothing none."""
    if node is None or type(node) is dict:
        return []
    text = bytes(node)
    if text[:1] != b"[":
        return [Raw(text)]
    try:
        return _ITEMS(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return tokens.elements(text)


def made(members: Iterable[tuple[str, Any]]) -> Tree:
    """An object of the members that are there."""
    return {key: node for key, node in members if node is not None and node != {}}


def put(tree: Tree, path: str, node: Any) -> None:
    """Set a value in an object of our own, at a dotted path, where there is one."""
    if node is None:
        return
    *steps, leaf = path.split(".")
    for step in steps:
        tree = tree.setdefault(step, {})
    tree[leaf] = node


def whole(node: Any) -> Any:
    """A number that was sent as a string of digits, as a number; anything else as it is."""
    if node is None:
        return None
    number = leaves.whole(node)
    return node if number is None or bytes(node)[:1] != b'"' else tokens.raw(number)


def several(node: Any) -> Any:
    """An array as it is; a single value as an array of it."""
    if node is None or type(node) is dict or bytes(node)[:1] == b"[":
        return node
    return None if leaves.is_null(node) else Raw(b"[%b]" % bytes(node))


def line(tree: Tree) -> bytes:
    """An object as JSON on one line."""
    text = tokens.encode(tree)
    if b"\n" in text or b"\r" in text:
        # Between the tokens of a value white space stands as it was sent; in strings it cannot.
        return text.translate(_ON_ONE_LINE)
    return text


_ON_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
