import os
import shutil

import pytest
from sqlalchemy import text
from tests.ledger.lives import Life, waited

from sealog.errors import Altered, Forked, Misconfigured, Truncated


def entries_of(life, number):
    found = b"".join(block.entries for block in life.journal.blocks_of(number, 0))
    return [found[at : at + 33] for at in range(0, len(found), 33)]


@pytest.fixture
def synced(tmp_path):
    """A folder whose log of tenant 1 is synced and signed at 3, and its journal goes on to 5."""
    life = Life(tmp_path / "data")
    life.append(1, "a", "b", "c")
    life.append(2, "a")
    life.ledger.settle()
    life.append(1, "d", "e")
    assert waited(lambda: life.ledger.lag() == 0)
    entries = entries_of(life, 1)
    path = life.copy(tmp_path / "crashed")
    life.stop()
    return path, entries


def log_of(path, number=1):
    from tests.journal.made import tenant

    return path / "logs" / tenant(number).log_id


def opened(path, **more):
    life = Life(path, **more)
    life.ledger.settle()
    return life


def write_at(file, at, content):
    with file.open("r+b") as out:
        out.seek(at)
        out.write(content)


def torn_tail(log):
    write_at(log / "entries", 3 * 33, bytes(66))


def half_an_entry(log):
    os.truncate(log / "entries", 3 * 33 + 20)


def nothing_but_the_synced(log):
    os.truncate(log / "entries", 3 * 33)


def longer_than_the_journal(log):
    with (log / "entries").open("ab") as out:
        out.write(bytes(1000))


def checkpoint_missing(log):
    (log / "checkpoint").unlink()


def checkpoint_empty(log):
    (log / "checkpoint").write_bytes(b"")


def checkpoint_torn(log):
    content = (log / "checkpoint").read_bytes()
    (log / "checkpoint").write_bytes(content[: len(content) // 2])


def half_written_beside(log):
    (log / "checkpoint.new").write_bytes(b"half")


def a_level_that_was_never_reached(log):
    (log / "hashes-1").write_bytes(bytes(32))


@pytest.mark.parametrize(
    "happened",
    [
        lambda _log: None,
        torn_tail,
        half_an_entry,
        nothing_but_the_synced,
        longer_than_the_journal,
        checkpoint_missing,
        checkpoint_empty,
        checkpoint_torn,
        half_written_beside,
        a_level_that_was_never_reached,
    ],
    ids=lambda happened: happened.__name__.strip("<>"),
)
def test_whatever_a_crash_left_the_start_ends_at_the_journals_log(synced, happened):
    path, entries = synced
    happened(log_of(path))

    life = opened(path)
    (log_of(path) / "checkpoint.new").unlink(missing_ok=True)

    life.check(1, entries)
    assert life.signed(2).size == 1
    life.stop()


def test_a_tail_of_a_level_is_made_again(tmp_path):
    life = Life(tmp_path / "data")
    life.grow(1, 300)
    life.ledger.settle()
    life.grow(1, 700)
    assert waited(lambda: life.ledger.lag() == 0)
    entries = entries_of(life, 1)
    path = life.copy(tmp_path / "crashed")
    life.stop()
    os.truncate(log_of(path) / "hashes-1", 32)

    again = opened(path)

    again.check(1, entries)
    again.stop()


def test_the_whole_log_comes_back_where_nothing_was_synced(tmp_path):
    life = Life(tmp_path / "data")
    life.grow(1, 600)
    assert waited(lambda: life.ledger.lag() == 0)
    entries = entries_of(life, 1)
    path = life.copy(tmp_path / "crashed")
    life.stop()
    shutil.rmtree(log_of(path))

    again = opened(path)

    again.check(1, entries)
    again.stop()


def test_what_was_signed_but_not_shown_is_shown_at_the_next_start(synced, tmp_path):
    path, _ = synced
    older = (log_of(path) / "checkpoint").read_bytes()
    life = opened(path)
    crashed = life.copy(tmp_path / "again")
    life.stop()
    (log_of(crashed) / "checkpoint").write_bytes(older)

    again = Life(crashed)

    shown = again.ledger.checkpoint(again.tenants[1])
    assert shown != older
    assert again.signed(1).size == 5
    assert b"\n5\n" in shown
    again.stop()


def test_a_clean_restart_writes_nothing(synced):
    path, _ = synced
    opened(path).stop()
    before = {file: file.stat().st_mtime_ns for file in (path / "logs").rglob("*")}

    Life(path).stop()

    assert {file: file.stat().st_mtime_ns for file in (path / "logs").rglob("*")} == before


def test_synced_bytes_that_are_missing_are_truncated_and_nothing_is_touched(synced):
    path, _ = synced
    os.truncate(log_of(path) / "entries", 2 * 33)

    with pytest.raises(Truncated, match=r"the log of tenant tenant-1: .* holds 66 bytes of the 99"):
        Life(path)

    assert (log_of(path) / "entries").stat().st_size == 66


def test_a_log_that_is_not_the_signed_one_is_refused(synced):
    path, _ = synced
    write_at(log_of(path) / "entries", 40, b"\xff\xff")

    with pytest.raises(Forked, match="not the one that was signed at 3 entries"):
        Life(path)


def test_blocks_that_are_missing_are_named(synced):
    path, _ = synced
    from sealog.storage.store import Store

    store = Store(path / "state.db")
    store.write(lambda c: c.execute(text("DELETE FROM blocks WHERE first = 3")).rowcount).result()
    store.close()

    with pytest.raises(Truncated, match="tenant-1: the journal has no entries from 3 to 5"):
        Life(path)


def test_a_damaged_block_is_named(synced):
    path, _ = synced
    from sealog.storage.store import Store

    store = Store(path / "state.db")
    store.write(
        lambda c: c.execute(text("UPDATE blocks SET body = zeroblob(90) WHERE first = 3")).rowcount
    ).result()
    store.close()

    with pytest.raises(Altered, match="the log of tenant tenant-1: journal block"):
        Life(path)


@pytest.fixture
def two_ages(tmp_path):
    """The same folder twice: signed at 3, and later signed at 5."""
    life = Life(tmp_path / "data")
    life.append(1, "a", "b", "c")
    life.ledger.settle()
    older = life.copy(tmp_path / "older")
    life.append(1, "d", "e")
    life.append(2, "a")
    life.archive_all()
    life.ledger.settle()
    newer = life.copy(tmp_path / "newer")
    life.stop()
    return older, newer


def test_a_state_db_older_than_the_logs_is_refused_before_anything_is_cut(two_ages):
    older, newer = two_ages
    shutil.rmtree(older / "logs")
    shutil.copytree(newer / "logs", older / "logs")

    with pytest.raises(Forked, match="older than logs/"):
        Life(older)

    assert (log_of(older) / "entries").stat().st_size == 5 * 33


def test_a_state_db_that_never_heard_of_a_signed_log_is_refused(two_ages):
    older, newer = two_ages
    shutil.copytree(log_of(newer, 2), log_of(older, 2))

    with pytest.raises(Forked, match="knows no events of it"):
        Life(older)


def test_logs_older_than_the_state_db_are_refused(two_ages):
    older, newer = two_ages
    shutil.rmtree(newer / "logs")
    shutil.copytree(older / "logs", newer / "logs")

    with pytest.raises(Forked, match=r"logs/ is older than state\.db"):
        Life(newer)


def test_an_older_copy_of_the_whole_folder_looks_right_by_itself_but_not_against_a_checkpoint(
    two_ages,
):
    older, newer = two_ages
    pinned = (log_of(newer) / "checkpoint").read_bytes()

    Life(older).stop()
    with pytest.raises(Forked, match="holds 3 entries; the checkpoint has 5"):
        Life(older, against=[pinned])
    Life(newer, against=[pinned]).stop()
    Life(newer, against=[(log_of(older) / "checkpoint").read_bytes()]).stop()


def test_a_fork_is_refused_against_a_checkpoint_of_the_other_branch(two_ages):
    older, newer = two_ages
    pinned = (log_of(newer) / "checkpoint").read_bytes()
    fork = Life(older)
    fork.append(1, "x", "y", "z")
    fork.ledger.settle()
    fork.stop()

    with pytest.raises(Forked, match="does not grow from the checkpoint of 5"):
        Life(older, against=[pinned])


def test_a_checkpoint_to_start_against_is_one_of_this_folder(two_ages):
    _, newer = two_ages
    pinned = (log_of(newer) / "checkpoint").read_bytes()

    with pytest.raises(Misconfigured, match="is no checkpoint"):
        Life(newer, against=[b"nonsense"])
    with pytest.raises(Forked, match="nothing here of"):
        Life(newer, against=[pinned.replace(b"log.example/", b"log.elsewhere/")])
    with pytest.raises(Altered, match="signature"):
        Life(newer, against=[pinned.replace(b"\n5\n", b"\n4\n")])


def test_a_signature_beyond_the_journal_is_refused(synced):
    path, _ = synced
    from sealog.storage.store import Store

    store = Store(path / "state.db")
    store.write(
        lambda c: c.execute(text("UPDATE signed SET size = 99 WHERE tenant = 1")).rowcount
    ).result()
    store.close()

    with pytest.raises(Forked, match="signed at 99 entries; the journal has 5"):
        Life(path)


def test_a_signature_of_a_tenant_without_events_is_refused(synced):
    path, _ = synced
    from sealog.storage.store import Store

    store = Store(path / "state.db")
    store.write(
        lambda c: c.execute(text("UPDATE signed SET tenant = 3 WHERE tenant = 2")).rowcount
    ).result()
    store.close()

    with pytest.raises(Forked):
        Life(path, tenants=3)


def test_what_is_signed_before_it_is_synced_comes_back_the_same(tmp_path):
    life = Life(tmp_path / "data", sign_every_s=0.01)
    life.append(1, "a", "b", "c")
    assert waited(lambda: life.signed(1) is not None)
    signed = life.signed(1)
    entries = entries_of(life, 1)
    path = life.copy(tmp_path / "crashed")
    life.stop()
    shutil.rmtree(log_of(path))

    again = Life(path)

    assert again.signed(1) == signed
    assert b"\n3\n" in again.ledger.checkpoint(again.tenants[1])
    again.ledger.settle()
    again.check(1, entries)
    again.stop()
