import ast
from pathlib import Path

import pytest
from tests.merkle.vectors import CT, TLOG, unhex

from sealog.merkle import checks
from sealog.merkle.checks import verify_consistency, verify_inclusion

LEAVES = unhex(TLOG["leaf_hashes"])
ROOTS = unhex(TLOG["roots"])
PATH_3_OF_7 = unhex(TLOG["inclusion"]["3@7"])
PATH_3_TO_7 = unhex(TLOG["consistency"]["3->7"])


def test_every_published_inclusion_proof_holds():
    for name, path in TLOG["inclusion"].items():
        index, size = map(int, name.split("@"))
        assert verify_inclusion(index, size, LEAVES[index], unhex(path), ROOTS[size]), name


def test_every_published_consistency_proof_holds():
    for vectors in (TLOG, CT):
        roots = unhex(vectors["roots"])
        for name, path in vectors["consistency"].items():
            old, new = map(int, name.split("->"))
            assert verify_consistency(old, new, unhex(path), roots[old], roots[new]), name


@pytest.mark.parametrize(
    ("index", "size", "leaf", "path", "root"),
    [
        pytest.param(2, 7, LEAVES[3], PATH_3_OF_7, ROOTS[7], id="another index"),
        pytest.param(3, 4, LEAVES[3], PATH_3_OF_7, ROOTS[7], id="a smaller size"),
        pytest.param(3, 9, LEAVES[3], PATH_3_OF_7, ROOTS[7], id="a larger size"),
        pytest.param(3, 7, LEAVES[2], PATH_3_OF_7, ROOTS[7], id="another leaf"),
        pytest.param(3, 7, LEAVES[3], PATH_3_OF_7[:-1], ROOTS[7], id="a path cut short"),
        pytest.param(3, 7, LEAVES[3], [*PATH_3_OF_7, bytes(32)], ROOTS[7], id="a path too long"),
        pytest.param(3, 7, LEAVES[3], PATH_3_OF_7[::-1], ROOTS[7], id="a path in disorder"),
        pytest.param(3, 7, LEAVES[3], PATH_3_OF_7, ROOTS[6], id="another root"),
        pytest.param(-1, 7, LEAVES[3], PATH_3_OF_7, ROOTS[7], id="an index below zero"),
        pytest.param(7, 7, LEAVES[3], PATH_3_OF_7, ROOTS[7], id="an index past the end"),
        pytest.param(0, 0, LEAVES[0], [], ROOTS[0], id="a leaf of the empty tree"),
        pytest.param(0, 1, LEAVES[0] + b"x", [], LEAVES[0] + b"x", id="a leaf of 33 bytes"),
        pytest.param(
            3, 7, LEAVES[3], [PATH_3_OF_7[0][:31], *PATH_3_OF_7[1:]], ROOTS[7], id="a hash of 31"
        ),
    ],
)
def test_a_wrong_inclusion_proof_does_not_hold(index, size, leaf, path, root):
    assert not verify_inclusion(index, size, leaf, path, root)


@pytest.mark.parametrize(
    ("old", "new", "path", "old_root", "new_root"),
    [
        pytest.param(4, 7, PATH_3_TO_7, ROOTS[3], ROOTS[7], id="another old size"),
        pytest.param(3, 9, PATH_3_TO_7, ROOTS[3], ROOTS[7], id="a new size of another shape"),
        pytest.param(3, 7, PATH_3_TO_7, ROOTS[4], ROOTS[7], id="another old root"),
        pytest.param(3, 7, PATH_3_TO_7, ROOTS[3], ROOTS[6], id="another new root"),
        pytest.param(3, 7, [], ROOTS[3], ROOTS[7], id="no path"),
        pytest.param(3, 7, PATH_3_TO_7[:-1], ROOTS[3], ROOTS[7], id="a path cut short"),
        pytest.param(3, 7, [*PATH_3_TO_7, bytes(32)], ROOTS[3], ROOTS[7], id="a path too long"),
        pytest.param(7, 3, PATH_3_TO_7, ROOTS[7], ROOTS[3], id="a tree that shrank"),
        pytest.param(3, 3, [], ROOTS[3], ROOTS[4], id="one size with two roots"),
        pytest.param(3, 3, PATH_3_TO_7, ROOTS[3], ROOTS[3], id="a path where none is needed"),
        pytest.param(0, 7, [], bytes(32), ROOTS[7], id="an empty tree with a root of zeros"),
        pytest.param(0, 0, [], bytes(32), bytes(32), id="zeros for the empty root, twice"),
        pytest.param(-1, 7, [], ROOTS[0], ROOTS[7], id="a size below zero"),
    ],
)
def test_a_wrong_consistency_proof_does_not_hold(old, new, path, old_root, new_root):
    assert not verify_consistency(old, new, path, old_root, new_root)


def test_the_empty_tree_begins_every_tree():
    assert verify_consistency(0, 7, [], ROOTS[0], ROOTS[7])


def test_checking_shares_no_code_with_proving():
    """A mistake in the tree must not be able to hide in the checks."""
    tree = ast.parse(Path(checks.__file__).read_text())
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom | ast.Import)
    }

    assert imported == {"collections.abc", "hashlib"}
