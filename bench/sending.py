"""A client that costs little itself: requests prepared beforehand, answers only counted.

It runs in this process, never in the server's.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import cast
from urllib.parse import urlsplit

import uvloop


class Requests:
    """Requests as bytes, ready to be written, for one key."""

    def __init__(self, url: str, key: str) -> None:
        where = urlsplit(url)
        self.address = (where.hostname or "", where.port or 80)
        self._head = f"Host: {where.netloc}\r\nAuthorization: Bearer {key}\r\n"

    def post(self, path: str, body: bytes) -> bytes:
        head = f"POST {path} HTTP/1.1\r\n{self._head}Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    def get(self, path: str) -> bytes:
        return f"GET {path} HTTP/1.1\r\n{self._head}\r\n".encode()


class Connection(asyncio.Protocol):
    """Takes the next request when the answer to the last is whole, until there are none."""

    def __init__(self, requests: Iterator[bytes | float], took_s: list[float]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._took_s = took_s
        self._held = bytearray()
        self._size = 0
        self._begun = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._held += data
        if not self._size:
            end = self._held.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._held[:end]).lower()
            if not head.startswith(b"http/1.1 200"):
                self.done.set_exception(RuntimeError(bytes(self._held[:2000]).decode()))
                return
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
            self._size = end + 4 + int(length)
        if len(self._held) >= self._size:
            self._took_s.append(time.perf_counter() - self._begun)
            del self._held[: self._size]
            self._size = 0
            self._next()

    def _next(self) -> None:
        assert self._transport is not None
        request = next(self._requests, None)
        if isinstance(request, float):
            asyncio.get_running_loop().call_later(request, self._next)
            return
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._begun = time.perf_counter()
        self._transport.write(request)


async def _send(
    address: tuple[str, int], requests: Iterable[bytes | float], connections: int
) -> list[float]:
    loop = asyncio.get_running_loop()
    took_s: list[float] = []
    shared = iter(requests)
    made = [
        (await loop.create_connection(lambda: Connection(shared, took_s), *address))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for connection in made))
    return took_s


def send(
    address: tuple[str, int], requests: Iterable[bytes | float], connections: int
) -> list[float]:
    """Send everything; seconds each request took. Raises `RuntimeError` for any answer but 200.

    A number among the requests: whoever gets it asks again after so many seconds.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_send(address, requests, connections))
