"""ES-26 to ES-29: the statuses of the document, and what to do in the body."""

import itertools

import msgspec
import pytest

from sealog.compat import easysend_problems
from sealog.compat.easysend_splits import Range, Split
from sealog.errors import Busy, Corrupt, Forbidden, Limited, Missing, Refused, Unauthorised
from sealog.server.problems import BadParameter

S = 1_000_000
NOON = 1_772_452_800 * S  # 2026-03-02T12:00:00Z


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        pytest.param(BadParameter("app_type", "…"), 400, "bad-parameter", id="ES-27"),
        pytest.param(Refused("…", code="malformed"), 400, "malformed", id="ES-27: any other"),
        pytest.param(Unauthorised("…", code="no-key"), 401, "no-key", id="ES-26: missing"),
        pytest.param(Unauthorised("…", code="wrong-key"), 401, "wrong-key", id="ES-26: wrong"),
        pytest.param(
            Forbidden("…", code="missing-scope"), 401, "missing-scope", id="ES-26: no 403"
        ),
        pytest.param(
            Missing("…", code="no-such-tenant"), 401, "no-such-tenant", id="ES-26: no 404"
        ),
        pytest.param(Busy("…"), 500, "busy", id="ES-29: no 503"),
        pytest.param(Limited("…", retry_after_s=3), 429, "rate-limited", id="past its rate"),
    ],
)
def test_what_goes_wrong_has_a_status_of_the_document(error, status, code):
    answer = easysend_problems.of_error(error, "/player/api/get-security-logs", "r-1")
    body = msgspec.json.decode(answer.body)

    assert answer.status_code == body["status"] == status
    assert body["type"] == f"/problems/{code}"
    assert (body["instance"], body["request_id"]) == ("/player/api/get-security-logs", "r-1")
    assert body["detail"] == "…"
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_bad_parameter_is_named():
    answer = easysend_problems.of_error(BadParameter("start_time", "is missing"), "/", "r-1")

    assert msgspec.json.decode(answer.body)["errors"] == [
        {"pointer": "", "code": "bad-parameter", "detail": "is missing", "parameter": "start_time"}
    ]


def test_who_is_to_come_back_is_told_when():
    busy = easysend_problems.of_error(Busy("…", retry_after_s=2.5), "/", "r-1")
    limited = easysend_problems.of_error(Limited("…", retry_after_s=0.1), "/", "r-1")

    assert busy.headers["retry-after"] == "3"
    assert limited.headers["retry-after"] == "1"


def test_a_missing_key_is_asked_for_as_http_asks():
    answer = easysend_problems.of_error(Unauthorised("…", code="no-key"), "/", "r-1")

    assert answer.headers["www-authenticate"] == 'apiKey realm="sealog"'


def split(*ends, is_whole=True, fits=True):
    ranges = [Range(NOON + begin * S, NOON + end * S) for begin, end in itertools.pairwise(ends)]
    return Split(ranges, is_whole, fits)


def of_split(found):
    answer = easysend_problems.of_split(found, 55.0, "/", "r-1")
    assert answer.status_code == 408
    body = msgspec.json.decode(answer.body)
    assert body["type"] == "/problems/range-too-long"
    return body["detail"], body["suggested"]


def test_a_range_that_is_too_long_is_divided_for_the_caller():
    """ES-28."""
    detail, suggested = of_split(split(0, 60, 3_600))

    assert detail == "this range cannot be answered within 55 seconds: divide it"
    assert suggested == [
        {"start_time": "20260302120000", "end_time": "20260302120100"},
        {"start_time": "20260302120100", "end_time": "20260302130000"},
    ]


def test_it_is_said_where_dividing_does_not_do():
    assert of_split(split(0, 1, fits=False)) == (
        "a second with so many logs cannot be answered within 55 seconds",
        [],
    )
    assert of_split(split(0, 1, 2, fits=False))[0].endswith("that it may not end either")


def test_it_is_said_where_there_are_more():
    detail, suggested = of_split(split(0, 1, 2, is_whole=False))

    assert len(suggested) == 2
    assert detail.endswith("these are the first 2, ask again from the last end_time on")


def test_what_is_damaged_is_none_of_the_callers_business():
    """The door answers it, and writes down what it is."""
    with pytest.raises(AssertionError):
        easysend_problems.of_error(Corrupt("a file"), "/", "r-1")
