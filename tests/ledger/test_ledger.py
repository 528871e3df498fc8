import contextlib
import errno
import os
import threading
from pathlib import Path

import pytest
from tests.ledger.lives import Life, open_files, waited
from tests.ledger.whole import leaves_of, tree_root

from sealog.errors import Altered, Busy, Corrupt, Forked, Missing, Truncated
from sealog.event.packs import Unpacker
from sealog.journal import following as waiting
from sealog.journal.blocks import Block
from sealog.ledger import files as logging_files
from sealog.ledger import ledger as following
from sealog.ledger.files import Tile
from sealog.ledger.ledger import Settings
from sealog.ledger.notes import read_checkpoint
from sealog.ledger.proofs import verify_event_proof
from sealog.merkle.checks import verify_consistency


@pytest.fixture
def life(tmp_path):
    life = Life(tmp_path / "data")
    yield life
    life.stop()


def entries_in(life, number):
    blocks = life.journal.blocks_of(number, 0)
    return [b.entries[at : at + 33] for b in blocks for at in range(0, len(b.entries), 33)]


def test_what_is_accepted_is_sealed_signed_and_synced_once_it_settles(life):
    _, first = life.append(1, "a", "b")
    _, other = life.append(2, "a")
    _, last = life.append(1, "c")

    life.ledger.settle()

    life.check(1, first + last)
    life.check(2, other)
    assert {head.tenant: head.synced for head in life.journal.heads()} == {1: 3, 2: 1}
    assert life.ledger.lag() == 0
    assert life.ledger.failure is None


def test_blocks_go_when_log_and_archive_have_them(life):
    life.append(1, "a", "b")
    life.archive_all()
    assert len(life.journal.follow(0)) == 1

    life.ledger.settle()

    assert life.journal.follow(0) == []


def test_a_checkpoint_comes_on_the_timer_without_being_asked_for(tmp_path):
    life = Life(tmp_path / "data", sign_every_s=0.01, sync_every_s=0.01)
    life.append(1, "a", "b")

    assert waited(lambda: life.signed(1) is not None and life.signed(1).size == 2)
    assert waited(lambda: life.journal.heads()[0].synced == 2)
    life.stop()


def test_the_defaults_are_those_of_the_design():
    assert (Settings().sign_every_s, Settings().sync_every_s) == (1.0, 10.0)


def test_a_note_is_durable_before_it_is_shown(life, monkeypatch):
    shown = []
    keep = logging_files.LogFiles.keep_checkpoint

    def watched(log, note):
        shown.append((life.signed(1).size, note == life.ledger.checkpoint(life.tenants[1])))
        keep(log, note)

    monkeypatch.setattr(logging_files.LogFiles, "keep_checkpoint", watched)
    life.append(1, "a")
    life.ledger.settle()

    assert shown == [(1, False)]


def test_nothing_new_is_not_signed_again(life, monkeypatch):
    life.append(1, "a")
    life.ledger.settle()
    life.append(2, "a")
    before = (life.log(1) / "checkpoint").stat().st_ino

    life.ledger.settle()

    assert (life.log(1) / "checkpoint").stat().st_ino == before


def test_entries_are_there_before_and_after_they_are_sealed(life, monkeypatch):
    held = threading.Event()
    take = following.Ledger._take_blocks
    monkeypatch.setattr(following.Ledger, "_take_blocks", lambda self: held.wait(10) and take(self))
    _, entries = life.append(1, "a", "b", "c")
    _, more = life.append(1, "d")

    waiting = [life.ledger.entry(life.tenants[1], n) for n in range(4)]
    held.set()
    life.ledger.settle()
    life.archive_all()
    sealed = [life.ledger.entry(life.tenants[1], n) for n in range(4)]

    assert waiting == sealed == entries + more
    for beyond in (4, -1):
        with pytest.raises(Missing, match="no entry"):
            life.ledger.entry(life.tenants[1], beyond)


def test_before_the_first_checkpoint_nothing_is_served(life):
    acme = life.tenants[1]

    assert life.ledger.checkpoint(acme) is None
    for ask in (
        lambda: life.ledger.tile(acme, Tile(0, 0, 1)),
        lambda: life.ledger.consistency(acme, 0, 1),
    ):
        with pytest.raises(Missing) as missing:
            ask()
        assert missing.value.code == "no-checkpoint"


def test_every_past_size_is_served_and_proves_against_the_newest(life):
    sizes = []
    for count in (3, 253, 1, 600):
        life.grow(1, count)
        life.ledger.settle()
        sizes.append(life.journal.size(1))
    acme = life.tenants[1]
    leaves = leaves_of(b"".join(entries_in(life, 1)))
    roots = {size: tree_root(leaves[:size]) for size in sizes}

    assert sizes == [3, 256, 257, 857]
    for old in sizes:
        width, number = (old - 1) % 256 + 1, (old - 1) // 256
        tile = life.ledger.tile(acme, Tile(0, number, width))
        assert tile == b"".join(leaves[number * 256 : old])
        path = life.ledger.consistency(acme, old, 857)
        assert verify_consistency(old, 857, path, roots[old], roots[857])
    assert life.ledger.tile(acme, Tile(1, 0, 3)) == b"".join(
        tree_root(leaves[at : at + 256]) for at in (0, 256, 512)
    )


def test_nothing_is_served_that_is_not_signed_yet(life):
    life.append(1, "a")
    life.ledger.settle()
    life.append(1, "b")
    acme = life.tenants[1]
    assert waited(lambda: life.ledger.lag() == 0)

    with pytest.raises(Missing, match="1 entries"):
        life.ledger.tile(acme, Tile(0, 0, 2))
    with pytest.raises(Missing, match="signed up to 1"):
        life.ledger.consistency(acme, 1, 2)


def test_an_events_proof_opens_without_the_server(life):
    life.append(1, "a", "b", "c")
    life.ledger.settle()
    (block,) = life.journal.blocks_of(1, 0)
    opened = Unpacker().events(block.packs()[0])[1]

    proof = life.ledger.event_proof(life.tenants[1], 1, opened)

    verdict = verify_event_proof(proof, life.ledger.vkey(life.tenants[1]))
    assert verdict.holds


def test_a_full_disk_is_waited_out_without_loss(life, monkeypatch):
    monkeypatch.setattr(following, "RETRY_S", 0.01)
    full = threading.Event()
    full.set()
    pwrite = os.pwrite

    def written(number, content, at):
        if not full.is_set():
            return pwrite(number, content, at)
        # Half of it, as a disk does that fills up under a write.
        pwrite(number, bytes(content)[: len(content) // 2], at)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(logging_files.os, "pwrite", written)
    _, entries = life.append(1, "a", "b", "c")
    assert waited(lambda: life.ledger.failure is not None)
    assert life.ledger.failure.errno == errno.ENOSPC
    with pytest.raises(OSError, match="No space left"):
        life.ledger.settle(timeout_s=0.05)

    full.clear()
    life.ledger.settle()

    assert life.ledger.failure is None
    life.check(1, entries)


def test_a_state_db_that_is_full_is_waited_out_too(life, monkeypatch):
    monkeypatch.setattr(following, "RETRY_S", 0.01)
    write = life.store.write
    failing = threading.Event()
    failing.set()

    def may_fail(work, **more):
        if failing.is_set() and threading.current_thread().name == "sealog-ledger":
            raise Busy("state.db could not be written: database or disk is full")
        return write(work, **more)

    monkeypatch.setattr(life.store, "write", may_fail)
    _, entries = life.append(1, "a")
    with pytest.raises(Busy):
        life.ledger.settle(timeout_s=0.05)

    failing.clear()
    life.ledger.settle()

    life.check(1, entries)


def test_a_sync_that_fails_leaves_the_blocks(life, monkeypatch):
    monkeypatch.setattr(following, "RETRY_S", 0.01)
    tried = []

    def fails(watched):
        tried.append(Path(f"/proc/self/fd/{watched}").readlink())
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(following, "sync_all", fails)
    life.append(1, "a")
    life.archive_all()

    with pytest.raises(OSError, match="Input/output"):
        life.ledger.settle(timeout_s=0.1)

    assert tried[0] == life.path / "logs"
    assert len(life.journal.follow(0)) == 1
    monkeypatch.undo()
    life.ledger.settle()
    assert life.journal.follow(0) == []


def test_what_a_failed_sync_may_have_lost_is_written_again(life, monkeypatch):
    """After it the system may have dropped what it could not write, and the next sync is fine."""
    monkeypatch.setattr(following, "RETRY_S", 0.01)
    _, synced = life.append(1, "a")
    life.ledger.settle()
    _, more = life.append(1, *[f"b{n}" for n in range(300)])
    life.archive_all()
    sync_all, lost = following.sync_all, []

    def loses(path):
        if not lost:
            lost.append(path)
            with (life.log(1) / "entries").open("r+b") as file:
                file.seek(33)
                file.write(bytes(33 * 300))
            (life.log(1) / "hashes-1").write_bytes(bytes(32))
            raise OSError(errno.EIO, "Input/output error")
        sync_all(path)

    monkeypatch.setattr(following, "sync_all", loses)
    with contextlib.suppress(OSError):
        life.ledger.settle()
    life.ledger.settle()

    assert lost
    assert life.journal.follow(0) == []
    life.check(1, [*synced, *more])


def test_one_tenants_damaged_block_keeps_no_other_from_being_sealed(life, monkeypatch):
    check = Block.check

    def damaged(block):
        if block.tenant == 1:
            raise Altered("not what was written")
        check(block)

    monkeypatch.setattr(Block, "check", damaged)
    life.append(1, "a")
    _, entries = life.append(2, "b")

    with pytest.raises(Altered):
        life.ledger.settle()

    life.check(2, entries)
    assert isinstance(life.ledger.failure, Altered)
    assert [head.synced for head in life.journal.heads()] == [0, 1]


@pytest.fixture
def damaged(life, monkeypatch):
    """Tenant 1's blocks are damaged, as long as this is not emptied."""
    check, which = Block.check, {1}

    def found(block):
        if block.tenant in which:
            raise Altered("not what was written")
        check(block)

    monkeypatch.setattr(following, "RETRY_S", 0.01)
    monkeypatch.setattr(waiting, "RETRY_S", 0.01)
    return which, lambda: monkeypatch.setattr(Block, "check", found)


def trouble(life):
    """What keeps the ledger from settling."""
    try:
        life.ledger.settle()
    except (OSError, Altered) as error:
        return str(error)
    return ""


def sync_that_loses(life, monkeypatch, then):
    """The next sync fails, having lost what was written to tenant 1's log since the first entry."""
    sync_all, lost = following.sync_all, []

    def loses(watched):
        if lost:
            sync_all(watched)
            return
        lost.append(watched)
        with (life.log(1) / "entries").open("r+b") as file:
            file.seek(33)
            file.write(bytes(33 * 2))
        then()
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(following, "sync_all", loses)


def test_one_tenants_damaged_block_stays_its_own_after_a_failed_sync(life, monkeypatch, damaged):
    """What must be written again cannot be: it is not signed further, and its blocks stay."""
    which, damage = damaged
    _, first = life.append(1, "a")
    _, others = life.append(2, "a")
    life.ledger.settle()
    sync_that_loses(life, monkeypatch, damage)
    _, more = life.append(1, "b", "c")
    _, newer = life.append(2, "b")
    with contextlib.suppress(OSError, Altered):
        life.ledger.settle()

    # Until then the sync is what it tries again after, or the block that nobody has asked whose.
    assert waited(lambda: "the log of tenant tenant-1" in trouble(life))
    signed = life.signed(1).size
    _, last = life.append(1, "d")
    _, newest = life.append(2, "c")
    life.archive_all()
    with pytest.raises(Altered):
        life.ledger.settle()

    life.check(2, [*others, *newer, *newest])
    assert isinstance(life.ledger.failure, Altered)
    assert life.signed(1).size == signed == 3
    assert {head.tenant: head.synced for head in life.journal.heads()} == {1: 1, 2: 3}
    assert [block.tenant for block in life.journal.follow(0, checked=False)] == [1, 1]

    which.clear()
    assert waited(lambda: settled(life))
    life.check(1, [*first, *more, *last])
    assert life.journal.follow(0) == []


def test_a_damaged_block_that_is_yet_to_come_does_not_keep_the_others_from_being_written_again(
    life, monkeypatch
):
    life.append(1, "a")
    life.ledger.settle()
    check = Block.check

    def damaged(block):
        if block.first == 3:
            raise Altered("not what was written")
        check(block)

    _, more = life.append(1, "b", "c")
    monkeypatch.setattr(following, "RETRY_S", 0.01)
    monkeypatch.setattr(Block, "check", damaged)
    sync_that_loses(life, monkeypatch, lambda: life.append(1, "d"))

    with contextlib.suppress(OSError, Altered):
        life.ledger.settle()
    with pytest.raises(Altered):
        life.ledger.settle()

    assert (life.log(1) / "entries").read_bytes()[33:] == b"".join(more)
    assert [head.synced for head in life.journal.heads()] == [3]
    assert life.signed(1).size == 3


def test_a_log_that_cannot_be_signed_keeps_no_other_from_it(life, monkeypatch):
    _, first = life.append(1, "a")
    life.ledger.settle()
    monkeypatch.setattr(waiting, "RETRY_S", 0.01)
    root, broken = logging_files.LogFiles.root, [life.log(1)]

    def fails(log):
        if log.folder in broken:
            raise Corrupt("a hash is not what was written")
        return root(log)

    monkeypatch.setattr(logging_files.LogFiles, "root", fails)
    _, more = life.append(1, "b")
    _, others = life.append(2, "b")
    life.archive_all()
    with pytest.raises(Corrupt, match="the log of tenant tenant-1"):
        life.ledger.settle()

    life.check(2, others)
    assert life.signed(1).size == 1
    assert {head.tenant: head.synced for head in life.journal.heads()} == {1: 1, 2: 1}
    assert [block.tenant for block in life.journal.follow(0)] == [1]

    broken.clear()
    assert waited(lambda: settled(life))
    life.check(1, [*first, *more])


def test_a_log_that_lost_what_was_signed_is_not_signed_again(life, monkeypatch):
    """Its files are long enough, but other than what was signed: nothing else is ever signed."""
    monkeypatch.setattr(waiting, "RETRY_S", 0.01)
    life.append(1, "a", "b")
    life.ledger.settle()
    with (life.log(1) / "entries").open("r+b") as file:
        file.write(bytes(33))
    root, failed = logging_files.LogFiles.root, []

    def fails_once(log):
        if not failed:
            failed.append(log)
            raise Corrupt("a hash is not what was written")
        return root(log)

    monkeypatch.setattr(logging_files.LogFiles, "root", fails_once)
    life.append(1, "c")

    with pytest.raises(Corrupt):
        life.ledger.settle()
    assert waited(lambda: isinstance(life.ledger.failure, Forked))
    with pytest.raises(Forked, match="signed at 2 entries"):
        life.ledger.settle()

    assert life.signed(1).size == 2
    assert [head.synced for head in life.journal.heads()] == [2]


def settled(life):
    try:
        life.ledger.settle()
    except Corrupt:
        return False
    return True


def test_what_cannot_be_repaired_is_told_to_who_waits(life):
    life.append(1, "a", "b")
    life.ledger.settle()
    os.truncate(life.log(1) / "entries", 33)
    life.append(1, "c")

    with pytest.raises(Truncated, match="the log of tenant tenant-1"):
        life.ledger.settle()

    assert isinstance(life.ledger.failure, Truncated)
    with pytest.raises(Truncated):
        life.ledger.settle()


def test_settling_has_a_time_limit(life, monkeypatch):
    held = threading.Event()
    monkeypatch.setattr(following.Ledger, "_take_blocks", lambda _self: held.wait(10) and False)
    life.append(1, "a")

    with pytest.raises(Corrupt, match="did not settle in time"):
        life.ledger.settle(timeout_s=0.01)
    monkeypatch.undo()
    held.set()


def test_many_settle_at_once(life):
    done = []

    def settle(nth):
        life.append(1 + nth % 2, f"{nth}")
        life.ledger.settle()
        done.append(life.signed(1 + nth % 2).size >= 1)

    # Batches of one sealer are made one after the other.
    lock = threading.Lock()
    append = life.append

    def one_by_one(*values):
        with lock:
            return append(*values)

    life.append = one_by_one
    threads = [threading.Thread(target=settle, args=(nth,)) for nth in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert done == [True] * 8


def test_thousands_of_logs_share_one_sync_and_few_open_files(tmp_path, monkeypatch):
    count = 1_000 if os.environ.get("CI") else 10_000
    life = Life(tmp_path / "data", tenants=count, logs_held_max=100)
    synced, most = [], []
    sync_all = following.sync_all

    def watched(path):
        synced.append(path)
        sync_all(path)

    monkeypatch.setattr(following, "sync_all", watched)
    write = logging_files.os.pwrite

    def counted(*values):
        most.append(open_files())
        return write(*values)

    before = open_files()
    monkeypatch.setattr(logging_files.os, "pwrite", counted)
    futures = [
        life.journal.append([following_batch(life, number)]) for number in range(1, count + 1)
    ]
    for future in futures:
        future.result()
    life.ledger.settle()

    assert len(synced) == 1
    assert max(most) <= before + 20
    with life.store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*), sum(size) FROM signed").one() == (
            count,
            count,
        )
    for number in (1, count // 2, count):
        acme = life.tenants[number]
        shown = read_checkpoint(life.ledger.checkpoint(acme), [life.ledger.vkey(acme)])
        assert shown.size == 1
    life.stop()


def following_batch(life, number):
    from tests.journal.made import batch

    return batch(life.tenants[number], "a", sealer=life.sealer)
