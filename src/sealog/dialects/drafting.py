"""What the dialects do alike while they fill a draft."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Raw

from sealog.dialects import leaves, trees
from sealog.dialects.addresses import Addresses
from sealog.dialects.dialect import Settings
from sealog.dialects.natives import RESERVED, Native, Natives
from sealog.errors import Refused
from sealog.event import times, tokens
from sealog.event.findings import Finding, pointer
from sealog.event.ids import ID_BYTES_MAX, may_be_id
from sealog.event.record import Draft, Record
from sealog.event.tokens import Tree

ActorKind = Literal[
    "user", "agent", "customer", "system", "api-key", "tenant-admin", "unauthenticated", "absent"
]
Outcome = Literal["success", "failure", "unknown"]

UNKNOWN_ACTION = "unknown"

_UNKNOWN_TOKEN = Raw(b'"unknown"')
_KINDS: dict[ActorKind, Raw] = {
    "user": Raw(b'"user"'),
    "agent": Raw(b'"agent"'),
    "customer": Raw(b'"customer"'),
    "system": Raw(b'"system"'),
    "api-key": Raw(b'"api-key"'),
    "tenant-admin": Raw(b'"tenant-admin"'),
    "unauthenticated": Raw(b'"unauthenticated"'),
    "absent": Raw(b'"absent"'),
}
_OUTCOMES: dict[Outcome, Raw] = {
    "success": Raw(b'"success"'),
    "failure": Raw(b'"failure"'),
    "unknown": _UNKNOWN_TOKEN,
}
_OUTCOMES_SAID = {bytes(token): outcome for outcome, token in _OUTCOMES.items()}
_FIXED: dict[str, Outcome] = {"success": "success", "failure": "failure"}
_WORDS: dict[str, Outcome] = {
    "success": "success",
    "succeed": "success",
    "succeeded": "success",
    "successful": "success",
    "failure": "failure",
    "failed": "failure",
    "fail": "failure",
    "error": "failure",
    "unknown": "unknown",
}
_WORD_CHARS_MAX = 16


def begin(dialect: str, record: Record) -> Draft:
    """A draft that holds nothing yet but what was already odd about the record."""
    return Draft(tree={}, dialect=dialect, action="", alias="", findings=list(record.findings))


def outcome_of_word(word: str | None) -> Outcome | None:
    """The outcome a status word stands for, whatever its case; None for a word we do not know."""
    if word is None or len(word) > _WORD_CHARS_MAX:
        return None
    return _WORDS.get(word) or _WORDS.get(word.lower())


def set_action(
    draft: Draft, record: Record, node: Any, natives: Natives, group: str = ""
) -> tuple[Raw, Native]:
    """Set the draft's action and what the catalog says of it; give the token of `event.action`.

    A record without a usable type is kept under `unknown`. Raises `Refused` for a name of Sealog's
    own.
    """
    name = trees.text_of(node)
    if name is None or not name.strip():
        if not leaves.is_blank(node):
            draft.findings.append(Finding("wrong-type", detail="the event's type is no string"))
        if node is not None:
            trees.keep(draft.sent, "event.action", node)
        draft.findings.append(Finding("no-action", detail="kept as the action `unknown`"))
        draft.action, draft.alias = UNKNOWN_ACTION, f"{draft.dialect}.{UNKNOWN_ACTION}"
        return _UNKNOWN_TOKEN, natives.of(UNKNOWN_ACTION)
    native = natives.of(name, group)
    if native.reserved:
        msg = f"actions that begin with {RESERVED!r} are Sealog's own"
        raise Refused(msg, code="reserved-action", record=record.place)
    draft.action, draft.alias, draft.known = name, native.alias, native.known
    draft.declared = native.declared
    if not native.known:
        draft.findings.append(Finding("unknown-type", detail="not in the dialect's catalog"))
    return node, native


def event_object(draft: Draft, action: Raw, native: Native, outcome: Outcome) -> Tree:
    """The `event` of a record that has none of its own."""
    event: Tree = {"action": action, "kind": native.kind}
    if native.category is not None:
        event["category"] = native.category
    if native.type is not None:
        event["type"] = native.type
    event["outcome"] = _OUTCOMES[outcome]
    event["provider"] = tokens.raw(draft.dialect)
    return event


def fixed_outcome(native: Native) -> Outcome:
    """The outcome that a type has by itself; `unknown` where its record decides."""
    return _FIXED.get(native.outcome, "unknown")


def outcome_of_token(node: Any) -> Outcome | None:
    """The outcome that a token says exactly as ECS does; None for any other."""
    return None if type(node) is dict else _OUTCOMES_SAID.get(bytes(node))


def outcome_token(outcome: Outcome) -> Raw:
    """The token of `event.outcome`."""
    return _OUTCOMES[outcome]


def actor_object(kind: ActorKind) -> Tree:
    """The `sealog` object of a draft: which kind of actor it was (X-02)."""
    return {"actor": {"kind": _KINDS[kind]}}


def set_time(draft: Draft, node: Any, where: str, settings: Settings) -> None:
    """Read the time; what was written stays as sent where the sealed text differs from it."""
    written = leaves.scalar_text(node)
    if written is None or not written.strip():
        code = "no-time" if leaves.is_blank(node) else "bad-time"
        draft.findings.append(Finding(code, where))
    else:
        found = times.read(written, day_first=settings.day_first)
        if found is None:
            draft.findings.append(Finding("bad-time", where, "no time in a form we know"))
        else:
            draft.at_us, draft.at_text = found.at_us, found.text
            draft.findings.extend(found.findings(where))
            if found.text == written and says(node, written):
                return
            if bytes(node)[:1] != b'"':
                draft.findings.append(Finding("wrong-type", where, "a time as a number"))
    if node is not None:
        trees.keep(draft.sent, "@timestamp", node)


def set_tenant(draft: Draft, tree: Tree) -> None:
    """Take `organization.id` out of a tree's root, which MUST be the caller's own.

    What else the organisation has stays in the draft's tree.
    """
    dotted, node = tree.pop("organization.id", None), tree.pop("organization", None)
    if node is not None:
        inner = trees.opened(node)
        if inner is None:
            _no_object(draft, "organization", node)
        else:
            inner = dict(inner)
            nested = inner.pop("id", None)
            if nested is not None and dotted is not None:
                trees.keep(draft.sent, "organization.id", dotted)
                draft.findings.append(Finding("clash", pointer("organization.id")))
            dotted = nested if nested is not None else dotted
            if inner:
                draft.tree["organization"] = inner
    if dotted is None:
        return
    draft.tenant = trees.text_of(dotted) or None
    if draft.tenant is None:
        _not_that_type(draft, "organization.id", dotted)
    elif not says(dotted, draft.tenant):
        trees.keep(draft.sent, "organization.id", dotted)


def _no_object(draft: Draft, key: str, node: Any) -> None:
    """Sealing adds to these objects, so nothing else may stand in their place."""
    trees.keep(draft.sent, key, node)
    if not leaves.is_null(node):
        draft.findings.append(Finding("not-an-object", pointer(key)))


def _not_that_type(draft: Draft, path: str, node: Any) -> None:
    trees.keep(draft.sent, path, node)
    if not leaves.is_blank(node):
        draft.findings.append(Finding("wrong-type", pointer(*path.split("."))))


def set_id(draft: Draft, node: Any, where: str) -> None:
    """Use a sender's own id; one that may not stand in facts, or is no string, stays as sent."""
    if node is None:
        return
    name = trees.text_of(node)
    if name and may_be_id(name):
        draft.id = name
        if not says(node, name):
            trees.keep(draft.sent, "event.id", node)
        return
    trees.keep(draft.sent, "event.id", node)
    if not leaves.is_blank(node):
        detail = f"an id is a string of 1 to {ID_BYTES_MAX} bytes without @"
        draft.findings.append(Finding("bad-id", where, detail))


def says(node: Any, written: str) -> bool:
    """Whether a token is exactly this text in quotes, with nothing escaped."""
    return len(bytes(node)) == len(written.encode()) + 2


def set_person(draft: Draft, node: Any, where: str, own_path: str) -> bool:
    """Set `user` from a person's name, e-mail address, number or object; False for nobody.

    `own_path`: where in the tree a value stands whose type is not a person's.
    """
    if leaves.is_blank(node):
        if node is not None:
            trees.keep(draft.sent, "user.name", node)
        return False
    name = trees.text_of(node)
    if name is not None:
        draft.tree["user"] = named(name, node)
        return True
    draft.findings.append(Finding("wrong-type", where, "a person who is no string"))
    trees.put(draft.tree, own_path, node, draft.sent)
    user = person_in(node)
    if user:
        draft.tree["user"] = user
    return bool(user)


def named(name: str, token: Any) -> Tree:
    """A person's name as ECS has it: an e-mail address is both."""
    return {"name": token, "email": token} if "@" in name else {"name": token}


_PERSON = {
    "id": "id",
    "userId": "id",
    "name": "name",
    "username": "name",
    "userName": "name",
    "email": "email",
}


def person_in(node: Any) -> Tree:
    """What an object tells of a person, as ECS has it; a number is taken for a name."""
    inner = trees.opened(node)
    if inner is None:
        written = leaves.scalar_text(node)
        return {} if written is None else {"name": tokens.raw(written)}
    user: Tree = {}
    for key, field in _PERSON.items():
        if trees.text_of(inner.get(key)):
            user.setdefault(field, inner[key])
    return user


def set_address(draft: Draft, node: Any, addresses: Addresses, where: str, root: str) -> None:
    """Set `<root>.ip` (`source` or `client`) from an address as written, its port beside it.

    A mended one also stands as sent; one that cannot be mended only stands as sent.
    """
    if node is None:
        return
    found = None if type(node) is dict else addresses.read(bytes(node))
    if found is not None:
        home = own(draft.tree, root)
        if home is None:
            home = draft.tree[root] = {}
        home["ip"] = found.ip
        if found.port is not None:
            home.setdefault("port", found.port)
        if not found.mended:
            return
    elif not leaves.is_blank(node):
        draft.findings.append(Finding("bad-ip", where, "no address could be read from it"))
    trees.keep(draft.sent, f"{root}.ip", node)


def own(tree: Tree, key: str) -> Tree | None:
    """The object at a key, opened in its place; None where there is none.

    `tree` and the dicts in it MUST be the draft's own, as those of `trees.expand` are.
    """
    node = tree.get(key)
    if node is None or type(node) is dict:
        return node
    if bytes(node)[:1] != b"{":
        return None
    try:
        inner = _OBJECT.decode(node)
    except msgspec.DecodeError:
        inner = tokens.parse(bytes(node)).tree
    tree[key] = inner
    return inner


_OBJECT = msgspec.json.Decoder(dict[str, Raw])


def take_stamped(draft: Draft) -> None:
    """Take out of an ECS tree what sealing stamps or Sealog alone may say; it stands as sent.

    Afterwards `event`, `ecs` and `organization` are objects of the draft's own or not there.
    """
    tree = draft.tree
    for root, stamped in _STAMPED:
        if root not in tree:
            continue
        home = own(tree, root)
        if home is None:
            _no_object(draft, root, tree.pop(root))
            continue
        for leaf in stamped:
            if leaf in home:
                trees.keep(draft.sent, f"{root}.{leaf}", home.pop(leaf))
        if not home:
            del tree[root]
    if "sealog" in tree:
        trees.keep(draft.sent, "sealog", tree.pop("sealog"))
        draft.findings.append(Finding("reserved-field", detail="`sealog` is Sealog's own object"))
    if "organization" in tree:
        set_tenant(draft, tree)


_STAMPED = (("event", ("ingested", "original")), ("ecs", ("version",)))


def mend_address(draft: Draft, addresses: Addresses, root: str, where: str) -> None:
    """Mend `<root>.ip` where the tree has one."""
    home = own(draft.tree, root)
    if home is not None and "ip" in home:
        set_address(draft, home.pop("ip"), addresses, where, root)
        if not home:
            del draft.tree[root]


def keep_others(draft: Draft, others: Mapping[str, Any], own: Tree) -> None:
    """Put what the dialect does not know under its own object, as it is."""
    for key, node in others.items():
        if key in own:
            trees.keep(draft.sent, f"{draft.dialect}.{key}", node)
            draft.findings.append(Finding("clash", pointer(key)))
        else:
            own[key] = node


def keep_equal(draft: Draft, record: Record, path_of: Callable[[tuple[str, ...]], str]) -> None:
    """Keep every value of equal keys as sent, in the order written, under its path in the event."""
    for each in record.equal:
        if each.values:
            values = Raw(b"[" + b",".join(map(bytes, each.values)) + b"]")
            draft.sent[path_of(each.path)] = values
