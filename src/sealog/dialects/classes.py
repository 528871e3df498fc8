"""`event.kind`, `.category` and `.type` as ECS has them, from what a sender says and the catalog."""

from typing import Any

import msgspec
from msgspec import Raw

from sealog.catalog import ecs
from sealog.dialects import leaves, trees
from sealog.dialects.natives import Native
from sealog.event import tokens
from sealog.event.findings import Finding
from sealog.event.record import Draft
from sealog.event.tokens import Tree

_CACHED_MAX = 4096
_CACHED_BYTES_MAX = 256
_FIELDS = ("kind", "category", "type")


class Classed(msgspec.Struct, frozen=True):
    """The three fields as they stand in the event, those that were changed as sent, the oddities."""

    values: dict[str, Raw]
    sent: tuple[tuple[str, Any], ...]
    dropped: tuple[str, ...]
    findings: tuple[Finding, ...]


class Classes:
    """Classifies events, and remembers the last few thousand ways: the same ones come again."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, bytes, bytes, bytes], Classed] = {}

    def settle(self, draft: Draft, event: Tree, native: Native) -> None:
        """Make the three fields of `event` what ECS wants; `event` MUST be the draft's own.

        Sent values stay, in their order. The catalog fills what is absent and adds its categories
        (CL-Q6: `configuration` gets `iam` beside it). An array of one kind is that kind (CL-Q5),
        a scalar category or type an array of one. What ECS does not expect has a finding.
        """
        found = self._of(event, native)
        event.update(found.values)
        for path, node in found.sent:
            trees.keep(draft.sent, path, node)
        for field in found.dropped:
            del event[field]
        if found.findings:
            draft.findings.extend(found.findings)

    def _of(self, event: Tree, native: Native) -> Classed:
        kind, category, type_ = event.get("kind"), event.get("category"), event.get("type")
        if type(kind) is dict or type(category) is dict or type(type_) is dict:
            return _classed(event, native)
        seen = (native.alias, bytes(kind or b""), bytes(category or b""), bytes(type_ or b""))
        found = self._seen.get(seen)
        if found is None:
            found = _classed(event, native)
            if sum(map(len, seen)) <= _CACHED_BYTES_MAX:
                if len(self._seen) >= _CACHED_MAX:
                    self._seen.clear()
                self._seen[seen] = found
        return found


def _classed(event: Tree, native: Native) -> Classed:
    values: dict[str, Raw] = {}
    sent: list[tuple[str, Any]] = []
    for field in _FIELDS:
        node = event.get(field)
        standing = _kind(node, native) if field == "kind" else _several(field, node, native)
        if standing is not None:
            values[field] = standing
        if node is not None and (type(node) is dict or node != standing):
            sent.append((f"event.{field}", node))
    dropped = tuple(field for field in _FIELDS if field in event and field not in values)
    return Classed(values, tuple(sent), dropped, tuple(_oddities(event)))


def _kind(node: Any, native: Native) -> Raw:
    if leaves.is_null(node) or _is_object(node):
        return native.kind
    if bytes(node)[:1] == b"[":
        items = _items(node)
        return items[0] if items and leaves.is_scalar(items[0]) else native.kind
    return Raw(node)


def _several(field: str, node: Any, native: Native) -> Raw | None:
    """An array: what was sent, then what the catalog adds (to categories) or says (to nothing)."""
    catalogued = native.category if field == "category" else native.type
    if leaves.is_null(node) or _is_object(node):
        return catalogued
    is_array = bytes(node)[:1] == b"["
    items = _items(node) if is_array else [Raw(node)]
    if not items:
        return catalogued or Raw(node)
    if field == "category" and catalogued is not None:
        named = {bytes(item) for item in items}
        added = [item for item in _items(catalogued) if bytes(item) not in named]
    else:
        added = []
    if is_array and not added:
        return Raw(node)
    return Raw(b"[" + b",".join(map(bytes, [*items, *added])) + b"]")


def _is_object(node: Any) -> bool:
    return type(node) is dict or bytes(node)[:1] == b"{"


def _items(node: Raw) -> list[Raw]:
    try:
        return _ITEMS.decode(node)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []


_ITEMS = msgspec.json.Decoder(list[Raw])


def _oddities(event: Tree) -> list[Finding]:
    kind, category, type_ = (
        None if field not in event else tokens.plain(tokens.encode(event[field]))
        for field in _FIELDS
    )
    if isinstance(kind, list) and len(kind) == 1:
        kind = kind[0]
    return [Finding(code, "", detail) for code, detail in ecs.lint(kind, category, type_, None)]
