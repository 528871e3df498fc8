"""Leaves, nodes and the roots over them (RFC 9162, 2.1.1)."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from struct import iter_unpack

HASH_BYTES = 32

# The root of no entries is a hash like any other, never zeros.
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash one entry into its leaf, 32 bytes."""
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: bytes, entry_bytes: int) -> list[bytes]:
    """The leaves of entries that stand one after the other, each `entry_bytes` long."""
    hashed = sha256
    return [
        hashed(b"\x00" + entry).digest() for (entry,) in iter_unpack(f"{entry_bytes}s", entries)
    ]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children into their parent, 32 bytes each.

    The 0x01 keeps a node from posing as a leaf.
    """
    return sha256(b"\x01" + left + right).digest()


def node_hashes(children: Iterable[bytes]) -> list[bytes]:
    """The parents of a level's hashes, pair by pair; a last one without a sibling is left out."""
    hashed = sha256
    left = iter(children)
    return [hashed(b"\x01" + a + b).digest() for a, b in zip(left, left, strict=False)]


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes: `MTH` of RFC 9162, which splits at the largest power of two.

    A hash without a sibling moves up as it is, which comes to the same tree. Given the hashes of
    complete subtrees of one size instead of leaves, this is the root over these.
    """
    if not leaves:
        return EMPTY_ROOT
    level = leaves
    while len(level) > 1:
        above = node_hashes(level)
        if len(level) & 1:
            above.append(level[-1])
        level = above
    return level[0]


def joined(peaks: Sequence[bytes]) -> bytes:
    """The root over complete subtrees of shrinking size, given from left to right."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root
