"""The archive's thread: when it cuts, and that a death at any step loses and doubles nothing."""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection, text
from tests.archive.made import ALPHA, BETA, STILL, Home, batch, event, statement, until

from sealog.archive import cuts, follower, segments
from sealog.archive.follower import Settings
from sealog.errors import Altered
from sealog.journal.journal import Journal
from sealog.query.tree import Query
from sealog.storage.store import driver


class Died(Exception):
    """The process ended here."""


def _indexes(home: Home) -> list[int]:
    return [index for index, _ in home.archive.scan(ALPHA, Query())]


def _everything_is_there_once(home: Home, count: int) -> None:
    assert _indexes(home) == list(range(count))
    assert [index for index, _ in home.archive.feed(ALPHA, -1, 1_000)] == list(range(count))
    page = home.archive.search([ALPHA], Query(), limit=1_000)
    assert sorted(found.index for found in page.events) == list(range(count))
    assert page.damaged == ()
    listed = {
        f"{segment.kept}/{path.name}"
        for segment in home.archive.segments(ALPHA)
        for path in (segment.columns_path, segment.parts_path)
    }
    assert home.files() == listed


def _die_writing_the_second_file(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., None] = segments.files.replace_later_synced
    written: list[Path] = []

    def replace(path: Path, content: bytes) -> None:
        if written:
            path.with_name(path.name + ".new").write_bytes(bytes(content[:10]))
            raise Died
        written.append(path)
        real(path, content)

    monkeypatch.setattr(segments.files, "replace_later_synced", replace)


def _die_before_the_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    def sync_all(_: Path) -> None:
        raise Died

    monkeypatch.setattr(cuts.files, "sync_all", sync_all)


def _die_in_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    def advance(*_: object, **__: object) -> None:
        raise Died

    monkeypatch.setattr(Journal, "advance", advance)


def _die_after_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    def settle(*_: object) -> None:
        raise Died

    monkeypatch.setattr(follower.Waiting, "settle", settle)


@pytest.mark.parametrize(
    "die",
    [
        _die_writing_the_second_file,
        _die_before_the_sync,
        _die_in_the_transaction,
        _die_after_the_transaction,
    ],
)
def test_a_death_at_any_step_of_a_cut_loses_and_doubles_nothing(
    home: Home, die: Callable[[pytest.MonkeyPatch], None]
):
    home.add(ALPHA, *[event(n) for n in range(100)])
    home.archive.cut()
    home.add(ALPHA, *[event(n) for n in range(100)], statement(7), event(8))

    with pytest.MonkeyPatch.context() as patched:
        die(patched)
        with pytest.raises(Died):
            home.archive.cut()
    home.restart()

    _everything_is_there_once(home, 202)
    home.archive.cut()
    _everything_is_there_once(home, 202)
    home.restart()
    _everything_is_there_once(home, 202)


def _fail_writing_the_second_file(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., None] = segments.files.replace_later_synced

    def replace(path: Path, content: bytes) -> None:
        if path.suffix == ".arrow":
            raise Died
        real(path, content)

    monkeypatch.setattr(segments.files, "replace_later_synced", replace)


def test_a_cut_that_fails_leaves_no_file(home: Home, monkeypatch: pytest.MonkeyPatch):
    """The next one holds more events, under other names: on a full disk they would pile up."""
    home.add(ALPHA, *[event(n) for n in range(40)], statement(7))
    for die in (_fail_writing_the_second_file, _die_before_the_sync):
        with monkeypatch.context() as patched:
            die(patched)
            with pytest.raises(Died):
                home.archive.cut()

        assert home.files() == set()

    _everything_is_there_once(home, 41)
    home.close()


def test_files_of_a_cut_that_may_be_noted_go_once_another_is(
    home: Home, monkeypatch: pytest.MonkeyPatch
):
    """A transaction that was not made durable may be found whole after a crash, its files MUST be."""
    home.add(ALPHA, *[event(n) for n in range(40)])
    with monkeypatch.context() as patched:
        _die_in_the_transaction(patched)
        with pytest.raises(Died):
            home.archive.cut()
    assert home.files() == {"default/0-39-0.arrow", "default/0-39-0.parquet"}

    with monkeypatch.context() as patched:
        _die_before_the_sync(patched)
        with pytest.raises(Died):
            home.archive.cut()
    assert home.files() == {"default/0-39-0.arrow", "default/0-39-0.parquet"}

    home.add(ALPHA, event(40))
    home.archive.cut()
    assert home.files() == {"default/0-40-0.arrow", "default/0-40-0.parquet"}
    _everything_is_there_once(home, 41)
    home.close()


def test_a_restart_makes_what_waits_visible_again_at_once(home: Home):
    home.add(ALPHA, *[event(n) for n in range(300)])

    home.restart()

    assert home.archive.visible(ALPHA) == 300
    assert home.archive.segments(ALPHA) == ()


def test_what_waits_is_taken_in_beside_the_first_requests_and_they_wait_for_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
):
    """A start does not wait for 200,000 events; nothing that was visible before it is left out."""
    for n in range(150):
        home.journal.append([batch(ALPHA, [event(n)])]).result(10)
    monkeypatch.setattr(follower, "START_EVENTS", 0)
    monkeypatch.setattr(follower, "BLOCKS_AT_ONCE", 1)

    home.restart()

    assert home.archive.count([ALPHA], Query()).count == 150


def test_one_tenant_is_not_asked_to_wait_for_all_others(
    home: Home, monkeypatch: pytest.MonkeyPatch
):
    """Its own blocks are taken in first, each event once."""
    for n in range(40):
        home.journal.append([batch(ALPHA, [event(n)])]).result(10)
    home.journal.append([batch(BETA, [event(1)])]).result(10)
    home.journal.append([batch(ALPHA, [event(41)])]).result(10)
    monkeypatch.setattr(follower, "START_EVENTS", 0)
    monkeypatch.setattr(follower, "BLOCKS_AT_ONCE", 1)

    home.restart()

    assert home.archive.count([BETA], Query()).count == 1
    assert home.archive.count([ALPHA], Query()).count == 41
    assert home.archive.count([ALPHA, BETA], Query()).count == 42


def test_blocks_that_the_log_still_needs_are_not_taken_in_twice(home: Home):
    """The journal keeps a block until both the log and the archive have it."""
    home.add(ALPHA, *[event(n) for n in range(10)])
    home.archive.cut()
    assert home.journal.blocks_of(1, 0)

    home.restart()

    assert home.archive.waiting() == (0, 0)
    _everything_is_there_once(home, 10)


def test_a_tenant_with_enough_waiting_comes_to_rest_by_itself(tmp_path: Path):
    home = Home(tmp_path, msgspec.structs.replace(STILL, segment_events=100))

    home.add(ALPHA, *[event(n) for n in range(99)])
    home.add(BETA, *[event(n) for n in range(100)])
    until(lambda: home.archive.segments(BETA))

    assert len(home.archive.segments(BETA)) == 1
    assert home.archive.segments(ALPHA) == ()
    home.close()


def test_of_many_tenants_that_are_due_some_are_cut_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Ten thousand become old at one moment, and what is accepted meanwhile is to be seen."""
    monkeypatch.setattr(follower, "CUT_TENANTS_MAX", 1)
    home = Home(tmp_path)
    home.add(BETA, *[event() for _ in range(3)])
    home.add(ALPHA, event())
    home.archive.stop()
    followed = home.archive._follower
    followed._settings = msgspec.structs.replace(STILL, segment_age_s=0.0)

    assert followed._due() == [BETA.number]
    followed._cut([BETA.number])
    assert followed._due() == [ALPHA.number]
    followed._settings = msgspec.structs.replace(STILL, segment_age_s=60.0)
    assert followed._due() == []
    home.store.close()


def test_old_waiting_events_come_to_rest(tmp_path: Path):
    home = Home(tmp_path, msgspec.structs.replace(STILL, segment_age_s=0.0))

    home.add(ALPHA, event())
    until(lambda: home.archive.waiting()[0] == 0)

    assert home.archive.waiting() == (0, 0)
    home.close()


def test_when_too_much_waits_the_largest_tenants_come_to_rest(tmp_path: Path):
    home = Home(tmp_path, msgspec.structs.replace(STILL, waiting_events_max=100))

    home.add(BETA, *[event() for _ in range(30)])
    home.add(ALPHA, *[event() for _ in range(80)])
    until(lambda: home.archive.segments(ALPHA))

    assert len(home.archive.segments(ALPHA)) == 1
    assert home.archive.segments(BETA) == ()
    home.close()


def test_when_too_many_bytes_wait_they_come_to_rest(tmp_path: Path):
    home = Home(tmp_path, msgspec.structs.replace(STILL, waiting_bytes_max=50_000))

    home.add(ALPHA, *[event() for _ in range(80)])
    until(lambda: home.archive.waiting()[0] == 0)

    assert home.archive.waiting()[1] <= 50_000
    home.close()


def test_trouble_is_told_and_ends_when_its_reason_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """While segments cannot be written, events stay visible and in the journal."""
    monkeypatch.setattr(follower, "RETRY_S", 0.01)
    home = Home(tmp_path, Settings(segment_events=10, cut_every_s=0.0))
    full = OSError(28, "No space left on device")
    failed = threading.Event()

    def sync_all(_: Path) -> None:
        failed.set()
        raise full

    with monkeypatch.context() as patched:
        patched.setattr(cuts.files, "sync_all", sync_all)
        home.add(ALPHA, *[event(n) for n in range(20)])
        assert failed.wait(10)
        assert _indexes(home) == list(range(20))
    until(lambda: home.archive.segments(ALPHA) and home.archive.trouble() is None)

    _everything_is_there_once(home, 20)
    home.close()


def test_trouble_that_nobody_foresaw_does_not_end_the_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Else events would be accepted and never found, and /readyz would say that all is well."""
    monkeypatch.setattr(follower, "RETRY_S", 0.01)
    home = Home(tmp_path, Settings(segment_events=10, cut_every_s=0.0))

    def arrange(*_: object) -> None:
        raise RuntimeError("never thought of")

    with monkeypatch.context() as patched:
        patched.setattr(cuts.Cutter, "arrange", arrange)
        home.add(ALPHA, *[event(n) for n in range(20)])
        until(lambda: isinstance(home.archive.trouble(), RuntimeError))
    until(lambda: home.archive.segments(ALPHA) and home.archive.trouble() is None)

    _everything_is_there_once(home, 20)
    home.close()


def test_a_gap_in_the_journal_is_trouble_and_what_rests_stays_searchable(home: Home):
    """The operator is told, and a start does not fail over it."""
    home.add(ALPHA, event(1))
    home.archive.cut()
    home.add(ALPHA, event(2))
    home.add(ALPHA, event(3))
    lose = text('DELETE FROM blocks WHERE tenant = 1 AND "first" = 1')
    home.store.write(lambda connection: connection.execute(lose) and None).result()

    home.restart()

    assert "tenant 1 has no events from 1" in str(home.archive.trouble())
    assert _indexes(home) == [0]
    assert home.archive.get(ALPHA, 2) is None
    assert home.archive.lag() == 2


def test_what_a_failed_step_made_visible_is_not_taken_in_twice(home: Home):
    waiting, journal = home.archive._follower.waiting, home.journal
    home.archive.stop()
    journal.append([batch(BETA, [event(1), event(2)]), batch(ALPHA, [event(3)])]).result(10)
    beta, alpha = journal.follow(0)

    home.archive._follower._add({2: [beta]})
    home.archive._follower._add({2: [beta], 1: [alpha]})

    assert waiting.visible() == {1: 1, 2: 2}
    assert waiting.events == 3


def test_one_tenants_damaged_block_keeps_no_other_from_being_seen(home: Home):
    """It is named by what is wrong, without the tenant, for whoever asks whether all is well."""
    home.archive.stop()
    home.journal.append([batch(ALPHA, [event(1)]), batch(BETA, [event(2)])]).result(10)

    def damage(connection: Connection) -> None:
        driver(connection).execute("UPDATE blocks SET accepted_us = 1 WHERE tenant = 1")

    home.store.write(damage).result()
    home.archive._follower.step()

    assert home.archive._follower.waiting.visible() == {2: 1}
    assert isinstance(home.archive.trouble(), Altered)


def test_what_only_waits_to_be_more_holds_up_no_merge(home: Home):
    """Of many tenants something always waits: merging beside it would take ten seconds a merge."""
    home.settings = msgspec.structs.replace(STILL, waiting_events_max=100)
    home.restart()

    home.add(ALPHA, *[event(n) for n in range(80)])
    assert not home.archive._follower.is_behind()

    home.settings = msgspec.structs.replace(
        STILL, waiting_events_max=100, segment_events=16, cut_every_s=1e9
    )
    home.restart()
    assert home.archive._follower.is_behind()
