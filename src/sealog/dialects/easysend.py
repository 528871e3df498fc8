"""EasySend: security logs that are nearly ECS 8.11, and an older flat shape that is not.

The documented format (ES-40 to ES-46) has objects where ECS knows none, at the root (`os`, `geo`,
`label`), and no classification; both are set right here (ES-Q1 to ES-Q4).
"""

from sealog.catalog.shelf import Catalog
from sealog.dialects import drafting, leaves, trees
from sealog.dialects.addresses import Addresses
from sealog.dialects.classes import Classes
from sealog.dialects.dialect import Settings
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

_HOMES = {"os": "user_agent.os", "geo": "client.geo"}
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


class EasySend:
    """Reads EasySend records. One per thread: it remembers what it looked up."""

    name = "easysend"

    def __init__(self, catalog: Catalog) -> None:
        self._natives = Natives(self.name, catalog)
        self._classes = Classes()
        self._addresses = Addresses()

    def translate(self, record: Record, settings: Settings) -> Draft:
        """Give the draft of one security log; see `Dialect.translate`."""
        draft = drafting.begin(self.name, record)
        expanded = trees.expand(record.fields)
        draft.tree, draft.sent = expanded.tree, dict(expanded.losers)
        draft.findings += expanded.findings
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
        for root in ("client", "source"):
            drafting.mend_address(draft, self._addresses, root, pointer(root, "ip"))
        if record.equal:
            drafting.keep_equal(draft, record, ".".join)
        return draft


_NULL = tokens.raw(None)


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
    labels, typed = _as_keywords(sent)
    other = trees.opened(draft.tree.get("labels", _NULL))
    for key, value in (other or {}).items():
        if key in labels:
            trees.keep(draft.sent, f"labels.{key}", value)
            draft.findings.append(Finding("clash", pointer("labels", key)))
        else:
            labels[key] = value
    if other is None and "labels" in draft.tree:
        trees.keep(draft.sent, "labels", draft.tree["labels"])
    draft.tree["labels"] = labels
    if typed:
        trees.put(draft.tree, "easysend.label", typed, draft.sent)
    return sent


def _as_keywords(sent: Tree) -> tuple[Tree, Tree]:
    """Labels as strings, and those that are none as they are."""
    labels: Tree = {}
    typed: Tree = {}
    for key, value in sent.items():
        if trees.text_of(value) is not None:
            labels[key] = value
            continue
        typed[key] = value
        if leaves.is_scalar(value) and not leaves.is_null(value):
            token = bytes(value)
            labels[key] = value if token[:1] == b'"' else tokens.raw(token.decode())
    return labels, typed


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
    for leaf in BROWSER_LEAVES:
        node = trees.pop(tree, f"user_agent.os.{leaf}")
        if node is not None:
            trees.put(tree, f"easysend.browser.{leaf}", node, draft.sent)
    for root, home in _HOMES.items():
        if root not in tree:
            continue
        node = tree.pop(root)
        inner = trees.opened(node)
        if inner is None:
            trees.put(tree, f"easysend.{root}", node, draft.sent)
            if not leaves.is_null(node):
                draft.findings.append(Finding("wrong-type", pointer(root), "no object"))
        for key, value in (inner or {}).items():
            trees.put(tree, f"{home}.{key}", value, draft.sent)
