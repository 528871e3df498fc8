"""What the catalog says about each native name, looked up once and kept as tokens."""

import re

import msgspec
from msgspec import Raw

from sealog.catalog.entries import EventType, OutcomeRule
from sealog.catalog.shelf import Catalog
from sealog.event import tokens

_CACHED_MAX = 4096
_CACHED_CHARS_MAX = 256
_ALIAS_BYTES_MAX = 128
_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


RESERVED = "sealog."
"""Actions that begin so are Sealog's own words; nobody else may say them."""


class Native(msgspec.Struct, frozen=True):
    """A native name, understood. `category` and `type` are None where the catalog names none."""

    alias: str
    known: bool
    kind: Raw
    category: Raw | None
    type: Raw | None
    outcome: OutcomeRule
    declared: tuple[tuple[str, int], ...]
    entry: EventType | None
    reserved: bool = False


class Natives:
    """The native names of one dialect. Bounded: names come from outside."""

    def __init__(self, dialect: str, catalog: Catalog) -> None:
        self._dialect = dialect
        self._catalog = catalog
        self._seen: dict[tuple[str, str], Native] = {}

    def of(self, name: str, group: str = "") -> Native:
        """What is known of a name; one that the catalog lacks gets an alias of its own words."""
        found = self._seen.get((name, group))
        if found is None:
            found = self._look(name, group)
            if len(name) + len(group) <= _CACHED_CHARS_MAX:
                if len(self._seen) >= _CACHED_MAX:
                    self._seen.clear()
                self._seen[name, group] = found
        return found

    def _look(self, name: str, group: str) -> Native:
        entry = self._catalog.find(self._dialect, name, group)
        if entry is None:
            return Native(
                alias=alias_of(self._dialect, name),
                known=False,
                kind=_EVENT,
                category=None,
                type=None,
                outcome="unknown",
                declared=(),
                entry=None,
                reserved=name.lstrip().lower().startswith(RESERVED),
            )
        return Native(
            alias=entry.action,
            known=True,
            kind=tokens.raw(entry.kind),
            category=tokens.raw(entry.category) if entry.category else None,
            type=tokens.raw(entry.type) if entry.type else None,
            outcome=entry.outcome,
            declared=self._catalog.entry_paths(self._dialect, name, group),
            entry=entry,
        )


_EVENT = Raw(b'"event"')


def alias_of(dialect: str, name: str) -> str:
    """A dotted, lower-case alias for a name that no catalog has.

    A name that holds `@` may be a person's, and one without letters or digits says nothing:
    their alias is `<dialect>.unknown`, because an alias is a fact and facts are never personal.
    """
    if len(name) > _ALIAS_BYTES_MAX or "@" in name:
        return f"{dialect}.unknown"
    words = [part for word in _WORD.findall(name) for part in _HUMP.split(word)]
    alias = ".".join([dialect, *words]).lower()
    if not words or len(alias.encode()) > _ALIAS_BYTES_MAX:
        return f"{dialect}.unknown"
    return alias
