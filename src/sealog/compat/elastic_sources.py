"""The documents that hits hold: rendered in the index's dialect, then as much as is asked for."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec
from msgspec import Raw

from sealog.compat.elastic_errors import unparsable
from sealog.compat.elastic_names import Index
from sealog.event.packs import Opened

_DECODE = msgspec.json.Decoder().decode
_MEMBERS = msgspec.json.Decoder(dict[str, Raw]).decode


class Wanted(msgspec.Struct, frozen=True):
    """What of a document is wanted."""

    is_whole: bool = True
    is_none: bool = False
    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    """Beside it, as `fields`: by name, every value in a list."""


def read(source: object, fields: object = None) -> Wanted:
    """What `_source` and `fields` of a search ask for. Raises `Rejected`."""
    names = tuple(
        [str(one.get("field", "")) if isinstance(one, dict) else str(one) for one in _list(fields)]
    )
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
    try:
        members = _MEMBERS(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return text
    inner = members.get("_source")
    return bytes(inner) if inner is not None and bytes(inner)[:1] == b"{" else text


def shown(text: bytes, wanted: Wanted) -> dict[str, Any]:
    """The members of a hit that hold the document: `_source` and `fields`."""
    found: dict[str, Any] = {}
    if wanted.is_whole:
        found["_source"] = Raw(text)
    if wanted.is_whole and not wanted.fields:
        return found
    try:
        tree = _DECODE(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {"_source": Raw(text)}
    if not wanted.is_whole and not wanted.is_none:
        found["_source"] = _cut(tree, wanted.includes, wanted.excludes, "")
    if wanted.fields:
        flat: dict[str, list[Any]] = {}
        _flatten(tree, "", flat)
        found["fields"] = {
            name: values
            for name, values in flat.items()
            if any(fnmatchcase(name, pattern) for pattern in wanted.fields)
        }
    return found


def _cut(
    tree: Mapping[str, Any], includes: Sequence[str], excludes: Sequence[str], above: str
) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in tree.items():
        name = above + key
        if any(_fits(name, pattern) for pattern in excludes):
            continue
        is_named = not includes or any(_fits(name, pattern) for pattern in includes)
        if isinstance(value, dict):
            inner = _cut(value, () if is_named else includes, excludes, name + ".")
            if inner or (is_named and not value):
                kept[key] = inner
        elif is_named:
            kept[key] = value
    return kept


def _fits(name: str, pattern: str) -> bool:
    """Whether a pattern names a field, or an object that it is in."""
    return fnmatchcase(name, pattern) or name.startswith(pattern.rstrip("*").rstrip(".") + ".")


def _flatten(value: Any, name: str, flat: dict[str, list[Any]]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(inner, f"{name}.{key}" if name else key, flat)
    elif isinstance(value, list):
        for one in value:
            _flatten(one, name, flat)
    elif value is not None:
        flat.setdefault(name, []).append(value)
