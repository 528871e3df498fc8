"""Events out: search, one event, the feed."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from sealog.access.grants import Grant
from sealog.access.reads import Kind
from sealog.archive.archive import Page
from sealog.errors import Missing, Refused
from sealog.event import times
from sealog.event.tenants import Tenant
from sealog.query.tree import Query
from sealog.query.writing import written
from sealog.server import asking, positions, showing
from sealog.server.arrivals import Arrivals
from sealog.server.completeness import watermark
from sealog.server.knocking import Knocker
from sealog.server.noting import Noting
from sealog.server.parts import Parts
from sealog.server.problems import BadParameter
from sealog.server.settings import Settings

T = TypeVar("T")

_JSON = "application/json"


class Threads:
    """Runs what blocks, a bounded number at once. MUST be used from one event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._limiter: anyio.CapacityLimiter | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """`work()` in a thread."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._most)
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)


class Reading:
    """The routes that give events."""

    def __init__(
        self, parts: Parts, settings: Settings, knocker: Knocker, threads: Threads
    ) -> None:
        self._parts = parts
        self._noting = Noting(parts.reads, parts.origins)
        self._settings = settings
        self._knocker = knocker
        self._threads = threads
        self.arrivals = Arrivals(parts.archive, settings.waiting_max)

    async def search(self, request: Request) -> Response:
        """`GET /v1/events`: newest first by the time of the event, page by page."""
        grant = self._knocker.knock(request.scope, "read")
        settings = self._settings
        asked = asking.search(
            request.query_params,
            self._parts.clocks.us(),
            default=settings.page_default,
            most=settings.page_max,
        )
        tenants = asked_of(self._parts, grant, asked.tenants)
        at_least = None
        if asked.at_least is not None:
            if len(tenants) != 1:
                raise BadParameter("at_least", "at_least is within one tenant: name it")
            at_least = {tenants[0].number: asked.at_least}

        def work() -> tuple[Page, bytes]:
            mark = watermark(self._parts, tenants)
            page = self._parts.archive.search(
                tenants,
                asked.query,
                limit=asked.limit,
                cursor=asked.cursor,
                at_least=at_least,
                oldest_first=asked.oldest_first,
                asked=asked.words,
            )
            events = [(one.index, one.opened) for one in page.events]
            return page, showing.page(events, _more(page, asked) | mark, asked.shape)

        page, content = await self._threads.run(work)
        found: dict[Tenant, list[int]] = {}
        for one in page.events:
            found.setdefault(one.tenant, []).append(one.index)
        named = tenants if asked.tenants or len(tenants) == 1 else ()
        self._noting.note_all(request.scope, Kind.SEARCHES, found, named)
        headers = None
        if page.next_cursor is not None:
            headers = _next(request, cursor=page.next_cursor)
        return Response(content, headers=headers, media_type=_JSON)

    async def feed(self, request: Request) -> Response:
        """`GET /v1/feed`: every event of one tenant in the order of its log, for ever."""
        grant = self._knocker.knock(request.scope, "read", "export")
        params = request.query_params
        settings = self._settings
        asking.check_names(params, asking.FEED_NAMES)
        tenant = self.tenant(grant, asking.one_tenant(params, grant.only))
        shape = asking.shape(params)
        after = asking.number(params, "after", -1, asking.INDEX_MAX, least=-1)
        limit = asking.number(params, "limit", settings.page_default, settings.page_max, least=1)
        positions.check_given(after, self._parts.size(tenant.number))
        wait_s = asking.number(params, "wait", 0, settings.wait_seconds_max)
        if wait_s and self._parts.archive.visible(tenant) <= after + 1:
            await self.arrivals.wait(tenant, after + 1, wait_s)

        def work() -> tuple[list[int], int, bytes]:
            # What has expired is stepped over: the next page begins behind it.
            found = self._parts.archive.follow(tenant, Query(), after + 1, limit)
            last = found.next - 1
            indexes = [index for index, _ in found.events]
            return indexes, last, showing.page(found.events, {"next_cursor": str(last)}, shape)

        indexes, last, content = await self._threads.run(work)
        self._noting.note(request.scope, tenant, Kind.FEEDS, indexes)
        return Response(content, headers=_next(request, after=str(last)), media_type=_JSON)

    async def by_id(self, request: Request) -> Response:
        """`GET /v1/events/{id}`: one event by its id."""
        grant = self._knocker.knock(request.scope, "read")
        asking.check_names(request.query_params, asking.SHAPE_NAMES | {"tenant"})
        shape = asking.shape(request.query_params)
        tenant = self.tenant(grant, asking.one_tenant(request.query_params, grant.only))
        event_id = request.path_params["id"]

        def work() -> tuple[int, bytes] | None:
            found = self._parts.archive.by_id(tenant, event_id)
            return None if found is None else (found[0], showing.event(found[1], found[0], shape))

        found = await self._threads.run(work)
        self._noting.note(request.scope, tenant, Kind.SINGLE, () if found is None else (found[0],))
        if found is None:
            raise Missing("there is no event with this id", code="no-such-event")
        return Response(found[1], media_type=_JSON)

    async def by_index(self, request: Request) -> Response:
        """`GET /v1/tenants/{tenant}/events/{index}`: one event by its place in the log."""
        grant = self._knocker.knock(request.scope, "read")
        asking.check_names(request.query_params, asking.SHAPE_NAMES)
        shape = asking.shape(request.query_params)
        tenant = self.tenant(grant, request.path_params["tenant"])
        index = index_of(request)

        def work() -> bytes:
            opened = self._parts.archive.get(tenant, index)
            if opened is None:
                raise no_event(index)
            return showing.event(opened, index, shape)

        content = await self._threads.run(work)
        self._noting.note(request.scope, tenant, Kind.SINGLE, (index,))
        return Response(content, media_type=_JSON)

    def tenant(self, grant: Grant, name: str) -> Tenant:
        """A tenant that exists and that the key is for; else `Missing`, one answer for both."""
        return covered(self._parts, grant, name)


def asked_of(parts: Parts, grant: Grant, names: Sequence[str]) -> list[Tenant]:
    """The tenants named, or all that the key is for and that exist. Raises `Missing`."""
    if names:
        return [covered(parts, grant, name) for name in names]
    if grant.tenants is None:
        return parts.tenants.all()
    known = map(parts.tenants.get, sorted(grant.tenants))
    return [tenant for tenant in known if tenant is not None]


def covered(parts: Parts, grant: Grant, name: str) -> Tenant:
    """See `Reading.tenant`."""
    tenant = parts.tenants.get(name)
    if tenant is None or not grant.covers(name):
        raise Missing("there is no such tenant for this key", code="no-such-tenant")
    return tenant


def index_of(request: Request) -> int:
    """The index in a path; what is none finds nothing."""
    text: str = request.path_params["index"]
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(asking.INDEX_MAX))):
        raise Missing("an index is a whole number from 0", code="no-such-event")
    return int(text)


def no_event(index: int) -> Refused:
    """Nothing to show at an index."""
    return Missing(f"there is no event at index {index}", code="no-such-event")


def _more(page: Page, asked: asking.Asked) -> dict[str, Any]:
    """What a page says beside its events."""
    more: dict[str, Any] = {"next_cursor": page.next_cursor, "query": written(asked.query)}
    if page.looked_us is not None:
        # Time was up: an empty page is then not the end.
        name = "looked_to" if asked.oldest_first else "looked_from"
        more[name] = times.format_us(page.looked_us)
    if page.damaged:
        more["damaged"] = len(page.damaged)
    return more


def _next(request: Request, **changed: str) -> dict[str, str]:
    """The `Link` (RFC 8288) to the next page: the same question from another place on."""
    pairs = [
        (name, value) for name, value in request.query_params.multi_items() if name not in changed
    ]
    query = urlencode([*pairs, *changed.items()])
    return {"Link": f'<{request.url.path}{"?" if query else ""}{query}>; rel="next"'}
