"""EasySend's shape: its security log, nearly ECS 8.11 (ES-40 to ES-46)."""

from typing import Any

from msgspec import Raw

from sealog.dialects.easysend import BROWSER_LEAVES, FLAT_ACTIONS
from sealog.event.tokens import Tree
from sealog.rendering.documents import Document, made, put

LABELS = (
    "app_type", "customer_id", "business_group", "business_group_id", "deploy_timestamp",
    "is_co_browsing_on", "master_rid", "page_analytics_id", "page_index", "page_name", "process_id",
    "process_multi_language", "request_id", "rid", "role", "source_type", "source_value", "step_id",
    "step_index", "web_flow_name", "webflow_id", "player_version", "authentication_method",
    "authentication_status", "auth_action", "auth_page",
)  # fmt: skip
"""The documented keys of `label`, in their order; all strings but `is_co_browsing_on`."""

_VERSION = "8.11"
_FLAGS = {b'"true"': Raw(b"true"), b'"false"': Raw(b"false")}
# What is not documented, and is derived or set by Sealog.
_EVENT_SET = ("id", "kind", "category", "type", "outcome", "provider", "ingested", "original")
_MOVED = frozenset({"ecs", "@timestamp", "sealog", "easysend", "labels", "event", "organization"})


def rebuilt(document: Document) -> Tree:
    """A security log again, of what is left of it."""
    flat = document.others("easysend.flat")
    log = made(
        [
            ("ecs", None if flat else {"version": document.version(_VERSION)}),
            ("@timestamp", document.time()),
            ("organization", document.others("organization", ("id",))),
        ]
    )
    log |= {
        key: node
        for key, node in document.tree.items()
        if key not in _MOVED and key not in ("user_agent", "client", "service")
    }
    log |= made(
        [
            ("user_agent", _agent(document, document.others("user_agent", ("os",)))),
            ("os", document.others("user_agent.os")),
            ("client", _client(document)),
            ("geo", document.others("client.geo")),
        ]
    )
    return log | (_flat(document, flat) if flat else _nested(document))


def closest(document: Document) -> Tree:
    """An event of another dialect as a security log: the documented fields that it has."""
    log: Tree = {"ecs": {"version": document.version(_VERSION)}}
    get = document.get
    for path, node in (
        ("@timestamp", document.time()),
        ("organization.name", get("organization.name")),
        ("user_agent.name", get("user_agent.name")),
        ("user_agent.device.name", get("user_agent.device.name")),
        ("user_agent.original", get("user_agent.original")),
        ("os.family", get("user_agent.os.family")),
        ("os.full", get("user_agent.os.full")),
        ("client.ip", document.first("client.ip", "source.ip")),
        ("event.action", document.action()),
        ("event.timezone", get("event.timezone")),
        ("geo.country_name", document.first("client.geo.country_name", "source.geo.country_name")),
        ("geo.region_name", document.first("client.geo.region_name", "source.geo.region_name")),
        ("url.full", get("url.full")),
        ("url.domain", get("url.domain")),
        ("service.environment", get("service.environment")),
    ):
        put(log, path, node)
    labels = document.others("labels")
    named = made((key, _typed(key, labels.get(key))) for key in LABELS)
    return log | made([("label", named)])


def _typed(key: str, node: Any) -> Any:
    """A label as it is documented: ECS has all of them as strings."""
    if key == "is_co_browsing_on" and node is not None and type(node) is not dict:
        return _FLAGS.get(bytes(node), node)
    return node


def _agent(document: Document, agent: Tree) -> Tree:
    """The user agent with the leaves of the browser where EasySend has them (ES-41)."""
    browser = document.others("easysend.browser")
    leaves = {key: browser[key] for key in BROWSER_LEAVES if key in browser}
    return ({"os": leaves} if leaves else {}) | agent


def _client(document: Document) -> Tree:
    client = document.others("client", ("geo",))
    if "ip" in client:
        client["ip"] = document.said("client.ip")
    return client


def _nested(document: Document) -> Tree:
    event = {key: node for key, node in document.others("event").items() if key not in _EVENT_SET}
    event.pop("action", None)
    event = made([("action", document.action())]) | event
    return made(
        [("event", event), ("service", document.others("service")), ("label", _labels(document))]
    )


def _labels(document: Document) -> Tree:
    """The labels as they were sent: those that were no strings stand apart."""
    labels = {key: _typed(key, node) for key, node in document.others("labels").items()}
    return labels | document.others("easysend.label")


def _flat(document: Document, flat: Tree) -> Tree:
    """The older flat shape: the environment stood beside all else."""
    is_named = any(key in flat for key in FLAT_ACTIONS)
    beside = [
        ("event", None if is_named else document.action()),
        ("environment", document.get("service.environment")),
        ("service", document.others("service", ("environment",))),
        ("label", _labels(document)),
    ]
    return made(beside) | flat
