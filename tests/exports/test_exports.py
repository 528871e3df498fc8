import hashlib
import threading

import pytest
from tests.archive.made import ALPHA, BETA, batch, event
from tests.exports.made import NOW_US, fill, shown

from sealog.errors import Altered, Busy, Conflict, Gone, Missing
from sealog.exports.exports import Finished
from sealog.query.tree import Is, Query


def content(port, job):
    with port.exports.open(job.id)[1] as file:
        return file.read()


def test_an_export_is_made_in_the_background(port):
    fill(port.home, 2_000)

    asked = port.ask(note="all")
    job = port.wait(asked)

    assert (asked.state, asked.size, asked.estimated) == ("pending", 2_000, 2_000)
    assert content(port, job).splitlines() == shown(port.home, ALPHA, range(2_000))
    assert (job.events, job.asked, job.key) == (2_000, {"note": "all"}, "key_1")
    assert job.sha256 == hashlib.sha256(content(port, job)).digest()
    assert job.expires_us == NOW_US + 86_400 * 1_000_000
    assert port.files() == [f"{job.id}.ndjson"]


def test_it_belongs_to_the_point_at_which_it_was_asked_for(port):
    """Whoever holds it can check that it is complete: every index below its size."""
    fill(port.home, 300)
    port.source.gate.clear()
    asked = port.ask()
    port.home.add(ALPHA, event(1))
    port.home.archive.cut()
    port.source.gate.set()

    job = port.wait(asked)

    assert len(content(port, job).splitlines()) == job.size == 300


def test_what_is_accepted_is_in_it_though_nobody_saw_it_yet(port):
    """Whoever holds a receipt finds its event in an export asked for afterwards."""
    fill(port.home, 10)
    port.source.hidden = True
    events = [event(n) for n in range(5)]
    port.home.journal.append([batch(ALPHA, events)]).result(10)

    asked = port.ask()
    port.wait(asked, "running")
    port.source.hidden = False

    assert (asked.size, port.wait(asked).events) == (15, 15)


def test_only_what_was_asked_for_is_in_it(port):
    fill(port.home, 600)

    job = port.wait(port.ask(query=Query(where=Is("actor", "u-1"))))

    wanted = [index for index in range(600) if index % 3 == 1]
    assert content(port, job).splitlines() == shown(port.home, ALPHA, wanted)


def test_what_happened_at_another_time_is_not_expected(port):
    fill(port.home, 600)
    before, after = port.home.archive.segments(ALPHA)[0].first_us, 1_800_000_000_000_000

    none = port.ask(query=Query(to_us=before))
    late = port.ask(query=Query(from_us=after))

    assert (none.estimated, late.estimated) == (300, 300)  # What waits may be of any time.
    assert port.wait(none).events == port.wait(late).events == 0


def test_whoever_takes_something_out_is_told_of(port):
    fill(port.home, 100)

    job = port.wait(port.ask(query=Query(where=Is("actor", "u-1"))))
    port.exports.stop()

    assert port.finished == [Finished(job.id, ALPHA.number, "key_1", 33, 1, 97)]


def test_progress_is_seen_while_it_is_made(port):
    fill(port.home, 5_000)
    port.source.gate.clear()
    asked = port.ask()

    running = port.wait(asked, "running")

    assert (running.events, running.bytes) == (0, 0)
    assert port.exports.all()[0].state == "running"
    port.source.gate.set()
    port.wait(asked)


def test_before_it_is_ready_there_is_nothing_to_fetch(port):
    fill(port.home, 100)
    port.source.gate.clear()
    asked = port.ask()

    with pytest.raises(Conflict, match="the export is"):
        port.exports.open(asked.id)
    with pytest.raises(Missing):
        port.exports.open("exp_none")


def test_one_that_is_cancelled_ends_and_leaves_nothing(port):
    fill(port.home, 5_000)
    port.source.gate.clear()
    asked = port.ask()
    assert port.source.reached.wait(10)

    port.exports.remove(asked.id)
    port.source.gate.set()
    other = port.wait(port.ask())

    assert port.exports.get(asked.id).state == "cancelled"
    assert port.files() == [other.name]
    with pytest.raises(Gone, match="cancelled"):
        port.exports.open(asked.id)


def test_one_that_waits_can_be_cancelled_too(port):
    fill(port.home, 100)
    port.source.gate.clear()
    first, second = port.ask(), port.ask()

    port.exports.remove(second.id)
    port.source.gate.set()

    port.wait(first)
    assert port.exports.get(second.id).state == "cancelled"


def test_one_that_is_over_is_removed_with_its_file(port):
    fill(port.home, 10)
    job = port.wait(port.ask())

    port.exports.remove(job.id)
    port.exports.remove("exp_none")

    assert port.exports.get(job.id) is None
    assert port.files() == []


def test_a_file_that_is_being_fetched_is_fetched_to_its_end(port):
    fill(port.home, 10)
    job = port.wait(port.ask())
    _, file = port.exports.open(job.id)

    port.exports.remove(job.id)

    with file:
        assert len(file.read().splitlines()) == 10


def test_what_was_under_way_at_the_end_is_begun_again(port):
    fill(port.home, 5_000)
    port.source.gate.clear()
    asked = port.ask("csv")
    assert port.source.reached.wait(10)
    port.exports._stopping.set()
    port.source.gate.set()

    port.restart()

    job = port.wait(asked)
    assert (job.events, job.size, job.format) == (5_000, 5_000, "csv")
    assert port.files() == [f"{job.id}.csv"]


def test_what_was_ready_at_the_end_is_ready_again(port):
    fill(port.home, 100)
    job = port.wait(port.ask())
    before = content(port, job)

    port.restart()

    assert port.exports.get(job.id) == job
    assert content(port, job) == before


def test_damage_is_a_failure_and_what_it_is_stands_in_the_log(port):
    fill(port.home, 100)
    port.source.error = Altered("/secret/path is not what was written")

    job = port.wait(port.ask(), "failed")

    assert job.error == "something of it is damaged: the server's log says what"
    assert port.files() == []
    with pytest.raises(Gone):
        port.exports.open(job.id)


def test_whatever_goes_wrong_the_next_one_is_made(port):
    fill(port.home, 100)
    port.source.error = KeyError("somebody's name")
    failed = port.wait(port.ask(), "failed")
    port.source.error = None

    port.wait(port.ask())

    assert failed.error == "something went wrong on our side: the server's log says what"


def test_one_that_grows_beyond_the_room_fails_and_frees_it(build_port):
    port = build_port(bytes_max=50_000)
    fill(port.home, 100)
    small = port.wait(port.ask())
    fill(port.home, 5_000)

    job = port.wait(port.ask(), "failed")

    assert job.error == "the room for exports is used up: [exports] bytes_max"
    assert port.files() == [small.name]


def test_tenants_take_turns(port):
    """One that asks for many does not keep the other waiting."""
    fill(port.home, 10)
    fill(port.home, 10, tenant=BETA)
    port.source.gate.clear()
    mine = [port.ask() for _ in range(3)]
    theirs = port.ask(tenant=BETA)
    port.source.gate.set()

    for job in (*mine, theirs):
        port.wait(job)

    order = [done.job for done in port.finished]
    assert order.index(theirs.id) == 1


def test_a_file_goes_on_time(build_port):
    port = build_port(expire_after_s=0.05)
    fill(port.home, 10)
    job = port.wait(port.ask())
    port.clock.pass_by(1)

    port.wait(job, "expired")

    with pytest.raises(Gone, match="expired"):
        port.exports.open(job.id)


HOUR_US = 3_600_000_000


def until(is_so):
    """Whether something becomes so."""
    pause = threading.Event()
    return any(is_so() or pause.wait(0.005) for _ in range(2_000))


def test_a_file_goes_with_the_first_of_what_it_holds(port):
    """Retention reaches what was taken out of the trail and rests here still."""
    fill(port.home, 10)
    port.source.expiry_us = NOW_US + HOUR_US
    job = port.wait(port.ask())
    assert job.expires_us == NOW_US + HOUR_US

    port.clock.pass_by(3_599)
    assert content(port, job)
    port.clock.pass_by(1)

    with pytest.raises(Gone):
        port.exports.open(job.id)
    port.restart()
    port.wait(job, "expired")
    assert until(lambda: port.files() == [])


def test_what_is_about_to_expire_is_left_out_so_that_a_file_lasts(port):
    """Else one with everything would be gone as soon as it is there."""
    fill(port.home, 10)
    port.spare_us = HOUR_US
    port.source.expiry_us = NOW_US + 1

    job = port.wait(port.ask())

    assert job.expires_us == NOW_US + HOUR_US
    assert port.source.asked_us == [NOW_US + HOUR_US]


def test_one_that_is_not_made_before_what_it_holds_expires_fails(port):
    fill(port.home, 300)
    port.source.expiry_us = NOW_US + HOUR_US
    port.source.gate.clear()
    asked = port.ask()
    assert port.source.reached.wait(10)

    port.clock.pass_by(3_600)
    port.source.gate.set()

    job = port.wait(asked, "failed")
    assert job.error == "what it holds expired before all of it was written"
    assert port.files() == []


def test_files_go_and_are_begun_anew_when_rules_change(port):
    """What expires by the new ones may stand in any that was made by the old."""
    fill(port.home, 300)
    fill(port.home, 10, tenant=BETA)
    ready, other = port.wait(port.ask()), port.wait(port.ask(tenant=BETA))
    port.source.gate.clear()
    port.source.reached.clear()
    under_way = port.ask()
    assert port.source.reached.wait(10)
    asked = len(port.source.asked_us)

    port.exports.recall(ALPHA.number)
    port.wait(ready, "expired")
    port.source.gate.set()

    assert port.wait(under_way).events == 300
    assert len(port.source.asked_us) > asked
    left = sorted([f"{other.id}.ndjson", f"{under_way.id}.ndjson"])
    assert until(lambda: port.files() == left)


def test_nothing_is_taken_on_where_nobody_makes_it(port):
    port.exports.stop()

    with pytest.raises(Busy, match="while a server runs"):
        port.ask()
