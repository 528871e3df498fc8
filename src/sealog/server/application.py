"""The API as one ASGI application, joined from its routes."""

from collections.abc import Sequence
from functools import cache
from importlib import metadata

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Lifespan, Scope

from sealog.errors import Corrupt, SealogError
from sealog.server import contract, problems
from sealog.server.administering import Administering
from sealog.server.bodies import Bodies
from sealog.server.choosing import RETENTION, SETTINGS, Choosing
from sealog.server.clocking import Clocking
from sealog.server.counting import Counting
from sealog.server.door import Door
from sealog.server.exporting import PATH as EXPORTS
from sealog.server.exporting import Exporting
from sealog.server.ingesting import NATIVE, PREFIX, Ingest
from sealog.server.knocking import Knocker, visit_of
from sealog.server.logs import Logs
from sealog.server.operations import Described
from sealog.server.parts import Parts
from sealog.server.problems import Fault
from sealog.server.reading import Reading, Threads
from sealog.server.settings import Settings
from sealog.server.streaming import Streaming
from sealog.server.tailing import Tails
from sealog.server.watching import Metrics, Watching


def build(
    parts: Parts,
    settings: Settings | None = None,
    *,
    lifespan: Lifespan[FastAPI] | None = None,
    more: Sequence[BaseRoute] = (),
    described: Described = Described(),  # noqa: B008 - it is frozen
) -> Door:
    """The application to serve.

    `more`: routes of other rooms, behind the same door; `described`: what those are.
    """
    settings = settings or Settings()
    knocker = Knocker(parts.keys, parts.limits, parts.clocks.monotonic_s)
    threads = Threads(settings.reading_threads)
    metrics = Metrics(parts.registry)
    ingest = Ingest(parts.intake, knocker, Bodies(settings), metrics)
    app = FastAPI(
        title="Sealog",
        version=metadata.version("sealog"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        strict_content_type=False,
        # It would carry messages of exceptions, which may quote what was sent, out of here.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        exception_handlers={
            SealogError: _failed,
            HTTPException: _http,
            RequestValidationError: _invalid,
            Exception: _internal,
        },
    )
    app.router.routes.append(Plain(PREFIX + "{dialect}", ingest, methods=["POST"]))
    reading = Reading(parts, settings, knocker, threads)
    tails = Tails(parts, settings, knocker, threads, reading.arrivals)
    app.router.routes.append(Plain("/v1/tail", tails, methods=["GET"]))
    app.router.routes.extend(_routes(parts, reading, Logs(parts, knocker, threads)))
    app.router.routes.extend(_counts(Counting(parts, knocker, threads)))
    app.router.routes.extend(_exports(Exporting(parts, settings, knocker, threads)))
    app.router.routes.extend(Streaming(parts, settings, knocker, threads).routes(Plain))
    app.router.routes.extend(_choices(Choosing(parts, settings, knocker, threads)))
    app.include_router(Administering(parts, settings, knocker, threads).router())
    app.include_router(Clocking(parts, settings, knocker, threads).router())
    # Made when first asked for: it takes longer than all the rest.
    document = cache(lambda: contract.text(contract.document(app, settings, described)))

    async def openapi(_request: Request) -> Response:
        return Response(document(), media_type="application/json")

    app.router.routes.append(Plain("/openapi.json", openapi))
    app.router.routes.extend(more)
    quick = {("POST", "/v1/events"): (ingest, "/v1/events")} | {
        ("POST", PREFIX + dialect): (ingest, PREFIX + "{dialect}")
        for dialect in {NATIVE, *parts.catalog}
    }
    return Door(app, parts, metrics, quick, end=reading.arrivals.end)


class Plain(Route):
    """A Starlette route that leaves its template where metrics find it, as FastAPI's do."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See Starlette."""
        match, child = super().matches(scope)
        if match is not Match.NONE:
            child["route"] = self
        return match, child


def _routes(parts: Parts, reading: Reading, logs: Logs) -> list[BaseRoute]:
    """The plain routes. The first that fits is taken; the longer of two that begin alike first."""
    watching = Watching(parts)
    event = "/v1/tenants/{tenant}/events/{index}"
    return [
        # POST is named for `Allow` alone: the door passes it to ingest, past all routing.
        Plain("/v1/events", reading.search, methods=["GET", "POST"]),
        Plain("/v1/events/{id:path}", reading.by_id),
        Plain("/v1/feed", reading.feed),
        Plain(event, reading.by_index),
        Plain(event + "/proof", logs.proof),
        Plain("/v1/tenants/{tenant}/consistency", logs.consistency),
        Plain("/logs/{log_id}/{resource:path}", logs.resource),
        Plain("/healthz", watching.healthz),
        Plain("/readyz", watching.readyz),
        Plain("/metrics", watching.metrics),
    ]


def _counts(counting: Counting) -> list[BaseRoute]:
    return [
        Plain("/v1/count", counting.count, methods=["GET"]),
        Plain("/v1/facets", counting.facets, methods=["GET"]),
        Plain("/v1/histogram", counting.histogram, methods=["GET"]),
    ]


def _exports(exporting: Exporting) -> list[BaseRoute]:
    one = EXPORTS + "/{id}"
    return [
        Plain(EXPORTS, exporting.all, methods=["GET", "POST"]),
        Plain(one, exporting.one, methods=["GET", "DELETE"]),
        Plain(one + "/content", exporting.content, methods=["GET"]),
    ]


def _choices(choosing: Choosing) -> list[BaseRoute]:
    return [
        Plain(SETTINGS, choosing.settings, methods=["GET", "PUT"]),
        Plain(SETTINGS + "/history", choosing.settings_history, methods=["GET"]),
        Plain(RETENTION, choosing.retention, methods=["GET", "PUT"]),
        Plain(RETENTION + "/history", choosing.retention_history, methods=["GET"]),
    ]


async def _failed(request: Request, error: Exception) -> Response:
    if not isinstance(error, SealogError) or isinstance(error, Corrupt):
        raise error  # The door writes it down.
    return problems.of_error(error, request.url.path, visit_of(request.scope).request_id)


async def _internal(request: Request, _error: Exception) -> Response:
    """The error goes on to the door, which writes it down."""
    return problems.internal(request.url.path, visit_of(request.scope).request_id)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problems.of_http(error, request.url.path, visit_of(request.scope).request_id)


_NO_OBJECT = ("model_attributes_type", "json_invalid")
_OBJECT = "the body is one JSON object, sent as Content-Type: application/json"


async def _invalid(request: Request, error: Exception) -> Response:
    """What pydantic says of a value, without the value."""
    assert isinstance(error, RequestValidationError)
    faults = []
    for one in error.errors():
        where, *steps = one["loc"]
        if one["type"] in _NO_OBJECT and where == "body":
            fault = Fault("", one["type"], _OBJECT)
        elif where == "body":
            fault = Fault(problems.pointer_of(steps), one["type"], one["msg"])
        else:
            fault = Fault("", one["type"], one["msg"], ".".join(map(str, steps)))
        faults.append(fault)
    return problems.of_invalid(faults, request.url.path, visit_of(request.scope).request_id)
