"""`sealog tail`: events as they come, one line each, until it is told to stop."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from sealog.cli import printing
from sealog.cli.connection import checked, connected
from sealog.cli.options import Where
from sealog.cli.pages import at
from sealog.cli.searching import is_shaped
from sealog.errors import Misconfigured
from sealog.event import tokens

if TYPE_CHECKING:
    import httpx

RETRY_S = 1.0
SILENT_S = 90.0
"""The server says something every 20 s; whoever is silent for so long is gone."""
_PASSING = (429, 500, 502, 503, 504)
_COLUMNS = (
    "@timestamp",
    "organization.id",
    "sealog.index",
    "event.action",
    "event.outcome",
    "user.name",
    "user.id",
    "source.ip",
)


class Blocks:
    """Server-Sent Events as they arrive: bytes in, events out (WHATWG HTML, 9.2)."""

    def __init__(self) -> None:
        self.position: str | None = None
        """The last `id` whose block was complete."""
        self.retry_s = RETRY_S
        self._rest = b""
        self._id: str | None = None
        self._data: list[bytes] = []

    def add(self, content: bytes) -> Iterator[bytes]:
        """The data of every event that is complete now.

        The server ends lines with a line feed alone.
        """
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            name, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if not line:
                self.position = self._id
                data, self._data = self._data, []
                if data:
                    yield b"\n".join(data)
            elif name == b"data":
                self._data.append(value)
            elif name == b"id":
                self._id = value.decode()
            elif name == b"retry" and value.isdigit():
                self.retry_s = int(value) / 1_000

    def cut(self) -> None:
        """The connection ended: what is incomplete comes again."""
        self._rest, self._data, self._id = b"", [], self.position


def tail(where: Where, asked: dict[str, Any], *, as_json: bool) -> None:
    """Print events until the terminal, or whoever reads our output, has enough."""
    if where.server is None:
        raise Misconfigured("tail follows a server: give --server and --key")
    try:
        asyncio.run(_tail(where, asked, as_json=as_json))
    except KeyboardInterrupt:
        return


async def _tail(where: Where, asked: dict[str, Any], *, as_json: bool) -> None:
    as_it_is = as_json or is_shaped(asked)
    async for event in events(where, asked):
        printing.say(event.decode() if as_it_is else line(tokens.plain(event)))


async def events(where: Where, asked: dict[str, Any]) -> AsyncIterator[bytes]:
    """Every event as JSON on one line, each once, whatever happens to the connection."""
    import httpx

    blocks = Blocks()
    given = {name: value for name, value in asked.items() if value not in (None, "", [])}
    async with connected(where, writing=False) as client:
        is_new = True
        while True:
            try:
                async for event in _connection(client.http, given, blocks):
                    is_new = False
                    yield event
            except httpx.TransportError:
                # What never answered is more likely the wrong address.
                if is_new and blocks.position is None:
                    raise
            blocks.cut()
            await asyncio.sleep(blocks.retry_s)


async def _connection(
    http: "httpx.AsyncClient", given: dict[str, Any], blocks: Blocks
) -> AsyncIterator[bytes]:
    headers = {} if blocks.position is None else {"last-event-id": blocks.position}
    asking = http.stream("GET", "/v1/tail", params=given, headers=headers, timeout=SILENT_S)
    async with asking as response:
        if not response.is_success:
            await response.aread()
            if response.status_code in _PASSING and blocks.position is not None:
                return
            checked(response)
        async for content in response.aiter_bytes():
            for event in blocks.add(content):
                yield event


def line(event: dict[str, Any]) -> str:
    """An event on one line for people; nothing in it reaches the terminal as anything but text."""
    cells = [at(event, path) for path in _COLUMNS]
    return "  ".join([_printable(cell) if cell else "-" for cell in cells])


def _printable(text: str) -> str:
    return "".join([char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text])
