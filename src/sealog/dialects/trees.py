"""Trees of tokens: dotted keys made nested, and values read, set and taken by dotted path.

A node is a `msgspec.Raw` leaf, a `Raw` object that nobody has opened yet, or a dict. What reads
here opens a `Raw` object where it must; what writes keeps the dict it opened.
"""

import re
from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Raw

from sealog.event import tokens
from sealog.event.findings import Finding, pointer
from sealog.event.tokens import Equal, Tree

Node = Raw | Tree

STEPS_MAX = 16
"""A dotted key of more steps, or with an empty one, stays the key it is."""

# The objects whose own dotted keys become nested: what Sealog routes to parts or reads for search.
# Everything else (labels, the senders' own objects, arrays) keeps its keys as written.
READ_OBJECTS = frozenset(
    {
        "client",
        "client.geo",
        "ecs",
        "event",
        "geo",
        "http",
        "http.request",
        "http.request.body",
        "http.response",
        "http.response.body",
        "organization",
        "sealog",
        "sealog.actor",
        "service",
        "session",
        "source",
        "source.geo",
        "url",
        "user",
        "user.changes",
        "user.effective",
        "user.target",
        "user_agent",
        "user_agent.device",
        "user_agent.os",
    }
)
# Flat by their definition: of `labels.a.b` at the root the label is `a.b`.
FLAT_OBJECTS = frozenset({"labels"})


class Expanded(msgspec.Struct, frozen=True):
    """A record's fields with dotted keys nested.

    `losers`: what another value stood in the way of, by dotted path, as sent; an array of all of
    them in order where one path lost more than once. `findings`: one `clash` for each.
    """

    tree: Tree
    losers: dict[str, Node]
    findings: list[Finding]


def expand(fields: Tree) -> Expanded:
    """Nest the dotted keys at the root and in `READ_OBJECTS`, never those in arrays.

    Nested beats dotted, object beats scalar, and of two dotted spellings the first keeps. Objects
    on both sides are united. `fields` and the dicts in it stay as they are: every dict of the tree
    is the caller's own.
    """
    work = _Expansion()
    root = _Home({}, (), (), _READ)
    work.fill(root, fields)
    while work.later:
        home, key, node = work.later.popleft()
        steps = _steps(key, at_root=not home.path)
        as_sent: str | None = key
        for step in steps[:-1]:
            home = work.descend(home, step, as_sent)
            as_sent = None
        work.add(home, steps[-1], node, as_sent)
    losers = {at: among(nodes) for at, nodes in work.losers.items()}
    return Expanded(root.tree, losers, work.findings)


def _steps(key: str, *, at_root: bool) -> list[str]:
    """The steps of a dotted key; one where it stays whole."""
    steps = key.split(".")
    if len(steps) == 1:
        return steps
    if not all(steps):
        return [key]
    if at_root and steps[0] in FLAT_OBJECTS:
        return key.split(".", 1)
    return steps if len(steps) <= STEPS_MAX else [key]


class _Home(msgspec.Struct, frozen=True):
    """An object that is being filled: where it stands, how that was spelled, what is read in it."""

    tree: Tree
    path: tuple[str, ...]
    spelled: tuple[str, ...]
    read: dict[str, Any] | None
    """Its own objects that are read; None if it is none of `READ_OBJECTS` itself."""

    def below(self, tree: Tree, step: str, as_sent: str | None) -> "_Home":
        """A home in this one; `as_sent` is the record's key for it.

        That is None behind a dotted key's first step, because a dotted key is one step of the
        record, however many it is of the event.
        """
        read = None if self.read is None else self.read.get(step)
        spelled = self.spelled if as_sent is None else (*self.spelled, as_sent)
        return _Home(tree, (*self.path, step), spelled, read)


def _nested(paths: Iterable[str]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for path in paths:
        at = root
        for step in path.split("."):
            at = at.setdefault(step, {})
    return root


_READ = _nested(READ_OBJECTS)


class _Expansion:
    """The dotted keys that wait until everything nested stands, and what lost its place."""

    def __init__(self) -> None:
        self.later: deque[tuple[_Home, str, Node]] = deque()
        self.losers: dict[str, list[Node]] = {}
        self.findings: list[Finding] = []

    def fill(self, home: _Home, node: Tree) -> None:
        """Set an object's children in its home; dotted keys of what is read are set aside."""
        tree, read = home.tree, home.read
        for key, child in node.items():
            if read is not None and "." in key and len(_steps(key, at_root=not home.path)) > 1:
                self.later.append((home, key, child))
            elif key in tree:
                self.add(home, key, child, key)
            elif type(child) is dict or (read is not None and key in read):
                tree[key] = self._copied(home, key, child, key)
            else:
                tree[key] = child

    def add(self, home: _Home, key: str, node: Node, as_sent: str | None) -> None:
        """Set one value; where something stands already, unite objects or name the loser."""
        tree = home.tree
        if key not in tree:
            tree[key] = self._copied(home, key, node, as_sent)
            return
        standing = tree[key]
        mine, other = opened(standing), opened(node)
        if mine is not None and other is not None:
            tree[key] = mine
            self.fill(home.below(mine, key, as_sent), other)
            return
        if other is not None:
            tree[key] = self._copied(home, key, node, as_sent)
            node = standing
        self._lose(home, key, as_sent, node)

    def descend(self, home: _Home, step: str, as_sent: str | None) -> _Home:
        """The object at `step`, made where missing, in the place of a scalar where one stands."""
        standing = home.tree.get(step)
        inner = None if standing is None else opened(standing)
        if inner is None:
            if standing is not None:
                self._lose(home, step, as_sent, standing)
            inner = {}
        home.tree[step] = inner
        return home.below(inner, step, as_sent)

    def _copied(self, home: _Home, key: str, node: Node, as_sent: str | None) -> Node:
        """The node as the caller's own: opened only where a dotted key may be read in it."""
        if type(node) is not dict:
            if home.read is None or key not in home.read:
                return node
            text = bytes(node)  # type: ignore[arg-type]
            if b"." not in text or text[:1] != b"{" or not has_dotted_key(text):
                return node
        below = home.below({}, key, as_sent)
        self.fill(below, opened(node) or {})
        return below.tree

    def _lose(self, home: _Home, key: str, as_sent: str | None, node: Node) -> None:
        lost = home.below({}, key, as_sent)
        at = ".".join(lost.path)
        self.losers.setdefault(at, []).append(node)
        detail = f"more than one value for {at}"
        self.findings.append(Finding("clash", pointer(*lost.spelled), detail))


def among(nodes: Iterable[Node]) -> Node:
    """The only one of several values, or all of them in order as one array."""
    several = list(nodes)
    if len(several) == 1:
        return several[0]
    return Raw(b"[" + b",".join(tokens.encode(node) for node in several) + b"]")


def equal_values(equal: Iterable[Equal]) -> dict[str, Node]:
    """What `sealog.sent` keeps of equal keys: every value in the order written, by dotted path.

    Equal keys inside an array have no values here: they stand in the array's own text.
    """
    return {
        ".".join(each.path): Raw(b"[" + b",".join(bytes(value) for value in each.values) + b"]")
        for each in equal
        if each.values
    }


def opened(node: Node) -> Tree | None:
    """The object behind a node, or None if it is none; read slowly where msgspec refuses."""
    if type(node) is dict:
        return node
    text = bytes(node)  # type: ignore[arg-type]
    if text[:1] != b"{":
        return None
    try:
        return _OBJECT(text)
    except msgspec.DecodeError:
        return tokens.parse(text, own=True).tree


def get(tree: Tree, path: str) -> Node | None:
    """The node at a dotted path, or None. Changes nothing."""
    return get_at(tree, path.split("."))


def get_at(tree: Tree, steps: Iterable[str]) -> Node | None:
    """The node at a path given step by step, or None. Changes nothing."""
    at: Node | None = tree
    for step in steps:
        inner = None if at is None else opened(at)
        if inner is None:
            return None
        at = inner.get(step)
    return at


def put(tree: Tree, path: str, node: Node, sent: dict[str, Node]) -> None:
    """Set the node at a dotted path; whatever it displaces goes to `sent` under its own path.

    `tree` and the dicts in it MUST be the caller's own, as those of `Expanded` are.
    """
    steps = path.split(".")
    for depth, step in enumerate(steps[:-1], 1):
        standing = tree.get(step)
        inner = None if standing is None else opened(standing)
        if inner is None:
            if standing is not None:
                keep(sent, ".".join(steps[:depth]), standing)
            inner = {}
        tree[step] = inner
        tree = inner
    standing = tree.get(steps[-1])
    if standing is not None:
        keep(sent, path, standing)
    tree[steps[-1]] = node


def pop(tree: Tree, path: str) -> Node | None:
    """Take the node at a dotted path out, and every object that this leaves empty.

    `tree` and the dicts in it MUST be the caller's own, as those of `Expanded` are.
    """
    step, _, below = path.partition(".")
    node: Node | None = tree.get(step)
    if node is None:
        return None
    if not below:
        del tree[step]
        return node
    inner = opened(node)
    if not inner:
        return None
    taken = pop(inner, below)
    if taken is None:
        return None
    if inner:
        tree[step] = inner
    else:
        del tree[step]
    return taken


def keep(sent: dict[str, Node], path: str, node: Node) -> None:
    """Note a value as sent; a second one for the same path stands behind the first in an array."""
    sent[path] = among([sent[path], node]) if path in sent else node


def text_of(node: Node | None) -> str | None:
    """The text of a JSON string that Python can hold; None for anything else."""
    if type(node) is dict or node is None:
        return None
    try:
        return _TEXT.decode(node)  # type: ignore[arg-type]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


_TEXT = msgspec.json.Decoder(str)
_OBJECT = msgspec.json.Decoder(dict[str, Raw]).decode

# Of text without a backslash, its dots, quotes and colons tell: only a key's end has a colon behind
# its quote.
_NO_MARKS = bytes(byte for byte in range(256) if byte not in b'".:\\')
# From each dot no further than the next: a megabyte of dots is gone through once.
_DOT_IN_KEY = re.compile(rb'\.:*+":')
_DOT_IN_KEY_OF_ANY = re.compile(rb'\.(?:[^"\\.]++|\\.)*+"[ \t\r\n]*+:')
_ESCAPED_DOT = re.compile(rb"\\u002[eE]")


def has_dotted_key(text: bytes) -> bool:
    """Whether a key at any level, arrays included, may hold a dot. `text` is strict JSON.

    Over-reports only: an escaped dot anywhere, and a number's dot before a string that begins with
    a colon.
    """
    marks = text.translate(None, _NO_MARKS)
    if b"\\" not in marks:
        return _DOT_IN_KEY.search(marks) is not None
    return _DOT_IN_KEY_OF_ANY.search(text) is not None or _ESCAPED_DOT.search(text) is not None
