"""Events expire, are dropped and sorted anew; a death at any step loses and shows nothing."""

import threading
from collections.abc import Callable
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Self

import pytest
from sqlalchemy import text
from tests.archive.dying import STEPS, Died
from tests.archive.made import (
    ALPHA,
    BEGIN_US,
    BETA,
    TENANTS,
    Home,
    asking,
    event,
    statement,
    still,
    until,
)

from sealog.archive import merging
from sealog.archive.archive import Archive, Query
from sealog.archive.holes import Explained
from sealog.archive.segments import Parts
from sealog.errors import Corrupt, Gone
from sealog.policy.retention import Retention, Rule

HOUR = 3_600
TWO_DAYS = 48 * HOUR
DROPPED_BY = STEPS[4:]
"""Whole segments go without a file being written."""


def _both(home: Home, times: int = 4, every_s: float = 60) -> None:
    """Events of two dialects and a statement, cut again and again."""
    for _ in range(times):
        came = (home.now_us - BEGIN_US) / 1_000_000
        home.add(ALPHA, *[event(n, dialect="easysend", came=came, actor="kim") for n in range(3)])
        home.add(ALPHA, event(3, came=came), statement())
        home.archive.cut()
        home.pass_time(every_s)


def _classes(home: Home) -> list[tuple[str, str]]:
    return [(one.kept, one.name) for one in home.archive.segments(ALPHA)]


def _given(home: Home) -> list[int]:
    """Every index that is given, by whatever is asked; they agree."""
    archive = home.archive
    given = [index for index, _ in archive.scan(ALPHA, Query())]
    assert [index for index, _ in archive.feed(ALPHA, -1, 1_000)] == given
    page = archive.search([ALPHA], Query(), limit=1_000)
    assert sorted(one.index for one in page.events) == given
    assert page.damaged == ()
    assert archive.count([ALPHA], Query()).count == len(given)
    return given


def _held(home: Home) -> set[int]:
    """Every index that any file holds."""
    held = {n for one in home.archive.segments(ALPHA) for n in Parts(one).indexes().tolist()}
    listed = {
        f"{one.kept}/{path.name}"
        for one in home.archive.segments(ALPHA)
        for path in (one.columns_path, one.parts_path)
    }
    until(lambda: home.archive.undeleted() == 0)
    assert home.files() == listed
    return held


def _change(home: Home, sql: str) -> None:
    home.store.write(lambda connection: connection.execute(text(sql))).result()


def test_what_is_kept_equally_long_rests_together(lasting: Home):
    _both(lasting, 2)

    assert _classes(lasting) == [
        ("172800s", "0-2-0"),
        ("default", "3-3-0"),
        ("statements", "4-4-0"),
        ("172800s", "5-7-0"),
        ("default", "8-8-0"),
        ("statements", "9-9-0"),
    ]


def test_an_event_is_shown_until_the_microsecond_it_expires_and_never_after(lasting: Home):
    """ES-46: 48 hours from its creation."""
    lasting.add(ALPHA, event(dialect="easysend", event_id="one"), event(1))
    for rests in (False, True):
        if rests:
            lasting.archive.cut()
        lasting.now_us = BEGIN_US + TWO_DAYS * 1_000_000 - 1
        assert _given(lasting) == [0, 1]
        assert lasting.archive.by_id(ALPHA, "one") is not None

        lasting.now_us += 1
        assert _given(lasting) == [1]
        for ask in (
            lambda: lasting.archive.get(ALPHA, 0),
            lambda: lasting.archive.by_id(ALPHA, "one"),
        ):
            with pytest.raises(Gone, match="index 0 has expired") as raised:
                ask()
            assert raised.value.code == "expired"
        found = lasting.archive.follow(ALPHA, Query(), 0, 10)
        assert ([index for index, _ in found.events], found.next) == ([1], 2)
        assert lasting.archive.search([ALPHA], asking(action="user.login")).events[0].index == 1
        facet = lasting.archive.facets([ALPHA], Query(), ["dialect"]).facets["dialect"]
        assert facet.values == [("ecs", 1)]
        assert lasting.archive.snapshot(ALPHA, Query()).count == 1


def test_a_page_asked_for_later_shows_less(lasting: Home):
    """The cursor of a page leads on, not back to what has expired since."""
    lasting.add(ALPHA, *[event(n, dialect="easysend", came=n) for n in range(10)])
    lasting.archive.cut()
    lasting.now_us = BEGIN_US + TWO_DAYS * 1_000_000 - 1
    page = lasting.archive.search([ALPHA], Query(), limit=3)
    lasting.pass_time(5)

    page = lasting.archive.search([ALPHA], Query(), limit=10, cursor=page.next_cursor)

    assert [one.index for one in page.events] == [6, 5]
    assert page.next_cursor is None


def test_nothing_is_due_before_a_whole_segment_has_expired(lasting: Home):
    lasting.add(ALPHA, *[event(n, dialect="easysend", came=100 * n) for n in range(5)])
    lasting.archive.cut()
    lasting.now_us = BEGIN_US + (TWO_DAYS + 399) * 1_000_000
    assert lasting.archive.due(lasting.now_us) == []
    assert list(lasting.archive.expired_until(ALPHA, lasting.now_us)) == []
    assert _given(lasting) == [4]

    lasting.pass_time(1)

    assert lasting.archive.due(lasting.now_us) == [1]
    (due,) = lasting.archive.expired_until(ALPHA, lasting.now_us)
    assert (due.ranges, due.count, due.kept) == (((0, 4),), 5, ("172800s",))
    assert (due.first_ingested_us, due.last_ingested_us) == (BEGIN_US, BEGIN_US + 400_000_000)


def test_what_is_dropped_is_in_no_file_and_explained(lasting: Home):
    _both(lasting)
    lasting.pass_time(TWO_DAYS)

    gone = lasting.let_go(ALPHA)

    assert gone == [(0, 2), (5, 7), (10, 12), (15, 17)]
    assert _given(lasting) == [3, 4, 8, 9, 13, 14, 18, 19, 20]
    lasting.archive.cut()
    lasting.restart()
    still(lasting)
    assert _held(lasting) == {3, 4, 8, 9, 13, 14, 18, 19, 20}
    assert _given(lasting) == [3, 4, 8, 9, 13, 14, 18, 19, 20]
    assert lasting.archive.why_missing(ALPHA, 11) == 20
    assert lasting.archive.why_missing(ALPHA, 13) is None
    assert lasting.archive.explanations(ALPHA, 3, 12) == [Explained(20, 0, 17, 12)]
    assert lasting.archive.explanations(ALPHA, 3, 5) == []
    with pytest.raises(Gone, match="see the statement at index 20"):
        lasting.archive.get(ALPHA, 11)
    assert lasting.archive.due(lasting.now_us) == []


def test_a_feed_of_nothing_but_what_is_gone_leads_on(lasting: Home):
    """Whoever follows does not ask for the same again and again."""
    lasting.add(ALPHA, *[event(n, dialect="easysend") for n in range(50)])
    lasting.pass_time(TWO_DAYS)

    found = lasting.archive.follow(ALPHA, Query(), 0, 10)

    assert (found.events, found.next) == ([], 50)
    lasting.let_go(ALPHA)
    found = lasting.archive.follow(ALPHA, Query(), 0, 10)
    assert ([index for index, _ in found.events], found.next) == ([50], 51)


def test_what_expired_while_nobody_ran_is_cut_and_dropped(lasting: Home):
    """It waits in the journal after a long stop, and goes from there too."""
    lasting.add(ALPHA, *[event(n, dialect="easysend") for n in range(5)], event(5))
    lasting.close()
    lasting.pass_time(10 * TWO_DAYS)
    lasting._open()
    still(lasting)
    assert lasting.archive.due(lasting.now_us) == [1]

    assert lasting.let_go(ALPHA) == [(0, 4)]

    assert _given(lasting) == [5, 6]
    lasting.archive.cut()
    assert _held(lasting) == {5, 6}


def test_tenants_that_nobody_asked_for_are_due_too(lasting: Home):
    lasting.add(BETA, event(dialect="easysend"))
    lasting.archive.cut()
    lasting.restart()
    lasting.pass_time(TWO_DAYS)

    until(lambda: lasting.archive.due(lasting.now_us) == [2])

    assert len(list(lasting.archive.expired_until(BETA, lasting.now_us))) == 1


def test_a_hole_that_nothing_explains_is_still_told(lasting: Home):
    _both(lasting)
    lasting.pass_time(TWO_DAYS)
    lasting.let_go(ALPHA)
    lasting.archive.cut()
    _change(lasting, "DELETE FROM expired")
    lasting.restart()

    for read in (
        lambda: lasting.archive.feed(ALPHA, -1, 100),
        lambda: list(lasting.archive.pieces(ALPHA, Query(), 20)),
    ):
        with pytest.raises(Corrupt):
            read()


def test_a_row_that_was_altered_explains_nothing(lasting: Home):
    _both(lasting)
    lasting.pass_time(TWO_DAYS)
    lasting.let_go(ALPHA)
    _change(lasting, "UPDATE expired SET first = 1")

    with pytest.raises(Corrupt, match="what statement 20 explains is altered"):
        lasting.archive.feed(ALPHA, -1, 100)


def test_a_change_of_policy_is_in_force_at_once_and_sorted_afterwards(lasting: Home):
    _both(lasting)
    assert lasting.archive.unsorted() == 0

    lasting.decide(ALPHA, Rule(dialect="ecs", keep_s=HOUR), Rule(dialect="easysend"))

    assert lasting.archive.unsorted() == 1
    lasting.pass_time(TWO_DAYS)
    easysend = [0, 1, 2, 5, 6, 7, 10, 11, 12, 15, 16, 17]
    statements = [4, 9, 14, 19]
    assert _given(lasting) == sorted(easysend + statements)
    lasting.decide(ALPHA, Rule(dialect="ecs", keep_s=100 * HOUR), Rule(dialect="easysend"))
    lasting.archive.merge()
    assert lasting.archive.unsorted() == 0
    assert {kept for kept, _ in _classes(lasting)} == {"360000s", "default", "statements"}
    assert _given(lasting) == list(range(20))
    lasting.restart()
    assert lasting.archive.unsorted() == 0


def test_what_has_expired_whole_is_not_written_again(lasting: Home):
    _both(lasting)
    before = {one.name for one in lasting.archive.segments(ALPHA) if one.kept == "default"}
    lasting.pass_time(HOUR)

    lasting.decide(ALPHA, Rule(dialect="ecs", keep_s=HOUR))
    lasting.archive.merge()

    assert {one.name for one in lasting.archive.segments(ALPHA) if one.kept == "default"} == before
    assert lasting.archive.unsorted() == 1
    assert lasting.let_go(ALPHA) == [(3, 3), (8, 8), (13, 13), (18, 18)]
    lasting.archive.merge()
    assert lasting.archive.unsorted() == 0
    assert "default" not in {kept for kept, _ in _classes(lasting)}


def test_segments_that_would_overlap_in_a_class_lie_in_lanes(lasting: Home):
    for _ in range(3):
        lasting.add(ALPHA, *[event(dialect=("ecs", "easysend")[n % 2]) for n in range(10)])
    lasting.archive.cut()

    lasting.decide(ALPHA, Rule(keep_s=HOUR))
    lasting.archive.merge()

    assert _classes(lasting) == [("3600s", "0-28-1"), ("3600s-1", "1-29-1")]
    assert _given(lasting) == list(range(30))
    lasting.pass_time(HOUR)
    assert lasting.let_go(ALPHA) == [(0, 29)]


def test_a_folder_from_before_there_were_classes_is_sorted_at_its_first_start(tmp_path: Path):
    home = Home(tmp_path / "data")
    home.add(ALPHA, *[event(n, dialect=("ecs", "easysend")[n % 2]) for n in range(6)], statement())
    home.archive.cut()
    home.close()
    home.rules = {}
    home.pass_time(TWO_DAYS - 1)
    home._open()

    until(lambda: home.archive.unsorted() == 0)

    assert _classes(home) == [("default", "0-4-1"), ("172800s", "1-5-1"), ("statements", "6-6-0")]
    assert _given(home) == list(range(7))
    home.pass_time(1)
    assert _given(home) == [0, 2, 4, 6]
    assert home.let_go(ALPHA) == [(1, 1), (3, 3), (5, 5)]
    home.close()


def test_whoever_looks_beside_the_server_is_shown_nothing_that_has_expired(lasting: Home):
    """Though it looks at what was there when it began, and files have gone since."""
    _both(lasting)
    beside = Archive(
        *(lasting.store, lasting.folder, lasting.journal, TENANTS.__getitem__),
        secret=b"s" * 32,
        retention=lasting._rules_of,
        clock_us=lambda: lasting.now_us,
    )
    beside.look()
    assert len(beside.feed(ALPHA, -1, 100)) == 20
    lasting.pass_time(TWO_DAYS)
    lasting.let_go(ALPHA)
    lasting.archive._merger._retired.sweep(is_end=True)

    assert [index for index, _ in beside.feed(ALPHA, -1, 100)] == [3, 4, 8, 9, 13, 14, 18, 19]
    assert [index for index, _ in beside.scan(ALPHA, Query())] == [3, 4, 8, 9, 13, 14, 18, 19]
    assert len(beside.search([ALPHA], Query()).events) == 8
    beside.stop()


def test_a_statement_that_does_not_fit_any_more_is_kept_to_the_letter(lasting: Home):
    """Segments were merged, and the policy changed, between the statement and the drop."""
    _both(lasting, every_s=1)
    lasting.pass_time(TWO_DAYS)
    (due,) = lasting.archive.expired_until(ALPHA, lasting.now_us)
    (index,) = lasting.add(ALPHA, statement())
    lasting.decide(ALPHA, Rule())
    for _ in range(16):
        lasting.add(ALPHA, event(1, dialect="easysend"), statement())
        lasting.archive.cut()
    lasting.archive.merge()
    assert len(_given(lasting)) == 53

    dropped = lasting.archive.drop(ALPHA, index, due.ranges)

    assert dropped.events == 12
    assert set(_given(lasting)) == set(range(53)) - {0, 1, 2, 5, 6, 7, 10, 11, 12, 15, 16, 17}
    again = lasting.archive.drop(ALPHA, index, due.ranges)
    assert (again.segments, again.events, again.bytes) == (0, 0, 0)
    lasting.archive.cut()
    assert not _held(lasting) & {0, 1, 2, 5, 6, 7, 10, 11, 12, 15, 16, 17}


@pytest.mark.parametrize("leaves_drafts", [False, True], ids=["raised", "killed"])
@pytest.mark.parametrize("die", STEPS)
def test_a_death_at_any_step_of_sorting_loses_and_doubles_nothing(
    lasting: Home, die: Callable[[pytest.MonkeyPatch], None], *, leaves_drafts: bool
):
    _both(lasting)
    lasting.decide(ALPHA, Rule(dialect="ecs", keep_s=HOUR), Rule(keep_s=2 * HOUR))

    with pytest.MonkeyPatch.context() as patched:
        die(patched)
        if leaves_drafts:
            patched.setattr("sealog.archive.splitting._Split.discard", lambda _: None)
        with pytest.raises(Died):
            lasting.archive.merge()
    assert lasting.archive.segments(ALPHA)
    lasting.restart()
    assert _given(lasting) == list(range(20))

    until(lambda: lasting.archive.unsorted() == 0)

    assert _given(lasting) == list(range(20))
    assert {kept for kept, _ in _classes(lasting)} == {"3600s", "7200s", "statements"}
    lasting.restart()
    until(lambda: lasting.archive.undeleted() == 0)
    assert _held(lasting) == set(range(20))
    assert lasting.archive.unsorted() == 0


@pytest.mark.parametrize("partly", [False, True], ids=["whole", "partly"])
@pytest.mark.parametrize("die", STEPS)
def test_a_death_at_any_step_of_a_drop_loses_nothing_and_is_done_again(
    lasting: Home, die: Callable[[pytest.MonkeyPatch], None], *, partly: bool
):
    _both(lasting)
    ranges = [(1, 1), (6, 7), (13, 13)] if partly else [(0, 2), (5, 7), (10, 12), (15, 17)]
    gone = {n for first, last in ranges for n in range(first, last + 1)}
    (index,) = lasting.add(ALPHA, statement())
    lasting.archive.cut()

    died = True
    with pytest.MonkeyPatch.context() as patched:
        die(patched)
        try:
            lasting.archive.drop(ALPHA, index, ranges)
            died = False
        except Died:
            pass
    # Whole segments go without a file being written.
    assert died or (not partly and die not in DROPPED_BY)
    lasting.restart()
    still(lasting)
    given = set(_given(lasting))
    assert given in (set(range(21)), set(range(21)) - gone)

    lasting.archive.drop(ALPHA, index, ranges)

    assert set(_given(lasting)) == set(range(21)) - gone
    lasting.restart()
    assert set(_given(lasting)) == set(range(21)) - gone
    until(lambda: _held(lasting) == set(range(21)) - gone)


def test_a_damaged_segment_goes_when_it_goes_whole(lasting: Home):
    _both(lasting)
    (hurt, *_) = lasting.archive.segments(ALPHA)
    hurt.columns_path.write_bytes(b"x")
    hurt.parts_path.unlink()
    lasting.pass_time(TWO_DAYS)

    assert lasting.let_go(ALPHA)[0] == (0, 2)

    assert [index for index, _ in lasting.archive.feed(ALPHA, -1, 100)][:2] == [3, 4]


def test_a_damaged_segment_of_scattered_events_holds_what_is_nowhere_else(lasting: Home):
    for _ in range(2):
        lasting.add(ALPHA, *[event(dialect=("ecs", "easysend")[n % 2]) for n in range(9)])
        lasting.archive.cut()
    (hurt, *_) = [one for one in lasting.archive.segments(ALPHA) if one.kept == "172800s"]
    for path in (hurt.columns_path, hurt.parts_path):
        path.write_bytes(b"x" * path.stat().st_size)
    lasting.pass_time(TWO_DAYS)

    gone = [n for first, last in lasting.let_go(ALPHA) for n in range(first, last + 1)]

    assert gone == [1, 3, 5, 7, 10, 12, 14, 16]
    assert _given(lasting) == [0, 2, 4, 6, 8, 9, 11, 13, 15, 17, 18]


def test_a_damaged_segment_that_holds_more_stops_a_drop_and_nothing_changes(lasting: Home):
    _both(lasting)
    (hurt, *_) = lasting.archive.segments(ALPHA)
    content = bytearray(hurt.parts_path.read_bytes())
    content[len(content) // 2] ^= 1
    hurt.parts_path.write_bytes(content)
    before = _classes(lasting)
    files = lasting.files()
    (index,) = lasting.add(ALPHA, statement())

    with pytest.raises(Corrupt, match=r"0-2-0\.arrow"):
        lasting.archive.drop(ALPHA, index, [(1, 1), (5, 5)])

    assert _classes(lasting) == before
    assert lasting.files() == files


def test_files_go_though_somebody_reads_them(lasting: Home):
    """Bytes leave the folder in time, however slow an export is."""
    seconds = [0.0]
    lasting.archive._merger._retired._clock_s = lambda: seconds[0]
    lasting.add(ALPHA, *[event(n, dialect="easysend") for n in range(300)])
    lasting.archive.cut()
    lasting.now_us = BEGIN_US + TWO_DAYS * 1_000_000 - 1
    held = lasting.archive.segments(ALPHA)
    scanned = lasting.archive.scan(ALPHA, Query())
    first = next(scanned)[0]
    lasting.pass_time(1)

    lasting.let_go(ALPHA)

    assert lasting.archive.undeleted() == 1
    assert lasting.files() != set()
    seconds[0] = 120.0
    assert lasting.archive.undeleted() == 0
    assert lasting.files() == set()
    assert [first, *[index for index, _ in scanned]] == list(range(300))
    assert len(held) == 1


def test_what_is_kept_for_ever_costs_nothing(lasting: Home):
    """No trail is copied, and no column read, where nothing can have expired."""
    lasting.add(ALPHA, event(dialect="easysend"), event(1))
    lasting.archive.cut()

    assert lasting.archive._trail(ALPHA) is lasting.archive._waiting.of(ALPHA.number)


def test_a_forecast_says_what_would_go_and_when(lasting: Home):
    _both(lasting, 2)
    lasting.add(ALPHA, event(4, "user.logout"))
    later = lasting.archive.forecast(ALPHA, Retention(9, (Rule(keep_s=HOUR),)), lasting.now_us)
    lasting.pass_time(10 * TWO_DAYS)
    now = lasting.archive.forecast(ALPHA, Retention(9, (Rule(keep_s=HOUR),)), lasting.now_us)

    assert [(one.dialect, one.action, one.keep_s, one.count) for one in later] == [
        ("easysend", "user.login", HOUR, 6),
        ("ecs", "user.login", HOUR, 2),
        ("ecs", "user.logout", HOUR, 1),
    ]
    assert all(one.at_us % (HOUR * 1_000_000) == 0 for one in later)
    assert [one.count for one in now] == [6, 2, 1]
    assert {one.at_us for one in now} == {lasting.now_us}
    assert lasting.archive.forecast(ALPHA, Retention(1, (Rule(),)), lasting.now_us) == []


def test_the_first_expiry_is_that_of_what_passes(lasting: Home):
    lasting.add(ALPHA, event(0), event(1, dialect="easysend", came=5, actor="kim"))
    lasting.archive.cut()
    lasting.add(ALPHA, event(2, dialect="easysend", came=9))
    first_expiry_us = lasting.archive.first_expiry_us

    assert first_expiry_us(ALPHA, Query(), 3) == BEGIN_US + (TWO_DAYS + 5) * 1_000_000
    assert first_expiry_us(ALPHA, Query(), 1) is None
    assert first_expiry_us(ALPHA, asking(dialect="ecs"), 3) is None
    lasting.decide(ALPHA, Rule())
    assert first_expiry_us(ALPHA, Query(), 3) is None


def test_segments_of_a_class_are_merged_within_windows(lasting: Home):
    """Whole files go, each soon after the first of its events has expired."""
    for _ in range(60):
        came = (lasting.now_us - BEGIN_US) / 1_000_000
        lasting.add(ALPHA, event(dialect="easysend", came=came))
        lasting.archive.cut()
        lasting.pass_time(60)

    lasting.archive.merge()

    segments = lasting.archive.segments(ALPHA)
    assert sum(one.count for one in segments) == 60
    # 20 minutes and 34 seconds are the 140th part of 48 hours.
    assert [one.count for one in segments] == [21, 21, 16, 1, 1]
    assert all(before.last < after.first for before, after in pairwise(segments))
    assert all(
        (one.last_ingested_us or 0) - (one.first_ingested_us or 0) <= 1_234_285_714
        for one in segments
    )


class _Readers:
    """Ask for everything, again and again, and hold it against when each event expires."""

    def __init__(self, home: Home) -> None:
        self.wrong: list[object] = []
        self.expiries: list[float] = []
        self._home = home
        self._stop = threading.Event()
        archive = home.archive
        asks: list[Callable[[], list[int]]] = [
            lambda: [one.index for one in archive.search([ALPHA], Query(), limit=1_000).events],
            lambda: [index for index, _ in archive.feed(ALPHA, -1, 1_000)],
            lambda: [index for index, _ in archive.scan(ALPHA, Query())],
        ]
        self._threads = [threading.Thread(target=self._look, args=(ask,)) for ask in asks]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _look(self, ask: Callable[[], list[int]]) -> None:
        while not self._stop.is_set():
            count, begun_us = len(self.expiries), self._home.now_us
            try:
                found = ask()
            except Exception as error:
                self.wrong.append(error)
                raise
            late = {n for n in found if n < count and self.expiries[n] <= begun_us}
            missed = {n for n in range(count) if self.expiries[n] > self._home.now_us} - set(found)
            if late or missed or len(set(found)) < len(found):
                self.wrong.append((late, missed, found))


def test_readers_in_threads_never_see_what_has_expired_nor_miss_what_has_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """While it is cut, merged, sorted by other policies and dropped."""
    monkeypatch.setattr(merging, "IDLE_S", 0.01)
    home = Home(tmp_path / "data", rules={})
    with _Readers(home) as readers:
        for step in range(40):
            came = (home.now_us - BEGIN_US) / 1_000_000
            home.add(ALPHA, *[event(0, dialect=one, came=came) for one in ("easysend", "ecs") * 2])
            goes_us = home.now_us + TWO_DAYS * 1_000_000
            readers.expiries += [goes_us, inf] * 2
            if step % 2:
                home.archive.cut()
            if step % 9 == 8:
                # What expires stays the same in every version.
                home.decide(ALPHA, Rule(dialect="closer", keep_s=(1 + step) * HOUR))
            home.pass_time(5 * HOUR)
            home.let_go(ALPHA)
            more = home.journal.size(ALPHA.number) - len(readers.expiries)
            readers.expiries += [inf] * more

    assert readers.wrong == []
    home.close()


@pytest.mark.parametrize("what", ["columns_path", "parts_path"])
def test_a_damaged_segment_is_left_and_the_others_are_sorted(lasting: Home, what: str):
    """Until it is repaired, the tenant's events are looked at by their types."""
    _both(lasting)
    hurt = [one for one in lasting.archive.segments(ALPHA) if one.kept == "default"][1]
    sound = getattr(hurt, what).read_bytes()
    getattr(hurt, what).write_bytes(b"x" * len(sound))
    lasting.decide(ALPHA, Rule(dialect="ecs", keep_s=HOUR))

    lasting.archive.merge()

    assert [kept for kept, _ in _classes(lasting)].count("default") == 1
    assert [str(getattr(hurt, what)) in str(one) for one in lasting.archive.damaged()] == [True]
    assert lasting.archive.unsorted() == 1
    getattr(hurt, what).write_bytes(sound)
    lasting.restart()
    until(lambda: lasting.archive.unsorted() == 0)
    assert _given(lasting) == list(range(20))
