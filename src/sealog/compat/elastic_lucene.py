"""The text of a `query_string`: Lucene's syntax as a tree of conditions.

    user.name:ada AND event.action:(login OR logout) -event.outcome:success "two words"

Clauses are joined as Lucene's classic parser joins them, which knows no precedence: `AND` makes what
stands on either side of it a must, and beside a must what only may be there does not count.
Fuzziness, slop, regular expressions and `?` are refused by name.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from sealog.compat.elastic_errors import Rejected, unsupported
from sealog.query.tree import EVERYTHING, Node, Not, either, every

CHARS_MAX = 4_096
CLAUSES_MAX = 256
DEPTH_MAX = 32

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"((?:[\w@.*-]|\\.)+):")
_WORD = re.compile(r"(?:[^\s()\[\]{}\":^~\\]|\\.)+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_COMPARED = re.compile(r"(>=|<=|>|<)\s*")
_RANGE = re.compile(
    r'([\[{])\s*("(?:[^"\\]|\\.)*"|\S+)\s+TO\s+("(?:[^"\\]|\\.)*"|[^\s\]}]+)\s*([\]}])'
)
_BOOST = re.compile(r"\^[0-9.]+")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_AND = re.compile(r"(?:AND(?=[\s(])|&&)")
_OR = re.compile(r"(?:OR(?=[\s(])|\|\|)")
_NOT = re.compile(r"(?:NOT(?=[\s(])|!)")
_ENDS = {">=": "gte", ">": "gt", "<=": "lte", "<": "lt"}


class Leaves(Protocol):
    """What single conditions are; names are None where the text names no field."""

    def term(self, name: str | None, text: str, *, is_phrase: bool) -> Node:
        """A word, or words in quotes."""
        ...

    def pattern(self, name: str | None, text: str) -> Node:
        """A word with `*` in it."""
        ...

    def exists(self, name: str) -> Node:
        """That a field has a value."""
        ...

    def within(self, name: str | None, bounds: Mapping[str, str]) -> Node:
        """That it is within bounds: `gte`, `gt`, `lte`, `lt`."""
        ...


def parse(text: str, leaves: Leaves, *, is_and: bool = False) -> Node:
    """What a text asks for; of nothing, nothing. Raises `Rejected`.

    `is_and`: whether clauses that nothing joins must all be fulfilled.
    """
    if len(text) > CHARS_MAX:
        raise _unreadable(text, f"it has more than {CHARS_MAX} characters")
    parser = _Parser(text, leaves, is_and=is_and)
    node = parser.group(None, 0)
    if not parser.over():
        raise _unreadable(text, f"nothing is open at [{parser.at}]")
    return node


class _Clause(NamedTuple):
    node: Node
    is_must: bool
    is_not: bool


class _Parser:
    def __init__(self, text: str, leaves: Leaves, *, is_and: bool) -> None:
        self.at = 0
        self._text = text
        self._leaves = leaves
        self._is_and = is_and
        self._clauses = 0

    def over(self) -> bool:
        self._take(_SPACE)
        return self.at >= len(self._text)

    def group(self, name: str | None, depth: int) -> Node:
        """The clauses up to the end, or to a parenthesis that closes."""
        if depth > DEPTH_MAX:
            raise _unreadable(self._text, f"parentheses go at most {DEPTH_MAX} deep")
        found: list[_Clause] = []
        while not self.over() and self._text[self.at] != ")":
            is_and = bool(found and self._take(_AND))
            is_or = bool(found and not is_and and self._take(_OR))
            self._take(_SPACE)
            is_not = bool(self._take(_NOT))
            self._take(_SPACE)
            sign = self._text[self.at : self.at + 1]
            if sign in ("+", "-"):
                self.at += 1
                is_not = is_not or sign == "-"
            node = self._clause(name, depth)
            if is_and or (self._is_and and is_or):
                found[-1] = found[-1]._replace(is_must=is_and and not found[-1].is_not)
            must = not is_not and (is_and or sign == "+" or (self._is_and and not is_or))
            found.append(_Clause(node, must, is_not))
        return _joined(found)

    def _clause(self, name: str | None, depth: int) -> Node:
        self._clauses += 1
        if self._clauses > CLAUSES_MAX:
            raise _unreadable(self._text, f"it has more than {CLAUSES_MAX} clauses")
        match = self._take(_NAME)
        if match is not None:
            name = _plain(match[1])
            self._take(_SPACE)
        node = self._value(name, depth)
        self._take(_BOOST)
        if self._text[self.at : self.at + 1] == "~":
            raise unsupported("~ in query_string")
        return node

    def _value(self, name: str | None, depth: int) -> Node:
        if self._text[self.at : self.at + 1] == "(":
            return self._parenthesis(name, depth)
        match = self._take(_QUOTED)
        if match is not None:
            if name == "_exists_":
                return self._leaves.exists(_plain(match[1]))
            return self._leaves.term(name, _plain(match[1]), is_phrase=True)
        match = self._take(_RANGE)
        if match is not None:
            return self._leaves.within(name, _bounds(match))
        match = self._take(_COMPARED)
        if match is not None:
            value = self._take(_QUOTED) or self._take(_WORD)
            if value is None:
                raise _unreadable(self._text, f"nothing stands behind {match[1]}")
            return self._leaves.within(name, {_ENDS[match[1]]: _unquoted(value[0])})
        return self._word(name)

    def _parenthesis(self, name: str | None, depth: int) -> Node:
        self.at += 1
        node = self.group(name, depth + 1)
        if self.over() or self._text[self.at] != ")":
            raise _unreadable(self._text, "a parenthesis is not closed")
        self.at += 1
        return node

    def _word(self, name: str | None) -> Node:
        begun = self.at
        match = self._take(_WORD)
        # A colon within a value, as in a time or an address: no field begins there.
        while match is not None and name is not None and self._text[self.at : self.at + 1] == ":":
            self.at += 1
            self._take(_WORD)
        if match is None:
            raise _unreadable(self._text, f"nothing that can be read stands at [{self.at}]")
        text = self._text[begun : self.at]
        if text.startswith("/"):
            raise unsupported("a regular expression in query_string")
        if name == "_exists_":
            return self._leaves.exists(_plain(text))
        bare = _ESCAPE.sub("", text)
        if name == "*" and text == "*":
            return EVERYTHING
        if "?" in bare:
            raise unsupported("? in query_string", "* stands for any characters")
        if "*" in bare:
            if "\\" in text:
                raise unsupported("an escape beside a * in query_string")
            return self._leaves.pattern(name, text)
        return self._leaves.term(name, _plain(text), is_phrase=False)

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._text, self.at)
        if match is not None:
            self.at = match.end()
        return match


def _joined(clauses: list[_Clause]) -> Node:
    musts = [one.node for one in clauses if one.is_must]
    may = [one.node for one in clauses if not one.is_must and not one.is_not]
    nots: list[Node] = [Not(one.node) for one in clauses if one.is_not]
    if musts:
        return every([*musts, *nots])
    if may:
        return every([either(may), *nots])
    return every(nots) if nots else either([])


def _bounds(match: re.Match[str]) -> dict[str, str]:
    found = {}
    low, high = _unquoted(match[2]), _unquoted(match[3])
    if low != "*":
        found["gte" if match[1] == "[" else "gt"] = low
    if high != "*":
        found["lte" if match[4] == "]" else "lt"] = high
    return found


def _unquoted(text: str) -> str:
    inner = text[1:-1] if text[:1] == '"' == text[-1:] and len(text) > 1 else text
    return _plain(inner)


def _plain(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)


def _unreadable(text: str, why: str) -> Rejected:
    reason = f"Failed to parse query [{text[:200]}]: {why}"
    return Rejected(reason, kind="query_shard_exception")
