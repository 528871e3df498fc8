import gzip
import io

import pytest
import zstandard

from sealog.cli import holdings
from sealog.errors import Misconfigured

LINES = b'{"a":1}\n{"b":2}\n'
VALUES = [b'{"a":1}', b'{"b":2}']


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("held.ndjson", LINES),
        ("held", LINES),
        ("held.json", b'[{"a":1}, {"b":2}]'),
        ("held.ndjson.gz", gzip.compress(LINES[:8], mtime=0) + gzip.compress(LINES[8:], mtime=0)),
        ("held.json.zst", zstandard.compress(LINES)),
        ("held.csv", b'index,event\r\n0,"{""a"":1}"\r\n1,"{""b"":2}"\r\n'),
        ("held.csv.gz", gzip.compress(b'event\n"{""a"":1}"\n"{""b"":2}"\n', mtime=0)),
    ],
)
def test_a_file_is_read_whatever_it_is_compressed_with(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)

    assert list(holdings.values(tmp_path / name)) == VALUES


def test_standard_input_is_read(monkeypatch):
    class Input:
        buffer = io.BytesIO(LINES)

    monkeypatch.setattr(holdings.sys, "stdin", Input)

    assert list(holdings.values(None)) == VALUES


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("held.ndjson.gz", gzip.compress(LINES, mtime=0)[:-12]),
        ("held.ndjson.gz", LINES),
        ("held.zst", LINES),
        ("held.csv", b"index,action\r\n1,a\r\n"),
        ("held.csv", b"\xff\xfe\r\n"),
        ("held.json", b'[{"a":1'),
        ("held.parquet", b"PAR1"),
    ],
)
def test_a_damaged_file_fails_in_a_known_way(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(holdings.UNREADABLE):
        list(holdings.values(tmp_path / name))


def test_a_folder_is_all_its_files_that_are_ended(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("in/b.ndjson", "in/deep/a.json.gz", "in/c.ndjson.part"):
        (tmp_path / name).write_bytes(b"")

    found = holdings.paths([str(tmp_path / "in"), "-"])

    assert found == [tmp_path / "in/b.ndjson", tmp_path / "in/deep/a.json.gz", None]


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(Misconfigured, match=r"there is no .*nowhere"):
        holdings.paths([str(tmp_path / "nowhere")])
    with pytest.raises(Misconfigured, match=r"no file in .* that is ended"):
        holdings.paths([str(tmp_path)])
