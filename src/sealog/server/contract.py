"""The OpenAPI document: what FastAPI knows of the small routes, and the rest written by hand.

The routes that carry events are plain Starlette, for speed, so FastAPI does not see them; what they
take and give stands here, and a test compares it with what they do.
"""

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from sealog.server import chosen, delivered, exported, searches
from sealog.server.operations import (
    FAULT,
    INDEX,
    TENANT,
    Described,
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
from sealog.server.positions import TENANTS_MAX
from sealog.server.settings import Settings

SUMMARY = "A self-hosted audit log for software that serves many customers."
DESCRIPTION = """\
Every record is answered with a receipt once it is durable, or with a problem that says what is wrong
with it. Every fault is a problem document (RFC 9457). `RateLimit-Policy` and `RateLimit` tell what a
key has left.
"""

_EVENT = {
    "type": "object",
    "description": "An event in the Elastic Common Schema, 8.11.",
    "additionalProperties": True,
}

PROBLEM: Json = {
    "type": "object",
    "description": "A problem document (RFC 9457).",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "record": {"type": "integer", "description": "0-based place of the record."},
        "pointer": {"type": "string", "description": "JSON pointer into the record."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string"},
                    "parameter": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "offset": {"type": "integer", "description": "Where in a query, from 0."},
                    "length": {"type": "integer", "description": "How many characters."},
                    "suggestion": {"type": "string", "description": "What should stand there."},
                },
            },
        },
    },
}
RECEIPT: Json = {
    "type": "object",
    "required": ["id", "tenant", "index", "commitment"],
    "properties": {
        "id": {"type": "string"},
        "tenant": TENANT,
        "index": {"type": "integer", "minimum": 0},
        "commitment": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "repeated": {"type": "boolean"},
    },
}
NOT_RECORDED: Json = {
    "type": "object",
    "description": "Nothing of it was kept: its tenant chose not to record its type.",
    "required": ["not_recorded"],
    "properties": {
        "not_recorded": {
            "type": "object",
            "required": ["tenant", "dialect", "action"],
            "properties": {
                "tenant": TENANT,
                "dialect": {"type": "string"},
                "action": {"type": "string", "description": "The native name."},
            },
        }
    },
}
RESULTS: Json = {
    "type": "object",
    "required": ["results"],
    "properties": {
        "results": {
            "type": "array",
            "description": "One per record, in the order sent.",
            "items": {
                "anyOf": [
                    {"$ref": "#/components/schemas/Receipt"},
                    NOT_RECORDED,
                    {
                        "type": "object",
                        "required": ["refused"],
                        "properties": {"refused": {"$ref": "#/components/schemas/Problem"}},
                    },
                ]
            },
        }
    },
}


_NAMES = {
    ("post", "/v1/events"): "send_events",
    ("post", "/v1/ingest/{dialect}"): "send_records",
    ("get", "/v1/events"): "search",
    ("get", "/v1/events/{id}"): "event_by_id",
    ("get", "/v1/tenants/{tenant}/events/{index}"): "event_by_index",
    ("get", "/v1/tenants/{tenant}/events/{index}/proof"): "event_proof",
    ("get", "/v1/tenants/{tenant}/consistency"): "consistency",
    ("get", "/v1/count"): "count",
    ("get", "/v1/facets"): "facets",
    ("get", "/v1/histogram"): "histogram",
    ("get", "/v1/feed"): "feed",
    ("get", "/v1/tail"): "tail",
    ("get", "/v1/exports"): "exports",
    ("post", "/v1/exports"): "make_export",
    ("get", "/v1/exports/{id}"): "export",
    ("delete", "/v1/exports/{id}"): "remove_export",
    ("get", "/v1/exports/{id}/content"): "export_content",
    ("get", "/v1/settings"): "settings",
    ("put", "/v1/settings"): "change_settings",
    ("get", "/v1/settings/history"): "settings_history",
    ("get", "/v1/retention"): "retention",
    ("put", "/v1/retention"): "change_retention",
    ("get", "/v1/retention/history"): "retention_history",
    ("get", "/logs/{log_id}/{resource}"): "log",
    ("get", "/healthz"): "healthz",
    ("get", "/readyz"): "readyz",
    ("get", "/metrics"): "metrics",
    **delivered.names(),
}


def document(app: FastAPI, settings: Settings, more: Described = Described()) -> Json:  # noqa: B008 - it is frozen
    """The whole document. `more`: what rooms above say of theirs."""
    found = get_openapi(
        title=app.title, version=app.version, summary=SUMMARY, description=DESCRIPTION,
        routes=app.routes, openapi_version="3.1.0",
    )  # fmt: skip
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas.update(
        Problem=PROBLEM,
        Receipt=RECEIPT,
        Results=RESULTS,
        Event=_EVENT,
        Events=searches.EVENTS,
        Export=exported.EXPORT,
        Settings=chosen.SETTINGS,
        Retention=chosen.RETENTION,
        Foretold=chosen.FORETOLD,
        Stream=delivered.STREAM,
    )
    components["securitySchemes"] = {
        **more.schemes,
        "bearer": {"type": "http", "scheme": "bearer", "description": "A key, `slk_…`."},
        "basic": {"type": "http", "scheme": "basic", "description": "A key as the password."},
    }
    for operations in found["paths"].values():
        for operation in operations.values():
            secured(operation)
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = FAULT
    for path, operations in _paths(settings).items():
        for method, operation in operations.items():
            operation["operationId"] = _NAMES[method, path]
        found["paths"].setdefault(path, {}).update(operations)
    found["paths"] |= more.paths
    found["paths"] = dict(sorted(found["paths"].items()))
    return found


def text(document: Json) -> bytes:
    """The document's bytes."""
    return msgspec.json.encode(document)


def _paths(settings: Settings) -> dict[str, Json]:
    return {
        "/v1/events": {"post": _ingest("ecs", []), "get": searches.search(settings)},
        "/v1/ingest/{dialect}": {
            "post": _ingest("a dialect's own shape", [in_path("dialect", {"type": "string"})])
        },
        "/v1/events/{id}": {
            "get": got("events", "One event by its id", _event(), [in_path("id", some_text()), _tenant(), *searches.shapes()])
        },
        "/v1/tenants/{tenant}/events/{index}": {
            "get": got("events", "One event by its place in the sealed log", _event(), [*_place(), *searches.shapes()])
        },
        "/v1/tenants/{tenant}/events/{index}/proof": {
            "get": got("proofs", "A file that proves an event offline", json_of({"type": "object"}), _place())
        },
        "/v1/tenants/{tenant}/consistency": {
            "get": got("proofs", "That a newer tree begins with an older one", _consistency(), [
                in_path("tenant", TENANT),
                in_query("old", INDEX, "Entries of the older tree.", required=True),
                in_query("new", INDEX, "Entries of the newer tree.", required=True),
            ])
        },
        "/v1/count": {"get": searches.count()},
        "/v1/facets": {"get": searches.facets()},
        "/v1/histogram": {"get": searches.histogram()},
        "/v1/feed": {"get": _feed(settings)},
        "/v1/tail": {"get": _tail(settings)},
        **exported.paths(settings),
        **chosen.paths(),
        **delivered.paths(settings),
        "/logs/{log_id}/{resource}": {"get": _log()},
        "/healthz": {"get": _open("The process answers", json_of({"type": "object"}))},
        "/readyz": {"get": _open("The server can do its work", json_of({"type": "object"}))},
        "/metrics": {"get": _open("Metrics for Prometheus", {"text/plain": {"schema": some_text()}})},
    }  # fmt: skip


def _ingest(shape: str, more: list[Json]) -> Json:
    record = {"type": "object", "additionalProperties": True}
    records = {"anyOf": [record, {"type": "array", "items": record}]}
    results = {"content": json_of({"$ref": "#/components/schemas/Results"})}
    parameters = [
        *more,
        in_query("tenant", TENANT, "The tenant of every record."),
        in_header("Sealog-Tenant", TENANT, "The same."),
        in_header(
            "Idempotency-Key",
            {"type": "string", "minLength": 1, "maxLength": 256, "pattern": "^[!-~]+$"},
            "Records without an id of their own get one derived from this and their position.",
        ),
        in_header("Sealog-Import", {"const": "1"}, "The records are those of a file."),
        in_header(
            "Sealog-Repeats",
            {"type": "string", "pattern": "^[0-9]{1,9}=[0-9]{1,9}(,[0-9]{1,9}=[0-9]{1,9})*$"},
            "`position=n,…`: how many identical records precede it in the file.",
        ),
    ]
    return secured(
        {
            "tags": ["ingest"],
            "summary": f"Send records: {shape}",
            "description": "One JSON object, an array, NDJSON or a search's hits, plain or with"
            " Content-Encoding gzip or zstd.",
            "parameters": parameters,
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": records},
                    "application/x-ndjson": {"schema": {"type": "string"}},
                },
            },
            "responses": {
                "200": {"description": "All are kept.", **results},
                "207": {"description": "Some were refused.", **results},
                "409": {"description": "All ids are taken by other events.", **_either(results)},
                "422": {"description": "All were refused.", **_either(results)},
                "default": FAULT,
            },
        }
    )


def _either(results: Json) -> Json:
    return {"content": {**results["content"], **FAULT["content"]}}


def _feed(settings: Settings) -> Json:
    wait = {"type": "integer", "minimum": 0, "maximum": settings.wait_seconds_max, "default": 0}
    after = {"type": "integer", "minimum": -1, "maximum": INDEX["maximum"], "default": -1}
    parameters = [
        _tenant(),
        in_query("after", after, "The last index seen: a page's next_cursor."),
        limit(settings),
        in_query("wait", wait, "Seconds to wait for something new."),
        *searches.shapes(),
    ]
    return got("events", "Follow a tenant in the order of its log", _events(), parameters)


def _tail(settings: Settings) -> Json:
    position = {"type": "string", "minLength": 1, "maxLength": 1_024}
    search = searches.search(settings)["parameters"]
    parameters = [
        *[one for one in search if one["name"] not in ("limit", "cursor", "order", "at_least")],
        in_query("after", position, "The id of the last event seen; -1 for all; else from now."),
        in_header("Last-Event-ID", position, "The same, as browsers send it when they come back."),
    ]
    events = {"text/event-stream": {"schema": {"type": "string"}}}
    operation = got("events", "Follow tenants as events come", events, parameters)
    operation["description"] = (
        "Server-Sent Events: `id` is where to go on, `event` is `event`, `data` is an event on one"
        f" line. Up to {TENANTS_MAX} tenants, and {settings.tails_per_key_max} tails a key."
    )
    return operation


def _log() -> Json:
    content = {
        "text/plain": {"schema": some_text()},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    }
    log_id = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
    operation = got(
        "proofs",
        "A sealed log: its checkpoint, tiles and entry bundles (C2SP tlog-tiles)",
        content,
        [in_path("log_id", log_id), in_path("resource", some_text())],
    )
    operation["description"] = "Needs no key where the tenant's log is public."
    return operation


def _open(summary: str, content: Json) -> Json:
    ok = {"description": "It does.", "content": content}
    return {"tags": ["operators"], "summary": summary, "responses": {"200": ok, "default": FAULT}}


def _event() -> Json:
    return json_of({"$ref": "#/components/schemas/Event"})


def _events() -> Json:
    return json_of({"$ref": "#/components/schemas/Events"})


def _consistency() -> Json:
    hashes = {"type": "array", "items": {"type": "string", "contentEncoding": "base64"}}
    properties = {"old": INDEX, "new": INDEX, "hashes": hashes}
    return json_of({"type": "object", "required": list(properties), "properties": properties})


def _tenant() -> Json:
    return in_query("tenant", TENANT, "May be left out where the key is for one tenant.")


def _place() -> list[Json]:
    return [in_path("tenant", TENANT), in_path("index", INDEX)]
