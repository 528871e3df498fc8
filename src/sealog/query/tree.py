"""A search as a value: a tree of conditions within a range of time.

Whoever asks builds it (the syntax, query parameters, other products' queries), the archive answers
it. It can be encoded and decoded by msgspec, so that jobs and cursors can hold it.
"""

from collections.abc import Iterable
from typing import TypeAlias

import msgspec


class Is(msgspec.Struct, frozen=True, tag="is"):
    """The field has this value, compared as its kind says (`fields.Kind`)."""

    field: str
    """A key of `fields.FIELDS`."""
    value: str


class Like(msgspec.Struct, frozen=True, tag="like"):
    """The field has a value of this form: `*` stands for any characters, none too."""

    field: str
    pattern: str


class Inside(msgspec.Struct, frozen=True, tag="inside"):
    """The address is in this network."""

    network: str
    """CIDR, as `ipaddress.ip_network` prints it."""


class Between(msgspec.Struct, frozen=True, tag="between"):
    """The number is at least this and at most that; None leaves an end open."""

    field: str
    least: int | None
    most: int | None


class Has(msgspec.Struct, frozen=True, tag="has"):
    """The field has any value."""

    field: str


class Text(msgspec.Struct, frozen=True, tag="text"):
    """These words follow each other in one value of the event."""

    words: tuple[str, ...]
    """As `words.words` gives them; one or more."""
    prefix: bool = False
    """Whether the last may go on."""


class During(msgspec.Struct, frozen=True, tag="during"):
    """It happened at `from_us` or later, and before `to_us`; microseconds since 1970, UTC."""

    from_us: int | None
    to_us: int | None


class Not(msgspec.Struct, frozen=True, tag="not"):
    """What does not pass."""

    node: "Node"


class And(msgspec.Struct, frozen=True, tag="and"):
    """What passes all of them; everything where there is none."""

    nodes: tuple["Node", ...] = ()


class Or(msgspec.Struct, frozen=True, tag="or"):
    """What passes any of them; nothing where there is none."""

    nodes: tuple["Node", ...] = ()


Node: TypeAlias = Is | Like | Inside | Between | Has | Text | During | Not | And | Or

EVERYTHING = And()


class Query(msgspec.Struct, frozen=True, omit_defaults=True):
    """What events must be: when they happened, and what else."""

    from_us: int | None = None
    """At this time or after it."""
    to_us: int | None = None
    """Before this time."""
    where: Node = EVERYTHING


def every(nodes: Iterable[Node]) -> Node:
    """All of them, as flat as it goes."""
    flat: list[Node] = []
    for node in nodes:
        flat.extend(node.nodes if isinstance(node, And) else (node,))
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def either(nodes: Iterable[Node]) -> Node:
    """Any of them, as flat as it goes."""
    flat: list[Node] = []
    for node in nodes:
        flat.extend(node.nodes if isinstance(node, Or) else (node,))
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def query(node: Node, from_us: int | None = None, to_us: int | None = None) -> Query:
    """A query whose range of time is as narrow as its outermost conditions say."""
    rest: list[Node] = []
    for one in node.nodes if isinstance(node, And) else (node,):
        if isinstance(one, During):
            from_us = _later(from_us, one.from_us)
            to_us = _earlier(to_us, one.to_us)
        else:
            rest.append(one)
    return Query(from_us, to_us, every(rest))


def _later(one: int | None, other: int | None) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return max(known) if known else None


def _earlier(one: int | None, other: int | None) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return min(known) if known else None
