"""A whole folder: what is altered, missing, added, restored or being written."""

import os
import shutil
import sqlite3
import threading

import pytest
from tests.verify.made import Home, alter, event, statement

from sealog.errors import Misconfigured
from sealog.verify import resting
from sealog.verify.folder import verify_folder


@pytest.fixture
def folder(stopped, tmp_path):
    """A copy of the small folder, to be damaged."""
    path = tmp_path / "copy"
    shutil.copytree(stopped, path)
    return path


def places(report):
    return {fault.where for fault in report.faults}


def log_of(path, name):
    with sqlite3.connect(path / "state.db") as connection:
        (log_id,) = connection.execute(
            "SELECT log_id FROM tenants WHERE name = ?", (name,)
        ).fetchone()
    connection.close()
    return log_id


class TestAFolderThatIsWell:
    def test_holds_and_says_what_the_verdict_rests_on(self, folder):
        report = verify_folder(folder)

        assert report.holds
        assert report.faults == []
        assert report.unfinished == []
        assert [one.tenant for one in report.tenants] == ["acme", "bolt", "core"]
        assert [one.size for one in report.tenants] == [300, 5, 1]
        assert [one.signed_size for one in report.tenants] == [300, 5, 1]
        assert report.counts.opened == 304
        assert report.counts.erased == 1
        assert report.counts.statement == 1
        assert report.counts.unexplained == 0
        assert not report.key_pinned
        assert report.trust.startswith("consistent with itself, no more")

    def test_is_left_as_it_is(self, folder):
        """Not even SQLite may leave a file beside what it reads."""
        before = {
            p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()
        }

        verify_folder(folder)

        after = {
            p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()
        }
        assert after == before

    def test_shows_how_far_it_is(self, folder):
        seen = []

        verify_folder(folder, progress=lambda *step: seen.append(step))

        assert {label for label, _, _ in seen} == {"acme", "bolt", "core"}
        assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
        assert seen[-1][1:] == (612, 612)

    def test_is_verified_while_a_server_runs_on_it(self, home):
        home.add("acme", event(), event())
        home.settle()

        report = verify_folder(home.path)

        assert report.faults == []
        assert report.counts.opened == 2

    def test_is_verified_while_it_is_written_to(self, tmp_path):
        """Accepting, cutting, signing and syncing go on; what is being replaced is no fault."""
        home = Home(tmp_path / "folder")
        home.add("acme", event())
        stop = threading.Event()

        def write():
            while not stop.is_set():
                home.add("acme", *[event() for _ in range(40)])
                home.add("bolt", event(), statement("sealog.key"))
                home.cut()
                home.settle()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            reports = [verify_folder(home.path) for _ in range(12)]
        finally:
            stop.set()
            writer.join()
            home.close()

        assert [fault for report in reports for fault in report.faults] == []
        assert [report.counts.unexplained for report in reports] == [0] * 12
        last = verify_folder(home.path)
        assert last.faults == []
        assert last.unfinished == []

    def test_is_verified_while_its_segments_are_merged(self, home):
        """Files that go meanwhile are looked for where their events are now."""
        merger = home.archive._merger
        merger.stop()
        merger._stopping.clear()
        for _ in range(40):
            home.add("acme", event(), statement("sealog.key"), event())
            home.cut()
        home.settle()
        left = [3, 2, 1]

        def merge(*_):
            """Once the first segments were looked at, most of the others go."""
            if left and merger.step():
                left.pop()
                merger.sweep()

        report = verify_folder(home.path, progress=merge)

        assert left == []
        assert report.faults == []
        assert report.counts.opened == 80
        assert report.counts.statement == 40
        assert report.counts.unexplained == 0

    def test_is_verified_while_one_file_of_a_merged_segment_is_gone_and_one_is_not(
        self, home, monkeypatch
    ):
        """What was looked at is not looked for again: it would be found twice."""
        merger = home.archive._merger
        merger.stop()
        merger._stopping.clear()
        for _ in range(16):
            home.add("acme", event(), event())
            home.cut()
        home.settle()
        real = resting.check_files

        def check_files(one, findings):
            """Right after the first files were checked, a server begins to delete them."""
            found = real(one, findings)
            if one.segment.generation == 0 and merger.step():
                one.segment.columns_path.unlink()
            return found

        monkeypatch.setattr(resting, "check_files", check_files)
        report = verify_folder(home.path)

        assert report.faults == []
        assert report.counts.opened == 32

    def test_names_a_listed_file_that_is_gone_while_others_are_merged(self, home):
        merger = home.archive._merger
        merger.stop()
        merger._stopping.clear()
        for _ in range(20):
            home.add("acme", event(), event())
            home.cut()
        home.settle()
        (lost,) = home.path.glob("archive/*/default/36-37-0.arrow")
        lost.unlink()

        def merge(*_):
            if merger.step():
                merger.sweep()

        report = verify_folder(home.path, progress=merge)

        assert {fault.where.rpartition("/")[2] for fault in report.faults} == {
            "36-37-0.arrow",
            "entries",
        }
        assert report.counts.opened == 38
        assert report.counts.unexplained == 2

    def test_is_well_after_a_crash(self, home, tmp_path):
        """What the files hold beyond what was synced is unfinished."""
        home.add("acme", event(), event())
        home.settle()
        home.add("acme", *[event() for _ in range(300)])

        report = verify_folder(home.crash(tmp_path / "left"))

        assert report.faults == []
        assert report.counts.opened == 302
        assert report.tenants[0].signed_size == 2

    @pytest.mark.parametrize("left", [0, 33, 40, 33 * 200])
    def test_is_well_when_unsynced_bytes_were_lost_or_never_reached_the_disk(
        self, home, tmp_path, left
    ):
        home.add("acme", event(), event())
        home.settle()
        home.add("acme", *[event() for _ in range(300)])
        crashed = home.crash(tmp_path / "left")
        entries = crashed / "logs" / log_of(crashed, "acme") / "entries"
        lost = entries.stat().st_size - 66 - left

        os.truncate(entries, 66 + left)
        assert verify_folder(crashed).faults == []
        with entries.open("ab") as file:
            file.write(bytes(lost))
        assert verify_folder(crashed).faults == []

    def test_names_unsynced_bytes_that_are_not_the_journals(self, home, tmp_path):
        home.add("acme", event(), event())
        home.settle()
        home.add("acme", *[event() for _ in range(3)])
        crashed = home.crash(tmp_path / "left")
        with (crashed / "logs" / log_of(crashed, "acme") / "entries").open("r+b") as file:
            file.seek(33 * 3 + 5)
            file.write(b"\xaa\xbb")

        (fault,) = verify_folder(crashed).faults

        assert fault.where.endswith("/entries")
        assert fault.index == 3

    def test_may_hold_bytes_beyond_everything_that_was_accepted(self, folder):
        entries = folder / "logs" / log_of(folder, "core") / "entries"
        with entries.open("ab") as file:
            file.write(b"\x01" * 50)

        assert verify_folder(folder).faults == []

    def test_may_hold_files_that_were_being_written(self, folder):
        """Their events are in the journal still."""
        bolt = folder / "archive" / log_of(folder, "bolt") / "default"
        (bolt / "3-4-0.arrow").write_bytes(b"half")
        (bolt / "3-4-0.parquet.new").write_bytes(b"")
        (folder / "logs" / log_of(folder, "bolt") / "checkpoint.new").write_bytes(b"")

        report = verify_folder(folder)

        assert report.faults == []
        assert len(report.unfinished) == 3


ALTERED = [None, "x", b"", -1, 0, 1, 2, 7, 1 << 40, (1 << 63) - 1, 1.5]


def alterations(value):
    if isinstance(value, bytes):
        middle = len(value) // 2
        flipped = value[:middle] + bytes([value[middle] ^ 1]) + value[middle + 1 :]
        return [None, "x", 3, b"", value[:-1], value + b"\x00", flipped]
    if isinstance(value, str):
        return [None, "", "../..", value + "x", 3, b"\xff"]
    if value is None:
        return [other for other in ALTERED if other is not None]
    return [other for other in [*ALTERED, value + 1, value - 1] if other != value]


def rows_of(path, table):
    with sqlite3.connect(path / "state.db") as connection:
        cursor = connection.execute(f"SELECT * FROM {table}")
        names = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
    connection.close()
    return names, rows


class TestStateThatWasAltered:
    @pytest.mark.parametrize("table", ["blocks", "heads", "segments", "signed"])
    def test_every_value_of_a_row_is_named(self, folder, table):
        """By its table, whatever is put in its place: another number, text, nothing."""
        state = folder / "state.db"
        content = state.read_bytes()
        names, rows = rows_of(folder, table)
        assert rows
        unnamed = []
        for nth, row in enumerate(rows):
            where = " AND ".join(f"{name} IS ?" for name in names)
            for name, value in zip(names, row, strict=True):
                # Everything is tried on one row; of the others, that each value counts.
                for other in alterations(value)[-2 if nth else 0 :]:
                    state.write_bytes(content)
                    try:
                        sql = f"UPDATE {table} SET {name} = ? WHERE {where}"
                        assert alter(folder, sql, other, *row) == 1
                    except sqlite3.IntegrityError:
                        continue
                    if not any(f"state.db {table}" in one for one in places(verify_folder(folder))):
                        unnamed.append((row[0], name, other))
        assert unnamed == []

    @pytest.mark.parametrize("table", ["blocks", "heads", "segments", "signed", "tenants"])
    def test_every_deleted_row_is_named(self, folder, table):
        state = folder / "state.db"
        content = state.read_bytes()
        names, rows = rows_of(folder, table)
        unnamed = []
        for row in rows:
            state.write_bytes(content)
            where = " AND ".join(f"{name} IS ?" for name in names)
            assert alter(folder, f"DELETE FROM {table} WHERE {where}", *row) == 1
            if verify_folder(folder).holds:
                unnamed.append(row[:2])
        assert unnamed == []

    @pytest.mark.parametrize("column", ["number", "name", "log_id"])
    def test_a_tenant_that_was_renamed_or_moved_is_named(self, folder, column):
        state = folder / "state.db"
        content = state.read_bytes()
        _, rows = rows_of(folder, "tenants")
        unnamed = []
        for number, name, log_id, *_ in rows:
            for other in alterations({"number": number, "name": name, "log_id": log_id}[column]):
                state.write_bytes(content)
                try:
                    alter(
                        folder, f"UPDATE tenants SET {column} = ? WHERE number = ?", other, number
                    )
                except sqlite3.IntegrityError:
                    continue
                if verify_folder(folder).holds:
                    unnamed.append((number, other))
        assert unnamed == []

    @pytest.mark.parametrize(
        "value",
        [None, b"", b"\xff", "text", b"a b", b"x" * 9_000],
        ids=lambda value: repr(value)[:20],
    )
    def test_an_installation_name_that_is_none_is_a_fault(self, folder, value):
        try:
            alter(folder, "UPDATE installation SET value = ? WHERE name = 'name'", value)
        except sqlite3.IntegrityError:
            alter(folder, "DELETE FROM installation")

        assert not verify_folder(folder).holds

    def test_rows_whose_digest_was_made_to_fit_are_held_against_the_log(self, folder):
        """Somebody who knows the program still cannot make another event hash into the entry."""
        from sealog.storage.tables import row_digest

        names, rows = rows_of(folder, "segments")
        for row in rows:
            for name, change in [("last", 1), ("count", 1), ("first_us", 1), ("last_us", -1)]:
                values = list(row)
                values[names.index(name)] += change
                values[names.index("digest")] = row_digest("segments", *values[:12])
                shutil.copytree(folder, folder.parent / "other", dirs_exist_ok=True)
                changed = ", ".join(f"{one} = ?" for one in names)
                where = " AND ".join(f"{one} IS ?" for one in names)
                alter(
                    folder.parent / "other",
                    f"UPDATE segments SET {changed} WHERE {where}",
                    *values,
                    *row,
                )
                assert not verify_folder(folder.parent / "other").holds

    def test_a_head_made_to_fit_that_names_a_huge_log_fills_no_memory(self, folder):
        from sealog.storage.tables import row_digest

        size = 1 << 60
        digest = row_digest("heads", 1, size, size, size)
        alter(
            folder,
            "UPDATE heads SET size = ?, synced = ?, archived = ?, digest = ? WHERE tenant = 1",
            size,
            size,
            size,
            digest,
        )

        report = verify_folder(folder)

        assert not report.holds
        assert report.counts.unexplained == size - 300

    @pytest.mark.parametrize(
        ("head", "where"),
        [((300, 301, 300), "state.db heads"), ((300, 300, 301), "state.db heads"),
         ((300, 300, 299), "state.db segments"), ((300, 299, 300), "state.db blocks")],
        ids=["synced", "archived", "less-archived", "less-synced"],
    )  # fmt: skip
    def test_a_head_made_to_fit_is_held_against_what_there_is(self, folder, head, where):
        from sealog.storage.tables import row_digest

        alter(
            folder,
            "UPDATE heads SET size = ?, synced = ?, archived = ?, digest = ? WHERE tenant = 1",
            *head,
            row_digest("heads", 1, *head),
        )

        assert where in places(verify_folder(folder))

    def test_a_damaged_page_of_a_table_that_is_not_walked_is_named(self, folder):
        """The memory of ids decides what is a repeat."""
        connection = sqlite3.connect(folder / "state.db")
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'seen'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        connection.close()
        with (folder / "state.db").open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(b"\xa5" * size)

        (fault,) = verify_folder(folder).faults

        assert fault.where == "state.db"
        assert fault.what.startswith("SQLite finds it damaged")

    def test_rows_of_nobody_are_named(self, folder):
        alter(folder, "UPDATE signed SET tenant = 99 WHERE tenant = 1")

        report = verify_folder(folder)

        assert "tenant 99 is not in the list of tenants" in str(report.faults[0])

    def test_another_installation_name_fits_no_signature(self, folder):
        alter(folder, "UPDATE installation SET value = ? WHERE name = 'name'", b"log.example.com")

        assert "state.db signed" in places(verify_folder(folder))

    def test_what_is_no_sqlite_file_is_named(self, folder):
        for content in (b"", b"SQLite format 3\x00", b"\x00" * 5_000, os.urandom(9_000)):
            (folder / "state.db").write_bytes(content)
            assert "state.db" in {place[:8] for place in places(verify_folder(folder))}

    def test_a_damaged_page_of_state_is_a_fault_and_nothing_else(self, folder):
        """Whatever SQLite makes of it: no traceback, and never a clean verdict with rows lost."""
        state = folder / "state.db"
        content = state.read_bytes()
        for page in range(len(content) // 4096):
            damaged = content[: page * 4096] + b"\xa5" * 4096 + content[page * 4096 + 4096 :]
            state.write_bytes(damaged)
            verify_folder(folder)
        # Beyond its last byte that is not zero, nothing is lost: a page that is cut reads as zeros.
        for length in range(0, len(content.rstrip(b"\0")), 5_000):
            state.write_bytes(content[:length])
            assert not verify_folder(folder).holds


class TestFilesThatAreMissingAddedOrCut:
    def test_every_missing_file_is_named(self, folder):
        """A checkpoint is written again from state.db by the next start: it is unfinished."""
        missing = [
            path
            for top in ("logs", "archive")
            for path in sorted((folder / top).rglob("*"))
            if path.is_file()
        ]
        assert len(missing) == 13
        for path in missing:
            content = path.read_bytes()
            path.unlink()
            report = verify_folder(folder)
            named = {
                fault.where
                for fault in (report.unfinished if path.name == "checkpoint" else report.faults)
            }
            assert str(path.relative_to(folder)) in named
            path.write_bytes(content)
        assert verify_folder(folder).holds

    def test_a_missing_log_folder_is_named(self, folder):
        name = f"logs/{log_of(folder, 'acme')}"
        shutil.rmtree(folder / name)

        report = verify_folder(folder)

        assert name in places(report)
        assert report.counts.unexplained == 300

    @pytest.mark.parametrize("top", ["logs", "archive"])
    def test_a_missing_top_folder_is_named(self, folder, top):
        shutil.rmtree(folder / top)

        assert not verify_folder(folder).holds

    def test_every_file_cut_short_is_named(self, folder):
        for top in ("logs", "archive"):
            for path in sorted((folder / top).rglob("*")):
                if not path.is_file():
                    continue
                content = path.read_bytes()
                for length in {0, 1, len(content) // 2, len(content) - 1} - {len(content)}:
                    os.truncate(path, length)
                    assert str(path.relative_to(folder)) in places(verify_folder(folder)), length
                    path.write_bytes(content)

    @pytest.mark.parametrize(
        "name",
        [
            "logs/{bolt}/notes.txt",
            "logs/stray",
            "logs/" + "0" * 32 + "/entries",
            "archive/{bolt}/default/0-2-1.arrow",
            "archive/{bolt}/default/1-2-0.parquet",
            "archive/{bolt}/default/x.arrow",
            "archive/{bolt}/0-1-0.arrow",
            "archive/{bolt}/default/deep/7-9-0.arrow",
            "archive/" + "0" * 32 + "/default/0-1-0.arrow",
        ],
    )
    def test_a_file_that_nobody_lists_is_named(self, folder, name):
        path = folder / name.format(bolt=log_of(folder, "bolt"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")

        report = verify_folder(folder)

        (fault,) = report.faults
        assert str(path.relative_to(folder)).startswith(fault.where)


class TestWhatIsNotThereAnyMore:
    @pytest.fixture
    def path(self, home):
        """Four events in a segment of their own, one event after them, and the files' names."""
        home.add("acme", *[event() for _ in range(4)])
        home.cut()
        home.add("acme", event())
        home.cut()
        return home

    def gone(self, home):
        home.settle()
        home.close()
        assert alter(home.path, "DELETE FROM segments WHERE first = 0") == 1
        for stored in (home.path / "archive").glob("*/default/0-3-0.*"):
            stored.unlink()
        return verify_folder(home.path)

    def test_expired_where_a_statement_says_so(self, path):
        path.add("acme", statement("sealog.retention", ranges=[[0, 3]], policy="90d"))
        path.cut()

        report = self.gone(path)

        assert report.faults == []
        assert report.counts.expired == 4
        assert report.counts.opened == 1
        assert report.counts.statement == 1

    def test_expired_where_the_statement_still_waits(self, path):
        path.add("acme", statement("sealog.retention", ranges=[[0, 3]]))

        assert self.gone(path).counts.expired == 4

    def test_unexplained_where_none_does(self, path):
        report = self.gone(path)

        (fault,) = report.faults
        assert fault.index == 0
        assert fault.what.startswith("indexes 0 to 3 are in the log, but neither stored")
        assert report.counts.unexplained == 4


class TestNamesThatWereExchanged:
    def test_each_tenants_events_say_whose_they_are(self, home):
        """Names are not sealed: without this each would be shown the other's trail."""
        for name in ("acme", "bolt"):
            home.add(name, event(tenant=name))
            home.cut()
            home.add(name, event(tenant=name))
        home.settle()
        home.close()
        assert verify_folder(home.path).holds

        alter(home.path, "UPDATE tenants SET name = 'x' WHERE name = 'acme'")
        alter(home.path, "UPDATE tenants SET name = 'acme' WHERE name = 'bolt'")
        alter(home.path, "UPDATE tenants SET name = 'bolt' WHERE name = 'x'")

        report = verify_folder(home.path)
        assert [(fault.tenant, fault.index) for fault in report.faults] == [
            ("bolt", 0),
            ("bolt", 1),
            ("acme", 0),
            ("acme", 1),
        ]


class TestAFolderPutTogetherFromSeveralTimes:
    @pytest.fixture
    def ages(self, home, tmp_path):
        """The same folder twice, the second time with more sealed."""
        home.add("acme", event(), event())
        home.cut()
        home.settle()
        home.close()
        old = tmp_path / "old"
        shutil.copytree(home.path, old)
        home.start()
        home.add("acme", event())
        home.cut()
        home.settle()
        home.close()
        return old, home.path

    def test_older_logs_are_named(self, ages):
        old, new = ages
        shutil.rmtree(new / "logs")
        shutil.copytree(old / "logs", new / "logs")

        (fault,) = [one for one in verify_folder(new).faults if one.where.endswith("entries")][:1]

        assert "it ends before entry 3" in fault.what

    def test_an_older_state_is_named(self, ages):
        old, new = ages
        shutil.copyfile(old / "state.db", new / "state.db")

        assert any("this state.db is older" in one.what for one in verify_folder(new).faults)

    def test_an_older_archive_is_named(self, ages):
        old, new = ages
        shutil.rmtree(new / "archive")
        shutil.copytree(old / "archive", new / "archive")

        assert any("it is missing" in one.what for one in verify_folder(new).faults)

    def test_an_older_checkpoint_that_verifies_is_unfinished(self, ages):
        """A server that dies between noting and writing it leaves it so."""
        old, new = ages
        log_id = log_of(new, "acme")
        shutil.copyfile(old / "logs" / log_id / "checkpoint", new / "logs" / log_id / "checkpoint")

        report = verify_folder(new)

        assert report.faults == []
        (note,) = report.unfinished
        assert note.what == "it is of 2 entries, older than what was signed last"

    def test_an_older_whole_looks_right_by_itself_and_not_against_a_newer_checkpoint(self, ages):
        """Only what somebody kept outside tells that a whole folder is older than it was."""
        old, new = ages
        newer = (new / "logs" / log_of(new, "acme") / "checkpoint").read_bytes()

        assert verify_folder(old).holds
        report = verify_folder(old, against=[newer])

        (fault,) = report.faults
        assert "it is older than the checkpoint you hold" in fault.what
        assert report.trust.startswith("compared with the checkpoints that you hold")

    def test_a_newer_whole_has_grown_from_an_older_checkpoint(self, ages):
        old, new = ages
        older = (old / "logs" / log_of(old, "acme") / "checkpoint").read_bytes()

        report = verify_folder(new, against=[older])

        assert report.holds
        assert report.trust.startswith("grown from the checkpoints that you hold")


class TestKeysAndCheckpointsFromOutside:
    def test_a_pinned_key_is_pinned_for_every_log(self, home):
        home.add("acme", event())
        home.add("bolt", event())
        home.settle()

        report = verify_folder(home.path, keys=[home.vkey("acme")])

        assert report.holds
        assert report.key_pinned
        assert report.trust.startswith("key pinned")

    def test_a_key_that_signed_nothing_here_is_no_match(self, home, tmp_path):
        other = Home(tmp_path / "other", seed=2)
        other.add("acme", event())
        vkey = other.vkey("acme")
        other.close()
        home.add("acme", event())
        home.settle()

        report = verify_folder(home.path, keys=[vkey])

        assert "state.db signed" in places(report)
        assert report.trust == "key pinned: only signatures with a key that you gave count"

    def test_a_whole_folder_written_anew_with_its_own_key_is_told_by_the_pin(self, home, tmp_path):
        """It is consistent with itself, and that is all that can be said of it."""
        home.add("acme", event())
        home.settle()
        vkey = home.vkey("acme")
        forged = Home(tmp_path / "forged", seed=2)
        forged.add("acme", event())
        forged.settle()
        forged.close()

        assert verify_folder(forged.path).holds
        assert not verify_folder(forged.path, keys=[vkey]).holds

    def test_a_text_that_is_no_vkey_is_the_callers_mistake(self, folder):
        with pytest.raises(Misconfigured, match="a vkey is"):
            verify_folder(folder, keys=["key"])

    def test_a_copy_without_its_key_needs_one(self, home):
        """An auditor's copy should not hold the signing key."""
        home.add("acme", event())
        home.settle()
        vkey = home.vkey("acme")
        home.close()
        shutil.rmtree(home.path / "keys")

        assert places(verify_folder(home.path)) == {"keys/signing-key"}
        assert verify_folder(home.path).trust.startswith("no key")
        assert verify_folder(home.path, keys=[vkey]).holds

    def test_a_damaged_signing_key_is_named(self, folder):
        for content in (b"", b"zz", b"00" * 31, b"\xff" * 65):
            (folder / "keys" / "signing-key").write_bytes(content)
            assert "keys/signing-key" in places(verify_folder(folder))

    def test_a_checkpoint_that_another_tree_has_is_a_fault(self, home):
        """The same key signed two histories: a fork."""
        home.add("acme", event(), event())
        home.settle()
        signer = home.installation.signer(home.tenant("acme"))
        origin = home.installation.origin(home.tenant("acme"))
        fork = signer.sign_checkpoint(origin, 2, b"f" * 32)

        (fault,) = verify_folder(home.path, against=[fork]).faults

        assert "its first 2 entries are not those of the checkpoint you hold" in fault.what

    def test_a_checkpoint_held_must_be_signed_whole_and_of_a_log_here(self, home):
        home.add("acme", event())
        home.settle()
        note = (home.log("acme") / "checkpoint").read_bytes()
        elsewhere = note.replace(b"log.example.org", b"log.example.net")
        flipped = note[:-10] + b"AAAA" + note[-6:]

        assert verify_folder(home.path, against=[note]).holds
        for wrong in (elsewhere, flipped, b"", b"\xff", note[:40]):
            assert places(verify_folder(home.path, against=[wrong])) == {"the checkpoint you hold"}


class TestWhatIsAFolder:
    def test_another_place_is_the_callers_mistake(self, tmp_path):
        with pytest.raises(Misconfigured, match="is not a data folder"):
            verify_folder(tmp_path)

    def test_a_newer_format_is_refused(self, folder):
        (folder / "FORMAT").write_text("3\n")

        with pytest.raises(Misconfigured, match="use a newer one"):
            verify_folder(folder)

    def test_an_older_format_is_brought_along_first(self, folder):
        (folder / "FORMAT").write_text("1\n")

        with pytest.raises(Misconfigured, match="sealog migrate"):
            verify_folder(folder)

    @pytest.mark.parametrize("content", [b"", b"one\n", b"\xff\xfe"])
    def test_a_damaged_format_is_named(self, folder, content):
        (folder / "FORMAT").write_bytes(content)

        assert places(verify_folder(folder)) == {"FORMAT"}

    def test_a_missing_state_is_named(self, folder):
        (folder / "state.db").unlink()

        assert places(verify_folder(folder)) == {"state.db"}
