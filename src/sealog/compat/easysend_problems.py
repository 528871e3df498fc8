"""What goes wrong, in the statuses that the product documents: 400, 401, 408 and 500 (ES-26 to ES-29).

The body is a problem document as everywhere; of a 408 it holds the ranges to ask for instead. A
method that is not there is 405, and a key past its rate 429, as HTTP has them.
"""

import math
from collections.abc import Sequence

import msgspec
from starlette.responses import Response

from sealog.compat.easysend_asking import written
from sealog.compat.easysend_splits import Split
from sealog.errors import Busy, Forbidden, Limited, Missing, Refused, SealogError, Unauthorised
from sealog.server.problems import MEDIA_TYPE, BadParameter, Fault, Problem

BAD_REQUEST, UNAUTHORISED, TOO_LONG, LIMITED, FAILED = 400, 401, 408, 429, 500
"""Statuses."""

_TITLES = {
    BAD_REQUEST: "The request cannot be understood",
    UNAUTHORISED: "A key is needed",
    TOO_LONG: "It would take too long",
    LIMITED: "Too many requests",
    FAILED: "Something went wrong on our side",
}
_ENCODE = msgspec.json.Encoder().encode


class Suggested(msgspec.Struct, frozen=True):
    """The parameters of one request."""

    start_time: str
    end_time: str


class TooLong(Problem, frozen=True):
    """A problem that says what to ask for instead."""

    suggested: Sequence[Suggested] = ()


def of_error(error: SealogError, instance: str, request_id: str) -> Response:
    """The answer to a request that was refused, or cannot be served now."""
    assert isinstance(error, Refused | Busy)
    status, code = _status_of(error), "busy"
    faults: tuple[Fault, ...] = ()
    if isinstance(error, Refused):
        code = error.code
    if isinstance(error, BadParameter):
        faults = (Fault("", code, error.detail, error.parameter),)
    problem = Problem(
        type=f"/problems/{code}",
        title=_TITLES[status],
        status=status,
        detail=str(error),
        instance=instance,
        request_id=request_id,
        errors=faults,
    )
    headers = {}
    if status == UNAUTHORISED:
        headers["WWW-Authenticate"] = 'apiKey realm="sealog"'
    if isinstance(error, Busy | Limited):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    return Response(_ENCODE(problem), status, headers, media_type=MEDIA_TYPE)


def of_split(split: Split, limit_s: float, instance: str, request_id: str) -> Response:
    """The answer to a range that is too long, with those that are not."""
    suggested = [Suggested(written(one.from_us), written(one.to_us)) for one in split.ranges]
    detail = f"this range cannot be answered within {limit_s:g} seconds: divide it"
    if len(suggested) == 1:
        detail = f"a second with so many logs cannot be answered within {limit_s:g} seconds"
        suggested = []
    elif not split.is_whole:
        detail += f"; these are the first {len(suggested)}, ask again from the last end_time on"
    if suggested and not split.fits:
        detail += "; one of these holds a second with so many logs that it may not end either"
    error = Refused(detail, code="range-too-long")
    problem = TooLong(
        type=f"/problems/{error.code}",
        title=_TITLES[TOO_LONG],
        status=TOO_LONG,
        detail=error.detail,
        instance=instance,
        request_id=request_id,
        suggested=suggested,
    )
    return Response(_ENCODE(problem), TOO_LONG, media_type=MEDIA_TYPE)


def _status_of(error: SealogError) -> int:
    if isinstance(error, Unauthorised | Forbidden | Missing):
        return UNAUTHORISED
    if isinstance(error, Limited):
        return LIMITED
    # What cannot be done now is no fault of the request, and 503 is not in the document.
    return BAD_REQUEST if isinstance(error, Refused) else FAILED
