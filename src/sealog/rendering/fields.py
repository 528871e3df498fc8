"""What is documented of each shape, by the names that a search knows."""

from collections.abc import Mapping
from types import MappingProxyType

from sealog.query.fields import FIELDS

TIMES: Mapping[str, str] = MappingProxyType(
    {
        "ecs": "@timestamp",
        "closer": "@timestamp",
        "easysend": "@timestamp",
        "chatvisor": "timestamp",
        "supsis": "dateTime",
        "logichub": "time",
    }
)
"""Dialect → the name of the field that says when it happened; a search has `from` and `to` for it."""

_PATHS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        # What a search calls by the name that ECS has for it; words without a dot are people's.
        "ecs": MappingProxyType(
            {name: field.name for field in FIELDS.values() for name in field.also if "." in name}
        ),
        "closer": MappingProxyType(
            {
                "_id": "id",
                "message.event.action": "action",
                "message.event.category": "category",
                "message.event.type": "type",
                "message.event.outcome": "outcome",
                "message.user.id": "actor.id",
                "message.source.ip": "ip",
                "message.http.response.status_code": "status",
            }
        ),
        "easysend": MappingProxyType({"event.action": "action", "client.ip": "ip"}),
        "chatvisor": MappingProxyType(
            {
                "id": "id",
                "type": "action",
                "tenantUserId": "actor.id",
                "sessionId": "session",
                "data.customerId": "target",
                "data.tenantUser": "target",
                "data.sessionId": "session",
            }
        ),
        "supsis": MappingProxyType({"user": "actor", "ip": "ip", "activity": "action"}),
        "logichub": MappingProxyType({"actor": "actor", "type": "action"}),
    }
)


def paths_of(dialect: str) -> Mapping[str, str]:
    """The documented fields of a shape that a search knows, each with the search's own name of it.

    Dotted as they stand in the shape, Closer's below `_source`. Raises `KeyError` for what is no
    dialect.
    """
    return _PATHS[dialect]
