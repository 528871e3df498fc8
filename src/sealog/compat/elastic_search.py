"""One search of Elasticsearch's: its body read, asked of the archive, and answered in its shape."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from enum import Enum
from typing import Any

import msgspec

from sealog.archive.archive import Found
from sealog.archive.buckets import Interval
from sealog.archive.counting import Counts
from sealog.archive.cursors import Position
from sealog.compat import (
    elastic_aggs,
    elastic_leaves,
    elastic_query,
    elastic_sorting,
    elastic_sources,
    naming,
)
from sealog.compat.elastic_errors import Rejected, unparsable, unsupported
from sealog.compat.elastic_names import INDICES, Index
from sealog.compat.elastic_sorting import Order
from sealog.event.packs import Opened
from sealog.event.tenants import Tenant
from sealog.query.tree import Between, Is, Node, either, every, query
from sealog.server.parts import Archive

WINDOW_MAX = 10_000
TOTAL_DEFAULT = 10_000
PAGE_MAX = 1_000
COUNTINGS_MAX = 1_000
SECONDS_MAX = 30.0
SIZE_DEFAULT = 10

KNOWN = frozenset(
    {
        "query",
        "size",
        "from",
        "sort",
        "search_after",
        "_source",
        "fields",
        "docvalue_fields",
        "track_total_hits",
        "aggs",
        "aggregations",
        "version",
        "seq_no_primary_term",
        "stored_fields",
    }
)
HARMLESS = frozenset(
    {
        "timeout",
        "track_scores",
        "stats",
        "highlight",
    }
)
"""What may stand in a search and changes nothing of what is found."""
EMPTY = frozenset(
    {"script_fields", "runtime_mappings", "indices_boost", "rescore", "ext", "explain", "profile"}
)
"""What may stand there with nothing in it."""
HITS_BYTES_MAX = 64 << 20
"""So many bytes of events one answer holds."""
SHARDS = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}

Render = Callable[[str, Opened, int], bytes]


class Asked(msgspec.Struct, frozen=True):
    """A search, read."""

    indices: tuple[Index, ...]
    where: Node
    size: int
    begin: int
    order: Order
    after: object
    """`search_after` as it came; None for the first page."""
    wanted: elastic_sources.Wanted
    total: int | None
    """Up to how many events are counted; None: not at all."""
    aggregations: tuple[elastic_aggs.Aggregation, ...] = ()
    versions: Mapping[str, Any] = {}
    """What a hit says of how often it was written: once, as nothing is ever written again."""
    has_places: bool = False
    """Whether a hit says where it stands: `_seq_no`."""


def read(
    body: Mapping[str, Any], indices: Sequence[Index], now_us: int, *, is_point: bool = False
) -> Asked:
    """What the body of a search asks for. Raises `Rejected`, naming what is not supported."""
    for name, value in body.items():
        if name not in KNOWN and name not in HARMLESS and (name not in EMPTY or value):
            raise unsupported(f"{name} in a search")
    size = _number(body, "size", SIZE_DEFAULT)
    begin = _number(body, "from", 0)
    if size + begin > WINDOW_MAX:
        raise Rejected(
            f"Result window is too large, from + size must be less than or equal to: [{WINDOW_MAX}]"
            f" but was [{size + begin}]. Use search_after with a point in time, or scroll"
        )
    if begin and body.get("search_after") is not None:
        raise Rejected("`from` parameter must be set to 0 when `search_after` is used")
    aggregations = body.get("aggs", body.get("aggregations"))
    if aggregations and len(indices) > 1:
        raise unsupported("aggregations over several indices", "name one index")
    beside = [*_several(body.get("fields")), *_several(body.get("docvalue_fields"))]
    return Asked(
        tuple(indices),
        condition(body.get("query"), indices, now_us),
        size,
        begin,
        elastic_sorting.read(body.get("sort"), indices[0], is_point=is_point)
        if indices
        else Order(),
        body.get("search_after"),
        elastic_sources.read(_source(body), beside or None),
        _total(body.get("track_total_hits", TOTAL_DEFAULT)),
        elastic_aggs.read(aggregations, indices[0], now_us) if indices else (),
        {"_version": 1} if body.get("version") else {},
        bool(body.get("seq_no_primary_term")),
    )


def condition(body: object, indices: Sequence[Index], now_us: int) -> Node:
    """What a query asks for in any of some indices, each by the names of its own fields."""
    found = []
    for index in indices:
        node = elastic_query.condition(body, index, now_us)
        found.append(node if index.dialect is None else every([Is("dialect", index.dialect), node]))
    return either(found)


def _total(given: object) -> int | None:
    if given is False:
        return None
    if given is True:
        return 1 << 60
    if isinstance(given, str) and given in ("true", "false"):
        return _total(given == "true")
    if type(given) is int and given >= 0:
        return given
    raise unparsable("[track_total_hits] is a boolean or a number")


def _number(body: Mapping[str, Any], name: str, default: int) -> int:
    value = elastic_leaves.natural(body.get(name, default))
    if value is None:
        found = str(body.get(name))[:20]
        raise Rejected(f"[{name}] parameter cannot be negative, found [{found}]")
    return value


def _source(body: Mapping[str, Any]) -> object:
    return False if body.get("stored_fields") in ("_none_", ["_none_"]) else body.get("_source")


def _several(given: object) -> list[Any]:
    if given is None:
        return []
    return given if isinstance(given, list) else [given]


class Scroll(msgspec.Struct, frozen=True):
    """Which page of a scroll is asked for."""

    after: Position | None = None
    """Behind what it begins."""
    total: tuple[int, bool] | None = None
    """How many pass, and whether that is all; None where they were not counted yet."""


class _Ended(Enum):
    OVER = "over"
    LATE = "late"
    LARGE = "large"


class Answer(msgspec.Struct, frozen=True):
    """What a search found."""

    body: dict[str, Any]
    found: Sequence[Found]
    last: Position | None
    """Where the next page begins; None where there is none."""
    total: tuple[int, bool] | None


class Searcher:
    """Answers searches over some tenants; blocks, so it runs in a thread."""

    def __init__(
        self,
        archive: Archive,
        tenants: Sequence[Tenant],
        render: Render,
        sizes: Mapping[int, int] | None = None,
    ) -> None:
        """`sizes`: of a point in time, tenant → the index after its last event."""
        self._archive = archive
        self._tenants = tenants
        self._render = render
        self._sizes = sizes

    def answer(
        self,
        asked: Asked,
        *,
        typed: bool = False,
        scroll: Scroll | None = None,
    ) -> Answer:
        """The answer. `scroll`: which page of a scroll it is.

        A scroll loses nothing: a page that would be too long, or that took too long, is a shorter
        one. Raises `Rejected` where it is no scroll's and its hits are too large.
        """
        begun = time.monotonic()
        where = self._bounded(asked.where)
        after, total = (scroll.after, scroll.total) if scroll is not None else (None, None)
        if asked.after is not None:
            after = asked.order.after(asked.after, [one.number for one in self._tenants])
        until = begun + SECONDS_MAX if scroll is not None else begun
        found, ended = self._events(asked, where, after, until)
        is_timed_out = ended is _Ended.LATE
        if scroll is None and ended is _Ended.LARGE:
            raise Rejected(f"the hits are larger than {HITS_BYTES_MAX} bytes: ask for fewer (size)")
        if scroll is not None and is_timed_out and not found:
            raise _too_long("the next page")
        counter = _Counting(self._archive, self._tenants, begun + SECONDS_MAX)
        if total is None and asked.total is not None:
            total = self._count(where, asked.total, counter)
        body: dict[str, Any] = {"took": 0, "timed_out": is_timed_out, "_shards": SHARDS}
        hits: dict[str, Any] = {}
        if total is not None:
            hits["total"] = {"value": total[0], "relation": "eq" if total[1] else "gte"}
        hits["max_score"] = 1.0 if found and not asked.order.keys else None
        hits["hits"] = [self._hit(one, asked) for one in found]
        body["hits"] = hits
        if asked.aggregations:
            body["aggregations"] = elastic_aggs.answer(
                asked.aggregations, where, counter, typed=typed
            )
            body["timed_out"] = is_timed_out or counter.is_timed_out
        body["took"] = int((time.monotonic() - begun) * 1_000)
        last = None
        if found and (len(found) == asked.size or ended is not _Ended.OVER):
            last = found[-1].at_us, found[-1].index, found[-1].tenant.number
        return Answer(body, found, last, total)

    def _bounded(self, where: Node) -> Node:
        """Of a point in time, only what was there then. Over several tenants there is none."""
        if self._sizes is None or len(self._tenants) != 1:
            return where
        size = self._sizes.get(self._tenants[0].number, 0)
        return every([Between("index", None, size - 1), where]) if size else either([])

    def _events(
        self, asked: Asked, where: Node, after: Position | None, until: float
    ) -> tuple[list[Found], "_Ended"]:
        found: list[Found] = []
        skipped = held = 0
        cursor = None
        asking = query(where)
        while len(found) < asked.size:
            page = self._archive.search(
                self._tenants,
                asking,
                limit=min(asked.begin - skipped + asked.size - len(found), PAGE_MAX),
                cursor=cursor,
                oldest_first=asked.order.oldest_first,
                after=after if cursor is None else None,
            )
            cut = min(asked.begin - skipped, len(page.events))
            skipped += cut
            found += page.events[cut:]
            held += sum([len(part) for one in page.events[cut:] for *_, part in one.opened.parts])
            cursor = page.next_cursor
            if cursor is None:
                break
            if page.looked_us is not None and time.monotonic() >= until:
                return found, _Ended.LATE
            if held > HITS_BYTES_MAX:
                return found, _Ended.LARGE
        return found, _Ended.OVER

    def _count(self, where: Node, most: int, counter: "_Counting") -> tuple[int, bool]:
        if most == 0:
            return 0, False
        counts = counter.count(where)
        is_all = counts.looked_us is None and not counts.damaged
        return (most, False) if counts.count > most else (counts.count, is_all)

    def _hit(self, found: Found, asked: Asked) -> dict[str, Any]:
        event_id, dialect = naming.named(found.opened)
        index = asked.indices[0]
        if len(asked.indices) > 1:
            index = INDICES.get(dialect, index)
        hit: dict[str, Any] = {"_index": index.name, "_id": event_id, **asked.versions}
        if asked.has_places:
            hit |= {"_seq_no": found.index, "_primary_term": 1}
        hit["_score"] = None if asked.order.keys else 1.0
        text = elastic_sources.document(found.opened, found.index, index, self._render)
        hit |= elastic_sources.shown(text, asked.wanted)
        if asked.order.keys:
            hit["sort"] = asked.order.values(found.at_us, found.index, found.tenant.number)
        return hit


def _too_long(what: str) -> Rejected:
    return Rejected(
        f"{what} took too long: ask for less, or for a shorter time",
        kind="search_phase_execution_exception",
        status=503,
    )


class _Counting:
    """Countings of one request, with their limits."""

    def __init__(self, archive: Archive, tenants: Sequence[Tenant], deadline_s: float) -> None:
        self._archive = archive
        self._tenants = tenants
        self._deadline_s = deadline_s
        self._left = COUNTINGS_MAX
        self.is_timed_out = False

    def count(self, where: Node) -> Counts:
        """See `elastic_aggs.Counter`."""
        self._take()
        return self._seen(self._archive.count(self._tenants, query(where)))

    def facet(self, where: Node, field: str) -> Counts:
        """See `elastic_aggs.Counter`."""
        self._take()
        found = self._archive.facets(self._tenants, query(where), [field], elastic_aggs.TERMS_MAX)
        return self._seen(found)

    def histogram(self, where: Node, interval: Interval, zone: tzinfo) -> Counts:
        """See `elastic_aggs.Counter`."""
        self._take()
        return self._seen(self._archive.histogram(self._tenants, query(where), interval, zone))

    def end_us(self, where: Node, *, oldest: bool) -> int | None:
        """See `elastic_aggs.Counter`."""
        self._take()
        page = self._archive.search(self._tenants, query(where), limit=1, oldest_first=oldest)
        return page.events[0].at_us if page.events else None

    def _take(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Rejected(
                f"aggregations inside each other take more than {COUNTINGS_MAX} buckets",
                kind="too_many_buckets_exception",
            )
        if time.monotonic() > self._deadline_s:
            raise _too_long("an aggregation")

    def _seen(self, counts: Counts) -> Counts:
        self.is_timed_out = self.is_timed_out or counts.looked_us is not None
        return counts
