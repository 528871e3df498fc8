"""Checking proofs, step by step as RFC 9162 writes it.

Shares no code with what makes the proofs or the tree: a mistake would have to be made twice.
Sizes and roots MUST come from a signed checkpoint: a root alone does not fix the size (the path
from 3 to 7 entries is, with its hashes, also one from 3 to 6 of some other tree).
"""

from collections.abc import Sequence
from hashlib import sha256

_HASH_BYTES = 32
_EMPTY_ROOT = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


def verify_inclusion(
    index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes
) -> bool:
    """Whether `path` proves that the leaf hash stands at `index` of the tree (RFC 9162, 2.1.3.2).

    The numbers in the comments are the RFC's steps.
    """
    if not _are_hashes(leaf, root, *path):
        return False
    if not 0 <= index < size:  # 1
        return False
    fn, sn = index, size - 1  # 2
    r = leaf  # 3
    for p in path:  # 4
        if sn == 0:  # 4.1
            return False
        if fn & 1 or fn == sn:  # 4.2
            r = sha256(b"\x01" + p + r).digest()
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha256(b"\x01" + r + p).digest()
        fn, sn = fn >> 1, sn >> 1  # 4.3
    return sn == 0 and r == root  # 5


def verify_consistency(
    old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> bool:
    """Whether `path` proves that the new tree begins with the old one (RFC 9162, 2.1.4.2).

    The RFC knows 0 < old < new only. Equal sizes are consistent when their roots are equal, an
    empty old tree when its root is that of no entries; the path is empty in both cases.
    """
    if not _are_hashes(old_root, new_root, *path):
        return False
    if not 0 <= old <= new:
        return False
    if old == new:
        return not path and old_root == new_root and (new > 0 or new_root == _EMPTY_ROOT)
    if old == 0:
        return not path and old_root == _EMPTY_ROOT
    if not path:  # 1
        return False
    nodes = [old_root, *path] if old & (old - 1) == 0 else list(path)  # 2
    return _resolve(old - 1, new - 1, nodes) == (old_root, new_root)  # 3, 7


def _resolve(fn: int, sn: int, nodes: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Steps 4 to 7: both roots that the nodes lead to, or None where they do not fit the sizes."""
    while fn & 1:  # 4
        fn, sn = fn >> 1, sn >> 1
    fr = sr = nodes[0]  # 5
    for c in nodes[1:]:  # 6
        if sn == 0:  # 6.1
            return None
        if fn & 1 or fn == sn:  # 6.2
            fr = sha256(b"\x01" + c + fr).digest()
            sr = sha256(b"\x01" + c + sr).digest()
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:  # 6.3
            sr = sha256(b"\x01" + sr + c).digest()
        fn, sn = fn >> 1, sn >> 1  # 6.4
    return (fr, sr) if sn == 0 else None


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == _HASH_BYTES for value in values)
