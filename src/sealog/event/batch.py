"""What intake hands to the journal, and what the journal says of it."""

import msgspec

from sealog.event.packs import Pack
from sealog.event.tenants import Tenant


class Batch(msgspec.Struct):
    """Sealed events of one tenant, in the order sent, ready for the journal.

    Every list has one value per event. `packs` count their events from 0. `places` are the 0-based
    places in the request.
    """

    tenant: Tenant
    places: list[int]
    ids: list[str]
    id_keys: list[bytes]
    """16 bytes each, see `ids.id_key`."""
    fingerprints: list[bytes]
    """16 bytes each."""
    entries: list[bytes]
    """33 bytes each: what the sealed log will hold."""
    packs: list[Pack]


class Outcome(msgspec.Struct):
    """What became of a `Batch`: of each event its index, and which were not new.

    `indexes[i]` is the index given to event i; for a repeat or a conflict, that of the first
    event under its id.
    """

    indexes: list[int]
    repeated: frozenset[int] = frozenset()
    """Events that are the same thing sent again; nothing was stored."""
    conflicts: frozenset[int] = frozenset()
    """Events whose id is taken by something that differs; nothing was stored."""


class Receipt(msgspec.Struct, omit_defaults=True):
    """What a sender gets for an event. `commitment`: 64 lower-case hex digits."""

    id: str
    tenant: str
    index: int
    commitment: str
    repeated: bool = False
