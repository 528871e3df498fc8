"""Supsis's shape: the four columns of its log (CP-01 to CP-04)."""

from typing import Any

from msgspec import Raw

from sealog.dialects.supsis import SYSTEM
from sealog.event.tokens import Tree
from sealog.rendering.documents import Document, made

_SYSTEM = Raw(f'"{SYSTEM}"'.encode())


def rebuilt(document: Document) -> Tree:
    """A record again, of what is left of it."""
    others = document.others("supsis")
    user = others.pop("user", None)
    columns = [
        ("dateTime", document.time()),
        ("user", document.get("user.name") if user is None else user),
        ("ip", document.said("source.ip")),
        ("activity", document.action()),
    ]
    return made([*columns, *others.items()])


def closest(document: Document) -> Tree:
    """An event of another dialect in the four columns."""
    return made(
        [
            ("dateTime", document.time()),
            ("user", _user(document)),
            ("ip", document.first("source.ip", "client.ip")),
            ("activity", document.action()),
        ]
    )


def _user(document: Document) -> Any:
    """The name by which the person is known; `system` for what no person did (CP-Q3)."""
    if document.text("sealog.actor.kind") == "system":
        return _SYSTEM
    return document.first("user.name", "user.email", "user.id")
