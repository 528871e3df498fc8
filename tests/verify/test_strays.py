import msgspec
import pytest
from tests.verify.made import alter, event, statement

from sealog.storage.tables import row_digest
from sealog.verify import keys, strays, tenant
from sealog.verify.folder import verify_folder
from sealog.verify.moment import State
from sealog.verify.tenant import Subject


@pytest.fixture
def path(home):
    """A stopped folder: one tenant, one segment of indexes 0 to 1, one event that waits."""
    home.add("acme", event(), event())
    home.cut()
    home.settle()
    home.add("acme", event())
    home.close()
    return home.path


def looked(path, name):
    """What is said of one more file; and whether the tenant's other files were replaced."""
    with State(path / "state.db", owned=False) as state:
        with state.moment() as moment:
            (row,), _ = moment.tenants()
            subject = Subject(path, row, f"log.example.org/{row.log_id}", keys.of_folder(path))
            outcome = tenant.check(subject, moment)
        stray = subject.archive / name
        stray.parent.mkdir(parents=True, exist_ok=True)
        stray.write_bytes(b"")
        strays.check_archive(state, subject, outcome)
    assert {one.where for one in (*outcome.findings.faults, *outcome.findings.unfinished)} <= {
        f"archive/{row.log_id}/{name}"
    }
    return bool(outcome.findings.faults), bool(outcome.findings.unfinished)


def row_of_generation(path, generation):
    """Lists the one segment as of another generation; the name of its files."""
    with State(path / "state.db", owned=False) as state, state.moment() as moment:
        (row,) = moment.segments(1)
    digest = row_digest("segments", *row[:4], generation, *row[5:12])
    alter(path, "UPDATE segments SET generation = ?, digest = ?", generation, digest)
    return f"{row.first}-{row.last}-{generation}"


@pytest.mark.parametrize(
    "name",
    [
        "default/2-2-0.arrow",
        "default/2-9-0.parquet",
        "default/2-2-0.parquet.new",
        "other/3-3-0.arrow",
    ],
)
def test_a_segment_that_begins_where_segments_end_was_being_written(path, name):
    assert looked(path, name) == (False, True)


@pytest.mark.parametrize(
    "name", ["default/0-1-1.arrow", "default/0-1-1.parquet.new", "default/0-0-9.arrow.new"]
)
def test_a_merge_or_a_repair_that_did_not_end_is_unfinished(path, name):
    assert looked(path, name) == (False, True)


@pytest.mark.parametrize("name", ["default/0-0-0.arrow", "default/0-0-0.parquet"])
def test_a_cut_that_failed_and_was_done_again_with_more_is_unfinished(path, name):
    """It could not be deleted, because the disk failed; its events rest in the listed segment."""
    assert looked(path, name) == (False, True)


@pytest.mark.parametrize("name", ["default/0-0-0.arrow", "default/1-1-2.parquet"])
def test_what_was_replaced_and_not_yet_deleted_is_unfinished(path, name):
    (stored,) = (path / "archive").glob("*/*/*.arrow")
    raised = row_of_generation(path, 3)
    for suffix in (".arrow", ".parquet"):
        stored.with_suffix(suffix).rename(stored.with_name(raised + suffix))

    assert looked(path, name) == (False, True)


@pytest.mark.parametrize(
    "name",
    [
        "default/0-1-0.txt",
        "default/1-2-0.arrow",
        "default/0-2-1.arrow",
        "default/2-2-0.txt",
        "2-2-0.arrow",
        "a/b/2-2-0.arrow",
    ],
)
def test_any_other_file_is_named(path, name):
    assert looked(path, name) == (True, False)


@pytest.mark.parametrize(
    ("name", "is_fault"),
    [("172800s/1-2-0.arrow", False), ("172800s/3-4-1.arrow", False), ("172800s/4-6-0.arrow", True)],
)
def test_a_segment_that_its_class_has_no_more_of_is_unfinished_until_it_is_deleted(
    home, name, is_fault
):
    """The row goes before the file, where it expires and where it is sorted into another class."""
    home.add("acme", *[event() for _ in range(5)])
    home.add("acme", statement("sealog.retention", ranges=[[1, 2]]))
    home.cut()
    home.settle()
    home.close()
    (archive,) = (home.path / "archive").iterdir()
    (archive / name).parent.mkdir()
    (archive / name).write_bytes(b"")

    report = verify_folder(home.path)

    faults, unfinished = (
        {one.where for one in several if one.where.startswith("archive/")}
        for several in (report.faults, report.unfinished)
    )
    where = f"archive/{archive.name}/{name}"
    assert (faults, unfinished) == (({where}, set()) if is_fault else (set(), {where}))


def test_a_segment_that_was_replaced_while_it_was_read_is_looked_at_again(path):
    """Missing and no longer listed: another generation holds its events."""
    (stored,) = (path / "archive").glob("*/*/*.arrow")
    stored.unlink()
    with State(path / "state.db", owned=False) as state:
        with state.moment() as moment:
            (row,), _ = moment.tenants()
            subject = Subject(path, row, f"log.example.org/{row.log_id}", keys.of_folder(path))
            outcome = tenant.check(subject, moment)

        assert outcome.missing == {f"archive/{row.log_id}/default/0-1-0.arrow"}
        assert not strays.replaced(state, subject, outcome)
        alter(path, "DELETE FROM segments")
        assert strays.replaced(state, subject, outcome)


@pytest.mark.parametrize(
    ("spans", "faults"), [([(0, 1)], 0), ([(0, 0)], 1), ([], 1)], ids=["all", "some", "none"]
)
def test_what_a_server_lets_go_of_meanwhile_is_no_damage(path, spans, faults):
    """Its statement came after the moment that is looked at; what no statement names is missed."""
    for stored in (path / "archive").glob("*/*/*"):
        stored.unlink()
    asked = []
    with State(path / "state.db", owned=False) as state, state.moment() as moment:
        (row,), _ = moment.tenants()
        origin = f"log.example.org/{row.log_id}"
        subject = Subject(
            path,
            row,
            origin,
            keys.of_folder(path),
            expired_since=lambda since: asked.append(since) or spans,
        )
        outcome = tenant.check(subject, moment)

    assert asked == [3]
    assert len(outcome.findings.faults) == faults
    assert bool(outcome.findings.unfinished) is bool(spans)
    assert outcome.report.counts.expired == sum(last - first + 1 for first, last in spans)


def test_what_has_expired_by_now_is_read_from_the_list(path):
    indexes = msgspec.msgpack.encode([1, 2, 1, 1])
    for index in (5, 9):
        values = (1, index, 1, 4, 3, indexes)
        digest = row_digest("expired", *values)
        alter(path, "INSERT INTO expired VALUES (?, ?, ?, ?, ?, ?, ?)", *values, digest)

    with State(path / "state.db", owned=False) as state:
        assert strays.expired_now(state, 1, 6) == [(1, 2), (4, 4)]
        assert len(strays.expired_now(state, 1, 5)) == 4
        alter(path, "UPDATE expired SET count = 4")
        assert strays.expired_now(state, 1, 0) == []


def test_names_beside_those_known_come_in_order(tmp_path):
    for name in ("b", "a", "c"):
        (tmp_path / name).touch()

    assert strays.beside(tmp_path, {"b"}) == ["a", "c"]
    assert strays.beside(tmp_path / "none", set()) == []
