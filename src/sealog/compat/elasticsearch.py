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
from sealog.archive.counting import Counts
from sealog.compat import elastic_errors, elastic_requests, elastic_shown, naming
from sealog.compat.elastic_errors import Rejected, unparsable
from sealog.compat.elastic_names import INDICES, Index, each, named
from sealog.compat.elastic_pages import Pages, with_total
from sealog.compat.elastic_requests import Asking, lines_of
from sealog.compat.elastic_search import HITS_BYTES_MAX, SHARDS, condition
from sealog.compat.elastic_sources import read as source
from sealog.compat.elastic_sources import shown
from sealog.errors import Corrupt, SealogError, Unauthorised
from sealog.event import tokens
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
_READING = frozenset(
    {
        "_analyze",
        "_async_search",
        "_count",
        "_eql",
        "_explain",
        "_field_caps",
        "_graph",
        "_knn_search",
        "_mget",
        "_msearch",
        "_mtermvectors",
        "_mvt",
        "_pit",
        "_query",
        "_rank_eval",
        "_render",
        "_search",
        "_search_shards",
        "_sql",
        "_terms_enum",
        "_termvectors",
        "_validate",
    }
)
"""What asks, by whatever method: where it is not here it is a 400, not a 403."""
_HEAD_KEYS = elastic_requests.CHOOSING | elastic_requests.HINTS | {"index"}
"""What the head of one of several searches may say."""
_ENCODE = msgspec.json.Encoder().encode

Work = Callable[[Asking], Awaitable[Any]]


class Way(msgspec.Struct, frozen=True):
    """What answers some requests."""

    work: Work
    parameters: frozenset[str]
    """Which it heeds, besides those that every request may have."""
    has_more: bool = False
    """Whether a name, an id, or a list of either may follow in the path."""


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

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        request = Request(scope, receive)
        response = await self._answered(request)
        await response(scope, receive, send)

    async def _answered(self, request: Request) -> Response:
        try:
            asking = await self._asking(request)
            way = self._find(asking)
            asking.check(way.parameters)
            return await self._response(asking, await way.work(asking))
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
        # Not of `request.url`, which quotes it again.
        path: str = request.scope["path"]
        words = [word for word in path.removeprefix(PREFIX).split("/") if word]
        return Asking(request, grant, tuple(words), body, self._parts.clocks.us())

    def _find(self, asking: Asking) -> Way:
        method = "GET" if asking.request.method == "HEAD" else asking.request.method
        shape = [_shape(word, place) for place, word in enumerate(asking.words)]
        for length in range(len(shape), -1, -1):
            # What follows is a name, an id, or a list of either.
            way = self._table.get((method, " ".join(shape[:length])))
            if way is not None and (length == len(shape) or way.has_more):
                return way
        raise _not_served(asking)

    def _works(self) -> Mapping[tuple[str, str], Way]:
        """(method, words of the path, `*` for the name of an index) → what answers."""
        search = Way(self._search, elastic_requests.SEARCHED)
        count = Way(self._count, elastic_requests.COUNTED)
        several = Way(self._searches, elastic_requests.SEVERAL)
        fields = Way(_field_caps, elastic_requests.TOLD)
        mapping = Way(elastic_shown.mapping, elastic_requests.TOLD)
        document = Way(self._document, elastic_requests.DOCUMENT, has_more=True)
        kept = Way(self._pages.open_point, elastic_requests.KEPT)
        scrolled = elastic_requests.SCROLLED
        reads: dict[str, Way] = {
            "_search": search,
            "* _search": search,
            "_count": count,
            "* _count": count,
            "_msearch": several,
            "* _msearch": several,
            "_field_caps": fields,
            "* _field_caps": fields,
            "_search scroll": Way(self._pages.scroll, scrolled, has_more=True),
        }
        gets: dict[str, Way] = {
            "": Way(_info, frozenset()),
            "*": Way(elastic_shown.index, elastic_requests.TOLD | {"include_defaults", "features"}),
            "_cluster health": Way(
                elastic_shown.health, elastic_requests.HEALTH | {"level"}, has_more=True
            ),
            "_cat indices": Way(self._cat_indices, elastic_requests.LISTED, has_more=True),
            "_mapping": mapping,
            "_mappings": mapping,
            "* _mapping": mapping,
            "* _mappings": mapping,
            "* _doc": document,
            "* _source": document,
        }
        posts: dict[str, Way] = {"* _pit": kept, "* _search point_in_time": kept}
        deletes: dict[str, Way] = {
            "_pit": Way(self._pages.close_point, frozenset()),
            "_search point_in_time": Way(self._pages.close_point, frozenset()),
            "_search scroll": Way(self._pages.close_scroll, scrolled, has_more=True),
        }
        return (
            {(method, path): way for method in ("GET", "POST") for path, way in reads.items()}
            | {("GET", path): way for path, way in gets.items()}
            | {("POST", path): way for path, way in posts.items()}
            | {("DELETE", path): way for path, way in deletes.items()}
        )

    async def _search(self, asking: Asking) -> Any:
        expression = asking.words[0] if len(asking.words) > 1 else None
        indices = named(expression, asking.choosing())
        return await self._pages.of_request(asking, asking.search_body(), indices)

    async def _count(self, asking: Asking) -> Any:
        body = asking.search_body()
        for name in body.keys() - {"query"}:
            raise elastic_errors.unsupported(f"{name} in _count")
        expression = asking.words[0] if len(asking.words) > 1 else None
        indices = named(expression, asking.choosing())
        tenants = self._pages.tenants(asking)

        def work() -> Counts:
            where = condition(body.get("query"), indices, asking.now_us)
            return self._parts.archive.count(tenants, query(where))

        counts = await self._threads.run(work)
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
        lines = lines_of(asking.body, 2 * SEARCHES_MAX)
        if len(lines) % 2:
            raise unparsable(f"_msearch has pairs of lines, at most {SEARCHES_MAX} of them")
        default = asking.words[0] if len(asking.words) > 1 else None
        responses: list[dict[str, Any]] = []
        held = 0
        for header, body in zip(lines[::2], lines[1::2], strict=True):
            if held > HITS_BYTES_MAX:
                error = Rejected(f"the hits before are larger than {HITS_BYTES_MAX} bytes")
                responses.append(elastic_errors.body(error))
                continue
            try:
                found = await self._one_of(asking, header, dict(body), default)
                held += memoryview(found["hits"]["hits"]).nbytes
                responses.append(found)
            except Rejected as error:
                responses.append(elastic_errors.body(error))
        return {"took": sum(one.get("took", 0) for one in responses), "responses": responses}

    async def _one_of(
        self, asking: Asking, header: Mapping[str, Any], body: dict[str, Any], default: str | None
    ) -> Any:
        for name in header:
            if name not in _HEAD_KEYS:
                raise elastic_errors.unsupported(f"{name} in the head of a search")
        expression = header.get("index", default)
        if isinstance(expression, list):
            expression = ",".join(map(str, expression))
        if expression is not None and not isinstance(expression, str):
            raise unparsable("[index] names indices")
        indices = named(expression, asking.choosing(header))
        found = await self._pages.search(asking, indices, body)
        return with_total(found, asking) | {"status": 200}

    async def _document(self, asking: Asking) -> Any:
        """One event by its id, of one tenant."""
        name, event_id = asking.words[0], "/".join(asking.words[2:])
        if name not in INDICES or not event_id:
            raise elastic_errors.no_index(name) if event_id else _not_served(asking)
        body = {"query": {"ids": {"values": [event_id]}}, "track_total_hits": False, "size": 1}
        answer = await self._pages.search(asking, [INDICES[name]], body)
        hits = tokens.elements(answer["hits"]["hits"])
        if not hits:
            return 404, {"_index": name, "_id": event_id, "found": False}
        wanted = source(asking.search_body().get("_source"))
        document = shown(bytes(naming.members(bytes(hits[0]))["_source"]), wanted)
        if asking.words[1] == "_source":
            return document.get("_source", {})
        place = {"_index": name, "_id": event_id, "_version": 1, "_seq_no": 0, "_primary_term": 1}
        return {**place, "found": True, **document}

    async def _cat_indices(self, asking: Asking) -> Any:
        tenants = self._pages.tenants(asking)
        archive = self._parts.archive

        def counted(index: Index) -> int:
            return archive.count(tenants, query(every([condition(None, [index], 0)]))).count

        def work() -> list[tuple[Index, int]]:
            expression = asking.words[2] if len(asking.words) > 2 else "*"  # noqa: PLR2004
            return [(one, counted(one)) for one in each(expression, asking.choosing())]

        counts = await self._threads.run(work)
        self._noting.note_all(
            asking.request.scope, Kind.COUNTS, {}, tenants if len(tenants) == 1 else ()
        )
        return elastic_shown.cat(counts, asking)

    async def _response(self, asking: Asking, found: Any) -> Response:
        request = asking.request
        status, found = found if isinstance(found, tuple) else (200, found)
        if isinstance(found, str):
            return Response(found, status, _PRODUCT, media_type="text/plain; charset=UTF-8")
        content = b"" if request.method == "HEAD" else _ENCODE(found)
        if asking.flag("pretty") and content:
            content = await self._threads.run(lambda: _pretty(content))
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


def _pretty(content: bytes) -> bytes:
    try:
        return msgspec.json.format(content, indent=2) + b"\n"
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return content  # What only looks odd is shown as it is.


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


def _not_served(asking: Asking) -> Rejected:
    method, path = asking.request.method, "/" + "/".join(asking.words)
    asks = not _READING.isdisjoint(asking.words[:2])
    if method in ("PUT", "POST", "DELETE", "PATCH") and not asks:
        return Rejected(
            f"blocked by: [FORBIDDEN/8/index write (api)]; an audit log is not written, changed or"
            f" deleted here: [{method} {path[:200]}]",
            kind="cluster_block_exception",
            status=403,
        )
    return Rejected(
        f"no handler found for uri [{path[:200]}] and method [{method}]: not supported by Sealog"
    )
