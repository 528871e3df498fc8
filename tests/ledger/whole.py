"""A log checked whole from its files, by code that shares nothing with what wrote them."""

import hashlib


def sha256(content):
    return hashlib.sha256(content).digest()


def tree_root(leaves):
    """`MTH` as the RFC states it: split at the largest power of two smaller than n."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\x01" + tree_root(leaves[:k]) + tree_root(leaves[k:]))


def entries_of(count, first=0):
    """Entries as they are in a log: a type byte and what looks like a commitment."""
    return b"".join(b"\x01" + sha256(b"%d" % number) for number in range(first, first + count))


def leaves_of(entries):
    return [sha256(b"\x00" + entries[at : at + 33]) for at in range(0, len(entries), 33)]


def check_whole_log(files, entries):
    """Assert that a log's files hold exactly these entries, and every level above them."""
    folder, size = files.folder, len(entries) // 33
    expected = {}
    hashes = leaves_of(entries)
    if entries:
        expected["entries"] = entries
    level = 0
    while len(hashes) >= 256:
        level += 1
        full = len(hashes) // 256 * 256
        hashes = [tree_root(hashes[at : at + 256]) for at in range(0, full, 256)]
        expected[f"hashes-{level}"] = b"".join(hashes)
    found = {path.name: path.read_bytes() for path in folder.glob("*")}
    found.pop("checkpoint", None)
    assert found == expected
    assert files.size == size
    assert files.root() == tree_root(leaves_of(entries))
    assert files.reader().root() == files.root()
