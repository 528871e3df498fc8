import pytest

from sealog.errors import Busy, Conflict, Missing, Refused, TooLarge, UnsupportedType
from sealog.event.batch import Receipt
from sealog.intake.choosing import NotRecorded, Type
from sealog.server.ingesting import check_type, repeats_of
from sealog.server.problems import BadParameter
from sealog.server.settings import Settings

ONE = Receipt("id-1", "acme", 7, "ab" * 32)
SHOWN = {"id": "id-1", "tenant": "acme", "index": 7, "commitment": "ab" * 32}


def source(house):
    return house.intake.asked[-1][1]


def test_every_record_has_an_answer_in_the_order_sent(house):
    refusal = Refused("not an object", code="not-an-object", record=1)
    again = Receipt("id-2", "acme", 3, "cd" * 32, repeated=True)
    house.intake.answers = [ONE, refusal, again]

    answer = house.ask("POST", "/v1/events", key=house.key(), content=b"any bytes")

    assert answer.status_code == 207
    assert answer.headers["content-type"] == "application/json"
    problem = {
        "type": "/problems/not-an-object",
        "title": "A value may not be what it is",
        "status": 422,
        "detail": "not an object",
        "record": 1,
        "pointer": "",
        "errors": [{"pointer": "", "code": "not-an-object", "detail": "not an object"}],
    }
    assert answer.json() == {
        "results": [
            SHOWN,
            {"refused": problem},
            {**SHOWN, "id": "id-2", "index": 3, "commitment": "cd" * 32, "repeated": True},
        ]
    }
    assert house.intake.asked[0][0] == b"any bytes"


def test_what_is_not_recorded_is_answered_in_its_place_and_counted(house):
    """ES-12: its sender can tell, and need do nothing."""
    left_out = NotRecorded(Type("acme", "easysend", "PageView"))
    house.intake.answers = [left_out, ONE]

    answer = house.ask("POST", "/v1/ingest/easysend", key=house.key(), content=b"any bytes")

    assert answer.status_code == 200
    told = {"tenant": "acme", "dialect": "easysend", "action": "PageView"}
    assert answer.json() == {"results": [{"not_recorded": told}, SHOWN]}
    metrics = house.ask("GET", "/metrics").text
    assert 'sealog_records_total{result="not-recorded"} 1.0' in metrics
    assert 'sealog_records_total{result="accepted"} 1.0' in metrics


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        pytest.param([ONE, ONE], 200, id="all accepted"),
        pytest.param([], 200, id="nothing sent"),
        pytest.param([NotRecorded(Type("a", "b", "c"))], 200, id="nothing recorded"),
        pytest.param([Refused("x"), ONE], 207, id="some refused"),
        pytest.param([Refused("x"), Missing("y")], 422, id="all refused"),
        pytest.param([Conflict("x"), Conflict("y")], 409, id="all taken"),
        pytest.param([Conflict("x"), TooLarge("y")], 422, id="all refused, one taken"),
    ],
)
def test_the_status_says_whether_anything_was_refused(house, answers, status):
    house.intake.answers = answers

    answer = house.ask("POST", "/v1/events", key=house.key(), content=b"{}")

    assert answer.status_code == status
    assert len(answer.json()["results"]) == len(answers)


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        pytest.param(Refused("x", code="not-json"), 400, "not-json", id="refused"),
        pytest.param(TooLarge("x", code="too-many-records"), 413, "too-many-records", id="large"),
        pytest.param(
            UnsupportedType("x", code="unsupported-encoding"), 415, "unsupported-encoding", id="type"
        ),
        pytest.param(Busy("x", retry_after_s=1.5), 503, "busy", id="busy"),
    ],
)  # fmt: skip
def test_a_request_that_fails_whole_is_a_problem(house, error, status, kind):
    house.intake.error = error

    answer = house.ask("POST", "/v1/events", key=house.key(), content=b"{}")

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"/problems/{kind}"
    assert answer.json()["instance"] == "/v1/events"
    assert answer.headers.get("retry-after") == ("2" if status == 503 else None)


def test_the_address_names_the_dialect(house):
    key = house.key()
    house.ask("POST", "/v1/events", key=key, content=b"{}")
    assert source(house).dialect == "ecs"
    house.ask("POST", "/v1/ingest/closer", key=key, content=b"{}")
    assert source(house).dialect == "closer"
    house.ask("POST", "/v1/ingest/none-of-ours", key=key, content=b"{}")
    assert source(house).dialect == "none-of-ours"


def test_intake_is_told_who_sends_and_how(house):
    key = house.key("ingest", tenants=["acme"])

    house.ask(
        "POST",
        "/v1/events",
        key=key,
        content=b"{}",
        headers={
            "Sealog-Tenant": "acme",
            "Content-Encoding": " GZIP ",
            "Idempotency-Key": '"8e03978e-40d5"',
        },
    )

    told = source(house)
    assert told.tenant == "acme"
    assert told.encoding == "gzip"
    assert told.request_key == '"8e03978e-40d5"'
    assert told.grant.only == "acme"
    assert (told.imported, told.repeats) == (False, {})
    assert told.framing is None


def test_an_import_counts_its_repeats(house):
    headers = {"Sealog-Import": "1", "Sealog-Repeats": "4=1, 9=2"}

    house.ask("POST", "/v1/events", key=house.key(), content=b"{}", headers=headers)

    assert source(house).imported
    assert source(house).repeats == {4: 1, 9: 2}


def test_an_import_may_have_no_repeats(house):
    house.ask("POST", "/v1/events", key=house.key(), content=b"{}", headers={"Sealog-Import": "1"})

    assert source(house).imported
    assert source(house).repeats == {}


@pytest.mark.parametrize(
    ("path", "headers", "parameter"),
    [
        pytest.param("?tenant=a", {"Sealog-Tenant": "b"}, "tenant", id="two tenants"),
        pytest.param("?tenant=a&tenant=b", {}, "tenant", id="two tenants in the query"),
        pytest.param("", {"Idempotency-Key": "x" * 257}, "Idempotency-Key", id="a long key"),
        pytest.param("", {"Idempotency-Key": ""}, "Idempotency-Key", id="an empty key"),
        pytest.param("", {"Sealog-Import": "yes"}, "Sealog-Import", id="not 1"),
        pytest.param("", {"Sealog-Repeats": "1=1"}, "Sealog-Import", id="repeats of no import"),
        pytest.param(
            "", {"Sealog-Import": "1", "Sealog-Repeats": "x"}, "Sealog-Repeats", id="not pairs"
        ),
    ],
)
def test_a_header_that_cannot_be_is_named(house, path, headers, parameter):
    answer = house.ask("POST", "/v1/events" + path, key=house.key(), content=b"{}", headers=headers)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == parameter
    assert house.intake.asked == []


def test_the_tenant_may_stand_in_the_query_and_in_the_header_alike(house):
    headers = {"Sealog-Tenant": "acme"}

    answer = house.ask("POST", "/v1/events?tenant=acme", key=house.key(), headers=headers)

    assert answer.status_code == 200
    assert source(house).tenant == "acme"


@pytest.mark.parametrize("name", ["", "a b", "a" * 129, "%C3%A4"])
def test_a_tenant_that_may_not_be_one_is_refused(house, name):
    answer = house.ask("POST", f"/v1/events?tenant={name}", key=house.key(), content=b"{}")

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/bad-tenant"


def test_the_longest_request_key_is_taken(house):
    headers = {"Idempotency-Key": "x" * 256}

    assert house.ask("POST", "/v1/events", key=house.key(), headers=headers).status_code == 200


def test_repeats_have_a_limit():
    assert len(repeats_of(",".join(f"{n}=1" for n in range(10_000)))) == 10_000
    with pytest.raises(BadParameter):
        repeats_of(",".join(f"{n}=1" for n in range(10_001)))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json", "application/json; charset=UTF-8", 'application/json;charset="utf-8"',
        "application/x-ndjson", "application/ndjson", "application/jsonl", "application/ecs+json",
        "application/vnd.elasticsearch+x-ndjson; compatible-with=9", "text/plain", "text/csv",
        "application/octet-stream", "application/x-www-form-urlencoded", "",
    ],
)  # fmt: skip
def test_clients_may_call_records_what_they_like(house, content_type):
    headers = {"Content-Type": content_type}

    assert house.ask("POST", "/v1/events", key=house.key(), headers=headers).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=x", "image/png", "application/xml", "text/html",
        "application/x-protobuf", "application/gzip", "application/json; charset=utf-16",
        "nonsense",
    ],
)  # fmt: skip
def test_what_cannot_be_records_is_not_taken(house, content_type):
    headers = {"Content-Type": content_type}

    answer = house.ask("POST", "/v1/events", key=house.key(), content=b"{}", headers=headers)

    assert answer.status_code == 415
    assert house.intake.asked == []


def test_a_body_past_the_limit_is_refused_before_it_is_read(build_house):
    house = build_house(settings=Settings(body_bytes_max=4))
    key = house.key()
    assert house.ask("POST", "/v1/events", key=key, content=b"1234").status_code == 200

    sent, left = house.raw(
        [{"type": "http.request", "body": b"12345", "more_body": False}],
        headers=[(b"authorization", b"Bearer " + key.encode()), (b"content-length", b"5")],
    )

    assert sent[0]["status"] == 413
    assert len(left) == 1


def test_nothing_is_read_from_who_has_no_key(house):
    sent, left = house.raw([{"type": "http.request", "body": b"{}", "more_body": False}])

    assert sent[0]["status"] == 401
    assert len(left) == 1


def test_a_body_cut_short_is_not_taken_and_not_answered(house):
    messages = [
        {"type": "http.request", "body": b'{"a":', "more_body": True},
        {"type": "http.disconnect"},
    ]
    headers = [(b"authorization", b"Bearer " + house.key().encode())]

    sent, _ = house.raw(messages, headers=headers)

    assert sent == []
    assert house.intake.asked == []


def test_records_are_counted_by_what_became_of_them(house):
    house.intake.answers = [ONE, Receipt("b", "acme", 1, "00" * 32, repeated=True), Refused("x")]

    house.ask("POST", "/v1/events", key=house.key(), content=b"{}")

    metrics = house.ask("GET", "/metrics").text
    assert 'sealog_records_total{result="accepted"} 1.0' in metrics
    assert 'sealog_records_total{result="repeated"} 1.0' in metrics
    assert 'sealog_records_total{result="refused"} 1.0' in metrics


def test_a_content_type_is_judged_up_to_a_length():
    """A longer one names nothing that we take, and costs time that grows faster than it."""
    check_type(b"application/json;x=".ljust(256, b"y"))

    with pytest.raises(UnsupportedType, match="too long"):
        check_type(b"application/json;x=".ljust(257, b"y"))
