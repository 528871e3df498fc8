"""Conditions on one field of an index, as a tree's: equal, of a form, within bounds, there at all."""

import math
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import msgspec

from sealog.compat import elastic_times
from sealog.compat.elastic_errors import Rejected, unparsable, unsupported
from sealog.compat.elastic_names import ANYWHERE, ID, TIME, Index
from sealog.query import values, words
from sealog.query.fields import FIELDS, Kind
from sealog.query.refusing import BadQuery
from sealog.query.scanning import Value
from sealog.query.tree import (
    EVERYTHING,
    Between,
    During,
    Has,
    Is,
    Like,
    Node,
    Or,
    Text,
    either,
    every,
)

NOTHING = Or()
_DIGITS_MAX = 18


class Asking(msgspec.Struct):
    """What a query is read by: its index, the clock, and how much was read already."""

    index: Index
    now_us: int
    depth: int = 0
    clauses: int = 0


def exists(asking: Asking, name: str) -> Node:
    """That a field has a value."""
    if name in (TIME, ID) or asked_as(asking, name) in (TIME, "id", "index"):
        return EVERYTHING
    return Has(asked_as(asking, name))


def phrase(text: str) -> Node:
    """That these words follow each other anywhere in the event."""
    found = tuple(words.words(text))
    return Text(found) if found else NOTHING


def within(asking: Asking, name: str, bounds: Mapping[str, Any]) -> Node:
    """That a time or a number is within bounds: `gte`, `gt`, `lte`, `lt`."""
    asked = asked_as(asking, name)
    ends = {end: bounds[end] for end in ("gte", "gt", "lte", "lt") if bounds.get(end) is not None}
    if asked == TIME:
        return _during(asking, bounds, ends)
    if FIELDS[asked].kind is not Kind.NUMBER:
        raise unsupported(f"range on {name}", f"ranges are of {TIME} and of numbers")
    least = most = None
    for end, value in ends.items():
        number = _whole(name, value, up=end in ("gte", "lt"))
        if end in ("gte", "gt"):
            least = max(number + (end == "gt"), least or 0)
        else:
            most = number - (end == "lt") if most is None else min(number - (end == "lt"), most)
    if (least is not None and most is not None and least > most) or (most is not None and most < 0):
        return NOTHING
    return Between(asked, least, most)


def _during(asking: Asking, bounds: Mapping[str, Any], ends: Mapping[str, Any]) -> Node:
    zone = elastic_times.zone_of(bounds["time_zone"]) if bounds.get("time_zone") else UTC
    form = elastic_times.check_format(bounds.get("format") or elastic_times.DEFAULT)
    from_us = to_us = None
    for end, value in ends.items():
        found = elastic_times.span(value, asking.now_us, zone, form)
        at = found.from_us if end in ("gte", "lt") else found.to_us
        if end in ("gte", "gt"):
            from_us = at if from_us is None else max(from_us, at)
        else:
            to_us = at if to_us is None else min(to_us, at)
    if from_us is not None and to_us is not None and from_us >= to_us:
        return NOTHING
    return During(from_us, to_us)


def equal(asking: Asking, name: str, value: object) -> Node:
    """That a field has a value."""
    text = scalar(value)
    if name == ID:
        return Is("id", text)
    if name == "_index":
        return EVERYTHING if text == asking.index.name else NOTHING
    if name in ANYWHERE:
        return phrase(text)
    asked = asked_as(asking, name)
    if asked == TIME:
        found = elastic_times.span(value, asking.now_us, UTC)
        return During(found.from_us, found.to_us)
    if FIELDS[asked].kind is Kind.NUMBER:
        # Not as our own syntax reads it: of `200..500` and `>=400` no field has the value.
        number = _whole(name, value, up=True)
        is_whole = number == _whole(name, value, up=False)
        is_held = is_whole and 0 <= number <= values.NUMBER_MAX
        return Between(asked, number, number) if is_held else NOTHING
    if not text:
        return NOTHING
    return _condition(asked, Value(text))


def like(asking: Asking, name: str, pattern: str) -> Node:
    """That a field has a value of this form."""
    if is_anywhere(asking, name):
        beginning = pattern.removesuffix("*")
        found = tuple(words.words(beginning))
        if "*" in beginning or len(found) != 1 or len(found[0]) < words.PREFIX_CHARS_MIN:
            raise unsupported(f"{pattern} anywhere", "three characters or more and then a *")
        return Text(found, prefix=pattern.endswith("*"))
    asked = asked_as(asking, name)
    if asked == TIME or FIELDS[asked].kind in (Kind.NUMBER, Kind.ID, Kind.FLAG):
        raise unsupported(f"a pattern on {name}")
    if pattern.count("*") > values.STARS_MAX:
        raise Rejected(f"a pattern has at most {values.STARS_MAX} *")
    if "*" not in pattern:
        return equal(asking, name, pattern)
    return Like(asked, pattern)


def asked_as(asking: Asking, name: str) -> str:
    """The field of a search that a field of the index is asked as. Raises `Rejected`."""
    if name == ID:
        return "id"
    field = asking.index.field(name)
    if field is None or field.asked is None:
        known = [one for one, each in asking.index.fields.items() if each.asked is not None]
        why = "cannot be searched" if field else "is not a field"
        raise Rejected(
            f"field [{name[:200]}] {why} in index [{asking.index.name}]; fields that can be"
            f" searched are {', '.join(known)}, and * for all text",
            kind="query_shard_exception",
        )
    return field.asked


def is_anywhere(asking: Asking, name: str) -> bool:
    """Whether all text is meant."""
    return name in ANYWHERE and name not in asking.index.fields


def _condition(asked: str, value: Value) -> Node:
    try:
        return values.condition(FIELDS[asked], value)
    except BadQuery as error:
        raise Rejected(error.detail, kind="query_shard_exception") from error


def scalar(value: object) -> str:
    """A value as the text that it is compared as."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        raise unparsable("a value is a text, a number or a boolean")
    return value


def folds(asking: Asking, name: str) -> bool:
    """Whether a field's values are compared whatever their case."""
    return is_anywhere(asking, name) or (
        (asked := asked_as(asking, name)) in FIELDS and FIELDS[asked].kind is Kind.NAME
    )


def natural(value: object) -> int | None:
    """A whole number from 0, also one that is written as text; None for anything else."""
    if isinstance(value, str) and value.isdecimal() and len(value) <= _DIGITS_MAX:
        value = int(value)
    return value if type(value) is int and value >= 0 else None


def _whole(name: str, value: object, *, up: bool) -> int:
    """A number, rounded up or down, and brought next to those that there are where it is beyond."""
    text = scalar(value)
    try:
        exact = int(text) if len(text) <= _DIGITS_MAX else float(text)
    except ValueError:
        try:
            exact = float(text)
        except ValueError:
            exact = math.nan
    if math.isnan(exact):
        reason = f"failed to parse [{text[:100]}] as a number for [{name}]"
        raise Rejected(reason, kind="number_format_exception")
    held = max(-1, min(exact, values.NUMBER_MAX + 1))
    return math.ceil(held) if up else math.floor(held)


class Leaves:
    """What the conditions of a `query_string` are on the index that is asked."""

    def __init__(self, asking: Asking, names: list[str], *, is_and: bool) -> None:
        self._asking = asking
        self._names = names
        self._is_and = is_and

    def _named(self, name: str | None) -> list[str]:
        return self._names if name is None else [name]

    def term(self, name: str | None, text: str, *, is_phrase: bool) -> Node:
        """A word, or words in quotes."""
        return either(
            [
                (phrase(text) if is_phrase else any_words(text, is_and=self._is_and))
                if is_anywhere(self._asking, one)
                else equal(self._asking, one, text)
                for one in self._named(name)
            ]
        )

    def pattern(self, name: str | None, text: str) -> Node:
        """A word with `*` in it."""
        if name is not None and not text.strip("*"):
            return exists(self._asking, name)
        if not text.strip("*"):
            return EVERYTHING
        return either([like(self._asking, one, text) for one in self._named(name)])

    def exists(self, name: str) -> Node:
        """That the field has a value."""
        return exists(self._asking, name)

    def within(self, name: str | None, bounds: Mapping[str, str]) -> Node:
        """That it is within bounds."""
        if name is None:
            raise unparsable("a range names its field")
        return within(self._asking, name, bounds)


def any_words(text: str, *, is_and: bool) -> Node:
    """That any of a text's words, or all, are anywhere in the event."""
    found: list[Node] = [Text((one,)) for one in words.words(text)]
    return every(found) if is_and and found else either(found)
