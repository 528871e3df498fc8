"""The catalog, loaded: which types there are, what each declares, and who is meant by a name."""

import functools
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

import msgspec

from sealog.catalog import checks
from sealog.catalog.entries import CatalogFile, EventType, fold
from sealog.event.parts import PART_NAMES, REST

Paths = tuple[tuple[str, int], ...]
"""Dotted paths and the number of the part that each is declared to stand in."""


class _Known(msgspec.Struct, frozen=True):
    """One type and what is computed from it once."""

    type: EventType
    paths: Paths


class Catalog:
    """Every documented event type of every dialect; made by `load`, never changed."""

    def __init__(self, files: Iterable[CatalogFile]) -> None:
        self.dialects = {file.dialect: file for file in files}
        self._exact: dict[tuple[str, str], tuple[_Known, ...]] = {}
        self._folded: dict[tuple[str, str], tuple[_Known, ...]] = {}
        for file in self.dialects.values():
            for each in file.types:
                self._add(file, each)

    def _add(self, file: CatalogFile, each: EventType) -> None:
        known = _Known(each, _declared(each))
        for native in (each.native, *each.natives_seen):
            key = (file.dialect, native)
            self._exact[key] = (*self._exact.get(key, ()), known)
            if file.fold:
                key = (file.dialect, fold(native))
                self._folded[key] = (*self._folded.get(key, ()), known)

    def find(self, dialect: str, native: str, group: str | None = None) -> EventType | None:
        """The type of that name, or None if it is not catalogued.

        `group` decides only where a dialect has the name in several groups: real records spell
        their group in other ways than the document (LH-Q2).
        """
        known = self._known(dialect, native, group)
        return None if known is None else known.type

    def entry_paths(self, dialect: str, native: str, group: str | None = None) -> Paths:
        """What the type declares to be facts, the actor's or the target's; nothing if unknown."""
        known = self._known(dialect, native, group)
        return () if known is None else known.paths

    def natives_of(self, name: str) -> set[tuple[str, str]]:
        """The (dialect, native name) of every type that `name` means, by native name or alias.

        A `*` in `name` stands for any characters. Case counts, except in dialects that fold.
        """
        pieces = name.split("*")
        folded = [fold(piece) for piece in pieces]
        return {
            (file.dialect, each.native)
            for file in self.dialects.values()
            for each in file.types
            for native in (each.native, *each.natives_seen)
            if matches(pieces, each.action)
            or matches(pieces, native)
            or (file.fold and matches(folded, fold(native)))
        }

    def published(self) -> dict[str, list[dict[str, Any]]]:
        """By dialect, its types in the document's order, as plain values that encode to JSON."""
        return {
            file.dialect: [_published(file, each) for each in file.types]
            for file in self.dialects.values()
            if file.types
        }

    def _known(self, dialect: str, native: str, group: str | None) -> _Known | None:
        found = self._exact.get((dialect, native)) or self._folded.get((dialect, fold(native)))
        if found is None:
            return None
        if len(found) == 1:
            return found[0]
        return next((known for known in found if _is_in(known.type, group)), None)


def load(files: Mapping[str, bytes] | None = None) -> Catalog:
    """The catalog of the given files (name → TOML), or of those that are shipped, read once.

    Raises `Misconfigured` for the first fault, naming file, type and field.
    """
    if files is None:
        return _shipped()
    return Catalog(checks.read(name, text) for name, text in files.items())


@functools.cache
def _shipped() -> Catalog:
    folder = resources.files("sealog.catalog") / "data"
    found = sorted(folder.iterdir(), key=lambda file: file.name)
    return load({file.name: file.read_bytes() for file in found if file.name.endswith(".toml")})


def matches(pieces: list[str], text: str) -> bool:
    """Whether the text is the pieces in order with anything between them: what stood between `*`.

    Finds each piece once, left to right: no pattern can make it slow.
    """
    first, *rest = pieces
    if not rest:
        return text == first
    *between, last = rest
    if not text.startswith(first):
        return False
    at = len(first)
    for piece in between:
        found = text.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return text.endswith(last) and len(text) - len(last) >= at


def _declared(each: EventType) -> Paths:
    numbered = ((field.path, PART_NAMES.index(field.part)) for field in each.fields.values())
    return tuple((path, number) for path, number in numbered if number != REST)


def _is_in(each: EventType, group: str | None) -> bool:
    return group is not None and (group == each.group or group in each.groups_seen)


def _published(file: CatalogFile, each: EventType) -> dict[str, Any]:
    entry: dict[str, Any] = msgspec.to_builtins(each)
    entry["fields"] = [{"name": name, **field} for name, field in entry["fields"].items()]
    entry["document"] = file.document
    return entry
