"""What is derived from an event when it is shown: who and where as `related`, and the user agent read.

None of it is sealed, none of it is in a proof, and what the sender set itself always stands.
"""

import threading
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Raw

from sealog.event import tokens
from sealog.event.moulds import Derive, Later, Unfit
from sealog.event.tokens import Tree

if TYPE_CHECKING:
    from ua_parser import Parser

AGENT_BYTES_MAX = 1_024
"""A longer user agent is no browser's, and is not read."""
AGENTS_REMEMBERED = 2_048
"""Reading one takes some 35 us (measured); there are few different ones."""

_DECODE = msgspec.json.Decoder(str).decode
_ITEMS = msgspec.json.Decoder(list[Raw]).decode
_PEOPLE = ("target", "effective", "changes")
_NAMES = ("name", "id", "email")
_ENDS = ("source", "client", "destination", "server", "host")
_STRING = b'"'
_loading = threading.Lock()


def add(tree: Tree) -> None:
    """Add to an event's document, whose first level MUST be the caller's own."""
    agent = tree.get("user_agent")
    if agent is not None:
        opened = _opened(agent)
        if opened is not None and type(original := opened.get("original")) is Raw:
            tree["user_agent"] = _with(opened, agent_of(bytes(original)))
    related = {"ip": _addresses(tree), "user": _users(tree)}
    if related["ip"] or related["user"]:
        _relate(tree, related)


def plan(tree: Tree, later: Later) -> None:
    """The same to a tree of marks; see `moulds.Derive`."""
    agent = tree.get("user_agent")
    if agent is not None:
        opened = _opened(agent)
        if opened is not None and type(original := opened.get("original")) is Raw:
            if len(opened) > 1:
                raise Unfit("the sender said more of the user agent")
            tree["user_agent"] = later([bytes(original)], _whole_agent)
    related = {"ip": _addresses(tree), "user": _users(tree)}
    if related["ip"] or related["user"]:
        if "related" in tree:
            raise Unfit("the sender said what is related")
        tree["related"] = {
            key: [later(found, None)] if len(found) == 1 else later(found, _each_once)
            for key, found in related.items()
            if found
        }


DERIVE = Derive(add, plan)
"""What is derived, for whoever writes events out."""


@lru_cache(AGENTS_REMEMBERED)
def _whole_agent(values: tuple[bytes, ...]) -> bytes:
    (token,) = values
    return tokens.encode({"original": Raw(token)} | agent_of(token))


def _each_once(values: tuple[bytes, ...]) -> bytes:
    return b"[%b]" % b",".join(dict.fromkeys(values))


@lru_cache(AGENTS_REMEMBERED)
def agent_of(token: bytes) -> Tree:
    """What a user agent, as a JSON string, says by itself: ECS `user_agent` without `original`."""
    if len(token) > AGENT_BYTES_MAX or token[:1] != _STRING:
        return {}
    try:
        text = _DECODE(token)
    except msgspec.DecodeError:
        return {}
    found = _parser().parse(text)
    agent: dict[str, Any] = {}
    if found.user_agent is not None:
        one = found.user_agent
        agent |= _named(one.family, (one.major, one.minor, one.patch, one.patch_minor))
    if found.os is not None:
        system = found.os
        numbers = (system.major, system.minor, system.patch, system.patch_minor)
        named = _named(system.family, numbers)
        agent["os"] = named | {"full": " ".join(named.values())}
    if found.device is not None:
        agent["device"] = {"name": found.device.family}
    return _tree(agent)


@cache
def _parser() -> "Parser":
    # For the first one that is shown, a tenth of a second; patterns when they are first wanted.
    with _loading:
        from ua_parser import Parser  # noqa: PLC0415
        from ua_parser.loaders import load_lazy_builtins  # noqa: PLC0415
        from ua_parser.re2 import Resolver  # noqa: PLC0415

        return Parser(Resolver(load_lazy_builtins()))


def _named(name: str, numbers: tuple[str | None, ...]) -> dict[str, str]:
    version = ".".join([number for number in numbers if number is not None])
    return {"name": name, "version": version} if version else {"name": name}


def _tree(value: dict[str, Any]) -> Tree:
    return {
        key: _tree(inner) if isinstance(inner, dict) else tokens.raw(inner)
        for key, inner in value.items()
    }


def _with(tree: Tree, more: Tree) -> Tree:
    """An object with what it does not say itself; neither of the two is changed."""
    both = dict(tree)
    for key, value in more.items():
        if key not in both:
            both[key] = value
        elif type(value) is dict and (inner := _opened(both[key])) is not None:
            both[key] = _with(inner, value)
    return both


def _addresses(tree: Tree) -> list[bytes]:
    found: list[bytes] = []
    for end in _ENDS:
        node = tree.get(end)
        if node is not None and (opened := _opened(node)) is not None:
            _take(opened, ("ip",), found)
    return found


def _users(tree: Tree) -> list[bytes]:
    found: list[bytes] = []
    node = tree.get("user")
    if node is not None and (opened := _opened(node)) is not None:
        _take(opened, _NAMES, found)
        for person in _PEOPLE:
            inner = opened.get(person)
            if inner is not None and (other := _opened(inner)) is not None:
                _take(other, _NAMES, found)
    return found


def _take(tree: Tree, keys: tuple[str, ...], found: list[bytes]) -> None:
    """Add the texts at some keys, each once; as the tokens they are."""
    for key in keys:
        node = tree.get(key)
        if type(node) is Raw:
            token = bytes(node)
            if token[:1] == _STRING and len(token) > len('""') and token not in found:
                found.append(token)


def _relate(tree: Tree, related: dict[str, list[bytes]]) -> None:
    node = tree.get("related")
    given = {} if node is None else _opened(node)
    if given is None:
        return
    both = dict(given)
    for key, found in related.items():
        if found:
            said = _elements(both.get(key))
            both[key] = [Raw(token) for token in dict.fromkeys([*said, *found])]
    tree["related"] = both


def _elements(node: Any) -> list[bytes]:
    if node is None:
        return []
    text = tokens.encode(node)
    if text[:1] != b"[":
        return [text]
    try:
        return list(map(bytes, _ITEMS(text)))
    except msgspec.DecodeError:
        return list(map(bytes, tokens.elements(text)))


def _opened(node: Any) -> Tree | None:
    """The object at a node; None where it is none, or one that only the slow reader takes."""
    if type(node) is dict:
        return node
    if type(node) is not Raw:
        return None
    try:
        return tokens.opened(node)
    except msgspec.DecodeError:
        return None
