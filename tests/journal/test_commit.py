import pytest
from tests.journal.made import NOW_US, batch, entries_of, joined, tenant

from sealog.event.batch import Outcome
from sealog.event.packs import Packer, content_bytes
from sealog.journal import blocks
from sealog.journal import commit as commits
from sealog.journal.commit import UNKNOWN_INDEX, Commit
from sealog.journal.memory import Memory
from sealog.journal.seen import Seen
from sealog.storage.store import driver

ACME, GLOBEX = tenant(1), tenant(2)


class Commits:
    """A store, a memory, and one commit after the other."""

    def __init__(self, store):
        self.store = store
        self.memory, self.seen = Memory(), Seen()
        self.newest = 0
        self.now_us = NOW_US

    def __call__(self, *batches):
        def work(connection):
            commit = Commit(
                driver(connection),
                (self.memory, self.seen),
                self.newest,
                (self.now_us, {}),
                Packer(),
            )
            commit.write(batches)
            return commit

        commit = self.store.write(work).result()
        if commit.hashes is not None:
            self.memory.settle(commit.newest, commit.hashes)
        self.newest = commit.newest
        return commit.outcomes

    def blocks(self):
        with self.store.reading() as connection:
            return blocks.read(driver(connection), "1 ORDER BY seq", ())


@pytest.fixture
def commit(store):
    return Commits(store)


def spans(commit):
    return [(each.seq, each.tenant, each.first, each.count) for each in commit.blocks()]


def test_new_events_get_the_next_indexes_of_their_tenant(commit):
    first = commit(batch(ACME, "a", "b"), batch(GLOBEX, "a"), batch(ACME, "c"))
    second = commit(batch(ACME, "d"))

    assert first == [Outcome([0, 1]), Outcome([0]), Outcome([2])]
    assert second == [Outcome([3])]
    assert spans(commit) == [(1, 1, 0, 3), (2, 2, 0, 1), (3, 1, 3, 1)]


def test_the_same_thing_sent_again_is_not_stored_again(commit):
    commit(batch(ACME, "a", "b"))

    again = commit(batch(ACME, "a", "b"))

    assert again == [Outcome([0, 1], repeated=frozenset({0, 1}))]
    assert spans(commit) == [(1, 1, 0, 2)]


def test_another_thing_under_the_same_id_is_a_conflict(commit):
    commit(batch(ACME, "a"))

    other = commit(batch(ACME, "a", content=b'{"other":1}'))

    assert other == [Outcome([0], conflicts=frozenset({0}))]


def test_the_same_id_at_another_time_is_a_conflict_with_something_somewhere(commit):
    commit(batch(ACME, "a", at_us=NOW_US))

    other = commit(batch(ACME, "a", at_us=NOW_US - 86_400_000_000, content=b'{"other":1}'))

    assert other == [Outcome([UNKNOWN_INDEX], conflicts=frozenset({0}))]


def test_ids_without_a_time_are_known_again(commit):
    commit(batch(ACME, "a", at_us=None))

    assert commit(batch(ACME, "a", at_us=None)) == [Outcome([0], repeated=frozenset({0}))]
    assert commit(batch(ACME, "a", at_us=None, content=b"[]")) == [
        Outcome([0], conflicts=frozenset({0}))
    ]


def test_tenants_do_not_share_ids(commit):
    commit(batch(ACME, "a"))

    assert commit(batch(GLOBEX, "a", content=b"[]")) == [Outcome([0])]


def test_one_known_event_leaves_its_neighbours_in_place(commit):
    commit(batch(ACME, "b"))
    sent = batch(ACME, "a", "b", "c")

    outcomes = commit(sent)

    assert outcomes == [Outcome([1, 0, 2], repeated=frozenset({1}))]
    assert spans(commit) == [(1, 1, 0, 1), (2, 1, 1, 2)]
    last = commit.blocks()[-1]
    assert entries_of([last]) == [sent.entries[0], sent.entries[2]]
    assert last.entries == sent.entries[0] + sent.entries[2]


def test_duplicates_within_one_request_are_judged_in_order(commit):
    request = joined(
        batch(ACME, "a"),
        batch(ACME, "a"),
        batch(ACME, "a", content=b"[]"),
        batch(ACME, "b"),
        batch(ACME, "a", at_us=NOW_US + 5_000_000, content=b"[1]"),
    )

    assert commit(request) == [
        Outcome([0, 0, 0, 1, UNKNOWN_INDEX], repeated=frozenset({1}), conflicts=frozenset({2, 4}))
    ]


def test_duplicates_across_requests_of_one_commit_are_judged_in_order(commit):
    outcomes = commit(
        batch(ACME, "a", "b"),
        batch(ACME, "b", "c"),
        batch(ACME, "c", content=b"[]"),
        batch(ACME, "c", at_us=NOW_US + 5_000_000, content=b"[1]"),
        batch(ACME, "d"),
    )

    assert outcomes == [
        Outcome([0, 1]),
        Outcome([1, 2], repeated=frozenset({0})),
        Outcome([2], conflicts=frozenset({0})),
        Outcome([UNKNOWN_INDEX], conflicts=frozenset({0})),
        Outcome([3]),
    ]
    assert spans(commit) == [(1, 1, 0, 4)]


def test_an_id_that_the_table_knows_but_memory_forgot_is_still_known(commit):
    """The same id at the same time is always recognised, however long ago."""
    commit(batch(ACME, "a"))
    commit.memory = Memory()

    assert commit(batch(ACME, "a", "b")) == [Outcome([0, 1], repeated=frozenset({0}))]


def test_a_commit_of_nothing_new_writes_nothing(commit, store):
    commit(batch(ACME, "a"))
    with store.reading() as connection:
        before = list(driver(connection).execute("SELECT * FROM recent_ids"))

    commit(batch(ACME, "a"), batch(ACME, "a"))

    with store.reading() as connection:
        assert list(driver(connection).execute("SELECT * FROM recent_ids")) == before
    assert commit.newest == 1


def test_an_empty_batch_among_others_has_an_empty_outcome(commit):
    nothing = batch(ACME, "x")
    for each in ("places", "ids", "id_keys", "fingerprints", "entries", "packs"):
        setattr(nothing, each, [])

    assert commit(nothing) == [Outcome([])]
    assert commit(nothing, batch(ACME, "a"), nothing) == [Outcome([]), Outcome([0]), Outcome([])]
    assert spans(commit) == [(1, 1, 0, 1)]


def test_more_than_a_pack_of_events_keeps_its_order_without_the_known_ones(commit):
    names = [f"e{n}" for n in range(300)]
    commit(batch(ACME, *names[100:110]))
    sent = batch(ACME, *names)

    (outcome,) = commit(sent)

    assert outcome.repeated == frozenset(range(100, 110))
    new = [n for n in range(300) if not 100 <= n < 110]
    assert [outcome.indexes[n] for n in new] == list(range(10, 300))
    last = commit.blocks()[-1]
    assert [pack.indexes[0] for pack in last.packs()] == [0, 128, 256]
    assert entries_of([last]) == [sent.entries[n] for n in new]


def test_small_packs_of_one_commit_become_one_and_large_ones_stay_as_they_are(commit):
    """What was compressed once is not compressed again."""
    sizes = [1, 2, 64, 3, 100, 5, 60, 63, 128, 1]
    sent, at = [], 0
    for size in sizes:
        sent.append(batch(ACME, *(f"{at + n}" for n in range(size))))
        at += size

    commit(*sent)

    (block,) = commit.blocks()
    packs = block.packs()
    assert [len(pack.kinds) for pack in packs] == [3, 64, 3, 100, 128, 128, 1]
    assert [n for pack in packs for n in pack.indexes] == list(range(427))
    assert packs[1].frames == sent[2].packs[0].frames
    assert entries_of([block]) == [entry for each in sent for entry in each.entries]


def test_packs_of_large_events_do_not_become_one(commit, monkeypatch):
    """Whoever reads one event opens all of its pack."""
    sent = [batch(ACME, f"{n}") for n in range(4)]
    held = content_bytes(sent[0].packs[0].lengths)
    monkeypatch.setattr(commits, "JOINED_BYTES_MAX", 3 * held)

    commit(*sent)

    (block,) = commit.blocks()
    assert [pack.indexes for pack in block.packs()] == [(0, 1, 2), (3,)]
