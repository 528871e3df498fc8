"""What the OpenAPI document says of searches and counts."""

from sealog.query.syntax import QUERY_CHARS_MAX
from sealog.rendering.rendering import DIALECTS, ECS, ECS_VERSIONS
from sealog.server import asking, counting
from sealog.server.operations import (
    COUNT,
    INDEX,
    TENANT,
    Json,
    got,
    in_query,
    json_of,
    limit,
    some_text,
)
from sealog.server.settings import Settings

_TIME = {"type": "string", "format": "date-time"}
_QUERY = {"type": "string", "description": "The query as it was understood."}
_DAMAGED = {"type": "integer", "description": "How many files could not be looked at."}

EVENTS: Json = {
    "type": "object",
    "required": ["events", "next_cursor"],
    "properties": {
        "events": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}},
        "next_cursor": {"type": ["string", "null"]},
        "query": _QUERY,
        "looked_from": _TIME
        | {"description": "Time was up: what happened before this was not looked at yet."},
        "looked_to": _TIME
        | {"description": "The same, where the oldest come first: what happened after this."},
        "damaged": _DAMAGED,
        "complete_to": {"type": ["string", "null"], "format": "date-time"}
        | {"description": "Of a search: all that was answered to its sender by then is looked at."},
        "feed_cursor": {"type": "string"}
        | {"description": "Of a search in one tenant: where the feed goes on from it."},
    },
}


def filters() -> list[Json]:
    """The parameters of every route that searches."""
    query = {
        "type": "string",
        "maxLength": QUERY_CHARS_MAX,
        "examples": ["actor:ada -action:*.login"],
    }
    several = {"type": "array", "items": some_text(), "maxItems": 100}
    parameters = [
        in_query("tenant", {"type": "array", "items": TENANT}, "Only these; else all of the key's."),
        in_query("q", query, "The query; its language is told in docs/query.md."),
        in_query("zone", some_text(), "Whose days are meant, such as Europe/Berlin; else UTC."),
        in_query("from", some_text(), "At this time or later: RFC 3339, 2026-01-31, -15m, -7d."),
        in_query("to", some_text(), "Before this time."),
    ]  # fmt: skip
    for name, field in asking.OF_FIELDS.items():
        known = f"{field.name}: " if field.name != name else ""
        about = f"Any of these: {known}{field.about}."
        parameters.append(in_query(name, several, about))
    return parameters


def shapes() -> list[Json]:
    """The parameters that say whose shape events get."""
    dialect = {"type": "string", "enum": list(DIALECTS), "default": ECS}
    version = {"type": "string", "enum": list(ECS_VERSIONS), "default": ECS_VERSIONS[0]}
    return [
        in_query("dialect", dialect, "Whose shape the events get: docs/interfaces/rendering.md."),
        in_query("ecs_version", version, "Of ECS; other shapes have their own."),
    ]


def search(settings: Settings) -> Json:
    """`GET /v1/events`."""
    order = {"type": "string", "enum": ["newest", "oldest"], "default": "newest"}
    parameters = [
        *filters(),
        in_query("order", order, "Which come first, by the time of the event."),
        in_query("cursor", some_text(), "A page's next_cursor."),
        in_query("at_least", INDEX, "An index that must be included; within one tenant."),
        limit(settings),
        *shapes(),
    ]
    content = json_of({"$ref": "#/components/schemas/Events"})
    return got("events", "Search, newest first", content, parameters)


def count() -> Json:
    """`GET /v1/count`."""
    return got("counts", "How many events there are", _numbers({}), filters())


def facets() -> Json:
    """`GET /v1/facets`."""
    fields = {
        "type": "array",
        "items": {"type": "string", "enum": list(counting.FACETED)},
        "minItems": 1,
        "maxItems": counting.FIELDS_MAX,
    }
    top = {
        "type": "integer",
        "minimum": 1,
        "maximum": counting.TOP_MAX,
        "default": counting.TOP_DEFAULT,
    }
    facet = {
        "type": "object",
        "required": ["field", "values", "more", "exact"],
        "properties": {
            "field": {"type": "string"},
            "values": {
                "type": "array",
                "description": "The most frequent first.",
                "items": {
                    "type": "object",
                    "required": ["value", "count"],
                    "properties": {"value": {"type": "string"}, "count": COUNT},
                },
            },
            "more": COUNT | {"description": "How many further values there are."},
            "exact": {
                "type": "boolean",
                "description": "False where there are so many values that rare ones were given up.",
            },
        },
    }
    parameters = [
        *filters(),
        in_query("field", fields, "Of which fields.", required=True),
        in_query("top", top, "Values of each field."),
    ]
    content = _numbers({"facets": {"type": "array", "items": facet}})
    return got("counts", "The most frequent values of fields", content, parameters)


def histogram() -> Json:
    """`GET /v1/histogram`."""
    names = [*counting.INTERVALS, "auto"]
    interval = {"type": "string", "enum": names, "default": "auto"}
    bucket = {
        "type": "object",
        "required": ["from", "count"],
        "properties": {
            "from": _TIME | {"description": "Where it begins; it ends where the next begins."},
            "count": COUNT,
            "by": {
                "type": "object",
                "description": "Where it was asked for: value of that field → count.",
                "additionalProperties": COUNT,
            },
        },
    }
    parameters = [
        *filters(),
        in_query("interval", interval, "How long each is; days, weeks and months of `zone`."),
        in_query(
            "by", {"type": "string", "enum": list(counting.DIVIDING)}, "Also by the values of this."
        ),
    ]
    shown = {
        "interval": {"type": "string", "enum": list(counting.INTERVALS)},
        "zone": {"type": "string"},
        "buckets": {
            "type": "array",
            "description": "From the first event to the last, empty ones included.",
            "items": bucket,
        },
    }
    return got("counts", "How many events happened when", _numbers(shown), parameters)


def _numbers(more: Json) -> Json:
    looked = "Time was up: all numbers are at least what they say, what is older may be missing."
    properties = {
        "count": COUNT | {"description": "How many events pass."},
        **more,
        "query": _QUERY,
        "looked_from": _TIME | {"description": looked},
        "damaged": _DAMAGED,
    }
    required = ["count", *more, "query"]
    return json_of({"type": "object", "required": required, "properties": properties})
