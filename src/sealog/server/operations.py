"""The pieces that the OpenAPI document's operations are put together from."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sealog.server import problems
from sealog.server.administering import TENANT_PATTERN
from sealog.server.settings import Settings

Json = dict[str, Any]

TENANT = {"type": "string", "pattern": TENANT_PATTERN, "examples": ["acme"]}
INDEX = {"type": "integer", "minimum": 0, "maximum": (1 << 53) - 1}
COUNT = {"type": "integer", "minimum": 0}
MAYBE_TIME = {"type": ["string", "null"], "format": "date-time"}
FAULT: Json = {
    "description": "A problem.",
    "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class Described(msgspec.Struct, frozen=True):
    """What a room above says of its own routes."""

    paths: Mapping[str, Json] = {}
    """Path → method → operation, its `operationId` with it."""
    schemes: Mapping[str, Json] = {}
    """Ways to be let in that its operations name."""


def got(tag: str, summary: str, content: Json, parameters: Sequence[Json]) -> Json:
    """A GET that needs a key."""
    ok = {"description": "Found.", "content": content}
    return secured(
        {
            "tags": [tag],
            "summary": summary,
            "parameters": list(parameters),
            "responses": {"200": ok, "default": FAULT},
        }
    )


def secured(operation: Json) -> Json:
    """The operation, which needs a key."""
    operation["security"] = [{"bearer": []}, {"basic": []}]
    return operation


def json_of(schema: Mapping[str, Any]) -> Json:
    """Content that is JSON."""
    return {"application/json": {"schema": dict(schema)}}


def some_text() -> Json:
    """A value that may be any text."""
    return {"type": "string", "minLength": 1, "maxLength": 1_024}


def limit(settings: Settings) -> Json:
    """How many events a page has."""
    schema = {
        "type": "integer",
        "minimum": 1,
        "maximum": settings.page_max,
        "default": settings.page_default,
    }
    return in_query("limit", schema, "Events on a page.")


def in_path(name: str, schema: Json) -> Json:
    """A parameter that stands in the path."""
    return {"name": name, "in": "path", "required": True, "schema": schema}


def in_query(name: str, schema: Json, description: str, *, required: bool = False) -> Json:
    """A parameter of the query string."""
    parameter = {"name": name, "in": "query", "schema": schema, "description": description}
    return {**parameter, "required": True} if required else parameter


def in_header(name: str, schema: Json, description: str) -> Json:
    """A header."""
    return {"name": name, "in": "header", "schema": schema, "description": description}
