"""The shape of a catalog file (`catalog/data/<dialect>.toml`) and of what is looked up in it."""

from typing import Literal

import msgspec

PartName = Literal["facts", "actor", "target", "rest"]
OutcomeRule = Literal["http-status", "status", "success", "failure", "unknown"]
"""How `event.outcome` is found: from the HTTP status code (2xx and 3xx success, 4xx and 5xx
failure), from the record's own status word, or fixed by the type; `unknown` where nothing says."""


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One data field of an event type."""

    type: Literal["string", "integer", "number", "boolean", "object", "array", "any"]
    description: str
    path: str
    """Where the dialect puts it in the event, dotted: `logichub.details.actorRole`."""
    part: PartName = "rest"
    """`facts` only for what is never personal: a role, a status, a count."""
    optional: bool = False


class EventType(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One documented event type."""

    native: str
    """The product's own name, as printed: `event.action`."""
    action: str
    """The canonical dotted alias, lower case: `sealog.action`. Unique within its dialect."""
    description: str
    """In our own words."""
    section: str
    """The heading of the document under which it stands."""
    name: str = ""
    """A title for people, where the product prints one (Chatvisor: `[Call] Start`)."""
    kind: Literal["event", "state", "metric"] = "event"
    category: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    outcome: OutcomeRule = "unknown"
    natives_seen: tuple[str, ...] = ()
    """Other names of the type that real records carry, where folding does not reach them."""
    group: str = ""
    """The product's own grouping (LogicHub: the category; Chatvisor: `general`, `co-browsing`)."""
    groups_seen: tuple[str, ...] = ()
    """Other spellings of the group that real records carry."""
    fields: dict[str, Field] = {}
    """By the field's name as documented."""
    documented: bool = True
    """False for what the document names only in its prose (Supsis: login and logout)."""
    note: str = ""


class CatalogFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole file."""

    dialect: str
    product: str
    document: str
    """The title of the document that says so."""
    description: str
    types: tuple[EventType, ...]
    fields: dict[str, Field] = {}
    """Fields of every type; whoever loads the file finds them in each type as well."""
    fold: bool = False
    """Native names match with case, spaces, `_`, `-` and a final " event" folded (EasySend)."""


_SEPARATORS = str.maketrans("", "", " _-")


def fold(native: str) -> str:
    """A name with case, spaces, `_`, `-` and a final "event" folded away (EasySend)."""
    bare = native.translate(_SEPARATORS).casefold()
    return bare.removesuffix("event") or bare
