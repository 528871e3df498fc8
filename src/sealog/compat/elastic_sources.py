"""The documents that hits hold: rendered in the index's dialect, then as much as is asked for."""

from collections.abc import Callable, Mapping
from enum import Enum
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Raw

from sealog.compat import elastic_times, naming
from sealog.compat.elastic_errors import unparsable, unsupported
from sealog.compat.elastic_names import Index
from sealog.event import tokens
from sealog.event.packs import Opened

_NOTHING = object()
_ELEMENTS = msgspec.json.Decoder(list[Raw]).decode


class Wanted(msgspec.Struct, frozen=True):
    """What of a document is wanted."""

    is_whole: bool = True
    is_none: bool = False
    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    """Beside it, as `fields`: by name, every value in a list."""


class _Part(Enum):
    NONE = "none"
    WHOLE = "whole"
    BUT_EXCLUDED = "but what is excluded"
    WHAT_IS_INCLUDED = "what is included"


def read(source: object, fields: object = None) -> Wanted:
    """What `_source` and `fields` of a search ask for. Raises `Rejected`."""
    names = tuple(map(_name, _list(fields)))
    if source is None or source is True:
        return Wanted(fields=names)
    if source is False:
        return Wanted(is_whole=False, is_none=True, fields=names)
    if isinstance(source, dict):
        includes = _patterns(source.get("includes", source.get("include")))
        excludes = _patterns(source.get("excludes", source.get("exclude")))
    else:
        includes, excludes = _patterns(source), ()
    return Wanted(False, False, includes, excludes, names)


def _name(one: Any) -> str:
    if not isinstance(one, dict):
        return str(one)
    form = one.get("format")
    if form is not None and elastic_times.check_format(form).startswith("epoch"):
        raise unsupported(f"format {form} of a field", "times are given as the document has them")
    return str(one.get("field", ""))


def _patterns(given: object) -> tuple[str, ...]:
    found = given.split(",") if isinstance(given, str) else _list(given)
    if not all(isinstance(one, str) for one in found):
        raise unparsable("[_source] names fields")
    return tuple(map(str, found))


def _list(given: object) -> list[Any]:
    if given is None:
        return []
    return given if isinstance(given, list) else [given]


def document(
    opened: Opened, index: int, shown: Index, render: Callable[[str, Opened, int], bytes]
) -> bytes:
    """The `_source` of an event. A hit that came with its own envelope loses it."""
    text = render(shown.dialect or "ecs", opened, index)
    if shown.dialect != "closer" or b'"_source"' not in text:
        return text
    inner = naming.members(text).get("_source")
    return bytes(inner) if inner is not None and bytes(inner)[:1] == b"{" else text


def shown(text: bytes, wanted: Wanted) -> dict[str, Any]:
    """The members of a hit that hold the document: `_source` and `fields`."""
    found: dict[str, Any] = {}
    if wanted.is_whole:
        found["_source"] = Raw(text)
    if wanted.is_whole and not wanted.fields:
        return found
    tree = naming.members(text)
    if not wanted.is_whole and not wanted.is_none:
        found["_source"] = _cut(tree, wanted.includes, wanted.excludes, "")
    if wanted.fields:
        flat: dict[str, list[Raw]] = {}
        for name, value in tree.items():
            _flatten(value, name, flat)
        found["fields"] = {
            name: values
            for name, values in flat.items()
            if any(_fits(name, pattern) for pattern in wanted.fields)
        }
    return found


def _cut(
    tree: Mapping[str, Raw], includes: tuple[str, ...], excludes: tuple[str, ...], above: str
) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in tree.items():
        name = above + key
        part = _part(name, includes, excludes)
        if part is _Part.WHOLE:
            kept[key] = value
        elif part is not _Part.NONE:
            left = () if part is _Part.BUT_EXCLUDED else includes
            inner = _within(value, left, excludes, name + ".")
            if inner is not _NOTHING:
                kept[key] = inner
    return kept


@lru_cache(maxsize=8_192)
def _part(name: str, includes: tuple[str, ...], excludes: tuple[str, ...]) -> _Part:
    """What is wanted of a field; events have the same fields over and over."""
    if any(_fits(name, pattern) for pattern in excludes):
        return _Part.NONE
    if not includes or any(_fits(name, pattern) for pattern in includes):
        is_cut = any(_reaches(name, pattern) for pattern in excludes)
        return _Part.BUT_EXCLUDED if is_cut else _Part.WHOLE
    is_above = any(_reaches(name, pattern) for pattern in includes)
    return _Part.WHAT_IS_INCLUDED if is_above else _Part.NONE


def _within(value: Raw, includes: tuple[str, ...], excludes: tuple[str, ...], above: str) -> Any:
    """What is left of a value: an object is cut too, and so is each object of a list."""
    text = bytes(value)
    if text[:1] == b"{":
        members = naming.members(text)
        kept = _cut(members, includes, excludes, above)
        return kept if kept or not (members or includes) else _NOTHING
    if text[:1] == b"[":
        elements = _elements(value)
        several = [_within(one, includes, excludes, above) for one in elements]
        left = [one for one in several if one is not _NOTHING]
        return left if left or not (elements or includes) else _NOTHING
    return _NOTHING if includes else value


def _elements(value: Raw) -> list[Raw]:
    try:
        return _ELEMENTS(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return tokens.elements(value)


def _fits(name: str, pattern: str) -> bool:
    """Whether a pattern names a field, or an object that it is in."""
    return fnmatchcase(name, pattern) or name.startswith(pattern.rstrip("*").rstrip(".") + ".")


def _reaches(name: str, pattern: str) -> bool:
    """Whether a pattern may name something in an object."""
    head, star, _ = pattern.partition("*")
    return head.startswith(name + ".") or bool(star and (name + ".").startswith(head))


def _flatten(value: Raw, name: str, flat: dict[str, list[Raw]]) -> None:
    text = bytes(value)
    if text[:1] == b"{":
        for key, inner in naming.members(text).items():
            _flatten(inner, f"{name}.{key}", flat)
    elif text[:1] == b"[":
        for one in _elements(value):
            _flatten(one, name, flat)
    elif text != b"null":
        flat.setdefault(name, []).append(value)
