import asyncio
import threading

import pytest
from tests.archive.made import ALPHA, BETA, event
from tests.delivery.fakes import LATER, REFUSED, Office

from sealog.delivery import engine, register
from sealog.delivery.destination import Parsed, Verdict
from sealog.delivery.streams import Settings
from sealog.delivery.wishes import Wish
from sealog.errors import Refused

ASKED = {"tenant": "acme", "name": "siem", "destination": {"kind": "fake", "at": "here"}}


class FakeDelivery:
    """Streams that run, and destinations that are read as the fakes want it."""

    def __init__(self, streams):
        self.streams = streams

    def destination(self, body, before=None):
        if not isinstance(body, dict) or body.get("kind") != "fake":
            raise Refused("no", code="bad-destination", pointer="/destination/kind")
        secrets = {} if before is None else before.secrets
        told = {}
        if before is None or body.get("rotate"):
            secrets = {"keys": [*secrets.get("keys", ()), "whsec_new"]}
            told = {"secret": "whsec_new"}
        return Parsed({"kind": "fake", "at": body["at"]}, secrets, told)


class Station:
    """A server whose tenants acme and globex have streams, and who may use them."""

    def __init__(self, office, house):
        self.office = office
        self.house = house
        self.key = house.key("admin", "export")
        self.globex = house.key("admin", "export", tenants=["globex"])

    def ask(self, method, path="", *, key=None, **rest):
        return self.house.ask(method, "/v1/streams" + path, key=key or self.key, **rest)

    def make(self, **more):
        answer = self.ask("POST", json={**ASKED, "from": "beginning", **more})
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture
def station(tmp_path, build_house, monkeypatch):
    monkeypatch.setattr(register, "SAVE_EVERY_S", 0.02)
    monkeypatch.setattr(engine, "GRACE_S", 0.5)
    office = Office(tmp_path / "data", settings=Settings(per_tenant_max=3))
    office.start()
    house = build_house(delivery=FakeDelivery(office.streams))
    house.tenants.make(["acme", "globex"])
    yield Station(office, house)
    office.close()


def test_a_stream_is_made_and_shown_with_its_secret_this_once(station):
    answer = station.ask("POST", json=ASKED)

    made = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/streams/{made['id']}"
    assert answer.headers["etag"] == '"1"'
    assert made["told_once"] == {"secret": "whsec_new"}
    again = station.ask("GET", f"/{made['id']}").json()
    assert "told_once" not in again
    assert "whsec" not in str(again)
    assert (again["state"], again["version"], again["tenant"]) == ("running", 1, "acme")


def test_it_begins_now_at_the_beginning_at_an_index_or_a_time(station):
    station.office.home.add(ALPHA, *[event(n) for n in range(5)])
    station.office.here.answer = lambda _: LATER
    nexts = [
        station.ask("POST", json={**ASKED, **more}).json()["next"]
        for more in ({}, {"from": "beginning", "paused": True}, {"from": {"index": 3}})
    ]

    assert nexts == [5, 0, 3]


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"nope": 1}, "/nope"),
        ({"tenant": 7}, "/tenant"),
        ({"name": ""}, "/name"),
        ({"destination": {"kind": "other"}}, "/destination/kind"),
        ({"filter": {"actr": "ada"}}, "/filter/actr"),
        ({"filter": {"q": "actor:("}}, "/filter/q"),
        ({"filter": {"actor": ["ada", 1.5]}}, "/filter/actor/1"),
        ({"mask": {"user.email": "blur"}}, "/mask/user.email"),
        ({"dialect": "klingon"}, "/dialect"),
        ({"from": "yesterday"}, "/from"),
        ({"paused": "yes"}, "/paused"),
        ({"version": 1}, "/version"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_is_refused_by_its_pointer(station, more, pointer):
    answer = station.ask("POST", json={**ASKED, **more})

    assert answer.status_code in (400, 422)
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert station.office.streams.all() == []


def test_the_path_of_a_url_is_shown_to_who_may_change_the_stream(station, monkeypatch):
    """For many receivers it is the key."""
    url = "https://hooks.example/secret?token=abc"

    def destination(_self, body, before=None):
        return Parsed({"kind": "fake", "at": "here", "url": url}, {}, {})

    monkeypatch.setattr(FakeDelivery, "destination", destination)
    made = station.make()

    for scope in ("admin", "export"):
        key = station.house.key(scope)
        for path in ("", f"/{made['id']}"):
            answer = station.ask("GET", path, key=key)
            assert "https://hooks.example/" in answer.text
            assert "secret" not in answer.text
    assert station.ask("GET", f"/{made['id']}").json()["destination"]["url"] == url


def test_a_key_needs_admin_and_export_both(station):
    """Whoever makes a stream sends a tenant's events somewhere."""
    stream = station.make()
    for scopes in (("admin",), ("export",), ("read", "ingest")):
        key = station.house.key(*scopes)
        refused = [
            station.ask("POST", key=key, json=ASKED),
            station.ask("PUT", f"/{stream['id']}", key=key, json={}),
            station.ask("DELETE", f"/{stream['id']}", key=key),
            station.ask("POST", f"/{stream['id']}/pause", key=key),
            station.ask("POST", f"/{stream['id']}/replay", key=key, json={"from": {"index": 0}}),
            station.ask("POST", f"/{stream['id']}/parked/retry", key=key, json={}),
            station.ask("POST", "/check", key=key, json=ASKED),
        ]
        assert {answer.status_code for answer in refused} == {403}
        seen = station.ask("GET", f"/{stream['id']}", key=key).status_code
        assert seen == (403 if "read" in scopes else 200)


def test_another_tenants_stream_is_not_there(station):
    stream = station.make()
    path = f"/{stream['id']}"
    answers = [
        station.ask("GET", path, key=station.globex),
        station.ask("PUT", path, key=station.globex, json={**ASKED, "version": 1}),
        station.ask("DELETE", path, key=station.globex),
        station.ask("POST", path + "/pause", key=station.globex),
        station.ask("POST", path + "/rotate", key=station.globex),
        station.ask("GET", path + "/parked", key=station.globex),
        station.ask("POST", path + "/parked/drop", key=station.globex, json={}),
        station.ask("POST", key=station.globex, json=ASKED),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert station.ask("GET", key=station.globex).json() == {"streams": [], "next_cursor": None}


def test_streams_are_listed_page_by_page(station):
    names = [station.make(name=f"s{n}")["name"] for n in range(3)]

    first = station.ask("GET", "?limit=2").json()
    second = station.ask("GET", f"?limit=2&cursor={first['next_cursor']}&tenant=acme").json()

    assert [one["name"] for one in first["streams"] + second["streams"]] == names
    assert second["next_cursor"] is None
    assert station.ask("GET", "?tenant=globex").json()["streams"] == []


def test_a_tenant_has_so_many_and_no_more(station):
    for n in range(3):
        station.make(name=f"s{n}")

    assert station.ask("POST", json=ASKED).status_code == 429


def test_what_was_shown_can_be_sent_back_changed(station):
    stream = station.make()

    answer = station.ask("PUT", f"/{stream['id']}", json={**without_told(stream), "name": "other"})

    assert answer.status_code == 200, answer.text
    assert (answer.json()["name"], answer.json()["version"]) == ("other", 2)
    assert answer.headers["etag"] == '"2"'
    assert "told_once" not in answer.json()


def without_told(stream):
    return {name: value for name, value in stream.items() if name != "told_once"}


def test_a_change_says_which_version_it_changes(station):
    stream = station.make()
    path = f"/{stream['id']}"
    bare = {name: ASKED[name] for name in ("name", "destination")}

    unsaid = station.ask("PUT", path, json=bare)
    stale = station.ask("PUT", path, json=bare, headers={"If-Match": '"7"'})
    odd = station.ask("PUT", path, json=bare, headers={"If-Match": "x"})
    moved = station.ask("PUT", path, json={**bare, "version": 1, "tenant": "globex"})
    right = station.ask("PUT", path, json={**bare, "name": "x"}, headers={"If-Match": '"1"'})

    assert [one.status_code for one in (unsaid, stale, odd, moved, right)] == [
        428, 409, 409, 422, 200,
    ]  # fmt: skip
    assert unsaid.json()["errors"][0]["pointer"] == "/version"
    assert moved.json()["errors"][0]["pointer"] == "/tenant"


def test_it_is_paused_resumed_replayed_and_deleted(station):
    station.office.home.add(ALPHA, *[event(n) for n in range(3)])
    stream = station.make()
    path = f"/{stream['id']}"
    here = station.office.here
    station.office.until(lambda: len(here.taken) == 3)

    assert station.ask("POST", path + "/pause").json()["state"] == "paused"
    replayed = station.ask("POST", path + "/replay", json={"from": {"index": 1}}).json()
    assert (replayed["next"], replayed["lag_events"]) == (1, 2)
    assert replayed["lag_seconds"] == 0.0
    assert station.ask("POST", path + "/resume").json()["state"] == "running"
    station.office.until(lambda: len(here.taken) == 5)
    assert station.ask("DELETE", path).status_code == 204
    assert station.ask("GET", path).status_code == 404
    assert here.indexes == [0, 1, 2, 1, 2]


def test_a_replay_wants_a_place_that_is_there(station):
    stream = station.make()
    path = f"/{stream['id']}/replay"

    beyond = station.ask("POST", path, json={"from": {"index": 1}})
    odd = station.ask("POST", path, json={"form": {"index": 1}})

    assert beyond.json()["type"] == "/problems/bad-index"
    assert odd.json()["errors"][0]["pointer"] == "/form"


def test_health_says_what_is_wrong(station):
    station.office.here.answer = lambda _: LATER if not station.office.clock.waits[1:] else None
    station.office.home.add(ALPHA, event(0))

    stream = station.make()
    station.office.until(lambda: station.office.here.taken)
    found = station.ask("GET", f"/{stream['id']}").json()

    assert found["last_error"]["kind"] == "status-503"
    assert found["last_error"]["reason"] == "it answered 503"
    assert (found["state"], found["failures"], found["delivered"]) == ("running", 0, 1)
    assert found["last_success"] is not None


def test_parked_records_are_listed_sent_again_and_dropped(station):
    station.office.home.add(ALPHA, *[event(n) for n in range(4)])
    station.office.here.answer = lambda record: REFUSED if record.index else None
    stream = station.make()
    path = f"/{stream['id']}/parked"
    station.office.until(lambda: len(station.ask("GET", path).json()["parked"]) == 3)

    page = station.ask("GET", path + "?limit=2").json()
    rest = station.ask("GET", path + f"?cursor={page['next_cursor']}").json()
    assert [one["index"] for one in page["parked"] + rest["parked"]] == [1, 2, 3]
    assert page["parked"][0]["reason"] == "status-400: it answered 400"

    station.office.here.answer = None
    assert station.ask("POST", path + "/retry", json={"indexes": [2, 9]}).json() == {"retried": 1}
    station.office.until(lambda: 2 in station.office.here.indexes)
    station.office.until(lambda: len(station.ask("GET", path).json()["parked"]) == 2)
    assert station.ask("POST", path + "/drop", json={}).json() == {"dropped": 2}
    assert station.ask("GET", f"/{stream['id']}").json()["parked"] == 0


@pytest.mark.parametrize("indexes", [[], "1", ["1"], [-1], [1] * 1_001], ids=lambda v: str(v)[:9])
def test_parked_records_are_named_by_index(station, indexes):
    stream = station.make()

    answer = station.ask("POST", f"/{stream['id']}/parked/drop", json={"indexes": indexes})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/indexes")


def test_a_check_says_whether_a_destination_takes_anything(station):
    taken = station.ask("POST", "/check", json=ASKED)

    async def refuse():
        return Verdict("later", "timeout", "it took too long")

    station.office.here.check = refuse
    stream = station.make()
    refused = station.ask("POST", f"/{stream['id']}/check")

    assert taken.json() == {"taken": True}
    assert refused.json() == {
        "taken": False,
        "error": {"kind": "timeout", "reason": "it took too long"},
    }


def test_checks_that_take_long_hold_up_nobody_who_looks_or_changes(station):
    """More of them than there are threads for reading: a black hole takes all of its timeout."""
    asked = threading.Event()
    stream = station.make()

    async def hang():
        asked.set()
        await asyncio.Event().wait()

    station.office.here.check = hang
    own = {"headers": {"Authorization": f"Bearer {station.key}"}}
    client = station.house.client

    async def run():
        checks = [
            asyncio.create_task(client.post("/v1/streams/check", json=ASKED, **own))
            for _ in range(12)
        ]
        await asyncio.to_thread(asked.wait, 10)
        async with asyncio.timeout(10):
            listed = await client.get("/v1/streams", **own)
            paused = await client.post(f"/v1/streams/{stream['id']}/pause", **own)
        for check in checks:
            check.cancel()
        station.office.streams.stop()
        await asyncio.gather(*checks, return_exceptions=True)
        return listed.status_code, paused.json()["state"]

    assert station.house.runner.run(run()) == (200, "paused")


def test_an_estimate_says_how_much_would_leave_in_a_day(station):
    station.office.home.add(ALPHA, *[event(n) for n in range(7)])

    found = station.ask("POST", "/estimate", json=ASKED).json()

    assert found["events"] == 7
    assert found["bytes_per_day"] > found["events_per_day"] > 0


def test_a_new_secret_is_told_once_and_makes_a_version(station):
    stream = station.make()

    rotated = station.ask("POST", f"/{stream['id']}/rotate").json()

    assert rotated["told_once"] == {"secret": "whsec_new"}
    assert rotated["version"] == 2
    kept = station.office.streams.get(stream["id"]).secrets.destination
    assert kept == {"keys": ["whsec_new", "whsec_new"]}


def test_a_key_of_one_tenant_need_not_name_it(station):
    station.office.home.add(BETA, event(0))
    asked = {name: value for name, value in ASKED.items() if name != "tenant"}

    made = station.ask("POST", key=station.globex, json=asked)

    assert made.json()["tenant"] == "globex"
    assert station.ask("POST", json=asked).status_code == 422


def test_beside_the_process_that_owns_the_folder_there_are_none(build_house):
    house = build_house()
    key = house.key("admin", "export")

    assert house.ask("GET", "/v1/streams", key=key).status_code == 503


def test_the_service_of_a_tenants_settings_is_changed_and_ended_there(station):
    """ES-13: what pushes a tenant's logs is what its settings say."""
    made = station.office.streams.get(station.make()["id"])
    wish = Wish(made.wanted, made.destination)
    own = station.office.streams.create(ALPHA, wish, 0, {}, stream_id="str_service_1_aa")
    path = f"/{own.stream.id}"

    changed = station.ask("PUT", path, json={**ASKED, "version": 1})
    removed = station.ask("DELETE", path)
    paused = station.ask("POST", f"{path}/pause")

    for answer in (changed, removed):
        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/of-settings"
    assert (paused.status_code, paused.json()["state"]) == (200, "paused")
    assert station.ask("GET", path).status_code == 200
