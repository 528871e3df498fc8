"""Trees of tokens: dotted keys made nested, and values read, set and taken by dotted path.

A node is a `msgspec.Raw` leaf, a `Raw` object that nobody has opened yet, or a dict. What reads
here opens a `Raw` object where it must; what writes keeps the dict it opened.
"""

import re
from collections import deque
from collections.abc import Iterable, Mapping
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
    tree = work.own(fields, (), ())
    while work.later:
        home, path, spelled, key, node = work.later.popleft()
        steps = _steps(key, at_root=not path)
        for step in steps[:-1]:
            home = work.descend(home, path, spelled, step, key)
            path = (*path, step)
        work.add(home, path, spelled, steps[-1], node, as_sent=key)
    losers = {at: among(nodes) for at, nodes in work.losers.items()}
    return Expanded(tree, losers, work.findings)


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


class _Expansion:
    """The dotted keys that wait until everything nested stands, and what lost its place."""

    def __init__(self) -> None:
        self.later: deque[tuple[Tree, tuple[str, ...], tuple[str, ...], str, Node]] = deque()
        self.losers: dict[str, list[Node]] = {}
        self.findings: list[Finding] = []

    def own(self, node: Tree, path: tuple[str, ...], spelled: tuple[str, ...]) -> Tree:
        """A copy of an object that is read: its dotted keys set aside, objects in it copied."""
        tree: Tree = {}
        self._fill(tree, node, path, spelled)
        return tree

    def _fill(
        self, tree: Tree, node: Tree, path: tuple[str, ...], spelled: tuple[str, ...]
    ) -> None:
        is_read = not path or ".".join(path) in READ_OBJECTS
        for key, child in node.items():
            if is_read and "." in key and len(_steps(key, at_root=not path)) > 1:
                self.later.append((tree, path, spelled, key, child))
            else:
                self.add(tree, path, spelled, key, child, as_sent=key)

    def add(
        self,
        tree: Tree,
        path: tuple[str, ...],
        spelled: tuple[str, ...],
        key: str,
        node: Node,
        *,
        as_sent: str,
    ) -> None:
        """Set one value; where something stands already, unite objects or name the loser."""
        here, sent_here = (*path, key), (*spelled, as_sent)
        if key not in tree:
            tree[key] = self._copied(node, here, sent_here)
            return
        standing = tree[key]
        mine, other = opened(standing), opened(node)
        if mine is not None and other is not None:
            if type(standing) is not dict:
                tree[key] = mine = dict(mine)
            self._fill(mine, other, here, sent_here)
            return
        if other is not None:
            tree[key] = self._copied(node, here, sent_here)
            node = standing
        self._lose(here, sent_here, node)

    def descend(
        self, tree: Tree, path: tuple[str, ...], spelled: tuple[str, ...], step: str, as_sent: str
    ) -> Tree:
        """The object at `step`, made where missing, in the place of a scalar where one stands."""
        standing = tree.get(step)
        inner = None if standing is None else opened(standing)
        if inner is None:
            if standing is not None:
                self._lose((*path, step), (*spelled, as_sent), standing)
            tree[step] = inner = {}
        elif type(standing) is not dict:
            tree[step] = inner = dict(inner)
        return inner

    def _copied(self, node: Node, path: tuple[str, ...], spelled: tuple[str, ...]) -> Node:
        if type(node) is not dict and ".".join(path) not in READ_OBJECTS:
            return node
        inner = opened(node)
        return node if inner is None else self.own(inner, path, spelled)

    def _lose(self, path: tuple[str, ...], spelled: tuple[str, ...], node: Node) -> None:
        at = ".".join(path)
        self.losers.setdefault(at, []).append(node)
        self.findings.append(Finding("clash", pointer(*spelled), f"more than one value for {at}"))


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
    try:
        return tokens.opened(node)
    except msgspec.DecodeError:
        return tokens.parse(bytes(node)).tree  # type: ignore[arg-type]


def get(tree: Tree, path: str) -> Node | None:
    """The node at a dotted path, or None. Changes nothing."""
    at: Node | None = tree
    for step in path.split("."):
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

# From any dot to the end of its string, if a colon follows: a key, or (after a number) no string.
_DOT_IN_KEY = re.compile(rb'\.(?:[^"\\]++|\\.)*+"[ \t\r\n]*+:')
_STRING = re.compile(rb'"((?:[^"\\]++|\\.)*+)"[ \t\r\n]*+(:?)')
_ESCAPED_DOT = re.compile(rb"\\u002[eE]")


def has_dotted_key(text: bytes) -> bool:
    """Whether any key at any level, arrays included, holds a dot. `text` is strict JSON."""
    if _DOT_IN_KEY.search(text) is None and b"\\u002" not in text:
        return False
    return any(
        b"." in match[1] or _ESCAPED_DOT.search(match[1]) is not None
        for match in _STRING.finditer(text)
        if match[2]
    )


def scalars_of(tree: Mapping[str, Any]) -> Iterable[tuple[tuple[str, ...], Raw]]:
    """Every leaf of a tree with its path, all objects opened; an empty object is a leaf `{}`."""
    for key, node in tree.items():
        inner = opened(node)
        if not inner:
            yield (key,), Raw(b"{}") if inner is not None else node
            continue
        for path, leaf in scalars_of(inner):
            yield (key, *path), leaf
