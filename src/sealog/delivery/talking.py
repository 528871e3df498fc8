"""One conversation in HTTP/1.1: requests go out whole, of an answer its head is kept and nothing else.

A request is one write and an answer mostly one read, so that an event costs little processor time.
Connecting is `connecting.Judged`'s, each time; raised is what httpcore raises.
"""

import asyncio
import ssl
from contextlib import suppress

import httpcore
import httptools
import msgspec

from sealog.delivery.addresses import Place
from sealog.delivery.connecting import Judged

HEAD_BYTES_MAX = 100 << 10
"""Of an answer's head, and of all that an answer announces before it."""
REST_BYTES_MAX = 64 << 10
REST_S_MAX = 2.0
"""So much of an answer, and for so long, is read and thrown away for the connection to be used
again."""

_READ_BYTES = 64 << 10
_FINAL = 200


class Answer(msgspec.Struct, frozen=True):
    """The head of an answer."""

    status: int
    headers: list[tuple[bytes, bytes]]


class Talk:
    """Requests to one place, one after the other, over one connection as long as it lasts."""

    def __init__(self, network: Judged, place: Place, trust: ssl.SSLContext) -> None:
        self._network = network
        self._place = place
        self._trust = trust
        self._stream: httpcore.AsyncNetworkStream | None = None
        self._reading = _Reading()

    async def ask(self, request: bytes) -> Answer:
        """Send a whole request; the head of what is answered. `rest` MUST follow.

        Raises `Barred`, `Unresolved`, and what httpcore raises.
        """
        stream = await self._connected()
        self._reading = reading = _Reading()
        # Some answer, and hang up, before they have read everything.
        with suppress(httpcore.WriteError):
            await stream.write(request)
        size = 0
        while not reading.has_head:
            chunk = await stream.read(_READ_BYTES)
            if not chunk:
                raise httpcore.RemoteProtocolError("Server disconnected without an answer")
            reading.feed(chunk)
            size += len(chunk)
            if size > HEAD_BYTES_MAX and not reading.has_head:
                raise httpcore.RemoteProtocolError("the head of the answer is too long")
        return Answer(reading.status, reading.headers)

    async def rest(self) -> None:
        """Read a short answer to its end; a long one ends with its connection."""
        reading, stream = self._reading, self._stream
        assert stream is not None
        if not reading.is_whole:
            left = REST_BYTES_MAX
            with suppress(TimeoutError, httpcore.NetworkError, httpcore.ProtocolError):
                async with asyncio.timeout(REST_S_MAX):
                    while left > 0 and not reading.is_whole:
                        chunk = await stream.read(_READ_BYTES)
                        if not chunk:
                            break
                        reading.feed(chunk)
                        left -= len(chunk)
        if not reading.is_reusable:
            await self.aclose()

    async def aclose(self) -> None:
        """End the connection; the next request makes another, to an address that is judged anew."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.aclose()

    async def _connected(self) -> httpcore.AsyncNetworkStream:
        stream = self._stream
        if stream is not None and stream.get_extra_info("is_readable"):
            # Nobody was asked: the other side has hung up, or speaks out of turn.
            await self.aclose()
            stream = None
        if stream is None:
            self._stream = stream = await self._network.connect_tcp(
                self._place.host, self._place.port
            )
            if self._place.scheme == "https":
                # A name may end in a dot, for the resolver; a certificate's does not.
                name = self._place.host.removesuffix(".")
                self._stream = stream = await stream.start_tls(self._trust, name)
        return stream


class _Reading:
    """What came of one answer so far. The parser calls those that begin with `on_`."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._is_spoilt = False
        self.has_head = False
        self.is_whole = False
        self.is_reusable = False
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.feed_data(chunk)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._is_spoilt, self.is_reusable = True, False
            if not self.has_head:
                raise httpcore.RemoteProtocolError("this is no answer in HTTP") from error

    def on_message_begin(self) -> None:
        if self.is_whole:
            # Another answer, and nobody asked.
            self._is_spoilt, self.is_reusable = True, False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.has_head:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self.has_head:
            return
        self.status = self._parser.get_status_code()
        if self.status < _FINAL:
            self.headers = []
        else:
            self.has_head = True

    def on_message_complete(self) -> None:
        if self.has_head and not self.is_whole:
            self.is_whole = True
            self.is_reusable = not self._is_spoilt and self._parser.should_keep_alive()
