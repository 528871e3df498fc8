"""The four parts of an event and what is hashed over them (docs/formats/parts.md).

What stands here is sealed for ever: a change is a new version, never an edit. The vectors in
`tests/golden/entry/` pin every byte.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from sealog.errors import Refused
from sealog.event import tokens
from sealog.event.tokens import Tree

FACTS, ACTOR, TARGET, REST = 0, 1, 2, 3
PART_NAMES = ("facts", "actor", "target", "rest")

EVENT_ENTRY = b"\x01"
STATEMENT_ENTRY = b"\x02"
ENTRY_BYTES = 33
SALT_BYTES = 16
FACT_STRING_BYTES_MAX = 256

NUMBERS = tuple(bytes([number]) for number in range(len(PART_NAMES)))
PART_HEADS = tuple(b"sealog/part/v1\x00" + number for number in NUMBERS)
"""Before the salt of a part of each number, in what its digest is over."""
EVENT_HEAD = b"sealog/event/v1\x00"
"""Before the first part's number, in what a commitment is over."""

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
# The kind of an actor is sealed, and goes with the person: decision 0006.
ACTOR_PATHS = frozenset(
    {"user", "source", "client", "geo", "user_agent", "session", "sealog.actor"}
)
TARGET_PATHS = frozenset({"user.target", "user.changes"})

Part = tuple[int, bytes]
"""A part's number and its bytes."""
Texts = tuple[bytes, bytes, bytes, bytes]
"""The bytes of each part, by its number; empty where the event has none."""
_Shares = tuple[Tree, Tree, Tree, Tree]
_BACKSLASH = ord("\\")


class Stamps(msgspec.Struct, frozen=True):
    """What Sealog sets in an event beside what is in its tree.

    `at`: the text of `@timestamp`. `facts`: root key → an object of scalars. `rest`: root key →
    what is added to its object there; anything that encodes as JSON.
    """

    at: str | None = None
    facts: Mapping[str, Raw] = {}
    rest: Mapping[str, Mapping[str, Any]] = {}


class Place(msgspec.Struct):
    """Where the value at one path goes, and where its children go when they are routed apart."""

    part: int = REST
    children: dict[str, "Place"] | None = None
    fact_keys: frozenset[str] = frozenset()
    """The children that are facts and routed no further."""
    marks: tuple[bytes, ...] = ()
    """How the children are written where the rest of the value is the actor's or the target's."""


def places(declared: Mapping[str, int] | None = None) -> Place:
    """The routes of every event, with a catalog entry's own declarations (path → part) added.

    Made once per type: what `split` reads of it is worked out here.
    """
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
    _note_children(root)
    return root


def _note_children(place: Place) -> None:
    children = place.children or {}
    place.fact_keys = frozenset(
        key for key, below in children.items() if below.children is None and below.part == FACTS
    )
    if place.part in (ACTOR, TARGET):
        place.marks = tuple(_ENCODE(key) for key in children)
    for below in children.values():
        _note_children(below)


_NONE = Stamps()


def split(
    tree: Tree, root: Place, stamps: Stamps = _NONE, *, action_known: bool = False
) -> list[Part]:
    """Cut an event's tree into its parts, each encoded once: the bytes stored and hashed.

    `stamps`: what Sealog sets, which wins over the tree's. `action_known`: a catalogued
    `event.action` is a fact whatever it looks like. No path in one part equals or begins a path in
    another: what a route splits is an object, and an empty one stands in a part only where nothing
    else stands below it. `tree` is left as it is.
    """
    # Nearly always every value on a fact's path may be a fact. So all of them are cut first and
    # judged together, on the bytes; only if those look odd is each value judged by itself.
    shares: _Shares = ({}, {}, {}, {})
    objects = _share(tree, root, shares)
    facts, actor, target, rest = shares
    count = len(facts) + len(stamps.facts)
    if stamps.at is not None:
        count += 1
        facts["@timestamp"] = stamps.at
    facts |= stamps.facts
    text = _ENCODE(facts)
    objects += 1 + len(stamps.facts)
    # Fewer than there should be: what we set stands in the way of something.
    if len(facts) != count or not _all_are_facts(text, objects, "@timestamp" in facts):
        known_action = _known_action(root) if action_known else None
        facts, actor, target, rest = _judge(_stamped(tree, stamps), root, known_action)
        text = _ENCODE(facts)
    for key, added in stamps.rest.items():
        rest[key] = {**(_opened(rest[key]) or {}), **added} if key in rest else added
    cut = [(FACTS, text)] if facts else []
    if actor:
        cut.append((ACTOR, _ENCODE(actor)))
    if target:
        cut.append((TARGET, _ENCODE(target)))
    if rest:
        cut.append((REST, _ENCODE(rest)))
    return cut


def texts(cut: Iterable[Part]) -> Texts:
    """The parts of one event, each in its place."""
    by_number = dict(cut)
    facts, actor, target, rest = (by_number.get(number, b"") for number in range(len(PART_NAMES)))
    return facts, actor, target, rest


def _share(node: Tree, place: Place, shares: _Shares) -> int:
    """Divide an object's children among the four parts, by their paths alone.

    Gives how many objects stand inside the facts.
    """
    get = place.children.get  # type: ignore[union-attr]
    otherwise = shares[place.part or REST]
    objects = 0
    for key, child in node.items():
        below = get(key)
        if below is None:
            otherwise[key] = child
        elif below.children is None or (
            below.marks and type(child) is not dict and _holds_none(child, below.marks)
        ):
            shares[below.part][key] = child
        else:
            objects += _share_object(key, child, below, shares)
    return objects


def _share_object(key: str, child: Any, place: Place, shares: _Shares) -> int:
    inner = child if type(child) is dict else _opened(child)
    children = place.children
    assert children is not None
    if not inner or (place.part and children.keys().isdisjoint(inner)):
        shares[place.part][key] = child
        return 0
    if place.fact_keys.issuperset(inner):
        shares[FACTS][key] = inner
        return 1
    lower: _Shares = ({}, {}, {}, {})
    objects = _share(inner, place, lower)
    facts, actor, target, rest = lower
    if facts:
        shares[FACTS][key] = facts
        objects += 1
    if actor:
        shares[ACTOR][key] = actor
    if target:
        shares[TARGET][key] = target
    if rest:
        shares[REST][key] = rest
    return objects


def _holds_none(node: Raw, marks: tuple[bytes, ...]) -> bool:
    """Whether surely none of these keys stands in a value."""
    text = bytes(node)
    if _BACKSLASH in text:
        return False
    for mark in marks:  # noqa: SIM110 - quicker
        if text.find(mark) >= 0:
            return False
    return True


def _stamped(tree: Tree, stamps: Stamps) -> Tree:
    """The tree with our own facts in it, every value a token or an object."""
    whole = dict(tree)
    for key, node in stamps.facts.items():
        theirs, ours = _opened(tree.get(key, node)), _opened(node)
        whole[key] = {**theirs, **ours} if theirs and ours else node
    if stamps.at is not None:
        whole["@timestamp"] = tokens.raw(stamps.at)
    return whole


def _judge(node: Tree, place: Place, known_action: Place | None) -> _Shares:
    """The same, each value on a fact's path judged by itself: what may be none goes to rest."""
    shares: _Shares = ({}, {}, {}, {})
    assert place.children is not None
    for key, child in node.items():
        below = place.children.get(key)
        if below is None:
            shares[place.part or REST][key] = child
            continue
        inner = None if below.children is None else _opened(child)
        if inner:
            for number, lower in enumerate(_judge(inner, below, known_action)):
                if lower:
                    shares[number][key] = lower
            continue
        part = below.part
        if part == FACTS and below is not known_action and not is_fact(child):
            part = REST
        shares[part][key] = child
    return shares


def _known_action(root: Place) -> Place:
    assert root.children is not None
    event = root.children["event"]
    assert event.children is not None
    return event.children["action"]


def _all_are_facts(text: bytes, objects: int, has_time: bool) -> bool:  # noqa: FBT001 - one caller
    """Whether everything in these encoded facts may stand there; False where it takes a closer look.

    `objects`: how many objects stand in them, the outermost counted; `has_time`: the key
    `@timestamp` is there, the only key with an `@`.
    """
    marks = text.translate(None, _NO_MARKS)
    if (
        _BACKSLASH in marks
        or marks.find(b"[[") >= 0
        or marks.count(b"{") != objects
        or marks.count(b"@") != has_time
    ):
        return False
    # From quote to quote: no string is too long if from each the next lies within reach.
    at, last = 0, len(text) - FACT_STRING_BYTES_MAX
    while at < last:
        at = text.rfind(b'"', at + 1, at + FACT_STRING_BYTES_MAX + 2)
        if at < 0:
            return False
    return True


# Of the facts' bytes only these say what needs a closer look; `]` so that two arrays in a row do
# not read as one in the other.
_NO_MARKS = bytes(byte for byte in range(256) if byte not in b"\\@{[]")


def _opened(node: Any) -> Tree | None:
    """The object behind a node, or None if it is none; read slowly where msgspec refuses."""
    if type(node) is dict:
        return node
    try:
        return _OBJECT(node)
    except msgspec.DecodeError:
        text = bytes(node)
        return tokens.parse(text, own=True).tree if text[:1] == b"{" else None


_ENCODE = msgspec.json.Encoder().encode
_OBJECT = msgspec.json.Decoder(dict[str, Raw]).decode


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
    return hashlib.sha256(PART_HEADS[number] + salt + part).digest()


def commitment(digests: Iterable[tuple[int, bytes]]) -> bytes:
    """The 32 bytes that stand for an event: over (number, digest) of its parts, in order."""
    return hashlib.sha256(
        EVENT_HEAD + b"".join(NUMBERS[number] + value for number, value in digests)
    ).digest()


def entry(kind: bytes, committed: bytes) -> bytes:
    """The 33 bytes of a sealed log's entry: `EVENT_ENTRY` or `STATEMENT_ENTRY`, a commitment."""
    return kind + committed


def joined(parts: Iterable[bytes]) -> Tree:
    """The event again: the deep union of its opened parts, every value the token it was.

    Parts never share a path, so the order of `parts` does not matter. Raises `Refused` for text
    that is no JSON object.
    """
    union: Tree = {}
    for part in parts:
        inner = _opened(Raw(part))
        if inner is None:
            raise Refused("a part is a JSON object", code="not-json")
        _unite(union, inner)
    return union


def _unite(union: Tree, other: Tree) -> None:
    for key, node in other.items():
        standing = union.get(key)
        if standing is None:
            union[key] = node
            continue
        mine, theirs = _opened(standing), _opened(node)
        # Only objects are divided among parts; of anything else the first stands.
        if mine is not None and theirs is not None:
            union[key] = mine
            _unite(mine, theirs)
