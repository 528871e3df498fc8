"""What the OpenAPI document says of exports."""

from sealog.exports import columns, forms, jobs
from sealog.rendering.rendering import DIALECTS, ECS_VERSIONS
from sealog.server import searches
from sealog.server.operations import (
    COUNT,
    FAULT,
    MAYBE_TIME,
    TENANT,
    Json,
    got,
    in_header,
    in_path,
    in_query,
    json_of,
    limit,
    secured,
    some_text,
)
from sealog.server.settings import Settings

_ID = in_path("id", some_text())
_COLUMNS = {"type": "array", "items": {"type": "string", "enum": list(columns.COLUMNS)}}

EXPORT: Json = {
    "type": "object",
    "description": "An export: what was asked for, and how far it is.",
    "required": ["id", "state", "tenant", "format", "query", "size", "created", "events_done", "bytes"],
    "properties": {
        "id": {"type": "string"},
        "state": {"type": "string", "enum": list(jobs.STATES)},
        "tenant": TENANT,
        "format": {"type": "string", "enum": list(forms.FORMATS)},
        "columns": {"type": ["array", "null"], "items": {"type": "string"}},
        "dialect": {"type": "string", "enum": list(DIALECTS)},
        "ecs_version": {"type": "string", "enum": list(ECS_VERSIONS)},
        "query": {"type": "object", "description": "What was asked for, as it was given."},
        "size": COUNT | {"description": "It holds what stands below this index."},
        "created": MAYBE_TIME,
        "finished": MAYBE_TIME,
        "expires": MAYBE_TIME,
        "events_done": COUNT,
        "events_estimated": COUNT | {"description": "How many there may be, at most."},
        "bytes": COUNT,
        "sha256": {"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$"},
        "error": {"type": ["string", "null"], "description": "Why it failed."},
    },
}  # fmt: skip


def paths(settings: Settings) -> dict[str, Json]:
    """All routes of exports."""
    export = json_of({"$ref": "#/components/schemas/Export"})
    remove = {
        "tags": ["exports"],
        "summary": "End an export, or remove one that is over",
        "parameters": [_ID],
        "responses": {"204": {"description": "It is not there any more."}, "default": FAULT},
    }
    return {
        "/v1/exports": {
            "get": got("exports", "The exports of the key's tenants", _list(), _page(settings)),
            "post": _create(export),
        },
        "/v1/exports/{id}": {
            "get": got("exports", "How far an export is", export, [_ID]),
            "delete": secured(remove),
        },
        "/v1/exports/{id}/content": {"get": _content()},
    }


def _list() -> Json:
    exports = {"type": "array", "items": {"$ref": "#/components/schemas/Export"}}
    return json_of(
        {
            "type": "object",
            "required": ["exports", "next_cursor"],
            "properties": {"exports": exports, "next_cursor": {"type": ["string", "null"]}},
        }
    )


def _page(settings: Settings) -> list[Json]:
    return [
        in_query("tenant", TENANT, "Only this one's."),
        limit(settings),
        in_query("cursor", some_text(), "A page's next_cursor."),
    ]


def _create(export: Json) -> Json:
    wanted = {one["name"]: _member(one["schema"]) for one in searches.filters()}
    properties = {
        **wanted,
        "tenant": TENANT,
        "format": {"type": "string", "enum": list(forms.FORMATS), "default": "ndjson"},
        "columns": _COLUMNS | {"minItems": 1, "uniqueItems": True},
        **{one["name"]: one["schema"] for one in searches.shapes()},
    }
    body = {"type": "object", "additionalProperties": False, "properties": properties}
    return secured(
        {
            "tags": ["exports"],
            "summary": "Ask for a tenant's events as a file",
            "description": "Everything, or what a search with the same members finds; `columns` is"
            " for CSV and Parquet.",
            "requestBody": {"required": True, "content": json_of(body)},
            "responses": {
                "202": {
                    "description": "It will be made.",
                    "content": export,
                    "headers": {"Location": {"schema": {"type": "string"}}},
                },
                "default": FAULT,
            },
        }
    )


def _member(schema: Json) -> Json:
    """What may be given several times may be a list, or one of its items."""
    if schema.get("type") != "array":
        return schema
    return {"anyOf": [schema["items"], schema]}


def _content() -> Json:
    binary = {"schema": {"type": "string", "format": "binary"}}
    content = {name.partition(";")[0]: binary for name in forms.MEDIA_TYPES.values()}
    parameters = [
        _ID,
        in_header("Range", some_text(), "One range of bytes."),
        in_header("If-Range", some_text(), "The ETag of the file that the range is of."),
    ]
    operation = got("exports", "The file of a finished export", content, parameters)
    operation["responses"]["206"] = {"description": "A piece of it.", "content": content}
    return operation
