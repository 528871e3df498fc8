"""What is asked for of a stream, read from JSON: whatever is not known is refused, by its pointer.

`{"name", "destination", "filter", "fields": {"include", "exclude"}, "mask", "dialect",
"ecs_version"}`; docs/streams.md says what each means.
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from sealog.delivery import shaping
from sealog.delivery.destination import Parsed
from sealog.delivery.shaping import Shape
from sealog.delivery.stream import Wanted
from sealog.errors import Refused
from sealog.query.tree import Query
from sealog.rendering import rendering
from sealog.rendering.rendering import ECS, ECS_VERSIONS

NAME_CHARS_MAX = 100
MEMBERS = ("name", "destination", "filter", "fields", "mask", "dialect", "ecs_version")
_FIELDS = ("include", "exclude")

ReadFilter = Callable[[Mapping[str, Any]], Query]
"""A filter's members → what they mean. Raises `Refused` with a pointer into them."""
ReadDestination = Callable[[Any], Parsed]
"""A destination as it is asked for. Raises `Refused` with its pointer from `/destination` on."""


class Wish(msgspec.Struct, frozen=True):
    """What a stream is to do, and what is to be kept secret or told of its destination."""

    wanted: Wanted
    destination: Parsed


def read(
    body: Mapping[str, Any], read_filter: ReadFilter, read_destination: ReadDestination
) -> Wish:
    """What a body asks for. Raises `Refused` with the pointer of what cannot be."""
    check_members(body, MEMBERS, "")
    destination = read_destination(body.get("destination"))
    asked = _table(body, "filter")
    dialect, version = _text(body, "dialect", ECS), body.get("ecs_version")
    if version is None:
        version = ECS_VERSIONS[0]
    if not isinstance(version, str):
        raise _bad("ecs_version is a text, such as 8.11", "/ecs_version")
    _check_shape(dialect, version)
    wanted = Wanted(
        name=_name(body),
        destination=destination.shown,
        filter=dict(asked),
        query=_filtered(asked, read_filter),
        dialect=dialect,
        ecs_version=version,
        shape=_shape(body),
    )
    return Wish(wanted, destination)


def check_members(body: Mapping[str, Any], known: tuple[str, ...], pointer: str) -> None:
    """Refuse a member that means nothing."""
    for name in body:
        if name not in known:
            near = get_close_matches(name, known, 1)
            more = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            raise _bad(f"there is no {name[:100]!r}; {more}", f"{pointer}/{_escaped(name[:100])}")


def index_of(value: object, pointer: str) -> int:
    """An index in a body. Raises `Refused`."""
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise _bad("an index is a whole number from 0", pointer)
    return value


def _name(body: Mapping[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= NAME_CHARS_MAX or not name.isprintable():
        raise _bad(f"a name is 1 to {NAME_CHARS_MAX} printable characters", "/name")
    return name


def _check_shape(dialect: str, version: str) -> None:
    try:
        rendering.check(dialect, version)
    except Refused as error:
        name = "dialect" if error.code == "unknown-dialect" else "ecs_version"
        raise Refused(error.detail, code=error.code, pointer=f"/{name}") from error


def _filtered(asked: Mapping[str, Any], read_filter: ReadFilter) -> Query:
    try:
        return read_filter(asked)
    except Refused as error:
        if not error.pointer:
            raise
        # Pointers of a filter begin where it stands.
        error.pointer = "/filter" + error.pointer
        raise


def _shape(body: Mapping[str, Any]) -> Shape:
    fields = _table(body, "fields")
    check_members(fields, _FIELDS, "/fields")
    mask = _table(body, "mask")
    for path, way in mask.items():
        if not isinstance(way, str):
            pointer = f"/mask/{_escaped(path)}"
            raise _bad(f"a field is masked by {', '.join(shaping.WAYS)}", pointer)
    shape = Shape(_paths(fields, "include"), _paths(fields, "exclude"), dict(mask))
    return shaping.check(shape)


def _paths(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = fields.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _bad(f"{name} is a list of paths, such as user.email", f"/fields/{name}")
    return tuple(value)


def _table(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _bad(f"{name} is an object", f"/{name}")
    return value


def _text(body: Mapping[str, Any], name: str, usual: str) -> str:
    value = body.get(name)
    if value is None:
        return usual
    if not isinstance(value, str):
        raise _bad(f"{name} is a text", f"/{name}")
    return value


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _bad(detail: str, pointer: str) -> Refused:
    return Refused(detail, code="bad-stream", pointer=pointer)
