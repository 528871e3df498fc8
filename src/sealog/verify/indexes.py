"""Sets of indexes as bits: an eighth of a byte an index, however they are spread."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

_ALL = 0xFF
_CHUNK_BYTES = 1 << 16


class IndexSet:
    """Indexes from 0 to below `size`; what lies beyond is ignored."""

    __slots__ = ("_bits", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._bits = bytearray((size + 7) >> 3)

    def __contains__(self, index: int) -> bool:
        return 0 <= index < self.size and bool(self._bits[index >> 3] >> (index & 7) & 1)

    def __len__(self) -> int:
        return int.from_bytes(self._bits, "little").bit_count()

    def add(self, index: int) -> bool:
        """Add one; False where it was there already."""
        if not 0 <= index < self.size:
            return True
        bit = 1 << (index & 7)
        was = self._bits[index >> 3]
        self._bits[index >> 3] = was | bit
        return not was & bit

    def add_all(self, indexes: Sequence[int]) -> list[int]:
        """Add some, ascending; those that were there already come back."""
        first, last = indexes[0], indexes[-1]
        if last - first + 1 == len(indexes) and not self._meets(first, last):
            self.add_range(first, last)
            return []
        return [index for index in indexes if not self.add(index)]

    def add_range(self, first: int, last: int) -> None:
        """Add all from `first` to `last`, both included."""
        first, last = max(first, 0), min(last, self.size - 1)
        if first > last:
            return
        begin, end = first >> 3, last >> 3
        head = _ALL << (first & 7) & _ALL
        tail = _ALL >> (7 - (last & 7))
        if begin == end:
            self._bits[begin] |= head & tail
            return
        self._bits[begin] |= head
        self._bits[end] |= tail
        for at in range(begin + 1, end, _CHUNK_BYTES):
            length = min(_CHUNK_BYTES, end - at)
            self._bits[at : at + length] = b"\xff" * length

    def absent(self, *others: "IndexSet") -> Iterator[tuple[int, int]]:
        """The ranges, both ends included, that are neither in this set nor in `others`."""
        for at in range(0, len(self._bits), _CHUNK_BYTES):
            held = self._chunk(at)
            for other in others:
                held = held | other._chunk(at)  # noqa: SLF001 - the same class
            yield from self._runs(at, ~held)

    def beyond(self, other: "IndexSet") -> Iterator[tuple[int, int]]:
        """The ranges, both ends included, that are in this set and not in the other."""
        for at in range(0, len(self._bits), _CHUNK_BYTES):
            yield from self._runs(at, self._chunk(at) & ~other._chunk(at))  # noqa: SLF001

    def within(self, other: "IndexSet") -> Iterator[tuple[int, int]]:
        """The ranges, both ends included, that are in this set and in the other."""
        for at in range(0, len(self._bits), _CHUNK_BYTES):
            yield from self._runs(at, self._chunk(at) & other._chunk(at))  # noqa: SLF001

    def _runs(self, at: int, bits: NDArray[np.uint8]) -> Iterator[tuple[int, int]]:
        """Ranges of set bits in a chunk. One that crosses chunks comes in pieces."""
        if not bits.any():
            return
        flags = np.unpackbits(bits, bitorder="little")[: self.size - 8 * at]
        edges = np.flatnonzero(np.diff(flags, prepend=np.uint8(0), append=np.uint8(0)))
        for begin, end in edges.reshape(-1, 2).tolist():
            yield 8 * at + begin, 8 * at + end - 1

    def _meets(self, first: int, last: int) -> bool:
        first, last = max(first, 0), min(last, self.size - 1)
        if first > last:
            return False
        held = int.from_bytes(self._bits[first >> 3 : (last >> 3) + 1], "little") >> (first & 7)
        return bool(held & (1 << last - first + 1) - 1)

    def _chunk(self, at: int) -> NDArray[np.uint8]:
        return np.frombuffer(self._bits, np.uint8, min(_CHUNK_BYTES, len(self._bits) - at), at)
