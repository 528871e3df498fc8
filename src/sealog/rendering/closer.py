"""Closer's shape: a hit of Elasticsearch, dotted ECS 1.9 keys in `message` (CL-10 to CL-22)."""

from typing import Any

from msgspec import Raw

from sealog.dialects import trees
from sealog.event.tokens import Tree
from sealog.rendering import versions
from sealog.rendering.documents import Document, made, several, whole

_INDEX = Raw(b'"closer"')
_VERSION = "1.9"
# What Sealog adds, or has put in another place than it came from.
_NOT_SENT = {
    "event": ("id", "ingested", "original", "provider"),
    "closer": ("envelope",),
    "organization": ("id",),
}
_ELSEWHERE = frozenset({"@timestamp", "ecs", "sealog", "message"})


def rebuilt(document: Document) -> Tree:
    """A hit again, of what is left of it."""
    envelope = document.get("closer.envelope")
    return _hit(document, _message(document), (trees.opened(envelope) if envelope else {}) or {})


def closest(document: Document) -> Tree:
    """An event of another dialect as a hit: the documented fields that it has."""
    status = document.get("http.response.status_code")
    message = made(
        [
            *_classes(document),
            ("event.action", document.action()),
            ("event.outcome", document.get("event.outcome")),
            ("http.request.body.content", document.get("http.request.body.content")),
            ("http.request.method", document.get("http.request.method")),
            ("http.response.body.content", document.get("http.response.body.content")),
            ("http.response.status_code", whole(status)),
            ("user.id", document.first("user.id")),
            ("user.roles", several(document.get("user.roles"))),
            ("source.ip", document.first("source.ip", "client.ip")),
            ("url.full", document.get("url.full")),
            ("ecs.version", document.version(_VERSION)),
        ]
    )
    return _hit(document, message, {"_index": _INDEX})


def _hit(document: Document, message: Tree, envelope: Tree) -> Tree:
    hit = made([("_index", _INDEX), ("_type", envelope.get("_type"))])
    hit |= made([("_id", document.get("event.id"))]) | envelope
    hit["_source"] = made([("@timestamp", _time(document)), ("message", message)])
    return hit


def _time(document: Document) -> Any:
    node = document.time()
    if node is None or node is not document.get("@timestamp"):
        return node
    # As Closer prints UTC (CL-Q2).
    token = bytes(node)
    return Raw(token[:-2] + b'+0000"') if token.endswith(b'Z"') else node


def _classes(document: Document) -> list[tuple[str, Any]]:
    """What ECS 1.9 knows of the event's classes; the kind is an array, as it is printed (CL-Q5)."""
    found = versions.classes(document.get("event.kind"), *_listed(document))
    return [(f"event.{name}", several(node)) for name, node in found.items()]


def _listed(document: Document) -> tuple[Any, Any]:
    return several(document.get("event.category")), several(document.get("event.type"))


def _message(document: Document) -> Tree:
    """Every field under the dotted key that it had, or would have had."""
    message: Tree = {}
    for root, node in document.tree.items():
        if root in _ELSEWHERE:
            continue
        if trees.opened(node):
            _flatten(document, root, document.others(root, _NOT_SENT.get(root, ())), message)
        else:
            message[root] = node
    if "event.kind" in message:
        message["event.kind"] = several(message["event.kind"])
    action = document.action()
    message.pop("event.action", None)
    if action is not None:
        message["event.action"] = action
    message["ecs.version"] = document.version(_VERSION)
    return message


def _flatten(document: Document, path: str, inner: Tree, message: Tree) -> None:
    for key, node in inner.items():
        here = f"{path}.{key}"
        below = trees.opened(node)
        if below:
            _flatten(document, here, below, message)
        else:
            message[here] = document.as_sent(here, node)
