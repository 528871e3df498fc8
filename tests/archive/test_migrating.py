"""A folder that the program of format 1 made is brought along, whatever comes in between."""

import os
import sqlite3
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealog.access.tenants import Tenants
from sealog.archive import listing, migrating
from sealog.archive.segments import Parts, Segment
from sealog.event.tenants import Tenant
from sealog.storage.folder import Folder
from sealog.storage.store import Store, driver

MADE = Path(__file__).parents[1] / "golden" / "folders" / "format-1.tar.xz"


class Old:
    """A copy of the folder of format 1, owned: tenants `acme` and `bolt`, five segments."""

    def __init__(self, path: Path) -> None:
        with tarfile.open(MADE) as archive:
            archive.extractall(path, filter="data")
        self.folder = Folder(path)
        self.store = Store(self.folder.state)
        self._tenants = Tenants(self.store, lambda: 0, bytes)
        self.told: list[tuple[int, int]] = []

    def tenant(self, number: int) -> Tenant:
        tenant = self._tenants.numbered(number)
        assert tenant is not None
        return tenant

    def migrate(self) -> list[str]:
        def progress(done: int, total: int) -> None:
            self.told.append((done, total))

        return list(map(str, migrating.migrate(self.store, self.folder, self.tenant, progress)))

    def segments(self) -> list[Segment]:
        with self.store.reading() as connection:
            segments, wrong = listing.read(driver(connection), self.folder, self.tenant)
        assert wrong == []
        return segments


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Old]:
    it = Old(tmp_path / "old")
    yield it
    it.store.close()


def _format(old: Old) -> str:
    return (old.folder.path / "FORMAT").read_text()


def test_every_segment_is_written_anew_and_then_the_format_noted(old: Old):
    before = old.segments()
    assert _format(old) == "1\n"
    assert all(Parts(one).is_old for one in before)

    assert old.migrate() == []

    after = old.segments()
    assert _format(old) == "2\n"
    assert sorted(one.name for one in after) == ["0-19-1", "0-2-1", "20-39-1", "40-59-1", "60-60-1"]
    for one in after:
        one.check()
        assert not Parts(one).is_old
    assert not any(path.exists() for one in before for path in (one.columns_path, one.parts_path))
    assert old.told[-1] == (64, 64)
    assert old.told == sorted(old.told)


class _Died(Exception):
    """The process ended here."""


@pytest.mark.parametrize("step", range(1, 6))
def test_what_was_cut_off_goes_on_from_where_it_was(
    old: Old, monkeypatch: pytest.MonkeyPatch, step: int
):
    monkeypatch.setattr(migrating, "SEGMENTS_AT_ONCE", 2)
    real, left = migrating.rewrite, [None] * step
    rewritten: list[str] = []

    def rewrite(segment: Segment, *rest: object) -> Segment:
        if not left:
            raise _Died
        if step < 6:
            left.pop()
        rewritten.append(segment.name)
        return real(segment, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(migrating, "rewrite", rewrite)
        if step < 5:
            with pytest.raises(_Died):
                old.migrate()
            assert _format(old) == "1\n"
        else:
            patched.setattr(Folder, "note_format", _dying)
            with pytest.raises(_Died):
                old.migrate()
    assert old.migrate() == []

    names = ["0-19-1", "0-2-1", "20-39-1", "40-59-1", "60-60-1"]
    assert sorted(one.name for one in old.segments()) == names
    assert _format(old) == "2\n"
    for one in old.segments():
        one.check()


def _dying(*_: object) -> None:
    raise _Died


def test_a_damaged_segment_is_named_and_left_and_the_others_go_on(old: Old):
    hurt = next(one for one in old.segments() if one.name == "20-39-0")
    content = bytearray(hurt.parts_path.read_bytes())
    content[content.rindex(b"\x28\xb5\x2f\xfd") + 9] ^= 1
    hurt.parts_path.write_bytes(content)

    (named,) = old.migrate()

    assert "20-39-0.arrow is not what was written" in named
    assert hurt.parts_path.exists()
    assert hurt.columns_path.exists()
    assert sorted(one.generation for one in old.segments()) == [0, 1, 1, 1, 1]
    assert _format(old) == "2\n"


def test_the_list_in_state_db_is_that_of_the_old_program(old: Old):
    """What this test reads is what that program wrote, and no table was added since by hand."""
    with sqlite3.connect(old.folder.state) as connection:
        (count,) = connection.execute("SELECT count(*) FROM segments").fetchone()
    connection.close()

    assert count == 5


def test_files_that_another_process_reads_stay_until_the_next_start(old: Old):
    """`sealog search` on the folder itself may be under way meanwhile."""
    before = old.segments()
    held = Folder(old.folder.path).hold_files()
    assert held is not None

    assert old.migrate() == []

    assert all(one.columns_path.exists() and one.parts_path.exists() for one in before)
    assert not {one.name for one in before} & {one.name for one in old.segments()}
    os.close(held)
