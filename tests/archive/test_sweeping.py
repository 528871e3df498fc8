"""After a start all rows and files are looked at: what is wrong is named, strangers go, no others."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text
from tests.archive.made import ALPHA, BETA, TENANTS, Home, event, statement, until

from sealog.archive import archive as archive_module
from sealog.archive.sweeping import Sweep


def _sweep(home: Home, doubtful: AbstractSet[Path] = frozenset()) -> Sweep:
    @contextmanager
    def resting() -> Iterator[AbstractSet[Path]]:
        with home.archive._resting() as left:
            yield left | doubtful

    return Sweep(home.store, home.folder, TENANTS.__getitem__, resting)


def test_files_that_are_not_listed_are_deleted_and_no_others(home: Home):
    home.add(ALPHA, event(1))
    home.archive.cut()
    folder = home.folder.archive(ALPHA.log_id, "default")
    for name in ("1-2-0.parquet", "1-2-0.arrow", "0-0-0.parquet.new", "notes.txt"):
        (folder / name).write_bytes(b"x")
    sweep = _sweep(home)

    looked_at = [(tenant, len(segments)) for tenant, segments in sweep.steps()]

    assert looked_at == [(1, 1)]
    assert sweep.wrong == []
    assert home.files() == {
        "default/0-0-0.parquet",
        "default/0-0-0.arrow",
        "default/notes.txt",
    }


def test_files_of_a_tenant_without_segments_are_strangers(home: Home):
    folder = home.folder.archive(BETA.log_id, "default")
    folder.mkdir(parents=True)
    (folder / "0-0-0.arrow").write_bytes(b"x")

    assert list(_sweep(home).steps()) == []

    assert home.files() == set()


def test_what_is_cut_while_it_looks_is_no_stranger(home: Home):
    """A file that was seen before it was listed is asked after again, while nothing is cut."""
    home.add(ALPHA, event(1))
    home.add(BETA, event(1))
    home.archive.cut()
    steps = _sweep(home).steps()

    first = next(steps)
    home.add(BETA, event(2))
    home.archive.cut()
    rest = list(steps)

    # Of the second tenant it had read the list before.
    assert [(tenant, len(segments)) for tenant, segments in (first, *rest)] == [(1, 1), (2, 1)]
    assert home.files() == {
        "default/0-0-0.parquet",
        "default/0-0-0.arrow",
        "default/1-1-0.parquet",
        "default/1-1-0.arrow",
    }
    assert home.archive.get(BETA, 1) is not None


def test_what_may_yet_be_listed_is_left(home: Home):
    folder = home.folder.archive(ALPHA.log_id, "default")
    folder.mkdir(parents=True)
    (folder / "0-0-0.arrow").write_bytes(b"x")

    list(_sweep(home, {folder / "0-0-0.arrow"}).steps())

    assert home.files() == {"default/0-0-0.arrow"}


def test_listed_files_that_are_missing_or_short_are_named(home: Home):
    home.add(ALPHA, event(1), statement(2))
    home.archive.cut()
    (home.folder.archive(ALPHA.log_id, "default") / "0-0-0.arrow").unlink()
    (home.folder.archive(ALPHA.log_id, "statements") / "1-1-0.parquet").write_bytes(b"x")
    sweep = _sweep(home)

    list(sweep.steps())

    wrong = [str(one) for one in sweep.wrong]
    assert len(wrong) == 2
    assert any("default/0-0-0.arrow is missing" in one for one in wrong)
    assert any("statements/1-1-0.parquet has 1 bytes" in one for one in wrong)


def test_a_start_leaves_most_to_be_looked_at_beside_the_first_requests(home: Home, monkeypatch):
    """However many segments there are, what is asked for is read, and what is wrong is named soon."""
    home.add(ALPHA, event(1))
    home.add(BETA, event(1))
    home.archive.cut()
    (home.folder.archive(BETA.log_id, "default") / "0-0-0.parquet").unlink()
    (home.folder.archive(ALPHA.log_id, "default") / "5-5-0.arrow").write_bytes(b"x")
    monkeypatch.setattr(archive_module, "SWEPT_AT_START", 0)

    home.restart()

    assert home.archive.get(ALPHA, 0) is not None
    until(home.archive.damaged)
    assert [str(one).rpartition("/")[2] for one in home.archive.damaged()] == [
        "0-0-0.parquet is missing"
    ]
    until(lambda: "default/5-5-0.arrow" not in home.files())


def test_a_list_in_doubt_deletes_nothing(home: Home):
    """An altered row makes a stranger of its own file; the file is all that is left of the events."""
    home.add(ALPHA, event(1), event(2))
    home.archive.cut()
    change = text('UPDATE segments SET "last" = 7')
    home.store.write(lambda connection: connection.execute(change) and None).result()

    home.restart()

    assert home.files() == {"default/0-1-0.parquet", "default/0-1-0.arrow"}
    named = [str(one).rpartition("/")[2] for one in home.archive.damaged()]
    assert named == ["0-7-0.parquet is altered", "0-7-0.parquet is missing"]
