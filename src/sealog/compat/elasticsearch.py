"""The read API of Elasticsearch, as far as its official clients and Grafana use it, under `/elasticsearch`.

Reads only: what would write, update or delete is 403. Everything else that is not here is a 400
that names it, so that no client takes silence for an answer.
"""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from sealog.access.reads import Kind
from sealog.compat import elastic_errors, elastic_shown
from sealog.compat.elastic_errors import Rejected, unparsable
from sealog.compat.elastic_names import Index, named
from sealog.compat.elastic_pages import Pages, with_total
from sealog.compat.elastic_requests import Asking, lines_of
from sealog.compat.elastic_search import SHARDS, condition
from sealog.errors import Corrupt, SealogError, Unauthorised
from sealog.query.tree import every, query
from sealog.server import statuses
from sealog.server.application import Plain
from sealog.server.bodies import Bodies
from sealog.server.knocking import Knocker, visit_of
from sealog.server.noting import Noting
from sealog.server.parts import Parts
from sealog.server.reading import Threads
from sealog.server.settings import Settings

PREFIX = "/elasticsearch"
SEARCHES_MAX = 32
"""So many searches one `_msearch` may hold."""

_PRODUCT = {"X-Elastic-Product": "Elasticsearch"}
_VENDOR = re.compile(r"application/vnd\.elasticsearch\+json;\s*compatible-with=(\d)")
_READING = frozenset({"_search", "_count", "_msearch", "_field_caps", "_pit"})
_ENCODE = msgspec.json.Encoder().encode

Work = Callable[[Asking], Awaitable[Any]]


def routes(parts: Parts, settings: Settings | None = None) -> list[BaseRoute]:
    """The routes, to be joined to the API's."""
    serving = Elasticsearch(parts, settings or Settings())
    return [
        Plain(PREFIX, serving, methods=None),
        Plain(PREFIX + "/{path:path}", serving, methods=None),
    ]


class Elasticsearch:
    """One ASGI application for all of it: its paths are told apart by their words."""

    def __init__(self, parts: Parts, settings: Settings) -> None:
        self._parts = parts
        self._knocker = Knocker(parts.keys, parts.limits, parts.clocks.monotonic_s)
        self._threads = Threads(settings.reading_threads)
        self._bodies = Bodies(settings)
        self._noting = Noting(parts.reads, parts.origins)
        self._pages = Pages(parts, self._threads)
        self._table = self._works()
        self._with_more = {
            self._pages.scroll,
            self._pages.close_scroll,
            self._cat_indices,
            self._document,
            elastic_shown.health,
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        response = await self._answered(request)
        await response(scope, receive, send)

    async def _answered(self, request: Request) -> Response:
        try:
            asking = await self._asking(request)
            work = self._find(asking)
            return self._response(request, await work(asking))
        except Rejected as error:
            return self._failed(request, error)
        except Corrupt:
            raise  # The door writes it down.
        except SealogError as error:
            return self._failed(request, _as_theirs(error))

    async def _asking(self, request: Request) -> Asking:
        visit = visit_of(request.scope)
        authorization = visit.headers.get(b"authorization")
        if authorization is not None:
            visit.headers = {**visit.headers, b"authorization": _bearer(authorization)}
        grant = self._knocker.knock(request.scope, "read")
        body = await self._bodies.read(request.receive, visit.headers.get(b"content-length"))
        words = [word for word in request.url.path.removeprefix(PREFIX).split("/") if word]
        return Asking(request, grant, tuple(words), body, self._parts.clocks.us())

    def _find(self, asking: Asking) -> Work:
        method = "GET" if asking.request.method == "HEAD" else asking.request.method
        shape = [_shape(word, place) for place, word in enumerate(asking.words)]
        for length in range(len(shape), -1, -1):
            # What follows is a name, an id, or a list of either.
            work = self._table.get((method, " ".join(shape[:length])))
            is_whole = length == len(shape) or (work in self._with_more)
            if work is not None and is_whole:
                return work
        raise _no_handler(asking)

    def _works(self) -> Mapping[tuple[str, str], Work]:
        """(method, words of the path, `*` for the name of an index) → what answers."""
        reads: dict[str, Work] = {
            "_search": self._search,
            "* _search": self._search,
            "_count": self._count,
            "* _count": self._count,
            "_msearch": self._searches,
            "* _msearch": self._searches,
            "_field_caps": _field_caps,
            "* _field_caps": _field_caps,
            "_search scroll": self._pages.scroll,
        }
        gets: dict[str, Work] = {
            "": _info,
            "*": elastic_shown.index,
            "_cluster health": elastic_shown.health,
            "_cat indices": self._cat_indices,
            "_mapping": elastic_shown.mapping,
            "_mappings": elastic_shown.mapping,
            "* _mapping": elastic_shown.mapping,
            "* _mappings": elastic_shown.mapping,
            "* _doc": self._document,
            "* _source": self._document,
        }
        posts: dict[str, Work] = {
            "* _pit": self._pages.open_point,
            "* _search point_in_time": self._pages.open_point,
        }
        deletes: dict[str, Work] = {
            "_pit": self._pages.close_point,
            "_search point_in_time": self._pages.close_point,
            "_search scroll": self._pages.close_scroll,
        }
        return (
            {(method, path): work for method in ("GET", "POST") for path, work in reads.items()}
            | {("GET", path): work for path, work in gets.items()}
            | {("POST", path): work for path, work in posts.items()}
            | {("DELETE", path): work for path, work in deletes.items()}
        )

    async def _search(self, asking: Asking) -> Any:
        body = asking.search_body()
        point = body.pop("pit", None)
        if point is not None:
            return await self._pages.search_at(asking, body, point)
        expression = asking.words[0] if len(asking.words) > 1 else None
        indices = named(expression, ignore_missing=asking.flag("ignore_unavailable"))
        keep = asking.request.query_params.get("scroll")
        if keep is not None:
            return await self._pages.begin_scroll(asking, body, expression or "", keep)
        return with_total(await self._pages.search(asking, indices, body), asking)

    async def _count(self, asking: Asking) -> Any:
        body = asking.search_body()
        for name in body.keys() - {"query"}:
            raise elastic_errors.unsupported(f"{name} in _count")
        expression = asking.words[0] if len(asking.words) > 1 else None
        indices = named(expression, ignore_missing=asking.flag("ignore_unavailable"))
        tenants = self._pages.tenants(asking)
        where = condition(body.get("query"), indices, asking.now_us)
        archive = self._parts.archive
        counts = await self._threads.run(lambda: archive.count(tenants, query(where)))
        self._noting.note_all(
            asking.request.scope, Kind.COUNTS, {}, tenants if len(tenants) == 1 else ()
        )
        if counts.looked_us is not None:
            raise Rejected(
                "counting took too long: ask for a shorter time",
                kind="search_phase_execution_exception",
                status=503,
            )
        return {"count": counts.count, "_shards": SHARDS}

    async def _searches(self, asking: Asking) -> Any:
        lines = lines_of(asking.body)
        if len(lines) % 2 or len(lines) > 2 * SEARCHES_MAX:
            raise unparsable(f"_msearch has pairs of lines, at most {SEARCHES_MAX} of them")
        default = asking.words[0] if len(asking.words) > 1 else None
        responses = []
        for header, body in zip(lines[::2], lines[1::2], strict=True):
            try:
                responses.append(await self._one_of(asking, header, dict(body), default))
            except Rejected as error:
                responses.append(elastic_errors.body(error))
        return {"took": sum(one.get("took", 0) for one in responses), "responses": responses}

    async def _one_of(
        self, asking: Asking, header: Mapping[str, Any], body: dict[str, Any], default: str | None
    ) -> Any:
        expression = header.get("index", default)
        if isinstance(expression, list):
            expression = ",".join(map(str, expression))
        indices = named(expression, ignore_missing=bool(header.get("ignore_unavailable")))
        return await self._pages.search(asking, indices, body) | {"status": 200}

    async def _document(self, asking: Asking) -> Any:
        """One event by its id, of one tenant."""
        (index,) = named(asking.words[0]) if "*" not in asking.words[0] else ([None])
        if index is None:
            raise elastic_errors.no_index(asking.words[0])
        event_id = "/".join(asking.words[2:])
        body = {"query": {"ids": {"values": [event_id]}}, "track_total_hits": False, "size": 1}
        answer = await self._pages.search(asking, [index], body)
        hits = answer["hits"]["hits"]
        if not hits:
            return 404, {"_index": index.name, "_id": event_id, "found": False}
        if asking.words[1] == "_source":
            return hits[0]["_source"]
        hit = {name: hits[0][name] for name in ("_index", "_id", "_source")}
        return {**hit, "_version": 1, "found": True}

    async def _cat_indices(self, asking: Asking) -> Any:
        tenants = self._pages.tenants(asking)
        archive = self._parts.archive

        def counted(index: Index) -> int:
            return archive.count(tenants, query(every([condition(None, [index], 0)]))).count

        def work() -> list[tuple[Index, int]]:
            expression = asking.words[2] if len(asking.words) > 2 else "*"  # noqa: PLR2004
            return [(one, counted(one)) for one in elastic_shown.listed(expression)]

        return elastic_shown.cat(await self._threads.run(work), asking)

    def _response(self, request: Request, found: Any) -> Response:
        status, found = found if isinstance(found, tuple) else (200, found)
        if isinstance(found, str):
            return Response(found, status, _PRODUCT, media_type="text/plain; charset=UTF-8")
        content = b"" if request.method == "HEAD" else _ENCODE(found)
        return Response(content, status, _PRODUCT, media_type=_media_type(request))

    def _failed(self, request: Request, error: Rejected) -> Response:
        headers = dict(_PRODUCT)
        if error.status == 401:  # noqa: PLR2004
            headers["WWW-Authenticate"] = 'Basic realm="security", charset="UTF-8"'
        if error.status == 503:  # noqa: PLR2004
            headers["Retry-After"] = "1"
        content = b"" if request.method == "HEAD" else elastic_errors.encoded(error)
        return Response(content, error.status, headers, media_type=_media_type(request))


def _shape(word: str, place: int) -> str:
    """A word of a path that is an interface's, or `*` for the name of an index."""
    if word.startswith("_") and word != "_all":
        return word
    return "*" if place == 0 else word


async def _info(_asking: Asking) -> Any:
    return elastic_shown.INFO


async def _field_caps(asking: Asking) -> Any:
    return elastic_shown.field_caps(asking)


def _media_type(request: Request) -> str:
    match = _VENDOR.search(request.headers.get("accept", ""))
    if match is None:
        return "application/json"
    return f"application/vnd.elasticsearch+json;compatible-with={match[1]}"


def _bearer(authorization: bytes) -> bytes:
    """`ApiKey` as the bearer token that it is: the key itself, or base64 of `id:key`."""
    scheme, _, value = authorization.partition(b" ")
    if scheme.lower() != b"apikey":
        return authorization
    value = value.strip()
    if not value.startswith(b"slk_"):
        try:
            value = base64.b64decode(value, validate=True).partition(b":")[2]
        except binascii.Error as error:
            raise Unauthorised("the ApiKey is not base64", code="wrong-key") from error
    return b"Bearer " + value


def _as_theirs(error: SealogError) -> Rejected:
    status = statuses.of_error(error)
    kind = _KINDS.get(status, "illegal_argument_exception")
    detail = error.detail if hasattr(error, "detail") else str(error)
    return Rejected(detail, kind=kind, status=400 if status == 422 else status)  # noqa: PLR2004


_KINDS = {
    401: "security_exception",
    403: "security_exception",
    404: "resource_not_found_exception",
    413: "content_too_long_exception",
    429: "circuit_breaking_exception",
    503: "unavailable_shards_exception",
}


def _no_handler(asking: Asking) -> Rejected:
    method, path = asking.request.method, "/" + "/".join(asking.words)
    last = next((word for word in reversed(asking.words) if word.startswith("_")), "")
    if method in ("PUT", "POST", "DELETE", "PATCH") and last not in _READING:
        return Rejected(
            f"blocked by: [FORBIDDEN/8/index write (api)]; an audit log is not written, changed or"
            f" deleted here: [{method} {path[:200]}]",
            kind="cluster_block_exception",
            status=403,
        )
    return Rejected(
        f"no handler found for uri [{path[:200]}] and method [{method}]: not supported by Sealog"
    )
