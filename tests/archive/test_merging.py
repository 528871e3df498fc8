"""Small segments become large ones, and a death at any step loses and doubles nothing."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from tests.archive.dying import STEPS, Died
from tests.archive.made import ALPHA, BETA, Home, event, statement, until

from sealog.archive import joining, merging
from sealog.archive.archive import Query
from sealog.archive.levels import Limits
from sealog.archive.merging import Merger

if TYPE_CHECKING:
    from sealog.archive.segments import Segment


def _cut_often(home: Home, times: int = 16, each: int = 3) -> None:
    for _ in range(times):
        home.add(ALPHA, *[event(n, actor=f"actor-{n}") for n in range(each)])
        home.archive.cut()


def _names(home: Home) -> list[str]:
    return [segment.name for segment in home.archive.segments(ALPHA)]


def _everything_is_there_once(home: Home, count: int) -> None:
    indexes = list(range(count))
    assert [index for index, _ in home.archive.scan(ALPHA, Query())] == indexes
    assert [index for index, _ in home.archive.feed(ALPHA, -1, 1_000)] == indexes
    page = home.archive.search([ALPHA], Query(), limit=1_000)
    assert sorted(found.index for found in page.events) == indexes
    assert page.damaged == ()
    assert home.archive.damaged() == []


def _only_listed_files_are_there(home: Home) -> None:
    listed = {
        f"{segment.kept}/{path.name}"
        for segment in home.archive.segments(ALPHA)
        for path in (segment.columns_path, segment.parts_path)
    }
    until(lambda: home.files() == listed)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "IDLE_S", 0.01)


@pytest.fixture
def still(home: Home) -> Home:
    """A home that merges only when a test says so."""
    home.archive._merger.stop()
    home.archive._merger._stopping.clear()
    return home


def test_sixteen_segments_become_one_by_themselves(home: Home):
    _cut_often(home)

    until(lambda: _names(home) == ["0-47-1"])

    _everything_is_there_once(home, 48)
    _only_listed_files_are_there(home)
    assert home.archive.merged().merges == 1
    home.restart()
    assert _names(home) == ["0-47-1"]
    _everything_is_there_once(home, 48)


def test_each_class_is_merged_by_itself(still: Home):
    for _ in range(16):
        still.add(ALPHA, event(), statement(), event())
        still.archive.cut()

    still.archive.merge()

    assert [(one.kept, one.name) for one in still.archive.segments(ALPHA)] == [
        ("default", "0-47-1"),
        ("statements", "1-46-1"),
    ]
    _everything_is_there_once(still, 48)


def test_only_tenants_with_new_segments_are_looked_at(still: Home):
    _cut_often(still)
    still.archive.merge()
    still.add(BETA, event())
    still.archive.cut()

    assert list(still.archive._merger._due) == [BETA.number]


@pytest.mark.parametrize("leaves_drafts", [False, True], ids=["raised", "killed"])
@pytest.mark.parametrize("die", STEPS)
def test_a_death_at_any_step_of_a_merge_loses_and_doubles_nothing(
    still: Home, die: Callable[[pytest.MonkeyPatch], None], *, leaves_drafts: bool
):
    """Killed, it cannot even delete what it was writing."""
    _cut_often(still)

    with pytest.MonkeyPatch.context() as patched:
        die(patched)
        if leaves_drafts:
            patched.setattr(joining.Draft, "discard", lambda _: None)
        with pytest.raises(Died):
            still.archive.merge()
    still.restart()

    _everything_is_there_once(still, 48)
    until(lambda: _names(still) == ["0-47-1"])
    _everything_is_there_once(still, 48)
    _only_listed_files_are_there(still)
    still.restart()
    _everything_is_there_once(still, 48)
    _only_listed_files_are_there(still)


def test_whoever_began_before_the_swap_sees_what_was_there(still: Home):
    """A long export goes on reading files that were replaced meanwhile."""
    _cut_often(still)
    scanned = still.archive.scan(ALPHA, Query())
    first = next(scanned)[0]

    still.archive.merge()

    assert still.archive._merger.sweep() == 1
    assert [first, *[index for index, _ in scanned]] == list(range(48))
    del scanned
    assert still.archive._merger.sweep() == 0
    _only_listed_files_are_there(still)


def test_a_reader_in_any_thread_finds_every_event_once_while_segments_are_merged(home: Home):
    stop = threading.Event()
    wrong: list[object] = []

    def read() -> None:
        while not stop.is_set():
            count = home.archive.visible(ALPHA)
            page = home.archive.search([ALPHA], Query(), limit=1_000)
            indexes = [found.index for found in page.events]
            if page.damaged or sorted(set(indexes))[:count] != list(range(count)):
                wrong.append(page.damaged or indexes)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        _cut_often(home, times=60, each=2)
        until(lambda: home.archive.merged().merges >= 3)
    finally:
        stop.set()
        reader.join()

    assert wrong == []
    _everything_is_there_once(home, 120)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.rindex(b"\x28\xb5\x2f\xfd") + 9] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("what", ["columns_path", "parts_path"])
@pytest.mark.parametrize("damage", [_flip, Path.unlink], ids=["flipped", "missing"])
def test_a_damaged_source_is_named_and_left_alone_and_the_others_are_merged(
    still: Home, what: str, damage: Callable[[Path], None]
):
    _cut_often(still, times=40)
    hurt = still.archive.segments(ALPHA)[5]
    damage(getattr(hurt, what))

    still.archive.merge()

    names = ["0-14-1", "15-17-0", "18-65-1", "66-113-1", "114-116-0", "117-119-0"]
    assert _names(still) == names
    (named,) = still.archive.damaged()
    assert str(getattr(hurt, what)) in str(named)
    assert (hurt.columns_path.exists(), hurt.parts_path.exists()).count(True) >= 1
    scanned = still.archive.search([ALPHA], Query(), limit=1_000)
    assert len(scanned.events) == 117
    assert len(scanned.damaged) >= 1


def test_damage_that_was_known_at_start_is_named_once(still: Home):
    _cut_often(still)
    still.archive.segments(ALPHA)[5].parts_path.unlink()

    still.restart()
    until(still.archive._merger.damaged)

    assert [str(one).rpartition("/")[2] for one in still.archive.damaged()] == [
        "15-17-0.arrow is missing"
    ]


def test_a_row_of_the_list_that_is_not_as_it_was_stops_the_swap(still: Home):
    """What somebody changed in the list is evidence, and a merge would take it away."""
    _cut_often(still)
    change = text("UPDATE segments SET digest = x'00' WHERE first = 3")
    still.store.write(lambda connection: connection.execute(change) and None).result()

    with pytest.raises(merging.Corrupt, match=r"3-5-0.parquet is not listed as it was"):
        still.archive.merge()

    assert len(_names(still)) == 16
    _everything_is_there_once(still, 48)


def test_trouble_is_told_and_the_tenant_left_alone_for_a_while(
    still: Home, monkeypatch: pytest.MonkeyPatch
):
    _cut_often(still)
    merger = still.archive._merger

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(joining, "write_columns", full)
        assert merger._try_step()
    assert "No space left" in str(merger.trouble)
    assert still.archive.trouble() is None
    assert list(merger._later) == [ALPHA.number]
    assert not any(name.endswith(".new") for name in still.files())

    still.add(ALPHA, event())
    still.archive.cut()
    assert not merger._try_step()
    assert "No space left" in str(merger.trouble)

    merger._try_again([ALPHA.number])
    assert merger._try_step()
    assert merger.trouble is None
    assert merger._later == {}
    _everything_is_there_once(still, 49)


def test_segments_that_come_while_a_merge_fails_do_not_have_it_tried_at_once(
    still: Home, monkeypatch: pytest.MonkeyPatch
):
    _cut_often(still)
    merger = still.archive._merger

    def full(*_: object) -> None:
        still.add(ALPHA, event())
        still.archive.cut()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(joining, "write_columns", full)
        assert merger._try_step()

    assert not merger._try_step()
    assert len(_names(still)) == 17
    still.archive.merge()
    assert len(_names(still)) == 2


def test_a_merge_is_given_up_when_the_program_ends(still: Home, monkeypatch: pytest.MonkeyPatch):
    _cut_often(still)
    merger = still.archive._merger
    real = joining.write_columns

    def stopping(path: Path, content: object) -> None:
        real(path, content)
        merger._stopping.set()

    monkeypatch.setattr(joining, "write_columns", stopping)

    assert not merger._try_step()

    assert len(_names(still)) == 16
    assert not any(name.endswith(".new") for name in still.files())


def test_a_merge_lets_cutting_go_first_but_not_for_ever(
    still: Home, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(merging, "YIELD_S", 0.0)
    monkeypatch.setattr(merging, "YIELDS_MAX", 7)
    asked: list[int] = []
    merger = Merger(
        still.store, still.archive._waiting, lambda: not asked.append(1), lambda _: Limits()
    )
    _cut_often(still)
    merger.consider([ALPHA.number])

    merger.settle()

    assert len(asked) == 7
    assert _names(still) == ["0-47-1"]


def test_what_is_kept_of_an_error_holds_no_segment(still: Home):
    """Else the files of replaced segments would stay until the next start."""
    _cut_often(still)
    hurt: Segment | None = still.archive.segments(ALPHA)[0]
    assert hurt is not None
    hurt.parts_path.unlink()
    hurt = None

    still.archive.merge()
    still.archive._merger.settle()

    assert len(still.archive.damaged()) == 1
    assert still.archive._merger.sweep() == 0
