import pytest
import structlog
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from sealog.errors import Altered
from sealog.server.application import build


def test_every_answer_has_a_request_id_of_its_own(house):
    answers = [house.ask("GET", path) for path in ("/healthz", "/healthz", "/nope", "/v1/events")]

    names = [answer.headers["x-request-id"] for answer in answers]
    assert len(set(names)) == 4
    assert answers[3].json()["request_id"] == names[3]


def test_a_clients_own_request_id_is_kept(house):
    answer = house.ask("GET", "/nope", headers={"X-Request-Id": "a-1.b:c_D"})

    assert answer.headers["x-request-id"] == "a-1.b:c_D"
    assert answer.json()["request_id"] == "a-1.b:c_D"


@pytest.mark.parametrize("name", ["", "a b", "x" * 129, "<script>", "é".encode()], ids=repr)
def test_a_request_id_that_may_not_be_one_is_replaced(house, name):
    answer = house.ask("GET", "/healthz", headers={"X-Request-Id": name})

    assert answer.headers["x-request-id"] not in (name, "")
    assert len(answer.headers.get_list("x-request-id")) == 1


def test_answers_are_never_sniffed(house):
    assert house.ask("GET", "/healthz").headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/", 404, "no-such-path"),
        ("GET", "/v1", 404, "no-such-path"),
        ("GET", "/v1/events/", 404, None),
        ("GET", "/docs", 404, "no-such-path"),
        ("PUT", "/v1/events", 405, "method-not-allowed"),
        ("DELETE", "/v1/tenants/acme", 405, "method-not-allowed"),
        ("GET", "/v1/ingest/closer", 405, "method-not-allowed"),
    ],
)
def test_paths_and_methods_that_are_not_are_problems_too(house, method, path, status, kind):
    answer = house.ask(method, path, key=house.key("read", tenants=["acme"]))

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    if kind is not None:
        assert answer.json()["type"] == f"/problems/{kind}"
    if status == 405:
        assert answer.headers["allow"]


def test_the_methods_of_events_are_all_named(house):
    allow = house.ask("PUT", "/v1/events").headers["allow"]

    assert sorted(allow.split(", ")) == ["GET", "HEAD", "POST"]


@pytest.fixture
def breaking(build_house):
    """A house with routes that fail."""
    house = build_house()

    async def breaks(_request):
        secret = "slk_secret of alice@example.org"
        raise KeyError(secret)

    async def breaks_later(_request):
        async def some():
            yield b"some"
            raise KeyError("alice@example.org")

        return StreamingResponse(some())

    async def damaged(_request):
        raise Altered("/data/archive/x.arrow is altered")

    async def plain(_request):
        return PlainTextResponse("more")

    more = [
        Route("/breaks", breaks),
        Route("/breaks-later", breaks_later),
        Route("/damaged", damaged),
        Route("/more", plain),
    ]
    house.app = build(house.parts_anew(), more=more)
    house.connect()
    return house


def test_what_should_not_happen_tells_nobody_outside(breaking):
    with structlog.testing.capture_logs() as logs:
        answer = breaking.ask("GET", "/breaks?actor=alice%40example.org", key="slk_secret")

    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/internal"
    assert "alice" not in answer.text
    (entry,) = logs
    assert entry["error"] == "KeyError"
    assert entry["request_id"] == answer.headers["x-request-id"]
    assert any("breaks" in frame for frame in entry["where"])


def test_logs_never_hold_what_was_sent_or_a_key(breaking):
    with structlog.testing.capture_logs() as logs:
        breaking.ask("GET", "/breaks?actor=alice%40example.org", key="slk_secret")
        breaking.ask("GET", "/v1/events?actor=alice%40example.org", key="slk_secret")

    assert "alice" not in repr(logs)
    assert "slk_secret" not in repr(logs)


def test_damage_is_named_in_the_log_and_not_in_the_answer(breaking):
    with structlog.testing.capture_logs() as logs:
        answer = breaking.ask("GET", "/damaged")

    assert answer.status_code == 500
    assert "x.arrow" not in answer.text
    assert logs[0]["detail"] == "/data/archive/x.arrow is altered"


def test_an_answer_that_breaks_off_ends_short(breaking):
    """The server below sees an answer without an end, and closes the connection."""
    with structlog.testing.capture_logs() as logs:
        sent = breaking.get_raw("/breaks-later")

    assert [message.get("body") for message in sent[1:]] == [b"some"]
    assert sent[-1]["more_body"]
    assert logs[0]["error"] == "KeyError"


def test_other_rooms_routes_are_behind_the_same_door(breaking):
    answer = breaking.ask("GET", "/more")

    assert answer.text == "more"
    assert answer.headers["x-request-id"]
