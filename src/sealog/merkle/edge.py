"""The right edge of a tree that only grows: all that is needed to append and to know the root."""

from collections.abc import Sequence

import msgspec

from sealog.merkle.hashes import joined, node_hashes, root_of

TILE_LEVELS = 8
TILE_WIDTH = 1 << TILE_LEVELS


class RightEdge(msgspec.Struct, frozen=True, gc=False):
    """A tree's size and the roots of its complete subtrees, the largest (leftmost) first.

    There is one peak for each bit set in `size`. A value, never changed: growing gives a new one,
    so that a write that failed leaves the old one true.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def root(self) -> bytes:
        """The root of the tree at this size."""
        return joined(self.peaks)

    def grow(self, leaves: Sequence[bytes]) -> "Growth":
        """Append leaf hashes, many at once."""
        waiting = list(self.peaks)
        peaks: list[bytes] = []
        completed: list[list[bytes]] = []
        level, size = 0, self.size
        fresh = leaves
        while fresh:
            if level and not level % TILE_LEVELS:
                completed.append(list(fresh))
            if size >> level & 1:
                fresh = [waiting.pop(), *fresh]
            if len(fresh) & 1:
                peaks.append(fresh[-1])
            fresh = node_hashes(fresh)
            level += 1
        # What lies above the last new hash stays as it was.
        peaks.extend(reversed(waiting))
        peaks.reverse()
        edge = RightEdge(size + len(leaves), tuple(peaks))
        assert len(peaks) == edge.size.bit_count()
        return Growth(edge, completed)


class Growth(msgspec.Struct, frozen=True):
    """A grown edge, and what its growth completed.

    `completed[k]` are the new hashes, in order, of subtrees of 256^(k+1) leaves: what is to be
    appended to the tile level k + 1.
    """

    edge: RightEdge
    completed: list[list[bytes]]


def restore(size: int, tails: Sequence[Sequence[bytes]]) -> RightEdge:
    """The edge of a tree of `size` leaves, from what its unfinished tiles hold.

    `tails[k]` are the last `(size >> 8k) % 256` hashes of tile level k; level 0 are leaf hashes.
    """
    peaks: list[bytes] = []
    for level in reversed(range(len(tails))):
        tail = tails[level]
        width = tail_width(size, level)
        assert len(tail) == width
        taken = 0
        for bit in reversed(range(TILE_LEVELS)):
            if width >> bit & 1:
                peaks.append(root_of(tail[taken : taken + (1 << bit)]))
                taken += 1 << bit
    assert len(peaks) == size.bit_count()
    return RightEdge(size, tuple(peaks))


def tail_width(size: int, level: int) -> int:
    """How many hashes the unfinished tile of a tile level holds in a tree of `size` leaves."""
    return (size >> TILE_LEVELS * level) % TILE_WIDTH


def tile_levels(size: int) -> int:
    """How many tile levels a tree of `size` leaves has; level k needs 256^k leaves to begin."""
    return -(-size.bit_length() // TILE_LEVELS)
