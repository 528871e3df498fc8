"""Events as JSON: the tokens that were stored, with what only reading knows added."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from sealog.event import tokens
from sealog.event.moulds import Moulds
from sealog.event.packs import Opened
from sealog.server import deriving


def event(opened: Opened, index: int) -> bytes:
    """One event: its open parts as one document, no value written anew, and what follows from it."""
    return _moulds().shown(opened, index)


def page(events: Iterable[tuple[int, Opened]], more: dict[str, Any]) -> bytes:
    """`{"events": […]}` with further members after it."""
    listed = b",".join([event(opened, index) for index, opened in events])
    rest = tokens.encode(more)[1:-1]
    return b'{"events":[' + listed + (b"]," if rest else b"]") + rest + b"}"


@cache
def _moulds() -> Moulds:
    """Of all threads: what one has seen serves the others."""
    return Moulds(deriving.DERIVE)
