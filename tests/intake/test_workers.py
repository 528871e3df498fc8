import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.intake.sent import ALL, SOME, Sender, ndjson, record, short

from sealog.errors import Busy, Refused
from sealog.intake import workers
from sealog.intake.accept import CROWD_MIN
from sealog.intake.source import Source

# Starting a process costs a second, so one sender with workers serves all tests here.


@pytest.fixture(scope="module")
def sender(tmp_path_factory):
    made = Sender(tmp_path_factory.mktemp("workers") / "a.db", inline_bytes_max=0, workers=1)
    yield made
    made.close()


def test_a_body_prepared_in_a_worker_gives_what_a_thread_gives(sender, tmp_path):
    threaded = Sender(tmp_path / "b.db", inline_bytes_max=0)
    records = [record(f"same-{n}", password="hunter2") for n in range(50)]

    in_worker = sender(*records, b"{bad", record("z", tenant="nobody"))
    in_thread = threaded(*records, b"{bad", record("z", tenant="nobody"))

    assert [short(answer) for answer in in_worker] == [short(answer) for answer in in_thread]
    assert [answer.id for answer in in_worker[:50]] == [answer.id for answer in in_thread[:50]]
    first = sender.kept()[0]
    assert first["password"] == "[masked]"
    threaded.close()


def test_a_worker_is_told_of_tenants_it_does_not_know(sender):
    answers = sender.said(record("told", tenant="new-one"), grant=ALL)
    again = sender.said(record("told-2", tenant="new-one"), grant=ALL)

    assert answers == ["new-one 0"]
    assert again == ["new-one 1"]


def test_a_tenant_that_may_not_be_made_refuses_its_records_alone(sender):
    said = sender.said(record("here"), record("there", tenant="globex-2"))

    assert said[0].startswith("acme ")
    assert said[1] == "no-such-tenant at 1"


def test_in_an_import_a_taken_id_is_sealed_again_under_a_derived_one(sender):
    sender(record("taken"))

    (answer,) = sender(record("taken", message="other"), imported=True)

    assert answer.id != "taken"
    assert sender.kept()[-1]["sealog"]["findings"][0]["code"] == "id-reused"


def test_a_fault_of_the_whole_request_comes_back_as_it_was_raised(sender):
    with pytest.raises(Refused) as caught:
        asyncio.run(sender.intake.accept(b" ", Source(ALL)))

    assert caught.value.code == "empty"


DIES_AT_ONCE = """
import os, signal
from sealog.intake.workers import _Worker

print(_Worker().pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_worker_whose_server_died_while_it_started_does_not_stay_behind():
    command = [sys.executable, "-c", DIES_AT_ONCE]
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=False, timeout=60)
    until = time.monotonic() + 30

    while (left := state_of(int(ended.stdout))) not in ("gone", "Z"):
        assert time.monotonic() < until, left
        time.sleep(0.05)

    assert ended.returncode == -signal.SIGKILL


def state_of(pid):
    """The one letter of the system for a process; Z is one that only nobody asked after yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except FileNotFoundError:
        return "gone"


def test_while_none_is_ready_the_thread_prepares_and_afterwards_they_do(tmp_path):
    """A start waits for no process, and nobody waits for one because of that."""
    sender = Sender(tmp_path / "a.db", inline_bytes_max=0, workers=2)

    sender.intake.warm()
    said = sender.said(record("early"), record("too"))
    until = time.monotonic() + 60
    while len(sender.intake._workers.pids()) < 2:
        assert time.monotonic() < until
        time.sleep(0.05)

    assert said == ["acme 0", "acme 1"]
    assert sender.said(record("late")) == ["acme 2"]
    assert len(sender.intake._workers.pids()) == 2
    sender.close()


def test_when_a_worker_dies_what_it_was_given_is_tried_on_another(sender):
    before = len(sender.journal.appended)
    (pid,) = sender.intake._workers.pids()
    os.kill(pid, signal.SIGKILL)

    said = sender.said(record("after"))

    assert said[0].startswith("acme ")
    assert len(sender.journal.appended) == before + 1
    assert sender.intake._workers.pids() != [pid]


def dies(_here, *_values):
    os._exit(1)


def dies_of_a_bad_one(_here, jobs, *_told):
    if any(b"deadly" in job.body for job in (jobs if isinstance(jobs, list) else [jobs])):
        os._exit(1)
    raise Busy("not deadly")


def test_what_ends_every_worker_is_refused_and_the_next_request_is_taken(sender, monkeypatch):
    """Answered 503 it would come again for ever, and each time end a process."""
    with monkeypatch.context() as patched:
        patched.setattr(workers, "_prepare", dies)
        with pytest.raises(Refused) as caught:
            sender(record("deadly"))

    assert caught.value.code == "cannot-be-prepared"
    assert sender.said(record("harmless"))[0].startswith("acme ")


def test_a_group_that_ends_workers_is_refused_one_by_one(monkeypatch, tmp_path):
    # A worker starts with our path, and finds there what it is told to run.
    monkeypatch.syspath_prepend(Path(__file__).parents[2])
    sender = Sender(tmp_path / "a.db", workers=1)
    monkeypatch.setattr(workers, "_prepare_all", dies)
    monkeypatch.setattr(workers, "_prepare", dies_of_a_bad_one)
    bodies = [b"%d" % n for n in range(CROWD_MIN - 1)] + [b"deadly"]

    async def run():
        accept = sender.intake.accept
        return await asyncio.gather(
            *(accept(body, Source(SOME)) for body in bodies), return_exceptions=True
        )

    *others, last = asyncio.run(run())

    assert {str(error) for error in others} == {"not deadly"}
    assert last.code == "cannot-be-prepared"
    sender.close()


def test_a_crowd_of_small_requests_is_prepared_in_a_worker(tmp_path):
    """Tenants it does not know are told to it; what is to be made is made."""
    sender = Sender(tmp_path / "a.db", workers=1)

    async def run():
        accept = sender.intake.accept
        bodies = [ndjson(record(f"e{n}")) for n in range(CROWD_MIN)]
        bodies.append(ndjson(record("new", tenant="initech")))
        return await asyncio.gather(*(accept(body, Source(ALL)) for body in bodies))

    said = [short(answer) for (answer,) in asyncio.run(run())]

    assert said == [f"acme {n}" for n in range(CROWD_MIN)] + ["initech 0"]
    sender.close()
