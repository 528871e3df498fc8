"""EasySend: security logs that are nearly ECS 8.11, and an older flat shape that is not.

The documented format (ES-40 to ES-46) has objects where ECS knows none, at the root (`os`, `geo`,
`label`), and no classification; both are set right here (ES-Q1 to ES-Q4).
"""

from typing import Any

import msgspec

from sealog.catalog.shelf import Catalog
from sealog.dialects import drafting, leaves, trees
from sealog.dialects.addresses import Addresses
from sealog.dialects.classes import Classes
from sealog.dialects.dialect import Dialect, Settings
from sealog.dialects.drafting import ActorKind, Outcome
from sealog.dialects.natives import Native, Natives
from sealog.event import tokens
from sealog.event.findings import Finding, pointer
from sealog.event.record import Draft, Record
from sealog.event.tokens import Tree

BROWSER_LEAVES = ("browser_language", "browser_platform", "is_mobile_device", "is_verified_bot")
"""What stands under `user_agent.os` and is no operating system's (ES-Q3)."""
FLAT_ACTIONS = ("event", "event_type", "eventType", "event_name", "eventName", "action")
"""Where the flat shape may name its event; what is printed of it does not say."""

_HOMES = {"os": ("user_agent", "os"), "geo": ("client", "geo")}
_STAYING = frozenset(
    {
        "@timestamp",
        "client",
        "ecs",
        "event",
        "geo",
        "label",
        "labels",
        "message",
        "organization",
        "os",
        "service",
        "url",
        "user_agent",
    }
)


class EasySend(Dialect):
    """Reads EasySend records. One per thread: it remembers what it looked up."""

    name = "easysend"

    def __init__(self, catalog: Catalog) -> None:
        self._natives = Natives(self.name, catalog)
        self._classes = Classes()
        self._addresses = Addresses()

    def translate(self, record: Record, settings: Settings) -> Draft:
        """Give the draft of one security log; see `Dialect.translate`."""
        draft = drafting.begin(self.name, record)
        _lift(draft, record)
        if trees.opened(draft.tree.get("event", _NULL)) is None:
            _unflatten(draft)
        drafting.take_stamped(draft)
        when = draft.tree.pop("@timestamp", None)
        drafting.set_time(draft, when, "/@timestamp", settings)
        event: Tree = draft.tree.setdefault("event", {})
        drafting.set_id(draft, event.pop("id", None), "/event/id")
        node = event.pop("action", None)
        event["action"], native = drafting.set_action(draft, record, node, self._natives)
        self._classes.settle(draft, event, native)
        labels = _move_labels(draft)
        _settle_outcome(draft, event, native, labels)
        event.setdefault("provider", tokens.raw(self.name))
        draft.tree["sealog"] = drafting.actor_object(_actor(native, labels))
        _move_objects(draft)
        drafting.mend_address(draft, self._addresses, "client", "/client/ip")
        drafting.mend_address(draft, self._addresses, "source", "/source/ip")
        if record.equal:
            drafting.keep_equal(draft, record, ".".join)
        return draft


_NULL = tokens.raw(None)


def _lift(draft: Draft, record: Record) -> None:
    """Make the record's fields the draft's tree, dotted keys nested where there are any."""
    fields = record.fields
    if not any(type(node) is dict for node in fields.values()) and not trees.has_dotted_key(
        record.text
    ):
        draft.tree = dict(fields)
        return
    expanded = trees.expand(fields)
    draft.tree, draft.sent = expanded.tree, dict(expanded.losers)
    draft.findings += expanded.findings


def _unflatten(draft: Draft) -> None:
    """Take in the flat shape: what is no ECS goes under `easysend.flat`, whatever it is."""
    tree = draft.tree
    flat: Tree = {key: tree.pop(key) for key in list(tree) if key not in _STAYING}
    key = next((key for key in FLAT_ACTIONS if trees.text_of(tree.get(key, flat.get(key)))), None)
    if key is not None:
        named = tree.pop(key) if key in tree else flat[key]
        trees.put(tree, "event.action", named, draft.sent)
    if leaves.is_scalar(flat.get("environment", {})):
        trees.put(tree, "service.environment", flat.pop("environment"), draft.sent)
    for key in ("timestamp", "time", "date"):
        if "@timestamp" not in tree and leaves.scalar_text(flat.get(key)):
            tree["@timestamp"] = flat.pop(key)
    if flat:
        tree["easysend"] = {"flat": flat}
        draft.findings.append(
            Finding("flat-record", detail="fields beside those of the ECS format")
        )


def _move_labels(draft: Draft) -> Tree:
    """Move `label` to `labels`, where every value is a string; give what was sent.

    A value of another type stands there as the string of its token, and as it is under
    `easysend.label`: whoever renders `label` again takes `labels` and puts those over it (ES-Q1).
    """
    node = draft.tree.pop("label", None)
    if node is None:
        return {}
    sent = trees.opened(node)
    if sent is None:
        trees.put(draft.tree, "easysend.label", node, draft.sent)
        if not leaves.is_null(node):
            draft.findings.append(Finding("wrong-type", "/label", "labels that are no object"))
        return {}
    labels, typed = _as_keywords(node, sent)
    if "labels" in draft.tree:
        _join_labels(draft, labels)
    draft.tree["labels"] = labels
    if typed:
        _put_own(draft, "label", typed)
    return sent


def _put_own(draft: Draft, key: str, node: Tree) -> None:
    """Put an object under EasySend's own, beside whatever the sender has there."""
    if "easysend" not in draft.tree:
        draft.tree["easysend"] = {key: node}
    else:
        trees.put(draft.tree, f"easysend.{key}", node, draft.sent)


def _join_labels(draft: Draft, labels: Tree) -> None:
    """Add the labels that stand where ECS has them; those under `label` count."""
    node = draft.tree["labels"]
    other = trees.opened(node)
    if other is None:
        trees.keep(draft.sent, "labels", node)
    for key, value in (other or {}).items():
        if key in labels:
            trees.keep(draft.sent, f"labels.{key}", value)
            draft.findings.append(Finding("clash", pointer("labels", key)))
        else:
            labels[key] = value


def _as_keywords(node: Any, sent: Tree) -> tuple[Tree, Tree]:
    """Labels as strings, and those that are none as they are."""
    typed: Tree
    try:
        # One native look in place of one per label: nearly always all but one are strings.
        values = _STRINGS_AND_BOOLEANS.decode(node)
        typed = {key: sent[key] for key, value in values.items() if type(value) is bool}
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError):
        typed = {key: value for key, value in sent.items() if trees.text_of(value) is None}
    labels = dict(sent)
    for key, value in typed.items():
        if not leaves.is_scalar(value) or leaves.is_null(value):
            del labels[key]
        elif bytes(value)[:1] != b'"':
            labels[key] = tokens.raw(bytes(value).decode())
    return labels, typed


_STRINGS_AND_BOOLEANS = msgspec.json.Decoder(dict[str, str | bool])


def _settle_outcome(draft: Draft, event: Tree, native: Native, labels: Tree) -> None:
    """What the record says; else the status of an authentication; else what the type says.

    `authentication_status` says nothing about other events: it tells how the person they are
    about once came in (ES-Q4, ES-Q8).
    """
    fixed = drafting.fixed_outcome(native)
    if not leaves.is_null(event.get("outcome")):
        said = drafting.outcome_of_token(event["outcome"])
        if said is None:
            said = drafting.outcome_of_word(trees.text_of(event["outcome"]))
            trees.keep(draft.sent, "event.outcome", event["outcome"])
        if said is None:
            draft.findings.append(Finding("unknown-outcome", "/event/outcome"))
    else:
        is_login = native.entry is None or "authentication" in native.entry.category
        word = trees.text_of(labels.get("authentication_status")) if is_login else None
        if "outcome" in event:
            trees.keep(draft.sent, "event.outcome", event["outcome"])
        said = drafting.outcome_of_word(word) or _UNUSUAL_WORDS.get(word or "")
    if said is not None and fixed not in ("unknown", said):
        detail = f"the record says {said}, the type {fixed}; the record counts"
        draft.findings.append(Finding("outcome-contradicts-type", detail=detail))
    event["outcome"] = drafting.outcome_token(said or fixed)


_UNUSUAL_WORDS: dict[str, Outcome] = {"MissingCredentials": "failure"}


def _actor(native: Native, labels: Tree) -> ActorKind:
    """Who it was, as far as a log without a user's id tells: by event, then by application."""
    if native.entry is not None and native.entry.outcome == "failure":
        return "unauthenticated"
    if native.entry is not None and native.entry.native == "LinkSent":
        return "system"
    return _APPLICATIONS.get((trees.text_of(labels.get("app_type")) or "").lower(), "absent")


# The Player shows a workflow to its customers; in the Builder users make them (ES-09).
_APPLICATIONS: dict[str, ActorKind] = {"player": "customer", "builder": "user"}


def _move_objects(draft: Draft) -> None:
    """Move what ECS does not know at the root, or not there, to where it belongs (ES-Q2, ES-Q3)."""
    tree = draft.tree
    agent = drafting.own(tree, "user_agent")
    system = None if agent is None else drafting.own(agent, "os")
    if agent is not None and system is not None:
        browser = {leaf: system.pop(leaf) for leaf in BROWSER_LEAVES if leaf in system}
        if not system:
            del agent["os"]
        if browser:
            _put_own(draft, "browser", browser)
    for root, (home, key) in _HOMES.items():
        if root in tree:
            _move(draft, root, home, key)


def _move(draft: Draft, root: str, home: str, key: str) -> None:
    """Move a root's object to `<home>.<key>`, uniting it with what stands there."""
    tree = draft.tree
    node = tree.pop(root)
    inner = trees.opened(node)
    if inner is None:
        trees.put(tree, f"easysend.{root}", node, draft.sent)
        if not leaves.is_null(node):
            draft.findings.append(Finding("wrong-type", pointer(root), "no object"))
        return
    above = drafting.own(tree, home) if home in tree else tree.setdefault(home, {})
    if above is not None and key not in above:
        above[key] = inner
        return
    for leaf, value in inner.items():
        trees.put(tree, f"{home}.{key}.{leaf}", value, draft.sent)
