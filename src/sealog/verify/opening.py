"""From stored packs back to entries: what was hashed is hashed again."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from operator import lt

import msgspec
import pyarrow as pa
import zstandard

from sealog.errors import Altered, SealogError
from sealog.event.packs import Opened, Pack, Unpacker
from sealog.event.parts import EVENT_ENTRY, FACTS, SALT_BYTES, STATEMENT_ENTRY

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
    entries: list[bytes]
    kinds: bytes
    pack: Pack
    events: list[Opened] | None = None
    """None where there is no statement and nothing erased among them: nobody asks then."""


def unseal(pack: Pack, base: int, unpacker: Unpacker) -> Unsealed:
    """Open a pack whose indexes count from `base`. Raises `Altered` where it does not open."""
    with reading("a pack"):
        indexes = pack.indexes if not base else tuple([base + index for index in pack.indexes])
        if not indexes or not _ascend(indexes):
            raise Altered("its indexes do not ascend")
        if pack.kinds.strip(_TYPES):
            raise Altered("an entry type is neither event nor statement")
        if list(map(bool, pack.frames)) != list(map(bool, pack.lengths)) or len(pack.frames) != len(
            _NUMBERS
        ):
            raise Altered("it does not hold a frame where there are lengths")
        if STATEMENT_ENTRY in pack.kinds or max(pack.masks) >= _ERASED:
            events = unpacker.events(pack)
            entries = [event.entry() for event in events]
            return Unsealed(indexes, entries, pack.kinds, pack, events)
        return Unsealed(indexes, _entries(pack, unpacker), pack.kinds, pack)


def within(unsealed: Unsealed, spans: Sequence[tuple[int, int]]) -> Unsealed | None:
    """Of a pack only the events at indexes in some spans, both ends included; None: there are none."""
    places = [
        place
        for place, index in enumerate(unsealed.indexes)
        if any(first <= index <= last for first, last in spans)
    ]
    if not places:
        return None
    if len(places) == len(unsealed.indexes):
        return unsealed
    events = unsealed.events
    return Unsealed(
        indexes=tuple([unsealed.indexes[place] for place in places]),
        entries=[unsealed.entries[place] for place in places],
        kinds=bytes([unsealed.kinds[place] for place in places]),
        pack=unsealed.pack,
        events=None if events is None else [events[place] for place in places],
    )


class _Organization(msgspec.Struct):
    id: str | None = None


class _Facts(msgspec.Struct):
    organization: _Organization | None = None


def tenant_named(pack: Pack, unpacker: Unpacker) -> str | None:
    """The tenant that the first event of a pack names in its facts, if it names one there.

    The name in `state.db` is not sealed: were two exchanged, each would be shown the other's trail.
    """
    (event,) = unpacker.some(pack, [0])
    facts = next((part for number, _, part in event.parts if number == FACTS), b"{}")
    try:
        organization = msgspec.json.decode(facts, type=_Facts).organization
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return None if organization is None else organization.id


def _entries(pack: Pack, unpacker: Unpacker) -> list[bytes]:
    """The entries of a pack in which nothing is erased, without making an object of each event."""
    masks, salts, hashed = pack.masks, pack.salts, sha256
    open_parts = [[mask >> number & 1 for mask in masks] for number in _NUMBERS]
    if (
        not len(masks) == len(pack.kinds) == len(pack.indexes)
        or [sum(flags) for flags in open_parts] != list(map(len, pack.lengths))
        or len(salts) != SALT_BYTES * sum(map(sum, open_parts))
        or pack.digests
    ):
        raise Altered("it does not hold what its masks name")
    facts, actors, targets, rests = (unpacker.parts(pack, number) for number in _NUMBERS)
    at = 0
    entries = []
    for kind, mask, *parts in zip(pack.kinds, masks, facts, actors, targets, rests, strict=True):
        digests = _EVENT_HEAD
        for number in _OPEN[mask]:
            end = at + SALT_BYTES
            digest = hashed(_PART_HEADS[number] + salts[at:end] + parts[number]).digest()
            digests += _NUMBER_BYTES[number] + digest
            at = end
        entries.append(_KINDS[kind] + hashed(digests).digest())
    return entries


# Spelled out here once more, and not shared with what seals: a mistake would have to be made twice
# (docs/formats/parts.md).
_NUMBERS = range(4)
_NUMBER_BYTES = tuple(bytes([number]) for number in _NUMBERS)
_PART_HEADS = tuple(b"sealog/part/v1\x00" + number for number in _NUMBER_BYTES)
_EVENT_HEAD = b"sealog/event/v1\x00"
_OPEN = tuple(tuple(n for n in _NUMBERS if mask >> n & 1) for mask in range(16))
_KINDS = tuple(bytes([kind]) for kind in range(256))


def _ascend(indexes: tuple[int, ...]) -> bool:
    if indexes[0] < 0:
        return False
    return all(map(lt, indexes, indexes[1:]))
