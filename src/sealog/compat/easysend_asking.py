"""What the parameters of `get-security-logs` ask for; anything else in them is refused.

Times are UTC, `YYYYMMDDHHMMSS`. A range has its beginning and not its end: two that meet at a second
give every log once, which is how the product tells its callers to divide a range.
"""

import re
from datetime import UTC, datetime, timedelta

import msgspec
from starlette.datastructures import QueryParams

from sealog.query.refusing import shown
from sealog.query.tree import Is, Not, Query
from sealog.server.problems import BadParameter

APPLICATIONS = ("player", "builder")
NAMES = ("start_time", "end_time", "end_type", "app_type")
ENDS = ("end_time", "end_type")
"""The parameter list of the document has the second, the text of its 408 the first."""
SECOND_US = 1_000_000

_TIME = re.compile(r"([0-9]{4})" + r"([0-9]{2})" * 5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Asked(msgspec.Struct, frozen=True):
    """A range of time, and whose logs."""

    from_us: int
    to_us: int
    """It ends before this."""
    application: str | None = None
    """One of `APPLICATIONS`; None for all."""

    @property
    def query(self) -> Query:
        """What the archive is asked: never for what Sealog itself recorded."""
        return Query(self.from_us, self.to_us, Not(Is("dialect", "sealog")))


def read(params: QueryParams, now_us: int) -> Asked:
    """What is asked for, the end of the range `now_us` unless it is given. Raises `BadParameter`."""
    _check_names(params)
    if "start_time" not in params:
        detail = "start_time is missing: send it as YYYYMMDDHHMMSS, UTC, such as 20260131000000"
        raise BadParameter("start_time", detail)
    from_us = _time(params, "start_time")
    ends = [(name, _time(params, name)) for name in ENDS if name in params]
    if len({end for _, end in ends}) > 1:
        raise BadParameter("end_type", "end_time and end_type differ: send one of them")
    for name, end in ends:
        if end < from_us:
            raise BadParameter(name, f"{name} is before start_time: nothing can be found")
    # A caller whose clock is ahead of ours asks for what is not there yet, and is given nothing.
    to_us = ends[0][1] if ends else max(now_us, from_us)
    return Asked(from_us, to_us, _application(params))


def _check_names(params: QueryParams) -> None:
    for name in params:
        if name not in NAMES:
            known = ", ".join(NAMES)
            raise BadParameter(name[:100], f"there is no {shown(name)}; known are {known}")
        if len(params.getlist(name)) > 1:
            raise BadParameter(name, f"{name} may stand once")
        if not params[name]:
            raise BadParameter(name, f"{name} is empty: give it a value, or leave it out")


def _time(params: QueryParams, name: str) -> int:
    match = _TIME.fullmatch(params[name])
    try:
        if match is not None:
            year, month, day, hour, minute, second = map(int, match.groups())
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
            return (moment - _EPOCH) // _MICROSECOND
    except ValueError:
        pass
    raise BadParameter(name, f"{name} is YYYYMMDDHHMMSS, UTC, such as 20260131235959")


def _application(params: QueryParams) -> str | None:
    given = params.get("app_type")
    if given is not None and given not in APPLICATIONS:
        known = " or ".join(APPLICATIONS)
        raise BadParameter("app_type", f"app_type is {known}; leave it out for both")
    return given


def written(at_us: int) -> str:
    """A time as the parameters take it: up to the second that has begun."""
    return (_EPOCH + timedelta(microseconds=at_us)).strftime("%Y%m%d%H%M%S")
