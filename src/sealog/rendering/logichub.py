"""LogicHub's shape: five fields around `details` (LH-01 to LH-03)."""

from typing import Any

from msgspec import Raw

from sealog.dialects import trees
from sealog.event.tokens import Tree
from sealog.rendering.documents import Document, items, made

_NOTHING = Raw(b"null")
_STATUS = {"success": Raw(b'"SUCCESS"'), "failure": Raw(b'"FAILURE"')}
# Where other products have what they tell beside what every event has.
_DATA = ("chatvisor.data", "supsis.data")


def rebuilt(document: Document) -> Tree:
    """A record again, of what is left of it."""
    actor = document.get("logichub.actor")
    return made(
        [
            ("time", document.time()),
            ("category", document.get("logichub.category")),
            ("actor", document.get("user.name") if actor is None else actor),
            ("type", document.action()),
            ("details", document.get("logichub.details")),
            *document.others("logichub", ("category", "actor", "details")).items(),
        ]
    )


def closest(document: Document) -> Tree:
    """An event of another dialect in the envelope; its status is the outcome (LH-03)."""
    status = _STATUS.get(document.text("event.outcome") or "")
    data = trees.opened(document.first(*_DATA) or _NOTHING) or {}
    # What another product calls a status is no outcome.
    details = data | {"status": status}
    return made(
        [
            ("time", document.time()),
            ("category", _category(document)),
            ("actor", document.first("user.name", "user.email", "user.id")),
            ("type", document.action()),
            ("details", made(details.items())),
        ]
    )


def _category(document: Document) -> Any:
    """The kind of action, of which ECS may name several."""
    return next(iter(items(document.get("event.category"))), None)
