import csv
import hashlib
import io

import msgspec
import pytest
from starlette.datastructures import Headers
from tests.archive.made import ALPHA, BETA, opened
from tests.exports.made import Port, fill, shown
from tests.server.house import House

from sealog.server import deriving
from sealog.server.exporting import range_of


class Quay:
    """A server with exports on a data folder; its tenants are alpha and beta."""

    def __init__(self, path):
        self.port = Port(path, derive=deriving.DERIVE)
        self.house = House(self.port.home.store, exports=self.port.exports)
        self.house.tenants.make(["alpha", "beta"])
        self.key = self.house.key("export", tenants=["alpha"])

    def ask(self, method, path, *, key=None, **rest):
        return self.house.ask(method, path, key=key or self.key, **rest)

    def post(self, **body):
        return self.ask("POST", "/v1/exports", json=body)

    def made(self, **body):
        """The id of an export that is ready."""
        answer = self.post(**body)
        assert answer.status_code == 202, answer.text
        return self.port.wait(self.port.exports.get(answer.json()["id"])).id

    def content(self, job_id, **headers):
        return self.ask("GET", f"/v1/exports/{job_id}/content", headers=headers)


@pytest.fixture
def quay(tmp_path):
    quay = Quay(tmp_path / "data")
    fill(quay.port.home, 200)
    yield quay
    quay.house.close()
    quay.port.close()


def test_whoever_asks_is_told_where_the_job_is(quay):
    quay.port.source.gate.clear()

    answer = quay.post(tenant="alpha", format="csv", action="*.login", columns=["index", "id"])

    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/v1/exports/{job['id']}"
    assert job == {
        "id": job["id"],
        "state": "pending",
        "tenant": "alpha",
        "format": "csv",
        "columns": ["index", "id"],
        "dialect": "ecs",
        "ecs_version": "8.11",
        "query": {"action": "*.login"},
        "size": 200,
        "created": "2023-11-14T22:13:20.000000Z",
        "finished": None,
        "expires": None,
        "events_done": 0,
        "events_estimated": 200,
        "bytes": 0,
        "sha256": None,
        "error": None,
    }


def test_a_job_that_is_ready_says_all_of_its_file(quay):
    job_id = quay.made(tenant="alpha")

    job = quay.ask("GET", f"/v1/exports/{job_id}").json()
    content = quay.content(job_id).content

    assert (job["state"], job["events_done"], job["events_estimated"]) == ("ready", 200, 200)
    assert job["bytes"] == len(content)
    assert job["sha256"] == hashlib.sha256(content).hexdigest()
    assert job["expires"] == "2023-11-15T22:13:20.000000Z"
    assert job["finished"] == "2023-11-14T22:13:20.000000Z"


def test_an_export_has_the_shape_that_was_asked_for(quay):
    """In a table, the columns stay what they are, and `event` has the shape."""
    asked = {"tenant": "alpha", "dialect": "supsis"}

    lines = quay.content(quay.made(**asked)).content.splitlines()
    columns = ["index", "action", "event"]
    table = quay.content(quay.made(**asked, format="csv", columns=columns)).text

    assert len(lines) == 200
    rows = list(csv.reader(io.StringIO(table)))[1:]
    assert [row[2].encode() for row in rows] == lines
    assert [row[0] for row in rows] == [str(n) for n in range(200)]
    assert msgspec.json.decode(lines[0])["activity"] == rows[0][1] == "user.login"


def test_a_job_says_which_shape_it_has_after_a_restart_too(quay):
    job_id = quay.made(tenant="alpha", ecs_version="1.9")
    quay.port.exports.stop()
    quay.port.exports.start()

    job = quay.ask("GET", f"/v1/exports/{job_id}").json()

    assert (job["dialect"], job["ecs_version"]) == ("ecs", "1.9")


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"dialect": "syslog"}, "/dialect"),
        ({"dialect": 7}, "/dialect"),
        ({"dialect": "closer", "ecs_version": "1.9"}, "/ecs_version"),
    ],
    ids=["no-dialect", "no-text", "not-of-ecs"],
)
def test_a_shape_that_there_is_not_is_refused(quay, asked, pointer):
    answer = quay.post(tenant="alpha", **asked)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_ndjson_is_every_event_as_a_search_shows_it(quay):
    answer = quay.content(quay.made(tenant="alpha"))

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert list(map(as_stored, answer.content.splitlines())) == list(
        map(msgspec.json.decode, shown(quay.port.home, ALPHA, range(200)))
    )


def as_stored(line):
    event = msgspec.json.decode(line)
    assert event.pop("related") == {"user": [event["user"]["id"]]}
    return event


def browsing(number):
    """One who clicks; every ninth event is like no other."""
    agent = (
        "curl/8.4.0" if number % 2 else "Mozilla/5.0 (X11; rv:131.0) Gecko/20100101 Firefox/131.0"
    )
    actor = {
        "user": {"id": f"u-{number % 3}", "name": "u-1"},
        "source": {"ip": f"192.0.2.{number}"},
        "user_agent": {"original": agent, **({"device": "tv"} if number % 9 == 0 else {})},
    }
    if number % 9 == 1:
        actor[f"odd-{number}"] = None
    facts = {"event": {"id": f"e-{number}", "action": "click"}, "sealog": {"action": "click"}}
    return opened(facts, actor, None, {"message": 'said "hi"' if number % 4 else "hi"})


def test_a_line_is_the_event_as_it_is_shown_with_all_that_is_derived(quay):
    events = [browsing(number) for number in range(60)]
    quay.port.home.add(ALPHA, *events)
    kept = [quay.port.home.archive.get(ALPHA, index) for index in range(200)]
    quay.house.archive.put(ALPHA, *kept, *events)
    reader = quay.house.key("read", tenants=["alpha"])

    lines = quay.content(quay.made(tenant="alpha")).content.splitlines()

    one_by_one = [
        quay.ask("GET", f"/v1/tenants/alpha/events/{index}", key=reader).content
        for index in range(260)
    ]
    assert lines == one_by_one
    last = msgspec.json.decode(lines[-1])
    assert last["user_agent"]["name"] == "curl"
    assert last["related"] == {"ip": ["192.0.2.59"], "user": ["u-1", "u-2"]}


def test_the_search_is_that_of_the_search(quay):
    job_id = quay.made(tenant="alpha", q="actor:u-1", to="2023-11-14T22:13:40Z")

    wanted = [index for index in range(20) if index % 3 == 1]
    assert list(map(as_stored, quay.content(job_id).content.splitlines())) == list(
        map(msgspec.json.decode, shown(quay.port.home, ALPHA, wanted))
    )


def test_csv_comes_with_its_names(quay):
    answer = quay.content(quay.made(tenant="alpha", format="csv"))

    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert [row["index"] for row in rows] == [str(index) for index in range(200)]


def test_the_file_has_a_name_and_a_digest(quay):
    job_id = quay.made(tenant="alpha")

    answer = quay.content(job_id)

    sha256 = hashlib.sha256(answer.content).hexdigest()
    assert answer.headers["etag"] == f'"{sha256}"'
    assert answer.headers["content-disposition"] == f'attachment; filename="alpha-{job_id}.ndjson"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-length"] == str(len(answer.content))


def test_a_download_goes_on_where_it_broke_off(quay):
    job_id = quay.made(tenant="alpha")
    whole = quay.content(job_id)
    size = len(whole.content)

    rest = quay.content(job_id, range="bytes=1000-", **{"if-range": whole.headers["etag"]})
    middle = quay.content(job_id, range="bytes=10-19")
    end = quay.content(job_id, range="bytes=-5")

    assert rest.status_code == middle.status_code == end.status_code == 206
    assert whole.content[:1_000] + rest.content == whole.content
    assert rest.headers["content-range"] == f"bytes 1000-{size - 1}/{size}"
    assert middle.content == whole.content[10:20]
    assert end.content == whole.content[-5:]


def test_a_piece_of_another_file_is_not_what_is_wanted(quay):
    job_id = quay.made(tenant="alpha")

    answer = quay.content(job_id, range="bytes=5-", **{"if-range": '"00"'})

    assert answer.status_code == 200
    assert answer.content == quay.content(job_id).content


def test_beyond_its_end_there_is_nothing(quay):
    job_id = quay.made(tenant="alpha")
    size = len(quay.content(job_id).content)

    answer = quay.content(job_id, range=f"bytes={size}-")

    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{size}"
    assert answer.json()["type"] == "/problems/bad-range"


def test_head_tells_without_giving(quay):
    job_id = quay.made(tenant="alpha")

    answer = quay.ask("HEAD", f"/v1/exports/{job_id}/content")

    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) == len(quay.content(job_id).content)


@pytest.mark.parametrize(
    ("header", "piece"),
    [
        ("", (0, 10)),
        ("bytes=0-", (0, 10)),
        ("bytes=3-5", (3, 6)),
        ("bytes=3-99", (3, 10)),
        ("BYTES=-4", (6, 10)),
        ("bytes=-99", (0, 10)),
        ("bytes=-0", None),
        ("bytes=10-", None),
        ("bytes=5-3", (0, 10)),
        ("bytes=-", (0, 10)),
        ("bytes=1-2,4-5", (0, 10)),
        ("lines=1-2", (0, 10)),
    ],
)
def test_ranges_are_read_as_rfc_9110_has_them(header, piece):
    """What is none, or several, is answered with all of it."""
    assert range_of(Headers({"range": header}), '"x"', 10) == piece


def test_an_empty_file_is_a_file(quay):
    job_id = quay.made(tenant="alpha", q="actor:nobody")

    answer = quay.content(job_id)
    piece = quay.content(job_id, range="bytes=0-")

    assert (answer.status_code, answer.content) == (200, b"")
    assert piece.status_code == 416


def test_before_it_is_ready_and_after_it_is_gone_there_is_no_file(quay):
    quay.port.source.gate.clear()
    job_id = quay.post(tenant="alpha").json()["id"]

    early = quay.content(job_id)
    quay.port.source.gate.set()
    quay.port.wait(quay.port.exports.get(job_id))
    quay.port.clock.pass_by(86_400)
    late = quay.content(job_id)

    assert (early.status_code, early.json()["type"]) == (409, "/problems/export-not-ready")
    assert (late.status_code, late.json()["type"]) == (410, "/problems/export-gone")
    assert quay.ask("GET", f"/v1/exports/{job_id}").json()["state"] == "expired"


def test_one_that_is_under_way_is_ended_and_one_that_is_over_removed(quay):
    quay.port.source.gate.clear()
    job_id = quay.post(tenant="alpha").json()["id"]

    first = quay.ask("DELETE", f"/v1/exports/{job_id}")
    state = quay.ask("GET", f"/v1/exports/{job_id}").json()["state"]
    gone = quay.content(job_id)
    second = quay.ask("DELETE", f"/v1/exports/{job_id}")

    assert (first.status_code, state, gone.status_code) == (204, "cancelled", 410)
    assert second.status_code == 204
    assert quay.ask("GET", f"/v1/exports/{job_id}").status_code == 404


def test_jobs_are_listed_newest_first_page_by_page(quay):
    ids = [quay.made(tenant="alpha") for _ in range(3)]

    first = quay.ask("GET", "/v1/exports?limit=2").json()
    second = quay.ask("GET", f"/v1/exports?limit=2&cursor={first['next_cursor']}").json()

    assert [job["id"] for job in first["exports"]] == ids[:0:-1]
    assert [job["id"] for job in second["exports"]] == ids[:1]
    assert second["next_cursor"] is None


def test_another_keys_tenants_are_not_there(quay):
    fill(quay.port.home, 10, tenant=BETA)
    mine = quay.made(tenant="alpha")
    other = quay.house.key("export", tenants=["beta"])
    everyones = quay.house.key("export")

    answers = [
        quay.ask("GET", f"/v1/exports/{mine}", key=other),
        quay.ask("GET", f"/v1/exports/{mine}/content", key=other),
        quay.ask("DELETE", f"/v1/exports/{mine}", key=other),
        quay.ask("POST", "/v1/exports", key=other, json={"tenant": "alpha"}),
        quay.ask("GET", "/v1/exports?tenant=alpha", key=other),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert quay.ask("GET", "/v1/exports", key=other).json()["exports"] == []
    assert len(quay.ask("GET", "/v1/exports", key=everyones).json()["exports"]) == 1
    assert quay.ask("GET", f"/v1/exports/{mine}").status_code == 200


def test_the_scope_is_export(quay):
    reader = quay.house.key("read", "admin")

    assert quay.ask("POST", "/v1/exports", key=reader, json={}).status_code == 403
    assert quay.ask("GET", "/v1/exports", key=reader).status_code == 403


def test_the_tenant_may_be_left_out_where_there_is_only_one(quay):
    everyones = quay.house.key("export")

    assert quay.post().json()["tenant"] == "alpha"
    answer = quay.ask("POST", "/v1/exports", key=everyones, json={})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/no-tenant")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"format": "xml"}, 422, "bad-format"),
        ({"format": 1}, 422, "bad-format"),
        ({"columns": ["id"]}, 422, "bad-columns"),
        ({"format": "csv", "columns": ["nope"]}, 422, "bad-columns"),
        ({"format": "csv", "columns": "id"}, 422, "bad-columns"),
        ({"format": "csv", "columns": []}, 422, "bad-columns"),
        ({"actoin": "x"}, 422, "bad-parameter"),
        ({"from": "soon"}, 422, "bad-parameter"),
        ({"from": {}}, 422, "bad-parameter"),
        ({"tenant": 1}, 422, "no-tenant"),
        ({"tenant": "/"}, 422, "bad-tenant"),
        ([], 400, "not-json"),
    ],
    ids=str,
)
def test_what_cannot_be_made_is_refused(quay, body, status, code):
    answer = quay.ask("POST", "/v1/exports", json=body)

    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{code}")


def test_a_body_has_a_limit(quay):
    answer = quay.ask("POST", "/v1/exports", content=b" " * ((1 << 20) + 1))

    assert answer.status_code == 413


def test_a_tenant_has_so_many(quay):
    quay.port.source.gate.clear()
    for _ in range(10):
        assert quay.post(tenant="alpha").status_code == 202

    answer = quay.post(tenant="alpha")

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "60"


def test_where_nobody_makes_them_there_are_none(house):
    answer = house.ask("POST", "/v1/exports", key=house.key("export"), json={"tenant": "acme"})

    assert answer.status_code == 503
