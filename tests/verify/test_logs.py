import os
import random

import pytest
from tests.ledger.whole import entries_of, leaves_of, tree_root

from sealog.ledger.files import LogFiles
from sealog.verify import logs
from sealog.verify.logs import Log
from sealog.verify.report import Findings

ENTRIES = entries_of(600)


@pytest.fixture
def folder(tmp_path):
    """The files of a log of 600 entries."""
    LogFiles(tmp_path / "log").append(ENTRIES)
    return tmp_path / "log"


def checked(log, sizes=()):
    findings, steps = Findings("acme"), []
    roots = logs.check(log, sizes, findings, steps.append)
    return roots, [(fault.where, fault.index) for fault in findings.faults], steps


def spoil(path, at, content=b"\xee"):
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def test_roots_are_those_of_the_entries(folder):
    roots, faults, steps = checked(Log(folder, "log", 600), [0, 1, 255, 256, 599])

    assert faults == []
    assert sum(steps) == 600
    for size in (0, 1, 255, 256, 599, 600):
        assert roots[size] == tree_root(leaves_of(ENTRIES[: 33 * size]))


def test_roots_beyond_the_log_are_not_given(folder):
    roots, _, _ = checked(Log(folder, "log", 600), [601])

    assert sorted(roots) == [600]


def test_large_logs_are_read_in_pieces(folder, monkeypatch):
    monkeypatch.setattr(logs, "CHUNK_ENTRIES", 100)

    roots, faults, steps = checked(Log(folder, "log", 600), [256])

    assert faults == []
    assert steps == [100, 100, 56, 100, 100, 100, 44]
    assert roots[600] == tree_root(leaves_of(ENTRIES))


def test_the_journals_entries_continue_the_files(folder):
    log = Log(folder, "log", 200, ENTRIES[33 * 200 :])

    roots, faults, _ = checked(log)

    assert faults == []
    assert roots[600] == tree_root(leaves_of(ENTRIES))
    assert log.entries(198, 4) == ENTRIES[33 * 198 : 33 * 202]
    assert log.at((0, 199, 200, 599)) == b"".join(
        ENTRIES[33 * index : 33 * index + 33] for index in (0, 199, 200, 599)
    )
    assert log.entries(598, 3) is None
    assert log.at((0, 600)) is None


def test_a_level_that_is_not_its_entries_is_named_by_its_hash(folder):
    spoil(folder / "hashes-1", 32 + 3)

    _, faults, _ = checked(Log(folder, "log", 600))

    assert faults == [("log/hashes-1", 256)]


def test_zeros_are_no_excuse_for_a_level_that_was_synced(folder):
    spoil(folder / "hashes-1", 32, bytes(32))

    _, faults, _ = checked(Log(folder, "log", 600))

    assert faults == [("log/hashes-1", 256)]


def test_an_entry_that_is_neither_event_nor_statement_is_named(folder):
    spoil(folder / "entries", 33 * 590, b"\x00")

    _, faults, _ = checked(Log(folder, "log", 600))

    assert faults == [("log/entries", 590)]


@pytest.mark.parametrize(
    ("name", "length", "index"), [("entries", 33 * 600 - 1, 599), ("hashes-1", 63, 256)]
)
def test_a_file_that_ends_too_early_is_named(folder, name, length, index):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:length])

    _, faults, _ = checked(Log(folder, "log", 600))

    assert faults == [(f"log/{name}", index)]


def test_a_level_beyond_what_was_synced_may_be_missing_or_zeros(folder):
    log = Log(folder, "log", 200, ENTRIES[33 * 200 :])

    for content in (b"", bytes(64), bytes(40)):
        (folder / "hashes-1").write_bytes(content)
        assert checked(log)[1] == []
    (folder / "hashes-1").unlink()
    assert checked(log)[1] == []


def test_a_level_beyond_what_was_synced_may_not_be_something_else(folder):
    spoil(folder / "hashes-1", 5)

    _, faults, _ = checked(Log(folder, "log", 200, ENTRIES[33 * 200 :]))

    assert faults == [("log/hashes-1", 0)]


def test_a_missing_folder_is_named_once_anything_was_synced(tmp_path):
    assert checked(Log(tmp_path / "none", "log", 1))[1] == [("log", None)]
    assert checked(Log(tmp_path / "none", "log", 0, ENTRIES))[1] == []


def test_a_level_that_the_log_does_not_have_yet_is_unfinished(folder):
    (folder / "hashes-2").write_bytes(bytes(32))
    findings = Findings("acme")

    logs.check(Log(folder, "log", 600), (), findings, lambda _: None)

    assert findings.faults == []
    assert [note.where for note in findings.unfinished] == ["log/hashes-2"]


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """The files of a log whose second level has one hash."""
    path = tmp_path_factory.mktemp("large") / "log"
    LogFiles(path).append(entries_of(66_000))
    return path


def test_every_level_of_a_large_log_is_checked(large):
    log = Log(large, "log", 66_000)
    assert checked(log)[1] == []

    for name, at, index in [("hashes-1", 32 * 256 + 31, 65_536), ("hashes-2", 0, 0)]:
        byte = (large / name).read_bytes()[at]
        spoil(large / name, at, bytes([byte ^ 1]))
        assert checked(log)[1] == [(f"log/{name}", index)]
        spoil(large / name, at, bytes([byte]))


@pytest.mark.skipif(os.environ.get("CI") != "true", reason="a sample that takes half a minute")
def test_flips_anywhere_in_a_large_log_change_its_root_or_name_a_level(large):
    log = Log(large, "log", 66_000)
    root = checked(log)[0][66_000]
    some = random.Random(7)
    for name in ("entries", "hashes-1", "hashes-2"):
        content = (large / name).read_bytes()
        for at in some.sample(range(len(content)), min(len(content), 60)):
            spoil(large / name, at, bytes([content[at] ^ 1 << at % 8]))
            roots, faults, _ = checked(log)
            assert roots[66_000] != root or (f"log/{name}" in {where for where, _ in faults})
            spoil(large / name, at, content[at : at + 1])
