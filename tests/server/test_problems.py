import msgspec
import pytest
from starlette.exceptions import HTTPException

from sealog.errors import Altered, Busy, Conflict, Forbidden, Limited, Refused, Unauthorised
from sealog.query.refusing import BadQuery
from sealog.server import problems
from sealog.server.problems import BadParameter


def read(response):
    assert response.headers["content-type"] == "application/problem+json"
    return msgspec.json.decode(response.body)


def test_a_problem_says_what_where_and_how_to_find_it_again():
    response = problems.of_error(
        Refused("not JSON: expected `:` at byte 4", code="not-json", record=2, pointer="/a"),
        "/v1/events",
        "req-1",
    )

    assert response.status_code == 400
    assert read(response) == {
        "type": "/problems/not-json",
        "title": "The request cannot be understood",
        "status": 400,
        "detail": "not JSON: expected `:` at byte 4",
        "instance": "/v1/events",
        "request_id": "req-1",
        "record": 2,
        "errors": [
            {"pointer": "/a", "code": "not-json", "detail": "not JSON: expected `:` at byte 4"}
        ],
    }


def test_a_refused_record_names_its_place_and_its_pointer():
    refused = problems.of_record(Conflict("taken", code="id-taken", record=7, pointer="/event/id"))

    assert msgspec.json.decode(msgspec.json.encode(refused)) == {
        "refused": {
            "type": "/problems/id-taken",
            "title": "It is taken by something else",
            "status": 409,
            "detail": "taken",
            "record": 7,
            "pointer": "/event/id",
            "errors": [{"pointer": "/event/id", "code": "id-taken", "detail": "taken"}],
        }
    }


def test_a_wrong_parameter_is_named():
    response = problems.of_error(BadParameter("limit", "too much"), "/v1/events", "r")

    assert response.status_code == 422
    assert read(response)["errors"] == [
        {"pointer": "", "code": "bad-parameter", "detail": "too much", "parameter": "limit"}
    ]


@pytest.mark.parametrize(
    ("error", "header", "value"),
    [
        pytest.param(Busy("x", retry_after_s=0.2), "retry-after", "1", id="busy"),
        pytest.param(Busy("x", retry_after_s=2.1), "retry-after", "3", id="busy for longer"),
        pytest.param(Limited("x", retry_after_s=0.01), "retry-after", "1", id="limited"),
        pytest.param(
            Unauthorised("x", code="no-key"), "www-authenticate", 'Bearer realm="sealog"', id="no key"
        ),
        pytest.param(
            Unauthorised("x", code="wrong-key"),
            "www-authenticate",
            'Bearer realm="sealog", error="invalid_token"',
            id="a wrong key",
        ),
        pytest.param(
            Forbidden("x"),
            "www-authenticate",
            'Bearer realm="sealog", error="insufficient_scope"',
            id="a missing scope",
        ),
    ],
)  # fmt: skip
def test_what_the_sender_has_to_do_next_stands_in_a_header(error, header, value):
    assert problems.of_error(error, "/", "r").headers[header] == value


def test_what_is_wrong_on_our_side_stays_there():
    response = problems.of_error(Altered("/data/archive/x.arrow is altered"), "/v1/events", "r")

    assert response.status_code == 500
    assert read(response) == {
        "type": "/problems/internal",
        "title": "Something went wrong on our side",
        "status": 500,
        "instance": "/v1/events",
        "request_id": "r",
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, "no-such-path"), (405, "method-not-allowed"), (413, "body-too-large"), (400, "malformed")],
)  # fmt: skip
def test_the_frameworks_own_refusals_have_the_same_shape(status, kind):
    answer = read(problems.of_http(HTTPException(status), "/x", "r"))

    assert answer["type"] == f"/problems/{kind}"
    assert answer["status"] == status
    assert answer["request_id"] == "r"


def test_a_pointer_escapes_its_steps():
    assert problems.pointer_of(["a/b", 0, "~"]) == "/a~1b/0/~0"
    assert problems.pointer_of([]) == ""


WRONG = BadQuery("unknown field 'acter'", offset=3, length=5, suggestion="actor")


@pytest.mark.parametrize(
    ("error", "status", "place"),
    [
        pytest.param(
            BadParameter("q", WRONG.detail, wrong=WRONG),
            400,
            {"pointer": "", "code": "bad-query", "parameter": "q"},
            id="parameter",
        ),
        pytest.param(
            BadParameter("q", WRONG.detail, pointer="/q", wrong=WRONG),
            400,
            {"pointer": "/q", "code": "bad-query"},
            id="body",
        ),
        pytest.param(
            BadParameter("status", WRONG.detail, wrong=WRONG),
            422,
            {"pointer": "", "code": "bad-parameter", "parameter": "status"},
            id="value",
        ),
        pytest.param(
            WRONG, 400, {"pointer": "", "code": "bad-query", "parameter": "q"}, id="query"
        ),
    ],
)
def test_a_wrong_query_is_told_with_its_place_and_what_was_meant(error, status, place):
    response = problems.of_error(error, "/v1/events", "r")

    assert response.status_code == status
    assert read(response)["errors"] == [
        {"detail": "unknown field 'acter'", "offset": 3, "length": 5, "suggestion": "actor"} | place
    ]
