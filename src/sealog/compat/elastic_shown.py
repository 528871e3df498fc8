"""What the Elasticsearch interface tells of itself: its version, its health, its indices and fields."""

from collections.abc import Sequence
from typing import Any

from sealog.compat.elastic_errors import unparsable, unsupported
from sealog.compat.elastic_names import INDICES, Index, capabilities, each, mappings, named
from sealog.compat.elastic_requests import Asking, body_of

VERSION = "8.11.0"
INFO = {
    "name": "sealog",
    "cluster_name": "sealog",
    "cluster_uuid": "sealog",
    "version": {
        "number": VERSION,
        "build_flavor": "default",
        "build_type": "unknown",
        "build_hash": "sealog",
        "build_date": "1970-01-01T00:00:00.000Z",
        "build_snapshot": False,
        "lucene_version": "9.8.0",
        "minimum_wire_compatibility_version": "7.17.0",
        "minimum_index_compatibility_version": "7.0.0",
    },
    "tagline": "You Know, for Search",
}
_COLUMNS = {
    "h": "health",
    "s": "status",
    "i": "index",
    "idx": "index",
    "id": "uuid",
    "p": "pri",
    "r": "rep",
    "dc": "docs.count",
    "docsCount": "docs.count",
    "dd": "docs.deleted",
    "docsDeleted": "docs.deleted",
    "ss": "store.size",
    "storeSize": "store.size",
}
"""What `_cat` calls its columns for short."""
_JSON = ("application/json", "application/vnd.elasticsearch+json")
_HEALTH = {
    "cluster_name": "sealog",
    "status": "green",
    "timed_out": False,
    "number_of_nodes": 1,
    "number_of_data_nodes": 1,
    "active_primary_shards": len(INDICES),
    "active_shards": len(INDICES),
    "relocating_shards": 0,
    "initializing_shards": 0,
    "unassigned_shards": 0,
    "delayed_unassigned_shards": 0,
    "number_of_pending_tasks": 0,
    "number_of_in_flight_fetch": 0,
    "task_max_waiting_in_queue_millis": 0,
    "active_shards_percent_as_number": 100.0,
}


async def health(_asking: Asking) -> Any:
    """`_cluster/health`."""
    return _HEALTH


async def mapping(asking: Asking) -> Any:
    """`_mapping` of the indices named, or of all."""
    name = asking.words[0]
    found = each("*" if name.startswith("_") else name, asking.choosing())
    return {one.name: {"mappings": mappings(one)} for one in found}


async def index(asking: Asking) -> Any:
    """An index: whether it is there, and what fields it has."""
    found = each(asking.words[0], asking.choosing())
    return {
        one.name: {"aliases": {}, "mappings": mappings(one), "settings": {"index": {}}}
        for one in found
    }


def field_caps(asking: Asking) -> Any:
    """`_field_caps`."""
    expression = asking.words[0] if not asking.words[0].startswith("_") else None
    params = asking.request.query_params
    body = body_of(asking.body)
    for name, value in body.items():
        if name != "fields" and value:
            raise unsupported(f"{name} in _field_caps")
    asked = params.get("fields") or body.get("fields") or "*"
    patterns = asked.split(",") if isinstance(asked, str) else asked
    if not isinstance(patterns, list):
        raise unparsable("[fields] names fields")
    patterns = [str(one) for one in patterns]
    indices = named(expression, asking.choosing())
    return {
        "indices": [one.name for one in indices],
        "fields": capabilities(indices, patterns),
    }


def cat(counted: Sequence[tuple[Index, int]], asking: Asking) -> Any:
    """`_cat/indices`: a table, or JSON where it is asked for."""
    rows = [
        {
            "health": "green",
            "status": "open",
            "index": one.name,
            "uuid": one.name,
            "pri": "1",
            "rep": "0",
            "docs.count": str(count),
            "docs.deleted": "0",
            "store.size": None,
            "pri.store.size": None,
        }
        for one, count in counted
    ]
    params = asking.request.query_params
    for name, is_desc in reversed(_sorted(params.get("s"))):
        rows.sort(key=lambda row: _rank(row.get(name)), reverse=is_desc)
    wanted = (
        [_COLUMNS.get(name, name) for name in params["h"].split(",")] if params.get("h") else None
    )
    if wanted is not None:
        rows = [{name: row.get(name) for name in wanted} for row in rows]
    accepts = asking.request.headers.get("accept", "")
    if params.get("format", "json" if accepts.startswith(_JSON) else "text") == "json":
        return rows
    texts = [[str(value or "") for value in row.values()] for row in rows]
    if asking.flag("v") and rows:
        texts.insert(0, list(rows[0]))
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = [
        " ".join([text.ljust(width) for text, width in zip(row, widths, strict=True)]).rstrip()
        for row in texts
    ]
    return "".join([line + "\n" for line in lines])


def _sorted(given: str | None) -> list[tuple[str, bool]]:
    found = []
    for one in given.split(",") if given else []:
        name, _, way = one.partition(":")
        found.append((_COLUMNS.get(name, name), way == "desc"))
    return found


def _rank(value: str | None) -> tuple[int, str]:
    """Numbers by their size, before what is none."""
    return (int(value), "") if value is not None and value.isdecimal() else (-1, value or "")
