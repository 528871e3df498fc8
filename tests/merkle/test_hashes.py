import pytest
from tests.merkle.vectors import CT, TLOG, unhex

from sealog.merkle import hashes


@pytest.mark.parametrize("vectors", [TLOG, CT], ids=["tlog", "ct"])
def test_every_published_root_is_ours(vectors):
    leaves = [hashes.leaf_hash(entry) for entry in unhex(vectors["entries"])]

    roots = [hashes.root_of(leaves[:size]).hex() for size in range(len(leaves) + 1)]

    assert roots == vectors["roots"]


def test_the_reference_tree_of_eight_leaves_has_the_reference_root():
    leaves = [hashes.leaf_hash(entry) for entry in unhex(CT["entries"])]

    assert hashes.root_of(leaves).hex() == (
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )


def test_published_leaf_hashes_are_ours():
    assert [hashes.leaf_hash(e).hex() for e in unhex(TLOG["entries"])] == TLOG["leaf_hashes"]


def test_the_root_of_nothing_is_the_hash_of_nothing():
    """Not 32 zero bytes: logs have signed those by mistake."""
    expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    assert hashes.root_of([]).hex() == expected
    assert hashes.EMPTY_ROOT.hex() == expected
    assert hashes.joined(()).hex() == expected


def test_leaves_hashed_together_are_the_leaves_hashed_one_by_one():
    entries = [bytes([number]) * 33 for number in range(5)]

    assert hashes.leaf_hashes(b"".join(entries), 33) == [hashes.leaf_hash(e) for e in entries]


def test_a_node_cannot_pose_as_a_leaf():
    left, right = hashes.leaf_hash(b"a"), hashes.leaf_hash(b"b")

    assert hashes.node_hash(left, right) != hashes.leaf_hash(left + right)


def test_a_level_leaves_out_a_last_hash_without_sibling():
    a, b, c = (hashes.leaf_hash(text) for text in (b"a", b"b", b"c"))

    assert hashes.node_hashes([a, b, c]) == [hashes.node_hash(a, b)]


def test_peaks_join_from_the_right():
    a, b, c = (hashes.leaf_hash(text) for text in (b"a", b"b", b"c"))

    assert hashes.joined([a, b, c]) == hashes.node_hash(a, hashes.node_hash(b, c))
