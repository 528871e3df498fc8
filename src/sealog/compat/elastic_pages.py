"""Searches page by page: at a point in time, by scrolling, and one by one."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec import Raw

from sealog.access.reads import Kind
from sealog.compat import elastic_errors
from sealog.compat.elastic_contexts import Context, Contexts
from sealog.compat.elastic_errors import Rejected
from sealog.compat.elastic_names import Choosing, Index, named
from sealog.compat.elastic_requests import Asking, body_of
from sealog.compat.elastic_search import SHARDS, Answer, Asked, Scroll, Searcher, read
from sealog.event.packs import Opened
from sealog.event.tenants import Tenant
from sealog.rendering.rendering import Renderer
from sealog.server import deriving
from sealog.server.noting import Noting
from sealog.server.parts import Parts
from sealog.server.reading import Threads, asked_of

_ENCODE = msgspec.json.Encoder().encode


class Pages:
    """Searches, and the contexts from which their next pages are asked for."""

    def __init__(self, parts: Parts, threads: Threads) -> None:
        self._parts = parts
        self._threads = threads
        self._noting = Noting(parts.reads, parts.origins)
        self._contexts = Contexts(parts.clocks.us, parts.randomness)

    def tenants(self, asking: Asking) -> list[Tenant]:
        """The tenants that a request is about: those it names, or all of its key's."""
        header = asking.request.headers.get("sealog-tenant")
        names = header.split(",") if header else asking.request.query_params.getlist("tenant")
        return asked_of(self._parts, asking.grant, names)

    async def search(
        self, asking: Asking, indices: list[Index], body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """One search that stands alone."""
        answer = await self._searched(asking, lambda: read(body, indices, asking.now_us), None)
        return answer.body

    async def of_request(self, asking: Asking, body: dict[str, Any], indices: list[Index]) -> Any:
        """What `_search` asks for: a page at a point in time, the first of a scroll, or one alone."""
        keep = asking.request.query_params.get("scroll")
        point = body.pop("pit", None)
        if point is not None and keep is not None:
            raise Rejected("using [point in time] is not allowed in a scroll context")
        if point is not None:
            return await self._at(asking, body, point)
        if keep is not None:
            return await self._begin_scroll(asking, body, indices, keep)
        return with_total(await self.search(asking, indices, body), asking)

    async def _searched(
        self,
        asking: Asking,
        read_it: Callable[[], Asked],
        sizes: Mapping[int, int] | None,
        scroll: Scroll | None = None,
    ) -> Answer:
        tenants = self.tenants(asking)
        typed = asking.flag("typed_keys")

        def work() -> Answer:
            searcher = Searcher(self._parts.archive, tenants, _rendered, sizes)
            answer = searcher.answer(read_it(), typed=typed, scroll=scroll)
            # Encoded here: the event loop must not wait for ten thousand of them.
            answer.body["hits"]["hits"] = Raw(_ENCODE(answer.body["hits"]["hits"]))
            return answer

        answer = await self._threads.run(work)
        found: dict[Tenant, list[int]] = {}
        for one in answer.found:
            found.setdefault(one.tenant, []).append(one.index)
        named_ones = tenants if len(tenants) == 1 else ()
        self._noting.note_all(asking.request.scope, Kind.SEARCHES, found, named_ones)
        return answer

    async def _at(self, asking: Asking, body: dict[str, Any], point: object) -> Any:
        if not isinstance(point, dict) or len(asking.words) > 1:
            raise Rejected("[indices] cannot be used with point in time. Do not specify any index")
        context = self._contexts.read(point.get("id"), point.get("keep_alive"))
        indices = _indices(context)
        answer = await self._searched(
            asking, lambda: read(body, indices, asking.now_us, is_point=True), context.sizes
        )
        return {"pit_id": self._contexts.written(context)} | with_total(answer.body, asking)

    def _sizes(self, asking: Asking) -> dict[int, int]:
        archive = self._parts.archive
        return {one.number: archive.visible(one) for one in self.tenants(asking)}

    async def open_point(self, asking: Asking) -> Any:
        """Open a point in time, as Elasticsearch or as OpenSearch asks for it."""
        indices = named(asking.words[0], asking.choosing())
        keep_alive = asking.request.query_params.get("keep_alive")
        context = self._contexts.open(_names(indices), self._sizes(asking), keep_alive)
        text = self._contexts.written(context)
        if asking.words[-1] == "point_in_time":
            return {"pit_id": text, "_shards": SHARDS, "creation_time": asking.now_us // 1_000}
        return {"id": text}

    async def close_point(self, asking: Asking) -> Any:
        """Close points in time."""
        body = body_of(asking.body)
        if asking.words[-1] == "point_in_time":
            texts = body.get("pit_id") or []
            texts = texts if isinstance(texts, list) else [texts]
            closed = [{"successful": self._contexts.close(one), "pit_id": one} for one in texts]
            return {"pits": closed}
        is_closed = self._contexts.close(body.get("id"))
        return {"succeeded": is_closed, "num_freed": int(is_closed)}

    async def _begin_scroll(
        self, asking: Asking, body: dict[str, Any], indices: list[Index], keep_alive: str
    ) -> Any:
        for name in ("from", "search_after"):
            if body.get(name) not in (None, 0, "0"):
                raise Rejected(f"using [{name}] is not allowed in a scroll context")
        if body.get("size") in (0, "0"):
            raise Rejected("[size] cannot be [0] in a scroll context")
        names, sizes = _names(indices), self._sizes(asking)
        context = self._contexts.open(names, sizes, keep_alive, _ENCODE(body))
        return await self._page(asking, context)

    async def scroll(self, asking: Asking) -> Any:
        """The next page of a scroll."""
        body = body_of(asking.body)
        params = asking.request.query_params
        text = body.get("scroll_id") or params.get("scroll_id") or "/".join(asking.words[2:])
        keep_alive = body.get("scroll") or params.get("scroll")
        return await self._page(asking, self._contexts.read(text, keep_alive), is_first=False)

    async def _page(self, asking: Asking, context: Context, *, is_first: bool = True) -> Any:
        """A page of a scroll, and the id of the next."""
        if not context.body:
            raise Rejected("Cannot parse scroll id: it is that of a point in time")
        body = dict(body_of(context.body))
        if not is_first:
            body.pop("aggs", None)
            body.pop("aggregations", None)
        indices = _indices(context)
        is_over = not is_first and context.after is None
        if is_over:
            body["size"] = 0
        answer = await self._searched(
            asking,
            lambda: read(body, indices, asking.now_us),
            context.sizes,
            Scroll(context.after, context.total),
        )
        following = msgspec.structs.replace(context, after=answer.last, total=answer.total)
        text = self._contexts.written(following)
        return {"_scroll_id": text} | with_total(answer.body, asking)

    async def close_scroll(self, asking: Asking) -> Any:
        """Close scrolls."""
        texts = body_of(asking.body).get("scroll_id") or "/".join(asking.words[2:])
        if texts == "_all":
            raise elastic_errors.unsupported("_all", "name the scroll ids")
        several = texts if isinstance(texts, list) else str(texts).split(",")
        closed = [self._contexts.close(one) for one in several]
        return {"succeeded": True, "num_freed": sum(closed)}


def _names(indices: list[Index]) -> str:
    """Indices as a context holds them; none is a name that no index has."""
    return ",".join([one.name for one in indices]) or "-"


def _indices(context: Context) -> list[Index]:
    return named(context.indices, Choosing(ignore_missing=True))


@cache
def _renderer(dialect: str) -> Renderer:
    return Renderer(dialect, derive=deriving.DERIVE)


def _rendered(dialect: str, opened: Opened, index: int) -> bytes:
    return _renderer(dialect).event(opened, index)


def with_total(body: dict[str, Any], asking: Asking) -> dict[str, Any]:
    """A search's answer; its total as clients of Elasticsearch 6 read it, where they ask for that."""
    total = body["hits"].get("total")
    if total is not None and asking.flag("rest_total_hits_as_int"):
        body["hits"]["total"] = total["value"]
    return body
