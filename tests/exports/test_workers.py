import os
import signal
import threading
import time
from pathlib import Path

import pytest
from tests.exports.made import fill, pieces_of

from sealog.event.moulds import Derive
from sealog.exports import workers
from sealog.exports.forms import Form, Writer
from sealog.exports.part import Unwritten
from sealog.exports.workers import Crew


@pytest.mark.parametrize("count", [0, 2])
def test_batches_come_back_in_their_order(home, count):
    fill(home, 600)
    form = Form("ndjson")
    pieces = pieces_of(home, 600)

    found = list(workers.written(form, [[piece] for piece in pieces], count))

    assert [events for events, _ in found] == [len(one[2] or one[0].masks) for one in pieces]
    assert b"".join([content for _, content in found]) == Writer(form).write(pieces)


def add_a_member(tree):
    tree["more"] = True


def test_what_follows_from_an_event_is_added_on_the_way(home):
    fill(home, 100)

    ((_, content),) = workers.written(
        Form("ndjson"), [pieces_of(home, 100)], 0, Derive(add_a_member)
    )

    assert content.count(b'"more":true') == 100


def test_only_a_few_batches_are_under_way(home):
    """What is read ahead is held in memory."""
    fill(home, 100)
    (*_, piece) = pieces_of(home, 100)
    drawn = []

    def batches():
        for number in range(20):
            drawn.append(number)
            yield [piece]

    walk = workers.written(Form("ndjson"), batches(), 1)
    next(walk)

    assert len(drawn) <= 4
    walk.close()


def test_a_worker_that_dies_ends_the_export_with_a_reason(home):
    fill(home, 100)
    pieces = pieces_of(home, 100)

    def batches():
        yield pieces
        yield pieces
        yield pieces
        kill_children()
        for _ in range(50):
            yield pieces

    with pytest.raises(Unwritten, match="a process that wrote it died"):
        list(workers.written(Form("ndjson"), batches(), 1))


def test_what_goes_wrong_in_a_worker_is_raised_here(home):
    fill(home, 40)
    pack, base, _ = pieces_of(home, 40)[0]

    with pytest.raises(IndexError):
        list(workers.written(Form("ndjson"), [[(pack, base, [10_000])]], 1))


def test_no_process_is_left_when_the_walk_is_given_up(home):
    fill(home, 100)
    pieces = pieces_of(home, 100)
    walk = workers.written(Form("ndjson"), [[piece] for piece in pieces * 10], 1)
    next(walk)

    walk.close()

    assert children() == []


def test_the_next_export_finds_the_processes_of_the_last(home):
    """They take longer to begin than ten thousand events take."""
    fill(home, 100)
    pieces = pieces_of(home, 100)
    crew = Crew(1)

    first = list(workers.written(Form("ndjson"), [pieces], crew))
    begun = children()
    second = list(workers.written(Form("ndjson"), [pieces], crew))
    kept = children()
    crew.close()

    assert first == second
    assert len(begun) == 1
    assert kept == begun
    assert children() == []


def test_processes_that_nobody_wants_any_more_end(home, monkeypatch):
    fill(home, 100)
    monkeypatch.setattr(workers, "KEPT_S", 0.0)

    list(workers.written(Form("ndjson"), [pieces_of(home, 100)], Crew(1)))

    until = time.monotonic() + 30
    while children():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_after_a_death_others_take_their_place(home):
    fill(home, 100)
    pieces = pieces_of(home, 100)
    crew = Crew(1)
    walk = workers.written(Form("ndjson"), [pieces] * 50, crew)
    next(walk)
    kill_children()
    with pytest.raises(Unwritten):
        list(walk)

    found = list(workers.written(Form("ndjson"), [pieces], crew))

    assert [events for events, _ in found] == [100]
    crew.close()


def children():
    return [
        int(number)
        for thread in threading.enumerate()
        for number in _children_of(thread.native_id)
        if _is_worker(number)
    ]


def kill_children():
    for number in children():
        os.kill(number, signal.SIGKILL)


def _children_of(native_id):
    try:
        return Path(f"/proc/self/task/{native_id}/children").read_text().split()
    except OSError:
        return []


def _is_worker(number):
    try:
        return b"spawn_main" in Path(f"/proc/{number}/cmdline").read_bytes()
    except OSError:
        return False


def test_there_are_as_many_as_wanted_else_one_a_core_up_to_two(monkeypatch):
    monkeypatch.setattr(workers.os, "sched_getaffinity", lambda _: set(range(8)))

    assert [workers.count_of(wanted) for wanted in (None, 0, 5)] == [2, 0, 5]


@pytest.mark.parametrize(("events", "count"), [(0, 0), (9_999, 0), (10_000, 2)])
def test_few_events_are_not_worth_a_process(events, count):
    assert workers.count_for(events, 2) == count
