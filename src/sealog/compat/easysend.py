"""`GET /player/api/get-security-logs`, as EasySend documents it (ES-11, ES-20 to ES-35).

Counted first, because the head says how many logs and pages there are, then written page by page
from the same snapshot. Nothing is held but what is under way: a client that is slow is waited for, a
batch at a time, in no thread. After 55 seconds an answer is broken off in the middle of its chunks,
so that no client takes it for whole; a range that would come to that is refused instead.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.routing import BaseRoute
from starlette.types import Message, Receive, Scope, Send

from sealog.access.reads import Kind
from sealog.compat import easysend_asking, easysend_pages, easysend_problems
from sealog.compat.easysend_asking import Asked
from sealog.compat.easysend_keys import HEADER, Gate, own_key
from sealog.compat.easysend_pages import Lines
from sealog.compat.easysend_preparing import Archive, Preparing, Ready, Term, nothing
from sealog.compat.easysend_splits import Split
from sealog.errors import Busy, Corrupt, SealogError
from sealog.event.tenants import Tenant
from sealog.server import statuses
from sealog.server.application import Plain
from sealog.server.knocking import Header, Knocker, visit_of
from sealog.server.noting import Noting
from sealog.server.parts import Parts
from sealog.server.reading import Threads

PATH = "/player/api/get-security-logs"
PREPARING_AT_ONCE = 2
WRITING_AT_ONCE = 4
OPEN_MAX = 64
"""Answers under way; one more is told to come back."""
FULL_RETRY_S = 10.0

_log = structlog.get_logger("sealog.compat")


class Settings(msgspec.Struct, frozen=True):
    """What is served here, and for how long."""

    tenant: str = "easysend"
    """Whose logs the documented key reads."""
    api_key_file: Path | None = None
    """Holds that key, unless the variable does."""
    seconds_max: float = 55.0


def routes(
    parts: Parts,
    archive: Archive,
    settings: Settings,
    lines: Lines,
    variable: str | None = None,
) -> list[BaseRoute]:
    """The one route, to be served behind the door.

    `lines` writes logs in EasySend's shape; `variable`: what the environment has under
    `easysend_keys.VARIABLE`. Raises `Misconfigured` for a key that is none.
    """
    gate = Gate(parts.keys, settings.tenant, own_key(variable, settings.api_key_file))
    preparing = Preparing(archive, lines, parts.clocks.monotonic_s, settings.seconds_max)
    served = SecurityLogs(parts, gate, preparing, settings.seconds_max)
    route = Plain(PATH, served, methods=["GET"])
    # Starlette adds HEAD, which would do all the work for nothing.
    route.methods = {"GET"}
    return [route]


class SecurityLogs:
    """The route, as an ASGI application. Used from one event loop."""

    def __init__(self, parts: Parts, gate: Gate, preparing: Preparing, seconds_max: float) -> None:
        self._tenants = parts.tenants
        self._clocks = parts.clocks
        self._gate = gate
        self._preparing = preparing
        self._seconds_max = seconds_max
        self._knocker = Knocker(parts.keys, parts.limits, parts.clocks.monotonic_s)
        self._noting = Noting(parts.reads, parts.origins)
        # Counting may take long: pages of others do not wait for it.
        self._counters = Threads(PREPARING_AT_ONCE)
        self._writers = Threads(WRITING_AT_ONCE)
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; see the ASGI specification."""
        term = Term(self._clocks.monotonic_s, self._seconds_max)
        request_id = visit_of(scope).request_id
        try:
            with self._place(), _watched(receive, term):
                tenant, found = await self._found(scope, term)
                if term.is_gone:
                    raise ClientDisconnect
                if isinstance(found, Ready):
                    if tenant is not None:
                        self._noting.note(scope, tenant, Kind.COMPAT, found.ends, found.count)
                    await self._send(found, term, request_id, send)
                    return
            response = easysend_problems.of_split(found, self._seconds_max, PATH, request_id)
        except SealogError as error:
            if isinstance(error, Corrupt):
                raise  # The door writes it down.
            response = easysend_problems.of_error(error, PATH, request_id)
        await response(scope, receive, send)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._open >= OPEN_MAX:
            raise Busy(f"{OPEN_MAX} answers are under way", retry_after_s=FULL_RETRY_S)
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    async def _found(self, scope: Scope, term: Term) -> tuple[Tenant | None, Ready | Split]:
        """Whose logs they are, and what there is of them. Raises kinds of `Refused`."""
        tenant, asked = self._asked(scope)
        if tenant is None:
            return None, nothing()
        found = await self._counters.run(lambda: self._preparing.prepare(tenant, asked, term))
        return tenant, found

    def _asked(self, scope: Scope) -> tuple[Tenant | None, Asked]:
        """Of a key that is right the tenant is None until there is one."""
        grant = self._gate.grant(visit_of(scope).headers.get(HEADER))
        self._knocker.admit(scope, grant)
        name = self._gate.tenant(grant)
        asked = easysend_asking.read(Request(scope).query_params, self._clocks.us())
        return self._tenants.get(name), asked

    async def _send(self, found: Ready, term: Term, request_id: str, send: Send) -> None:
        """The whole answer; or where its time is over, or something is damaged, what there was.

        What is broken off MUST NOT be ended: without its last chunk it is an error to every client.
        """
        try:
            await _within(term, send, _head(found))
            while not term.is_gone:
                following = await self._writers.run(lambda: next(found.body, None))
                if following is None:
                    await _within(term, send, _chunk(b"", more=False))
                    return
                await _within(term, send, _chunk(following.text))
        except (TimeoutError, SealogError) as error:
            is_damage = isinstance(error, Corrupt)
            tell = _log.error if is_damage else _log.warning
            detail = str(error) if is_damage else type(error).__name__
            tell("answer broken off", request_id=request_id, route=PATH, detail=detail)
        raise ClientDisconnect


def _head(found: Ready) -> Message:
    headers: list[Header] = [
        (b"content-type", b"application/json"),
        (b"cache-control", b"no-store"),
        # nginx would keep pages back.
        (b"x-accel-buffering", b"no"),
        (b"number-of-pages", b"%d" % easysend_pages.pages_of(found.count)),
        (b"number-of-results", b"%d" % found.count),
        (b"sealog-tree-size", b"%d" % found.end),
    ]
    if found.ends:
        headers.append((b"sealog-first-index", b"%d" % found.ends[0]))
        headers.append((b"sealog-last-index", b"%d" % found.ends[1]))
    return {"type": "http.response.start", "status": statuses.OK, "headers": headers}


def _chunk(text: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": text, "more_body": more}


async def _within(term: Term, send: Send, message: Message) -> None:
    """Send, and wait for whoever is slow; raises `TimeoutError` where the time is over."""
    left_s = term.left_s()
    if left_s <= 0:
        raise TimeoutError
    async with asyncio.timeout(left_s):
        await send(message)


@contextmanager
def _watched(receive: Receive, term: Term) -> Iterator[None]:
    """Let the term know when its client goes."""

    async def until_gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        term.is_gone = True

    watching = asyncio.create_task(until_gone())
    try:
        yield
    finally:
        watching.cancel()
