"""Exports of a server that is killed: begun again, whole in the end, and nothing else is left."""

import hashlib
import time

import msgspec
import pytest
from tests.cli.made import Served, ecs, lines

EVENTS = 20_000
SECONDS_MAX = 60


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def state(client, job_id):
    return client.get(f"/v1/exports/{job_id}").json()


def ready(client, job_id):
    for _ in range(SECONDS_MAX * 20):
        job = state(client, job_id)
        if job["state"] not in ("pending", "running"):
            assert job["state"] == "ready", job
            return job
        time.sleep(0.05)
    raise AssertionError(job)


def test_an_export_outlives_the_server_and_leaves_nothing_behind(data):
    served = Served(data)
    key = served.key
    with served.client() as client:
        for first in range(0, EVENTS, 5_000):
            body = lines(*[ecs(number) for number in range(first, first + 5_000)])
            headers = {"content-type": "application/x-ndjson"}
            sent = client.post("/v1/events?tenant=acme", content=body, headers=headers)
            assert sent.status_code == 200
        last = sent.json()["results"][-1]["index"]
        client.get("/v1/events", params={"tenant": "acme", "limit": 1, "at_least": last})
        job_id = client.post("/v1/exports", json={"tenant": "acme"}).json()["id"]
        for _ in range(2_000):
            if (data / "exports" / f"{job_id}.ndjson.part").exists():
                break
            time.sleep(0.005)
    served.kill()
    written = [path.name for path in (data / "exports").iterdir()]
    for _ in range(200):
        if not served.left():
            break
        time.sleep(0.05)
    left = served.left()
    (data / "exports" / "exp_stranger.csv").write_bytes(b"x")

    again = Served(data)
    with again.client(key) as client:
        job = ready(client, job_id)
        content = client.get(f"/v1/exports/{job_id}/content").content
    files = [path.name for path in (data / "exports").iterdir()]
    ended = again.stop()

    assert written in ([f"{job_id}.ndjson.part"], [f"{job_id}.ndjson"])
    assert left == []
    assert files == [f"{job_id}.ndjson"]
    assert ended == 0
    found = [msgspec.json.decode(line) for line in content.splitlines()]
    assert [event["sealog"]["index"] for event in found] == list(range(job["size"]))
    assert job["size"] == job["events_done"] == EVENTS
    assert job["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_server_that_is_told_to_stop_does_not_wait_for_an_export(data):
    """It is begun again at the next start."""
    served = Served(data)
    key = served.key
    with served.client() as client:
        body = lines(*[ecs(number) for number in range(5_000)])
        client.post("/v1/events?tenant=acme", content=body)
        jobs = [
            client.post("/v1/exports", json={"tenant": "acme", "format": form}).json()["id"]
            for form in ("parquet", "csv", "ndjson")
        ]

    ended = served.stop()

    assert ended == 0
    again = Served(data)
    with again.client(key) as client:
        assert [ready(client, job_id)["events_done"] > 0 for job_id in jobs] == [True] * 3
    assert again.stop() == 0
