"""Damaged files of segments: columns are made again, parts come from a backup or are named."""

import shutil
from pathlib import Path

import pytest
from tests.archive.made import ALPHA, BETA, TENANTS, Home, event

from sealog.archive import listing, repairing
from sealog.archive.archive import Query
from sealog.archive.repairing import Lost, Repaired
from sealog.archive.segments import Segment
from sealog.storage.store import Store, driver


class Stopped:
    """A folder that no server runs on, with segments of two tenants, and a copy made before."""

    def __init__(self, home: Home, backup: Path) -> None:
        home.add(ALPHA, *[event(n, actor="ada") for n in range(40)])
        home.archive.cut()
        home.add(ALPHA, *[event(n, actor="bob") for n in range(20)])
        home.add(BETA, *[event(n) for n in range(5)])
        home.archive.cut()
        home.close()
        self.home = home
        self.backup = backup
        shutil.copytree(home.folder.path, backup)

    def segments(self) -> list[Segment]:
        store = Store(self.home.folder.state)
        with store.reading() as connection:
            found, _ = listing.read(driver(connection), self.home.folder, TENANTS.__getitem__)
        store.close()
        return sorted(found, key=lambda one: (one.tenant, one.first))

    def repair(self, backup: Path | None = None) -> Repaired:
        store = Store(self.home.folder.state)
        told: list[tuple[int, int]] = []
        result = repairing.repair(
            store,
            self.home.folder,
            TENANTS.__getitem__,
            backup,
            lambda done, total: told.append((done, total)),
        )
        store.close()
        assert told[-1] == (65, 65)
        return result

    def is_whole(self) -> None:
        """Everything is found again."""
        self.home._open()
        assert self.home.archive.damaged() == []
        assert [index for index, _ in self.home.archive.scan(ALPHA, Query())] == list(range(60))
        page = self.home.archive.search([ALPHA, BETA], Query(), limit=1_000)
        assert len(page.events) == 65
        assert page.damaged == ()


@pytest.fixture
def stopped(home: Home, tmp_path: Path) -> Stopped:
    return Stopped(home, tmp_path / "backup")


def test_a_sound_folder_is_left_as_it_is(stopped: Stopped):
    before = stopped.segments()

    result = stopped.repair()

    assert result == Repaired(looked_at=3)
    assert stopped.segments() == before
    stopped.is_whole()


@pytest.mark.parametrize("damage", ["flipped", "short", "missing"])
def test_a_columns_file_is_made_again_from_its_parts(stopped: Stopped, damage: str):
    hurt = stopped.segments()[0]
    content = bytearray(hurt.columns_path.read_bytes())
    content[100] ^= 1
    if damage == "missing":
        hurt.columns_path.unlink()
    else:
        hurt.columns_path.write_bytes(content if damage == "flipped" else content[:-7])

    result = stopped.repair()

    assert result == Repaired(looked_at=3, rebuilt=[hurt.columns_path])
    assert [one.name for one in stopped.segments()] == ["0-39-1", "40-59-0", "0-4-0"]
    stopped.is_whole()


def test_a_parts_file_is_named_with_what_to_put_back(stopped: Stopped):
    hurt = stopped.segments()[1]
    hurt.parts_path.write_bytes(b"")

    result = stopped.repair()

    what = f"{hurt.parts_path} has 0 bytes instead of {hurt.parts_bytes}"
    lost = Lost(hurt.parts_path, hurt.parts_bytes, hurt.parts_digest.hex(), what)
    assert result == Repaired(looked_at=3, lost=[lost])
    assert hurt.columns_path.exists()


@pytest.mark.parametrize("flat", [False, True], ids=["folder", "files"])
def test_a_parts_file_is_taken_from_a_backup(stopped: Stopped, flat: bool):  # noqa: FBT001
    hurt = stopped.segments()[1]
    hurt.parts_path.unlink()
    backup = stopped.backup
    if flat:
        backup = stopped.backup / "files"
        backup.mkdir()
        (found,) = stopped.backup.glob(f"archive/*/*/{hurt.parts_path.name}")
        found.rename(backup / found.name)

    result = stopped.repair(backup)

    assert result == Repaired(looked_at=3, restored=[hurt.parts_path])
    stopped.is_whole()


def test_a_backup_that_holds_something_else_is_not_taken(stopped: Stopped):
    hurt = stopped.segments()[1]
    whole = hurt.parts_path.read_bytes()
    hurt.parts_path.unlink()
    (copy,) = stopped.backup.glob(f"archive/*/*/{hurt.parts_path.name}")
    copy.write_bytes(whole[:-1] + b"x")

    result = stopped.repair(stopped.backup)

    assert [lost.path for lost in result.lost] == [hurt.parts_path]
    assert not hurt.parts_path.exists()


def test_both_files_of_a_segment_are_repaired_when_both_are_gone(stopped: Stopped):
    hurt = stopped.segments()[0]
    hurt.parts_path.unlink()
    hurt.columns_path.unlink()

    result = stopped.repair(stopped.backup)

    assert result == Repaired(looked_at=3, restored=[hurt.parts_path], rebuilt=[hurt.columns_path])
    stopped.is_whole()
