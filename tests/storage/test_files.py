import hashlib
import os
from pathlib import Path

import pytest

from sealog.storage import files


class Died(Exception):
    """The process ends here."""


def dies(*_args, **_kwargs):
    raise Died


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "kept"
    path.write_bytes(b"old")
    return path


def test_a_file_is_written_as_a_whole_with_its_mode(path):
    files.write_durably(path, b"new", mode=0o640)

    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(path.parent.iterdir()) == [path]


def test_secrets_are_for_their_owner_unless_said_otherwise(tmp_path):
    files.write_durably(tmp_path / "key", b"secret")

    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_what_a_crash_left_beside_it_lends_neither_bytes_nor_mode(path):
    beside = path.with_name("kept.new")
    beside.write_bytes(b"a much longer text")
    beside.chmod(0o666)

    files.write_durably(path, b"new")

    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert not beside.exists()


@pytest.mark.parametrize("step", ["fsync", "fchmod"])
def test_a_crash_before_the_rename_leaves_the_old_content(path, monkeypatch, step):
    monkeypatch.setattr(files.os, step, dies)

    with pytest.raises(Died):
        files.write_durably(path, b"new")

    assert path.read_bytes() == b"old"


def test_a_crash_before_the_folder_is_synced_leaves_old_or_new_never_half(path, monkeypatch):
    monkeypatch.setattr(files, "sync_folder", dies)

    with pytest.raises(Died):
        files.write_durably(path, b"new")

    assert path.read_bytes() == b"new"


def test_content_is_synced_before_its_name_and_the_name_after(path, monkeypatch):
    seen = []
    fsync = os.fsync

    def watched(number):
        seen.append((str(Path(f"/proc/self/fd/{number}").readlink()), path.read_bytes()))
        fsync(number)

    monkeypatch.setattr(files.os, "fsync", watched)

    files.write_durably(path, b"new")

    assert seen == [(f"{path}.new", b"old"), (str(path.parent), b"new")]


def test_what_the_next_sync_makes_durable_is_replaced_as_a_whole(path):
    files.replace_later_synced(path, b"new")
    watched = files.watch(path.parent)
    files.sync_all(watched)
    os.close(watched)

    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_what_could_not_be_put_in_place_leaves_nothing_beside_it(path):
    """On a disk that is full each try would take more of it."""
    path.unlink()
    path.mkdir()

    with pytest.raises(IsADirectoryError):
        files.replace_later_synced(path, b"new")

    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_the_system_lost_is_reported(tmp_path, monkeypatch):
    class Libc:
        def syncfs(self, _number):
            files.ctypes.set_errno(5)
            return -1

    monkeypatch.setattr(files.ctypes, "CDLL", lambda *_args, **_kwargs: Libc())

    with pytest.raises(OSError, match="Input/output error"):
        files.sync_all(0)


def test_a_system_without_syncfs_syncs_everything(tmp_path, monkeypatch):
    called = []
    monkeypatch.setattr(files.ctypes, "CDLL", lambda *_args, **_kwargs: object())
    monkeypatch.setattr(files.os, "sync", lambda: called.append("sync"))

    files.sync_all(0)

    assert called == ["sync"]


def test_a_digest_is_sha_256_of_the_whole_file(tmp_path):
    content = bytes(range(256)) * 5_000
    (tmp_path / "a").write_bytes(content)

    assert files.digest_of(tmp_path / "a") == hashlib.sha256(content).digest()
