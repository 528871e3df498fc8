"""`date_histogram`: its intervals, its bounds, and how each bucket is printed."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any

import msgspec

from sealog.archive.buckets import Interval, begins
from sealog.compat import elastic_leaves, elastic_times
from sealog.compat.elastic_errors import Rejected, unparsable, unsupported
from sealog.compat.elastic_leaves import Asking
from sealog.compat.elastic_names import TIME
from sealog.query.tree import During

SECONDS_MAX = 10_000_000_000
"""A fixed interval is at most this long: some 300 years."""
_FIXED_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_QUARTER_S = 900
_MS_US = 1_000
_CALENDAR: dict[object, Interval] = {
    "1m": 60,
    "minute": 60,
    "1h": "hour",
    "hour": "hour",
    "1d": "day",
    "day": "day",
    "1w": "week",
    "week": "week",
    "1M": "month",
    "month": "month",
    "1y": "year",
    "year": "year",
}
_KNOWN = frozenset(
    {
        "field",
        "fixed_interval",
        "calendar_interval",
        "interval",
        "time_zone",
        "format",
        "min_doc_count",
        "extended_bounds",
        "offset",
        "keyed",
        "order",
    }
)


class Bucket(msgspec.Struct, frozen=True):
    """One piece of time."""

    key: dict[str, Any]
    """As it is printed."""
    count: int
    when: During


def read(options: Mapping[str, Any], asking: Asking) -> Mapping[str, Any]:
    """What a `date_histogram` asks for. Raises `Rejected`."""
    for name in options:
        if name not in _KNOWN:
            raise unsupported(f"{name} in date_histogram")
    if options.get("offset") not in (None, 0, "0", "0s", "0ms"):
        raise unsupported("offset in date_histogram")
    if options.get("keyed"):
        raise unsupported("keyed in date_histogram")
    if options.get("order") not in (None, {"_key": "asc"}, [{"_key": "asc"}]):
        raise unsupported("order in date_histogram", "buckets come in the order of time")
    field = options.get("field")
    if not isinstance(field, str):
        raise unparsable("[date_histogram] names a field")
    if elastic_leaves.asked_as(asking, field) != TIME:
        raise unsupported(f"date_histogram of {field}")
    zone = elastic_times.zone_of(options["time_zone"]) if options.get("time_zone") else UTC
    return {
        "zone": zone,
        "least": least(options, 0),
        "interval": _interval(options, zone),
        "bounds": _bounds(options.get("extended_bounds"), asking, zone),
        "format": elastic_times.check_format(options.get("format") or elastic_times.DEFAULT),
    }


def least(options: Mapping[str, Any], default: int) -> int:
    """How many events a bucket holds at least, to be shown."""
    found = elastic_leaves.natural(options.get("min_doc_count", default))
    if found is None:
        raise unparsable("[min_doc_count] is a whole number from 0")
    return found


def _bounds(given: object, asking: Asking, zone: tzinfo) -> tuple[int | None, int | None]:
    if given is None:
        return None, None
    if not isinstance(given, dict):
        raise unparsable("[extended_bounds] is an object")
    first, last = [
        None
        if given.get(end) is None
        else elastic_times.span(given[end], asking.now_us, zone).from_us
        for end in ("min", "max")
    ]
    if first is not None and last is not None and first > last:
        raise Rejected("[extended_bounds.min] cannot be greater than [extended_bounds.max]")
    return first, last


def _interval(options: Mapping[str, Any], zone: tzinfo) -> Interval:
    either = options.get("interval")
    calendar = options.get("calendar_interval")
    if calendar is None and isinstance(either, str) and either in _CALENDAR:
        calendar = either
    if calendar is not None:
        if not isinstance(calendar, str) or calendar not in _CALENDAR:
            raise unsupported(
                f"calendar_interval {calendar}", f"one of {', '.join(map(str, _CALENDAR))}"
            )
        return _CALENDAR[calendar]
    seconds = _seconds(options.get("fixed_interval", either))
    if zone is not UTC and _QUARTER_S % seconds:
        raise unsupported(f"fixed_interval of {seconds}s in a time_zone", "send calendar_interval")
    return seconds


def _seconds(text: object) -> int:
    name = text if isinstance(text, str) else ""
    is_ms = name.endswith("ms")
    number = elastic_leaves.natural(name[:-2] if is_ms else name[:-1])
    if number is None or (not is_ms and name[-1] not in _FIXED_S) or (is_ms and number % _MS_US):
        raise unsupported(f"interval {text}", "whole seconds: 30s, 5m, 1h, 1d")
    seconds = number // _MS_US if is_ms else number * _FIXED_S[name[-1]]
    if not 0 < seconds <= SECONDS_MAX:
        raise Rejected(f"a time interval is 1s to {SECONDS_MAX}s, found [{name[:30]}]")
    return seconds


def buckets(how: Mapping[str, Any], counted: Mapping[int, int]) -> list[Bucket]:
    """The buckets. `counted`: where each begins, in microseconds → how many events are in it."""
    starts = sorted(counted)
    first, last = how["bounds"]
    ends = [*starts[:1], *starts[-1:], *[end for end in how["bounds"] if end is not None]]
    is_wider = starts or (first is not None and last is not None)
    if how["least"] == 0 and is_wider and (first, last) != (None, None):
        starts = begins(how["interval"], how["zone"], min(ends), max(ends))
    found = []
    for nth, begin in enumerate(starts):
        count = counted.get(begin, 0)
        if count < how["least"]:
            continue
        end = starts[nth + 1] if nth + 1 < len(starts) else None
        text = elastic_times.printed(begin, how["zone"], how["format"])
        key = {"key_as_string": text, "key": begin // _MS_US}
        found.append(Bucket(key, count, During(begin, end)))
    return found
