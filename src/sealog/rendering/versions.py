"""ECS 1.9 of an event in ECS 8.11: what 1.9 does not know stands apart, and is not lost.

Source: the published schemas of the Elastic Common Schema, 1.9.0 and 8.11.0.
"""

from typing import Any

from msgspec import Raw

from sealog.dialects import trees
from sealog.event.tokens import Tree
from sealog.rendering.documents import items

OLD = "1.9.0"
APART = "beyond_ecs_1_9"
"""Where in `sealog` stands what 1.9 does not know, as a document of its own."""

VALUES_SINCE = {
    "kind": frozenset({"asset", "enrichment"}),
    "category": frozenset({"api", "email", "library", "threat", "vulnerability"}),
    "type": frozenset({"indicator"}),
}
"""The values of `event.…` that came after 1.9. Those of no version at all are their sender's own."""

FIELDS_SINCE = frozenset(
    [
        "cloud.origin",
        "cloud.target",
        "container.cpu",
        "container.disk",
        "container.image.hash",
        "container.memory",
        "container.network",
        "container.security_context",
        "data_stream",
        "device",
        "dll.code_signature.digest_algorithm",
        "dll.code_signature.timestamp",
        "dll.hash.sha384",
        "dll.hash.tlsh",
        "dll.pe.go_import_hash",
        "dll.pe.go_imports",
        "dll.pe.go_imports_names_entropy",
        "dll.pe.go_imports_names_var_entropy",
        "dll.pe.go_stripped",
        "dll.pe.import_hash",
        "dll.pe.imports",
        "dll.pe.imports_names_entropy",
        "dll.pe.imports_names_var_entropy",
        "dll.pe.pehash",
        "dll.pe.sections",
        "email",
        "event.agent_id_status",
        "faas",
        "file.code_signature.digest_algorithm",
        "file.code_signature.timestamp",
        "file.elf",
        "file.fork_name",
        "file.hash.sha384",
        "file.hash.tlsh",
        "file.macho",
        "file.pe.go_import_hash",
        "file.pe.go_imports",
        "file.pe.go_imports_names_entropy",
        "file.pe.go_imports_names_var_entropy",
        "file.pe.go_stripped",
        "file.pe.import_hash",
        "file.pe.imports",
        "file.pe.imports_names_entropy",
        "file.pe.imports_names_var_entropy",
        "file.pe.pehash",
        "file.pe.sections",
        "host.boot",
        "host.pid_ns_ino",
        "host.risk",
        "log.syslog.appname",
        "log.syslog.hostname",
        "log.syslog.msgid",
        "log.syslog.procid",
        "log.syslog.structured_data",
        "log.syslog.version",
        "orchestrator",
        "process.code_signature.digest_algorithm",
        "process.code_signature.timestamp",
        "process.elf",
        "process.end",
        "process.entry_leader",
        "process.env_vars",
        "process.group_leader",
        "process.hash.sha384",
        "process.hash.tlsh",
        "process.interactive",
        "process.io",
        "process.macho",
        "process.parent.code_signature.digest_algorithm",
        "process.parent.code_signature.timestamp",
        "process.parent.elf",
        "process.parent.end",
        "process.parent.group",
        "process.parent.group_leader",
        "process.parent.hash.sha384",
        "process.parent.hash.tlsh",
        "process.parent.interactive",
        "process.parent.macho",
        "process.parent.pe.go_import_hash",
        "process.parent.pe.go_imports",
        "process.parent.pe.go_imports_names_entropy",
        "process.parent.pe.go_imports_names_var_entropy",
        "process.parent.pe.go_stripped",
        "process.parent.pe.import_hash",
        "process.parent.pe.imports",
        "process.parent.pe.imports_names_entropy",
        "process.parent.pe.imports_names_var_entropy",
        "process.parent.pe.pehash",
        "process.parent.pe.sections",
        "process.parent.real_group",
        "process.parent.real_user",
        "process.parent.saved_group",
        "process.parent.saved_user",
        "process.parent.supplemental_groups",
        "process.parent.thread.capabilities",
        "process.parent.tty",
        "process.parent.user",
        "process.parent.vpid",
        "process.pe.go_import_hash",
        "process.pe.go_imports",
        "process.pe.go_imports_names_entropy",
        "process.pe.go_imports_names_var_entropy",
        "process.pe.go_stripped",
        "process.pe.import_hash",
        "process.pe.imports",
        "process.pe.imports_names_entropy",
        "process.pe.imports_names_var_entropy",
        "process.pe.pehash",
        "process.pe.sections",
        "process.previous",
        "process.real_group",
        "process.real_user",
        "process.saved_group",
        "process.saved_user",
        "process.session_leader",
        "process.supplemental_groups",
        "process.thread.capabilities",
        "process.tty",
        "process.user",
        "process.vpid",
        "service.address",
        "service.environment",
        "service.node.role",
        "service.node.roles",
        "service.origin",
        "service.target",
        "threat.enrichments",
        "threat.feed",
        "threat.group",
        "threat.indicator",
        "threat.software",
        "user.risk",
    ]
)
"""Each stands for itself and all below it; fields of neither version are their sender's own."""


def to_1_9(tree: Tree) -> None:
    """Make an event's document one of ECS 1.9; `tree` and its `sealog` MUST be the caller's own."""
    apart: Tree = {}
    for root in _ROOTS.keys() & tree.keys():
        _take(tree, root, _ROOTS[root], apart)
    inner = trees.opened(tree.get("event", _NOTHING))
    if inner is not None:
        kept, later = _divided(inner)
        if later:
            tree["event"] = kept
            apart["event"] = {**apart.get("event", {}), **later}
    ecs = trees.opened(tree.get("ecs", _NOTHING))
    tree["ecs"] = {**(ecs or {}), "version": OLD}
    if apart:
        tree["sealog"][APART] = apart


def classes(kind: Any, category: Any, type_: Any) -> dict[str, Any]:
    """What 1.9 knows of an event's classes, of those that are there."""
    given = {"kind": kind, "category": category, "type": type_}
    kept, _ = _divided({name: node for name, node in given.items() if node is not None})
    return kept


def _divided(event: Tree) -> tuple[Tree, Tree]:
    """An `event` without the values that came later, and those values."""
    kept, later = dict(event), {}
    for name, values in VALUES_SINCE.items():
        given = items(event.get(name))
        after = [item for item in given if trees.text_of(item) in values]
        if not after:
            continue
        later[name] = event[name] if len(after) == len(given) else _array(after)
        if len(after) == len(given):
            del kept[name]
        else:
            kept[name] = _array([item for item in given if item not in after])
    return kept, later


def _array(given: list[Raw]) -> Raw:
    return Raw(b"[%b]" % b",".join(map(bytes, given)))


def _take(tree: Tree, key: str, since: Tree, apart: Tree) -> None:
    """Move what came later out of the value at a key, which becomes a copy where that is needed."""
    node = tree[key]
    if not since:
        apart[key] = tree.pop(key)
        return
    inner = trees.opened(node)
    if inner is None or since.keys().isdisjoint(inner):
        return
    inner = dict(inner)
    taken: Tree = {}
    for child in since.keys() & inner.keys():
        _take(inner, child, since[child], taken)
    if taken:
        apart[key] = taken
        tree[key] = inner
        if not inner:
            del tree[key]


def _nested(paths: frozenset[str]) -> Tree:
    root: Tree = {}
    for path in paths:
        at = root
        for step in path.split("."):
            at = at.setdefault(step, {})
    return root


_NOTHING = Raw(b"null")
_ROOTS = _nested(FIELDS_SINCE)
