"""Chatvisor's shape: an activity of a tenant, or an event of a session (CV-01 to CV-26)."""

from typing import Any

from msgspec import Raw

from sealog.catalog.shelf import Catalog
from sealog.dialects import trees
from sealog.dialects.chatvisor import SESSION_IDS
from sealog.event import tokens
from sealog.event.tokens import Tree
from sealog.rendering.documents import Document, made

_SIDES = {"agent": Raw(b"true"), "customer": Raw(b"false")}
# Where other products have what they tell beside the columns that every event has.
_DATA = ("logichub.details", "supsis.data")


def rebuilt(document: Document) -> Tree:
    """A record again, of what is left of it."""
    session = document.said("session.id")
    if any(document.get(f"chatvisor.data.{key}") is not None for key in SESSION_IDS):
        session = None
    return made(
        [
            ("id", document.said("event.id")),
            ("timestamp", document.time()),
            ("type", document.action()),
            ("tenantUserId", document.said("user.id")),
            ("sessionId", session),
            ("agent", document.get("chatvisor.agent")),
            ("data", document.get("chatvisor.data")),
            *document.others("chatvisor", ("agent", "data")).items(),
        ]
    )


def closest(document: Document, catalog: Catalog) -> Tree:
    """An event of another dialect with the documented columns; name and description if catalogued."""
    name, description = _described(document, catalog)
    kind = document.text("sealog.actor.kind") or ""
    session = document.get("session.id")
    return made(
        [
            ("id", document.get("event.id")),
            ("timestamp", document.time()),
            ("type", document.action()),
            ("name", name),
            ("description", description),
            ("tenantUserId", None if kind == "customer" else document.first("user.id")),
            ("sessionId", session),
            ("agent", None if session is None else _SIDES.get(kind)),
            ("data", document.first(*_DATA)),
        ]
    )


def _described(document: Document, catalog: Catalog) -> tuple[Any, Any]:
    native, dialect = document.text("event.action"), document.text("sealog.dialect")
    group = trees.text_of(document.get("logichub.category"))
    entry = catalog.find(dialect or "", native, group) if native else None
    if entry is None:
        return None, None
    return tokens.raw(entry.name) if entry.name else None, tokens.raw(entry.description)
