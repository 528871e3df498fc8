import pytest
from tests.merkle.vectors import TLOG, numbered_leaves, unhex

from sealog.merkle.edge import RightEdge, restore, tail_width, tile_levels
from sealog.merkle.hashes import root_of

CROSSINGS = [255, 256, 257, 65_535, 65_536, 65_537]


@pytest.fixture(scope="module")
def many():
    return numbered_leaves(65_540)


def test_an_edge_grown_leaf_by_leaf_has_every_published_root():
    edge = RightEdge()
    roots = [edge.root().hex()]
    for leaf in unhex(TLOG["leaf_hashes"]):
        edge = edge.grow([leaf]).edge
        roots.append(edge.root().hex())

    assert roots == TLOG["roots"]


@pytest.mark.parametrize("size", CROSSINGS)
def test_many_at_once_give_the_root_of_the_whole(many, size):
    assert RightEdge().grow(many[:size]).edge.root() == root_of(many[:size])


@pytest.mark.parametrize("size", CROSSINGS)
def test_uneven_batches_over_a_tile_s_end_give_the_same_edge(many, size):
    edge = RightEdge().grow(many[: size - 3]).edge
    for leaf in many[size - 3 : size]:
        edge = edge.grow([leaf]).edge

    assert edge == RightEdge().grow(many[:size]).edge


def test_growth_names_each_subtree_it_completed_once(many):
    first = RightEdge().grow(many[:255])
    second = first.edge.grow(many[255:600])
    third = second.edge.grow(many[600:65_540])

    assert first.completed == []
    assert second.completed == [[root_of(many[0:256]), root_of(many[256:512])]]
    level_1 = [root_of(many[at : at + 256]) for at in range(512, 65_536, 256)]
    assert third.completed == [level_1, [root_of(many[:65_536])]]


def test_growing_by_nothing_changes_nothing(many):
    edge = RightEdge().grow(many[:300]).edge

    assert edge.grow([]).edge == edge


def test_an_edge_is_a_value(many):
    """A write that failed can be tried again from the old edge."""
    edge = RightEdge().grow(many[:10]).edge
    before = edge.root()

    edge.grow(many[10:20])

    assert edge.root() == before
    assert edge.size == 10


@pytest.mark.parametrize("size", [0, 1, 7, *CROSSINGS])
def test_an_edge_comes_back_from_one_unfinished_tile_per_level(many, size):
    level_1 = [root_of(many[at : at + 256]) for at in range(0, size - 255, 256)]
    level_2 = [root_of(many[at : at + 65_536]) for at in range(0, size - 65_535, 65_536)]
    stored = [many[:size], level_1, level_2]
    tails = [
        stored[level][len(stored[level]) - tail_width(size, level) :]
        for level in range(tile_levels(size))
    ]

    assert restore(size, tails) == RightEdge().grow(many[:size]).edge


def test_tile_levels_begin_at_powers_of_256():
    assert [tile_levels(size) for size in (0, 1, 255, 256, 65_535, 65_536)] == [0, 1, 1, 2, 2, 3]
