"""Bodies read with a limit: what is too large is refused before it is held in memory."""

import asyncio
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from sealog.errors import Busy, Refused, TooLarge
from sealog.server.settings import Settings


class Bodies:
    """Reads the bodies of all requests; knows how much of them is on its way in."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._held = 0

    async def read(self, receive: Receive, declared: bytes | None) -> bytes:
        """The whole body. `declared` is the `Content-Length`, if there is one.

        Raises `TooLarge` past `body_bytes_max`, `Busy` when too much is on its way in already,
        `Refused` for a sender that takes too long, and `ClientDisconnect` for one that is gone: a
        body that did not arrive whole MUST NOT be used.
        """
        limit = self._settings.body_bytes_max
        if declared is not None and declared.isdigit() and int(declared) > limit:
            raise _too_large(limit)
        message = await receive()
        # Small bodies come in one message: nothing is counted, nothing is copied.
        if not message.get("more_body"):
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body: bytes = message.get("body", b"")
            if len(body) > limit:
                raise _too_large(limit)
            return body
        try:
            async with asyncio.timeout(self._settings.body_seconds_max):
                return await self._rest(receive, message.get("body", b""))
        except TimeoutError as error:
            raise Refused("the body did not arrive in time", code="too-slow") from error

    async def _rest(self, receive: Receive, first: bytes) -> bytes:
        chunks: list[bytes] = []
        held = 0
        chunk, more = first, True
        try:
            while True:
                held += len(chunk)
                self._held += len(chunk)
                if held > self._settings.body_bytes_max:
                    raise _too_large(self._settings.body_bytes_max)
                if self._held > self._settings.bodies_bytes_max:
                    raise Busy("too many bytes are on their way in")
                chunks.append(chunk)
                if not more:
                    return b"".join(chunks)
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunk, more = message.get("body", b""), message.get("more_body", False)
        finally:
            self._held -= held


async def read_object(request: Request, limit: int) -> dict[str, Any]:
    """A small body, which is one JSON object. Raises `Refused` and `TooLarge`."""
    chunks = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"a body here is at most {limit} bytes", code="body-too-large")
        chunks.append(chunk)
    try:
        return msgspec.json.decode(b"".join(chunks), type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused("the body is one JSON object", code="not-json") from error


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"a body is at most {limit} bytes as sent", code="body-too-large")
