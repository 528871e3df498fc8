"""Closer: hits of Elasticsearch whose `message` is an object of dotted ECS 1.9 keys.

Taken are the hit, the bare `_source`, and the envelope of the sister page's draft, which says the
same under `message.description` and `message.event` (CL-10 to CL-22, CL-Q1 to CL-Q7).
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec import Raw

from sealog.catalog.shelf import Catalog
from sealog.dialects import drafting, leaves, trees
from sealog.dialects.addresses import Address, Addresses
from sealog.dialects.classes import Classes
from sealog.dialects.dialect import Dialect, Settings
from sealog.dialects.drafting import ActorKind, Outcome
from sealog.dialects.hits import Forms, HitLearner
from sealog.dialects.natives import Natives
from sealog.event import times, tokens
from sealog.event.findings import Finding, pointer
from sealog.event.ids import may_be_id
from sealog.event.record import Draft, Record
from sealog.event.shapes import Shaped, Shapes
from sealog.event.tokens import Tree

OF_CUSTOMERS = "oauth_authorization"
"""The one action whose user is a customer (CL-37)."""

_SHAPES_MAX = 512
_SHAPE_KEYS_MAX = 64
_SHAPE_CHARS_MAX = 4096
_DESCRIBED = ("kind", "category", "type", "action", "outcome")
_PERSON = {"agentId": "user.id", "email": "user.email"}


class Closer(Dialect):
    """Reads Closer records. One per thread: it remembers what it looked up."""

    name = "closer"

    def __init__(self, catalog: Catalog) -> None:
        self._natives = Natives(self.name, catalog)
        self._classes = Classes()
        self._addresses = Addresses()
        self._shapes: dict[tuple[str, ...], Shape | None] = {}
        self._seconds = times.Seconds()
        self._hits = Shapes(HitLearner(lambda keys: shape_of(keys) is not None).learn)
        self._forms = Forms(lambda record: self.translate(record, Settings()))

    def read(self, lines: Sequence[bytes]) -> list[Shaped | None]:
        """See `Dialect.read`."""
        return self._hits.read_all(lines)

    def glance(self, record: Record, settings: Settings) -> Draft | None:
        """See `Dialect.glance`."""
        shaped = record.shaped
        if shaped is None:
            return None
        at, name, ip, user, *deciding = shaped.asked()
        # Looked at first: of any other ending half a character might be cut off.
        if at[-6:] != _UTC:
            return None
        at_text = at[1:-6].decode() + "Z"
        at_us = self._seconds.us(at_text)
        event_id = name[1:-1].decode()
        if at_us is None or not event_id or not may_be_id(event_id):
            return None
        address = self._addresses.read(ip) if ip else _NO_ADDRESS
        if address is None or address.port is not None or (user and user[1:-1].decode().isspace()):
            return None
        form = self._forms.of(
            shaped.shape, tuple(deciding), mended=address.mended, told=bool(record.findings)
        )
        if form is None:
            return None
        model = form.draft
        return Draft(
            {},
            self.name,
            model.action,
            model.alias,
            at_us,
            at_text,
            event_id,
            known=model.known,
            declared=model.declared,
            shaped=shaped,
            form=form,
            address=bytes(address.ip),
            slow=partial(self.translate, record, settings),
        )

    def translate(self, record: Record, settings: Settings) -> Draft:
        """Give the draft of one security log; see `Dialect.translate`."""
        draft = drafting.begin(self.name, record)
        source = _source(draft, record.fields)
        message = trees.opened(source["message"]) if "message" in source else None
        at = _HIT if "_source" in record.fields else _BARE
        when = self._lift(draft, source, message, at.message if message is not None else at.source)
        drafting.take_stamped(draft)
        _set_time(draft, when, at.time, settings)
        event: Tree = draft.tree.setdefault("event", {})
        _set_id(draft, record.fields, event, at.id)
        node = event.pop("action", None)
        event["action"], native = drafting.set_action(draft, record, node, self._natives)
        self._classes.settle(draft, event, native)
        _settle_http(draft, event, at.outcome)
        event.setdefault("provider", _PROVIDER)
        drafting.mend_address(draft, self._addresses, "source", at.ip)
        draft.tree["sealog"] = drafting.actor_object(_actor(draft))
        if record.equal:
            drafting.keep_equal(draft, record, _path)
        if record.strict and message is not None and record.shaped is None:
            self._hits.notice(record.text, (*record.fields, *source, *message))
        return draft

    def _lift(self, draft: Draft, source: Tree, message: Tree | None, where: str) -> Any:
        """Make the message's fields, and any beside it, the draft's tree; give the time's node."""
        if message is None:
            fields = source
        elif (
            source.keys() <= _PLAIN
            and type(source["message"]) is Raw
            and (tree := self._quick(message)) is not None
        ):
            draft.tree |= tree
            return source.get("@timestamp")
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
        draft.findings += [
            Finding(each.code, where + each.pointer, each.detail) for each in expanded.findings
        ]
        return draft.tree.pop("@timestamp", None)

    def _quick(self, message: Tree) -> Tree | None:
        """What `trees.expand` gives, for the messages that nearly everyone sends.

        Which keys meet depends on nothing but the keys, so it is found out once for each set of
        them. None where two meet or where a value would have to be opened.
        """
        keys = tuple(message)
        if keys in self._shapes:
            shape = self._shapes[keys]
        else:
            if len(self._shapes) >= _SHAPES_MAX:
                self._shapes.clear()
            shape = shape_of(keys) if len(keys) <= _SHAPE_KEYS_MAX else None
            if sum(map(len, keys)) <= _SHAPE_CHARS_MAX:
                self._shapes[keys] = shape
        if shape is None:
            return None
        for key in shape.openable:
            if bytes(message[key])[:1] == b"{":
                return None
        homes: list[Tree] = [{}]
        for above, step in shape.homes:
            home: Tree = {}
            homes[above][step] = home
            homes.append(home)
        for (at, leaf), node in zip(shape.leaves, message.values(), strict=True):
            homes[at][leaf] = node
        return homes[0]


_UTC = b'+0000"'
_NO_ADDRESS = Address(Raw(b""), None, mended=False)
_PLAIN = frozenset({"message", "@timestamp"})
# In a message these would meet what stands beside it, or what Sealog adds.
_KEPT_APART = frozenset({"@timestamp", "closer"})


class _Pointers:
    """Where things stand in a hit or in a bare document, for findings."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.message = f"{source}/message"
        self.time = f"{source}/@timestamp"
        self.id = f"{self.message}/event.id"
        self.outcome = f"{self.message}/event.outcome"
        self.ip = f"{self.message}/source.ip"


_HIT = _Pointers("/_source")
_BARE = _Pointers("")


class Shape(msgspec.Struct, frozen=True):
    """How one set of dotted keys becomes a tree.

    `homes`: the objects to make, each as (the number of the one it stands in, its key); number 0 is
    the root. `leaves`: for each key in order, the number of its object and its key there.
    `openable`: keys whose value, were it an object, would have to be opened.
    """

    homes: tuple[tuple[int, str], ...]
    leaves: tuple[tuple[int, str], ...]
    openable: tuple[str, ...]


def shape_of(keys: tuple[str, ...]) -> Shape | None:
    """The shape of a set of keys; None where two of them meet or one stays dotted."""
    homes: dict[tuple[str, ...], int] = {(): 0}
    leaves: dict[tuple[str, ...], str] = {}
    for key in keys:
        steps = tuple(key.split("."))
        if not all(steps) or len(steps) > trees.STEPS_MAX or steps[0] in trees.FLAT_OBJECTS:
            return None
        for depth in range(1, len(steps)):
            homes.setdefault(steps[:depth], len(homes))
        if steps in leaves:
            return None
        leaves[steps] = key
    if any(path in homes for path in leaves) or not _KEPT_APART.isdisjoint(
        path[0] for path in leaves
    ):
        return None
    return Shape(
        homes=tuple((homes[path[:-1]], path[-1]) for path in homes if path),
        leaves=tuple((homes[path[:-1]], path[-1]) for path in leaves),
        openable=tuple(key for path, key in leaves.items() if ".".join(path) in trees.READ_OBJECTS),
    )


_PROVIDER = Raw(b'"closer"')


def _source(draft: Draft, fields: Tree) -> Tree:
    """The document of a hit, whose envelope goes to `closer.envelope`; else the record itself."""
    if "_source" not in fields:
        return fields
    envelope = dict(fields)
    envelope.pop("_id", None)
    del envelope["_source"]
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


def _set_time(draft: Draft, node: Any, where: str, settings: Settings) -> None:
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
    drafting.set_time(draft, node, where, settings)


def _set_id(draft: Draft, fields: Tree, event: Tree, where: str) -> None:
    """The hit's `_id` is the event's id; without one, its own `event.id`."""
    own = event.pop("id", None)
    drafting.set_id(draft, fields.get("_id") if "_source" in fields else None, "/_id")
    if draft.id is None:
        drafting.set_id(draft, own, where)
    elif own is not None:
        trees.keep(draft.sent, "event.id", own)


def _settle_http(draft: Draft, event: Tree, where: str) -> None:
    """Put bodies where ECS has them, and find the outcome: as sent, else by the status code."""
    by_status: Outcome = "unknown"
    http = drafting.own(draft.tree, "http")
    if http is not None:
        for side in ("request", "response"):
            half = drafting.own(http, side)
            if half is not None and "body" in half and trees.opened(half["body"]) is None:
                half["body"] = {"content": half["body"]}
            if half is not None and "status_code" in half and side == "response":
                by_status = outcome_of_status(half["status_code"])
    sent = event.get("outcome")
    if sent is None:
        event["outcome"] = drafting.outcome_token(by_status)
        return
    said = drafting.outcome_of_token(sent)
    if said is None:
        said = drafting.outcome_of_word(trees.text_of(leaves.only_item(sent) or sent))
        event["outcome"] = drafting.outcome_token(said or by_status)
        trees.keep(draft.sent, "event.outcome", sent)
    if leaves.is_null(sent):
        return
    if said is None:
        draft.findings.append(Finding("unknown-outcome", where))
    elif said != by_status and "unknown" not in (said, by_status):
        detail = f"the status code says {by_status}; the outcome as sent counts"
        draft.findings.append(Finding("outcome-contradicts-status", detail=detail))


def outcome_of_status(node: Any) -> Outcome:
    """2xx and 3xx succeeded, 4xx and 5xx failed; anything else says nothing."""
    if type(node) is dict:
        return "unknown"
    token = bytes(node).strip(b'"')
    if len(token) != 3 or not token.isdigit():  # noqa: PLR2004 - what a status code is
        return "unknown"
    return _OUTCOME_OF_CLASS.get(token[:1], "unknown")


_OUTCOME_OF_CLASS: dict[bytes, Outcome] = {
    b"2": "success",
    b"3": "success",
    b"4": "failure",
    b"5": "failure",
}


def _actor(draft: Draft) -> ActorKind:
    """Who it was: Closer names the user only where the request was authenticated (CL-13)."""
    user = drafting.own(draft.tree, "user")
    if user is None or leaves.is_blank(user.get("id")):
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
