"""Stored events as the documents that are shown: parts joined, many events at a time.

`sealog.index` is the event's place in its tenant's sealed log; `sealog.erased` names the parts that
were erased. Neither is sealed, because both are derived. What comes out is byte for byte what
`parts.joined` makes of one event after another, only sooner.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from sealog.event import parts, tokens
from sealog.event.packs import Opened, Pack, Unpacker
from sealog.event.parts import PART_NAMES
from sealog.event.tokens import Tree

Add = Callable[[Tree], None]

_READ = msgspec.json.Decoder(dict[str, Raw]).decode
_READ_ALL = msgspec.json.Decoder(list[dict[str, Raw]]).decode
_WRITE = msgspec.json.Encoder().encode
_WRITE_LINES = msgspec.json.Encoder().encode_lines
_ON_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
_KINDS = range(len(PART_NAMES))
_ERASED = tuple([tuple([n for n in _KINDS if mask >> n & 1]) for mask in range(16)])


def document(opened: Opened, index: int) -> Tree:
    """One event: its open parts as one document, no value written anew."""
    texts = [part for _, _, part in opened.parts]
    erased = [number for number, _ in opened.erased]
    try:
        tree = _united(_read_all(texts))
    except msgspec.DecodeError:
        tree = parts.joined(texts)
    _add_own(tree, index, erased)
    return tree


def shown(opened: Opened, index: int) -> bytes:
    """The same as JSON."""
    return _WRITE(document(opened, index))


def lines(
    pack: Pack,
    base: int,
    unpacker: Unpacker,
    places: Sequence[int] | None = None,
    add: Add | None = None,
) -> bytes:
    """The events of a pack as NDJSON, all or those at some places (ascending, from 0).

    `base`: the index from which the pack counts its own; `add`: gets each document, to add what
    follows from it. Raises `Altered` if the pack does not open.
    """
    columns = [unpacker.parts(pack, number) for number in _KINDS]
    if places is None:
        places = range(len(pack.masks))
    return b"".join([line + b"\n" for line in lines_of(columns, pack, base, places, add)])


def lines_of(
    columns: Sequence[Sequence[bytes]],
    pack: Pack,
    base: int,
    places: Sequence[int],
    add: Add | None = None,
) -> list[bytes]:
    """The same as lines without their breaks, of a pack whose parts of each kind are `columns`."""
    trees = documents(columns, pack, base, places)
    if add is not None:
        for tree in trees:
            add(tree)
    text = _WRITE_LINES(trees)
    if text.count(b"\n") != len(trees) or b"\r" in text:
        # Between the tokens of a value white space stands as it was sent; in strings it cannot.
        return [_WRITE(tree).translate(_ON_ONE_LINE) for tree in trees]
    return text.split(b"\n")[:-1]


def documents(
    columns: Sequence[Sequence[bytes]], pack: Pack, base: int, places: Sequence[int]
) -> list[Tree]:
    """What `document` gives, of the events at some places of a pack."""
    columns = [[column[place] for place in places] for column in columns]
    try:
        trees = _columns_united(columns)
    except msgspec.DecodeError:
        # Text that only the slow reader takes, or a clash that there should not be.
        trees = [parts.joined(filter(None, row)) for row in zip(*columns, strict=True)]
    for tree, place in zip(trees, places, strict=True):
        _add_own(tree, base + pack.indexes[place], _ERASED[pack.masks[place] >> 4])
    return trees


def _columns_united(columns: Sequence[Sequence[bytes]]) -> list[Tree]:
    first, *more = columns
    trees = _read_all(first)
    for column in more:
        if not any(column):
            continue
        for tree, other in zip(trees, _read_all(column), strict=True):
            if tree.keys().isdisjoint(other):
                tree.update(other)
            else:
                _unite(tree, other)
    return trees


def _united(trees: Iterable[Tree]) -> Tree:
    union: Tree = {}
    for tree in trees:
        if union.keys().isdisjoint(tree):
            union.update(tree)
        else:
            _unite(union, tree)
    return union


def _read_all(texts: Sequence[bytes]) -> list[Tree]:
    """The top level of several parts in one call; one that is not there is an empty object."""
    trees = _READ_ALL(b"[%b]" % b",".join([text or b"{}" for text in texts]))
    if len(trees) != len(texts):
        raise msgspec.DecodeError("a part holds more than one object")
    return trees


def _unite(union: Tree, other: Tree) -> None:
    """As `parts.joined` does, but where values clash it raises `msgspec.DecodeError`."""
    for key, node in other.items():
        standing = union.get(key)
        if standing is None:
            union[key] = node
            continue
        if type(standing) is not dict:
            standing = union[key] = _READ(standing)
        inner = _READ(node)
        if standing.keys().isdisjoint(inner):
            standing.update(inner)
        else:
            _unite(standing, inner)


def _add_own(tree: Tree, index: int, erased: Sequence[int]) -> None:
    own = tree.get("sealog")
    if type(own) is not dict:
        own = tree["sealog"] = _inner(own)
    own["index"] = index
    if erased:
        own["erased"] = [PART_NAMES[number] for number in erased]


def _inner(node: Any) -> Tree:
    # Ours in every event; only where all parts are erased is it missing.
    if node is None:
        return {}
    try:
        return _READ(node)
    except msgspec.DecodeError:
        text = bytes(node)
        return tokens.parse(text, own=True).tree if text[:1] == b"{" else {}
