"""Events as JSON: the tokens that were stored, with what only reading knows added.

`sealog.index` is the event's place in its tenant's sealed log; `sealog.erased` names the parts that
were erased. Neither is sealed, because both are derived.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Raw

from sealog.event import parts, tokens
from sealog.event.packs import Opened
from sealog.event.parts import PART_NAMES


def event(opened: Opened, index: int) -> bytes:
    """One event: its open parts as one document, no value written anew."""
    tree = parts.joined([part for _, _, part in opened.parts])
    sealog = _inner(tree, "sealog")
    sealog["index"] = Raw(b"%d" % index)
    if opened.erased:
        sealog["erased"] = tokens.raw([PART_NAMES[part] for part, _ in opened.erased])
    return tokens.encode(tree)


def page(events: Iterable[tuple[int, Opened]], more: dict[str, Any]) -> bytes:
    """`{"events": […]}` with further members after it."""
    listed = b",".join([event(opened, index) for index, opened in events])
    rest = tokens.encode(more)[1:-1]
    return b'{"events":[' + listed + (b"]," if rest else b"]") + rest + b"}"


def _inner(tree: tokens.Tree, key: str) -> tokens.Tree:
    node = tree.get(key)
    if type(node) is not dict:
        # Ours in every event; only where all parts are erased is it missing.
        node = {} if node is None else (tokens.opened(node) or {})
        tree[key] = node
    return node
