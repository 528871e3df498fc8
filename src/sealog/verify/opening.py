"""From stored packs back to entries: what was hashed is hashed again."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import msgspec
import pyarrow as pa
import zstandard

from sealog.errors import Altered, SealogError
from sealog.event.packs import Opened, Pack, Unpacker
from sealog.event.parts import EVENT_ENTRY, STATEMENT_ENTRY

UNREADABLE = (
    SealogError,
    msgspec.MsgspecError,
    zstandard.ZstdError,
    pa.ArrowException,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
    RecursionError,
    AssertionError,
)
"""What damaged bytes may make of a reader; nothing of it leaves this room."""

_TYPES = EVENT_ENTRY + STATEMENT_ENTRY
_ERASED = 16
"""Masks from here on name erased parts."""


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Say of whatever goes wrong inside what does not read: `Altered`."""
    try:
        yield
    except UNREADABLE as error:
        detail = str(error) or type(error).__name__
        raise Altered(f"{what} does not read: {detail[:300]}") from error


class Unsealed(msgspec.Struct):
    """The events of one pack, and the entries they hash into."""

    indexes: tuple[int, ...]
    events: list[Opened]
    entries: list[bytes]
    plain: bool
    """No statement and nothing erased among them."""


def unseal(pack: Pack, base: int, unpacker: Unpacker) -> Unsealed:
    """Open a pack whose indexes count from `base`. Raises `Altered` where it does not open."""
    with reading("a pack"):
        events = unpacker.events(pack)
        indexes = pack.indexes if not base else tuple([base + index for index in pack.indexes])
        if not indexes or not _ascend(indexes):
            raise Altered("its indexes do not ascend")
        if pack.kinds.strip(_TYPES):
            raise Altered("an entry type is neither event nor statement")
        return Unsealed(
            indexes,
            events,
            [event.entry() for event in events],
            plain=STATEMENT_ENTRY not in pack.kinds and max(pack.masks) < _ERASED,
        )


def _ascend(indexes: tuple[int, ...]) -> bool:
    if indexes[0] < 0:
        return False
    return all(a < b for a, b in pairwise(indexes))
