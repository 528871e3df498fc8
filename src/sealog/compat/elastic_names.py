"""Which indices the Elasticsearch interface shows, and which fields each of them has.

Index `sealog` holds every event as ECS; an index per dialect holds that product's own, its fields
named as the product documents them (CL-10 to CL-22, ES-40 to ES-46).
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

import msgspec

from sealog.compat.elastic_errors import Rejected, no_index
from sealog.rendering import easysend

ECS = "sealog"
TIME = "@timestamp"
ID = "_id"
ANYWHERE = frozenset({"*", "_all", "event.original"})
"""Names under which all that an event says is searched."""
_KEYWORD = ".keyword"
"""What dynamic mapping adds to a text: customers' queries name it."""


class Field(msgspec.Struct, frozen=True):
    """One field of an index."""

    asked: str | None
    """The field of a search that it is asked as; None: it is shown, but cannot be searched."""
    type: str = "keyword"
    """As a mapping names it."""


class Index(msgspec.Struct, frozen=True):
    """One index."""

    name: str
    dialect: str | None
    """Whose events it holds; None: all."""
    fields: Mapping[str, Field]

    def field(self, name: str) -> Field | None:
        """The field of that name, or of its `.keyword`."""
        return self.fields.get(name) or self.fields.get(name.removesuffix(_KEYWORD))


_ACTION, _STATUS = Field("action"), Field("status", "long")
_SHOWN, _FLAG = Field(None), Field(None, "boolean")
_ADDRESS, _WHEN = Field("ip", "ip"), Field(TIME, "date")

_EVENT = {
    "event.action": _ACTION,
    "event.category": Field("category"),
    "event.type": Field("type"),
    "event.outcome": Field("outcome"),
    "event.kind": _SHOWN,
}
_HTTP = {
    "http.request.method": _SHOWN,
    "http.request.body.content": _SHOWN,
    "http.response.body.content": _SHOWN,
    "http.response.status_code": _STATUS,
}
_PERSON = {
    "user.id": Field("actor.id"),
    "user.name": Field("actor.name"),
    "user.email": Field("actor.email"),
    "user.roles": _SHOWN,
}

_ECS = {
    TIME: _WHEN,
    "ecs.version": _SHOWN,
    **_EVENT,
    "event.id": Field("id"),
    "event.created": Field(None, "date"),
    "event.ingested": Field(None, "date"),
    "event.provider": _SHOWN,
    "event.dataset": _SHOWN,
    **_PERSON,
    "user.target.id": Field("target"),
    "user.target.name": Field("target"),
    "user.target.email": Field("target"),
    "source.ip": _ADDRESS,
    "client.ip": _ADDRESS,
    "session.id": Field("session"),
    "organization.id": _SHOWN,
    **_HTTP,
    "url.full": _SHOWN,
    "user_agent.original": _SHOWN,
    "sealog.action": _ACTION,
    "sealog.actor.kind": Field("actor.kind"),
    "sealog.dialect": Field("dialect"),
    "sealog.index": Field("index", "long"),
}

_CLOSER = {TIME: _WHEN} | {
    f"message.{name}": field
    for name, field in {
        "ecs.version": _SHOWN,
        **_EVENT,
        "user.id": Field("actor.id"),
        "user.roles": _SHOWN,
        "source.ip": _ADDRESS,
        **_HTTP,
        "url.full": _SHOWN,
    }.items()
}

_EASYSEND = {
    TIME: _WHEN,
    "event.action": _ACTION,
    "client.ip": _ADDRESS,
    **dict.fromkeys(
        (
            "ecs.version",
            "organization.name",
            "user_agent.os.browser_language",
            "user_agent.os.browser_platform",
            "user_agent.name",
            "user_agent.device.name",
            "user_agent.original",
            "os.family",
            "os.full",
            "event.timezone",
            "geo.country_name",
            "geo.region_name",
            "url.full",
            "url.domain",
            "service.environment",
            *(f"label.{name}" for name in easysend.LABELS),
        ),
        _SHOWN,
    ),
    "user_agent.os.is_mobile_device": _FLAG,
    "user_agent.os.is_verified_bot": _FLAG,
    "label.is_co_browsing_on": _FLAG,
}

INDICES: dict[str, Index] = {
    one.name: one
    for one in (
        Index(ECS, None, _ECS),
        Index("closer", "closer", _CLOSER),
        Index("easysend", "easysend", _EASYSEND),
        Index(
            "chatvisor",
            "chatvisor",
            {
                "timestamp": _WHEN,
                "type": _ACTION,
                "tenantUserId": Field("actor.id"),
                "sessionId": Field("session"),
                "agent": _FLAG,
            },
        ),
        Index(
            "supsis",
            "supsis",
            {
                "dateTime": _WHEN,
                "user": Field("actor"),
                "ip": _ADDRESS,
                "activity": _ACTION,
            },
        ),
        Index(
            "logichub",
            "logichub",
            {
                "time": _WHEN,
                "category": _SHOWN,
                "actor": Field("actor"),
                "type": _ACTION,
                "details.status": _SHOWN,
            },
        ),
    )
}


class Choosing(msgspec.Struct, frozen=True):
    """What becomes of names that no index has."""

    ignore_missing: bool = False
    """`ignore_unavailable`: a name that is not there is left out, not 404."""
    may_be_none: bool = True
    """`allow_no_indices`: whether none may be left."""
    expands: bool = True
    """`expand_wildcards`: whether patterns find open indices, which all of them are."""


def named(expression: str | None, how: Choosing = Choosing()) -> list[Index]:  # noqa: B008 - frozen
    """The indices that a path names: one, some with commas, patterns with `*`; none for `sealog`.

    Raises `Rejected` (404) for one that is not there, and for `sealog` beside another: it holds
    what the others hold.
    """
    if expression in (None, "", "_all", "*") and how.expands:
        return [INDICES[ECS]]
    found = each(expression or "*", how)
    if len(found) > 1 and any(one.name == ECS for one in found):
        reason = f"index [{ECS}] holds the events of all the others: name it alone"
        raise Rejected(reason)
    return found


def each(expression: str, how: Choosing = Choosing()) -> list[Index]:  # noqa: B008 - frozen
    """The indices that are named, `sealog` beside the others where it fits. Raises `Rejected` (404)."""
    found: dict[str, Index] = {}
    for name in expression.split(","):
        pattern = "*" if name == "_all" else name
        if name in INDICES:
            found[name] = INDICES[name]
        elif "*" in pattern:
            fitting = [one for one in INDICES.values() if fnmatchcase(one.name, pattern)]
            found |= {one.name: one for one in fitting if how.expands}
        elif not how.ignore_missing:
            raise no_index(name)
    if not found and not how.may_be_none:
        raise no_index(expression)
    return list(found.values())


def mappings(index: Index) -> dict[str, object]:
    """The `mappings` of an index: documented fields, nested as a mapping has them."""
    root: dict[str, dict[str, object]] = {}
    for name, field in index.fields.items():
        *above, leaf = name.split(".")
        properties = root
        for step in above:
            inner = properties.setdefault(step, {"properties": {}})
            properties = inner["properties"]  # type: ignore[assignment]
        shown: dict[str, object] = {"type": field.type}
        if field.asked is None:
            shown["index"] = False
        properties[leaf] = shown
    return {"dynamic": "true", "properties": root}


def capabilities(indices: Iterable[Index], patterns: Iterable[str]) -> dict[str, object]:
    """What `_field_caps` answers of the fields that the patterns name."""
    wanted = list(patterns)
    fields: dict[str, object] = {}
    for index in indices:
        for name, field in {**index.fields, ID: Field("id", "_id")}.items():
            if not any(fnmatchcase(name, pattern) for pattern in wanted):
                continue
            kept = fields.setdefault(name, {})
            assert isinstance(kept, dict)
            kept[field.type] = {
                "type": field.type,
                "metadata_field": name == ID,
                "searchable": field.asked is not None,
                "aggregatable": field.asked is not None and name != ID,
            }
    return fields
