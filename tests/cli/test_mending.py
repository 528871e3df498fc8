"""`sealog migrate` and `sealog repair`, as a person types them."""

import tarfile
from pathlib import Path

import pytest
from tests.cli.made import ecs, lines

from sealog.storage.folder import Folder

OLD = Path(__file__).parents[1] / "golden" / "folders" / "format-1.tar.xz"


@pytest.fixture
def old(tmp_path):
    """A folder that the program of format 1 made."""
    with tarfile.open(OLD) as archive:
        archive.extractall(tmp_path / "old", filter="data")
    return tmp_path / "old"


@pytest.fixture
def cut(sealog, monkeypatch):
    """A folder with one segment."""
    monkeypatch.setenv("SEALOG_ARCHIVE__WAITING_EVENTS_MAX", "1000")
    records = lines(*[ecs(number) for number in range(2_500)])
    sealog("ingest", "-", "--tenant", "acme", stdin=records)
    assert list(Path("sealog-data").glob("archive/*/*/*.parquet"))
    return sealog


def test_reading_an_old_folder_says_what_to_do(sealog, old):
    for command in (
        ("verify", str(old)),
        ("export", "--tenant", "acme", "--data", str(old)),
        ("repair", "--data", str(old)),
    ):
        ran = sealog(*command)

        assert ran.code == 2
        assert "start the server on it, or run `sealog migrate`" in ran.err
    assert (old / "FORMAT").read_text() == "1\n"


def test_an_old_folder_is_brought_along_and_verifies(sealog, old):
    ran = sealog("migrate", "--data", str(old))
    again = sealog("migrate", "--data", str(old))
    verified = sealog("verify", str(old))

    assert (ran.code, ran.out) == (0, f"{old} has the newest format now\n")
    assert (again.code, again.out) == (0, f"{old} has the newest format\n")
    assert verified.code == 0
    assert "2 tenants: opened 65, erased 0, expired 0, statement 1, UNEXPLAINED 0" in verified.out


def test_a_command_that_writes_brings_an_old_folder_along_by_itself(sealog, old):
    ran = sealog("ingest", "-", "--tenant", "acme", "--data", str(old), stdin=lines(ecs(1)))
    verified = sealog("verify", str(old))

    assert ran.code == 0
    assert (old / "FORMAT").read_text() == "2\n"
    assert verified.code == 0
    assert "opened 66" in verified.out


def test_a_sound_folder_needs_no_repair(cut):
    ran = cut("repair")

    assert ran.code == 0
    assert ran.out.endswith(" segments: 0 repaired, 0 damaged still\n")


def test_a_damaged_columns_file_is_rebuilt_and_the_folder_verifies(cut):
    first = min(Path("sealog-data").glob("archive/*/*/*.parquet"))
    first.write_bytes(b"")
    verified = cut("verify", "sealog-data")
    assert verified.code == 1
    assert "mended by sealog repair, while no server runs on the folder" in verified.out

    ran = cut("repair")

    assert ran.code == 0
    assert f"rebuilt   {first} from its parts, as the next generation" in ran.out
    assert cut("verify").code == 0


def test_a_damaged_parts_file_is_named_until_it_comes_from_a_backup(cut, tmp_path):
    parts = min(Path("sealog-data").glob("archive/*/*/*.arrow"))
    backup = tmp_path / "backup"
    backup.mkdir()
    parts.rename(backup / parts.name)

    without = cut("repair")
    as_json = cut("repair", "--json")
    with_backup = cut("repair", "--from", str(backup))

    assert without.code == 1
    assert f"DAMAGED   {parts} is missing" in without.out
    size = (backup / parts.name).stat().st_size
    assert f"put back {parts}: {size} bytes, SHA-256 " in without.out
    assert as_json.code == 1
    assert as_json.value["whole"] is False
    assert as_json.value["lost"][0]["bytes"] == size
    assert (with_backup.code, cut("verify").code) == (0, 0)
    assert f"restored  {parts} from the backup" in with_backup.out


def test_a_folder_that_is_in_use_is_left_alone(cut):
    folder = Folder(Path("sealog-data"))
    folder.own()

    ran = cut("repair")

    folder.release()
    assert ran.code == 2
    assert "is in use by process" in ran.err
