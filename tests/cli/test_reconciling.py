import gzip
import shutil
import time
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.cli.made import Served, ecs, hit, lines
from typer.testing import CliRunner

from sealog.cli import reconciling
from sealog.cli.connection import Client
from sealog.cli.main import app
from sealog.delivery import enveloping
from sealog.delivery.destination import Outgoing

COUNT = 1_203
"""More than one page."""


@pytest.fixture(scope="module")
def trail(tmp_path_factory):
    """A data folder with the trails of acme and another."""
    folder = tmp_path_factory.mktemp("trail")
    many = lines(*[ecs(number, n=number) for number in range(COUNT)])
    for tenant, records in (("acme", many), ("other", lines(ecs(9_999)))):
        words = ["ingest", "-", "--tenant", tenant, "--data", str(folder)]
        assert CliRunner().invoke(app, words, input=records).exit_code == 0
    return folder


@pytest.fixture
def held(sealog, trail):
    """What a receiver of acme's whole trail holds: each event on a line."""
    shutil.copytree(trail, "sealog-data")
    return sealog("export", "--tenant", "acme").out.encode().splitlines(keepends=True)


@pytest.fixture
def reconcile(sealog):
    def run(*files, **options):
        flags = [word for name, value in options.items() for word in (f"--{name}", value)]
        return sealog("reconcile", *files, "--tenant", "acme", "--json", *flags)

    return run


def write(name, *parts):
    Path(name).write_bytes(b"".join(parts))


def test_who_holds_everything_is_told_so(sealog, held):
    write("held.ndjson", *held)

    ran = sealog("reconcile", "held.ndjson", "--tenant", "acme")

    assert ran.code == 0
    assert ran.out == (
        "1203 held, of 1203 in the log; compared 0 to 1202\nthe receiver holds everything\n"
    )


def test_missing_doubled_and_altered_are_listed_by_index(sealog, held):
    altered = held[1_100].replace(b'"user.login"', b'"user.logout"')
    write("held.ndjson", *held[:7], *held[9:], held[20], *held[:0])
    text = Path("held.ndjson").read_bytes().replace(held[1_100], altered)
    Path("held.ndjson").write_bytes(text)

    ran = sealog("reconcile", "held.ndjson", "--tenant", "acme")

    assert ran.code == 1
    assert ran.out == (
        "missing  2: 7-8\n"
        "doubled  1: 20\n"
        "altered  1: 1100\n"
        "1201 held, of 1203 in the log; compared 0 to 1202\n"
        "NOT the same\n"
    )


def test_programs_get_the_same_as_json(reconcile, held):
    write("held.ndjson", *held[:2], *held[3:])

    ran = reconcile("held.ndjson")

    assert ran.code == 1
    assert ran.value["holds"] is False
    assert ran.value["missing"] == {"count": 1, "ranges": [[2, 2]], "more": 0}
    assert ran.value["held"] == COUNT - 1


def test_an_event_held_twice_can_be_allowed(sealog, held):
    """At least once is what is promised."""
    write("held.ndjson", *held, held[0])

    ran = sealog("reconcile", "held.ndjson", "--tenant", "acme", "--allow-doubled")

    assert ran.code == 0
    assert "doubled  1: 0\n" in ran.out


def test_what_a_receiver_rewrote_is_still_the_same(reconcile, held):
    """Keys in another order, white space, several files, some compressed."""
    events = [msgspec.json.decode(line) for line in held]
    shuffled = [dict(sorted(event.items(), reverse=True)) for event in reversed(events)]
    write("a.json", msgspec.json.format(msgspec.json.encode(shuffled[:600]), indent=2))
    write("b.json.gz", gzip.compress(msgspec.json.encode({"events": shuffled[600:]})))

    ran = reconcile("a.json", "b.json.gz")

    assert (ran.code, ran.value["holds"]) == (0, True)


def test_bodies_of_webhooks_are_compared(reconcile, held):
    out = [
        Outgoing(index, f"str_1-{index}", line.strip(), "user.login", 0)
        for index, line in enumerate(held)
    ]
    single = [enveloping.one("acme", one) + b"\n" for one in out[:200]]
    write("held.ndjson", *single, enveloping.some("acme", out[200:]) + b"\n")

    assert reconcile("held.ndjson").code == 0


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_exports_are_compared(sealog, reconcile, held, form):
    sealog("export", "--tenant", "acme", "--format", form, "-o", f"held.{form}")

    assert reconcile(f"held.{form}").code == 0


def test_a_part_of_the_trail_can_be_compared(reconcile, held):
    write("held.ndjson", *held[100:200])

    assert reconcile("held.ndjson").value["missing"]["ranges"] == [[0, 99]]
    assert reconcile("held.ndjson", **{"from": 100}).value["holds"] is True
    assert reconcile("held.ndjson", **{"from": 100}).value["behind"] == COUNT - 200
    found = reconcile("held.ndjson", **{"from": 100, "to": 205}).value
    assert found["missing"]["ranges"] == [[200, 205]]


def test_only_what_a_query_finds_may_have_been_sent(reconcile, held):
    mine = [line for line in held if msgspec.json.decode(line)["user"]["id"] == "u-1"]
    write("held.ndjson", *mine[:5], *mine[6:])

    assert reconcile("held.ndjson", query="actor:u-1").value["missing"]["ranges"] == [[16, 16]]


def test_what_belongs_to_another_or_reads_not_at_all_is_said(sealog, held):
    other = sealog("export", "--tenant", "other").out.encode()
    write("held.ndjson", *held, other, b'{"broken":\n', b'{"no":"index"}\n')

    ran = sealog("reconcile", "held.ndjson", "--tenant", "acme")

    assert ran.code == 1
    assert "WRONG    held.ndjson, record 1205: this is no JSON" in ran.out
    assert "WRONG    1 records of another tenant\n" in ran.out
    assert "WRONG    1 records say no index, and the file's name gives none\n" in ran.out


def test_an_index_beyond_the_log_is_unknown(sealog, held):
    event = msgspec.json.decode(held[0])
    event["sealog"]["index"] = 5_000
    write("held.ndjson", *held, msgspec.json.encode(event))

    ran = sealog("reconcile", "held.ndjson", "--tenant", "acme")

    assert ran.code == 1
    assert "unknown  the log has no 5000\n" in ran.out


def test_a_file_that_breaks_off_is_named(sealog, held):
    write("held.ndjson.gz", gzip.compress(b"".join(held))[:-20])

    ran = sealog("reconcile", "held.ndjson.gz", "--tenant", "acme")

    assert ran.code == 1
    assert "WRONG    held.ndjson.gz: " in ran.out


def test_digests_of_a_large_trail_are_in_a_file(reconcile, held, monkeypatch):
    monkeypatch.setattr(reconciling, "IN_MEMORY_MAX", 100)
    write("held.ndjson", *held[:5], *held[6:])

    assert reconcile("held.ndjson").value["missing"]["ranges"] == [[5, 5]]


def test_a_products_own_records_are_placed_by_the_files_name(sealog):
    """Lines without an index, and files of one record: their names say which they are."""
    sealog(
        "ingest", "-", "--tenant", "acme", "--dialect", "closer", stdin=lines(*map(hit, range(5)))
    )
    folder = Path("drop")
    folder.mkdir()
    bare = [msgspec.json.encode(hit(number)) for number in range(5)]
    (folder / "str_1-acme-000000000000-000000000002.ndjson").write_bytes(b"\n".join(bare[:3]))
    (folder / "str_1-acme-000000000003.json").write_bytes(bare[3])

    ran = sealog("reconcile", "drop", "--tenant", "acme", "--dialect", "closer", "--json")

    assert (ran.code, ran.value["held"], ran.value["behind"]) == (0, 4, 1)
    (folder / "str_1-acme-000000000004.json").write_bytes(bare[3])
    ran = sealog("reconcile", "drop", "--tenant", "acme", "--dialect", "closer", "--json")
    assert ran.value["altered"]["ranges"] == [[4, 4]]


def test_a_server_is_asked_in_the_same_way(served, sealog):
    name = "reconciled"
    sealog(
        "ingest", "-", "--tenant", name, "--server", served.url, "--key", served.key,
        stdin=lines(*map(ecs, range(20))),
    )  # fmt: skip
    server = ["--server", served.url, "--key", served.key]
    held = sealog("export", "--tenant", name, *server).out.splitlines(keepends=True)
    Path("held.ndjson").write_text("".join(held[:3] + held[4:]))

    ran = sealog("reconcile", "held.ndjson", "--tenant", name, "--json", *server)

    assert (ran.code, ran.value["missing"]["ranges"]) == (1, [[3, 3]])


def test_a_tenant_that_is_not_there_is_said(sealog, held):
    write("held.ndjson", *held)

    ran = sealog("reconcile", "held.ndjson", "--tenant", "nobody")

    assert ran.code == 1
    assert "there is no such tenant" in ran.err


class FakeServer:
    """A tenant's trail of 12 events, of which some may be gone."""

    def __init__(self):
        self.events = {
            index: {
                "@timestamp": "2026-10-05T08:00:00.000Z",
                "sealog": {"index": index},
                "n": index,
            }
            for index in range(12)
        }
        self.asked = []
        self.hurried = 0
        """So many answers in another shape lack their first event: it went in between."""

    def expire(self, statement, *ranges):
        for first, last in ranges:
            for index in range(first, last + 1):
                del self.events[index]
        self.events[statement] = {
            "event": {"action": "sealog.retention", "kind": "state"},
            "sealog": {"index": statement, "dialect": "sealog", "v": 1, "ranges": ranges},
        }

    def __call__(self, request):
        asked = dict(request.url.params)
        self.asked.append((request.url.path, asked))
        return httpx.Response(
            200, content=msgspec.json.encode(self.answer(request.url.path, asked))
        )

    def answer(self, path, asked):
        if path == "/v1/tenants/acme":
            return {"size": 12}
        if path == "/v1/events":
            return {"events": [one for one in self.events.values() if "event" in one]}
        after = int(asked.get("after", -1))
        page = [self.events[index] for index in sorted(self.events) if index > after][:5]
        last = str(page[-1]["sealog"]["index"] if page else after)
        if "dialect" in asked:
            page = [{"product": one} for one in page]
            if self.hurried:
                self.hurried -= 1
                page = page[1:]
        return {"events": page, "next_cursor": last}


@pytest.fixture
def faked(sealog, monkeypatch):
    server = FakeServer()

    @asynccontextmanager
    async def connected(_where, *, writing):
        assert not writing
        transport = httpx.MockTransport(server)
        async with httpx.AsyncClient(transport=transport, base_url="http://a.example") as http:
            yield Client(http)

    monkeypatch.setattr(reconciling, "connected", connected)
    return server


def test_what_has_expired_is_explained_by_its_statement(faked, reconcile):
    """Not held: nothing is wrong. Held: there is nothing to compare with any more."""
    write(
        "held.ndjson",
        *lines(*(faked.events[n] for n in (0, 2, 7, 8, 10))).splitlines(keepends=True),
    )
    faked.expire(11, [1, 3], [9, 9])

    ran = reconcile("held.ndjson")

    assert ran.value["expired"]["ranges"] == [[1, 1], [3, 3], [9, 9]]
    assert ran.value["unchecked"]["ranges"] == [[2, 2]]
    assert ran.value["missing"]["ranges"] == [[4, 6]]
    assert ran.value["altered"]["count"] == 0


def test_what_was_erased_in_part_is_not_called_altered(faked, reconcile):
    write("held.ndjson", lines(*faked.events.values()))
    faked.events[3] = {"sealog": {"index": 3, "erased": ["actor"]}}

    ran = reconcile("held.ndjson")

    assert (ran.code, ran.value["unchecked"]["ranges"]) == (0, [[3, 3]])


def test_a_page_in_another_shape_that_lost_an_event_in_between_is_asked_for_again(faked, reconcile):
    """Otherwise events would be compared under each other's indexes."""
    bodies = [
        enveloping.one("acme", Outgoing(n, "id", msgspec.json.encode({"product": one}), "a", 0))
        for n, one in faked.events.items()
    ]
    write("held.ndjson", b"\n".join(bodies))
    faked.hurried = 2

    ran = reconcile("held.ndjson", dialect="closer")

    assert (ran.code, ran.value["held"]) == (0, 12)
    shaped = [asked for _, asked in faked.asked if "dialect" in asked]
    assert [one["limit"] for one in shaped] == ["5", "5", "5", "5", "2"]
    assert shaped[0] == {"tenant": "acme", "limit": "5", "dialect": "closer"}


@pytest.fixture(scope="module")
def delivering(tmp_path_factory):
    """A server that may drop files into a folder."""
    root = tmp_path_factory.mktemp("delivering")
    (root / "drop").mkdir()
    folders = msgspec.json.encode([str(root / "drop")]).decode()
    server = Served(root / "data", DELIVERY__FOLDERS=folders)
    yield server, root / "drop"
    assert server.stop() == 0


def delivered(client, stream, count):
    """Wait until a stream has delivered so much."""
    for _ in range(200):
        shown = client.get(f"/v1/streams/{stream}").raise_for_status().json()
        if shown["delivered"] >= count:
            return
        time.sleep(0.05)
    raise AssertionError(shown)


def service(client, tenant):
    """The id of the stream that a tenant's settings make, once it is there."""
    for _ in range(200):
        if streams := client.get(f"/v1/streams?tenant={tenant}").json()["streams"]:
            return streams[0]["id"]
        time.sleep(0.05)
    raise AssertionError(tenant)


@pytest.mark.parametrize(
    ("wish", "count"),
    [
        ({}, 32),
        ({"filter": {"q": "actor:u-1"}}, 10),
        ({"fields": {"exclude": ["event.outcome"]}, "mask": {"user.name": "hash"}}, 32),
        ({"dialect": "closer", "filter": {"action": ["user.login"]}}, 30),
    ],
    ids=["whole", "filtered", "shaped", "rendered"],
)
def test_what_a_stream_delivered_is_what_it_should_have(sealog, delivering, request, wish, count):
    """The stream says what was to be sent, and in what shape."""
    server, drop = delivering
    name = request.node.callspec.id
    end = {"kind": "folder", "path": str(drop / name), "form": "json"}
    where = ["--server", server.url, "--key", server.key]
    asked = {"tenant": name, "name": name, "destination": end, **wish}
    with server.client() as client:
        client.post("/v1/tenants", json={"name": name}).raise_for_status()
        stream = client.post("/v1/streams", json=asked).raise_for_status().json()["id"]
        body = lines(*map(ecs, range(30)))
        client.post(f"/v1/events?tenant={name}", content=body).raise_for_status()
        delivered(client, stream, count - 2)
    words = [drop / name, "--tenant", name, "--stream", stream, "--from", "1", "--json", *where]

    ran = sealog("reconcile", *words)
    assert (ran.code, ran.value["holds"]) == (0, True)

    first, second, *_ = sorted((drop / name).iterdir())[3:]
    second.write_bytes(first.read_bytes().replace(b'"index"', b'"was"'))
    first.unlink()
    ran = sealog("reconcile", *words)
    assert ran.code == 1
    assert ran.value["missing"]["count"] == 1
    assert ran.value["altered"]["count"] == 1


def test_what_a_service_delivered_is_what_it_should_have(sealog, delivering):
    """ES-10: of the dialect whose logs it pushes, and nothing of Sealog's own."""
    server, drop = delivering
    where = ["--server", server.url, "--key", server.key]
    chosen = {
        "version": 0,
        "delivery": "api-and-service",
        "service": {"kind": "folder", "path": str(drop / "service"), "form": "json"},
    }
    log = {"ecs": {"version": "8.11"}, "label": {"app_type": "player"}}
    logs = [
        {**log, "@timestamp": f"2026-03-02T10:00:0{n}.000Z", "event": {"action": "LinkSent"}}
        for n in range(3)
    ]
    with server.client() as client:
        client.post("/v1/tenants", json={"name": "pushed"}).raise_for_status()
        client.put("/v1/settings?tenant=pushed", json=chosen).raise_for_status()
        for path, body in (("events", lines(ecs(1))), ("ingest/easysend", lines(*logs))):
            client.post(f"/v1/{path}?tenant=pushed", content=body).raise_for_status()
        stream = service(client, "pushed")
        delivered(client, stream, 3)
    words = ["--tenant", "pushed", "--stream", stream, "--json", *where]

    ran = sealog("reconcile", drop / "service", *words)
    assert (ran.code, ran.value["held"], ran.value["holds"]) == (0, 3, True)

    first, *_ = sorted((drop / "service").iterdir())
    first.unlink()
    assert sealog("reconcile", drop / "service", *words).value["missing"]["count"] == 1
