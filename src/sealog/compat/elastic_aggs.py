"""Aggregations of Elasticsearch, by counting: terms, date_histogram, cardinality, filters and the like.

Each is read first, so that what is not supported is refused before anything is counted. One inside
another is counted bucket by bucket: `Counter` says how many countings one request may take.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any, Protocol

import msgspec

from sealog.archive.buckets import Interval, begins
from sealog.archive.counting import Counts
from sealog.compat import elastic_leaves, elastic_query, elastic_times
from sealog.compat.elastic_errors import Rejected, unparsable, unsupported
from sealog.compat.elastic_leaves import Asking
from sealog.compat.elastic_names import ID, TIME, Index
from sealog.event import times
from sealog.query.tree import During, Has, Node, every

AGGREGATIONS_MAX = 64
DEPTH_MAX = 5
TERMS_MAX = 10_000
KINDS = {
    "terms": "sterms",
    "date_histogram": "date_histogram",
    "cardinality": "cardinality",
    "min": "min",
    "max": "max",
    "value_count": "value_count",
    "filter": "filter",
    "filters": "filters",
}
"""What is supported, and how `typed_keys` calls it."""
_FIXED_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_QUARTER_S = 900
_CALENDAR: dict[str, Interval] = {
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
_MS_US = 1_000


class Counter(Protocol):
    """What is asked of the events that pass a condition; each call counts against a limit."""

    def count(self, where: Node) -> Counts:
        """How many."""
        ...

    def facet(self, where: Node, field: str) -> Counts:
        """The values of a field, up to `TERMS_MAX`."""
        ...

    def histogram(self, where: Node, interval: Interval, zone: tzinfo) -> Counts:
        """When."""
        ...

    def end_us(self, where: Node, *, oldest: bool) -> int | None:
        """When the oldest or the newest happened."""
        ...


class Aggregation(msgspec.Struct, frozen=True):
    """One aggregation, read."""

    name: str
    kind: str
    options: Mapping[str, Any]
    inner: tuple["Aggregation", ...] = ()

    def key(self, *, typed: bool) -> str:
        """The name under which its answer stands."""
        return f"{KINDS[self.kind]}#{self.name}" if typed else self.name


def read(body: object, index: Index, now_us: int, depth: int = 0) -> tuple[Aggregation, ...]:
    """The aggregations of a search. Raises `Rejected`."""
    if body is None:
        return ()
    if not isinstance(body, dict) or len(body) > AGGREGATIONS_MAX or depth > DEPTH_MAX:
        raise unparsable(
            f"aggregations are an object, at most {AGGREGATIONS_MAX} of them, {DEPTH_MAX} deep"
        )
    return tuple([_read(name, one, Asking(index, now_us), depth) for name, one in body.items()])


def _read(name: str, body: object, asking: Asking, depth: int) -> Aggregation:
    if not isinstance(body, dict):
        raise unparsable(f"aggregation [{name}] is an object")
    rest = {key: one for key, one in body.items() if key not in ("aggs", "aggregations", "meta")}
    if len(rest) != 1:
        raise unparsable(f"aggregation [{name}] is of one type")
    ((kind, options),) = rest.items()
    if kind not in KINDS:
        raise unsupported(f"aggregation {kind}", f"there are {', '.join(KINDS)}")
    if not isinstance(options, dict):
        raise unparsable(f"[{kind}] is an object")
    inner = read(body.get("aggs", body.get("aggregations")), asking.index, asking.now_us, depth + 1)
    if inner and kind in ("cardinality", "min", "max", "value_count"):
        raise Rejected(f"aggregator [{name}] of type [{kind}] cannot accept sub-aggregations")
    return Aggregation(name, kind, _READERS[kind](options, asking), inner)


def _known(kind: str, options: Mapping[str, Any], *names: str) -> None:
    for name in options:
        if name not in names:
            raise unsupported(f"{name} in {kind}")


def _field(kind: str, options: Mapping[str, Any], asking: Asking) -> str:
    name = options.get("field")
    if not isinstance(name, str):
        raise unparsable(f"[{kind}] names a field")
    asked = elastic_leaves.asked_as(asking, name)
    if asked in (ID, "id", "index"):
        raise unsupported(f"{kind} of {name}")
    return asked


def _read_terms(options: Mapping[str, Any], asking: Asking) -> Mapping[str, Any]:
    _known("terms", options, "field", "size", "order", "min_doc_count", "shard_size", "missing")
    if options.get("missing") is not None:
        raise unsupported("missing in terms")
    asked = _field("terms", options, asking)
    if asked == TIME:
        raise unsupported(f"terms of {TIME}", "date_histogram counts times")
    size = options.get("size", 10)
    if isinstance(size, str) and size.isdecimal():
        size = int(size)
    if type(size) is not int or size < 1:
        raise Rejected(f"[size] must be greater than 0. Found [{str(size)[:20]}] in [terms]")
    return {
        "asked": asked,
        "name": options["field"],
        "size": min(size, TERMS_MAX),
        "least": _least(options),
        "order": _order(options.get("order")),
        "asking": asking,
    }


def _least(options: Mapping[str, Any], default: int = 1) -> int:
    least = options.get("min_doc_count", default)
    if isinstance(least, str) and least.isdecimal():
        least = int(least)
    if type(least) is not int or least < 0:
        raise unparsable("[min_doc_count] is a whole number from 0")
    return least


def _order(order: object) -> tuple[str, bool]:
    """By what, and whether the greatest come first."""
    several = order if isinstance(order, list) else [order or {"_count": "desc"}]
    first = several[0] if several else {"_count": "desc"}
    if not isinstance(first, dict) or len(first) != 1:
        raise unparsable("[order] is an object")
    ((by, way),) = first.items()
    by = {"_term": "_key"}.get(by, by)
    if by not in ("_count", "_key") or way not in ("asc", "desc"):
        raise unsupported(f"order by {by}", "_count or _key, asc or desc")
    return by, way == "desc"


def _read_histogram(options: Mapping[str, Any], asking: Asking) -> Mapping[str, Any]:
    names = ("field", "fixed_interval", "calendar_interval", "interval", "time_zone", "format")
    more = ("min_doc_count", "extended_bounds", "offset", "keyed", "order")
    _known("date_histogram", options, *names, *more)
    if options.get("offset") not in (None, 0, "0", "0s", "0ms"):
        raise unsupported("offset in date_histogram")
    if options.get("keyed"):
        raise unsupported("keyed in date_histogram")
    if _order(options.get("order") or {"_key": "asc"}) != ("_key", False):
        raise unsupported("order in date_histogram", "buckets come in the order of time")
    if _field("date_histogram", options, asking) != TIME:
        raise unsupported(f"date_histogram of {options['field']}")
    zone = elastic_times.zone_of(options["time_zone"]) if options.get("time_zone") else UTC
    found: dict[str, Any] = {"zone": zone, "least": _least(options, 0)}
    found["interval"] = _interval(options, zone)
    bounds = options.get("extended_bounds")
    if bounds is not None:
        if not isinstance(bounds, dict):
            raise unparsable("[extended_bounds] is an object")
        ends = [
            elastic_times.span(bounds[end], asking.now_us, zone).from_us
            for end in ("min", "max")
            if bounds.get(end) is not None
        ]
        found["bounds"] = tuple(ends) if len(ends) == len(("min", "max")) else None
    return found


def _interval(options: Mapping[str, Any], zone: tzinfo) -> Interval:
    calendar = options.get("calendar_interval")
    if calendar is None and options.get("interval") in _CALENDAR:
        calendar = options["interval"]
    if calendar is not None:
        if calendar not in _CALENDAR:
            raise unsupported(f"calendar_interval {calendar}", f"one of {', '.join(_CALENDAR)}")
        return _CALENDAR[calendar]
    text = options.get("fixed_interval", options.get("interval"))
    if not isinstance(text, str) or not text[:-1].isdecimal() or text[-1] not in _FIXED_S:
        number = text[:-2] if isinstance(text, str) and text.endswith("ms") else ""
        if not number.isdecimal() or not int(number) or int(number) % _MS_US:
            raise unsupported(f"interval {text}", "whole seconds: 30s, 5m, 1h, 1d")
        text = f"{int(number) // _MS_US}s"
    seconds = int(text[:-1]) * _FIXED_S[text[-1]]
    if not seconds:
        raise Rejected("Zero or negative time interval not supported")
    if zone is not UTC and _QUARTER_S % seconds:
        raise unsupported(f"fixed_interval {text} in a time_zone", "send calendar_interval")
    return seconds


def _read_field(kind: str) -> Any:
    def read_one(options: Mapping[str, Any], asking: Asking) -> Mapping[str, Any]:
        _known(kind, options, "field", "precision_threshold", "format")
        asked = _field(kind, options, asking)
        if kind in ("min", "max") and asked not in (TIME, "status"):
            raise unsupported(f"{kind} of {options['field']}", "times and numbers have one")
        if kind == "cardinality" and asked == TIME:
            raise unsupported(f"cardinality of {TIME}")
        return {"asked": asked}

    return read_one


def _read_filter(options: Mapping[str, Any], asking: Asking) -> Mapping[str, Any]:
    return {"where": elastic_query.condition(options, asking.index, asking.now_us)}


def _read_filters(options: Mapping[str, Any], asking: Asking) -> Mapping[str, Any]:
    _known("filters", options, "filters", "keyed")
    given = options.get("filters")
    if isinstance(given, list):
        named: Sequence[tuple[str | None, object]] = [(None, one) for one in given]
    elif isinstance(given, dict):
        named = list(given.items())
    else:
        raise unparsable("[filters] is an object or a list")
    if len(named) > AGGREGATIONS_MAX:
        raise Rejected(f"[filters] has at most {AGGREGATIONS_MAX}")
    return {
        "each": [
            (name, elastic_query.condition(one, asking.index, asking.now_us)) for name, one in named
        ]
    }


_READERS: dict[str, Any] = {
    "terms": _read_terms,
    "date_histogram": _read_histogram,
    "filter": _read_filter,
    "filters": _read_filters,
    **{kind: _read_field(kind) for kind in ("cardinality", "min", "max", "value_count")},
}


def answer(
    aggregations: Sequence[Aggregation], where: Node, counter: Counter, *, typed: bool = False
) -> dict[str, Any]:
    """What the aggregations say of the events that pass."""
    return {
        one.key(typed=typed): _ANSWERS[one.kind](one, where, counter, typed) for one in aggregations
    }


def _bucket(one: Aggregation, count: int, where: Node, how: tuple[Counter, bool]) -> dict[str, Any]:
    counter, typed = how
    return {"doc_count": count, **answer(one.inner, where, counter, typed=typed)}


def _terms(one: Aggregation, where: Node, counter: Counter, typed: bool) -> dict[str, Any]:  # noqa: FBT001
    options = one.options
    facet = counter.facet(where, options["asked"]).facets[options["asked"]]
    is_number = options["asked"] == "status"
    found: list[tuple[Any, int]] = [
        (int(value) if is_number else value, count) for value, count in facet.values
    ]
    by, is_desc = options["order"]
    if by == "_key":
        found.sort(key=lambda pair: pair[0], reverse=is_desc)
    elif not is_desc:
        found.sort(key=lambda pair: pair[1])
    kept = [pair for pair in found if pair[1] >= options["least"]][: options["size"]]
    buckets = []
    for value, count in kept:
        inner = where
        if one.inner:
            inner = every([where, elastic_leaves.equal(options["asking"], options["name"], value)])
        buckets.append({"key": value, **_bucket(one, count, inner, (counter, typed))})
    left = sum(count for _, count in found) - sum(count for _, count in kept)
    return {
        "doc_count_error_upper_bound": 0 if facet.is_exact and not facet.more else -1,
        "sum_other_doc_count": left,
        "buckets": buckets,
    }


def _histogram(one: Aggregation, where: Node, counter: Counter, typed: bool) -> dict[str, Any]:  # noqa: FBT001
    options = one.options
    interval, zone = options["interval"], options["zone"]
    counted = {
        bucket.begin_us: bucket.count for bucket in counter.histogram(where, interval, zone).buckets
    }
    starts = sorted(counted)
    bounds = options.get("bounds")
    if bounds is not None and bounds[0] <= bounds[1]:
        ends = [*bounds, *starts[:1], *starts[-1:]]
        starts = begins(interval, zone, min(ends), max(ends))
    buckets = []
    for nth, begin in enumerate(starts):
        count = counted.get(begin, 0)
        if count < options["least"]:
            continue
        end = starts[nth + 1] if nth + 1 < len(starts) else None
        inner = every([where, During(begin, end)])
        key = {"key_as_string": times.format_us(begin, digits=3), "key": begin // _MS_US}
        buckets.append(key | _bucket(one, count, inner, (counter, typed)))
    return {"buckets": buckets}


def _cardinality(one: Aggregation, where: Node, counter: Counter, _typed: bool) -> dict[str, Any]:  # noqa: FBT001
    facet = counter.facet(where, one.options["asked"]).facets[one.options["asked"]]
    return {"value": len(facet.values) + facet.more}


def _end(one: Aggregation, where: Node, counter: Counter, _typed: bool) -> dict[str, Any]:  # noqa: FBT001
    is_least = one.kind == "min"
    if one.options["asked"] == TIME:
        at_us = counter.end_us(where, oldest=is_least)
        if at_us is None:
            return {"value": None}
        text = times.format_us(at_us, digits=3)
        return {"value": float(at_us // _MS_US), "value_as_string": text}
    facet = counter.facet(where, one.options["asked"]).facets[one.options["asked"]]
    numbers = [int(value) for value, _ in facet.values]
    if not numbers:
        return {"value": None}
    return {"value": float(min(numbers) if is_least else max(numbers))}


def _value_count(one: Aggregation, where: Node, counter: Counter, _typed: bool) -> dict[str, Any]:  # noqa: FBT001
    asked = one.options["asked"]
    inner = where if asked == TIME else every([where, Has(asked)])
    return {"value": counter.count(inner).count}


def _filter(one: Aggregation, where: Node, counter: Counter, typed: bool) -> dict[str, Any]:  # noqa: FBT001
    inner = every([where, one.options["where"]])
    return _bucket(one, counter.count(inner).count, inner, (counter, typed))


def _filters(one: Aggregation, where: Node, counter: Counter, typed: bool) -> dict[str, Any]:  # noqa: FBT001
    found = []
    for name, condition in one.options["each"]:
        inner = every([where, condition])
        found.append((name, _bucket(one, counter.count(inner).count, inner, (counter, typed))))
    if any(name is None for name, _ in found):
        return {"buckets": [bucket for _, bucket in found]}
    return {"buckets": dict(found)}


_ANSWERS: dict[str, Any] = {
    "terms": _terms,
    "date_histogram": _histogram,
    "cardinality": _cardinality,
    "min": _end,
    "max": _end,
    "value_count": _value_count,
    "filter": _filter,
    "filters": _filters,
}
