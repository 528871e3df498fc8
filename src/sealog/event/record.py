"""What a sender sent, before it is understood; and an event as a dialect understood it."""

from collections.abc import Callable  # noqa: TC003 - msgspec reads the annotations

import msgspec
from msgspec import Raw

from sealog.event.findings import Finding
from sealog.event.shapes import Shaped
from sealog.event.templates import Templates
from sealog.event.tokens import Equal, Tree


class Record(msgspec.Struct):
    """One record of a request. `wire` makes it, `refine` masks it, a dialect translates it.

    `received`: the record's own bytes, from its `{` to its `}` (after masking: with the masked
    spans cut). `text`: the same object as strict JSON on one line; the very same bytes where
    `received` is that already. `fields`: the object behind `text`, its first level opened, the
    first of equal keys in place. `strict` holds while `received` needed no repair, no masking and
    has no equal keys: a record that is not strict keeps its original.
    """

    place: int
    received: bytes
    text: bytes
    opened: Tree | None = None
    """`fields`, once somebody asked for them."""
    equal: tuple[Equal, ...] = ()
    findings: list[Finding] = []
    strict: bool = True
    keys: int | None = None
    """How many keys the slow reader counted in all; None where the quick one read the record."""
    shaped: Shaped | None = None
    """What a shape read of it, which proves it strict JSON of different keys; see `shapes`."""

    @property
    def fields(self) -> Tree:
        """See the class. A record with a shape is opened when it is asked for, never before."""
        if self.opened is None:
            self.opened = _OPEN(self.text)
        return self.opened

    @fields.setter
    def fields(self, tree: Tree) -> None:
        self.opened = tree


_OPEN = msgspec.json.Decoder(dict[str, Raw]).decode


class Draft(msgspec.Struct):
    """One event in ECS form, not yet split into parts.

    `tree` is the nested ECS document (no dotted keys where Sealog reads, leaves are tokens as
    sent) without what sealing stamps: `@timestamp`, `ecs.version`, `event.id`, `event.ingested`,
    `event.original`, `organization.id`, `sealog.{action,dialect,findings,sent}`. What the sender
    sent for such a field and is not used stands in `sent`, keyed by its dotted path.
    """

    tree: Tree
    dialect: str
    action: str
    """The native name: `event.action`."""
    alias: str
    """The canonical dotted name: `sealog.action`."""
    at_us: int | None = None
    """When it happened, microseconds since 1970; None without a usable time."""
    at_text: str = ""
    """The same in UTC with `Z` and the digits as sent, at least three."""
    id: str | None = None
    """The sender's own id."""
    tenant: str | None = None
    """The record's `organization.id`."""
    known: bool = False
    """The type is catalogued: `event.action` is a fact whatever it looks like."""
    declared: tuple[tuple[str, int], ...] = ()
    """Paths that the catalog entry declares facts (0), the actor's (1) or the target's (2)."""
    sent: dict[str, Raw | Tree] = {}
    findings: list[Finding] = []
    shaped: Shaped | None = None
    """What the tree is made of, where `tree` is not made yet: only for a clean draft that is whole
    without it."""
    form: "Form | None" = None
    """How it is written, where `tree`, `sent` and `findings` are not made: those of `slow` stand for
    them where more is to be said of the event than every one of its form has."""
    address: bytes = b""
    """Of a draft with a form: the token of its mended address."""
    slow: "Callable[[], Draft] | None" = None
    clean: bool = False
    """Clean in the sense of docs/formats/event.md: no original is kept."""


class Form(msgspec.Struct):
    """What all events of one form have in common; see `forms`."""

    record: Record
    draft: Draft
    """A record and its draft with marks in the place of the values that differ."""
    slots: int
    """How many values a record has, the empty one behind them included."""
    facts: frozenset[int]
    """The slots whose values are sure to be facts."""
    written: Templates | None = None
    is_written: bool = False
    """Whether `written` was made; it is None where no templates serve every event."""
