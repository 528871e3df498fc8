"""In which order a search answers, and the `sort` values from which the next page begins.

Events are found in the order of their time, then of their index: newest first or oldest first.
Times are printed in milliseconds, with what they have more as a fraction, so that nothing is skipped
or doubled between two pages (of times up to the year 2109: a double holds no more digits).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sealog.archive.cursors import Position
from sealog.compat import elastic_leaves, elastic_times
from sealog.compat.elastic_errors import Rejected, unparsable, unsupported
from sealog.compat.elastic_leaves import Asking
from sealog.compat.elastic_names import TIME, Index

TIES = frozenset({"_doc", "_shard_doc"})
_SCORE = "_score"
_TENANT_BITS = 20
_TENANTS = 1 << _TENANT_BITS
_BEYOND = 1 << 60
_MS_US = 1_000
_OPTIONS = frozenset(
    {"order", "unmapped_type", "missing", "format", "numeric_type", "mode", "ignore_unmapped"}
)


class Order(msgspec.Struct, frozen=True):
    """How a search is sorted."""

    keys: tuple[str, ...] = ()
    """Of each sort value what it is: `@timestamp`, `_doc`, `_score` or `index`; none without `sort`."""
    oldest_first: bool = False

    def values(self, at_us: int, index: int, tenant: int) -> list[Any]:
        """The `sort` of a hit."""
        of_key = {TIME: _milliseconds(at_us), _SCORE: None, "index": index}
        return [of_key.get(key, (index << _TENANT_BITS) + tenant) for key in self.keys]

    def after(self, values: object, tenants: Sequence[int]) -> Position:
        """The position that `search_after` names. Raises `Rejected`."""
        if not isinstance(values, list) or len(values) != len(self.keys):
            raise Rejected(
                f"search_after has {len(values) if isinstance(values, list) else 0} value(s) but"
                f" sort has {len(self.keys)}."
            )
        found = dict(zip(self.keys, values, strict=True))
        if TIME not in found:
            raise unsupported("search_after without a sort by time")
        tie = next((found[key] for key in self.keys if key in TIES), None)
        at_us = _microseconds(found[TIME])
        if tie is not None:
            index, tenant = divmod(_whole(tie), _TENANTS)
        elif found.get("index") is not None:
            if len(tenants) != 1:
                raise unsupported("search_after by index in several tenants")
            index, tenant = _whole(found["index"]), tenants[0]
        else:
            # Only what is strictly later in the order, as in Elasticsearch.
            index, tenant = (_BEYOND, _BEYOND) if self.oldest_first else (-1, -1)
        return at_us, index, tenant


def read(body: object, index: Index, *, is_point: bool = False) -> Order:
    """The `sort` of a search; without one the newest come first. Raises `Rejected`."""
    if body is None or body == []:
        return Order((TIME, "_shard_doc")) if is_point else Order()
    keys: list[str] = []
    ways: dict[str, str] = {}
    for one in body if isinstance(body, list) else [body]:
        name, way = _one(one)
        key = name if name in TIES or name == _SCORE else _key(name, index)
        if key in keys:
            continue
        keys.append(key)
        ways[key] = way or ("desc" if key == _SCORE else "asc")
    if is_point and TIES.isdisjoint(keys):
        keys.append("_shard_doc")
    timed = ways.get(TIME)
    if timed is None:
        if "index" in keys:
            raise unsupported("sort by index alone", f"sort by {TIME}, then by index")
        return Order(tuple(keys))
    if ways.get("index", timed) != timed:
        raise unsupported("sort by time and by index in different directions")
    return Order(tuple(keys), timed == "asc")


def _one(body: object) -> tuple[str, str | None]:
    if isinstance(body, str):
        name, _, way = body.partition(":")
        return name, _way(way or None)
    if not isinstance(body, dict) or len(body) != 1:
        raise unparsable("[sort] names a field")
    ((name, options),) = body.items()
    if isinstance(options, Mapping):
        for option in options:
            if option not in _OPTIONS:
                raise unsupported(f"{option} in sort")
        options = options.get("order")
    return name, _way(options)


def _way(way: object) -> str | None:
    if way is None:
        return None
    if way not in ("asc", "desc"):
        raise unparsable("[sort] is asc or desc")
    return str(way)


def _key(name: str, index: Index) -> str:
    asked = elastic_leaves.asked_as(Asking(index, 0), name)
    if asked not in (TIME, "index"):
        raise unsupported(f"sort by {name}", f"events are sorted by {TIME}, then by their index")
    return asked


def _milliseconds(at_us: int) -> int | float:
    whole, rest = divmod(at_us, _MS_US)
    return at_us / _MS_US if rest else whole


def _microseconds(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise unsupported("search_after with a formatted time", "send the sort values as they came")
    if not abs(value) < elastic_times.LAST_US:
        raise unparsable("search_after has the sort values of a hit, as they came")
    return round(value * _MS_US)


def _whole(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or abs(value) > _BEYOND:
        raise unparsable("search_after has the sort values of a hit, as they came")
    return value
