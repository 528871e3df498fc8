"""However much is asked for, the server's memory stays as it was (ES-30)."""

import os
import sys
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.cli.made import Served
from tests.compat.easysend_house import KEY, PATH, at, log, ndjson

EVENTS = int(os.environ.get("SEALOG_TEST_EASYSEND_EVENTS", "200000"))
GROWTH_BYTES_MAX = 50 << 20
AT_ONCE = 10_000


def anonymous_bytes(process):
    """Resident and not a file's: what the server itself holds."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("RssAnon:")]
    return int(line.split()[1]) << 10


def processor_s(process):
    """What the server and its workers took, user and system."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(") ")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def fill(served):
    """A log for every 10 ms, of both applications."""
    with served.client() as client:
        for begin in range(0, EVENTS, AT_ONCE):
            logs = [
                log(n, "builder" if n % 4 == 0 else "player", seconds=n // 100)
                for n in range(begin, min(begin + AT_ONCE, EVENTS))
            ]
            answer = client.post("/v1/ingest/easysend?tenant=easysend", content=ndjson(logs))
            assert answer.status_code == 200
            last = msgspec.json.decode(answer.content)["results"][-1]["index"]
        answer = client.get(
            "/v1/events", params={"tenant": "easysend", "at_least": last, "limit": 1}
        )
        assert answer.status_code == 200


def taken(served, **params):
    """How many logs and pages the head promises, and how many came."""
    found = pages = 0
    tail = b""
    with httpx.stream(
        "GET",
        served.url + PATH,
        params={"start_time": at(0), "end_time": at(EVENTS)} | params,
        headers={"apiKey": KEY},
        timeout=60,
    ) as answer:
        assert answer.status_code == 200, answer.read()
        for chunk in answer.iter_bytes():
            # What stands over the edge of two chunks is counted once.
            both = tail + chunk
            found += both.count(b'"source_value":') - tail.count(b'"source_value":')
            pages += both.count(b'"pageNumber":') - tail.count(b'"pageNumber":')
            tail = both[-20:]
    assert tail.endswith(b"}]}]")
    head = int(answer.headers["Number-Of-Results"]), int(answer.headers["Number-Of-Pages"])
    assert (found, pages) == head
    return head


@pytest.fixture
def served(tmp_path):
    served = Served(tmp_path / "data", preset={"EASYSEND_SECURITY_LOGS_API_KEY": KEY})
    fill(served)
    yield served
    served.kill()


RANGES = (
    ({}, EVENTS),
    ({"app_type": "player"}, EVENTS * 3 // 4),
    ({"app_type": "builder"}, EVENTS // 4),
)
"""What is asked for, and how many logs that is."""


def test_memory_is_flat_whatever_the_range(served):
    """After one answer that warms up, another takes less than 50 MiB more.

    One test for all ranges: several would fill a server each, where they run in several processes.
    """
    for params, count in RANGES:
        taken(served, **params)
        before, begun_s = anonymous_bytes(served.process), processor_s(served.process)

        assert taken(served, **params) == (count, -(-count // 10_000))

        us = (processor_s(served.process) - begun_s) * 1e6 / EVENTS
        # Shown by -rP: what an event of the range took of a processor.
        sys.stdout.write(f"{params}: {us:.1f} us an event, {before >> 20} MiB before\n")
        assert anonymous_bytes(served.process) - before < GROWTH_BYTES_MAX
