"""Random bytes, drawn from the system some thousand at a time."""

from collections.abc import Callable

DRAWN_BYTES = 4096


class Drawn:
    """A source of random bytes that asks another one rarely; for one thread.

    A request of one event wants few bytes, and every question to the system hands the interpreter
    to another thread. No byte is given twice.
    """

    def __init__(self, source: Callable[[int], bytes]) -> None:
        self._source = source
        self._bytes = b""
        self._at = 0

    def __call__(self, size: int) -> bytes:
        """`size` random bytes."""
        if size >= DRAWN_BYTES:
            return self._source(size)
        begin, end = self._at, self._at + size
        if end > len(self._bytes):
            self._bytes, begin, end = self._source(DRAWN_BYTES), 0, size
        self._at = end
        return self._bytes[begin:end]
