"""The API over the real rooms: intake, journal, ledger and archive on a data folder."""

import asyncio
import gzip
import time

import httpx
import msgspec
import pytest
import zstandard

from sealog import app as sealog_app
from sealog.access.limits import Limits
from sealog.access.limits import Settings as LimitSettings
from sealog.config import Settings
from sealog.ledger.files import parse_tile
from sealog.ledger.proofs import verify_event_proof
from sealog.merkle.checks import verify_consistency
from sealog.merkle.hashes import leaf_hash, root_of
from sealog.server.application import build
from sealog.server.parts import Clocks, Parts

EVENT = {
    "@timestamp": "2026-11-20T12:00:00.123Z",
    "event": {"action": "user-login", "category": ["authentication"], "outcome": "success"},
    "user": {"name": "alice", "email": "alice@example.org"},
    "big": 123456789012345678901234567890,
}


class Served:
    """A real Sealog and a client of it."""

    def __init__(self, app):
        self.app = app
        parts = Parts(
            tenants=app.tenants,
            keys=app.keys,
            limits=Limits(LimitSettings()),
            reads=app.reads,
            recorder=app.recorder,
            policies=app.policies,
            intake=app.intake,
            archive=app.archive,
            ledger=app.ledger,
            size=app.journal.size,
            catalog=app.catalog.published(),
            clocks=Clocks(sealog_app.clock_us, time.monotonic),
            randomness=bytes,
        )
        self.runner = asyncio.Runner()
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(build(parts)), base_url="http://sealog.test"
        )
        scopes = ["ingest", "read", "export", "admin"]
        self.all = app.keys.create("all", None, scopes)[1]

    def ask(self, method, path, *, key=None, headers=None, **rest):
        given = {"Authorization": f"Bearer {key or self.all}", **(headers or {})}
        return self.runner.run(self.client.request(method, path, headers=given, **rest))

    def send(self, *events, tenant="acme", **rest):
        """Ingest, and wait until it can be found."""
        answer = self.ask("POST", f"/v1/events?tenant={tenant}", json=list(events), **rest)
        assert answer.status_code == 200, answer.text
        receipts = answer.json()["results"]
        assert self.app.archive.wait_for(self.app.tenants.get(tenant), receipts[-1]["index"], 30)
        return receipts


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    settings = Settings()
    with sealog_app.running(tmp_path_factory.mktemp("server") / "data", settings) as app:
        served = Served(app)
        yield served
        served.runner.run(served.client.aclose())
        served.runner.close()


def test_an_event_comes_back_as_it_was_sent(served):
    (receipt,) = served.send(EVENT, tenant="life")

    answer = served.ask("GET", f"/v1/events/{receipt['id']}?tenant=life")

    assert receipt["tenant"] == "life"
    assert receipt["index"] == 0
    shown = answer.json()
    assert shown["big"] == 123456789012345678901234567890
    assert shown["user"] == {"name": "alice", "email": "alice@example.org"}
    assert shown["@timestamp"] == "2026-11-20T12:00:00.123Z"
    assert shown["organization"]["id"] == "life"
    assert shown["sealog"]["index"] == 0
    by_index = served.ask("GET", "/v1/tenants/life/events/0")
    assert by_index.content == answer.content


def test_a_sender_reads_what_it_wrote(served):
    answer = served.ask("POST", "/v1/events?tenant=reader", json=EVENT)
    index = answer.json()["results"][0]["index"]

    found = served.ask("GET", f"/v1/events?tenant=reader&actor=alice&at_least={index}")

    assert [event["sealog"]["index"] for event in found.json()["events"]] == [index]


def test_a_search_goes_through_its_pages_and_its_filters(served):
    served.send(*[{**EVENT, "n": n} for n in range(5)], tenant="pages")
    served.send({**EVENT, "event": {"action": "other"}}, tenant="pages")

    first = served.ask("GET", "/v1/events?tenant=pages&action=user-*&limit=3")
    second = served.ask("GET", first.links["next"]["url"])
    wrong = served.ask("GET", first.links["next"]["url"].replace("user-", "use-"))

    assert [event["n"] for event in first.json()["events"]] == [4, 3, 2]
    assert [event["n"] for event in second.json()["events"]] == [1, 0]
    assert second.json()["next_cursor"] is None
    assert wrong.status_code == 400
    assert wrong.json()["type"] == "/problems/bad-cursor"


def test_the_feed_gives_every_event_once_in_order(served):
    served.send(*[{**EVENT, "n": n} for n in range(5)], tenant="feed")

    seen = []
    path = "/v1/feed?tenant=feed&limit=2&wait=0"
    for _ in range(4):
        answer = served.ask("GET", path)
        seen += [event["n"] for event in answer.json()["events"]]
        path = answer.links["next"]["url"]

    assert seen == [0, 1, 2, 3, 4]


def test_a_waiting_feed_wakes(served):
    served.send(EVENT, tenant="waiting")
    headers = {"Authorization": f"Bearer {served.all}"}

    async def life():
        path = "/v1/feed?tenant=waiting&after=0&wait=60"
        asked = asyncio.create_task(served.client.get(path, headers=headers))
        await asyncio.sleep(0.05)
        await served.client.post("/v1/events?tenant=waiting", json=EVENT, headers=headers)
        return await asked

    answer = served.runner.run(life())
    assert [event["sealog"]["index"] for event in answer.json()["events"]] == [1]


def test_bad_records_hide_neither_each_other_nor_their_neighbours(served):
    good = msgspec.json.encode(EVENT)
    body = b"\n".join([good, b'{"a" 1}', b"[1]", good, b'{"a":"' + b"x" * (1 << 20) + b'"}'])

    answer = served.ask("POST", "/v1/events?tenant=mixed", content=body)

    assert answer.status_code == 207
    results = answer.json()["results"]
    assert [("refused" in one) for one in results] == [False, True, True, False, True]
    assert [one["index"] for one in results if "index" in one] == [0, 1]
    refused = [one["refused"] for one in results if "refused" in one]
    assert [one["record"] for one in refused] == [1, 2, 4]
    assert [one["status"] for one in refused] == [422, 422, 413]
    assert all(one["type"].startswith("/problems/") and one["detail"] for one in refused)


def test_sending_again_adds_nothing_and_what_differs_is_refused(served):
    event = {**EVENT, "event": {"id": "mine", "action": "a"}}
    (first,) = served.send(event, tenant="again")

    again = served.ask("POST", "/v1/events?tenant=again", json=event)
    other = served.ask("POST", "/v1/events?tenant=again", json={**event, "more": 1})

    assert again.status_code == 200
    assert again.json()["results"] == [{**first, "repeated": True}]
    assert other.status_code == 409
    assert other.json()["results"][0]["refused"]["type"] == "/problems/id-taken"
    assert served.ask("GET", "/v1/tenants/again").json()["size"] == 1


def test_a_request_key_makes_sending_again_safe(served):
    headers = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
    (first,) = served.send(EVENT, tenant="keyed", headers=headers)

    (again,) = served.send(EVENT, tenant="keyed", headers=headers)

    assert again == {**first, "repeated": True}


def test_an_import_sent_again_adds_nothing(served):
    headers = {"Sealog-Import": "1", "Sealog-Repeats": "1=1"}
    first = served.send(EVENT, EVENT, tenant="imported", headers=headers)

    again = served.send(EVENT, EVENT, tenant="imported", headers=headers)

    assert [one["index"] for one in first] == [0, 1]
    assert again == [{**one, "repeated": True} for one in first]


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("zstd", zstandard.compress)],
    ids=["gzip", "zstd"],
)
def test_bodies_come_compressed(served, encoding, pack):
    body = pack(b"\n".join([msgspec.json.encode(EVENT)] * 100))

    answer = served.ask(
        "POST",
        f"/v1/events?tenant={encoding}",
        content=body,
        headers={"Content-Encoding": encoding},
    )

    assert [one["index"] for one in answer.json()["results"]] == list(range(100))


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(b"{}\n" * 10_001, {}, 413, id="10,001 events"),
        pytest.param(gzip.compress(b" " * ((32 << 20) + 1)), {"Content-Encoding": "gzip"}, 413, id="32 MiB unpacked"),
        pytest.param(b"x", {"Content-Encoding": "gzip"}, 400, id="not gzip"),
        pytest.param(b"{}", {"Content-Encoding": "br"}, 415, id="another encoding"),
        pytest.param(b'{"a":"\xff"}', {}, 422, id="not UTF-8"),
    ],
)  # fmt: skip
def test_what_passes_a_limit_or_is_not_what_it_says_is_refused(served, body, headers, status):
    answer = served.ask("POST", "/v1/events?tenant=limits", content=body, headers=headers)

    assert answer.status_code == status, answer.text[:500]


def test_ten_thousand_events_are_taken_at_once(served):
    answer = served.ask("POST", "/v1/events?tenant=many", content=b"{}\n" * 10_000)

    assert answer.status_code == 200
    assert answer.json()["results"][-1]["index"] == 9_999


def test_a_dialect_that_is_none_is_refused(served):
    answer = served.ask("POST", "/v1/ingest/klingon", json=EVENT)

    assert answer.status_code in (400, 404)
    assert answer.json()["type"] == "/problems/unknown-dialect"


def test_a_record_of_another_tenant_is_refused_as_missing(served):
    served.app.tenants.make(["theirs", "own"])
    key = served.app.keys.create("own", ["own"], ["ingest", "read"])[1]

    named = served.ask("POST", "/v1/events?tenant=theirs", key=key, json=EVENT)
    inside = {**EVENT, "organization": {"id": "theirs"}}
    mixed = served.ask("POST", "/v1/events", key=key, json=[EVENT, inside])

    assert named.status_code == 422
    assert named.json()["results"][0]["refused"]["status"] == 404
    assert mixed.status_code == 207
    assert mixed.json()["results"][0]["tenant"] == "own"
    assert mixed.json()["results"][1]["refused"]["type"] == "/problems/no-such-tenant"
    assert served.app.journal.size(served.app.tenants.get("theirs").number) == 0


def test_a_proof_holds_without_the_server(served):
    receipts = served.send(*[{**EVENT, "n": n} for n in range(3)], tenant="proved")
    served.app.settle()

    content = served.ask("GET", "/v1/tenants/proved/events/1/proof").content

    verdict = verify_event_proof(content, served.ask("GET", "/v1/tenants/proved").json()["vkey"])
    assert verdict.holds, verdict
    assert verdict.key_pinned
    assert verdict.included.index == 1
    assert msgspec.json.decode(content)["commitment"] == receipts[1]["commitment"]


def test_the_log_over_http_has_the_root_that_is_signed(served):
    receipts = served.send(*[{**EVENT, "n": n} for n in range(300)], tenant="log")
    served.app.settle()
    base = "/logs/" + served.app.tenants.get("log").log_id

    note = served.ask("GET", f"{base}/checkpoint").text.split("\n")
    full = served.ask("GET", f"{base}/tile/entries/000").content
    rest = served.ask("GET", f"{base}/tile/entries/001.p/44").content
    tile = served.ask("GET", f"{base}/tile/0/001.p/44").content
    beyond = served.ask("GET", f"{base}/tile/0/001.p/45")
    consistency = served.ask("GET", "/v1/tenants/log/consistency?old=256&new=300").json()

    both = full + rest
    entries = [both[at + 2 : at + 35] for at in range(0, len(both), 35)]
    assert [entry[1:].hex() for entry in entries] == [one["commitment"] for one in receipts]
    leaves = [leaf_hash(entry) for entry in entries]
    assert note[1] == "300"
    assert msgspec.json.decode(f'"{note[2]}"', type=bytes) == root_of(leaves)
    assert tile == b"".join(leaves[256:])
    assert beyond.status_code == 404
    assert str(parse_tile("tile/0/001.p/44")) == "tile/0/001.p/44"
    path = [msgspec.json.decode(f'"{one}"', type=bytes) for one in consistency["hashes"]]
    assert verify_consistency(256, 300, path, root_of(leaves[:256]), root_of(leaves))


def test_the_catalog_has_every_dialect_of_the_documents(served):
    catalog = served.ask("GET", "/v1/catalog").json()

    assert "agent_login" in [one["native"] for one in catalog["closer"]]
