"""How far a search by the time of events is complete: its watermark.

Events come late, and in any order of their own times. What can be promised is about arrival: all that
was answered to its sender up to a time is looked at. From there on the feed leaves nothing out.
"""

from collections.abc import Sequence
from typing import Any

from sealog.event import times
from sealog.event.tenants import Tenant
from sealog.server.parts import Parts


def watermark(parts: Parts, tenants: Sequence[Tenant]) -> dict[str, Any]:
    """What a search says of it: MUST be taken before the search, which may then see more.

    `complete_to`: every event that was answered to its sender at this time is looked at; null where
    some are not visible yet. `feed_cursor`, of one tenant: what the feed is to begin after, for all
    that comes later.
    """
    now_us = parts.clocks.us()
    # In this order: what was answered before `now_us` is below the size.
    sizes = [parts.size(tenant.number) for tenant in tenants]
    visible = [parts.archive.visible(tenant) for tenant in tenants]
    is_complete = all(seen >= size for seen, size in zip(visible, sizes, strict=True))
    found: dict[str, Any] = {"complete_to": times.format_us(now_us) if is_complete else None}
    if len(tenants) == 1:
        found["feed_cursor"] = str(visible[0] - 1)
    return found
