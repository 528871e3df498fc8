"""Statements: Sealog's own sealed word on why something is missing (docs/formats/statement.md).

Pure: the time and the random bytes are arguments.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from sealog.event import ids, times
from sealog.event.batch import Batch
from sealog.event.parts import FACTS, STATEMENT_ACTIONS, STATEMENT_ENTRY, texts
from sealog.event.sealing import ECS_VERSION, Moment, Sealer
from sealog.event.tenants import Tenant

DIALECT = "sealog"
VERSION = 1
BITS_MAX = 1 << 20
"""Bits of one statement; what spans more is said in several."""
RANGES_CHARS_MAX = (BITS_MAX // 8 + 2) // 3 * 4
"""Ranges that are written longer than the most bits are divided, so that no statement is longer."""

Span = tuple[int, int]
"""The first and the last of consecutive indexes, both included."""


class Statement(msgspec.Struct, frozen=True):
    """One statement, before it is sealed.

    The same `name`, time and `says` are the same statement, however often it is sealed.
    """

    action: str
    name: str
    """What its id is derived from."""
    at_us: int
    says: bytes
    """Its `sealog` object as JSON, without `action` and `dialect`: one of those `sayings` gives."""


def sayings(
    spans: Sequence[Span], *, reason: str, policy: str, bits_max: int = BITS_MAX
) -> Iterator[bytes]:
    """What one or several statements say of some indexes, each in the shorter of both forms.

    `spans` ascend, do not meet, and are not empty. No personal data may stand in `reason`, `policy`.
    """
    why = {"reason": reason, "policy": policy}
    for some in _divided(spans, bits_max):
        yield msgspec.json.encode({"v": VERSION, **_shorter(some, bits_max), **why})


def sealed(
    sealer: Sealer,
    tenant: Tenant,
    statements: Sequence[Statement],
    now: Moment,
    event: Mapping[str, Any],
) -> Batch:
    """Statements of one tenant, ready for the journal.

    `event`: what stands under `event` beside action, id and times.
    """
    batch = Batch(tenant, [], [], [], [], [], [])
    cut = []
    for place, one in enumerate(statements):
        assert one.action in STATEMENT_ACTIONS
        name = ids.id_from_request(tenant.key, DIALECT, one.name, 0)
        facts = _facts(tenant, one, now, {**event, "id": name})
        cut.append((STATEMENT_ENTRY, texts([(FACTS, facts)])))
        batch.places.append(place)
        batch.ids.append(name)
        batch.id_keys.append(ids.id_key(tenant.key, name, one.at_us))
        batch.fingerprints.append(ids.fingerprint(tenant.key, DIALECT, one.says))
    sealer.commit(batch, cut)
    return batch


def _facts(tenant: Tenant, one: Statement, now: Moment, event: Mapping[str, Any]) -> bytes:
    said = msgspec.json.decode(one.says, type=dict[str, msgspec.Raw])
    facts = {
        "@timestamp": times.format_us(one.at_us),
        "ecs": {"version": ECS_VERSION},
        "event": {**event, "action": one.action, "ingested": now.text},
        "sealog": {"action": one.action, "dialect": DIALECT, **said},
    }
    # A statement can never be erased: what may be somebody's address does not stand in it.
    if "@" not in tenant.name:
        facts["organization"] = {"id": tenant.name}
    return msgspec.json.encode(facts)


def _divided(spans: Sequence[Span], bits_max: int) -> Iterator[Sequence[Span]]:
    """Spans in groups, each of which one statement holds in either form."""
    left = list(spans)
    chars_max = RANGES_CHARS_MAX * bits_max // BITS_MAX
    while left:
        if sum(len(f"[{first},{last}],") for first, last in left) <= chars_max:
            yield left
            return
        end = left[0][0] + bits_max
        within = [(first, min(last, end - 1)) for first, last in left if first < end]
        yield within
        left = [(max(first, end), last) for first, last in left if last >= end]


def _shorter(spans: Sequence[Span], bits_max: int) -> dict[str, Any]:
    ranges = {"ranges": spans}
    first, last = spans[0][0], spans[-1][1]
    if last - first >= bits_max:
        return ranges
    bits = {"first": first, "bits": base64.b64encode(_bits(spans, first, last)).decode()}
    return min(ranges, bits, key=lambda form: len(msgspec.json.encode(form)))


def _bits(spans: Iterable[Span], first: int, last: int) -> bytes:
    """Bit 0 of byte 0 is `first`."""
    bits = bytearray((last - first) // 8 + 1)
    for begin, end in spans:
        low, high = begin - first, end - first
        head, tail = 0xFF << (low & 7) & 0xFF, 0xFF >> (7 - (high & 7))
        if low >> 3 == high >> 3:
            bits[low >> 3] |= head & tail
            continue
        bits[low >> 3] |= head
        bits[high >> 3] |= tail
        whole = (high >> 3) - (low >> 3) - 1
        bits[(low >> 3) + 1 : high >> 3] = b"\xff" * whole
    return bytes(bits)
