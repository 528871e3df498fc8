"""What the Elasticsearch interface tells of itself: its version, its health, its indices and fields."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from sealog.compat.elastic_errors import no_index
from sealog.compat.elastic_names import INDICES, Index, capabilities, mappings, named
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
    listed_ones = listed("*" if name.startswith("_") else name)
    return {one.name: {"mappings": mappings(one)} for one in listed_ones}


async def index(asking: Asking) -> Any:
    """An index: whether it is there, and what fields it has."""
    found = listed(asking.words[0])
    return {
        one.name: {"aliases": {}, "mappings": mappings(one), "settings": {"index": {}}}
        for one in found
    }


def field_caps(asking: Asking) -> Any:
    """`_field_caps`."""
    expression = asking.words[0] if not asking.words[0].startswith("_") else None
    params = asking.request.query_params
    asked = params.get("fields") or body_of(asking.body).get("fields") or "*"
    patterns = asked.split(",") if isinstance(asked, str) else [str(one) for one in asked]
    indices = named(expression, ignore_missing=asking.flag("ignore_unavailable"))
    return {
        "indices": [one.name for one in indices],
        "fields": capabilities(indices, patterns),
    }


def listed(expression: str) -> list[Index]:
    """The indices that are named, each by itself. Raises `Rejected` (404)."""
    found = [
        one
        for one in INDICES.values()
        if any(fnmatchcase(one.name, name) for name in expression.split(",") if name != "_all")
        or "_all" in expression.split(",")
    ]
    if not found and "*" not in expression:
        raise no_index(expression)
    return found


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
    wanted = params["h"].split(",") if params.get("h") else None
    if wanted is not None:
        rows = [{name: row.get(name) for name in wanted} for row in rows]
    if params.get("format") == "json":
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
