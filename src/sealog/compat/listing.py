"""Pages of one product's own events, asked for by the names that its users know."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request

from sealog.access.reads import Kind
from sealog.archive.archive import Found, Page
from sealog.event.tenants import Tenant
from sealog.query.tree import Is, Node, Query, every, query
from sealog.rendering.rendering import Renderer
from sealog.server import asking
from sealog.server.knocking import Knocker
from sealog.server.noting import Noting
from sealog.server.parts import Parts
from sealog.server.reading import Threads, covered
from sealog.server.settings import Settings

COMMON = frozenset({"tenant", "from", "to", "zone", "limit", "cursor", "order"})
"""What every listing takes."""
PAGE_DEFAULT = 100


class Asked(msgspec.Struct, frozen=True):
    """One page of a listing."""

    tenant: Tenant
    query: Query
    limit: int
    cursor: str | None
    oldest_first: bool
    words: str

    def narrowed(self, *more: Node) -> "Asked":
        """The same with further conditions."""
        whole = query(every([self.query.where, *more]), self.query.from_us, self.query.to_us)
        return msgspec.structs.replace(self, query=whole)


class Listing:
    """What the listings of a product share."""

    def __init__(self, parts: Parts, settings: Settings, dialect: str) -> None:
        self.parts = parts
        self.threads = Threads(settings.reading_threads)
        self._dialect = dialect
        self._page_max = settings.page_max
        self._knocker = Knocker(parts.keys, parts.limits, parts.clocks.monotonic_s)
        self._noting = Noting(parts.reads, parts.origins)
        self.render = Renderer(dialect).event

    def asked(
        self,
        request: Request,
        names: Mapping[str, str],
        *,
        also: Sequence[str] = (),
        order: str = "newest",
    ) -> Asked:
        """What the parameters ask for, of a key that may read.

        `names`: a parameter → the field of a search that it is; `also`: parameters that somebody
        else reads. Raises kinds of `Refused`.
        """
        grant = self._knocker.knock(request.scope, "read")
        params = request.query_params
        asking.check_names(params, COMMON | names.keys() | set(also), repeatable=names.keys())
        tenant = covered(self.parts, grant, asking.one_tenant(params, grant.only))
        known = QueryParams(
            [(names.get(name, name), value) for name, value in params.multi_items()]
            + ([] if "order" in params else [("order", order)])
        )
        kept = [(name, value) for name, value in known.multi_items() if name not in also]
        found = asking.search(
            QueryParams(kept), self.parts.clocks.us(), default=PAGE_DEFAULT, most=self._page_max
        )
        asked = Asked(
            tenant,
            found.query,
            found.limit,
            found.cursor,
            found.oldest_first,
            f"{self._dialect}/{request.url.path}?{found.words}",
        )
        return asked.narrowed(Is("dialect", self._dialect))

    def page(self, asked: Asked) -> Page:
        """The page; blocks."""
        return self.parts.archive.search(
            [asked.tenant],
            asked.query,
            limit=asked.limit,
            cursor=asked.cursor,
            oldest_first=asked.oldest_first,
            asked=asked.words,
        )

    async def given(
        self, request: Request, asked: Asked, work: Callable[[], tuple[bytes, Sequence[Found]]]
    ) -> bytes:
        """What `work` makes of events, in a thread; the events are noted as read."""
        content, found = await self.threads.run(work)
        self.note(request, asked, [one.index for one in found])
        return content

    def note(self, request: Request, asked: Asked, indexes: Sequence[int]) -> None:
        """These events were read."""
        self._noting.note(request.scope, asked.tenant, Kind.COMPAT, indexes)
