"""A query, ready to be asked of any source: which rows pass for certain, and which may.

Most conditions are certain. A condition on what only the parts hold (free text, an id) names the
rows that may pass; whoever asks opens those and asks again (`Bounds`). Conditions that rule out
most for least are asked first, and once none is left, no further column is read.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple, Protocol

import numpy as np

from sealog.archive import leaves
from sealog.archive.contents import Content
from sealog.archive.sources import (
    Mask,
    Places,
    Rows,
    Source,
    Values,
    anything,
    both,
    either,
    others,
)
from sealog.archive.wording import Wording
from sealog.errors import Refused
from sealog.query import tree

NEVER, FIRST, EXACT, NUMBER, PATTERN, TIME, OPENED = range(7)
"""Ranks: what is asked first."""
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1


class Bounds(NamedTuple):
    """Of a source: the rows that pass for certain, and those that may; the same where all is known."""

    sure: Rows
    may: Rows


class Condition(Protocol):
    """A node of the tree, ready to be asked."""

    @property
    def rank(self) -> int:
        """The lower, the sooner it is asked."""
        ...

    def bounds(self, source: Source, within: Rows) -> Bounds:
        """The rows that pass. What lies outside `within` is of no interest and may be wrong."""
        ...

    def decided(self, source: Source, places: Places, content: Content) -> Mask:
        """Which of some rows pass, whose events are all in one opened pack."""
        ...


class Always:
    """What passes whatever the row."""

    rank = NEVER

    def __init__(self, *, passes: bool) -> None:
        self._passes = passes

    def bounds(self, source: Source, within: Rows) -> Bounds:  # noqa: ARG002 - it is the same
        """See `Condition`."""
        return Bounds(self._passes, self._passes)

    def decided(self, source: Source, places: Places, content: Content) -> Mask:  # noqa: ARG002
        """See `Condition`."""
        return np.full(len(places), self._passes)


class _Certain:
    """A condition that columns decide. They are asked once of each source."""

    def __init__(self) -> None:
        self._asked: Source | None = None
        self._rows: Rows = False

    def bounds(self, source: Source, within: Rows) -> Bounds:  # noqa: ARG002 - codes are cheap
        """See `Condition`."""
        rows = self._of(source)
        return Bounds(rows, rows)

    def decided(self, source: Source, places: Places, content: Content) -> Mask:  # noqa: ARG002
        """See `Condition`."""
        rows = self._of(source)
        return np.full(len(places), rows) if isinstance(rows, bool) else rows[places]

    def _of(self, source: Source) -> Rows:
        if self._asked is not source:
            self._rows = self._look(source)
            self._asked = source
        return self._rows

    def _look(self, source: Source) -> Rows:
        raise NotImplementedError


class OfText(_Certain):
    """A condition on text columns."""

    def __init__(self, values: Values) -> None:
        super().__init__()
        self.values = values
        if values.hashed:
            self.rank = FIRST
        else:
            self.rank = EXACT if values.exact else PATTERN

    def _look(self, source: Source) -> Rows:
        return source.passed(self.values)


class OfNumber(_Certain):
    """A column of numbers is within bounds, both included."""

    def __init__(self, column: str, least: int | None, most: int | None) -> None:
        super().__init__()
        self._column = column
        self._least = _LEAST if least is None else min(max(least, _LEAST), _MOST)
        self._most = _MOST if most is None else min(max(most, _LEAST), _MOST)
        # What lies wholly beyond what a column can hold is not clipped into it.
        self._empty = (least is not None and least > _MOST) or (most is not None and most < _LEAST)
        self.rank = {"index": FIRST, "at_us": TIME}.get(column, NUMBER)

    def _look(self, source: Source) -> Rows:
        if self._empty or self._least > self._most:
            return False
        span = None
        if self._column == "index":
            span = source.first, source.last
        elif self._column == "at_us":
            span = source.first_us, source.last_us
        if span is not None:
            if span[1] < self._least or span[0] > self._most:
                return False
            if self._least <= span[0] and span[1] <= self._most:
                return True
        numbers = source.numbers(self._column)
        rows: Rows = numbers == self._least
        if self._least < self._most:
            rows = both(numbers >= self._least, numbers <= self._most)
        return rows


class OfId:
    """The event's id. The column holds 8 bytes of its hash, so that a row that has them may pass."""

    rank = FIRST

    def __init__(self, event_id: str) -> None:
        self.id = event_id
        self._key, self._hashed = leaves.id_key(event_id)

    def bounds(self, source: Source, within: Rows) -> Bounds:  # noqa: ARG002
        """See `Condition`."""
        may: Rows = False
        if source.may_hold_id(self._hashed):
            may = source.numbers("id") == np.int64(self._key)
        # Which rows are not of this id is certain; which are is not.
        return Bounds(False, may if anything(may) else False)

    def decided(self, source: Source, places: Places, content: Content) -> Mask:
        """See `Condition`."""
        indexes = source.indexes(places).tolist()
        return np.array([content.id_at(index) == self.id for index in indexes], np.bool_)


class OfWords:
    """Words in a row. Filters name the packs that may hold them, the parts decide."""

    rank = OPENED

    def __init__(self, wording: Wording) -> None:
        self._wording = wording

    def bounds(self, source: Source, within: Rows) -> Bounds:
        """See `Condition`."""
        if not anything(within):
            return Bounds(False, False)
        may = both(within, source.may_say(self._wording.hashes))
        return Bounds(False, may if anything(may) else False)

    def decided(self, source: Source, places: Places, content: Content) -> Mask:
        """See `Condition`."""
        said = content.saying(self._wording)
        return np.isin(source.indexes(places), said) if said else np.zeros(len(places), np.bool_)


class Not:
    """What does not pass."""

    def __init__(self, inner: Condition) -> None:
        self.rank = inner.rank
        self._inner = inner

    def bounds(self, source: Source, within: Rows) -> Bounds:
        """See `Condition`."""
        found = self._inner.bounds(source, within)
        sure = others(found.may)
        return Bounds(sure, sure if found.sure is found.may else others(found.sure))

    def decided(self, source: Source, places: Places, content: Content) -> Mask:
        """See `Condition`."""
        return ~self._inner.decided(source, places, content)


class And:
    """What passes all of them."""

    def __init__(self, inner: Sequence[Condition]) -> None:
        self._inner = sorted(inner, key=attrgetter("rank"))
        self.rank = self._inner[0].rank if inner else NEVER

    def bounds(self, source: Source, within: Rows) -> Bounds:
        """See `Condition`."""
        sure: Rows = True
        may: Rows = True
        for inner in self._inner:
            found = inner.bounds(source, both(within, may))
            known = sure is may and found.sure is found.may
            may = both(may, found.may)
            sure = may if known else both(sure, found.sure)
            if not anything(may):
                return Bounds(False, False)
        return Bounds(sure, may)

    def decided(self, source: Source, places: Places, content: Content) -> Mask:
        """See `Condition`."""
        found = np.ones(len(places), np.bool_)
        for inner in self._inner:
            if not found.any():
                break
            found &= inner.decided(source, places, content)
        return found


class Or:
    """What passes any of them."""

    def __init__(self, inner: Sequence[Condition]) -> None:
        self._inner = sorted(inner, key=attrgetter("rank"))
        self.rank = self._inner[-1].rank if inner else NEVER

    def bounds(self, source: Source, within: Rows) -> Bounds:
        """See `Condition`."""
        sure: Rows = False
        may: Rows = False
        for inner in self._inner:
            found = inner.bounds(source, both(within, others(sure)))
            known = sure is may and found.sure is found.may
            may = either(may, found.may)
            sure = may if known else either(sure, found.sure)
            if sure is True:
                break
        return Bounds(sure, may)

    def decided(self, source: Source, places: Places, content: Content) -> Mask:
        """See `Condition`."""
        found = np.zeros(len(places), np.bool_)
        for inner in self._inner:
            found |= inner.decided(source, places, content)
        return found


def ready(query: tree.Query) -> Condition:
    """A query as a condition. Raises `Refused` for what cannot be asked of a field."""
    during = tree.During(query.from_us, query.to_us)
    if during == tree.During(None, None):
        return _ready(query.where)
    return And([_ready(query.where), _during(during)])


def _ready(node: tree.Node) -> Condition:
    match node:
        case tree.And(nodes) | tree.Or(nodes):
            inner = [_ready(one) for one in nodes]
            return And(inner) if isinstance(node, tree.And) else Or(_together(inner))
        case tree.Not(denied):
            return Not(_ready(denied))
        case tree.During():
            return _during(node)
        case tree.Text():
            return _words(node)
        case tree.Is(field, value) if field == "id":
            return OfId(value)
        case tree.Has(field) if field in ("id", "index"):
            return Always(passes=True)
        case _:
            found = leaves.ready(node)
            if isinstance(found, Values):
                return OfText(found)
            return OfNumber(*found)


def _together(conditions: Sequence[Condition]) -> list[Condition]:
    """Values asked of the same columns as one condition: a hundred cost little more than one."""
    found: list[Condition] = []
    values: dict[tuple[str, ...], dict[str, int | None]] = {}
    for one in conditions:
        if isinstance(one, OfText) and one.values.exact:
            hashed = one.values.hashed or (None,) * len(one.values.exact)
            values.setdefault(one.values.columns, {}).update(
                zip(one.values.exact, hashed, strict=True)
            )
        else:
            found.append(one)
    for columns, texts in values.items():
        hashes = tuple([one for one in texts.values() if one is not None])
        found.append(OfText(Values(columns, exact=tuple(texts), hashed=hashes)))
    return found


def _words(node: tree.Text) -> Condition:
    if not node.words:
        raise Refused("a text to search for has a word", code="bad-query")
    return OfWords(Wording(node.words, prefix=node.prefix))


def _during(node: tree.During) -> Condition:
    return OfNumber("at_us", node.from_us, None if node.to_us is None else node.to_us - 1)
