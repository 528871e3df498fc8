import errno
import fcntl
import gzip
import os
from pathlib import Path

import pytest

from sealog.delivery import growing
from sealog.delivery.growing import Astray, Begun, Growing, Rotation, entered

ROTATION = Rotation(records=3, bytes=100, seconds=60)


@pytest.fixture
def folder(tmp_path):
    with entered(str(tmp_path), ()) as number:
        yield number


def lines(*indexes):
    return [(index, b'{"n":%d}\n' % index) for index in indexes]


def names(path):
    return sorted(one.name for one in path.iterdir())


def test_a_file_under_way_says_how_far_it_counts(tmp_path, folder):
    file = Growing("s-", ROTATION)

    file.add(folder, lines(7))
    file.add(folder, lines(9))

    assert names(tmp_path) == ["s-000000000007-000000000009-16.ndjson.part"]
    assert file.begun == Begun(7, 9, 16)


def test_a_full_file_gets_its_last_name(tmp_path, folder):
    """By count; the receiver sees from the names which indexes are where."""
    file = Growing("s-", ROTATION)

    file.add(folder, lines(1, 2, 3, 4))

    assert names(tmp_path) == [
        "s-000000000001-000000000003.ndjson",
        "s-000000000004-000000000004-8.ndjson.part",
    ]
    assert (tmp_path / "s-000000000001-000000000003.ndjson").read_bytes() == (
        b'{"n":1}\n{"n":2}\n{"n":3}\n'
    )


def test_a_file_is_ended_by_its_size(tmp_path, folder):
    """One line at least goes in, however long it is."""
    file = Growing("s-", Rotation(records=100, bytes=16))

    file.add(folder, [*lines(1, 2, 3), (4, b"x" * 50)])

    assert names(tmp_path) == [
        "s-000000000001-000000000002.ndjson",
        "s-000000000003-000000000004.ndjson",
    ]


def test_gzip_files_read_as_the_same_lines(tmp_path, folder):
    file = Growing("s-", ROTATION, squeezed=True)

    file.add(folder, lines(1, 2, 3))

    assert names(tmp_path) == ["s-000000000001-000000000003.ndjson.gz"]
    packed = (tmp_path / "s-000000000001-000000000003.ndjson.gz").read_bytes()
    assert gzip.decompress(packed) == b'{"n":1}\n{"n":2}\n{"n":3}\n'


def test_whoever_takes_over_ends_what_was_begun(tmp_path, folder):
    """After a crash: all that counted stays, and is there to be read."""
    Growing("s-", ROTATION).add(folder, lines(1, 2))

    Growing("s-", ROTATION).add(folder, lines(3))

    assert names(tmp_path) == [
        "s-000000000001-000000000002.ndjson",
        "s-000000000003-000000000003-8.ndjson.part",
    ]


def test_what_was_written_and_never_counted_is_cut_off(tmp_path, folder):
    """A crash between writing lines and saying so: nobody was told that they are there."""
    Growing("s-", ROTATION).add(folder, lines(1))
    (part,) = tmp_path.iterdir()
    with part.open("ab") as file:
        file.write(b'{"n":2}\n{"n":')

    Growing("s-", ROTATION).end(folder)

    assert names(tmp_path) == ["s-000000000001-000000000001.ndjson"]
    assert (tmp_path / "s-000000000001-000000000001.ndjson").read_bytes() == b'{"n":1}\n'


def test_scratch_that_a_crash_left_is_taken_away(tmp_path, folder):
    (tmp_path / "s-new.ndjson.part").write_bytes(b"x")
    (tmp_path / "s-gzip.part").write_bytes(b"x")
    (tmp_path / "other-new.ndjson.part").write_bytes(b"x")

    Growing("s-", ROTATION).end(folder)

    assert names(tmp_path) == ["other-new.ndjson.part"]


def test_a_file_that_somebody_shortened_is_not_passed_off_as_whole(tmp_path, folder):
    Growing("s-", ROTATION).add(folder, lines(1, 2))
    (part,) = tmp_path.iterdir()
    part.write_bytes(b'{"n":1}\n')

    with pytest.raises(Astray, match="shorter than its name says"):
        Growing("s-", ROTATION).end(folder)

    assert names(tmp_path) == [part.name]


def test_only_one_writer_is_at_a_file(tmp_path, folder):
    """A thread that hangs on its disk may still be at it when the next life begins."""
    Growing("s-", ROTATION).add(folder, lines(1))
    (part,) = tmp_path.iterdir()
    with part.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Astray, match="another writer"):
            Growing("s-", ROTATION).end(folder)

    Growing("s-", ROTATION).end(folder)

    assert names(tmp_path) == ["s-000000000001-000000000001.ndjson"]


def test_a_writer_that_was_overtaken_leaves_what_is_ended_alone(tmp_path, folder, monkeypatch):
    """It opened the file before the other ended it, and got the lock after."""
    late = Growing("s-", ROTATION)
    late.add(folder, lines(1))
    real = growing._lock

    def overtaken(number):
        monkeypatch.setattr(growing, "_lock", real)
        Growing("s-", ROTATION).end(folder)
        (tmp_path / "s-000000000001-000000000001-8.ndjson.part").write_bytes(b"x" * 8)
        real(number)

    monkeypatch.setattr(growing, "_lock", overtaken)
    with pytest.raises(Astray, match="taken over"):
        late.add(folder, lines(2))

    assert (tmp_path / "s-000000000001-000000000001.ndjson").read_bytes() == b'{"n":1}\n'


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_disk_without_locks_is_written_to_all_the_same(tmp_path, folder, monkeypatch, code):
    def no_lock(*_):
        raise OSError(code, "no locks")

    monkeypatch.setattr(fcntl, "flock", no_lock)

    Growing("s-", ROTATION).add(folder, lines(1, 2, 3))

    assert names(tmp_path) == ["s-000000000001-000000000003.ndjson"]


@pytest.mark.parametrize("squeezed", [False, True])
def test_the_same_span_again_takes_a_name_of_its_own(tmp_path, folder, squeezed):
    """After a replay. What a receiver has not read yet is never written over."""
    file = Growing("s-", ROTATION, squeezed=squeezed)

    for _ in range(3):
        file.add(folder, lines(1, 2, 3))

    end = ".ndjson.gz" if squeezed else ".ndjson"
    assert names(tmp_path) == [
        f"s-000000000001-000000000003-2{end}",
        f"s-000000000001-000000000003-3{end}",
        f"s-000000000001-000000000003{end}",
    ]


FAULTS = ["open", "write", "fsync", "replace", "ftruncate", "unlink"]


@pytest.mark.parametrize("is_done", [False, True], ids=["lost", "kept"])
@pytest.mark.parametrize("call", FAULTS)
@pytest.mark.parametrize("squeezed", [False, True], ids=["plain", "gzip"])
def test_a_disk_that_fails_anywhere_loses_nothing_that_counted(
    tmp_path, folder, monkeypatch, call, is_done, squeezed
):
    """Each call fails once at each place, before or after it did its work; then all goes on."""
    file = Growing("s-", ROTATION, squeezed=squeezed)
    real = getattr(os, call)
    acknowledged = []
    for at in range(12):
        calls = iter(range(1_000))

        def failing(*args, at=at, calls=calls, **more):
            if next(calls) != at:
                return real(*args, **more)
            if is_done:
                real(*args, **more)
            raise OSError(errno.EIO, "failed")

        monkeypatch.setattr(os, call, failing)
        try:
            file.add(folder, lines(2 * at, 2 * at + 1))
        except OSError:
            pass
        else:
            acknowledged += [2 * at, 2 * at + 1]
        monkeypatch.setattr(os, call, real)
        if at % 3 == 2:
            file = Growing("s-", ROTATION, squeezed=squeezed)
    Growing("s-", ROTATION, squeezed=squeezed).end(folder)

    found = b"".join(
        gzip.decompress(one.read_bytes()) if squeezed else one.read_bytes()
        for one in tmp_path.iterdir()
    )
    assert set(lines(*acknowledged)) <= {
        (int(line[5:-1]), line + b"\n") for line in found.splitlines()
    }
    assert not [name for name in names(tmp_path) if name.endswith(".part")]


def test_folders_below_the_root_are_made_and_the_root_is_not(tmp_path):
    with entered(str(tmp_path), ("a", "b")) as number:
        growing.put(number, "x.json", b"{}")
    with pytest.raises(FileNotFoundError), entered(str(tmp_path / "not-mounted"), ()):
        pass

    assert (tmp_path / "a" / "b" / "x.json").read_bytes() == b"{}"
    assert names(tmp_path) == ["a"]


def test_no_link_leads_out_of_the_root(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path)
    (tmp_path / "root" / "x.json.part").symlink_to(tmp_path / "victim")

    with pytest.raises(NotADirectoryError), entered(str(tmp_path / "root"), ("link",)):
        pass
    with entered(str(tmp_path / "root"), ()) as number, pytest.raises(OSError) as refused:
        growing.put(number, "x.json", b"{}")

    assert refused.value.errno == errno.ELOOP
    assert not (tmp_path / "victim").exists()


def test_files_are_readable_for_the_group_of_the_folder(tmp_path, folder):
    """The process keeps everybody out by its umask; a receiver must read what is dropped for it."""
    before = os.umask(0o077)
    try:
        growing.put(folder, "x.json", b"{}")
    finally:
        os.umask(before)

    assert (tmp_path / "x.json").stat().st_mode & 0o777 == 0o640


def test_descriptors_are_closed_whatever_goes_wrong(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    before = len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(5):
        with pytest.raises(NotADirectoryError), entered(str(tmp_path), ("a", "..", "file")):
            pass

    assert len(list(Path("/proc/self/fd").iterdir())) == before
