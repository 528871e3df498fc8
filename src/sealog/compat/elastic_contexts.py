"""Scrolls and points in time, as texts that hold all there is to know: the server keeps nothing.

A text only says how to go on with one's own search: whoever alters it reads no more than the key
allows, because every request is asked for its key anew.
"""

import base64
import binascii
import re
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping

import msgspec

from sealog.archive.cursors import Position
from sealog.compat.elastic_errors import Rejected, unparsable

KEEP_ALIVE_MAX_S = 86_400
CLOSED_MAX = 10_000
TEXT_BYTES_MAX = 1 << 20

_KEEP_ALIVE = re.compile(r"(\d{1,6})(ms|s|m|h|d)")
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_VERSION = 1


class Context(msgspec.Struct, frozen=True, array_like=True):
    """Where a scroll or a point in time stands."""

    version: int
    name: bytes
    """Random: by it a context is closed."""
    until_us: int
    indices: str
    sizes: Mapping[int, int]
    """Tenant → the index after its last event when the context was opened."""
    body: bytes = b""
    """Of a scroll: what was asked for, as JSON."""
    after: Position | None = None
    total: tuple[int, bool] | None = None
    """Of a scroll: how many pass, and whether that is all."""


class Contexts:
    """Opens, reads and closes contexts."""

    def __init__(self, clock_us: Callable[[], int], randomness: Callable[[int], bytes]) -> None:
        self._clock_us = clock_us
        self._randomness = randomness
        self._closed: OrderedDict[bytes, None] = OrderedDict()

    def open(
        self, indices: str, sizes: Mapping[int, int], keep_alive: object, body: bytes = b""
    ) -> Context:
        """A new context, as of now."""
        return Context(
            _VERSION, self._randomness(12), self._until(keep_alive), indices, dict(sizes), body
        )

    def written(self, context: Context) -> str:
        """A context as the text that clients send back."""
        content = zlib.compress(msgspec.msgpack.encode(context), 1)
        return base64.urlsafe_b64encode(content).decode()

    def read(self, text: object, keep_alive: object = None) -> Context:
        """The context of a text, kept alive anew where asked. Raises `Rejected` (404) if it is over."""
        if not isinstance(text, str) or not text:
            raise unparsable("an id is a text")
        try:
            content = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
            unpacking = zlib.decompressobj()
            packed = unpacking.decompress(content, TEXT_BYTES_MAX)
            context = msgspec.msgpack.decode(packed, type=Context)
        except (ValueError, binascii.Error, zlib.error, msgspec.MsgspecError) as error:
            raise Rejected("Cannot parse the id of a scroll or a point in time") from error
        if context.version != _VERSION:
            raise Rejected("the id is of another version of Sealog: begin anew")
        if context.name in self._closed or context.until_us <= self._clock_us():
            raise Rejected(
                "No search context found: it was closed, or is not kept any more",
                kind="search_context_missing_exception",
                status=404,
            )
        if keep_alive is None:
            return context
        return msgspec.structs.replace(context, until_us=self._until(keep_alive))

    def close(self, text: object) -> bool:
        """Make a context's text worthless; whether it was not before."""
        try:
            context = self.read(text)
        except Rejected as error:
            if error.status == Rejected("").status:
                raise
            return False
        self._closed[context.name] = None
        while len(self._closed) > CLOSED_MAX:
            self._closed.popitem(last=False)
        return True

    def _until(self, keep_alive: object) -> int:
        match = _KEEP_ALIVE.fullmatch(keep_alive) if isinstance(keep_alive, str) else None
        if match is None:
            raise Rejected("[keep_alive] is such as 1m")
        seconds = int(match[1]) * _UNITS_S[match[2]]
        if seconds > KEEP_ALIVE_MAX_S:
            raise Rejected(f"Keep alive is too large: at most {KEEP_ALIVE_MAX_S}s")
        return self._clock_us() + int(seconds * 1_000_000)
