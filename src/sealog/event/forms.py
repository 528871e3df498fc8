"""How events of one form are written: by templates that general sealing has written once.

Where a shape says which keys a record has, a form also fixes the few values that decide what
becomes of it: its action, its classes. All events of a form differ only in values that nobody
reads, so one of them is translated and sealed as any other, with a mark in the place of each such
value, and its parts are the templates of all.
"""

import re

import msgspec
from msgspec import Raw

from sealog.event.findings import Finding
from sealog.event.parts import FACTS, Texts
from sealog.event.templates import Templates, templates_of

STAMPED = (
    "event.id",
    "event.ingested",
    "@timestamp",
    "organization.id",
    "address",
    "event.original",
    "sealog.findings",
)
"""What stands in the parts beside the record's own values, in this order: each a token, of the
findings those that came with the record, without their brackets."""

TOLD = "told"
"""The code of the finding that stands, in a marked draft, for those that came with the record."""

_MARKED = re.compile('"\ue000([0-9]+)\ue000"'.encode())
_SIGN = "\ue000".encode()


def mark(slot: int) -> str:
    """What stands for the value of a slot."""
    return f"\ue000{slot}\ue000"


def token(slot: int) -> Raw:
    """The same as a string's token."""
    return Raw(f'"{mark(slot)}"'.encode())


def may_be_marked(text: bytes) -> bool:
    """Whether a text that a sender wrote could be taken for a mark."""
    return _SIGN in text


def written(texts: Texts, facts: frozenset[int], told: int) -> Templates | None:
    """Templates of the parts of a marked event; None where they do not serve every event.

    `facts`: the slots whose values are sure to be facts. `told`: the slot of the findings, the last.
    """
    finding = msgspec.json.encode(Finding(mark(told)))
    texts = tuple(text.replace(finding, bytes(token(told))) for text in texts)  # type: ignore[assignment]
    # Within another string a value would not be the token that it is.
    if any(may_be_marked(_MARKED.sub(b"", text)) for text in texts):
        return None
    if not facts.issuperset(map(int, _MARKED.findall(texts[FACTS]))):
        return None
    return templates_of(texts, _MARKED, told + 1)
