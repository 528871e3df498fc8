"""What our errors are in HTTP. No other file knows."""

from sealog.errors import (
    Busy,
    Conflict,
    Forbidden,
    Gone,
    Limited,
    Missing,
    Refused,
    SealogError,
    TooLarge,
    Unauthorised,
    UnsupportedType,
)

OK = 200
CREATED = 201
ACCEPTED = 202
NO_CONTENT = 204
PARTIAL = 206
SOME_REFUSED = 207
ALL_REFUSED = 422
ALL_CONFLICTS = 409
BODY_TOO_LARGE = 413
INTERNAL = 500

_MALFORMED = 400
_UNPROCESSABLE = 422

# The first that an error is an instance of decides.
_KINDS: tuple[tuple[type[SealogError], int], ...] = (
    (TooLarge, BODY_TOO_LARGE),
    (UnsupportedType, 415),
    (Unauthorised, 401),
    (Forbidden, 403),
    (Missing, 404),
    (Gone, 410),
    (Conflict, 409),
    (Limited, 429),
    (Refused, _MALFORMED),
    (Busy, 503),
)

# It was understood, but a value in it may not be.
_CODES = dict.fromkeys(
    (
        "address-not-allowed",
        "bad-certificate",
        "bad-columns",
        "bad-destination",
        "bad-ecs-version",
        "bad-fields",
        "bad-format",
        "bad-index",
        "bad-key",
        "bad-key-name",
        "bad-parameter",
        "bad-path",
        "bad-scopes",
        "bad-stream",
        "bad-tenant",
        "bad-tenants",
        "bad-url",
        "folder-not-allowed",
        "invalid",
        "no-tenant",
        "too-many-buckets",
    ),
    _UNPROCESSABLE,
) | {
    "method-not-allowed": 405,
    "too-slow": 408,
    "old-cursor": 410,
    "stale-etag": 412,
    "bad-range": 416,
    "no-version": 428,
    "not-there-yet": 501,
}


def of_error(error: SealogError) -> int:
    """The status of a request that failed as a whole."""
    if isinstance(error, Refused):
        status = _CODES.get(error.code)
        if status is not None:
            return status
    return next((status for kind, status in _KINDS if isinstance(error, kind)), INTERNAL)


def of_record(refusal: Refused) -> int:
    """The status inside the problem of one refused record: a plain refusal is 422."""
    status = of_error(refusal)
    return _UNPROCESSABLE if status == _MALFORMED else status


def of_answers(accepted: int, refused: int, conflicts: int) -> int:
    """The status of an ingest: all accepted, some, none, or nothing but conflicts."""
    if not refused:
        return OK
    if accepted:
        return SOME_REFUSED
    return ALL_CONFLICTS if conflicts == refused else ALL_REFUSED
