import errno
import hashlib

import pytest

from sealog.exports import part
from sealog.exports.part import Part, Unwritten


class Full:
    """A file on a disk that is full after some bytes."""

    def __init__(self, file, left, number=errno.ENOSPC):
        self._file = file
        self._left = left
        self._number = number

    def write(self, content):
        if self._left <= 0:
            raise OSError(self._number, "no")
        taken = min(len(content), self._left)
        self._left -= taken
        return self._file.write(content[:taken])

    def __getattr__(self, name):
        return getattr(self._file, name)


@pytest.fixture
def place(tmp_path):
    return tmp_path / "exp_1.ndjson"


def begin(place, take=lambda _: True):
    return Part(place.with_name(place.name + ".part"), take)


def test_a_file_stands_under_its_name_when_it_is_whole(place):
    file = begin(place)
    file.write(b"ab")
    file.write(b"c")

    before = place.exists()
    file.finish(place)

    assert not before
    assert place.read_bytes() == b"abc"
    assert (file.bytes, file.tell(), file.closed) == (3, 3, True)
    assert file.sha256 == hashlib.sha256(b"abc").digest()
    assert [path.name for path in place.parent.iterdir()] == ["exp_1.ndjson"]


def test_what_is_thrown_away_leaves_nothing(place):
    file = begin(place)
    file.write(b"ab")

    file.discard()
    file.write(b"the end that a library writes")

    assert list(place.parent.iterdir()) == []


def test_a_part_that_a_crash_left_is_begun_anew(place):
    """Whoever may still write to it writes to a file without a name."""
    left = begin(place)
    left.write(b"old")

    file = begin(place)
    file.write(b"new")
    left.write(b"er")
    file.finish(place)

    assert place.read_bytes() == b"new"
    left.discard()
    assert place.exists()


def test_a_full_disk_is_said_in_so_many_words(place):
    file = begin(place)
    file._file = Full(file._file, 5)

    file.write(b"abc")
    with pytest.raises(Unwritten, match="no space is left for it on the disk"):
        file.write(b"defg")

    file.discard()
    assert list(place.parent.iterdir()) == []


def test_other_faults_of_the_disk_are_named(place):
    file = begin(place)
    file._file = Full(file._file, 0, errno.EIO)

    with pytest.raises(Unwritten, match="cannot be written: Input/output error"):
        file.write(b"a")

    file.discard()


def test_a_folder_that_is_not_there_is_a_fault_of_the_disk(tmp_path):
    with pytest.raises(Unwritten, match="No such file"):
        begin(tmp_path / "none" / "exp")


def test_nothing_is_written_for_which_there_is_no_room(place):
    file = begin(place, lambda size: size <= 2)
    file.write(b"ab")

    with pytest.raises(Unwritten, match="bytes_max"):
        file.write(b"abc")

    assert file.bytes == 2
    file.discard()


def test_what_is_written_is_brought_to_the_disk_piece_by_piece(place, monkeypatch):
    synced = []
    real = part.os.fdatasync
    monkeypatch.setattr(
        part.os, "fdatasync", lambda number: (synced.append(file.bytes), real(number))
    )
    monkeypatch.setattr(part, "SYNC_EVERY_BYTES", 4)
    file = begin(place)

    for _ in range(5):
        file.write(b"ab")
    file.finish(place)

    assert synced == [2, 6, 10]
