"""Events as JSON: the tokens that were stored, in the shape that is asked for."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec

from sealog.event import tokens
from sealog.event.packs import Opened
from sealog.rendering.rendering import ECS, ECS_VERSIONS, Renderer
from sealog.server import deriving


class Shape(msgspec.Struct, frozen=True):
    """Whose shape events get; in that of ECS, what follows from them is added."""

    dialect: str = ECS
    ecs_version: str = ECS_VERSIONS[0]


NATIVE = Shape()


def event(opened: Opened, index: int, shape: Shape = NATIVE) -> bytes:
    """One event on one line, no value of it written anew."""
    return renderer(shape).event(opened, index)


def page(
    events: Iterable[tuple[int, Opened]], more: dict[str, Any], shape: Shape = NATIVE
) -> bytes:
    """`{"events": […]}` with further members after it."""
    show = renderer(shape).event
    listed = b",".join([show(opened, index) for index, opened in events])
    rest = tokens.encode(more)[1:-1]
    return b'{"events":[' + listed + (b"]," if rest else b"]") + rest + b"}"


@cache
def renderer(shape: Shape = NATIVE) -> Renderer:
    """Of all threads: what one has seen serves the others."""
    return Renderer(shape.dialect, ecs_version=shape.ecs_version, derive=deriving.DERIVE)
