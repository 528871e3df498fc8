"""Laws of trees that hold for every size and place."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.ledger.whole import check_whole_log, entries_of

from sealog.ledger.files import LogFiles, LogReader, bytes_past
from sealog.merkle.checks import verify_consistency, verify_inclusion
from sealog.merkle.edge import RightEdge
from sealog.merkle.hashes import EMPTY_ROOT, leaf_hash, root_of
from sealog.merkle.paths import consistency_path, inclusion_path, root_at

# A law holds however long a busy machine takes.
LAW = settings(deadline=None)
LEAVES = [leaf_hash(b"entry %d" % number) for number in range(600)]
SIZES = st.one_of(st.integers(1, 600), st.sampled_from([1, 2, 255, 256, 257, 511, 512, 513]))
CHANGES = st.tuples(st.integers(0, 31), st.integers(1, 255))


def hash_at(level, index):
    return root_of(LEAVES[index << level : (index + 1) << level])


def changed(value, change):
    at, by = change
    return value[:at] + bytes([value[at] ^ by]) + value[at + 1 :]


@st.composite
def places(draw):
    size = draw(SIZES)
    return draw(st.integers(0, size - 1)), size


@st.composite
def growths(draw):
    new = draw(SIZES)
    return draw(st.integers(1, new)), new


@LAW
@given(places())
def test_every_leaf_of_every_tree_is_proved_included(place):
    index, size = place

    path = inclusion_path(index, size, hash_at)

    assert verify_inclusion(index, size, LEAVES[index], path, root_of(LEAVES[:size]))


@LAW
@given(places(), st.data())
def test_no_inclusion_proof_survives_a_changed_byte(place, data):
    index, size = place
    root = root_of(LEAVES[:size])
    values = [LEAVES[index], root, *inclusion_path(index, size, hash_at)]
    at = data.draw(st.integers(0, len(values) - 1))
    values[at] = changed(values[at], data.draw(CHANGES))

    leaf, root, *path = values

    assert not verify_inclusion(index, size, leaf, path, root)


@LAW
@given(places(), st.data())
def test_no_inclusion_proof_serves_another_leaf_or_place(place, data):
    index, size = place
    other = data.draw(st.integers(0, size - 1))
    path = inclusion_path(index, size, hash_at)
    root = root_of(LEAVES[:size])

    assert verify_inclusion(other, size, LEAVES[index], path, root) is (other == index)
    assert verify_inclusion(index, size, LEAVES[other], path, root) is (other == index)


@LAW
@given(growths())
def test_every_growth_is_proved_consistent(growth):
    old, new = growth

    path = consistency_path(old, new, hash_at)

    assert verify_consistency(old, new, path, root_of(LEAVES[:old]), root_of(LEAVES[:new]))


@LAW
@given(growths(), st.data())
def test_no_consistency_proof_survives_a_changed_byte(growth, data):
    old, new = growth
    values = [root_of(LEAVES[:old]), root_of(LEAVES[:new]), *consistency_path(old, new, hash_at)]
    at = data.draw(st.integers(0, len(values) - 1))
    values[at] = changed(values[at], data.draw(CHANGES))

    old_root, new_root, *path = values

    assert not verify_consistency(old, new, path, old_root, new_root)


@LAW
@given(growths(), st.integers(0, 599), CHANGES)
def test_a_tree_with_a_changed_past_is_never_consistent(growth, at, change):
    """Whoever rewrites an old entry cannot prove the new tree against the old root."""
    old, new = growth
    at %= old
    rewritten = [*LEAVES[:at], changed(LEAVES[at], change), *LEAVES[at + 1 : new]]

    path = consistency_path(
        old, new, lambda level, index: root_of(rewritten[index << level : (index + 1) << level])
    )

    assert not verify_consistency(old, new, path, root_of(LEAVES[:old]), root_of(rewritten))


@LAW
@given(st.lists(st.integers(0, 300), max_size=6))
def test_an_edge_grown_in_any_batches_has_the_root_of_the_whole(batches):
    edge = RightEdge()
    for count in batches:
        edge = edge.grow(LEAVES[edge.size : edge.size + count]).edge

    assert edge.root() == root_of(LEAVES[: edge.size])
    assert edge.root() == root_at(edge.size, hash_at)


class LifeOfALog(RuleBasedStateMachine):
    """Files grown, synced, torn by crashes, cut back and filled again, in any order."""

    def __init__(self):
        super().__init__()
        self.home = TemporaryDirectory()
        self.files = LogFiles(Path(self.home.name) / "log")
        self.journal = b""
        self.synced = 0
        self.roots = {0: EMPTY_ROOT}

    def teardown(self):
        self.home.cleanup()

    @rule(count=st.one_of(st.integers(0, 700), st.sampled_from([255, 256, 257])))
    def append(self, count):
        fresh = entries_of(count, self.files.size)
        self.files.append(fresh)
        self.journal += fresh
        self.roots[self.files.size] = self.files.root()

    @rule()
    def sync(self):
        self.synced = self.files.size

    @rule(data=st.data())
    def crash(self, data):
        """Each file loses what it likes of what was not synced, and may gain a torn record."""
        for name, held in bytes_past(self.files.folder, self.synced).items():
            path = self.files.folder / name
            path.write_bytes(
                path.read_bytes()[: path.stat().st_size - data.draw(st.integers(0, held))]
            )
        self.files = LogFiles(self.files.folder, self.synced)
        self.files.cut_back(self.synced)
        check_whole_log(self.files, self.journal[: self.synced * 33])
        self.files.append(self.journal[self.synced * 33 :])

    @rule()
    def take_up_again(self):
        self.files = LogFiles(self.files.folder, self.files.size)

    @rule(data=st.data())
    def prove_growth(self, data):
        old = data.draw(st.sampled_from(sorted(self.roots)))
        path = self.files.reader().consistency(old)
        new = self.files.size
        assert verify_consistency(old, new, path, self.roots[old], self.files.root())

    @rule(data=st.data())
    def prove_an_entry(self, data):
        if not self.files.size:
            return
        index = data.draw(st.integers(0, self.files.size - 1))
        leaf = leaf_hash(self.journal[index * 33 : (index + 1) * 33])
        path = self.files.reader().inclusion(index)
        assert verify_inclusion(index, self.files.size, leaf, path, self.files.root())

    @invariant()
    def files_are_an_image_of_the_journal(self):
        check_whole_log(self.files, self.journal)

    @invariant()
    def every_root_ever_seen_still_stands(self):
        for size, root in self.roots.items():
            assert LogReader(self.files.folder, size).root() == root


TestLifeOfALog = LifeOfALog.TestCase
TestLifeOfALog.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
