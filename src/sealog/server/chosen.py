"""What the OpenAPI document says of settings and retention."""

from sealog.dialects.registry import NAMES
from sealog.policy import retention, settings
from sealog.policy.reading import ACTION_CHARS_MAX, DELIVERIES
from sealog.server.choosing import VERSIONS_MAX
from sealog.server.operations import (
    COUNT,
    FAULT,
    TENANT,
    Json,
    got,
    in_header,
    in_query,
    json_of,
    secured,
    some_text,
)

_VERSION = {"type": "integer", "minimum": 0, "maximum": (1 << 53) - 1}
_TEXT = {"type": ["string", "null"]}
_CHANGED: Json = {
    "changed": _TEXT | {"format": "date-time", "readOnly": True},
    "changed_by": _TEXT | {"description": "The key's id.", "readOnly": True},
}
_ACTION = _TEXT | {
    "minLength": 1,
    "maxLength": ACTION_CHARS_MAX,
    "description": "A native name or an alias; * stands for anything.",
}
_KEEP: Json = {
    "description": "How long, from event.ingested: 48h, 90d, ISO 8601, seconds; null: for ever.",
    "anyOf": [
        {"type": "string"},
        {"type": "integer", "minimum": retention.KEEP_MIN_S, "maximum": retention.KEEP_MAX_S},
        {"type": "null"},
    ],
}


def _rules(dialects: tuple[str, ...], most: int, **member: Json) -> Json:
    rule = {
        "type": "object",
        "additionalProperties": False,
        "required": list(member),
        "properties": {
            "dialect": {"enum": [*dialects, None]},
            "action": _ACTION,
            **member,
        },
    }
    return {"type": "array", "maxItems": most, "items": rule}


_RECORDED = _rules(NAMES, settings.RULES_MAX, record={"type": "boolean"}) | {
    "description": "The first that fits decides; what none fits is recorded.",
}
_RULES = _rules((*NAMES, "sealog"), retention.RULES_MAX, keep=_KEEP) | {
    "description": "The first that fits decides, then the defaults.",
}
SETTINGS: Json = {
    "type": "object",
    "description": "What a tenant chose.",
    "additionalProperties": False,
    "properties": {
        "tenant": TENANT | {"readOnly": True},
        "version": _VERSION,
        "recorded": _RECORDED,
        "delivery": {"enum": list(DELIVERIES), "default": "api"},
        "service": {
            "type": ["object", "null"],
            "description": "The destination of the service, in the form that streams take.",
        },
        "dialects": {
            "type": ["object", "null"],
            "additionalProperties": False,
            "properties": {
                "logichub": {
                    "type": ["object", "null"],
                    "additionalProperties": False,
                    "properties": {"day_first": {"type": ["boolean", "null"]}},
                }
            },
        },
        "told_once": {
            "type": "object",
            "description": "What is told of a service this once, such as its signing secret.",
            "readOnly": True,
        },
        **_CHANGED,
    },
}
RETENTION: Json = {
    "type": "object",
    "description": "How long a tenant's events are kept.",
    "additionalProperties": False,
    "required": ["rules"],
    "properties": {
        "tenant": TENANT | {"readOnly": True},
        "version": _VERSION,
        "rules": _RULES,
        "defaults": {"type": "array", "items": {"type": "object"}, "readOnly": True},
        "confirm": {
            "type": "boolean",
            "description": "What expires at once may go.",
            "writeOnly": True,
        },
        **_CHANGED,
    },
}
FORETOLD: Json = {
    "type": "object",
    "description": "What would go of what is there now, and when.",
    "required": ["tenant", "version", "rules", "defaults", "at_once", "later", "beyond"],
    "properties": {
        "tenant": TENANT,
        "version": _VERSION | {"description": "The one in force: nothing was changed."},
        "rules": _RULES,
        "defaults": {"type": "array", "items": {"type": "object"}},
        "at_once": {
            "type": "object",
            "required": ["events", "types"],
            "properties": {
                "events": COUNT,
                "types": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["dialect", "action", "events"],
                        "properties": {"dialect": _TEXT, "action": _TEXT, "events": COUNT},
                    },
                },
            },
        },
        "later": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["day", "events"],
                "properties": {"day": {"type": "string", "format": "date"}, "events": COUNT},
            },
        },
        "beyond": COUNT | {"description": "After the last of these days."},
    },
}


def paths() -> dict[str, Json]:
    """All routes of settings and retention."""
    tenant = in_query("tenant", TENANT, "May be left out where the key is for one tenant.")
    dry_run = in_query("dry_run", {"enum": ["0", "1"]}, "Only say what would go, and when.")
    found = {}
    for name, what, shown, more in (
        ("settings", "What a tenant chose", SETTINGS, ()),
        ("retention", "How long a tenant's events are kept", RETENTION, (dry_run,)),
    ):
        schema = {"$ref": f"#/components/schemas/{name.capitalize()}"}
        put = _put(f"Change: {what[0].lower()}{what[1:]}", schema, [tenant, *more])
        if name == "retention":
            ok = put["responses"]["200"]
            foretold = {"$ref": "#/components/schemas/Foretold"}
            ok["content"] = json_of({"anyOf": [schema, foretold]})
        shown_at = got("policies", what, json_of(schema), [tenant])
        shown_at["responses"]["200"]["headers"] = _ETAG
        found[f"/v1/{name}"] = {"get": shown_at, "put": put}
        found[f"/v1/{name}/history"] = {
            "get": got("policies", f"{what}: every version", _versions(shown), _page(tenant))
        }
    return found


_ETAG = {"ETag": {"schema": {"type": "string"}, "description": "The version."}}


def _put(summary: str, schema: Json, parameters: list[Json]) -> Json:
    if_match = in_header("If-Match", some_text(), "The version it is based on, if not in the body.")
    return secured(
        {
            "tags": ["policies"],
            "summary": summary,
            "description": "As a whole: what is left out is as if it had never been chosen. It is"
            " in force, and told in the tenant's trail, when it is answered.",
            "parameters": [*parameters, if_match],
            "requestBody": {"required": True, "content": json_of(schema)},
            "responses": {
                "200": {
                    "description": "It is in force.",
                    "content": json_of(schema),
                    "headers": _ETAG,
                },
                "default": FAULT,
            },
        }
    )


def _page(tenant: Json) -> list[Json]:
    most = {"type": "integer", "minimum": 1, "maximum": VERSIONS_MAX, "default": VERSIONS_MAX}
    cursor = {"type": "string", "pattern": "^[0-9]{1,15}$"}
    return [
        tenant,
        in_query("limit", most, "Versions on a page."),
        in_query("cursor", cursor, "A page's next_cursor."),
    ]


def _versions(shown: Json) -> Json:
    properties = {
        name: schema
        for name, schema in shown["properties"].items()
        if name not in ("tenant", "defaults", "confirm", "told_once")
    }
    version = {"type": "object", "required": list(properties), "properties": properties}
    return json_of(
        {
            "type": "object",
            "required": ["versions", "next_cursor"],
            "properties": {
                "versions": {"type": "array", "items": version},
                "next_cursor": _TEXT,
            },
        }
    )
