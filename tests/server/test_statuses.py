import pytest

from sealog import errors
from sealog.server import statuses


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(errors.Refused("x"), 400, id="refused"),
        pytest.param(errors.Refused("x", code="bad-tenant"), 422, id="a value"),
        pytest.param(errors.Refused("x", code="bad-parameter"), 422, id="a parameter"),
        pytest.param(errors.Refused("x", code="too-slow"), 408, id="too slow"),
        pytest.param(errors.Refused("x", code="old-cursor"), 410, id="old cursor"),
        pytest.param(errors.TooLarge("x"), 413, id="too large"),
        pytest.param(errors.UnsupportedType("x"), 415, id="unsupported"),
        pytest.param(errors.Unauthorised("x"), 401, id="unauthorised"),
        pytest.param(errors.Forbidden("x"), 403, id="forbidden"),
        pytest.param(errors.Missing("x"), 404, id="missing"),
        pytest.param(errors.Conflict("x"), 409, id="conflict"),
        pytest.param(errors.Limited("x", retry_after_s=1), 429, id="limited"),
        pytest.param(errors.Busy("x"), 503, id="busy"),
        pytest.param(errors.Altered("x"), 500, id="corrupt"),
        pytest.param(errors.Misconfigured("x"), 500, id="misconfigured"),
    ],
)
def test_every_kind_of_error_has_its_status(error, status):
    assert statuses.of_error(error) == status


def test_inside_a_batch_a_plain_refusal_is_unprocessable():
    assert statuses.of_record(errors.Refused("x", code="not-json")) == 422
    assert statuses.of_record(errors.TooLarge("x")) == 413
    assert statuses.of_record(errors.Missing("x")) == 404
    assert statuses.of_record(errors.Conflict("x")) == 409


@pytest.mark.parametrize(
    ("accepted", "refused", "conflicts", "status"),
    [
        pytest.param(0, 0, 0, 200, id="nothing sent"),
        pytest.param(3, 0, 0, 200, id="all accepted"),
        pytest.param(1, 2, 2, 207, id="some refused"),
        pytest.param(0, 2, 1, 422, id="all refused"),
        pytest.param(0, 2, 2, 409, id="nothing but conflicts"),
    ],
)
def test_an_ingest_is_answered_by_what_became_of_its_records(accepted, refused, conflicts, status):
    assert statuses.of_answers(accepted, refused, conflicts) == status
