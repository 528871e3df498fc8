"""`GET /v1/tail`: events as they become visible, as Server-Sent Events.

A tail holds one piece of events at a time, and asks for the next when its client has taken that:
whoever is slow reads the archive at its own pace, and nothing waits for it in memory. Those who are
at the same place share one reading.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from sealog.access.grants import Grant
from sealog.access.reads import Kind
from sealog.errors import Limited, Missing
from sealog.event.packs import Opened
from sealog.event.tenants import Tenant
from sealog.query.tree import Query
from sealog.server import positions, showing
from sealog.server.arrivals import Arrivals
from sealog.server.knocking import Knocker, visit_of
from sealog.server.noting import Noting
from sealog.server.parts import Parts
from sealog.server.reading import Threads, covered
from sealog.server.settings import Settings
from sealog.server.showing import NATIVE, Shape

PIECE_EVENTS = 200
RETRY_MS = 1_000
RETRY_SPREAD_MS = 4_000
"""Clients of a server that stops come back one after another, not all at once."""
FULL_RETRY_S = 30.0
LAST_WORD_S = 1.0
"""How long a client may take for what it is told at the end."""

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx would keep back what is small.
    (b"x-accel-buffering", b"no"),
]


class Piece(msgspec.Struct, frozen=True):
    """Events of one tenant as they are sent, and where the next piece begins."""

    frames: list[tuple[int, bytes]]
    """By index; without their ids, which differ from tail to tail."""
    next: int


class Pieces:
    """Reads pieces; who wants one that is being read already gets that."""

    def __init__(self, parts: Parts, threads: Threads) -> None:
        self._archive = parts.archive
        self._threads = threads
        self._reading: dict[tuple[int, int, Query, Shape], asyncio.Task[Piece]] = {}

    async def read(self, tenant: Tenant, query: Query, first: int, shape: Shape = NATIVE) -> Piece:
        """The next events of a tenant that pass, from index `first` on."""
        key = (tenant.number, first, query, shape)
        task = self._reading.get(key)
        if task is None:
            work = partial(self._read, tenant, query, first, shape)
            task = asyncio.create_task(self._threads.run(work))
            self._reading[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        # Whoever asked first may go; the others still want it.
        return await asyncio.shield(task)

    def _forget(self, key: tuple[int, int, Query, Shape], done: asyncio.Task[Piece]) -> None:
        del self._reading[key]
        if not done.cancelled():
            done.exception()  # It is told to whoever waits; where nobody does, it is told to nobody.

    def _read(self, tenant: Tenant, query: Query, first: int, shape: Shape) -> Piece:
        found = self._archive.follow(tenant, query, first, PIECE_EVENTS)
        frames = [(index, frame(index, event, shape)) for index, event in found.events]
        return Piece(frames, found.next)


def frame(index: int, opened: Opened, shape: Shape = NATIVE) -> bytes:
    """One event on one line, as `event: event`."""
    return b"event: event\ndata: " + showing.event(opened, index, shape) + b"\n\n"


class Tail:
    """What one client asked for, and where it is."""

    def __init__(
        self,
        query: Query,
        places: dict[Tenant, int],
        *,
        is_plain: bool,
        shape: Shape = NATIVE,
    ) -> None:
        self.query = query
        self.shape = shape
        self.places = places
        """Tenant → the index it goes on from."""
        self._is_plain = is_plain
        self.told = self.position
        """The last position that the client was told."""

    @property
    def position(self) -> str:
        """Where to go on after all that was looked at."""
        return positions.write(self.places, is_plain=self._is_plain)

    def taken(self, tenant: Tenant, piece: Piece) -> bytes:
        """The text of a piece; the tail is behind it from here on."""
        lines = []
        for index, line in piece.frames:
            self.places[tenant] = index + 1
            self.told = self.position
            lines.append(b"id: %b\n%b" % (self.told.encode(), line))
        self.places[tenant] = piece.next
        return b"".join(lines)

    def sign_of_life(self) -> bytes:
        """A comment; with the position, where much was looked at and nothing passed."""
        if self.position == self.told:
            return b": nothing new\n\n"
        self.told = self.position
        return b": nothing new\nid: %b\n\n" % self.told.encode()


class Tails:
    """All tails of the server; a plain ASGI application."""

    def __init__(
        self,
        parts: Parts,
        settings: Settings,
        knocker: Knocker,
        threads: Threads,
        arrivals: Arrivals,
    ) -> None:
        self._parts = parts
        self._noting = Noting(parts.reads, parts.origins)
        self._settings = settings
        self._knocker = knocker
        self._arrivals = arrivals
        self._pieces = Pieces(parts, threads)
        self._open: Counter[str] = Counter()
        self._ended = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as long as it lasts."""
        grant = self._knocker.knock(scope, "read", "export")
        tail = self._asked(Request(scope), grant)
        with self._counted(grant.key):
            self._noting.note_all(scope, Kind.TAILS, {}, tail.places)
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            if scope["method"] != "HEAD":
                await self._last(tail, scope, receive, send)
            else:
                await send({"type": "http.response.body", "body": b""})

    def _asked(self, request: Request, grant: Grant) -> Tail:
        given = visit_of(request.scope).headers.get(b"last-event-id")
        asked = positions.asked(request.query_params, given, self._parts.clocks.us())
        names = asked.tenants or positions.all_of(grant)
        places: dict[Tenant, int] = {}
        for name in names:
            # Of those that were not named, some may not be there yet.
            if asked.tenants or self._parts.tenants.get(name) is not None:
                tenant = covered(self._parts, grant, name)
                places[tenant] = self._parts.archive.visible(tenant)
        if not places:
            raise Missing("no tenant of this key is there yet", code="no-such-tenant")
        if asked.after is not None:
            places = positions.read(asked.after, list(places))
            for tenant, begin in places.items():
                positions.check_given(begin - 1, self._parts.size(tenant.number))
        return Tail(asked.query, places, is_plain=len(names) == 1, shape=asked.shape)

    @contextmanager
    def _counted(self, key: str) -> Iterator[None]:
        settings = self._settings
        if self._open[key] >= settings.tails_per_key_max:
            msg = f"a key may have {settings.tails_per_key_max} tails at once"
            raise Limited(msg, retry_after_s=FULL_RETRY_S)
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

    async def _last(self, tail: Tail, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what comes until the client goes, the key ends, the time is over or the server stops."""
        over = asyncio.get_running_loop().time() + self._settings.tail_seconds_max
        gone = asyncio.create_task(_until_gone(receive))
        try:
            with self._arrivals.listening(tail.places) as news:
                gone.add_done_callback(lambda _: news.set())
                await self._send(send, b"retry: %d\nid: %b\n\n" % (RETRY_MS, tail.told.encode()))
                while not (gone.done() or self._arrivals.ended or self._is_over(over, scope)):
                    # Cleared before we look, so that nothing can arrive between the two.
                    news.clear()
                    if not await self._send_new(tail, scope, send):
                        await self._wait(tail, news, over, send)
            self._ended += 1
            wait_ms = RETRY_MS + self._ended * 97 % RETRY_SPREAD_MS
            await self._send(send, b"retry: %d\n\n" % wait_ms, more=False)
        except TimeoutError as error:
            # It takes nothing any more: the place is somebody else's.
            raise ClientDisconnect from error
        finally:
            gone.cancel()

    def _is_over(self, over: float, scope: Scope) -> bool:
        grant = visit_of(scope).grant
        assert grant is not None
        return asyncio.get_running_loop().time() >= over or not self._parts.keys.is_valid(grant)

    async def _send_new(self, tail: Tail, scope: Scope, send: Send) -> bool:
        """Send the next piece of every tenant that has one; False where none has."""
        is_behind = False
        for tenant, first in list(tail.places.items()):
            if self._parts.archive.visible(tenant) > first:
                is_behind = True
                piece = await self._pieces.read(tenant, tail.query, first, tail.shape)
                text = tail.taken(tenant, piece)
                if text:
                    indexes = [index for index, _ in piece.frames]
                    self._noting.note(scope, tenant, Kind.TAILS, indexes)
                    await self._send(send, text)
        return is_behind

    async def _wait(self, tail: Tail, news: asyncio.Event, over: float, send: Send) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(min(loop.time() + self._settings.tail_quiet_s, over)):
                await news.wait()
        except TimeoutError:
            await self._send(send, tail.sign_of_life())

    async def _send(self, send: Send, text: bytes, *, more: bool = True) -> None:
        """Give the client something; raises `TimeoutError` where it does not take it in time."""
        within_s = self._settings.tail_stalled_s if more else LAST_WORD_S
        async with asyncio.timeout(within_s):
            await send({"type": "http.response.body", "body": text, "more_body": more})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
