"""The archive as the doors see it."""

import threading
from pathlib import Path

import msgspec
import pytest
from tests.archive.made import (
    ALPHA,
    BEGIN_US,
    BETA,
    STILL,
    TENANTS,
    Home,
    asking,
    batch,
    event,
    opened,
    statement,
    until,
)

from sealog.archive.archive import Archive, Page
from sealog.errors import Busy, Corrupt, Refused
from sealog.journal.blocks import Block
from sealog.query.tree import Query
from sealog.storage.store import Store


def _indexes(page: Page) -> list[int]:
    return [found.index for found in page.events]


def test_a_search_goes_on_when_a_tenant_is_made_or_its_words_mean_another_time(home: Home):
    """`asked` is what stays the same: "all tenants of this key", "the last 15 minutes"."""
    home.add(ALPHA, *[event(n) for n in range(4)])
    query = asking(from_us=BEGIN_US + 1_000_000)
    first = home.archive.search([ALPHA], query, limit=2, asked="all, -15m")
    home.add(BETA, event(0), event(2))

    later = asking(from_us=BEGIN_US + 3_000_000)
    second = home.archive.search([ALPHA, BETA], later, cursor=first.next_cursor, asked="all, -15m")

    assert _indexes(first) == [3, 2]
    assert [(one.tenant, one.index) for one in second.events] == [(BETA, 1), (ALPHA, 1)]
    with pytest.raises(Refused):
        home.archive.search([ALPHA], query, cursor=first.next_cursor, asked="all, -16m")
    with pytest.raises(Refused):
        home.archive.search([ALPHA], query, cursor=first.next_cursor)
    with pytest.raises(Refused):
        home.archive.search(
            [ALPHA], query, cursor=first.next_cursor, asked="all, -15m", oldest_first=True
        )


def _feed(archive: Archive, after: int, limit: int = 1_000) -> list[int]:
    return [index for index, _ in archive.feed(ALPHA, after, limit)]


def test_an_accepted_event_is_found_in_every_way_before_and_after_it_rests(home: Home):
    one = event(5, actor="Ada", event_id="the-one")
    home.add(ALPHA, event(1), one, event(2))

    for _ in range(2):
        page = home.archive.search([ALPHA], asking(actor="ada"))
        assert [(found.tenant, found.index, found.opened) for found in page.events] == [
            (ALPHA, 1, one)
        ]
        assert page.events[0].at_us == BEGIN_US + 5_000_000
        assert home.archive.get(ALPHA, 1) == one
        assert home.archive.by_id(ALPHA, "the-one") == (1, one)
        assert home.archive.feed(ALPHA, 0, 1) == [(1, one)]
        assert list(home.archive.scan(ALPHA, asking(actor="ada"))) == [(1, one)]
        home.archive.cut()
    assert home.archive.waiting() == (0, 0)


def test_another_tenants_events_are_never_found(home: Home):
    home.add(ALPHA, event(1, event_id="mine"))
    home.archive.cut()
    home.add(ALPHA, event(2))

    assert _indexes(home.archive.search([BETA], Query())) == []
    assert home.archive.by_id(BETA, "mine") is None
    assert home.archive.get(BETA, 0) is None
    assert home.archive.feed(BETA, -1, 10) == []
    assert list(home.archive.scan(BETA, Query())) == []


def test_a_search_across_tenants_merges_them_by_time(home: Home):
    home.add(ALPHA, event(1), event(3), event(5))
    home.add(BETA, event(2), event(4))
    home.archive.cut()
    home.add(BETA, event(6))

    first = home.archive.search([ALPHA, BETA], Query(), limit=4)
    second = home.archive.search([BETA, ALPHA], Query(), limit=4, cursor=first.next_cursor)

    assert [(found.tenant.name, found.index) for found in (*first.events, *second.events)] == [
        ("beta", 2),
        ("alpha", 2),
        ("beta", 1),
        ("alpha", 1),
        ("beta", 0),
        ("alpha", 0),
    ]
    assert second.next_cursor is None


def test_pages_hold_every_event_once_though_segments_are_cut_between_them(home: Home):
    home.add(ALPHA, *[event(n % 5) for n in range(20)])
    seen: list[int] = []
    cursor = None
    while True:
        page = home.archive.search([ALPHA], Query(), limit=3, cursor=cursor)
        seen += _indexes(page)
        cursor = page.next_cursor
        if cursor is None:
            break
        home.archive.cut()
        home.add(ALPHA, event(1_000))  # newer than the page: not in the pages after it

    assert len(seen) == 20
    assert sorted(seen) == list(range(20))


def test_the_last_page_has_no_cursor(home: Home):
    home.add(ALPHA, event(1), event(2))

    assert home.archive.search([ALPHA], Query(), limit=2).next_cursor is None
    assert home.archive.search([ALPHA], Query(), limit=1).next_cursor is not None
    assert home.archive.search([ALPHA], asking(outcome="none")).next_cursor is None


def test_a_page_that_would_hold_too_many_bytes_ends_early_and_goes_on(tmp_path: Path):
    home = Home(tmp_path, msgspec.structs.replace(STILL, page_bytes_max=2_500))
    facts = {"event": {"id": "x", "action": "a"}, "sealog": {}}
    home.add(ALPHA, *[opened(facts, None, None, {"text": "x" * 1_000}) for _ in range(5)])

    first = home.archive.search([ALPHA], Query())
    second = home.archive.search([ALPHA], Query(), cursor=first.next_cursor)
    third = home.archive.search([ALPHA], Query(), cursor=second.next_cursor)

    assert [_indexes(page) for page in (first, second, third)] == [[4, 3], [2, 1], [0]]
    assert third.next_cursor is None
    assert _feed(home.archive, -1) == [0, 1, 2]
    home.close()


@pytest.mark.parametrize("limit", [0, -1, 1_001])
def test_a_limit_outside_one_to_a_thousand_is_refused(home: Home, limit: int):
    with pytest.raises(Refused) as caught:
        home.archive.search([ALPHA], Query(), limit=limit)
    assert caught.value.code == "bad-limit"
    with pytest.raises(Refused):
        home.archive.feed(ALPHA, -1, limit)


def test_another_searchs_cursor_is_refused(home: Home):
    home.add(ALPHA, event(1), event(2))
    cursor = home.archive.search([ALPHA], Query(), limit=1).next_cursor

    with pytest.raises(Refused) as caught:
        home.archive.search([ALPHA], asking(outcome="success"), cursor=cursor)
    assert caught.value.code == "bad-cursor"


def test_a_cursor_outlives_a_restart(home: Home):
    home.add(ALPHA, event(1), event(2), event(3))
    cursor = home.archive.search([ALPHA], Query(), limit=1).next_cursor

    home.restart()

    assert _indexes(home.archive.search([ALPHA], Query(), cursor=cursor)) == [1, 0]


def test_a_search_waits_for_the_index_that_it_must_include(home: Home):
    """A sender finds what it wrote as soon as it has its receipt."""
    for number in range(20):
        (outcome,) = home.journal.append([batch(ALPHA, [event(number)])]).result(10)

        page = home.archive.search([ALPHA], Query(), at_least={1: outcome.indexes[0]})

        assert _indexes(page)[0] == number


def test_an_index_that_was_never_given_is_refused(home: Home):
    home.add(ALPHA, event())

    for at_least in ({1: 1}, {2: 0}):
        with pytest.raises(Refused) as caught:
            home.archive.search([ALPHA], Query(), at_least=at_least)
        assert caught.value.code == "bad-at-least"


def test_an_index_that_does_not_become_visible_in_time_is_busy(tmp_path: Path):
    home = Home(tmp_path, msgspec.structs.replace(STILL, at_least_s=0.0))
    home.archive.stop()
    home.journal.append([batch(ALPHA, [event()])]).result(10)

    assert home.archive.lag() == 1
    assert home.archive.feed(ALPHA, -1, 10) == []
    with pytest.raises(Busy):
        home.archive.search([ALPHA], Query(), at_least={1: 0})
    home.close()


def test_the_feed_goes_on_from_any_index_in_order_with_statements_in_their_place(home: Home):
    events = [statement(n) if n % 3 == 0 else event(n) for n in range(30)]
    home.add(ALPHA, *events[:10])
    home.archive.cut()
    home.add(ALPHA, *events[10:20])
    home.archive.cut()
    home.add(ALPHA, *events[20:])

    assert home.archive.feed(ALPHA, -1, 1_000) == list(enumerate(events))
    assert _feed(home.archive, 7, 5) == [8, 9, 10, 11, 12]
    assert _feed(home.archive, 29) == []
    assert {segment.kept for segment in home.archive.segments(ALPHA)} == {"default", "statements"}


def test_the_feed_never_skips_while_others_append_and_segments_are_cut(tmp_path: Path):
    settings = msgspec.structs.replace(STILL, segment_events=64)
    home = Home(tmp_path, settings)
    count = 600

    def append() -> None:
        for at in range(0, count, 12):
            home.journal.append([batch(ALPHA, [event(n) for n in range(at, at + 12)])]).result(10)

    writer = threading.Thread(target=append)
    writer.start()
    seen: list[int] = []
    while len(seen) < count:
        assert home.archive.wait_for(ALPHA, len(seen), 10)
        seen += _feed(home.archive, len(seen) - 1, 50)
    writer.join()

    assert seen == list(range(count))
    assert home.archive.lag() == 0
    assert len(home.archive.segments(ALPHA)) > 1
    home.close()


def test_searches_in_many_threads_agree_while_segments_are_cut(tmp_path: Path):
    home = Home(tmp_path, msgspec.structs.replace(STILL, segment_events=50))
    home.add(ALPHA, *[event(n, actor=f"user-{n % 9}") for n in range(100)])
    wrong: list[object] = []

    def look() -> None:
        for _ in range(30):
            page = home.archive.search([ALPHA], asking(actor="user-4", to_us=BEGIN_US + 10**8))
            if _indexes(page) != list(range(94, 0, -9)):
                wrong.append(page)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in range(20):
        home.add(ALPHA, *[event(1_000 + n, actor="user-4") for _ in range(20)])
    for thread in threads:
        thread.join()

    assert wrong == []
    home.close()


def test_watchers_hear_of_new_events_until_they_end_it(home: Home):
    heard = []
    end = home.archive.watch(heard.append)
    home.add(ALPHA, event(), event())
    home.add(BETA, event())
    end()
    home.add(ALPHA, event())

    assert heard == [{1: 2}, {2: 1}]


def test_what_only_says_what_was_read_is_there_and_wakes_nobody(home: Home):
    heard = []
    home.archive.watch(heard.append)
    home.add(ALPHA, event(action="sealog.read.keys"))
    home.add(ALPHA, event(action="sealog.read.keys"), event(action="sealog.keys.created"))

    assert heard == [{1: 3}]
    assert [index for index, _ in home.archive.feed(ALPHA, -1, 10)] == [0, 1, 2]


def test_waiting_for_what_does_not_come_ends(home: Home):
    assert not home.archive.wait_for(ALPHA, 0, 0.0)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_a_missing_file_is_named_and_the_rest_stays_searchable(home: Home, suffix: str):
    home.add(ALPHA, event(1), event(2))
    home.archive.cut()
    home.add(ALPHA, event(3))
    home.archive.cut()
    name = f"0-1-0{suffix}"
    (home.folder.archive(ALPHA.log_id, "default") / name).unlink()

    home.restart()

    assert [f"{name} is missing" in str(one) for one in home.archive.damaged()] == [True]
    page = home.archive.search([ALPHA], Query())
    assert _indexes(page) == [2]
    assert [name in one for one in page.damaged] == [True]
    assert home.archive.get(ALPHA, 2) is not None
    if suffix == ".arrow":
        with pytest.raises(Corrupt, match=name):
            home.archive.feed(ALPHA, -1, 10)


def test_a_damaged_journal_block_is_trouble_and_what_was_visible_stays(
    home: Home, monkeypatch: pytest.MonkeyPatch
):
    home.add(ALPHA, event(1))
    told = threading.Event()

    def check(_: Block) -> None:
        told.set()
        raise Corrupt("journal block 2 is not what was written")

    monkeypatch.setattr(Block, "check", check)
    home.journal.append([batch(ALPHA, [event(2)])]).result(10)
    assert told.wait(10)

    assert _indexes(home.archive.search([ALPHA], Query())) == [0]
    assert home.archive.lag() == 1
    home.archive.stop()
    assert isinstance(home.archive.trouble(), Corrupt)


def test_who_only_looks_sees_one_moment_and_writes_nothing(home: Home):
    events = [statement(n) if n % 4 == 1 else event(n) for n in range(250)]
    home.add(ALPHA, *events[:150])
    home.archive.cut()
    home.add(ALPHA, *events[150:])
    (home.folder.archive(ALPHA.log_id, "default") / "7-9-0.arrow").write_bytes(b"half a cut")

    store = Store(home.folder.state, writable=False)
    looking = Archive(store, home.folder, home.journal, TENANTS.__getitem__, secret=b"s" * 32)
    looking.look()
    home.archive.cut()
    home.add(ALPHA, event())

    assert looking.feed(ALPHA, -1, 1_000) == list(enumerate(events))
    assert _indexes(looking.search([ALPHA], Query(), limit=3)) == [249, 248, 247]
    assert "default/7-9-0.arrow" in home.files()
    store.close()


def test_blocks_that_both_log_and_archive_had_before_the_start_do_not_keep_it_busy(home: Home):
    home.add(ALPHA, *[event(n) for n in range(3)])
    home.archive.cut()
    home.store.write(lambda one: home.journal.advance(one, synced={1: 3})).result()
    assert home.journal.follow(0) == []

    home.restart()

    until(lambda: not home.journal.wait(home.archive._follower._following.after, 0))
    home.add(ALPHA, event(3))
    assert _feed(home.archive, -1) == [0, 1, 2, 3]
