"""LogicHub: five fields around `details`, as its documentation prints them and as they come.

What is printed contradicts itself in names, categories, times and status words (LH-Q1 to LH-Q23);
the details are kept to the letter, and what is odd about them is found.
"""

from typing import Any

from sealog.catalog.shelf import Catalog
from sealog.dialects import drafting, leaves, trees
from sealog.dialects.dialect import Dialect, Settings
from sealog.dialects.drafting import ActorKind, Outcome
from sealog.dialects.natives import Native, Natives
from sealog.event.findings import Finding
from sealog.event.record import Draft, Record
from sealog.event.tokens import Tree

TARGETS = (
    "resetUsername",
    "newUsernameCreated",
    "newUserNameCreated",
    "newUsername",
    "newUserName",
    "deletedUserName",
    "deleteUserName",
    "editedUsername",
    "username",
)
"""The details that name the one person it was done to, in every spelling seen (LH-Q3 to LH-Q5)."""

DOCUMENTED_VALUES = {
    "CustomListRowEdited": (
        "action",
        frozenset({"APPENDED", "REMOVED", "REPLACED", "DEDUPLICATED"}),
    ),
    "CustomListDataEdited": (
        "action",
        frozenset({"APPENDED", "REMOVED", "REPLACED", "DEDUPLICATED"}),
    ),
    "FlowModified": ("modifiedType", frozenset({"FlowContentChanged", "FlowRename", "flowRename"})),
}
"""By type, the detail whose values the documentation lists, and those values."""

_PATHS = {"time": "@timestamp", "type": "event.action", "actor": "user.name"}


class LogicHub(Dialect):
    """Reads LogicHub records. One per thread: it remembers what it looked up."""

    name = "logichub"

    def __init__(self, catalog: Catalog) -> None:
        self._natives = Natives(self.name, catalog)

    def translate(self, record: Record, settings: Settings) -> Draft:
        """Give the draft of one audit event; see `Dialect.translate`."""
        draft = drafting.begin(self.name, record)
        fields = dict(record.fields)
        drafting.set_time(draft, fields.pop("time", None), "/time", settings)
        own: Tree = {}
        draft.tree[self.name] = own
        category = trees.text_of(fields.get("category")) or ""
        node = fields.pop("type", None)
        action, native = drafting.set_action(draft, record, node, self._natives, category)
        _check_category(draft, native, category)
        details = _details(draft, fields, own)
        outcome = _outcome(draft, native, details)
        draft.tree["event"] = drafting.event_object(draft, action, native, outcome)
        kind = _actor(draft, native, fields.pop("actor", None))
        draft.tree["sealog"] = drafting.actor_object(kind)
        _set_target(draft, details)
        _check_details(draft, details)
        drafting.set_tenant(draft, fields)
        drafting.keep_others(draft, fields, own)
        if not own:
            del draft.tree[self.name]
        if record.equal:
            drafting.keep_equal(draft, record, _path)
        return draft


def _check_category(draft: Draft, native: Native, category: str) -> None:
    """Find a category in which neither the document nor any sample has the type (LH-Q2)."""
    entry = native.entry
    if entry is not None and category != entry.group and category not in entry.groups_seen:
        detail = f"the type belongs to {entry.group}"
        draft.findings.append(Finding("unknown-category", "/category", detail))


def _details(draft: Draft, fields: Tree, own: Tree) -> Tree:
    """Put the details under `logichub.details` to the letter, and give them opened, to look at."""
    node = fields.pop("details", None)
    if node is None:
        return {}
    details = trees.opened(node)
    own["details"] = node if details is None else details
    if details is None and not leaves.is_null(node):
        draft.findings.append(Finding("wrong-type", "/details", "details that are no object"))
    return details or {}


def _outcome(draft: Draft, native: Native, details: Tree) -> Outcome:
    """The status word's outcome, else what the type's name says (LH-Q1, LH-Q11)."""
    named = _outcome_of_name(draft.action) or drafting.fixed_outcome(native)
    status = details.get("status")
    if leaves.is_null(status):
        return named
    outcome = drafting.outcome_of_word(trees.text_of(status))
    if outcome is None:
        detail = "neither SUCCESS nor FAILURE nor FAILED"
        draft.findings.append(Finding("unknown-status", "/details/status", detail))
        return named
    if named not in ("unknown", outcome):
        detail = f"the status says {outcome}, the type {named}; the status counts"
        draft.findings.append(Finding("outcome-contradicts-type", "/details/status", detail))
    return outcome


def _outcome_of_name(name: str) -> Outcome | None:
    if name.endswith("Success"):
        return "success"
    return "failure" if name.endswith("Failed") else None


def _actor(draft: Draft, native: Native, node: Any) -> ActorKind:
    """Who did it. States and metrics are the system's, whoever's name they carry (LH-Q22)."""
    named = drafting.set_person(draft, node, "/actor", "logichub.actor")
    if native.entry is not None and native.entry.kind != "event":
        return "system"
    return "user" if named else "absent"


def _set_target(draft: Draft, details: Tree) -> None:
    """Copy the person it was done to to `user.target`, so that a search finds them there."""
    target: Tree = {}
    for key in TARGETS:
        name = trees.text_of(details.get(key))
        if name:
            target = drafting.named(name, details[key])
            break
    if trees.text_of(details.get("oldEmail")):
        target["email"] = details["oldEmail"]
    if target:
        draft.tree.setdefault("user", {})["target"] = target
    if trees.text_of(details.get("newEmail")):
        draft.tree.setdefault("user", {})["changes"] = {"email": details["newEmail"]}


def _check_details(draft: Draft, details: Tree) -> None:
    """Find what contradicts the type, the document or itself (LH-Q14, LH-Q16, LH-Q18)."""
    listed = DOCUMENTED_VALUES.get(draft.action)
    if listed is not None and listed[0] in details:
        key, values = listed
        if trees.text_of(details[key]) not in values:
            detail = "not among the values that the document lists"
            draft.findings.append(Finding("undocumented-value", f"/details/{key}", detail))
    if draft.action == "IntegrationConnectionDeleted" and "newInstanceData" in details:
        detail = "data before and after: an edit, not a deletion"
        draft.findings.append(Finding("type-contradicts-data", "/details", detail))
    if "executionTime" in details:
        _check_duration(draft, details)


def _check_duration(draft: Draft, details: Tree) -> None:
    begin, end, took = (
        leaves.whole(details.get(key))
        for key in ("batchStartTime", "batchEndTime", "executionTime")
    )
    if begin is not None and end is not None and took is not None and end - begin != took:
        detail = f"{took} ms, though {end - begin} ms lie between start and end"
        draft.findings.append(Finding("inconsistent-duration", "/details/executionTime", detail))


def _path(path: tuple[str, ...]) -> str:
    head, *below = path
    return ".".join([_PATHS.get(head, f"logichub.{head}"), *below])
