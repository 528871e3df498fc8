"""Streams: making them, changing them, seeing how they are, and what they parked.

Whoever makes a stream sends a tenant's events somewhere: that needs `admin` and `export` both.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from sealog.access.grants import Grant
from sealog.delivery.destination import DELIVERED, Parsed, Verdict
from sealog.delivery.opening import Delivery
from sealog.delivery.services import is_of_settings
from sealog.delivery.stream import Stream
from sealog.delivery.streams import Made, no_stream
from sealog.delivery.wishes import Wish, check_members, index_of, read
from sealog.errors import Busy, Conflict, Forbidden, Refused
from sealog.event.ids import check_tenant
from sealog.event.tenants import Tenant
from sealog.query.tree import Query
from sealog.server import asking, statuses
from sealog.server.bodies import read_object
from sealog.server.knocking import Knocker
from sealog.server.parts import Parts
from sealog.server.problems import BadParameter
from sealog.server.reading import Threads, covered
from sealog.server.settings import Settings
from sealog.server.streamed import SHOWN_BESIDE, bad, place_of, shown, time_text, version_of

PATH = "/v1/streams"
OF_FILTERS = asking.FILTERS
INDEXES_MAX = 1_000
SLOW_AT_ONCE = 4
"""Checks and changes wait for the world outside: in threads of their own, or searching would too."""

_ENCODE = msgspec.json.Encoder().encode
_JSON = "application/json"


class Streaming:
    """The routes of streams."""

    def __init__(
        self, parts: Parts, settings: Settings, knocker: Knocker, threads: Threads
    ) -> None:
        self._parts = parts
        self._settings = settings
        self._knocker = knocker
        self._threads = threads
        self._checks, self._changes = Threads(SLOW_AT_ONCE), Threads(SLOW_AT_ONCE)

    def routes(self, plain: Callable[..., BaseRoute]) -> list[BaseRoute]:
        """All of them; the first that fits is taken."""
        one = PATH + "/{id}"
        posts = {
            "/check": self.check_new,
            "/estimate": self.estimate,
            "/{id}/pause": self.pause,
            "/{id}/resume": self.resume,
            "/{id}/replay": self.replay,
            "/{id}/check": self.check,
            "/{id}/rotate": self.rotate,
            "/{id}/parked/retry": self.retry,
            "/{id}/parked/drop": self.drop,
        }
        return [
            plain(PATH, self.all, methods=["GET", "POST"]),
            *[plain(PATH + path, endpoint, methods=["POST"]) for path, endpoint in posts.items()],
            plain(one + "/parked", self.parked, methods=["GET"]),
            plain(one, self.one, methods=["GET", "PUT", "DELETE"]),
        ]

    @property
    def _delivery(self) -> Delivery:
        delivery = self._parts.delivery
        if delivery is None:
            raise Busy("streams run while a server runs")
        return delivery

    async def all(self, request: Request) -> Response:
        """`/v1/streams`: make one, or see those that there are."""
        return await (self.create if request.method == "POST" else self.streams)(request)

    async def one(self, request: Request) -> Response:
        """`/v1/streams/{id}`: see how one is, change it, or delete it."""
        ways = {"PUT": self.change, "DELETE": self.remove}
        return await ways.get(request.method, self.stream)(request)

    async def create(self, request: Request) -> Response:
        """`POST /v1/streams`: make a stream."""
        grant = self._knock(request)
        body = await self._body(request)
        tenant = self._tenant(grant, body)
        more = {name: body.pop(name, None) for name in ("from", "paused")}
        if more["paused"] not in (None, True, False):
            raise bad("paused is true or false", "/paused")
        actor = self._actor(request, grant)

        def work() -> bytes:
            first = self._first(tenant, more["from"])
            wish = self._wish(body, None)
            streams = self._delivery.streams
            made = streams.create(tenant, wish, first, actor, paused=bool(more["paused"]))
            return self._made(made)

        content = await self._changes.run(work)
        stream_id = msgspec.json.decode(content)["id"]
        headers = {"Location": f"{PATH}/{stream_id}", "ETag": '"1"'}
        return Response(content, statuses.CREATED, headers=headers, media_type=_JSON)

    async def streams(self, request: Request) -> Response:
        """`GET /v1/streams`: the streams of the key's tenants, in the order they were made."""
        grant = self._knocker.knock(request.scope, "admin", "export")
        params = request.query_params
        asking.check_names(params, {"tenant", "limit", "cursor"})
        settings = self._settings
        most = asking.number(params, "limit", settings.page_default, settings.page_max, least=1)
        only = None
        if "tenant" in params:
            only = covered(self._parts, grant, check_tenant(params["tenant"])).number

        def work() -> bytes:
            found = [
                stream
                for stream in self._delivery.streams.all()
                if self._covers(grant, stream) and only in (None, stream.tenant)
            ]
            names = [stream.id for stream in found]
            cursor = params.get("cursor")
            if cursor is not None:
                found = found[names.index(cursor) + 1 :] if cursor in names else []
            listed = [self._shown(stream, grant) for stream in found[:most]]
            following = found[most - 1].id if len(found) > most else None
            return _ENCODE({"streams": listed, "next_cursor": following})

        return Response(await self._threads.run(work), media_type=_JSON)

    async def stream(self, request: Request) -> Response:
        """`GET /v1/streams/{id}`: how one is."""
        grant = self._knocker.knock(request.scope, "admin", "export")
        asking.check_names(request.query_params, ())
        return await self._answered(request, grant, lambda stream: stream)

    async def change(self, request: Request) -> Response:
        """`PUT /v1/streams/{id}`: want something else of it."""
        grant = self._knock(request)
        body = await self._body(request)
        version = version_of(request, body)
        actor = self._actor(request, grant)

        def work() -> tuple[bytes, int]:
            stream = _own(self._found(request, grant))
            self._same_tenant(stream, body)
            wish = self._wish(body, stream.destination)
            made = self._delivery.streams.change(stream.id, wish, version, actor)
            return self._made(made), made.stream.version

        content, now = await self._changes.run(work)
        return Response(content, headers={"ETag": f'"{now}"'}, media_type=_JSON)

    async def remove(self, request: Request) -> Response:
        """`DELETE /v1/streams/{id}`: forget it."""
        grant = self._knock(request)
        actor = self._actor(request, grant)

        def work() -> None:
            self._delivery.streams.delete(_own(self._found(request, grant)).id, actor)

        await self._changes.run(work)
        return Response(status_code=statuses.NO_CONTENT)

    async def pause(self, request: Request) -> Response:
        """`POST /v1/streams/{id}/pause`: send nothing until it is resumed."""
        grant = self._knock(request)
        actor = self._actor(request, grant)
        pause = self._delivery.streams.pause
        return await self._answered(request, grant, lambda stream: pause(stream.id, actor))

    async def resume(self, request: Request) -> Response:
        """`POST /v1/streams/{id}/resume`: send again, at once."""
        grant = self._knock(request)
        actor = self._actor(request, grant)
        resume = self._delivery.streams.resume
        return await self._answered(request, grant, lambda stream: resume(stream.id, actor))

    async def replay(self, request: Request) -> Response:
        """`POST /v1/streams/{id}/replay`: go on from another index, or time."""
        grant = self._knock(request)
        body = await self._body(request)
        check_members(body, ("from",), "")
        index, at_us = place_of(body.get("from"))
        actor = self._actor(request, grant)
        replay = self._delivery.streams.replay
        return await self._answered(
            request, grant, lambda stream: replay(stream.id, index, at_us, actor)
        )

    async def check_new(self, request: Request) -> Response:
        """`POST /v1/streams/check`: send a test record before there is a stream."""
        grant = self._knock(request)
        body = await self._body(request)
        tenant = self._tenant(grant, body)
        return await self._checked(lambda: (tenant, self._wish(body, None)))

    async def check(self, request: Request) -> Response:
        """`POST /v1/streams/{id}/check`: send a test record to its destination."""
        grant = self._knock(request)

        def found() -> tuple[Tenant, Wish]:
            stream = self._found(request, grant)
            tenant = self._parts.tenants.numbered(stream.tenant)
            assert tenant is not None
            return tenant, Wish(stream.wanted, stream.destination)

        return await self._checked(found)

    async def rotate(self, request: Request) -> Response:
        """`POST /v1/streams/{id}/rotate`: a new signing secret; the old one signs beside it a while."""
        grant = self._knock(request)
        actor = self._actor(request, grant)

        def work() -> bytes:
            stream = self._found(request, grant)
            body = {**stream.wanted.destination, "rotate": True}
            parsed = self._delivery.destination(body, stream.destination)
            wanted = msgspec.structs.replace(stream.wanted, destination=parsed.shown)
            wish = Wish(wanted, parsed)
            return self._made(self._delivery.streams.change(stream.id, wish, stream.version, actor))

        return Response(await self._changes.run(work), media_type=_JSON)

    async def estimate(self, request: Request) -> Response:
        """`POST /v1/streams/estimate`: how much a stream like this would send in a day."""
        grant = self._knock(request)
        body = await self._body(request)
        tenant = self._tenant(grant, body)

        def work() -> bytes:
            return _ENCODE(self._delivery.streams.estimate(tenant, self._wish(body, None)))

        return Response(await self._threads.run(work), media_type=_JSON)

    async def parked(self, request: Request) -> Response:
        """`GET /v1/streams/{id}/parked`: what its destination refused for good."""
        grant = self._knocker.knock(request.scope, "admin", "export")
        params = request.query_params
        asking.check_names(params, {"limit", "cursor"})
        settings = self._settings
        most = asking.number(params, "limit", settings.page_default, settings.page_max, least=1)
        after = asking.number(params, "cursor", -1, asking.INDEX_MAX, least=-1)

        def work() -> bytes:
            stream = self._found(request, grant)
            found = self._delivery.streams.parked(stream.id, after, most + 1)
            listed = [
                {
                    "index": one.index,
                    "at": time_text(one.at_us),
                    "attempts": one.attempts,
                    "reason": one.reason,
                }
                for one in found[:most]
            ]
            following = str(found[most - 1].index) if len(found) > most else None
            return _ENCODE({"parked": listed, "next_cursor": following})

        return Response(await self._threads.run(work), media_type=_JSON)

    async def retry(self, request: Request) -> Response:
        """`POST /v1/streams/{id}/parked/retry`: send parked records again."""
        return await self._of_parked(request, "retried", lambda: self._delivery.streams.retry)

    async def drop(self, request: Request) -> Response:
        """`POST /v1/streams/{id}/parked/drop`: give parked records up."""
        return await self._of_parked(request, "dropped", lambda: self._delivery.streams.drop)

    async def _of_parked(
        self, request: Request, name: str, act: Callable[[], Callable[[str, list[int] | None], int]]
    ) -> Response:
        grant = self._knock(request)
        body = await self._body(request)
        check_members(body, ("indexes",), "")
        indexes = body.get("indexes")
        if indexes is not None:
            if not isinstance(indexes, list) or not 0 < len(indexes) <= INDEXES_MAX:
                raise bad(f"indexes is a list of 1 to {INDEXES_MAX}", "/indexes")
            indexes = [index_of(one, f"/indexes/{n}") for n, one in enumerate(indexes)]

        def work() -> int:
            return act()(self._found(request, grant).id, indexes)

        return Response(_ENCODE({name: await self._changes.run(work)}), media_type=_JSON)

    async def _checked(self, found: Callable[[], tuple[Tenant, Wish]]) -> Response:
        def work() -> Verdict:
            return self._delivery.streams.check(*found())

        verdict = await self._checks.run(work)
        answer: dict[str, Any] = {"taken": verdict.outcome == DELIVERED.outcome}
        if not answer["taken"]:
            answer["error"] = {"kind": verdict.kind, "reason": verdict.reason}
        return Response(_ENCODE(answer), media_type=_JSON)

    async def _answered(
        self, request: Request, grant: Grant, act: Callable[[Stream], Stream]
    ) -> Response:
        def work() -> tuple[bytes, int]:
            stream = act(self._found(request, grant))
            return _ENCODE(self._shown(stream, grant)), stream.version

        threads = self._threads if request.method == "GET" else self._changes
        content, version = await threads.run(work)
        return Response(content, headers={"ETag": f'"{version}"'}, media_type=_JSON)

    def _knock(self, request: Request) -> Grant:
        """The grant of a request that changes something."""
        grant = self._knocker.knock(request.scope, "admin")
        if not grant.may("export"):
            detail = "a stream gives events out: the key needs the scope export beside admin"
            raise Forbidden(detail, code="missing-scope")
        return grant

    def _actor(self, request: Request, grant: Grant) -> Mapping[str, Any]:
        return self._parts.recorder.actor(grant, self._parts.origins.of(request.scope))

    async def _body(self, request: Request) -> dict[str, Any]:
        asking.check_names(request.query_params, ())
        return await read_object(request, self._settings.form_bytes_max)

    def _tenant(self, grant: Grant, body: dict[str, Any]) -> Tenant:
        name: object = body.pop("tenant", grant.only)
        if not isinstance(name, str):
            raise Refused("name the tenant", code="no-tenant", pointer="/tenant")
        return covered(self._parts, grant, check_tenant(name))

    def _same_tenant(self, stream: Stream, body: dict[str, Any]) -> None:
        """What was shown can be sent back, the parts of it that are not wishes included."""
        named = body.pop("tenant", None)
        tenant = self._parts.tenants.numbered(stream.tenant)
        if named is not None and (tenant is None or named != tenant.name):
            raise bad("a stream stays its tenant's", "/tenant")
        for name in SHOWN_BESIDE:
            body.pop(name, None)

    def _wish(self, body: Mapping[str, Any], before: Parsed | None) -> Wish:
        return read(body, self._filter, partial(self._delivery.destination, before=before))

    def _filter(self, asked: Mapping[str, Any]) -> Query:
        unknown = sorted(asked.keys() - OF_FILTERS)
        if unknown:
            known = ", ".join(sorted(OF_FILTERS))
            odd = unknown[0][:100]
            raise BadParameter(odd, f"there is no {odd!r}; known are {known}", pointer=f"/{odd}")
        return asking.asked_in_body(asked, self._parts.clocks.us())

    def _first(self, tenant: Tenant, asked: object) -> int | None:
        """The index that a new stream begins with; None for what comes from now on."""
        if asked in (None, "now"):
            return None
        index, at_us = place_of(asked)
        if index is None:
            assert at_us is not None
            index = self._delivery.streams.index_since(tenant, at_us)
        return index

    def _found(self, request: Request, grant: Grant) -> Stream:
        stream = self._delivery.streams.get(request.path_params["id"])
        if stream is None or not self._covers(grant, stream):
            raise no_stream()
        return stream

    def _covers(self, grant: Grant, stream: Stream) -> bool:
        tenant = self._parts.tenants.numbered(stream.tenant)
        return tenant is not None and grant.covers(tenant.name)

    def _made(self, made: Made) -> bytes:
        answer = self._shown(made.stream)
        if made.told:
            answer["told_once"] = made.told
        return _ENCODE(answer)

    def _shown(self, stream: Stream, grant: Grant | None = None) -> dict[str, Any]:
        whole = grant is None or (grant.may("admin") and grant.may("export"))
        return shown(stream, self._delivery.streams, self._parts.tenants, whole=whole)


def _own(stream: Stream) -> Stream:
    """One that is changed here: the service of a tenant's settings is changed there."""
    if is_of_settings(stream.id):
        detail = "this stream is the service of the tenant's settings: change it there"
        raise Conflict(detail, code="of-settings")
    return stream
