import pytest
from tests.merkle.vectors import CT, TLOG, hash_at_of, unhex

from sealog.merkle.hashes import leaf_hash, root_of
from sealog.merkle.paths import consistency_path, inclusion_path, root_at


def leaves_of(vectors):
    return [leaf_hash(entry) for entry in unhex(vectors["entries"])]


@pytest.mark.parametrize("vectors", [TLOG, CT], ids=["tlog", "ct"])
def test_every_published_inclusion_path_is_ours(vectors):
    hash_at = hash_at_of(leaves_of(vectors))

    for name, path in vectors["inclusion"].items():
        index, size = map(int, name.split("@"))
        assert inclusion_path(index, size, hash_at) == unhex(path), name


@pytest.mark.parametrize("vectors", [TLOG, CT], ids=["tlog", "ct"])
def test_every_published_consistency_path_is_ours(vectors):
    hash_at = hash_at_of(leaves_of(vectors))

    for name, path in vectors["consistency"].items():
        old, new = map(int, name.split("->"))
        assert consistency_path(old, new, hash_at) == unhex(path), name


def test_every_tree_begins_with_the_empty_one_without_proof():
    assert consistency_path(0, 7, hash_at_of(leaves_of(TLOG))) == []


def test_the_root_of_every_earlier_size_can_be_told():
    leaves = leaves_of(TLOG)

    assert [root_at(size, hash_at_of(leaves)) for size in range(8)] == [
        root_of(leaves[:size]) for size in range(8)
    ]


def test_a_path_asks_for_at_most_two_subtrees_a_level():
    """One beside the way up, one in the unfinished right side: a proof is cheap at any size."""
    asked = []

    def hash_at(level, index):
        asked.append((level, index))
        return bytes(32)

    path = inclusion_path(700_000, 1_000_001, hash_at)

    assert len(path) == 20
    assert len(asked) <= 2 * 20
    assert all((index + 1) << level <= 1_000_001 for level, index in asked)
