import os
import subprocess
import sys

import pytest

from sealog.errors import Misconfigured
from sealog.storage.folder import Folder


@pytest.fixture(autouse=True)
def _umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def folder(tmp_path):
    folder = Folder(tmp_path / "deep" / "data")
    folder.make()
    yield folder
    folder.release()


def test_nothing_is_touched_until_it_is_made(tmp_path):
    folder = Folder(tmp_path / "data")

    assert not folder.exists()
    assert not folder.owned()
    assert list(tmp_path.iterdir()) == []


def test_a_made_folder_has_its_format_and_is_its_owners_alone(folder):
    assert folder.exists()
    assert (folder.path / "FORMAT").read_text() == "2\n"
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.path.iterdir()}
    folders = dict.fromkeys(("logs", "archive", "exports", "keys"), 0o700)
    assert modes == {"FORMAT": 0o600, **folders}
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_what_is_made_later_is_its_owners_alone_too(folder):
    (folder.path / "later").write_bytes(b"")

    assert (folder.path / "later").stat().st_mode & 0o777 == 0o600


def test_making_it_again_changes_nothing(folder):
    (folder.logs("aa") / "entries").parent.mkdir()

    folder.make()

    assert folder.logs("aa").is_dir()


def test_paths_follow_the_design(folder):
    assert folder.state == folder.path / "state.db"
    assert folder.keys == folder.path / "keys"
    assert folder.exports == folder.path / "exports"
    assert folder.logs("aa") == folder.path / "logs" / "aa"
    assert folder.archive("aa", "default") == folder.path / "archive" / "aa" / "default"


def test_a_state_db_without_a_format_is_not_taken_for_a_data_folder(tmp_path):
    (tmp_path / "state.db").write_bytes(b"")

    with pytest.raises(Misconfigured, match=r"holds a state\.db but no FORMAT"):
        Folder(tmp_path).make()


def test_a_folder_of_this_format_is_fine(folder):
    folder.check_format()


@pytest.mark.parametrize(
    ("text", "says"),
    [("3\n", "use a newer one"), ("one", "not a number"), ("0", "not a number"), ("", "not a")],
)
def test_a_format_that_is_newer_or_none_is_refused(folder, text, says):
    (folder.path / "FORMAT").write_text(text)

    with pytest.raises(Misconfigured, match=says):
        folder.check_format()


def test_an_older_format_is_read_by_none_and_brought_along_by_its_owner(folder):
    (folder.path / "FORMAT").write_text("1\n")

    with pytest.raises(Misconfigured, match="start the server on it, or run `sealog migrate`"):
        folder.check_format()
    assert folder.check_format(may_be_older=True) == 1
    folder.note_format()
    assert folder.check_format() == 2


def test_while_one_process_reads_segments_no_other_deletes_them(folder):
    reader = folder.hold_files()
    other = folder.hold_files()

    with folder.deleting_files() as may_delete:
        assert not may_delete
    os.close(reader)
    with folder.deleting_files() as may_delete:
        assert not may_delete
    os.close(other)
    with folder.deleting_files() as may_delete, folder.deleting_files() as again:
        assert (may_delete, again) == (True, False)


def test_a_folder_without_segments_has_nothing_to_hold(folder):
    """A copy may lack empty folders."""
    (folder.path / "archive").rmdir()

    assert folder.hold_files() is None
    with folder.deleting_files() as may_delete:
        assert may_delete


def test_what_is_no_data_folder_is_refused(tmp_path):
    with pytest.raises(Misconfigured, match="is not a data folder"):
        Folder(tmp_path).check_format()
    with pytest.raises(Misconfigured, match="is not a data folder"):
        Folder(tmp_path / "nowhere").own()


def test_a_second_owner_is_told_who_has_it_and_what_to_do(folder):
    folder.own()

    with pytest.raises(Misconfigured) as refused:
        Folder(folder.path).own()

    assert str(refused.value) == (
        f"{folder.path} is in use by process {os.getpid()}:"
        " use --server with its address, or stop it"
    )


def test_whoever_asks_learns_whether_it_is_owned(folder):
    assert not folder.owned()
    folder.own()
    assert Folder(folder.path).owned()
    folder.release()
    assert not folder.owned()
    folder.own()


def test_asking_is_not_owning(folder):
    """`owned` holds the lock for a moment; a server that starts just then waits it out."""
    import fcntl
    import threading

    asking = (folder.path / "lock").open("w+b")
    fcntl.flock(asking, fcntl.LOCK_SH)
    threading.Timer(0.02, asking.close).start()

    folder.own()

    assert folder.owned()


def test_a_dead_owner_does_not_keep_the_folder(folder):
    code = (
        "import os, pathlib, sys; from sealog.storage.folder import Folder;"
        "Folder(pathlib.Path(sys.argv[1])).own(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, str(folder.path)])

    folder.own()

    assert (folder.path / "lock").read_text() == f"process {os.getpid()}\n"
