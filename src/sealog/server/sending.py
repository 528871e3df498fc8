"""How an answer leaves: in one piece.

uvicorn writes the head and the body of an answer one after the other, each with a call to the
system, each waking whoever reads. Held for one turn of the event loop they are one.
"""

import asyncio
from contextlib import suppress
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HELD_BYTES_MAX = 64 << 10
LINGER_S = 60.0
"""How long whoever has not taken all of an answer may take for the rest, once it is closed."""


class Corked:
    """A transport that writes what it was given in one turn of the loop at once."""

    def __init__(self, transport: asyncio.Transport, corks: "Corks") -> None:
        self._transport = transport
        self._corks = corks
        self._held: list[bytes] = []
        self._held_bytes = 0

    def write(self, data: bytes) -> None:
        """See `asyncio.WriteTransport.write`."""
        if not self._held:
            self._corks.add(self)
        self._held.append(data)
        self._held_bytes += len(data)
        # So that what is paused, because nobody reads, holds little more than without us.
        if self._held_bytes > HELD_BYTES_MAX:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        held, self._held, self._held_bytes = self._held, [], 0
        if held:
            self._transport.write(held[0] if len(held) == 1 else b"".join(held))

    def close(self) -> None:
        """See `asyncio.BaseTransport.close`: what was written goes out first, if it is taken."""
        self.flush()
        # What a client never takes would be held for ever.
        if self._transport.get_write_buffer_size():
            asyncio.get_running_loop().call_later(LINGER_S, self._transport.abort)
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Corks:
    """All transports of one event loop that hold something."""

    def __init__(self) -> None:
        self._waiting: list[Corked] = []

    def add(self, corked: Corked) -> None:
        """Have it flushed in the loop's next turn."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(corked)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for corked in waiting:
            # A connection that broke meanwhile says so to its own protocol.
            with suppress(RuntimeError):
                corked.flush()


def in_one_piece() -> type[asyncio.Protocol]:
    """The HTTP protocol for uvicorn, for one server."""
    corks = Corks()

    class OnePiece(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(cast("asyncio.Transport", Corked(transport, corks)))

    return OnePiece
