"""Chatvisor: the activity log of a tenant, and the events of a co-browsing session.

Its documentation lists types and data and shows no format; the JSON is ours: `{"id"?, "timestamp",
"type", "tenantUserId", "data"}` for an activity, `{"id"?, "timestamp", "type", "sessionId",
"agent", "data"}` for a session's event (CV-01 to CV-26).
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Raw

from sealog.catalog.shelf import Catalog
from sealog.dialects import drafting, leaves, trees
from sealog.dialects.dialect import Dialect, Settings
from sealog.dialects.drafting import ActorKind
from sealog.dialects.natives import Natives
from sealog.event import tokens
from sealog.event.findings import Finding
from sealog.event.record import Draft, Record
from sealog.event.tokens import Tree

MEETING_CHANGE = "MEETING_CHANGE"
CUSTOMER_IDS = ("customerId", "customerID", "customerlD")
"""The last with a small L where an I belongs, as it is printed."""
SESSION_IDS = ("sessionId", "sessionID")
TENANT_USER_IDS = ("tenantUserId", "tenantUserID")
TARGET_USERS = ("tenantUser", "tenantUserId", "tenantUserID")
"""Where the data of a type names the tenant user it was done to (CV-08)."""

_CHANGE = Raw(b'["change"]')
_DELETION = Raw(b'["deletion"]')
_PATHS = {
    "timestamp": "@timestamp",
    "type": "event.action",
    "id": "event.id",
    **dict.fromkeys(TENANT_USER_IDS, "user.id"),
    **dict.fromkeys(SESSION_IDS, "session.id"),
}


class Chatvisor(Dialect):
    """Reads Chatvisor records. One per thread: it remembers what it looked up."""

    name = "chatvisor"

    def __init__(self, catalog: Catalog) -> None:
        self._natives = Natives(self.name, catalog)

    def translate(self, record: Record, settings: Settings) -> Draft:
        """Give the draft of one activity or session event; see `Dialect.translate`."""
        draft = drafting.begin(self.name, record)
        fields = dict(record.fields)
        drafting.set_time(draft, fields.pop("timestamp", None), "/timestamp", settings)
        drafting.set_id(draft, fields.pop("id", None), "/id")
        action, native = drafting.set_action(draft, record, fields.pop("type", None), self._natives)
        outcome = drafting.fixed_outcome(native)
        event = draft.tree["event"] = drafting.event_object(draft, action, native, outcome)
        data = _data(draft, fields)
        _set_ids(draft, fields, data)
        if draft.action == MEETING_CHANGE:
            event["type"] = _DELETION if "DELETE" in _words(data) else _CHANGE
        draft.tree["sealog"] = drafting.actor_object(_actor(draft, fields))
        drafting.set_tenant(draft, fields)
        if fields:
            drafting.keep_others(draft, fields, draft.tree.setdefault(self.name, {}))
        if record.equal:
            drafting.keep_equal(draft, record, _path)
        return draft


def _data(draft: Draft, fields: Tree) -> Tree:
    """Put the data under `chatvisor.data`, and give it opened, to look at."""
    node = fields.pop("data", None)
    if node is None:
        return {}
    data = trees.opened(node)
    draft.tree["chatvisor"] = {"data": node if data is None else data}
    if data is None and not leaves.is_null(node):
        draft.findings.append(Finding("wrong-type", "/data", "data that is no object"))
    return data or {}


def _set_ids(draft: Draft, fields: Tree, data: Tree) -> None:
    """Set who did it, in which session, to whom; what the data says of them stays there too."""
    _set_id(draft, "user", *_take(fields, TENANT_USER_IDS))
    key, session = _take(fields, SESSION_IDS)
    if session is None:
        key, session = _among(data, SESSION_IDS)
        key = f"data/{key}"
    _set_id(draft, "session", key, session)
    target = _target(data)
    if target:
        draft.tree.setdefault("user", {})["target"] = target


def _set_id(draft: Draft, root: str, key: str, node: Any) -> None:
    """Set `<root>.id`; a number becomes the string of it, anything odder only stands as sent."""
    if node is None:
        return
    written = leaves.scalar_text(node)
    if written is None or not written.strip():
        if not leaves.is_blank(node):
            draft.findings.append(Finding("wrong-type", f"/{key}", "an id that is no string"))
    elif bytes(node)[:1] == b'"':
        draft.tree[root] = {"id": node}
        return
    else:
        draft.tree[root] = {"id": tokens.raw(written)}
    trees.keep(draft.sent, f"{root}.id", node)


def _target(data: Tree) -> Tree:
    """The customer or tenant user that the data names, as ECS has a person."""
    _, node = _among(data, CUSTOMER_IDS)
    if node is None:
        _, node = _among(data, TARGET_USERS)
    if leaves.is_blank(node):
        return {}
    written = leaves.scalar_text(node)
    if written is None:
        return drafting.person_in(node)
    return {"id": node if bytes(node)[:1] == b'"' else tokens.raw(written)}


def _actor(draft: Draft, fields: Tree) -> ActorKind:
    """In a session the agent or the customer, by the flag that each event carries; else the user.

    The flag itself stays in `chatvisor.agent`, which `fields` still holds.
    """
    if "agent" in fields:
        flag = fields["agent"]
        if type(flag) is not dict and bytes(flag) in _SIDES:
            return _SIDES[bytes(flag)]
        draft.findings.append(Finding("wrong-type", "/agent", "neither true nor false"))
    return "user" if "user" in draft.tree and "id" in draft.tree["user"] else "absent"


_SIDES: dict[bytes, ActorKind] = {b"true": "agent", b"false": "customer"}


def _words(data: Tree) -> set[str | None]:
    """The strings among the data: one of them is the operation; its key is not documented."""
    return {trees.text_of(node) for node in data.values()}


def _among(fields: Tree, keys: Iterable[str]) -> tuple[str, Any]:
    """The first of several spellings that is there."""
    return next(((key, fields[key]) for key in keys if key in fields), ("", None))


def _take(fields: Tree, keys: Iterable[str]) -> tuple[str, Any]:
    key, node = _among(fields, keys)
    if node is not None:
        del fields[key]
    return key, node


def _path(path: tuple[str, ...]) -> str:
    head, *below = path
    return ".".join([_PATHS.get(head, f"chatvisor.{head}"), *below])
