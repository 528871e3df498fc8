"""What every destination is, and what it may say of what it was given.

A stream hands its records over in index order, a batch at a time, and never more than one batch at
once. A destination knows nothing of positions, schedules or parking: it says what became of each
record, and the stream acts on it.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """One record as it leaves."""

    index: int
    """Its place in the tenant's log. What arrives MUST say it: in the body, an envelope or a header."""
    id: str
    """`<stream id>-<index>`: the same on every attempt, so that a receiver knows what it has."""
    body: bytes
    """One JSON object on one line, rendered, projected and masked; no line end."""
    type: str
    """The event's native action."""
    at_us: int
    """When it happened, in microseconds since 1970."""


class Outcome(StrEnum):
    """What may become of a record."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """For good: sending the same again would not help. It is parked, and the stream goes on."""
    LATER = "later"
    """Not now: it is sent again, and nothing after it before."""
    GONE = "gone"
    """The destination wants nothing any more: the stream is disabled."""


class Verdict(msgspec.Struct, frozen=True):
    """What became of one record."""

    outcome: Outcome
    kind: str = ""
    """A short kebab-case word for programs: `timeout`, `connect`, `tls`, `address`, `status-503`."""
    reason: str = ""
    """A short text for people, in our own words. It MUST NOT hold secrets or anything of an event."""
    retry_after_s: float | None = None
    """With `LATER`: what the destination asked for; whoever sends bounds it."""


DELIVERED = Verdict(Outcome.DELIVERED)


class Batching(msgspec.Struct, frozen=True):
    """How much of it one `send` takes."""

    records_max: int
    bytes_max: int
    """Of the bodies together; a single record may be larger."""


class Destination(Protocol):
    """One place that a stream delivers to. Used from one event loop."""

    batching: Batching

    async def send(self, records: Sequence[Outgoing]) -> list[Verdict]:
        """Deliver records, in their order, and say what became of each.

        Verdicts stand in the order of the records, one at least. The list may end early, and does
        with a `LATER` or `GONE`: nothing after it was tried. `DELIVERED` means acknowledged: the
        receiver has it durably, as far as it can say.

        It MUST NOT raise for what the world does to it (that is `LATER`), MUST end within its own
        timeouts, and leaves nothing half-counted when it is cancelled: what had no verdict is sent
        again.
        """
        ...

    async def check(self) -> Verdict:
        """Whether it would take something, by sending a test record that is marked as one."""
        ...

    async def close(self) -> None:
        """Let go of connections and files."""
        ...


class About(msgspec.Struct, frozen=True):
    """Whose destination it is; may stand in what is sent."""

    stream: str
    tenant: str


class Parsed(msgspec.Struct, frozen=True):
    """A destination as it was asked for; see `destinations.parse`."""

    shown: dict[str, Any]
    """What is stored and shown: normalised, JSON, without anything secret."""
    secrets: dict[str, Any]
    """What is stored apart and never shown: JSON."""
    told: dict[str, Any] = {}
    """What whoever asked is told this once, such as a new signing secret or a public key."""
