import shutil
import sqlite3
import threading
import time

import pytest
from sqlalchemy import text
from tests.storage.older import take_back_the_fifth

from sealog.errors import Busy, Misconfigured
from sealog.storage import store as storing
from sealog.storage.store import Settings, Store, driver
from sealog.storage.tables import REVISION, metadata

QUICK = Settings(look_every_s=0.01, wal_bytes_max=100_000, truncate_every_s=3600)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


@pytest.fixture
def store(path):
    store = Store(path)
    yield store
    store.close()


def put(name, value=b""):
    def work(connection):
        connection.execute(
            text("INSERT INTO installation VALUES (:name, :value)"), {"name": name, "value": value}
        )
        return name

    return work


def names(store):
    with store.reading() as connection:
        rows = connection.execute(text("SELECT name FROM installation ORDER BY name"))
        return [row.name for row in rows]


def pragma(connection, name):
    return driver(connection).execute(f"PRAGMA {name}").fetchone()[0]


def schema(path):
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    connection.close()
    # Alembic breaks its lines.
    return sorted(
        (kind, name, table, "".join((sql or "").split())) for kind, name, table, sql in rows
    )


def blocked():
    """Work that holds the writing thread until it is let go, and two events to do so."""
    begun, go = threading.Event(), threading.Event()

    def work(_connection):
        begun.set()
        assert go.wait(10)

    return work, begun, go


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("secure_delete", 1),
        ("auto_vacuum", 2),
        ("wal_autocheckpoint", 0),
    ],
)
def test_the_writing_connection_has_what_durability_and_forgetting_need(store, name, value):
    found = store.write(lambda connection: pragma(connection, name)).result()

    assert found == value


def test_written_is_readable_when_the_future_is_done(store):
    assert store.write(put("a")).result() == "a"
    assert names(store) == ["a"]


def test_written_is_on_disk_when_the_future_is_done(store, path, tmp_path):
    store.write(put("a")).result()
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in (path, path.with_name("state.db-wal")):
        shutil.copy(file, copy)

    again = Store(copy / "state.db")

    assert names(again) == ["a"]
    again.close()


def test_work_that_fails_is_undone_and_tells_who_waits(store):
    def fails(connection):
        put("a")(connection)
        raise LookupError("no")

    with pytest.raises(LookupError, match="no"):
        store.write(fails).result()

    assert names(store) == []
    assert store.write(put("b")).result() == "b"


def test_work_that_its_sender_took_back_is_not_done(store):
    hold, begun, go = blocked()
    store.write(hold)
    begun.wait(10)
    taken_back = store.write(put("a"))

    assert taken_back.cancel()
    go.set()
    store.write(put("b")).result()

    assert names(store) == ["b"]


def test_accepting_goes_first_but_never_twice_while_others_wait(store):
    hold, begun, go = blocked()
    done = []
    store.write(hold)
    begun.wait(10)
    queued = [store.write(lambda _c, n=n: done.append(f"other {n}")) for n in range(2)]
    queued += [
        store.write(lambda _c, n=n: done.append(f"urgent {n}"), urgent=True) for n in range(3)
    ]

    go.set()
    for future in queued:
        future.result()

    assert done == ["urgent 0", "other 0", "urgent 1", "other 1", "urgent 2"]


def test_what_follows_a_write_runs_in_the_writing_thread(store):
    seen = []

    store.write(put("a"), then=lambda _f: seen.append(threading.current_thread().name)).result()
    store.write(put("b")).result()

    assert seen == ["sealog-writer"]


def test_a_full_disk_is_busy_and_later_writes_work(store):
    def limit(pages):
        return lambda connection: pragma(connection, f"max_page_count={pages}")

    pages = store.write(lambda connection: pragma(connection, "page_count")).result()
    store.write(limit(pages)).result()

    with pytest.raises(Busy, match="disk is full"):
        store.write(put("a", bytes(100_000))).result()
    assert names(store) == []

    store.write(limit(1_000_000)).result()
    store.write(put("a", bytes(100_000))).result()
    assert names(store) == ["a"]


def test_a_file_that_cannot_be_opened_is_busy(path):
    """A start on a disk that fails says so in a sentence."""
    path.mkdir()

    with pytest.raises(Busy, match=r"state\.db could not be opened"):
        Store(path)


def test_a_disk_that_failed_while_the_log_was_looked_at_is_looked_at_again(path, monkeypatch):
    """Else what is deleted would stay in the log until the next start, and it would only grow."""
    failed = threading.Event()
    real = storing._free_pages

    def fail(connection):
        if failed.is_set():
            return real(connection)
        failed.set()
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(storing, "_free_pages", fail)
    store = Store(path, settings=Settings(look_every_s=0.01, truncate_every_s=0.05))
    store.write(put("a")).result()
    assert failed.wait(10)

    log = path.with_name(path.name + "-wal")
    for _ in range(1_000):
        if not log.stat().st_size:
            break
        time.sleep(0.01)

    assert not log.stat().st_size
    store.close()


def test_the_log_is_truncated_more_often_once_something_asks_for_it(path):
    """Deleted rows stay in it until then: retention says for how long they may."""
    store = Store(path, settings=Settings(look_every_s=0.01, truncate_every_s=3_600))
    log = path.with_name(path.name + "-wal")
    store.write(put("a")).result()
    store.truncate_every(7_200)
    assert not emptied(log, tries=20)

    store.truncate_every(0.05)

    assert emptied(log, tries=1_000)
    store.close()


def emptied(log, *, tries):
    """Whether the log becomes empty in so many looks."""
    return any(not log.stat().st_size or time.sleep(0.01) for _ in range(tries))


def test_a_reader_sees_one_moment(store):
    store.write(put("a")).result()

    with store.reading() as connection:
        count = text("SELECT count(*) FROM installation")
        before = connection.execute(count).scalar()
        store.write(put("b")).result()
        after = connection.execute(count).scalar()

    assert (before, after) == (1, 1)
    assert names(store) == ["a", "b"]


def test_a_reader_cannot_write(store):
    with (
        store.reading() as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        driver(connection).execute("DELETE FROM installation")


def test_readers_that_come_do_not_disturb_a_transaction(store):
    """Opening a reader once wrote to the file, and the writer's snapshot went stale under it."""
    count = text("SELECT count(*) FROM installation")

    def opens_readers(connection):
        connection.execute(count)
        with store.reading() as first, store.reading() as second:
            first.execute(count)
            second.execute(count)
        return put("a")(connection)

    assert store.write(opens_readers).result() == "a"


def test_many_writers_and_readers_lose_nothing(store):
    def write(nth):
        for n in range(20):
            store.write(put(f"{nth}-{n}")).result()
            names(store)

    threads = [threading.Thread(target=write, args=(nth,)) for nth in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(names(store)) == 160


def test_the_write_ahead_log_begins_anew_under_steady_writing(path):
    """It would grow without end if only PASSIVE checkpoints ran: there is always a frame more."""
    store = Store(path, settings=QUICK)
    log = path.with_name("state.db-wal")
    written, begun = 0, set()
    while len(begun) < 12 and written < 2_000:
        store.write(put(f"{written}", bytes(50_000))).result()
        written += 1
        # The header's checkpoint number, one more each time the log begins anew (SQLite's format).
        begun.add(log.read_bytes()[12:16])

    assert len(begun) == 12
    assert log.stat().st_size < written * 50_000
    store.close()


def test_the_write_ahead_log_is_emptied_in_time(path):
    """Deleted rows stand in it until then."""
    store = Store(path, settings=Settings(look_every_s=0.01, truncate_every_s=0.01))
    store.write(put("a", b"what must be forgotten")).result()
    store.write(lambda c: c.execute(text("DELETE FROM installation")).rowcount).result()

    log = path.with_name("state.db-wal")
    waiting = threading.Event()
    for _ in range(500):
        if not log.stat().st_size:
            break
        waiting.wait(0.02)

    assert log.stat().st_size == 0
    assert b"what must be forgotten" not in path.read_bytes()
    store.close()


def test_a_long_reader_does_not_stop_the_writer(path):
    store = Store(path, settings=QUICK)
    with store.reading() as connection:
        connection.execute(text("SELECT count(*) FROM installation")).scalar()
        for n in range(20):
            store.write(put(f"{n}", bytes(50_000))).result()
    store.close()

    store = Store(path)
    assert len(names(store)) == 20
    store.close()


def test_pages_that_nobody_needed_for_a_while_are_given_back(path, monkeypatch):
    """Else the file stays as large as the journal once was."""
    monkeypatch.setattr(storing, "FREE_PAGES_KEPT", 100)
    monkeypatch.setattr(storing, "FREE_LOOKS", 3)
    monkeypatch.setattr(storing, "SHRINK_PAGES", 20)
    store = Store(path, settings=Settings(look_every_s=0.01))
    store.write(put("a", bytes(1_000_000))).result()
    store.write(lambda c: c.execute(text("DELETE FROM installation")).rowcount).result()
    waiting = threading.Event()
    for _ in range(1_000):
        free = store.write(lambda c: pragma(c, "freelist_count")).result()
        if free <= 100:
            break
        waiting.wait(0.01)

    assert 80 <= free <= 100
    store.close()


def test_pages_that_are_needed_now_and_then_stay(path, monkeypatch):
    monkeypatch.setattr(storing, "FREE_PAGES_KEPT", 10)
    monkeypatch.setattr(storing, "FREE_LOOKS", 1_000_000)
    store = Store(path, settings=Settings(look_every_s=0.001))
    store.write(put("a", bytes(1_000_000))).result()
    store.write(lambda c: c.execute(text("DELETE FROM installation")).rowcount).result()
    threading.Event().wait(0.1)

    assert store.write(lambda c: pragma(c, "freelist_count")).result() > 200
    store.close()


def test_closing_gives_free_pages_back(path):
    store = Store(path)
    store.write(put("a", bytes(4_000_000))).result()
    store.write(lambda c: c.execute(text("DELETE FROM installation")).rowcount).result()

    store.close()

    assert path.stat().st_size < 300_000


def test_closing_finishes_what_is_queued_and_leaves_one_file(path):
    store = Store(path)
    queued = [store.write(put(f"{n}")) for n in range(10)]

    store.close()

    assert [future.result() for future in queued] == [f"{n}" for n in range(10)]
    assert [file.name for file in path.parent.iterdir()] == ["state.db"]
    with pytest.raises(Misconfigured, match="takes no writes"):
        store.write(put("late"))


def test_what_the_last_write_leads_to_is_still_written(path):
    store = Store(path)
    hold, begun, go = blocked()
    store.write(hold)
    begun.wait(10)
    store.write(put("a"), then=lambda _f: store.write(put("b")))
    closing = threading.Thread(target=store.close)
    closing.start()
    go.set()
    closing.join()

    store = Store(path)
    assert names(store) == ["a", "b"]
    store.close()


def test_the_file_is_its_owners_alone(tmp_path):
    from sealog.storage.folder import Folder

    folder = Folder(tmp_path / "data")
    folder.make()
    store = Store(folder.state)
    store.write(put("a")).result()

    for file in folder.path.glob("state.db*"):
        assert file.stat().st_mode & 0o777 == 0o600
    store.close()


@pytest.mark.parametrize("name", ["what?mode=ro", "100%25#1", "a b"])
def test_a_path_may_hold_any_character(tmp_path, name):
    (tmp_path / name).mkdir()
    store = Store(tmp_path / name / "state.db")
    store.write(put("a")).result()
    store.close()

    assert (tmp_path / name / "state.db").exists()


def test_a_looker_reads_beside_the_owner_and_writes_nothing(store, path):
    store.write(put("a")).result()

    looker = Store(path, writable=False)

    assert names(looker) == ["a"]
    store.write(put("b")).result()
    assert names(looker) == ["a", "b"]
    with pytest.raises(Misconfigured, match="takes no writes"):
        looker.write(put("c"))
    looker.close()


def test_a_looker_reads_what_a_crash_left_in_the_log(store, path, tmp_path):
    store.write(put("a")).result()
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(path, copy)
    shutil.copy(path.with_name("state.db-wal"), copy)

    looker = Store(copy / "state.db", writable=False)

    assert names(looker) == ["a"]
    looker.close()


def test_a_looker_reads_a_copy_on_a_read_only_medium(path, monkeypatch):
    store = Store(path)
    store.write(put("a")).result()
    store.close()
    monkeypatch.setattr(storing.os, "access", lambda *_args: False)

    looker = Store(path, writable=False)

    assert names(looker) == ["a"]
    assert [file.name for file in path.parent.iterdir()] == ["state.db"]
    looker.close()


def test_a_looker_makes_nothing(path):
    with pytest.raises(Misconfigured, match="there is no"):
        Store(path, writable=False)
    assert not path.exists()


def test_alembic_makes_the_same_file_as_the_tables(tmp_path):
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    by_tables = tmp_path / "tables.db"
    Store(by_tables).close()
    by_alembic = tmp_path / "alembic.db"
    config = Config()
    config.set_main_option("script_location", str(storing.MIGRATIONS))
    engine = create_engine(f"sqlite:///{by_alembic}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()

    assert schema(by_alembic) == schema(by_tables)
    assert {name for kind, name, _, _ in schema(by_tables) if kind == "table"} == {
        *metadata.tables,
        "alembic_version",
    }
    Store(by_alembic).close()


def test_a_file_that_was_only_begun_is_made_whole(path):
    path.write_bytes(b"")

    Store(path).close()

    assert ("alembic_version",) in {(name,) for _, name, _, _ in schema(path)}


def test_an_older_file_is_brought_here(path):
    store = Store(path)
    store.write(put("a")).result()
    store.close()
    with sqlite3.connect(path) as connection:
        take_back_the_fifth(connection)
        connection.execute("DROP TABLE reads")
        connection.execute("DROP TABLE exports")
        connection.execute("DROP TABLE seen")
        connection.execute(
            'CREATE TABLE ids (key BLOB NOT NULL PRIMARY KEY, "index" INTEGER NOT NULL,'
            " fingerprint BLOB NOT NULL) WITHOUT ROWID"
        )
        connection.execute("INSERT INTO ids VALUES (x'01', 7, x'02'), (x'00', 8, x'03')")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()

    store = Store(path)

    assert names(store) == ["a"]
    tables = {name for _, name, _, _ in schema(path)}
    assert {"reads", "exports", "seen", "policies", "expired", "streams", "parked"} <= tables
    assert "ids" not in tables
    with store.reading() as connection:
        remembered = connection.execute(text('SELECT key, "index", fingerprint FROM seen')).all()
        assert [tuple(row) for row in remembered] == [(b"\0", 8, b"\x03"), (b"\x01", 7, b"\x02")]
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    assert found == REVISION
    store.close()


@pytest.mark.parametrize("writable", [True, False])
def test_a_file_of_a_newer_program_is_refused(path, writable):
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    with pytest.raises(Misconfigured, match="revision 9999"):
        Store(path, writable=writable)


def test_where_the_file_cannot_be_opened_for_a_while_reading_is_busy(store, path):
    """As when too many files are open: whoever follows the journal tries again."""
    store.write(put("a")).result(10)
    store._reading.dispose()
    away = path.rename(path.with_name("away"))

    with pytest.raises(Busy, match="could not be read"):
        names(store)

    away.rename(path)
    assert names(store) == ["a"]


def test_a_fault_of_our_own_while_reading_is_no_reason_to_come_again(store):
    with pytest.raises(sqlite3.OperationalError, match="no such table"), store.reading() as one:
        driver(one).execute("SELECT * FROM absent")
