"""The search columns of an event, derived from its parts and from nothing else.

Columns find events; what is shown comes from parts. `sealog verify` derives every row again, so
these functions MUST give the same row for the same parts, and never fail: what is off-schema
becomes text or nothing.
"""

from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from msgspec import Raw

from sealog.archive.forms import (
    BETWEEN,
    ID_BYTES,
    VALUE_CHARS_MAX,
    address_of,
    clip,
    fold,
    in_list,
)
from sealog.errors import SealogError
from sealog.event import times, tokens
from sealog.event.packs import Opened
from sealog.event.parts import ACTOR, FACTS, REST, TARGET

VALUES_MAX = 32

_STATUS_MAX = (1 << 31) - 1
_TIME_MAX = (1 << 63) - 1
_QUICK_DIGITS = {24: 1_000, 27: 1}
_SECOND_CHARS = 19
FINDINGS = b'"findings":['
"""Stands in the rest of every event that has findings."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """One event's search columns. Text is "" where the event has none.

    Actor and target are folded (`fold`), because they are matched whatever their case; a target is
    the distinct ones of name, id and e-mail. An address is written as `address_of` writes it.
    """

    index: int
    at_us: int
    ingested_us: int
    action: str
    alias: str
    category: str
    type: str
    outcome: str
    actor_id: str
    actor_name: str
    actor_email: str
    actor_kind: str
    address: str
    target: str
    session: str
    dialect: str
    status: int | None
    finding: bool
    id: bytes


# What nearly every event looks like, checked while it is read; all else takes the slow way
# (`_loose_*`), which gives the same types.
_Short = Annotated[str, msgspec.Meta(max_length=VALUE_CHARS_MAX)]
_Text = _Short | None
_Name = _Short | int | None
_Scalar = str | int | float | None


class _Event(msgspec.Struct, gc=False):
    id: _Text = None
    action: _Text = None
    category: Raw = Raw()
    type: Raw = Raw()
    outcome: _Text = None
    ingested: _Text = None


class _Response(msgspec.Struct, gc=False):
    status_code: _Name = None


class _Http(msgspec.Struct, gc=False):
    response: _Response | None = None


class _Names(msgspec.Struct, gc=False):
    action: _Text = None
    dialect: _Text = None


class Facts(msgspec.Struct, gc=False):
    """What columns need of facts."""

    event: _Event
    sealog: _Names
    at: _Text = msgspec.field(default=None, name="@timestamp")
    http: _Http | None = None


class Person(msgspec.Struct, gc=False):
    """A user."""

    id: _Name = None
    name: _Text = None
    email: _Text = None


class _Ip(msgspec.Struct, gc=False):
    ip: _Text = None


class _Id(msgspec.Struct, gc=False):
    id: _Name = None


class _Kind(msgspec.Struct, gc=False):
    kind: _Text = None


class _ActorNote(msgspec.Struct, gc=False):
    actor: _Kind | None = None


class Actor(msgspec.Struct, gc=False):
    """What columns need of an actor."""

    user: Person | None = None
    source: _Ip | None = None
    client: _Ip | None = None
    session: _Id | None = None
    sealog: _ActorNote | None = None


class _Targeted(msgspec.Struct, gc=False):
    target: Person | None = None


class _Target(msgspec.Struct, gc=False):
    user: _Targeted | None = None


class _Noted(msgspec.Struct, gc=False):
    findings: list[Raw] | None = None


class _Rest(msgspec.Struct, gc=False):
    sealog: _Noted | None = None


READ_FACTS = msgspec.json.Decoder(Facts).decode
READ_ACTOR = msgspec.json.Decoder(Actor).decode
_READ_REST = msgspec.json.Decoder(_Rest).decode
_READ_TARGET = msgspec.json.Decoder(_Target).decode
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

Who = tuple[str, str, str, str, str, str]
"""Actor id, name, e-mail, kind, address, session."""
NOBODY: Who = ("", "", "", "", "", "")


def row_of(index: int, opened: Opened) -> Row:
    """The row of one stored event. Never raises, whatever the parts hold."""
    parts = [b"", b"", b"", b""]
    for number, _, part in opened.parts:
        parts[number] = part
    return row_from(
        index, facts_of(parts[FACTS], parts[REST]), parts[ACTOR], parts[TARGET], parts[REST]
    )


def id_of(opened: Opened) -> str:
    """The event's id as its parts have it."""
    parts = {number: part for number, _, part in opened.parts}
    return facts_of(parts.get(FACTS, b""), parts.get(REST, b"")).event.id or ""


def row_from(index: int, facts: Facts, actor: bytes, target: bytes, rest: bytes) -> Row:
    """The row of an event whose facts are read; the other parts empty where it has none."""
    event = facts.event
    names = facts.sealog
    http = facts.http
    ingested_us = arrival(event.ingested or "")
    at_us = time_of(facts.at or "")
    uid, name, mail, kind, address, session = who(actor) if actor else NOBODY
    return Row(
        index,
        ingested_us if at_us is None else at_us,
        ingested_us,
        event.action or "",
        names.action or "",
        listed(bytes(event.category)),
        listed(bytes(event.type)),
        event.outcome or "",
        uid,
        name,
        mail,
        kind,
        address,
        aim(target) if target else "",
        session,
        names.dialect or "",
        None if http is None else status_in(http),
        has_findings(rest),
        sha256((event.id or "").encode()).digest()[:ID_BYTES],
    )


def who(part: bytes) -> Who:
    """What an actor's part, of any shape, says."""
    try:
        actor = READ_ACTOR(part)
    except UNREADABLE:
        actor = _loose_actor(_plain(part))
    uid = name = mail = address = ""
    user = actor.user
    if user is not None:
        uid = "" if user.id is None else fold(str(user.id))
        name = fold(user.name) if user.name else ""
        mail = fold(user.email) if user.email else ""
    if actor.source is not None and actor.source.ip:
        address = address_of(actor.source.ip)
    elif actor.client is not None and actor.client.ip:
        address = address_of(actor.client.ip)
    kind = kind_in(actor) or ("user" if uid or name or mail else "")
    return uid, name, mail, kind, address, session_in(actor)


def kind_in(actor: Actor) -> str:
    """What kind of actor the event itself says it was."""
    note = actor.sealog
    return "" if note is None or note.actor is None else note.actor.kind or ""


def session_in(actor: Actor) -> str:
    """The session's id, short enough for its column."""
    session = actor.session
    return "" if session is None or session.id is None else clip(str(session.id))


def aim(part: bytes) -> str:
    """Whom it was done to: the distinct ones of name, id and e-mail, in this order."""
    try:
        user = _READ_TARGET(part).user
    except UNREADABLE:
        person: Person | None = _person(_at(_plain(part), "user", "target"))
    else:
        person = None if user is None else user.target
    if person is None:
        return ""
    uid = "" if person.id is None else str(person.id)
    values = (person.name or "", uid, person.email or "")
    return BETWEEN.join(dict.fromkeys([in_list(fold(value)) for value in values if value]))


def facts_of(part: bytes, rest: bytes) -> Facts:
    """Facts of any shape. An action or id that may not stand in facts stands in `rest`."""
    try:
        facts = READ_FACTS(part)
    except UNREADABLE:
        facts = _loose_facts(_plain(part))
    event = facts.event
    if not (event.id and event.action) and b'"event"' in rest:
        spare = _at(_plain(rest), "event")
        event.id = event.id or _text(_at(spare, "id"))
        event.action = event.action or _text(_at(spare, "action"))
    return facts


def _loose_facts(tree: Any) -> Facts:
    event, names = _at(tree, "event"), _at(tree, "sealog")
    return Facts(
        event=_Event(
            id=_text(_at(event, "id")),
            action=_text(_at(event, "action")),
            category=tokens.raw(_at(event, "category")),
            type=tokens.raw(_at(event, "type")),
            outcome=_text(_at(event, "outcome")),
            ingested=_text(_at(event, "ingested")),
        ),
        sealog=_Names(_text(_at(names, "action")), _text(_at(names, "dialect"))),
        at=_text(_at(tree, "@timestamp")),
        http=_Http(_Response(_text(_at(tree, "http", "response", "status_code")))),
    )


def _loose_actor(tree: Any) -> Actor:
    return Actor(
        user=_person(_at(tree, "user")),
        source=_Ip(_bare(_at(tree, "source", "ip"))),
        client=_Ip(_bare(_at(tree, "client", "ip"))),
        session=_Id(_text(_at(tree, "session", "id"))),
        sealog=_ActorNote(_Kind(_text(_at(tree, "sealog", "actor", "kind")))),
    )


def _person(node: Any) -> Person:
    """A person as an object; as a bare value it is taken for a name. Cut only when folded."""
    if isinstance(node, list) and node:
        node = node[0]
    if not isinstance(node, dict):
        return Person(name=_bare(node))
    return Person(*(_bare(node.get(key)) for key in ("id", "name", "email")))


def _plain(part: bytes) -> Any:
    try:
        return tokens.plain(part)
    except (SealogError, ValueError, RecursionError):
        return None


def _at(node: Any, *path: str) -> Any:
    for step in path:
        if not isinstance(node, dict):
            return None
        node = node.get(step)
    return node


def _text(value: Any) -> str:
    return clip(_bare(value))


def _bare(value: Any) -> str:
    """The text of a scalar, or of an array's first; "" for an object."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""


@lru_cache(maxsize=1_024)
def listed(token: bytes) -> str:
    """All texts of `category` or `type`; there are few different ones."""
    if not token:
        return ""
    value = _plain(token)
    values = value if isinstance(value, list) else [value]
    return BETWEEN.join([in_list(text) for text in map(_text, values[:VALUES_MAX]) if text])


def status_in(http: _Http) -> int | None:
    """The status as a number, where it is one."""
    value: _Scalar = None if http.response is None else http.response.status_code
    if type(value) is str and value.isascii() and value.isdecimal() and len(value) <= 10:  # noqa: PLR2004 - digits of 2^31
        value = int(value)
    if type(value) is int and 0 <= value <= _STATUS_MAX:
        return value
    return None


def has_findings(rest: bytes) -> bool:
    """Whether the event came with something odd."""
    if FINDINGS not in rest:
        return False
    try:
        noted = _READ_REST(rest).sealog
    except UNREADABLE:
        return bool(_at(_plain(rest), "sealog", "findings"))
    return noted is not None and bool(noted.findings)


@lru_cache(maxsize=1_024)
def arrival(text: str) -> int:
    """A batch arrives at one moment, so the last few texts answer nearly always."""
    moment = times.read(text)
    return 0 if moment is None else min(moment.at_us, _TIME_MAX)


def time_of(text: str) -> int | None:
    """Microseconds of a sealed time: the same as `times.read`, whole seconds remembered."""
    digits = _QUICK_DIGITS.get(len(text))
    if digits is not None and text[-1] == "Z" and text[_SECOND_CHARS] == ".":
        fraction = text[20:-1]
        second = second_of(text[:_SECOND_CHARS])
        if second is not None and fraction.isdecimal():
            return second + int(fraction) * digits
    moment = times.read(text)
    return None if moment is None else moment.at_us


@lru_cache(maxsize=16_384)
def second_of(text: str) -> int | None:
    """Microseconds of a whole second, without zone."""
    moment = times.read(text + ".000Z")
    return None if moment is None else moment.at_us
