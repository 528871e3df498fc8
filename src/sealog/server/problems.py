"""Problem documents (RFC 9457): the one shape of everything that goes wrong.

`type` is `/problems/<code>`, stable; `errors` names the places, by JSON pointer into the body or by
the name of a parameter. Values that were sent never stand in one, but for what is wrong in a query.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sealog.errors import Busy, Forbidden, Limited, Refused, SealogError, Unauthorised
from sealog.policy.refusing import Invalid
from sealog.query.refusing import BadQuery
from sealog.server import statuses

MEDIA_TYPE = "application/problem+json"

_ENCODE = msgspec.json.Encoder().encode

_TITLES = {
    400: "The request cannot be understood",
    401: "A key is needed",
    403: "The key does not allow this",
    404: "There is no such thing",
    405: "The method is not allowed here",
    408: "The body took too long",
    409: "It is taken by something else",
    410: "It is gone",
    413: "A limit was passed",
    415: "The type or encoding is not taken",
    412: "It is not what it was",
    416: "There is nothing at that place",
    422: "A value may not be what it is",
    428: "Say which version it is based on",
    429: "Too many requests",
    500: "Something went wrong on our side",
    501: "It is not there yet",
    503: "Not now",
}
_CODES_OF_HTTP = {404: "no-such-path", 405: "method-not-allowed", 413: "body-too-large"}


class BadParameter(Refused):
    """A parameter of the query or a header that cannot be what it is.

    `pointer`: where it stands in a body instead. `wrong`: what is wrong with a query that it holds.
    """

    def __init__(
        self, parameter: str, detail: str, *, pointer: str = "", wrong: BadQuery | None = None
    ) -> None:
        is_query = wrong is not None and parameter == "q"
        super().__init__(detail, code="bad-query" if is_query else "bad-parameter", pointer=pointer)
        self.parameter = parameter
        self.wrong = wrong


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One place that is wrong: by pointer into the body, or by parameter."""

    pointer: str
    code: str
    detail: str
    parameter: str | None = None
    offset: int | None = None
    """Where in a query, in characters from 0."""
    length: int | None = None
    suggestion: str | None = None
    """What should stand in place of `length` characters at `offset`."""


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem document."""

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str | None = None
    request_id: str | None = None
    record: int | None = None
    pointer: str | None = None
    errors: Sequence[Fault] = ()


def of_record(refusal: Refused) -> dict[str, Problem]:
    """What stands in an ingest's results for a refused record."""
    status = statuses.of_record(refusal)
    fault = Fault(refusal.pointer, refusal.code, refusal.detail)
    return {
        "refused": Problem(
            type=_type(refusal.code),
            title=_title(status),
            status=status,
            detail=refusal.detail,
            record=refusal.record,
            pointer=refusal.pointer,
            errors=(fault,),
        )
    }


def of_error(error: SealogError, instance: str, request_id: str) -> Response:
    """The answer to a request that failed as a whole."""
    status = statuses.of_error(error)
    if status == statuses.INTERNAL:
        return internal(instance, request_id)
    code = "busy"
    faults: tuple[Fault, ...] = ()
    if isinstance(error, Refused):
        code = error.code
        faults = _faults(error)
    problem = Problem(
        type=_type(code),
        title=_title(status),
        status=status,
        detail=str(error),
        instance=instance,
        request_id=request_id,
        record=error.record if isinstance(error, Refused) else None,
        errors=faults,
    )
    return _response(problem, _headers(error))


def of_http(error: HTTPException, instance: str, request_id: str) -> Response:
    """The answer where the framework found no route, or none for the method."""
    status = error.status_code
    code = _CODES_OF_HTTP.get(status, "malformed")
    # Our own limit says which it is; the framework's words only repeat the status.
    problem = Problem(
        type=_type(code),
        title=_title(status),
        status=status,
        detail=error.detail if status == statuses.BODY_TOO_LARGE else "",
        instance=instance,
        request_id=request_id,
    )
    return _response(problem, error.headers)


def of_invalid(faults: Sequence[Fault], instance: str, request_id: str) -> Response:
    """The answer to values that the framework's validation refused."""
    status = statuses.ALL_REFUSED
    problem = Problem(
        type=_type("invalid"),
        title=_title(status),
        status=status,
        detail="; ".join(fault.detail for fault in faults),
        instance=instance,
        request_id=request_id,
        errors=faults,
    )
    return _response(problem, None)


def internal(instance: str, request_id: str) -> Response:
    """The answer to what should not have happened; what it was stands in the log alone."""
    status = statuses.INTERNAL
    problem = Problem(
        _type("internal"), _title(status), status, instance=instance, request_id=request_id
    )
    return _response(problem, None)


def _faults(error: Refused) -> tuple[Fault, ...]:
    if isinstance(error, BadParameter):
        parameter = None if error.pointer else error.parameter
        fault = Fault(error.pointer, error.code, error.detail, parameter)
        return (fault if error.wrong is None else _placed(fault, error.wrong),)
    if isinstance(error, Invalid):
        return tuple(Fault(one.pointer, one.code, one.detail) for one in error.wrong)
    if isinstance(error, BadQuery):
        return (_placed(Fault("", error.code, error.detail, "q"), error),)
    if error.pointer:
        return (Fault(error.pointer, error.code, error.detail),)
    return ()


def _placed(fault: Fault, wrong: BadQuery) -> Fault:
    return msgspec.structs.replace(
        fault, offset=wrong.offset, length=wrong.length, suggestion=wrong.suggestion
    )


def _headers(error: SealogError) -> Mapping[str, str] | None:
    if isinstance(error, Busy | Limited):
        return {"Retry-After": str(max(1, math.ceil(error.retry_after_s)))}
    if isinstance(error, Unauthorised):
        known = ', error="invalid_token"' if error.code == "wrong-key" else ""
        return {"WWW-Authenticate": f'Bearer realm="sealog"{known}'}
    if isinstance(error, Forbidden):
        return {"WWW-Authenticate": 'Bearer realm="sealog", error="insufficient_scope"'}
    return None


def _response(problem: Problem, headers: Mapping[str, str] | None) -> Response:
    return Response(
        _ENCODE(problem),
        problem.status,
        dict(headers) if headers else None,
        media_type=MEDIA_TYPE,
    )


def _type(code: str) -> str:
    return "/problems/" + code


def _title(status: int) -> str:
    return _TITLES.get(status, "The request was refused")


def pointer_of(steps: Sequence[Any]) -> str:
    """A JSON pointer of a path of keys and places."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)
