"""What statements say of indexes that are not there, or not whole (docs/formats/parts.md)."""

from collections.abc import Iterator

import msgspec
import numpy as np

from sealog.errors import Altered
from sealog.event.packs import Opened
from sealog.event.parts import FACTS, PART_NAMES, STATEMENT_ACTIONS
from sealog.ledger.notes import bytes_of_base64

RETENTION = "sealog.retention"
ERASURE = "sealog.erasure"
BITS_MAX = 1 << 20


class _Action(msgspec.Struct):
    action: str


class _Says(msgspec.Struct):
    v: int
    ranges: list[tuple[int, int]] | None = None
    first: int | None = None
    bits: str | None = None
    parts: list[int] | None = None


class _Facts(msgspec.Struct):
    event: _Action
    sealog: msgspec.Raw = msgspec.Raw(b"{}")


class Explanation(msgspec.Struct, frozen=True):
    """Which indexes a statement explains, as ranges with both ends; and how.

    `parts`: of an erasure, the numbers of the parts that went; empty where all of the event did.
    """

    ranges: list[tuple[int, int]]
    parts: tuple[int, ...] = ()


def read(opened: Opened) -> Explanation | None:
    """What one statement explains, None where it explains nothing (a hold, a release, a key).

    Raises `Altered` for a statement that is none of the five, or does not say it as it must.
    """
    part = next((part for number, _, part in opened.parts if number == FACTS), b"")
    try:
        facts = msgspec.json.decode(part, type=_Facts)
        if facts.event.action not in STATEMENT_ACTIONS:
            raise Altered(f"{facts.event.action!r:.60} is no statement's action")
        if facts.event.action not in (RETENTION, ERASURE):
            return None
        says = msgspec.json.decode(facts.sealog, type=_Says)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Altered(f"the statement does not read: {error}") from error
    if says.v != 1:
        raise Altered(f"the statement has version {says.v}; this program knows 1")
    ranges = _ranges(says)
    if facts.event.action == RETENTION:
        return Explanation(ranges)
    numbers = tuple(says.parts or ())
    if not numbers or not all(0 <= number < len(PART_NAMES) for number in numbers):
        raise Altered("an erasure names the parts that went")
    return Explanation(ranges, numbers)


def spans_of(says: bytes) -> list[tuple[int, int]]:
    """The indexes that a `sealog` object of version 1 names. Raises `Altered` as `read`."""
    try:
        return _ranges(msgspec.json.decode(says, type=_Says))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Altered(f"the statement does not read: {error}") from error


def _ranges(says: _Says) -> list[tuple[int, int]]:
    if (says.ranges is None) == (says.bits is None):
        raise Altered("a statement names indexes as ranges or as bits")
    if says.ranges is not None:
        last = -1
        for first, end in says.ranges:
            if not last < first <= end:
                raise Altered("a statement's ranges ascend and do not overlap")
            last = end
        return says.ranges
    assert says.bits is not None
    bits = bytes_of_base64(says.bits)
    if bits is None or says.first is None or says.first < 0:
        raise Altered("a statement's bits are base64 and have a first index")
    if 8 * len(bits) > BITS_MAX + 7:
        raise Altered(f"a statement has at most {BITS_MAX} bits")
    return list(_runs(bits, says.first))


def _runs(bits: bytes, first: int) -> Iterator[tuple[int, int]]:
    flags = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")
    edges = np.flatnonzero(np.diff(flags, prepend=np.uint8(0), append=np.uint8(0)))
    for begin, end in edges.reshape(-1, 2).tolist():
        yield first + begin, first + end - 1
