import asyncio
import shutil
import sqlite3
import threading

import pytest
from sqlalchemy import text
from tests.journal.made import NOW_US, batch, entries_of, tenant
from tests.storage.older import take_back_the_fifth

from sealog.errors import Altered, Busy, Misconfigured
from sealog.event.batch import Outcome
from sealog.journal import journal as journalling
from sealog.journal.heads import Head
from sealog.journal.journal import Journal, Settings
from sealog.storage.store import Store, driver

ACME, GLOBEX = tenant(1), tenant(2)


def journal_on(store, **settings):
    return Journal(store, lambda: NOW_US, Settings(**settings))


@pytest.fixture
def journal(store):
    return journal_on(store)


class Held:
    """Holds the writing thread, so that what is appended meanwhile waits."""

    def __init__(self, store):
        self._store = store
        self._go = threading.Event()

    def __enter__(self):
        begun = threading.Event()

        def work(_connection):
            begun.set()
            assert self._go.wait(10)

        self._store.write(work)
        assert begun.wait(10)
        return self

    def __exit__(self, *_args):
        self._go.set()


def copied(path, to):
    """The data folder as a crash at this moment would leave it."""
    to.mkdir()
    for file in path.parent.glob("state.db*"):
        if not file.name.endswith("-shm"):
            shutil.copy(file, to)
    return to / "state.db"


def test_an_append_is_on_disk_when_its_future_is_done(journal, path, tmp_path):
    sent = batch(ACME, "a", "b")

    assert journal.append([sent]).result() == [Outcome([0, 1])]
    store = Store(copied(path, tmp_path / "crashed"))
    again = journal_on(store)

    assert entries_of(again.follow(0)) == sent.entries
    assert (again.size(1), again.newest()) == (2, 1)
    store.close()


def test_nothing_is_answered_before_it_is_on_disk(journal, path, tmp_path):
    """A copy of the folder made in the very callback holds what the callback is told."""
    found = []

    def look(_future):
        store = Store(copied(path, tmp_path / f"crashed-{len(found)}"))
        found.append(journal_on(store).size(1))
        store.close()

    for n in range(3):
        future = journal.append([batch(ACME, f"{n}")])
        future.add_done_callback(look)
        future.result()

    # A callback runs after the waiter is let go: one more round brings the last one.
    journal.append([batch(GLOBEX, "z")]).result()
    assert found == [1, 2, 3]


def test_requests_that_arrive_during_a_commit_share_the_next(journal, store):
    with Held(store):
        futures = [journal.append([batch(ACME, f"{n}")]) for n in range(10)]
    outcomes = [future.result() for future in futures]

    assert outcomes == [[Outcome([n])] for n in range(10)]
    with store.reading() as connection:
        commits = connection.execute(text("SELECT count(*) FROM recent_ids")).scalar()
    assert commits == 1


def test_a_commit_has_a_limit_and_the_rest_waits_for_the_next(store):
    journal = journal_on(store, commit_events_max=4)
    with Held(store):
        futures = [journal.append([batch(ACME, f"{n}a", f"{n}b", f"{n}c")]) for n in range(3)]
    for future in futures:
        future.result()

    with store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM recent_ids")).scalar() == 3
    assert journal.size(1) == 9


def test_indexes_have_no_gap_however_many_threads_append(journal):
    given = {1: [], 2: []}

    def send(nth):
        for n in range(25):
            of = (ACME, GLOBEX)[(nth + n) % 2]
            names = [f"{nth}-{n}-{k}" for k in range(1 + n % 3)]
            (outcome,) = journal.append([batch(of, *names, sealer=sealers[nth])]).result()
            given[of.number].extend(outcome.indexes)

    from tests.journal.made import Counted

    from sealog.event.sealing import Sealer

    sealers = [Sealer(Counted()) for _ in range(8)]
    threads = [threading.Thread(target=send, args=(nth,)) for nth in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for of in (1, 2):
        assert sorted(given[of]) == list(range(len(given[of])))
        assert journal.size(of) == len(given[of])
        ends = [(b.first, b.end) for b in journal.blocks_of(of, 0)]
        assert [first for first, _ in ends] == [0, *(end for _, end in ends[:-1])]
    blocks = journal.follow(0, 10_000)
    assert [block.seq for block in blocks] == list(range(1, journal.newest() + 1))


def test_a_failed_commit_fails_whole_and_uses_no_index(journal, store):
    def limit(pages):
        store.write(lambda c: driver(c).execute(f"PRAGMA max_page_count={pages}").fetchone())

    journal.append([batch(ACME, "first")]).result()
    pages = store.write(lambda c: driver(c).execute("PRAGMA page_count").fetchone()[0]).result()
    limit(pages)
    large = [batch(ACME, *(f"{k}-{n}" for n in range(500))) for k in range(3)]
    with Held(store):
        futures = [journal.append([each]) for each in large]
    for future in futures:
        with pytest.raises(Busy, match="disk is full"):
            future.result()
    assert (journal.size(1), journal.newest(), journal.waiting()) == (1, 1, 0)

    limit(1_000_000)
    assert journal.append([large[0]]).result()[0].indexes == list(range(1, 501))
    assert journal.append([batch(ACME, "first")]).result()[0].repeated == {0}


def test_who_waits_for_a_commit_that_cannot_begin_is_told(journal, store, path):
    """Another process may hold the file for hours; nobody is left waiting for that."""
    store.write(lambda c: driver(c).execute("PRAGMA busy_timeout=10").fetchall()).result(10)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Busy, match="locked"):
        journal.append([batch(ACME, "a")]).result(5)

    other.execute("ROLLBACK")
    other.close()
    assert journal.waiting() == 0
    (outcome,) = journal.append([batch(ACME, "a")]).result(10)
    assert outcome == Outcome([0])


def test_a_commit_that_breaks_does_not_break_the_next(journal, store):
    broken = batch(ACME, "a")
    broken.fingerprints = []

    with pytest.raises(ValueError, match="shorter"):
        journal.append([broken]).result()

    assert journal.append([batch(ACME, "a")]).result() == [Outcome([0])]


def test_a_request_taken_back_before_its_commit_leaves_nothing(journal, store):
    """A client that goes away cancels its future; once that stopped every commit after it."""
    with Held(store):
        first = journal.append([batch(ACME, "a")])
        gone = journal.append([batch(ACME, "b")])
        last = journal.append([batch(ACME, "c")])
        assert gone.cancel()

    assert first.result() == [Outcome([0])]
    assert last.result() == [Outcome([1])]
    assert journal.append([batch(ACME, "d")]).result() == [Outcome([2])]
    assert journal.waiting() == 0


def test_a_task_that_is_cancelled_leaves_the_journal_going(journal, store):
    async def main():
        with Held(store):
            task = asyncio.ensure_future(asyncio.wrap_future(journal.append([batch(ACME, "a")])))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.sleep(0)
        return await asyncio.wrap_future(journal.append([batch(ACME, "b")]))

    assert asyncio.run(main()) == [Outcome([0])]


def test_only_so_much_waits_and_what_is_refused_leaves_nothing(store):
    journal = journal_on(store, waiting_events_max=10, fair_events=10)
    with Held(store):
        kept = journal.append([batch(ACME, *(f"{n}" for n in range(8)))])
        with pytest.raises(Busy, match="8 events wait to be written; 10 may"):
            journal.append([batch(GLOBEX, "a", "b", "c")])
        also = journal.append([batch(GLOBEX, "a", "b")])
        assert journal.waiting() == 10

    assert (kept.result(), also.result()) == ([Outcome(list(range(8)))], [Outcome([0, 1])])
    assert journal.waiting() == 0
    assert journal.append([batch(GLOBEX, "c")]).result() == [Outcome([2])]


def test_a_request_larger_than_the_limit_is_taken_when_nothing_waits(store):
    journal = journal_on(store, waiting_events_max=2)

    assert journal.append([batch(ACME, "a", "b", "c")]).result() == [Outcome([0, 1, 2])]


def test_no_tenant_takes_the_share_of_the_others(store):
    journal = journal_on(store, waiting_events_max=20)
    with Held(store):
        futures = [journal.append([batch(ACME, *(f"{k}-{n}" for n in range(6)))]) for k in range(2)]
        with pytest.raises(Busy, match="its share"):
            journal.append([batch(ACME, "one more")])
        futures.append(journal.append([batch(GLOBEX, "a", "b", "c")]))

    for future in futures:
        future.result()
    assert journal.append([batch(ACME, "one more")]).result() == [Outcome([12])]


def test_an_append_of_nothing_needs_no_commit(journal, store):
    with Held(store):
        assert journal.append([]).result(timeout=0) == []


def test_followers_see_blocks_in_order_and_in_pieces(journal, monkeypatch):
    for n in range(5):
        journal.append([batch(ACME, f"{n}")]).result()

    assert [block.seq for block in journal.follow(0)] == [1, 2, 3, 4, 5]
    assert [block.seq for block in journal.follow(2, 2)] == [3, 4]
    assert journal.follow(5) == []
    monkeypatch.setattr(journalling, "FOLLOW_BYTES_MAX", 1)
    assert [block.seq for block in journal.follow(0)] == [1]


def test_blocks_of_a_tenant_begin_with_the_one_that_holds_an_index(journal):
    for names in (("a", "b"), ("c",), ("d", "e")):
        journal.append([batch(ACME, *names), batch(GLOBEX, *names)]).result()

    assert [block.first for block in journal.blocks_of(1, 1)] == [0, 2, 3]
    assert [block.first for block in journal.blocks_of(2, 2)] == [2, 3]
    assert journal.blocks_of(1, 5) == []


def test_whoever_checks_blocks_for_themselves_is_given_damaged_ones_too(journal, path):
    journal.append([batch(ACME, "a")]).result()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE blocks SET accepted_us = 1")
    connection.close()

    with pytest.raises(Altered):
        journal.blocks_of(1, 0)
    (block,) = journal.blocks_of(1, 0, checked=False)
    assert block.end == 1


def test_one_tenants_head_is_read_alone(journal):
    journal.append([batch(ACME, "a", "b"), batch(GLOBEX, "a")]).result()

    assert journal.head(1) == Head(1, 2, 0, 0)
    assert journal.head(9) == Head(9, 0, 0, 0)


def test_the_block_at_an_index_is_found_while_it_waits(journal, store):
    for names in (("a", "b"), ("c",)):
        journal.append([batch(ACME, *names)]).result()

    assert [journal.block_at(1, n).first for n in range(3)] == [0, 0, 2]
    assert journal.block_at(1, 3) is None
    store.write(lambda c: journal.advance(c, synced={1: 2}, archived={1: 2})).result()
    assert journal.block_at(1, 1) is None
    assert journal.block_at(1, 2).first == 2


def test_waiting_ends_when_something_newer_is_durable(journal):
    found = []
    waiter = threading.Thread(target=lambda: found.append(journal.wait(0, 10)))
    waiter.start()

    journal.append([batch(ACME, "a")]).result()
    waiter.join()

    assert found == [True]
    assert journal.wait(0, 0)
    assert not journal.wait(1, 0)


def test_whoever_waits_can_be_roused(journal):
    found = []
    waiter = threading.Thread(target=lambda: found.append(journal.wait(0, 10)))
    waiter.start()
    while waiter.is_alive():
        journal.rouse()

    assert found == [False]


def test_progress_is_noted_with_the_callers_own_work(journal, store):
    journal.append([batch(ACME, "a", "b")]).result()

    def fails(connection):
        journal.advance(connection, synced={1: 2}, archived={1: 2})
        raise LookupError

    with pytest.raises(LookupError):
        store.write(fails).result()
    assert journal.heads() == [Head(1, 2, 0, 0)]
    assert len(journal.follow(0)) == 1

    store.write(lambda c: journal.advance(c, archived={1: 2})).result()
    assert journal.archived() == {1: 2}
    store.write(lambda c: journal.advance(c, synced={1: 2})).result()
    assert journal.heads() == [Head(1, 2, 2, 2)]
    assert journal.follow(0) == []


def test_all_goes_on_after_a_restart(store, path):
    journal = journal_on(store)
    journal.append([batch(ACME, "a", "b"), batch(GLOBEX, "a")]).result()
    store.write(lambda c: journal.advance(c, synced={1: 2, 2: 1}, archived={1: 2, 2: 1})).result()
    store.close()

    store = Store(path)
    journal = journal_on(store)
    later = batch(ACME, "a", at_us=NOW_US + 9_000_000, content=b"[]")

    assert (journal.sizes(), journal.newest()) == ({1: 2, 2: 1}, 2)
    assert journal.append([batch(ACME, "a", "b")]).result()[0].repeated == {0, 1}
    assert journal.append([later]).result()[0].conflicts == {0}
    assert journal.append([batch(ACME, "c")]).result() == [Outcome([2])]
    # A number is never given twice, even when all blocks are gone.
    assert [block.seq for block in journal.follow(2)] == [3]
    store.close()


def test_a_head_altered_in_place_stops_the_start(journal, store):
    journal.append([batch(ACME, "a", "b")]).result()
    store.write(lambda c: c.execute(text("UPDATE heads SET size = 1")).rowcount).result()

    with pytest.raises(Altered, match="the head of tenant 1"):
        journal_on(store)


def test_a_looker_reads_beside_the_owner(journal, path):
    journal.append([batch(ACME, "a")]).result()
    store = Store(path, writable=False)

    looker = journal_on(store)

    assert looker.size(1) == 1
    with pytest.raises(Misconfigured, match="takes no writes"):
        looker.append([batch(ACME, "b")])
    assert looker.waiting() == 0
    store.close()


def test_closing_writes_what_waits_however_many_commits_it_takes(path):
    store = Store(path)
    journal = journal_on(store, commit_events_max=1)
    with Held(store):
        futures = [journal.append([batch(ACME, f"{n}")]) for n in range(5)]
        closing = threading.Thread(target=store.close)
        closing.start()
    closing.join()

    assert [future.result(timeout=0) for future in futures] == [[Outcome([n])] for n in range(5)]


def test_several_requests_at_once_are_each_let_in_or_busy(store):
    """A tenant that has its share does not keep out the others it came with."""
    journal = journal_on(store, fair_events=0)

    with Held(store):
        first = journal.append([batch(ACME, "a", "b")])
        done, busy = journal.append_all([[batch(ACME, "c")], [batch(GLOBEX, "d")], []])

    assert list(busy) == [0]
    assert isinstance(busy[0], Busy)
    assert done.result() == [Outcome([0])]
    assert first.result() == [Outcome([0, 1])]


def test_where_none_is_let_in_nothing_waits(journal):
    done, busy = journal.append_all([[], []])

    assert (done.result(), busy) == ([], {})


def test_what_followers_note_between_two_commits_is_kept_by_the_next(journal, store):
    """Heads are held in memory between commits; the file stays what counts."""
    journal.append([batch(ACME, "a", "b")]).result()
    store.write(lambda connection: journal.advance(connection, synced={1: 2})).result()
    journal.append([batch(ACME, "c")]).result()

    assert journal.heads() == [Head(1, 3, synced=2)]


def test_what_a_failed_transaction_noted_is_not_kept(journal, store):
    journal.append([batch(ACME, "a", "b")]).result()

    def fails(connection):
        journal.advance(connection, synced={1: 2})
        raise Busy("the disk is full")

    with pytest.raises(Busy):
        store.write(fails).result()
    journal.append([batch(ACME, "c")]).result()

    assert journal.heads() == [Head(1, 3, synced=0)]


def test_what_an_earlier_program_knew_is_known_in_a_folder_it_left(tmp_path):
    """Its ids were in a table of their own, by event time alone; and it may have ended a while ago."""
    path = tmp_path / "state.db"
    store = Store(path)
    Journal(store, lambda: NOW_US).append([batch(ACME, "a", "b"), batch(GLOBEX, "a")]).result()
    store.close()
    with sqlite3.connect(path) as connection:
        take_back_the_fifth(connection)
        connection.execute(
            'CREATE TABLE ids (key BLOB NOT NULL PRIMARY KEY, "index" INTEGER NOT NULL,'
            " fingerprint BLOB NOT NULL) WITHOUT ROWID"
        )
        connection.execute('INSERT INTO ids SELECT key, "index", fingerprint FROM seen')
        connection.execute("DROP TABLE seen")
        # So that they are known by what was brought along, not as the newest.
        connection.execute("DELETE FROM recent_ids")
        connection.execute("UPDATE alembic_version SET version_num = '0003'")
    connection.close()

    again = Store(path)
    sent = [batch(ACME, "b", "c", "a"), batch(GLOBEX, "a", content=b'{"x":1}')]
    outcomes = Journal(again, lambda: NOW_US).append(sent).result()

    assert outcomes == [
        Outcome([1, 2, 0], repeated=frozenset({0, 2})),
        Outcome([0], conflicts=frozenset({0})),
    ]
    again.close()
