"""What every dialect is: records of one product in, ECS drafts out, nothing lost."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from sealog.event.record import Draft, Record
from sealog.event.shapes import Shaped


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator may choose about reading one dialect, per tenant where given so."""

    day_first: bool = True
    """Whether `11/03/2020` is the 11th of March. Dates that only one order makes sense of are read
    in that order's favour nowhere: they have no usable time, and a finding says so."""


class Dialect(Protocol):
    """One product's vocabulary and shape."""

    name: str

    def read(self, lines: Sequence[bytes]) -> list[Shaped | None]:
        """What a shape reads of each record, which is valid UTF-8; None where none is known."""
        return [None] * len(lines)

    def glance(self, record: Record, settings: Settings) -> Draft | None:  # noqa: ARG002
        """The draft of a record that takes no closer look; None for any other.

        It MUST seal to the very bytes that the draft of `translate` seals to.
        """
        return None

    def translate(self, record: Record, settings: Settings) -> Draft:
        """Give the ECS draft of one record; the record is not changed.

        Every value that the record holds stands in the draft's `tree`, or as sent in its `sent`, or
        is its id or tenant. What is odd is kept, with a finding. Raises `Refused` only for what may
        never enter: an action of Sealog's own (`reserved-action`).
        """
        ...
