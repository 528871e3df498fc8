"""EasySend's service: each log that is stored is pushed as documented, as the settings say."""

import asyncio
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path

import msgspec
import pytest
from standardwebhooks import Webhook
from tests.intake.sent import ndjson

from sealog import app
from sealog.access.grants import Grant
from sealog.config import DeliverySettings, Settings
from sealog.delivery import services
from sealog.delivery.services import PREFIX, Services, is_of_settings
from sealog.errors import Limited, Refused
from sealog.intake.source import Source
from sealog.policy.settings import TenantSettings

GOLDEN = Path(__file__).parents[1] / "golden" / "dialects" / "easysend"
SAMPLE = msgspec.json.decode((GOLDEN / "CheckAuthResponseAuthenticationError.in.json").read_bytes())
GRANT = Grant("key", frozenset({"ingest"}), None, may_create=True)
BY_US = {"user": {"id": "key_1"}, "sealog": {"kind": "key"}}


def log(number):
    return SAMPLE | {"label": SAMPLE["label"] | {"request_id": f"rq-{number}"}}


class House:
    """A whole Sealog whose tenant acme has its logs pushed where the settings say."""

    def __init__(self, running):
        self.running = running
        self.acme = running.tenants.make(["acme"])["acme"]

    def start(self):
        self.running.delivery.streams.start()
        self.running.services.start()

    def choose(self, service, delivery="api-and-service"):
        """Change the settings as the API does."""
        policies = self.running.policies
        before = policies.settings(self.acme.number)
        shown, secrets, told = None, {}, {}
        if service is not None:
            read = self.running.services.read(service, before)
            shown, secrets, told = read.shown, read.secrets, read.told
        wanted = TenantSettings(before.version, delivery=delivery, service=shown, secrets=secrets)
        tell = self.running.recorder.policy_changed
        policies.change_settings(self.acme.number, wanted, by="key_1", actor=BY_US, tell=tell)
        return told

    def send(self, *records, dialect="easysend"):
        source = Source(GRANT, dialect=dialect, tenant="acme")
        answers = asyncio.run(self.running.intake.accept(ndjson(*records), source))
        return [answer.index for answer in answers]

    def streams(self):
        return [one for one in self.running.delivery.streams.all() if is_of_settings(one.id)]

    def actions(self):
        """What the trail tells of streams and settings, in order."""
        last = self.running.journal.size(self.acme.number) - 1
        assert self.running.archive.wait_for(self.acme, last, 10)
        found = self.running.archive.feed(self.acme, -1, 100)
        facts = [msgspec.json.decode(opened.parts[0][2]) for _, opened in found]
        return [one["event"]["action"] for one in facts if one["sealog"]["dialect"] == "sealog"]


def until(is_so):
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def dropped(folder):
    """What was dropped there, by its request id."""
    found = [msgspec.json.decode(one.read_bytes()) for one in sorted(folder.glob("**/*.json"))]
    return {one["label"]["request_id"]: one for one in found}


@pytest.fixture
def drop(tmp_path):
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


@pytest.fixture
def running(tmp_path, drop):
    loopback = (ip_network("127.0.0.0/8"),)
    chosen = DeliverySettings(folders=(drop,), allowed_networks=loopback)
    with app.running(tmp_path / "data", Settings(delivery=chosen)) as running:
        yield running


@pytest.fixture
def house(running):
    house = House(running)
    house.start()
    return house


class Receiver(ThreadingHTTPServer):
    """Keeps what is posted to it."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Posted)
        self.posted = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Posted(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.posted.append((dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_args):
        """Nothing."""


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.shutdown()
    receiver.server_close()


def test_each_log_that_is_stored_is_dropped_as_it_is_documented(house, drop):
    """ES-10, ES-12, ES-13: the documented log alone, one JSON file each; nothing of before."""
    house.send(log(0))
    house.choose({"kind": "folder", "path": str(drop)})
    house.send(log(1), log(2))
    house.send({"event": {"action": "x"}, "message": "of another product"}, dialect="ecs")
    house.send(log(3))

    until(lambda: len(dropped(drop)) >= 3)

    assert dropped(drop) == {f"rq-{nth}": log(nth) for nth in (1, 2, 3)}


def test_each_log_that_is_stored_is_pushed_as_the_body_of_a_request(house, receiver):
    """ES-10: textual JSON, signed so that the receiver can tell who sent it."""
    url = f"http://127.0.0.1:{receiver.server_port}/in"
    told = house.choose({"kind": "webhook", "url": url, "signing": "hmac-sha256"})
    house.send(log(1))

    until(lambda: receiver.posted)

    headers, body = receiver.posted[0]
    assert msgspec.json.decode(body) == log(1)
    assert headers["content-type"].startswith("application/json")
    Webhook(told["secret"]).verify(body, headers)


def test_api_only_pushes_nothing_and_pushing_begins_where_it_is_asked_for(house, drop):
    """ES-13: what was stored under "API only" is not pushed later."""
    folder = {"kind": "folder", "path": str(drop)}
    house.choose(folder, delivery="api")
    house.send(log(1))
    house.choose(folder)
    house.send(log(2))
    until(lambda: dropped(drop))
    house.choose(folder, delivery="api")
    until(lambda: not house.streams())
    house.send(log(3))
    house.choose(folder)
    house.send(log(4))

    until(lambda: len(dropped(drop)) == 2)

    assert sorted(dropped(drop)) == ["rq-2", "rq-4"]
    assert [one.id for one in house.streams()] == [f"{PREFIX}4_{house.acme.log_id[:16]}"]


def test_a_service_that_is_changed_goes_on_where_it_was(house, drop):
    (drop / "a").mkdir()
    (drop / "b").mkdir()
    house.choose({"kind": "folder", "path": str(drop / "a")})
    house.send(log(1))
    until(lambda: dropped(drop / "a"))
    [stream] = house.streams()
    house.choose({"kind": "folder", "path": str(drop / "b")})
    until(lambda: house.streams()[0].version == 2)
    house.send(log(2))

    until(lambda: dropped(drop / "b"))

    assert [one.id for one in house.streams()] == [stream.id]
    assert (sorted(dropped(drop / "a")), sorted(dropped(drop / "b"))) == (["rq-1"], ["rq-2"])
    assert house.actions() == [
        "sealog.settings.changed",
        "sealog.streams.created",
        "sealog.settings.changed",
        "sealog.streams.changed",
    ]


def test_what_was_stored_before_the_stream_was_made_is_pushed_too(running, drop):
    """It begins with the change that asked for it, also where we died in between."""
    house = House(running)
    house.choose({"kind": "folder", "path": str(drop)})
    house.send(log(1))

    house.start()

    until(lambda: sorted(dropped(drop)) == ["rq-1"])


def test_a_start_changes_nothing_that_is_as_it_should_be(house, drop):
    house.choose({"kind": "folder", "path": str(drop)})
    until(house.streams)
    before = house.streams()

    house.running.services.stop()
    again = Services(
        house.running.delivery,
        house.running.policies,
        house.running.tenants.numbered,
        house.running.archive.by_id,
    )
    again.start()
    again.stop()

    assert [one.version for one in house.streams()] == [one.version for one in before]
    assert house.actions().count("sealog.streams.created") == 1


def test_what_cannot_be_done_yet_is_done_later(house, drop, monkeypatch):
    monkeypatch.setattr(services, "AGAIN_S", 0.05)
    streams = house.running.delivery.streams
    create, tried = streams.create, []

    def refuse_once(*args, **named):
        tried.append(1)
        if len(tried) == 1:
            raise Limited("the tenant has 20 streams", retry_after_s=60.0)
        return create(*args, **named)

    monkeypatch.setattr(streams, "create", refuse_once)
    house.choose({"kind": "folder", "path": str(drop)})

    until(house.streams)

    assert len(tried) == 2


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"kind": "folder", "path": "/somewhere/else"}, "/path"),
        ({"kind": "webhook", "url": "http://192.0.2.1/in"}, "/url"),
        ({"kind": "webhook", "url": "https://siem.example/in", "body": "enveloped"}, "/body"),
        ({"kind": "fax"}, "/kind"),
        ({}, "/kind"),
    ],
    ids=repr,
)
def test_what_is_no_service_is_refused_by_its_place(running, wanted, pointer):
    with pytest.raises(Refused) as refused:
        running.services.read(wanted, TenantSettings())

    assert refused.value.pointer == pointer


def test_secrets_are_kept_when_what_was_shown_is_sent_back(running):
    first = running.services.read(
        {"kind": "webhook", "url": "https://siem.example/in", "signing": "hmac-sha256"},
        TenantSettings(),
    )
    chosen = TenantSettings(1, service=first.shown, secrets=first.secrets)

    again = running.services.read(first.shown, chosen)

    assert (again.shown, again.secrets, again.told) == (first.shown, first.secrets, {})
    assert "secret" in first.told
