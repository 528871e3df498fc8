"""What the OpenAPI document says of the interfaces of other products: what each of them documents.

Elasticsearch's read API is one entry, because its own documents are its reference.
"""

from collections.abc import Sequence

from sealog.compat import chatvisor, easysend, elasticsearch, listing, logichub, supsis
from sealog.compat.easysend_asking import APPLICATIONS, ENDS
from sealog.compat.easysend_keys import HEADER
from sealog.server.operations import (
    FAULT,
    TENANT,
    Described,
    Json,
    got,
    in_path,
    in_query,
    json_of,
    secured,
    some_text,
)
from sealog.server.settings import Settings

_ANY: Json = {"type": "object", "additionalProperties": True}
_CURSOR: Json = {"type": ["string", "null"]}
_TEXT: Json = {"type": "string"}
_SEVERAL: Json = {"type": "array", "items": some_text(), "maxItems": 100}
_MOMENT: Json = {"type": "string", "pattern": "^[0-9]{14}$", "examples": ["20260131235959"]}
_KEY: Json = {"type": "apiKey", "in": "header", "name": "apiKey", "description": "EasySend's key."}
assert _KEY["name"].encode().lower() == HEADER


def described(settings: Settings) -> Described:
    """Every route of this room."""
    return Described(
        {
            easysend.PATH: {"get": _security_logs()},
            chatvisor.ACTIVITY: {"get": _activity(settings)},
            chatvisor.SESSION: {"get": _session(settings)},
            supsis.PATH: {"get": _audit_logs(settings)},
            logichub.PATH: {"get": _audit_events(settings)},
            elasticsearch.PREFIX + "/{path}": {
                method: _elastic(method) for method in ("get", "post")
            },
        },
        {"apiKey": _KEY},
    )


def _security_logs() -> Json:
    page = {
        "type": "object",
        "required": ["pageNumber", "results", "securityLogs"],
        "properties": {
            "pageNumber": {"type": "integer", "minimum": 1},
            "results": {"type": "integer", "minimum": 1},
            "securityLogs": {"type": "array", "items": _ANY},
        },
    }
    parameters = [
        in_query("start_time", _MOMENT, "UTC, YYYYMMDDHHMMSS.", required=True),
        *[in_query(name, _MOMENT, "The range ends before it; else now.") for name in ENDS],
        in_query("app_type", {"enum": list(APPLICATIONS)}, "Only this application's."),
    ]
    operation = got(
        "easysend", "Security logs", json_of({"type": "array", "items": page}), parameters
    )
    count = {"schema": {"type": "integer", "minimum": 0}}
    operation["responses"]["200"]["headers"] = {
        "Number-Of-Pages": count,
        "Number-Of-Results": count,
    }
    too_long = "It would take too long: `suggested` are ranges to ask for instead."
    operation["responses"]["408"] = FAULT | {"description": too_long}
    operation["security"] = [{"apiKey": []}]
    return operation | {"operationId": "easysend_security_logs"}


def _activity(settings: Settings) -> Json:
    names = ("type", "tenantUserId")
    content = _page("logs", ("id", "timestamp", "type", "name", "description", "data"))
    operation = got("chatvisor", "General log", content, _listed(settings, names))
    return operation | {"operationId": "chatvisor_activity_logs"}


def _session(settings: Settings) -> Json:
    content = _page("events", ("id", "timestamp", "type", "agent", "data"))
    content["application/json"]["schema"]["properties"] |= {
        "sessionId": _TEXT,
        "joined": {"type": "array", "items": _ANY},
    }
    parameters = [in_path("id", some_text()), *_listed(settings, ("type",))]
    operation = got("chatvisor", "Session log", content, parameters)
    return operation | {"operationId": "chatvisor_session"}


def _audit_logs(settings: Settings) -> Json:
    names = tuple(supsis.COLUMNS)
    form = in_query("format", {"enum": ["json", "csv"], "default": "json"}, "As JSON, or CSV.")
    parameters = [*_listed(settings, ("event", "user")), form]
    content = _page("logs", names) | {"text/csv": {"schema": _TEXT}}
    operation = got("supsis", "Audit logs", content, parameters)
    return operation | {"operationId": "supsis_audit_logs"}


def _audit_events(settings: Settings) -> Json:
    findings = in_query("findings", {"enum": ["yes", "no"], "default": "no"}, "With what was odd.")
    parameters = [*_listed(settings, ("type", "actor", "category")), findings]
    content: Json = {logichub.MEDIA_TYPE: {"schema": _TEXT}}
    operation = got("logichub", "Audit events, a line each", content, parameters)
    link = {"description": "`rel=next` leads to the next page.", "schema": _TEXT}
    operation["responses"]["200"]["headers"] = {"Link": link}
    return operation | {"operationId": "logichub_audit_events"}


def _elastic(method: str) -> Json:
    fault = {
        "type": "object",
        "required": ["error", "status"],
        "properties": {"error": _ANY, "status": {"type": "integer"}},
    }
    found = json_of({"type": ["object", "array"]}) | {"text/plain": {"schema": _TEXT}}
    operation: Json = {
        "tags": ["elasticsearch"],
        "summary": "Elasticsearch's read API",
        "description": "`_search`, `_count`, `_msearch`, `_field_caps`, `_mapping`, `_cat/indices`,"
        " point in time and scroll; what would write is 403.",
        "operationId": f"elasticsearch_{method}",
        "parameters": [in_path("path", some_text())],
        "responses": {
            "200": {"description": "As Elasticsearch answers.", "content": found},
            "default": {
                "description": "A fault in its shape; a problem where it is none of its paths.",
                "content": json_of(fault) | FAULT["content"],
            },
        },
    }
    if method == "post":
        operation["requestBody"] = {"content": json_of(_ANY)}
    return secured(operation)


def _page(name: str, members: Sequence[str]) -> Json:
    item = {
        "type": "object",
        "required": list(members),
        "properties": {member: {} for member in members},
    }
    properties = {name: {"type": "array", "items": item}, "next_cursor": _CURSOR}
    return json_of({"type": "object", "required": list(properties), "properties": properties})


def _listed(settings: Settings, names: Sequence[str]) -> list[Json]:
    """The parameters of a listing: those of all of them, and its filters."""
    limit = {
        "type": "integer",
        "minimum": 1,
        "maximum": settings.page_max,
        "default": listing.PAGE_DEFAULT,
    }
    return [
        in_query("tenant", TENANT, "May be left out where the key is for one tenant."),
        in_query("from", some_text(), "At this time or later: RFC 3339, 2026-01-31, -15m, -7d."),
        in_query("to", some_text(), "Before this time."),
        in_query("zone", some_text(), "Whose days are meant, such as Europe/Berlin; else UTC."),
        in_query("limit", limit, "Events on a page."),
        in_query("cursor", some_text(), "A page's next_cursor."),
        in_query("order", {"enum": ["newest", "oldest"]}, "Which come first."),
        *[in_query(name, _SEVERAL, "Any of these.") for name in names],
    ]
