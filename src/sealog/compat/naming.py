"""Which event it is that was opened: its id, its dialect, and what was odd about it.

What msgspec refuses (half a character, a number past a double) is kept in events all the same: a
slower reader takes over there, so that one odd record hides none of its neighbours.
"""

from typing import Any

import msgspec
from msgspec import Raw

from sealog.errors import Refused
from sealog.event import tokens
from sealog.event.packs import Opened
from sealog.event.parts import FACTS, REST


class _Event(msgspec.Struct, frozen=True):
    id: str = ""


class _Sealog(msgspec.Struct, frozen=True):
    dialect: str = ""
    findings: Raw = Raw(b"[]")


class _Part(msgspec.Struct, frozen=True):
    event: _Event = _Event()
    sealog: _Sealog = _Sealog()


_READ = msgspec.json.Decoder(_Part).decode
_MEMBERS = msgspec.json.Decoder(dict[str, Raw]).decode
_NOTHING = _Part()


def named(opened: Opened) -> tuple[str, str]:
    """An event's id and its dialect; empty where no open part says."""
    facts = _part(opened, FACTS)
    # An id that may be personal stands in the rest.
    return facts.event.id or _part(opened, REST).event.id, facts.sealog.dialect


def findings(opened: Opened) -> Raw:
    """What was odd about the record, as a JSON array; empty where nothing was."""
    return Raw(bytes(_part(opened, REST).sealog.findings))


def members(text: bytes) -> dict[str, Raw]:
    """The members of an object, each the token it is; of what is no object, none."""
    try:
        return _MEMBERS(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {name: _raw(value) for name, value in _tree(text).items()}


def _part(opened: Opened, wanted: int) -> _Part:
    for number, _, part in opened.parts:
        if number == wanted:
            try:
                return _READ(part)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                return _slowly(part)
    return _NOTHING


def _slowly(part: bytes) -> _Part:
    tree = _tree(part)
    event, sealog = tree.get("event"), tree.get("sealog")
    about = sealog if isinstance(sealog, dict) else {}
    return _Part(
        _Event(_text(event.get("id")) if isinstance(event, dict) else ""),
        _Sealog(_text(about.get("dialect")), _raw(about.get("findings", Raw(b"[]")))),
    )


def _tree(text: bytes) -> tokens.Tree:
    try:
        return tokens.parse(text, own=True).tree
    except Refused:
        return {}


def _raw(node: Any) -> Raw:
    return node if isinstance(node, Raw) else Raw(tokens.encode(node))


def _text(node: Any) -> str:
    found = tokens.plain(node) if isinstance(node, Raw) else ""
    return found if isinstance(found, str) else ""
