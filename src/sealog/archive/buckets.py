"""Where the buckets of a histogram begin: every so many seconds, or by the calendar of a zone."""

from collections.abc import Callable
from datetime import MAXYEAR, UTC, datetime, timedelta, tzinfo
from typing import Literal, TypeAlias, get_args

from sealog.errors import Refused

Calendar: TypeAlias = Literal["hour", "day", "week", "month", "year"]
Interval: TypeAlias = int | Calendar
"""Seconds, or what people call it."""

BUCKETS_MAX = 10_000
SECOND_US = 1_000_000
QUARTER_US = 900 * SECOND_US
"""Every zone's clock is off from UTC by a multiple of this, since 1972."""

_HOUR_US = 3_600 * SECOND_US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
# Within what a datetime holds by more than a month, so that no step leads out of it.
_LEAST_US = (datetime(2, 1, 1, tzinfo=UTC) - _EPOCH) // _US
_MOST_US = (datetime(9999, 10, 1, tzinfo=UTC) - _EPOCH) // _US


def quantum_us(interval: Interval) -> int:
    """Times that are equal when divided by this, rounded down, are in one bucket."""
    if isinstance(interval, int):
        if interval < 1:
            raise Refused("an interval is at least one second", code="bad-interval")
        return interval * SECOND_US
    if interval not in get_args(Calendar):
        raise Refused(
            f"an interval is a number of seconds, {', '.join(get_args(Calendar))}",
            code="bad-interval",
        )
    return QUARTER_US


def begins(interval: Interval, zone: tzinfo, first_us: int, last_us: int) -> list[int]:
    """Where the buckets from that of `first_us` to that of `last_us` begin, in microseconds.

    Raises `Refused` (`too-many-buckets`) for more than 10,000.
    """
    if isinstance(interval, int):
        width = interval * SECOND_US
        begin = first_us - first_us % width
        if (last_us - begin) // width >= BUCKETS_MAX:
            raise _too_many()
        return list(range(begin, last_us + 1, width))
    floor, step = _CALENDAR[interval]
    at_us = floor(min(max(first_us, _LEAST_US), _MOST_US), zone)
    found: list[int] = []
    while at_us <= min(last_us, _MOST_US) or not found:
        found.append(at_us)
        if len(found) > BUCKETS_MAX:
            raise _too_many()
        at_us = step(at_us, zone)
    return found


def _hour(at_us: int, zone: tzinfo) -> int:
    offset = _local(at_us, zone).utcoffset() or timedelta()
    return at_us - (at_us + offset // _US) % _HOUR_US


def _next_hour(at_us: int, zone: tzinfo) -> int:
    # Where the clock jumps by half an hour the hour that follows begins earlier.
    following = _hour(at_us + _HOUR_US, zone)
    return following if following > at_us else following + _HOUR_US


def _day(at_us: int, zone: tzinfo) -> int:
    return _midnight(_local(at_us, zone), zone)


def _next_day(at_us: int, zone: tzinfo) -> int:
    return _midnight(_local(at_us, zone), zone, days=1)


def _week(at_us: int, zone: tzinfo) -> int:
    local = _local(at_us, zone)
    return _midnight(local, zone, days=-local.weekday())


def _next_week(at_us: int, zone: tzinfo) -> int:
    return _midnight(_local(at_us, zone), zone, days=7)


def _month(at_us: int, zone: tzinfo) -> int:
    return _midnight(_local(at_us, zone).replace(day=1), zone)


def _next_month(at_us: int, zone: tzinfo) -> int:
    local = _local(at_us, zone).replace(day=28) + timedelta(days=7)
    return _midnight(local.replace(day=1), zone)


def _year(at_us: int, zone: tzinfo) -> int:
    return _midnight(_local(at_us, zone).replace(month=1, day=1), zone)


def _next_year(at_us: int, zone: tzinfo) -> int:
    local = _local(at_us, zone)
    if local.year == MAXYEAR:
        return _MOST_US + 1
    return _midnight(local.replace(year=local.year + 1, month=1, day=1), zone)


def _local(at_us: int, zone: tzinfo) -> datetime:
    return (_EPOCH + at_us * _US).astimezone(zone)


def _midnight(local: datetime, zone: tzinfo, days: int = 0) -> int:
    """When a local day begins, counted in days on the calendar, not in hours.

    A midnight that the clock jumps over is when it jumped; of two, the first.
    """
    date = local.date() + timedelta(days=days)
    begin = datetime(date.year, date.month, date.day, tzinfo=zone)
    return (begin.astimezone(UTC) - _EPOCH) // _US


def _too_many() -> Refused:
    return Refused(
        f"this would be more than {BUCKETS_MAX} buckets: take a longer interval or a shorter time",
        code="too-many-buckets",
    )


_Step: TypeAlias = Callable[[int, tzinfo], int]
_CALENDAR: dict[str, tuple[_Step, _Step]] = {
    "hour": (_hour, _next_hour),
    "day": (_day, _next_day),
    "week": (_week, _next_week),
    "month": (_month, _next_month),
    "year": (_year, _next_year),
}
