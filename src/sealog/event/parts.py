"""The four parts of an event and what is hashed over them (docs/formats/parts.md).

What stands here is sealed for ever: a change is a new version, never an edit. The vectors in
`tests/golden/entry/` pin every byte.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from sealog.event import tokens
from sealog.event.tokens import Tree

FACTS, ACTOR, TARGET, REST = 0, 1, 2, 3
PART_NAMES = ("facts", "actor", "target", "rest")

EVENT_ENTRY = b"\x01"
STATEMENT_ENTRY = b"\x02"
ENTRY_BYTES = 33
SALT_BYTES = 16
FACT_STRING_BYTES_MAX = 256

_PART_TAG = b"sealog/part/v1\x00"
_EVENT_TAG = b"sealog/event/v1\x00"
_PART_HEADS = tuple(_PART_TAG + bytes([number]) for number in range(4))

STATEMENT_ACTIONS = frozenset(
    {"sealog.retention", "sealog.erasure", "sealog.hold", "sealog.release", "sealog.key"}
)

# The closed list: what is a fact in every event. Nothing personal may ever stand here.
FACT_PATHS = frozenset(
    {
        "@timestamp",
        "ecs.version",
        "event.id",
        "event.kind",
        "event.category",
        "event.type",
        "event.action",
        "event.outcome",
        "event.created",
        "event.ingested",
        "event.start",
        "event.end",
        "event.duration",
        "event.provider",
        "event.dataset",
        "event.module",
        "event.code",
        "event.severity",
        "event.sequence",
        "event.timezone",
        "organization.id",
        "service.name",
        "service.type",
        "service.version",
        "service.environment",
        "http.request.method",
        "http.response.status_code",
        "sealog.action",
        "sealog.dialect",
    }
)
ACTOR_PATHS = frozenset(
    {"user", "source", "client", "geo", "user_agent", "session", "sealog.actor"}
)
TARGET_PATHS = frozenset({"user.target", "user.changes"})

Part = tuple[int, bytes]
"""A part's number and its bytes."""


class Place(msgspec.Struct):
    """Where the value at one path goes, and where its children go when they are routed apart."""

    part: int = REST
    children: dict[str, "Place"] | None = None


def places(declared: Mapping[str, int] | None = None) -> Place:
    """The routes of every event, with a catalog entry's own declarations (path → part) added."""
    root = Place(REST, {})
    routes = [(path, FACTS) for path in FACT_PATHS]
    routes += [(path, ACTOR) for path in ACTOR_PATHS]
    routes += [(path, TARGET) for path in TARGET_PATHS]
    routes += (declared or {}).items()
    # Parents first, so that a child inherits nothing that a later parent would change.
    for path, part in sorted(routes, key=lambda route: route[0].count(".")):
        at = root
        for step in path.split("."):
            if at.children is None:
                at.children = {}
            at = at.children.setdefault(step, Place(at.part if at.part != FACTS else REST))
        at.part = part
    return root


def split(tree: Tree, root: Place, *, action_known: bool = False) -> list[Part]:
    """Cut an event's tree into its parts, each encoded once: the bytes stored and hashed.

    `action_known`: a catalogued `event.action` is a fact whatever it looks like. No path in one
    part equals or begins a path in another: what a route splits is an object, and an empty one
    stands in a part only where nothing else stands below it.
    """
    cut: tuple[Tree, Tree, Tree, Tree] = ({}, {}, {}, {})
    assert root.children is not None
    for key, node in tree.items():
        place = root.children.get(key)
        if place is None:
            cut[REST][key] = node
        elif place.children is None:
            _settle(cut, (), key, node, place)
        else:
            _descend(cut, (key,), node, place)
    if action_known and "action" in (moved := cut[REST].get("event", {})):
        cut[FACTS].setdefault("event", {})["action"] = moved.pop("action")
        if not moved:
            del cut[REST]["event"]
    return [(number, tokens.encode(part)) for number, part in enumerate(cut) if part]


def _descend(cut: Sequence[Tree], path: tuple[str, ...], node: Any, place: Place) -> None:
    inner = tokens.opened(node)
    if inner is None or not inner:
        _settle(cut, path[:-1], path[-1], node, place)
        return
    assert place.children is not None
    for key, child in inner.items():
        below = place.children.get(key)
        if below is None:
            _at(cut[place.part if place.part != FACTS else REST], path)[key] = child
        elif below.children is None:
            _settle(cut, path, key, child, below)
        else:
            _descend(cut, (*path, key), child, below)


def _settle(cut: Sequence[Tree], path: tuple[str, ...], key: str, node: Any, place: Place) -> None:
    part = place.part
    if part == FACTS and not is_fact(node):
        part = REST
    _at(cut[part], path)[key] = node


def _at(tree: Tree, path: tuple[str, ...]) -> Tree:
    for step in path:
        tree = tree.setdefault(step, {})
    return tree


def is_fact(node: Any) -> bool:
    """Whether a value may stand in facts: a scalar or an array of scalars, short, without `@`."""
    if type(node) is dict:
        return False
    text = bytes(node)
    head = text[:1]
    if head == b'"':
        if b"@" in text:
            return False
        if b"\\" not in text:
            return len(text) - 2 <= FACT_STRING_BYTES_MAX
        return _is_fact_value(tokens.plain(text))
    if head == b"[":
        values = tokens.plain(text)
        return all(not isinstance(v, list | dict) and _is_fact_value(v) for v in values)
    return head != b"{"


def _is_fact_value(value: Any) -> bool:
    if not isinstance(value, str):
        return True
    return "@" not in value and len(value.encode("utf-8", "replace")) <= FACT_STRING_BYTES_MAX


def digest(number: int, salt: bytes, part: bytes) -> bytes:
    """The 32-byte digest of one part. `salt` is 16 random bytes of its own."""
    return hashlib.sha256(_PART_HEADS[number] + salt + part).digest()


def commitment(digests: Iterable[tuple[int, bytes]]) -> bytes:
    """The 32 bytes that stand for an event: over (number, digest) of its parts, in order."""
    return hashlib.sha256(
        _EVENT_TAG + b"".join(bytes([number]) + value for number, value in digests)
    ).digest()


def entry(kind: bytes, committed: bytes) -> bytes:
    """The 33 bytes of a sealed log's entry: `EVENT_ENTRY` or `STATEMENT_ENTRY`, a commitment."""
    return kind + committed


def joined(parts: Iterable[bytes]) -> Tree:
    """The event again: the deep union of its opened parts, every value the token it was.

    Parts never share a path, so the order of `parts` does not matter.
    """
    union: Tree = {}
    for part in parts:
        _unite(union, _object(part))
    return union


def _object(text: bytes | Raw) -> Tree:
    try:
        return tokens.opened(Raw(text)) or {}
    except msgspec.DecodeError:
        return tokens.parse(bytes(text)).tree


def _unite(union: Tree, other: Tree) -> None:
    for key, node in other.items():
        if key not in union:
            union[key] = node
            continue
        mine = union[key]
        inner = mine if type(mine) is dict else dict(_object(mine))
        union[key] = inner
        _unite(inner, node if type(node) is dict else _object(node))
