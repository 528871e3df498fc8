import threading

import msgspec
import pytest
from tests.cli.made import Served, ecs, lines


@pytest.fixture(scope="module")
def drop(tmp_path_factory):
    return tmp_path_factory.mktemp("drop")


@pytest.fixture(scope="module")
def sending(tmp_path_factory, drop):
    """A server whose operator opened a folder for streams."""
    data = tmp_path_factory.mktemp("sending") / "data"
    server = Served(data, DELIVERY__FOLDERS=msgspec.json.encode([str(drop)]).decode())
    yield server
    assert server.stop() == 0


@pytest.fixture
def at(sealog, sending):
    """Run a command of streams on the server."""

    def run(command, *args, stdin=None):
        more = ("--server", sending.url, "--key", sending.key)
        return sealog("streams", command, *args, *more, stdin=stdin)

    return run


def sent(sending, tenant, count):
    with sending.client() as client:
        body = lines(*[ecs(n) for n in range(count)])
        answer = client.post(f"/v1/events?tenant={tenant}", content=body)
        assert answer.status_code == 200, answer.text


def until(true):
    pause = threading.Event()
    for _ in range(400):
        if found := true():
            return found
        pause.wait(0.025)
    raise AssertionError("it never came")


def test_a_stream_drops_what_was_accepted_into_a_folder(at, sending, drop):
    sent(sending, "acme", 3)
    folder = drop / "acme"

    made = at(
        "create", "--tenant", "acme", "--name", "nightly", "--folder", folder, "-q",
        "action:user.login", "--mask", "user.name=hash", "--exclude", "labels",
        "--from", "beginning",
    ).value  # fmt: skip
    until(lambda: at("show", made["id"]).value["delivered"] == 3)
    (row,) = at("list", "--tenant", "acme", "--json").value["streams"]
    paused = at("pause", made["id"])
    (file,) = until(lambda: sorted(folder.glob("*.ndjson")))

    assert (row["state"], row["name"], row["mask"]) == ("running", "nightly", {"user.name": "hash"})
    assert paused.out == f"stream {made['id']} is paused, next is index {row['next']}\n"
    bodies = [msgspec.json.decode(line) for line in file.read_bytes().splitlines()]
    assert [body["data"]["event"]["event"]["id"] for body in bodies] == ["e-0", "e-1", "e-2"]
    assert bodies[0]["data"]["event"]["user"]["name"].startswith("hash:")


def test_streams_are_listed_for_people(at, sending, drop):
    sent(sending, "people", 1)
    made = at("create", "--tenant", "people", "--folder", drop / "people").value

    ran = at("list", "--tenant", "people")

    assert made["id"] in ran.out
    assert "running" in ran.out
    assert "last error" not in ran.out


def test_a_stream_is_replayed_resumed_and_deleted(at, sending, drop):
    sent(sending, "globex", 2)
    stream = at("create", "--tenant", "globex", "--folder", drop / "globex").value["id"]

    assert "next is index 1" in at("replay", stream, "--from", "1").out
    assert "is running" in at("resume", stream).out
    assert at("delete", stream).out == f"stream {stream} is deleted\n"
    gone = at("show", stream)
    assert (gone.code, gone.err) == (1, "sealog: there is no such stream (HTTP 404)\n")


def test_what_was_shown_changes_a_stream_once_it_is_changed(at, sending, drop, tmp_path):
    sent(sending, "change", 1)
    made = at("create", "--tenant", "change", "--folder", drop / "change").value
    file = tmp_path / "stream.json"
    file.write_bytes(msgspec.json.encode({**made, "name": "other"}))

    changed = at("change", made["id"], file)
    again = at("change", made["id"], file)

    assert (changed.value["name"], changed.value["version"]) == ("other", 2)
    assert again.code == 1
    assert "version 2 is in force, not 1" in again.err


def test_a_destination_is_checked_and_a_stream_estimated_before_there_is_one(at, sending, drop):
    sent(sending, "before", 4)
    asked = ("--tenant", "before", "--folder", drop / "before")

    assert at("create", *asked, "--only", "check").value == {"taken": True}
    assert at("create", *asked, "--only", "estimate").value["events"] >= 4
    assert at("list", "--tenant", "before", "--json").value == {"streams": []}
    assert at("create", *asked, "--only", "dream").code == 2


def test_a_webhooks_secret_is_drawn_anew(at, sending):
    sent(sending, "hooks", 1)
    file = b'{"destination": {"kind": "webhook", "url": "https://siem.example/in", "signing": "hmac-sha256"}}'

    made = at("create", "--tenant", "hooks", "--file", "-", stdin=file).value
    rotated = at("rotate", made["id"]).value

    secrets = [one["told_once"]["secret"] for one in (made, rotated)]
    assert all(secret.startswith("whsec_") for secret in secrets)
    assert secrets[0] != secrets[1]
    assert "whsec_" not in at("show", made["id"]).out
    at("delete", made["id"])


def test_a_destination_that_takes_nothing_is_told_by_the_exit_code(at, sending):
    sent(sending, "closed", 1)
    made = at("create", "--tenant", "closed", "--webhook", "https://closed.invalid/").value

    ran = at("check", made["id"])

    assert ran.code == 1
    assert ran.err.startswith("sealog: not taken: ")
    at("delete", made["id"])


def test_parked_records_are_listed_and_given_up(at, sending, drop):
    sent(sending, "parked", 1)
    stream = at("create", "--tenant", "parked", "--folder", drop / "parked").value["id"]

    assert at("parked", stream, "--json").value == {"parked": []}
    assert at("parked", stream).err == "nothing is parked\n"
    assert at("retry", stream).out == "sent again: 0\n"
    assert at("drop", stream, "7").out == "dropped: 0\n"


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ((), "name one destination"),
        (("--webhook", "https://x.example/", "--folder", "/x"), "name one destination"),
        (("--webhook", "https://x.example/", "--mask", "user.name"), "--mask is PATH=mask"),
        (("--webhook", "https://127.0.0.1/"), "/destination/url"),
        (("--folder", "/nowhere"), "/destination/path"),
        (("--file", "missing.json"), "missing.json: No such file"),
    ],
    ids=["none", "two", "mask", "private", "folder", "file"],
)
def test_what_cannot_be_is_refused(at, sending, args, told):
    sent(sending, "wrong", 1)

    ran = at("create", "--tenant", "wrong", *args)

    assert ran.code == 2
    assert told in ran.err


def test_beside_the_server_streams_are_seen(sealog, at, sending, drop):
    """A folder that a server owns may be looked at; to change it is the server's."""
    sent(sending, "beside", 1)
    made = at("create", "--tenant", "beside", "--folder", drop / "beside").value
    data = drop.parent / next(one.name for one in drop.parent.iterdir() if "sending" in one.name)

    seen = sealog("streams", "list", "--data", data / "data", "--json").value["streams"]
    refused = sealog("streams", "pause", made["id"], "--data", data / "data")

    assert made["id"] in [one["id"] for one in seen]
    assert refused.code == 2


def test_without_a_server_streams_do_not_run(sealog, tmp_path):
    sealog("tenants", "create", "acme")

    ran = sealog("streams", "create", "--tenant", "acme", "--webhook", "https://x.example/")

    assert ran.code == 1
    assert "streams run while a server runs" in ran.err
