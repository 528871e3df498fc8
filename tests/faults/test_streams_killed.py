"""A stream whose server is killed again and again: nothing is left out, and little comes twice."""

import time

import msgspec
import pytest
from tests.cli.made import Served, ecs, lines, script
from tests.faults.checks import PATIENCE_S

EVENTS = 12_000
KILLS = 3


@pytest.fixture
def drop(tmp_path):
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def serve(tmp_path, drop):
    return Served(tmp_path / "data", DELIVERY__FOLDERS=msgspec.json.encode([str(drop)]).decode())


def held(drop):
    """The index of every record in files that are whole."""
    files = sorted(drop.rglob("*.ndjson"))
    return [
        msgspec.json.decode(line)["data"]["index"]
        for file in files
        for line in file.read_bytes().splitlines()
    ]


def until(true):
    deadline = time.monotonic() + PATIENCE_S
    while not (found := true()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.025)
    return found


def test_what_was_accepted_arrives_however_often_the_server_is_killed(tmp_path, drop):
    served = serve(tmp_path, drop)
    key = served.key
    destination = {"kind": "folder", "path": str(drop / "acme"), "rotation": {"records": 500}}
    with served.client() as client:
        client.post("/v1/tenants", json={"name": "acme"})
        asked = {"tenant": "acme", "name": "drop", "destination": destination, "from": "beginning"}
        stream = client.post("/v1/streams", json=asked).json()["id"]
    for nth in range(KILLS):
        each = EVENTS // KILLS
        with served.client(key) as client:
            body = lines(*[ecs(number) for number in range(nth * each, (nth + 1) * each)])
            sent = client.post("/v1/events?tenant=acme", content=body)
            assert sent.status_code == 200
        until(lambda before=nth: list(drop.rglob("*.ndjson"))[before * 2 :])
        served.kill()
        served = serve(tmp_path, drop)
    with served.client(key) as client:
        size = client.get("/v1/tenants/acme").json()["size"]
        until(lambda: client.get(f"/v1/streams/{stream}").json()["next"] >= size)
        client.post(f"/v1/streams/{stream}/pause")
        last = client.get("/v1/tenants/acme").json()["size"]
    assert served.stop() == 0

    found = held(drop)
    asked = ("--tenant", "acme", "--stream", stream, "--to", str(size - 1), "--allow-doubled")
    checked = script("reconcile", drop, *asked, "--data", tmp_path / "data", cwd=tmp_path)
    assert not set(range(size)) - set(found)
    assert set(found) <= set(range(last))
    assert checked.code == 0, checked
