"""Times as people write them: days of a zone, moments, and so long ago.

Whatever is written is a span: a year, a day, a minute. It begins at one moment and ends before
another; a day is what it is in the zone, be it 23 hours long.
"""

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import msgspec

from sealog.query.refusing import shown
from sealog.query.scanning import Value

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_MONTHS = 12
_FORMS = "2026, 2026-01, 2026-01-31, 2026-01-31T12:00:00Z, -7d, today, yesterday or now"

_CALENDAR = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})"
    r"(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(Z|z|[+-][0-9]{2}:?[0-9]{2})?"
)
_AGO = re.compile(r"-([0-9]{1,9})([smhdw])")
_NEARLY_AGO = re.compile(r"([0-9]{1,9}[smhdw])")
_NEARLY = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
_NAMED = {"today": 0, "yesterday": -1, "tomorrow": 1}


class Clock(msgspec.Struct, frozen=True):
    """What a time is read by."""

    now_us: int
    """Microseconds since 1970."""
    zone: tzinfo
    """Whose days are meant."""


class Span(msgspec.Struct, frozen=True):
    """From `from_us` on, up to `to_us`, in microseconds since 1970, UTC."""

    from_us: int
    to_us: int
    point: bool = False
    """Whether it is a moment rather than a time that takes a while: `now`, `-7d`."""


def span(value: Value, clock: Clock) -> Span:
    """What a time means. Raises `BadQuery` for what is none."""
    text = value.text.strip()
    try:
        found = _ago(text, clock) or _named(text, clock) or _calendar(value, text, clock)
        found = found or _moment(value, text, clock)
    except OverflowError:
        raise value.refused(f"{shown(text)} is outside the years 1 to 9999") from None
    if found is None:
        raise _no_time(value, text)
    return found


def _ago(text: str, clock: Clock) -> Span | None:
    if text.lower() == "now":
        return Span(clock.now_us, clock.now_us + 1, point=True)
    match = _AGO.fullmatch(text)
    if match is None:
        return None
    at = _EPOCH + timedelta(microseconds=clock.now_us)
    at_us = _us(at - timedelta(seconds=int(match[1]) * _SECONDS[match[2]]))
    return Span(at_us, at_us + 1, point=True)


def _named(text: str, clock: Clock) -> Span | None:
    days = _NAMED.get(text.lower())
    if days is None:
        return None
    here = (_EPOCH + timedelta(microseconds=clock.now_us)).astimezone(clock.zone)
    day = datetime(here.year, here.month, here.day) + timedelta(days=days)  # noqa: DTZ001 - a day
    return _between(day, day + timedelta(days=1), clock.zone)


def _calendar(value: Value, text: str, clock: Clock) -> Span | None:
    match = _CALENDAR.fullmatch(text)
    if match is None:
        return None
    year, month, day = (None if one is None else int(one) for one in match.groups())
    assert year is not None
    first = _day(value, year, month or 1 if match[2] is None else month, day if match[3] else 1)
    if match[3]:
        last = first + timedelta(days=1)
    elif match[2]:
        last = first + timedelta(days=calendar.monthrange(first.year, first.month)[1])
    else:
        last = first + timedelta(days=366 if calendar.isleap(first.year) else 365)
    return _between(first, last, clock.zone)


def _moment(value: Value, text: str, clock: Clock) -> Span | None:
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    begin = _day(value, int(year), int(month), int(day))
    # A leap second stands for the last moment before it.
    seconds = 59 if second == "60" else int(second or 0)
    zone = _offset(value, offset) if offset else clock.zone
    try:
        begin = begin.replace(hour=int(hour), minute=int(minute), second=seconds, tzinfo=zone)
    except ValueError:
        raise value.refused(f"{shown(text)} is no time of the day: 00:00:00 to 23:59:59") from None
    from_us = _us(begin) + int(((fraction or "") + "000000")[:6])
    if second is None:
        return Span(from_us, from_us + 60_000_000)
    return Span(from_us, from_us + 10 ** (6 - min(len(fraction or ""), 6)))


def _offset(value: Value, text: str) -> tzinfo:
    """The zone of `Z` or `+02:00`."""
    if text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 23 or minutes > 59:  # noqa: PLR2004 - a clock's
        raise value.refused(f"{shown(text)} is no offset: -23:59 to +23:59")
    ahead = timedelta(hours=hours, minutes=minutes)
    return timezone(-ahead if text[0] == "-" else ahead)


def _day(value: Value, year: int, month: int | None, day: int | None) -> datetime:
    """A day's midnight, of no zone yet."""
    month, day = month or 0, day or 0
    if not year >= 1:
        raise value.refused(f"{shown(value.text)} is outside the years 1 to 9999")
    if not 1 <= month <= _MONTHS:
        raise value.refused(f"{shown(value.text)} is no date: months are 01 to 12")
    days = calendar.monthrange(year, month)[1]
    if not 1 <= day <= days:
        name = f"{calendar.month_name[month]} {year}"
        nearest = f"{year:04}-{month:02}-{days if day else 1:02}"
        raise value.refused(
            f"{shown(value.text)} is no date: {name} has {days} days",
            nearest if len(value.text) == len(nearest) else None,
        )
    return datetime(year, month, day)  # noqa: DTZ001 - its zone comes later


def _between(first: datetime, last: datetime, zone: tzinfo) -> Span:
    return Span(_us(first.replace(tzinfo=zone)), _us(last.replace(tzinfo=zone)))


def _us(at: datetime) -> int:
    return (at.astimezone(UTC) - _EPOCH) // _MICROSECOND


def _no_time(value: Value, text: str) -> Exception:
    match = _NEARLY_AGO.fullmatch(text)
    if match is not None:
        return value.refused(f"{shown(text)} is no time; did you mean -{text}?", f"-{text}")
    match = _NEARLY.fullmatch(text)
    if match is not None:
        meant = f"{match[1]}-{match[2].zfill(2)}-{match[3].zfill(2)}"
        return value.refused(f"{shown(text)} is no time; did you mean {meant}?", meant)
    return value.refused(f"{shown(text)} is no time; write {_FORMS}")
