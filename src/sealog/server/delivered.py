"""What the OpenAPI document says of streams."""

from typing import Any

from sealog.delivery import destinations, shaping, wishes
from sealog.delivery import stream as rows
from sealog.rendering.rendering import DIALECTS, ECS_VERSIONS
from sealog.server.operations import (
    COUNT,
    FAULT,
    INDEX,
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
from sealog.server.streaming import INDEXES_MAX, PATH

_ID = in_path("id", some_text())
_PATHS = {"type": "array", "items": {"type": "string"}, "maxItems": shaping.PATHS_MAX}
_INDEXES = {"type": "array", "items": INDEX, "minItems": 1, "maxItems": INDEXES_MAX}
_PLACE = {
    "oneOf": [
        {
            "type": "object",
            "additionalProperties": False,
            "required": [name],
            "properties": {name: schema},
        }
        for name, schema in (("index", INDEX), ("time", {"type": "string", "format": "date-time"}))
    ]
}
_REPLAYED = {"anyOf": [{"enum": ["beginning"]}, _PLACE]}
_WISHES: Json = {
    "name": {"type": "string", "minLength": 1, "maxLength": wishes.NAME_CHARS_MAX},
    "destination": {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"type": "string", "enum": list(destinations.KINDS)}},
        "description": "Where it delivers to; the other members depend on the kind.",
    },
    "filter": {
        "type": "object",
        "description": "The members of a search, such as `q`. Statements pass every filter.",
    },
    "fields": {
        "type": "object",
        "additionalProperties": False,
        "properties": {"include": _PATHS, "exclude": _PATHS},
        "description": "Which fields leave, by path.",
    },
    "mask": {
        "type": "object",
        "additionalProperties": {"type": "string", "enum": list(shaping.WAYS)},
        "description": "Path → what becomes of the value.",
    },
    "dialect": {"type": "string", "enum": list(DIALECTS), "default": "ecs"},
    "ecs_version": {"type": "string", "enum": list(ECS_VERSIONS)},
}
STREAM: Json = {
    "type": "object",
    "description": "A stream: what is wished of it, and how it is.",
    "required": ["id", "tenant", "version", "name", "destination", "state", "next"],
    "properties": {
        **_WISHES,
        "id": {"type": "string"},
        "tenant": TENANT,
        "version": {"type": "integer", "minimum": 1},
        "state": {"type": "string", "enum": list(rows.STATES)},
        "next": COUNT | {"description": "The index it goes on from."},
        "lag_events": COUNT | {"description": "Indexes it has not looked at."},
        "lag_seconds": {
            "type": ["number", "null"],
            "minimum": 0,
            "description": "Null while it cannot be read.",
        },
        "delivered": COUNT,
        "delivered_bytes": COUNT,
        "parked": COUNT,
        "last_success": MAYBE_TIME,
        "failures": COUNT | {"description": "Attempts that failed in a row."},
        "failing_since": MAYBE_TIME,
        "next_attempt": MAYBE_TIME,
        "last_error": {
            "type": ["object", "null"],
            "properties": {
                "at": MAYBE_TIME,
                "kind": {"type": "string"},
                "reason": {"type": "string"},
            },
        },
        "created": MAYBE_TIME,
        "changed": MAYBE_TIME,
        "told_once": {
            "type": "object",
            "description": "What is new and secret, in this answer and nowhere else.",
        },
    },
}
NAMES = {
    ("get", ""): "streams",
    ("post", ""): "make_stream",
    ("post", "/check"): "check_destination",
    ("post", "/estimate"): "estimate_stream",
    ("get", "/{id}"): "stream",
    ("put", "/{id}"): "change_stream",
    ("delete", "/{id}"): "delete_stream",
    ("post", "/{id}/pause"): "pause_stream",
    ("post", "/{id}/resume"): "resume_stream",
    ("post", "/{id}/replay"): "replay_stream",
    ("post", "/{id}/check"): "check_stream",
    ("post", "/{id}/rotate"): "rotate_stream",
    ("get", "/{id}/parked"): "parked",
    ("post", "/{id}/parked/retry"): "retry_parked",
    ("post", "/{id}/parked/drop"): "drop_parked",
}


def names() -> dict[tuple[str, str], str]:
    """(Method, path) → the name of the operation."""
    return {(method, PATH + path): name for (method, path), name in NAMES.items()}


def paths(settings: Settings) -> dict[str, Json]:
    """All routes of streams."""
    stream = json_of({"$ref": "#/components/schemas/Stream"})
    version = {"version": {"type": "integer", "description": "The one it changes."}}
    changed = _post("Want something else of a stream", stream, _body({**_WISHES, **version}))
    changed["parameters"] = [_ID, in_header("If-Match", some_text(), "The version it changes.")]
    deleted = {
        "tags": ["streams"],
        "summary": "Delete a stream",
        "parameters": [_ID],
        "responses": {"204": {"description": "It is not there any more."}, "default": FAULT},
    }
    found = {
        "": {
            "get": got("streams", "The streams of the key's tenants", _list("streams"), _page(settings)),
            "post": _made(stream),
        },
        "/check": {"post": _post("Send a test record to a destination", _checked(), _new())},
        "/estimate": {"post": _post("How much a stream would send in a day", _estimate(), _new())},
        "/{id}": {
            "get": got("streams", "How a stream is", stream, [_ID]),
            "put": changed,
            "delete": secured(deleted),
        },
        "/{id}/pause": {"post": _of_one("Send nothing until it is resumed", stream)},
        "/{id}/resume": {"post": _of_one("Send again, at once", stream)},
        "/{id}/replay": {
            "post": _of_one("Go on from another index or time", stream, _body({"from": _REPLAYED}, "from"))
        },
        "/{id}/check": {"post": _of_one("Send a test record to its destination", _checked())},
        "/{id}/rotate": {"post": _of_one("Draw a new signing secret", stream)},
        "/{id}/parked": {
            "get": got("streams", "What its destination refused for good", _list("parked"), _parked(settings))
        },
        "/{id}/parked/retry": {"post": _of_one("Send parked records again", *_some("retried"))},
        "/{id}/parked/drop": {"post": _of_one("Give parked records up", *_some("dropped"))},
    }  # fmt: skip
    return {PATH + path: operations for path, operations in found.items()}


def _made(stream: Json) -> Json:
    made = _post("Make a stream", stream, _new(("from", "paused")))
    made["description"] = "Needs a key with `admin` and `export`, as does every change of a stream."
    ok = made["responses"].pop("200")
    ok["headers"] = {"Location": {"schema": {"type": "string"}}}
    made["responses"]["201"] = ok
    return made


def _new(more: tuple[str, ...] = ()) -> Json:
    begins = {"enum": ["now", "beginning"], "description": "Where it begins."}
    beside = {
        "from": {"anyOf": [begins, _PLACE], "default": "now"},
        "paused": {"type": "boolean", "default": False},
    }
    properties = {"tenant": TENANT, **_WISHES, **{name: beside[name] for name in more}}
    return _body(properties, "name", "destination")


def _body(properties: Json, *required: str) -> Json:
    schema = {"type": "object", "additionalProperties": False, "properties": properties}
    if required:
        schema["required"] = list(required)
    return {"required": True, "content": json_of(schema)}


def _post(summary: str, content: Json, body: Json | None) -> Json:
    operation: dict[str, Any] = {
        "tags": ["streams"],
        "summary": summary,
        "responses": {"200": {"description": "Done.", "content": content}, "default": FAULT},
    }
    if body is not None:
        operation["requestBody"] = body
    return secured(operation)


def _of_one(summary: str, content: Json, body: Json | None = None) -> Json:
    operation = _post(summary, content, body)
    operation["parameters"] = [_ID]
    return operation


def _some(name: str) -> tuple[Json, Json]:
    """The answer and the body of what is done to parked records."""
    answer = json_of({"type": "object", "required": [name], "properties": {name: COUNT}})
    return answer, _body({"indexes": _INDEXES | {"description": "Without it all."}})


def _checked() -> Json:
    properties = {
        "taken": {"type": "boolean"},
        "error": {
            "type": "object",
            "properties": {"kind": {"type": "string"}, "reason": {"type": "string"}},
        },
    }
    return json_of({"type": "object", "required": ["taken"], "properties": properties})


def _estimate() -> Json:
    amount = {"type": "number", "minimum": 0}
    properties = {
        "events_per_day": amount,
        "bytes_per_day": amount,
        "days": amount | {"description": "Of so many days something is known."},
        "events": COUNT | {"description": "So many passed."},
        "looked_at": COUNT,
        "sampled": COUNT | {"description": "So many were measured."},
    }
    return json_of({"type": "object", "required": list(properties), "properties": properties})


def _list(name: str) -> Json:
    parked = {
        "type": "object",
        "required": ["index", "at", "attempts", "reason"],
        "properties": {
            "index": INDEX,
            "at": MAYBE_TIME,
            "attempts": COUNT,
            "reason": {"type": "string"},
        },
    }
    items = {"$ref": "#/components/schemas/Stream"} if name == "streams" else parked
    properties = {
        name: {"type": "array", "items": items},
        "next_cursor": {"type": ["string", "null"]},
    }
    return json_of({"type": "object", "required": list(properties), "properties": properties})


def _page(settings: Settings) -> list[Json]:
    cursor = in_query("cursor", some_text(), "A page's next_cursor.")
    return [in_query("tenant", TENANT, "Only this one's."), limit(settings), cursor]


def _parked(settings: Settings) -> list[Json]:
    cursor = {"type": "integer", "minimum": -1, "maximum": INDEX["maximum"]}
    return [_ID, limit(settings), in_query("cursor", cursor, "A page's next_cursor.")]
