"""How many events there are: `GET /v1/count`, `/v1/facets`, `/v1/histogram`."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Any

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from sealog.access.grants import Grant
from sealog.access.reads import Kind
from sealog.archive.buckets import Interval
from sealog.archive.counting import Counts
from sealog.event import times
from sealog.event.tenants import Tenant
from sealog.query.fields import FIELDS, NAMES
from sealog.query.tree import Query
from sealog.query.writing import written
from sealog.server import asking
from sealog.server.knocking import Knocker
from sealog.server.noting import Noting
from sealog.server.parts import Parts
from sealog.server.problems import BadParameter
from sealog.server.reading import Threads, asked_of

TOP_DEFAULT = 10
TOP_MAX = 100
FIELDS_MAX = 10
FACETED = tuple(name for name in FIELDS if name not in ("id", "index"))
"""Fields of which the most frequent values can be told."""
INTERVALS: dict[str, tuple[Interval, int]] = {
    "1m": (60, 60),
    "1h": ("hour", 3_600),
    "1d": ("day", 86_400),
    "1w": ("week", 604_800),
    "1mo": ("month", 2_592_000),
    "1y": ("year", 31_536_000),
}
"""Interval → what the archive calls it, and about how many seconds it has; the shortest first."""
DIVIDING = ("outcome", "dialect", "actor.kind")
"""Fields by whose values each piece of a histogram can be divided."""
BUCKETS_AUTO_MAX = 100
"""`auto` is the shortest interval with no more buckets than this."""

Numbers = tuple[Counts, Mapping[str, Any]]
"""What was counted, and what is shown beside the count."""

_NAMES = asking.FILTERS | {"tenant"}
_REPEATABLE = asking.REPEATABLE | {"tenant"}
_ENCODE = msgspec.json.Encoder().encode


class Counting:
    """The routes that give numbers."""

    def __init__(self, parts: Parts, knocker: Knocker, threads: Threads) -> None:
        self._parts = parts
        self._noting = Noting(parts.reads, parts.origins)
        self._knocker = knocker
        self._threads = threads

    async def count(self, request: Request) -> Response:
        """`GET /v1/count`: how many events pass."""
        grant = self._knocker.knock(request.scope, "read")
        archive = self._parts.archive

        def work(tenants: Sequence[Tenant], query: Query) -> Numbers:
            return archive.count(tenants, query), {}

        return await self._answer(request, grant, (), work)

    async def facets(self, request: Request) -> Response:
        """`GET /v1/facets`: the most frequent values of fields."""
        grant = self._knocker.knock(request.scope, "read")
        archive = self._parts.archive
        params = request.query_params
        fields = _fields(params)
        top = asking.number(params, "top", TOP_DEFAULT, TOP_MAX, least=1)

        def work(tenants: Sequence[Tenant], query: Query) -> Numbers:
            counts = archive.facets(tenants, query, fields, top)
            return counts, {"facets": [_facet(counts, field) for field in fields]}

        return await self._answer(request, grant, ("field", "top"), work)

    async def histogram(self, request: Request) -> Response:
        """`GET /v1/histogram`: how many events happened when."""
        grant = self._knocker.knock(request.scope, "read")
        archive = self._parts.archive
        params = request.query_params
        given = params.get("interval", "auto")
        if given not in (*INTERVALS, "auto"):
            names = ", ".join(INTERVALS)
            raise BadParameter("interval", f"interval is one of {names}, or auto")
        by = params.get("by")
        if by is not None and by not in DIVIDING:
            raise BadParameter("by", f"by is one of {', '.join(DIVIDING)}")
        zone = asking.zone(params)

        def work(tenants: Sequence[Tenant], query: Query) -> Numbers:
            interval = self._interval(tenants, query) if given == "auto" else given
            counts = archive.histogram(tenants, query, INTERVALS[interval][0], zone, by=by)
            buckets = []
            for bucket in counts.buckets:
                shown = {"from": times.format_us(bucket.begin_us, digits=3), "count": bucket.count}
                buckets.append(shown | ({"by": bucket.by} if by else {}))
            name = "UTC" if zone is UTC else str(zone)
            return counts, {"interval": interval, "zone": name, "buckets": buckets}

        return await self._answer(request, grant, ("interval", "by"), work)

    def _interval(self, tenants: Sequence[Tenant], query: Query) -> str:
        """The shortest interval of which there are not too many from the first event to the last.

        A year where there is none: of all years that a date can name there are not too many to show.
        """
        begin, end = query.from_us, query.to_us
        for oldest_first in (True, False):
            if (begin if oldest_first else end) is None:
                page = self._parts.archive.search(
                    tenants, query, limit=1, oldest_first=oldest_first
                )
                if not page.events:
                    continue
                if oldest_first:
                    begin = page.events[0].at_us
                else:
                    end = page.events[0].at_us + 1
        seconds = (end - begin) / 1_000_000 if begin is not None and end is not None else 0
        fitting = (
            name for name, (_, size) in INTERVALS.items() if seconds <= size * BUCKETS_AUTO_MAX
        )
        return next(fitting, "1y")

    async def _answer(
        self,
        request: Request,
        grant: Grant,
        names: Sequence[str],
        work: Callable[[Sequence[Tenant], Query], Numbers],
    ) -> Response:
        params = request.query_params
        asking.check_names(params, _NAMES.union(names), repeatable=_REPEATABLE | {"field"})
        query = asking.asked(params, self._parts.clocks.us())
        named = asking.tenants(params)
        tenants = asked_of(self._parts, grant, named)

        def answer() -> bytes:
            counts, more = work(tenants, query)
            shown = {"count": counts.count, **more, "query": written(query)}
            if counts.looked_us is not None:
                # Time was up: every number is at least what it says.
                shown["looked_from"] = times.format_us(counts.looked_us)
            if counts.damaged:
                shown["damaged"] = len(counts.damaged)
            return _ENCODE(shown)

        content = await self._threads.run(answer)
        told = tenants if named or len(tenants) == 1 else ()
        self._noting.note_all(request.scope, Kind.COUNTS, {}, told)
        return Response(content, media_type="application/json")


def _fields(params: QueryParams) -> list[str]:
    given = params.getlist("field")
    if not 1 <= len(given) <= FIELDS_MAX:
        raise BadParameter("field", f"name 1 to {FIELDS_MAX} fields: {', '.join(FACETED)}")
    found = []
    for name in given:
        field = NAMES.get(name.lower())
        if field is None or field.name not in FACETED:
            raise BadParameter("field", f"a field is one of {', '.join(FACETED)}")
        found.append(field.name)
    return list(dict.fromkeys(found))


def _facet(counts: Counts, field: str) -> dict[str, Any]:
    facet = counts.facets[field]
    values = [{"value": value, "count": count} for value, count in facet.values]
    return {"field": field, "values": values, "more": facet.more, "exact": facet.is_exact}
