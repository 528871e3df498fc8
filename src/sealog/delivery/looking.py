"""Looking into a tenant's log for its streams: where a time is, how far behind one is, how much leaves."""

import msgspec

from sealog.delivery.batches import Source, Ways, ingested_us, query_of
from sealog.delivery.stream import Wanted
from sealog.event.packs import Unpacker
from sealog.event.tenants import Tenant

DAY_US = 86_400_000_000
DAYS = 7
SAMPLED_MAX = 2_000
LOOK_US = 2_000_000
"""An estimate takes no longer than this: what it did not look at is like the rest."""


class Estimate(msgspec.Struct, frozen=True):
    """How much would leave in a day, going by the last days."""

    events_per_day: float
    bytes_per_day: float
    days: float
    """Of so many days something is known."""
    events: int
    """So many passed of those that were looked at."""
    looked_at: int
    sampled: int
    """So many were rendered, to know how large they are."""


def index_since(source: Source, tenant: Tenant, at_us: int) -> int:
    """The first index whose event was taken in at a time or later; the end where there is none.

    Indexes are given in the order of arrival, so that halving finds it.
    """
    low, high = 0, source.visible(tenant)
    while low < high:
        middle = (low + high) // 2
        found = source.feed(tenant, middle - 1, 1)
        if not found or found[0][0] >= high:
            # All from the middle on have expired.
            high = middle
            continue
        index, opened = found[0]
        at = ingested_us(opened)
        if at is not None and at < at_us:
            low = index + 1
        else:
            high = middle
    return low


def lag_us(source: Source, tenant: Tenant, first: int, now_us: int) -> int:
    """How long what is to be sent next has been there; 0 where there is nothing."""
    if source.visible(tenant) <= first:
        return 0
    found = source.feed(tenant, first - 1, 1)
    at_us = ingested_us(found[0][1]) if found else None
    return 0 if at_us is None else max(now_us - at_us, 0)


def estimate(source: Source, tenant: Tenant, wanted: Wanted, ways: Ways) -> Estimate:
    """What a stream like this would have sent in the last days."""
    begun_us = ways.clock_us()
    first = index_since(source, tenant, begun_us - DAYS * DAY_US)
    end = source.visible(tenant)
    oldest = source.feed(tenant, first - 1, 1)
    since_us = (ingested_us(oldest[0][1]) if oldest else None) or begun_us
    unpacker = Unpacker()
    events = size = sampled = 0
    upto = end
    for piece in source.pieces(tenant, query_of(wanted), end, first):
        events += piece.count
        if sampled < SAMPLED_MAX:
            bodies = ways.renderer.listed(piece.pack, piece.base, unpacker, piece.places)
            bodies = ways.shaper.shaped(bodies, [piece.first] * len(bodies))
            size += sum(map(len, bodies))
            sampled += len(bodies)
        if not 0 <= ways.clock_us() - begun_us < LOOK_US:
            upto = piece.last + 1
            break
    days = max(begun_us - since_us, 3_600_000_000) / DAY_US
    whole = (end - first) / max(upto - first, 1)
    per_day = events * whole / days
    return Estimate(
        events_per_day=round(per_day, 1),
        bytes_per_day=round(per_day * size / sampled if sampled else 0.0, 1),
        days=round(days, 2),
        events=events,
        looked_at=upto - first,
        sampled=sampled,
    )
