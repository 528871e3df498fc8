"""The outermost layer: names each request, lets nothing out but answers and problem documents."""

import re
import traceback
from collections.abc import Callable, Mapping

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sealog.access.reads import Origin
from sealog.errors import Corrupt, SealogError
from sealog.server import problems
from sealog.server.knocking import Visit
from sealog.server.parts import Parts
from sealog.server.watching import Metrics

ROUTE_UNKNOWN = "(none)"

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_SNIFF = (b"x-content-type-options", b"nosniff")

_log = structlog.get_logger("sealog.server")


class Door:
    """A pure ASGI application around another.

    `quick`: (method, path) → an application that is asked without any routing, and its route's
    template: for what is asked most. `end`: lets go whoever waits for news.
    """

    def __init__(
        self,
        app: ASGIApp,
        parts: Parts,
        metrics: Metrics,
        quick: Mapping[tuple[str, str], tuple[ASGIApp, str]],
        end: Callable[[], None] = lambda: None,
    ) -> None:
        self.end = end
        """Called in the event loop when the server stops: what waits is answered at once."""
        self._app = app
        self._quick = quick
        self._metrics = metrics
        self._origins = parts.origins
        self._clock_s = parts.clocks.monotonic_s
        # Unique without asking the system for random bytes each time.
        self._prefix = parts.randomness(8).hex()
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event; see the ASGI specification."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = self._clock_s()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        visit = scope["sealog"] = Visit(self._name(headers.get(b"x-request-id")), headers)
        method: str = scope["method"]
        quick = self._quick.get((method, scope["path"]))
        status = 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                named = (b"x-request-id", visit.request_id.encode("ascii"))
                message["headers"] = [*message["headers"], named, _NO_SNIFF, *visit.more]
            await send(message)

        try:
            if quick is None:
                await self._app(scope, receive, send_on)
            else:
                await quick[0](scope, receive, send_on)
        except ClientDisconnect:
            pass  # Nobody is left to answer, and nothing of an unfinished body was used.
        except Exception as error:  # noqa: BLE001 - the last layer: the message may hold what was sent
            answer = _answer(error, scope, visit, self._origins.of(scope))
            # Once an answer has begun it cannot be taken back: it ends short, the server closes.
            if not status:
                await answer(scope, receive, send_on)
        route = quick[1] if quick is not None else _route(scope)
        known = method if method in _METHODS else "(other)"
        self._metrics.answered(route, known, status, self._clock_s() - begun)

    def _name(self, given: bytes | None) -> str:
        if given is not None and _REQUEST_ID.fullmatch(given) is not None:
            return given.decode("ascii")
        self._count += 1
        return f"{self._prefix}-{self._count:x}"


def _answer(error: Exception, scope: Scope, visit: Visit, origin: Origin) -> Response:
    instance = scope["path"]
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]  # What broke in a task group of the framework.
    if isinstance(error, SealogError) and not isinstance(error, Corrupt):
        return problems.of_error(error, instance, visit.request_id)
    _log.error(
        "request failed",
        request_id=visit.request_id,
        method=scope["method"],
        route=_route(scope),
        client=origin.client,
        peer=origin.peer,
        error=type(error).__name__,
        # What is damaged is named by file and index; other messages may quote what was sent.
        detail=str(error) if isinstance(error, Corrupt) else None,
        where=[
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ],
    )
    return problems.internal(instance, visit.request_id)


def _route(scope: Scope) -> str:
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else ROUTE_UNKNOWN
