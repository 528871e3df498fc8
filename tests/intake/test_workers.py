import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.intake.sent import ALL, Sender, record, short

from sealog.errors import Busy, Refused
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
from sealog.intake.workers import Workers

workers = Workers(1)
workers.warm()
print(*workers._pool._processes, flush=True)
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


def test_when_a_worker_dies_the_request_is_busy_and_the_next_one_is_taken(sender):
    before = len(sender.journal.appended)
    (pid,) = sender.intake._workers._pool._processes
    os.kill(pid, signal.SIGKILL)

    def send_until_it_is_noticed():
        for _ in range(50):
            sender(record())

    with pytest.raises(Busy):
        send_until_it_is_noticed()
    kept = len(sender.journal.appended) - before
    after = sender.said(record("after"))

    assert after[0].startswith("acme ")
    assert len(sender.journal.appended) == before + kept + 1
