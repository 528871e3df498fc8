"""Published vectors, read once; and a tree held whole, to cut proofs from."""

from pathlib import Path

import msgspec

from sealog.merkle.hashes import leaf_hash, root_of

GOLDEN = Path(__file__).parents[1] / "golden/merkle"
TLOG = msgspec.json.decode((GOLDEN / "tlog-vectors.json").read_bytes())
CT = msgspec.json.decode((GOLDEN / "ct-vectors.json").read_bytes())


def unhex(values):
    return [bytes.fromhex(value) for value in values]


def hash_at_of(leaves):
    """`hash_at` over leaf hashes, computed anew each time; refuses what is not complete."""

    def hash_at(level, index):
        begin, end = index << level, (index + 1) << level
        assert end <= len(leaves), "asked for a subtree that is not complete"
        return root_of(leaves[begin:end])

    return hash_at


def numbered_leaves(count):
    return [leaf_hash(b"entry %d" % number) for number in range(count)]
