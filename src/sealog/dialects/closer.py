"""Closer: hits of Elasticsearch whose `message` is an object of dotted ECS 1.9 keys.

Taken are the hit, the bare `_source`, and the envelope of the sister page's draft, which says the
same under `message.description` and `message.event` (CL-10 to CL-22, CL-Q1 to CL-Q7).
"""

from typing import Any

from msgspec import Raw

from sealog.catalog.shelf import Catalog
from sealog.dialects import drafting, leaves, trees
from sealog.dialects.addresses import Addresses
from sealog.dialects.classes import Classes
from sealog.dialects.dialect import Settings
from sealog.dialects.drafting import ActorKind, Outcome
from sealog.dialects.natives import Natives
from sealog.event import times, tokens
from sealog.event.findings import Finding, pointer
from sealog.event.record import Draft, Record
from sealog.event.tokens import Tree

OF_CUSTOMERS = "oauth_authorization"
"""The one action whose user is a customer (CL-37)."""

_PATHS_MAX = 1024
_MESSAGE = "/_source/message"
_DESCRIBED = ("kind", "category", "type", "action", "outcome")
_PERSON = {"agentId": "user.id", "email": "user.email"}


class Closer:
    """Reads Closer records. One per thread: it remembers what it looked up."""

    name = "closer"

    def __init__(self, catalog: Catalog) -> None:
        self._natives = Natives(self.name, catalog)
        self._classes = Classes()
        self._addresses = Addresses()
        self._steps: dict[str, tuple[tuple[str, ...], str]] = {}

    def translate(self, record: Record, settings: Settings) -> Draft:
        """Give the draft of one security log; see `Dialect.translate`."""
        draft = drafting.begin(self.name, record)
        source = _source(draft, record.fields)
        message = trees.opened(source["message"]) if "message" in source else None
        when = self._lift(draft, source, message)
        drafting.take_stamped(draft)
        _set_time(draft, when, settings)
        event: Tree = draft.tree.setdefault("event", {})
        _set_id(draft, record.fields, event)
        node = event.pop("action", None)
        event["action"], native = drafting.set_action(draft, record, node, self._natives)
        self._classes.settle(draft, event, native)
        _settle_http(draft, event)
        event.setdefault("provider", _PROVIDER)
        self._mend_address(draft)
        draft.tree["sealog"] = drafting.actor_object(_actor(draft))
        if record.equal:
            drafting.keep_equal(draft, record, _path)
        return draft

    def _lift(self, draft: Draft, source: Tree, message: Tree | None) -> Any:
        """Make the message's fields, and any beside it, the draft's tree; give the time's node."""
        if message is None:
            fields = source
        elif len(source) <= 2 and (tree := self._quick(message)) is not None:  # noqa: PLR2004
            draft.tree.update(tree)
            return source.get("@timestamp", draft.tree.pop("@timestamp", None))
        else:
            fields = _joined(draft, source, _described(draft, message) or message)
        expanded = trees.expand(fields)
        for root, node in expanded.tree.items():
            if root == "closer" and root in draft.tree:
                trees.keep(draft.sent, root, node)
            else:
                draft.tree[root] = node
        for path, node in expanded.losers.items():
            trees.keep(draft.sent, path, node)
        draft.findings += expanded.findings
        return draft.tree.pop("@timestamp", None)

    def _quick(self, message: Tree) -> Tree | None:
        """What `trees.expand` gives, for the message that nearly everyone sends.

        None where a value is an object or two keys meet: those are for `trees.expand`.
        """
        tree: Tree = {}
        known = self._steps
        for key, node in message.items():
            if type(node) is dict or bytes(node)[:1] == b"{":
                return None
            if key not in known:
                if len(known) >= _PATHS_MAX:
                    known.clear()
                *above, last = key.split(".")
                if not all(above) or len(above) >= trees.STEPS_MAX or above[:1] == ["labels"]:
                    return None
                known[key] = tuple(above), last
            parents, leaf = known[key]
            home = tree
            for step in parents:
                if step not in home:
                    home[step] = {}
                home = home[step]
                if type(home) is not dict:
                    return None
            if leaf in home:
                return None
            home[leaf] = node
        return tree

    def _mend_address(self, draft: Draft) -> None:
        home = draft.tree.get("source")
        if type(home) is dict and "ip" in home:
            where = f"{_MESSAGE}/source.ip"
            drafting.set_address(draft, home.pop("ip"), self._addresses, where, "source")
            if not home:
                del draft.tree["source"]


_PROVIDER = Raw(b'"closer"')


def _source(draft: Draft, fields: Tree) -> Tree:
    """The document of a hit, whose envelope goes to `closer.envelope`; else the record itself."""
    if "_source" not in fields:
        return fields
    envelope = {key: node for key, node in fields.items() if key not in ("_id", "_source")}
    source = trees.opened(fields["_source"])
    if source is None:
        envelope["_source"] = fields["_source"]
        draft.findings.append(Finding("wrong-type", "/_source", "a document that is no object"))
    if envelope:
        draft.tree["closer"] = {"envelope": envelope}
    return source or {}


def _joined(draft: Draft, source: Tree, message: Tree) -> Tree:
    """One object of what stands beside the message and in it; in the message it counts."""
    fields = {key: node for key, node in source.items() if key != "message"}
    for key, node in message.items():
        if key not in fields:
            fields[key] = node
        elif key == "@timestamp":
            trees.keep(draft.sent, "message.@timestamp", node)
        else:
            trees.keep(draft.sent, key, fields[key])
            draft.findings.append(Finding("clash", pointer("_source", key)))
            fields[key] = node
    return fields


def _described(draft: Draft, message: Tree) -> Tree | None:
    """The sister page's envelope as the fields of this one; None for any other message.

    `description` classifies; `event` tells who, and stays whole under `closer.event`.
    """
    description = trees.opened(message.get("description", _NULL))
    if description is None or "event.action" in message:
        return None
    who = trees.opened(message.get("event", _NULL)) or {}
    fields: Tree = {f"event.{key}": description[key] for key in _DESCRIBED if key in description}
    fields.update({path: who[key] for key, path in _PERSON.items() if key in who})
    names = [trees.text_of(who.get(key)) or "" for key in ("firstName", "lastName")]
    if any(names):
        fields["user.full_name"] = tokens.raw(" ".join(filter(None, names)))
    others = {key: node for key, node in description.items() if key not in _DESCRIBED}
    if others:
        fields["closer.description"] = others
    for key in ("event", "timestamp"):
        if key in message:
            fields[f"closer.{key}"] = message[key]
    taken = ("description", "event", "timestamp")
    for key, node in message.items():
        if key in taken:
            continue
        if key in fields:
            trees.keep(draft.sent, key, fields[key])
        fields[key] = node
    return fields


_NULL = tokens.raw(None)


def _set_time(draft: Draft, node: Any, settings: Settings) -> None:
    """Read the time; `+0000`, as Closer writes it, is nothing but `Z` (CL-Q2)."""
    written = trees.text_of(node)
    if written is not None and written[-5:] == "+0000":
        found = times.read(written[:-5] + "Z")
        if found is not None:
            draft.at_us, draft.at_text = found.at_us, found.text
            trees.keep(draft.sent, "@timestamp", node)
            return
    elif leaves.is_null(node):
        inner = trees.get(draft.tree, "closer.timestamp")
        node = node if inner is None else inner
    drafting.set_time(draft, node, _TIME, settings)


_TIME = "/_source/@timestamp"


def _set_id(draft: Draft, fields: Tree, event: Tree) -> None:
    """The hit's `_id` is the event's id; without one, its own `event.id`."""
    own = event.pop("id", None)
    drafting.set_id(draft, fields.get("_id") if "_source" in fields else None, "/_id")
    if draft.id is None:
        drafting.set_id(draft, own, f"{_MESSAGE}/event.id")
    elif own is not None:
        trees.keep(draft.sent, "event.id", own)


def _settle_http(draft: Draft, event: Tree) -> None:
    """Put bodies where ECS has them, and find the outcome: as sent, else by the status code."""
    status = None
    http = draft.tree.get("http")
    if type(http) is dict:
        for side in ("request", "response"):
            half = http.get(side)
            if type(half) is dict and "body" in half and leaves.is_scalar(half["body"]):
                half["body"] = {"content": half["body"]}
        response = http.get("response")
        if type(response) is dict:
            status = leaves.whole(response.get("status_code"))
    by_status = _outcome_of_status(status)
    if leaves.is_null(event.get("outcome")):
        event["outcome"] = drafting.outcome_token(by_status)
        return
    sent = event["outcome"]
    said = drafting.outcome_of_word(trees.text_of(leaves.only_item(sent) or sent))
    token = drafting.outcome_token(said or by_status)
    if sent != token:
        event["outcome"] = token
        trees.keep(draft.sent, "event.outcome", sent)
    if said is None:
        draft.findings.append(Finding("unknown-outcome", f"{_MESSAGE}/event.outcome"))
    elif said != by_status and "unknown" not in (said, by_status):
        detail = f"{said}, though the status is {status}; the outcome as sent counts"
        draft.findings.append(Finding("outcome-contradicts-status", detail=detail))


def _outcome_of_status(status: int | None) -> Outcome:
    """2xx and 3xx succeeded, 4xx and 5xx failed; anything else says nothing."""
    if status is None or not 200 <= status < 600:  # noqa: PLR2004 - the classes of HTTP
        return "unknown"
    return "success" if status < 400 else "failure"  # noqa: PLR2004


def _actor(draft: Draft) -> ActorKind:
    """Who it was: Closer names the user only where the request was authenticated (CL-13)."""
    user = draft.tree.get("user")
    if type(user) is not dict or leaves.is_blank(user.get("id")):
        return "unauthenticated"
    return "customer" if draft.action == OF_CUSTOMERS else "agent"


def _path(path: tuple[str, ...]) -> str:
    steps = list(path)
    if steps[0] == "_source":
        steps = steps[1:]
    elif steps[0].startswith("_"):
        return ".".join(
            ["event.id" if steps[0] == "_id" else f"closer.envelope.{steps[0]}", *steps[1:]]
        )
    if len(steps) > 1 and steps[0] == "message":
        steps = steps[1:]
    return ".".join(steps) or "_source"
