"""Times as Elasticsearch's queries write them: ISO 8601, numbers of milliseconds, date math.

Whatever is written is a span: a millisecond, a day, the month that `/M` rounds to. `gte` and `lt`
mean its beginning, `gt` and `lte` its end, as in Elasticsearch.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from sealog.compat.elastic_errors import Rejected, unsupported
from sealog.query import dates
from sealog.query.dates import Clock, Span
from sealog.query.refusing import BadQuery
from sealog.query.scanning import Value

MILLISECOND_US = 1_000
DEFAULT = "strict_date_optional_time"
LAST_US = 253_402_300_800_000_000
"""The year 10000; as far before 1970 is as far as a time may go back."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_DIGITS_MAX = 16
_MATH_CHARS_MAX = 100

_MATH = re.compile(r"([+-])(\d{1,6})?([yMwdhHms])|/([yMwdhHms])")
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
_PARTIAL = re.compile(r"\d{4}(-\d{1,2})?")
_NUMBER = re.compile(rf"-?\d{{1,{_DIGITS_MAX}}}")
_FIXED_S = {"w": 604_800, "d": 86_400, "h": 3_600, "H": 3_600, "m": 60, "s": 1}
_FORMATS = frozenset(
    {
        "epoch_millis",
        "epoch_second",
        "strict_date_optional_time",
        "date_optional_time",
        "strict_date_optional_time_nanos",
        "strict_date_time",
        "date_time",
        "strict_date",
        "date",
        "iso8601",
    }
)


def zone_of(name: object) -> tzinfo:
    """The zone that `time_zone` names: an offset or a name of the IANA database."""
    if not isinstance(name, str):
        raise _unreadable(name)
    if name in ("UTC", "Z", "GMT"):
        return UTC
    match = _OFFSET.fullmatch(name)
    if match is not None:
        ahead = timedelta(hours=int(match[2]), minutes=int(match[3]))
        if ahead < timedelta(days=1):
            return timezone(-ahead if match[1] == "-" else ahead)
    try:
        if len(name) <= _MATH_CHARS_MAX and not name.startswith(("/", ".")):
            return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        pass
    raise Rejected(f"unknown time zone [{name[:_MATH_CHARS_MAX]}]")


def check_format(name: object) -> str:
    """The `format` of a range: the names there are for ISO 8601 and for numbers, joined by `||`."""
    if not isinstance(name, str):
        raise _unreadable(name)
    for one in name.split("||"):
        if one not in _FORMATS:
            raise unsupported(f"date format {one}", "send ISO 8601 or epoch_millis")
    return name


def span(value: object, now_us: int, zone: tzinfo, form: str = "") -> Span:
    """What a time means, in microseconds since 1970, UTC. Raises `Rejected`."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _unreadable(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**_DIGITS_MAX:
        value = int(value)
    text = str(value).strip()
    is_seconds = form.startswith("epoch_second")
    if _NUMBER.fullmatch(text) and (not isinstance(value, str) or _is_epoch(text, form)):
        unit = 1_000_000 if is_seconds else MILLISECOND_US
        return _within(int(text) * unit, unit, value)
    if isinstance(value, float):
        if not abs(value) < LAST_US:
            raise _unreadable(value)
        return _within(round(value * (1_000_000 if is_seconds else MILLISECOND_US)), 1, value)
    if len(text) > _MATH_CHARS_MAX:
        raise _unreadable(text)
    try:
        if text.startswith("now"):
            at_us = now_us - now_us % MILLISECOND_US
            return _counted(Span(at_us, at_us + MILLISECOND_US), text[3:], zone, text)
        begin_text, bars, math = text.partition("||")
        return _counted(_written(begin_text, now_us, zone), math if bars else "", zone, text)
    except (OverflowError, ValueError) as error:
        raise _unreadable(text) from error


def printed(at_us: int, zone: tzinfo, form: str) -> str:
    """A time as `format` has it: ISO 8601 in the zone, or a number since 1970."""
    first = form.split("||", maxsplit=1)[0]
    if first.startswith("epoch"):
        return str(at_us // (1_000_000 if first == "epoch_second" else MILLISECOND_US))
    try:
        at = _local(at_us, zone)
    except OverflowError:
        return str(at_us // MILLISECOND_US)
    if first in ("date", "strict_date"):
        return at.date().isoformat()
    text = at.isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z" if zone is UTC else text


def _within(begin_us: int, length_us: int, value: object) -> Span:
    if not abs(begin_us) < LAST_US:
        raise _unreadable(value, "it is beyond the year 9999")
    return Span(begin_us, begin_us + length_us)


def _is_epoch(text: str, form: str) -> bool:
    """Whether a text of digits is a number rather than a year, as its format says first."""
    return form.startswith("epoch") or len(text.lstrip("-")) > len("2021")


def _written(text: str, now_us: int, zone: tzinfo) -> Span:
    if not text[:4].isdigit():
        raise _unreadable(text)
    try:
        found = dates.span(Value(text), Clock(now_us, zone))
    except BadQuery as error:
        raise _unreadable(text, error.detail) from error
    if _PARTIAL.fullmatch(text):
        # Of a year or a month alone the first day is meant: what is missing is 01, hours aside.
        return Span(found.from_us, _us(_moved(_local(found.from_us, zone), "d", 1)))
    if found.to_us - found.from_us < MILLISECOND_US:
        # A date has milliseconds; more digits name the one they are in.
        begin = found.from_us - found.from_us % MILLISECOND_US
        return Span(begin, begin + MILLISECOND_US)
    return found


def _counted(begin: Span, math: str, zone: tzinfo, whole: str) -> Span:
    """Date math done: `+1M`, `-7d`, `/d`, one after the other."""
    found, at = begin, 0
    while at < len(math):
        match = _MATH.match(math, at)
        if match is None:
            raise _unreadable(whole, "date math is such as now-7d/d")
        at = match.end()
        if match[4]:
            floor = _floored(_local(found.from_us, zone), match[4])
            found = Span(_us(floor), _us(_moved(floor, match[4], 1)))
            continue
        number = int(match[2] or 1) * (-1 if match[1] == "-" else 1)
        moved = _us(_moved(_local(found.from_us, zone), match[3], number))
        found = Span(moved, moved + (found.to_us - found.from_us))
    return found


def _moved(at: datetime, unit: str, number: int) -> datetime:
    if unit in _FIXED_S and unit not in "wd":
        return (at.astimezone(UTC) + timedelta(seconds=number * _FIXED_S[unit])).astimezone(
            at.tzinfo
        )
    if unit in "wd":
        return at + timedelta(days=number * (7 if unit == "w" else 1))
    months = at.year * 12 + at.month - 1 + number * (12 if unit == "y" else 1)
    year, month = divmod(months, 12)
    for day in (at.day, 30, 29, 28):
        try:
            return at.replace(year=year, month=month + 1, day=day)
        except ValueError:
            if day == 28:  # noqa: PLR2004 - every month has it: it is the year that cannot be
                raise
    raise AssertionError


_FLOORS: dict[str, Callable[[datetime], datetime]] = {
    "y": lambda at: at.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0),
    "M": lambda at: at.replace(day=1, hour=0, minute=0, second=0, microsecond=0),
    "w": lambda at: (at - timedelta(days=at.weekday())).replace(
        hour=0, minute=0, second=0, microsecond=0
    ),
    "d": lambda at: at.replace(hour=0, minute=0, second=0, microsecond=0),
    "h": lambda at: at.replace(minute=0, second=0, microsecond=0),
    "m": lambda at: at.replace(second=0, microsecond=0),
    "s": lambda at: at.replace(microsecond=0),
}


def _floored(at: datetime, unit: str) -> datetime:
    return _FLOORS[unit.replace("H", "h")](at)


def _local(at_us: int, zone: tzinfo) -> datetime:
    return (_EPOCH + at_us * _US).astimezone(zone)


def _us(at: datetime) -> int:
    return (at.astimezone(UTC) - _EPOCH) // _US


def _unreadable(value: object, why: str = "") -> Rejected:
    shown = str(value)[:_MATH_CHARS_MAX]
    reason = f"failed to parse date [{shown}]"
    return Rejected(f"{reason}: {why}" if why else reason, kind="parse_exception")
