"""A query as text again: the one way of writing what it asks for.

What is written reads back as the same query (`syntax.parse`), wherever the zone.
"""

import re
from collections.abc import Iterable

from sealog.event import times
from sealog.query.fields import FIELDS, Kind
from sealog.query.syntax import HAS, VALUES_MAX
from sealog.query.tree import (
    And,
    Between,
    During,
    Has,
    Inside,
    Is,
    Like,
    Node,
    Not,
    Or,
    Query,
    Text,
)

_EVERYTHING = "*"
_PLAIN = re.compile(r"[\w@/.:+-]+")
_PLAIN_WORD = re.compile(r"\w+")
_KEYWORDS = frozenset({"AND", "OR", "NOT"})

Terms = dict[str, str]
"""Name of a field → the value that asks for a condition there."""


def written(query: Query) -> str:
    """The query as text; times in UTC, what asks for nothing left out."""
    parts = []
    if query.from_us is not None or query.to_us is not None:
        parts.append(_node(During(query.from_us, query.to_us)))
    if query.where != And():
        inner = query.where.nodes if isinstance(query.where, And) else (query.where,)
        # Alone it needs no parentheses.
        parts += map(_inside, inner) if parts or len(inner) > 1 else [_node(inner[0])]
    return " ".join(parts)


def _node(node: Node) -> str:
    match node:
        case And(()):
            return _EVERYTHING
        case Or(()):
            return "-" + _EVERYTHING
        case And(nodes):
            return " ".join(map(_inside, nodes))
        case Or(nodes):
            return " OR ".join(_runs(nodes))
        case Text(words, prefix):
            return _words(words) + ("*" if prefix else "")
        case _:
            terms = _terms(node)
            if not terms:
                return "-" + _inside(node.node) if isinstance(node, Not) else _EVERYTHING
            name, value = next(iter(terms.items()))
            return f"{name}:{value}" if name else value


def _inside(node: Node) -> str:
    """A condition where others stand beside it, in parentheses where it falls apart otherwise."""
    apart = (isinstance(node, And) and len(node.nodes) > 1) or (
        isinstance(node, Or) and len(_runs(node.nodes)) > 1
    )
    return f"({_node(node)})" if apart else _node(node)


def _runs(nodes: Iterable[Node]) -> list[str]:
    """What is joined by OR; neighbours that ask for values of one field are one: `action:a,b`."""
    found: list[str] = []
    shared: set[str] = set()
    run: list[Terms] = []
    for node in nodes:
        terms = _terms(node)
        still = shared & terms.keys()
        if not still or len(run) == VALUES_MAX:
            _end(found, shared, run)
            run, still = [], set(terms)
        if terms:
            run.append(terms)
            shared = still
        else:
            shared = set()
            found.append(_node(node))
    _end(found, shared, run)
    return found


def _end(found: list[str], shared: set[str], run: list[Terms]) -> None:
    if run:
        # Of the names that all of them have, the one that comes first with the first.
        name = next(name for name in run[0] if name in shared)
        found.append(f"{name}:{','.join([terms[name] for terms in run])}")


def _terms(node: Node) -> Terms:  # noqa: PLR0911 - one a kind of condition
    """The names and values that ask for this condition, the best first; none where none does."""
    match node:
        case Is(field, value):
            return {field: _quoted(value)}
        case Like(field, pattern):
            return {field: "*".join([_quoted(one) if one else "" for one in pattern.split("*")])}
        case Inside(network):
            return {"ip": network}
        case Between(field, least, most):
            return {field: _range(least, most)}
        case During():
            return _times(node)
        case Has(field) if FIELDS[field].kind is Kind.FLAG:
            return {field: "yes", HAS: field}
        case Has(field):
            return {HAS: field, field: "*"}
        case Not(Has(field)) if FIELDS[field].kind is Kind.FLAG:
            return {field: "no"}
        case _:
            return {}


def _range(least: int | None, most: int | None) -> str:
    if least is not None and least == most:
        return str(least)
    return f"{'' if least is None else least}..{'' if most is None else most}"


def _times(node: During) -> Terms:
    begin, end = _moment(node.from_us), _moment(node.to_us)
    if begin and end:
        return {"date": f"{begin}..<{end}"}
    if begin:
        return {"after": begin, "date": f"{begin}.."}
    if end:
        return {"before": end, "date": f"..<{end}"}
    return {}


def _moment(at_us: int | None) -> str:
    """A time; none for an open end, and for one that no calendar has."""
    text = None if at_us is None else times.format_us(at_us)
    return (text or "").replace(".000000Z", "Z")


def _words(words: Iterable[str]) -> str:
    text = " ".join(words)
    return text if _PLAIN_WORD.fullmatch(text) and text not in _KEYWORDS else _quote(text)


def _quoted(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else _quote(value)


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
