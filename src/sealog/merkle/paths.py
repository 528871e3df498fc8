"""Proofs, cut from a tree whose complete subtrees are at hand (RFC 9162, 2.1.3.1 and 2.1.4.1)."""

from collections.abc import Callable

from sealog.merkle.hashes import joined

HashAt = Callable[[int, int], bytes]
"""`hash_at(level, index)`: the root of leaves `index << level` up to `(index + 1) << level`.

It is asked for complete subtrees only.
"""


def root_at(size: int, hash_at: HashAt) -> bytes:
    """The root that the tree had at an earlier size."""
    return _root(0, size, hash_at)


def inclusion_path(index: int, size: int, hash_at: HashAt) -> list[bytes]:
    """`PATH(index, D[size])`: the siblings from the leaf's own up to a child of the root."""
    assert 0 <= index < size
    begin, end = 0, size
    path: list[bytes] = []
    while end - begin > 1:
        middle = begin + _left_size(end - begin)
        if index < middle:
            path.append(_root(middle, end, hash_at))
            end = middle
        else:
            path.append(_root(begin, middle, hash_at))
            begin = middle
    path.reverse()
    return path


def consistency_path(old: int, new: int, hash_at: HashAt) -> list[bytes]:
    """`PROOF(old, D[new])`: that the tree of `new` leaves begins with the tree of `old` leaves.

    Empty for equal sizes, and for `old` = 0, which every tree begins with.
    """
    assert 0 <= old <= new
    if old in (0, new):
        return []
    begin, end = 0, new
    path: list[bytes] = []
    while end != old:
        middle = begin + _left_size(end - begin)
        if old <= middle:
            path.append(_root(middle, end, hash_at))
            end = middle
        else:
            path.append(_root(begin, middle, hash_at))
            begin = middle
    # The old root itself is known to whoever checks; anything less than it is not.
    if begin:
        path.append(_root(begin, end, hash_at))
    path.reverse()
    return path


def _left_size(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _root(begin: int, end: int, hash_at: HashAt) -> bytes:
    peaks: list[bytes] = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        peaks.append(hash_at(level, begin >> level))
        begin += 1 << level
    return joined(peaks)
