"""The parameters, as the document has them (ES-22 to ES-25, ES-27)."""

from datetime import UTC, datetime

import pytest
from starlette.datastructures import QueryParams

from sealog.compat.easysend_asking import read, written
from sealog.query.tree import Is, Not, Query
from sealog.server.problems import BadParameter


def us(*when):
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 1_000_000


NOW_US = us(2026, 3, 2, 12) + 345_678
NOON = us(2026, 3, 2, 12)


def asked(query):
    found = read(QueryParams(query), NOW_US)
    return found.from_us, found.to_us, found.application


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(
            "start_time=20260302101500", (us(2026, 3, 2, 10, 15), NOW_US, None),
            id="ES-24: without an end it is now",
        ),
        pytest.param(
            "start_time=20260302101500&end_time=20260302120000", (us(2026, 3, 2, 10, 15), NOON, None),
            id="ES-24: end_time",
        ),
        pytest.param(
            "start_time=20260302101500&end_type=20260302120000", (us(2026, 3, 2, 10, 15), NOON, None),
            id="ES-24: end_type",
        ),
        pytest.param(
            "start_time=20260302101500&end_type=20260302120000&end_time=20260302120000",
            (us(2026, 3, 2, 10, 15), NOON, None),
            id="ES-24: both, the same",
        ),
        pytest.param(
            "start_time=20240229235959", (us(2024, 2, 29, 23, 59, 59), NOW_US, None),
            id="ES-22, ES-23: UTC, to the second",
        ),
        pytest.param(
            "start_time=20260302120000&end_time=20260302120000", (NOON, NOON, None),
            id="ES-24: an empty range is a range",
        ),
        pytest.param(
            "start_time=20260302120001", (NOON + 1_000_000, NOON + 1_000_000, None),
            id="ES-24: a beginning in the future finds nothing",
        ),
        pytest.param(
            "start_time=20260302120000&app_type=player", (NOON, NOW_US, "player"),
            id="ES-25: player",
        ),
        pytest.param(
            "app_type=builder&start_time=20260302120000", (NOON, NOW_US, "builder"),
            id="ES-25: builder",
        ),
    ],
)  # fmt: skip
def test_what_is_asked_for(query, expected):
    assert asked(query) == expected


@pytest.mark.parametrize(
    ("query", "parameter", "says"),
    [
        pytest.param("", "start_time", "start_time is missing", id="ES-27: no start_time"),
        pytest.param(
            "end_time=20260302120000", "start_time", "start_time is missing", id="ES-27: only an end"
        ),
        pytest.param("start_time=", "start_time", "start_time is empty", id="ES-27: empty"),
        *[
            pytest.param(f"start_time={text}", "start_time", "YYYYMMDDHHMMSS", id=f"ES-27: {text}")
            for text in (
                "2026-03-02T10:15:00Z", "2026030210150", "202603021015000", "20260302", "now", "-1",
                "20260230101500", "20261302101500", "20260302241500", "20260302106000",
                "20260302101560", "00000000000000", "%D9%A2%D9%A0260302101500", "+2026030210150",
            )
        ],
        pytest.param(
            "start_time=20260302101500&end_time=1", "end_time", "YYYYMMDDHHMMSS", id="ES-27: end_time"
        ),
        pytest.param(
            "start_time=20260302101500&end_type=1", "end_type", "YYYYMMDDHHMMSS", id="ES-27: end_type"
        ),
        pytest.param(
            "start_time=20260302101500&end_type=20260302120000&end_time=20260302120001",
            "end_type", "differ", id="ES-24: two ends",
        ),
        pytest.param(
            "start_time=20260302101500&end_time=20260302101459", "end_time", "before start_time",
            id="a range backwards",
        ),
        pytest.param(
            "start_time=20260302101500&end_type=20250302101500", "end_type", "before start_time",
            id="a range backwards, by its other name",
        ),
        pytest.param(
            "start_time=20260302101500&app_type=Player", "app_type", "player or builder",
            id="ES-27: app_type in another case",
        ),
        pytest.param(
            "start_time=20260302101500&app_type=viewer", "app_type", "player or builder",
            id="ES-27: another app_type",
        ),
        pytest.param(
            "start_time=20260302101500&app_type=", "app_type", "app_type is empty",
            id="ES-27: no app_type",
        ),
        pytest.param(
            "start_time=20260302101500&start_time=20260302101500", "start_time", "may stand once",
            id="start_time twice",
        ),
        pytest.param(
            "start_time=20260302101500&app-type=player", "app-type",
            "known are start_time, end_time, end_type, app_type",
            id="a name that is not there",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_refused_by_its_parameter(query, parameter, says):
    with pytest.raises(BadParameter) as error:
        asked(query)

    assert error.value.parameter == parameter
    assert says in error.value.detail


def test_what_was_sent_does_not_stand_in_the_refusal():
    """A key in the wrong place must not come back, nor into anybody's log."""
    with pytest.raises(BadParameter) as error:
        asked("start_time=slk_secret")

    assert "slk_secret" not in error.value.detail


def test_what_sealog_recorded_itself_is_never_asked_for():
    found = read(QueryParams("start_time=20260302120000&end_time=20260302130000"), NOW_US)

    end = us(2026, 3, 2, 13)
    assert found.query == Query(NOON, end, Not(Is("dialect", "sealog")))


def test_times_are_written_as_they_are_read():
    assert written(us(2026, 3, 2, 10, 15, 7) + 999_999) == "20260302101507"
    assert asked(f"start_time={written(NOON)}")[0] == NOON
