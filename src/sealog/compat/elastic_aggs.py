"""Aggregations of Elasticsearch, by counting: terms, date_histogram, cardinality, filters and the like.

Each is read first, so that what is not supported is refused before anything is counted. One inside
another is counted bucket by bucket: `Counter` says how many countings one request may take.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from operator import itemgetter
from typing import Any, Protocol

import msgspec

from sealog.archive.buckets import Interval
from sealog.archive.counting import Counts
from sealog.compat import elastic_histograms, elastic_leaves, elastic_query, elastic_times
from sealog.compat.elastic_errors import Rejected, unparsable, unsupported
from sealog.compat.elastic_leaves import Asking
from sealog.compat.elastic_names import ID, TIME, Index
from sealog.query.tree import Has, Node, every

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
    meta: Mapping[str, Any] | None = None
    """What the client wants back beside the answer."""

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
    meta = body.get("meta")
    if meta is not None and not isinstance(meta, dict):
        raise unparsable("[meta] is an object")
    return Aggregation(name, kind, _READERS[kind](options, asking), inner, meta)


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
    given = options.get("size", 10)
    size = elastic_leaves.natural(given)
    if not size:
        raise Rejected(f"[size] must be greater than 0. Found [{str(given)[:20]}] in [terms]")
    return {
        "asked": asked,
        "name": options["field"],
        "size": min(size, TERMS_MAX),
        "least": elastic_histograms.least(options, 1),
        "order": _order(options.get("order")),
        "asking": asking,
    }


def _order(order: object) -> tuple[tuple[str, bool], ...]:
    """By what, and whether the greatest come first; what is equal comes in the order of its key."""
    found = []
    given = order or {"_count": "desc"}
    for one in given if isinstance(given, list) else [given]:
        if not isinstance(one, dict) or len(one) != 1:
            raise unparsable("[order] is an object")
        ((by, way),) = one.items()
        by = {"_term": "_key"}.get(by, by)
        if by not in ("_count", "_key") or way not in ("asc", "desc"):
            raise unsupported(f"order by {by}", "_count or _key, asc or desc")
        found.append((by, way == "desc"))
    return (*found, ("_key", False))


def _read_field(kind: str) -> Any:
    def read_one(options: Mapping[str, Any], asking: Asking) -> Mapping[str, Any]:
        _known(kind, options, "field", "precision_threshold", "format")
        asked = _field(kind, options, asking)
        if kind in ("min", "max") and asked not in (TIME, "status"):
            raise unsupported(f"{kind} of {options['field']}", "times and numbers have one")
        if kind == "cardinality" and asked == TIME:
            raise unsupported(f"cardinality of {TIME}")
        return {
            "asked": asked,
            "format": elastic_times.check_format(options.get("format") or elastic_times.DEFAULT),
        }

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
        "is_listed": isinstance(given, list) or options.get("keyed") is False,
        "each": [
            (name, elastic_query.condition(one, asking.index, asking.now_us)) for name, one in named
        ],
    }


_READERS: dict[str, Any] = {
    "terms": _read_terms,
    "date_histogram": elastic_histograms.read,
    "filter": _read_filter,
    "filters": _read_filters,
    **{kind: _read_field(kind) for kind in ("cardinality", "min", "max", "value_count")},
}


def answer(
    aggregations: Sequence[Aggregation], where: Node, counter: Counter, *, typed: bool = False
) -> dict[str, Any]:
    """What the aggregations say of the events that pass."""
    return {
        one.key(typed=typed): ({} if one.meta is None else {"meta": one.meta})
        | _ANSWERS[one.kind](one, where, counter, typed)
        for one in aggregations
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
    # Each sort keeps the order of what is equal to it, so that the first decides last.
    for by, is_desc in reversed(options["order"]):
        found.sort(key=itemgetter(("_key", "_count").index(by)), reverse=is_desc)
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
    how = one.options
    counted = counter.histogram(where, how["interval"], how["zone"]).buckets
    several = elastic_histograms.buckets(how, {each.begin_us: each.count for each in counted})
    return {
        "buckets": [
            each.key | _bucket(one, each.count, every([where, each.when]), (counter, typed))
            for each in several
        ]
    }


def _cardinality(one: Aggregation, where: Node, counter: Counter, _typed: bool) -> dict[str, Any]:  # noqa: FBT001
    facet = counter.facet(where, one.options["asked"]).facets[one.options["asked"]]
    return {"value": len(facet.values) + facet.more}


def _end(one: Aggregation, where: Node, counter: Counter, _typed: bool) -> dict[str, Any]:  # noqa: FBT001
    is_least = one.kind == "min"
    if one.options["asked"] == TIME:
        at_us = counter.end_us(where, oldest=is_least)
        if at_us is None:
            return {"value": None}
        text = elastic_times.printed(at_us, UTC, one.options["format"])
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
    if not one.options["is_listed"]:
        return {"buckets": dict(found)}
    return {"buckets": [({} if name is None else {"key": name}) | one for name, one in found]}


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
