"""Records to translate, drafts to look at, and the catalog that is shipped."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from sealog.catalog.shelf import load
from sealog.dialects import registry, trees
from sealog.dialects.dialect import Settings
from sealog.event import tokens
from sealog.event.record import Draft, Record

GOLDEN = Path(__file__).parents[1] / "golden" / "dialects"


def record_of(sent: dict[str, Any] | bytes, *, slowly: bool = False) -> Record:
    """The record of strict JSON, as the wire makes it; `slowly` opens every object at once."""
    text = msgspec.json.encode(sent) if isinstance(sent, dict) else sent.strip()
    parsed = tokens.parse(text)
    if parsed.equal:
        text = tokens.encode(parsed.tree)
        return Record(0, text, text, parsed.tree, equal=parsed.equal, strict=False)
    if slowly:
        return Record(0, text, text, parsed.tree, keys=parsed.keys)
    try:
        fields = msgspec.json.decode(text, type=dict[str, Raw])
    except msgspec.DecodeError:
        fields = parsed.tree
    return Record(0, text, text, fields)


def draft_of(dialect: str, sent: dict[str, Any] | bytes, **settings: Any) -> Draft:
    """What a dialect of that name makes of one record."""
    return registry.of(dialect, load()).translate(record_of(sent), Settings(**settings))


def plain(node: Any) -> Any:
    """Python values of a tree, to compare with what is written out."""
    return msgspec.json.decode(tokens.encode(node))


def at(draft: Draft, path: str) -> Any:
    """The Python value at a dotted path of a draft's tree, or None."""
    node = trees.get(draft.tree, path)
    return None if node is None else plain(node)


def sent_of(draft: Draft) -> Any:
    """What stands as sent, as Python values."""
    return plain(draft.sent)


def codes(draft: Draft) -> list[str]:
    """The findings' codes, in order."""
    return [finding.code for finding in draft.findings]


def shown(draft: Draft) -> bytes:
    """A draft as the event it becomes, without what arrival adds: for people to review."""
    event: Any = {"@timestamp": draft.at_text, **draft.tree} if draft.at_text else {**draft.tree}
    event["event"] = {**({"id": draft.id} if draft.id else {}), **event["event"]}
    if draft.tenant:
        event["organization"] = {"id": draft.tenant, **event.get("organization", {})}
    event["sealog"] = {
        "action": draft.alias,
        "dialect": draft.dialect,
        **event["sealog"],
        **({"findings": draft.findings} if draft.findings else {}),
        **({"sent": draft.sent} if draft.sent else {}),
    }
    return msgspec.json.format(msgspec.json.encode(event), indent=2) + b"\n"
