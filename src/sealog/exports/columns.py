"""The columns of CSV and Parquet: what of an event stands in which, read from the event as it is shown.

They are documented in docs/exports.md and never reordered: new ones go before `event`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from sealog.errors import Refused
from sealog.event import times, tokens

NUMBERS = ("index", "status")
TIMES = ("time", "ingested")
COLUMNS = (
    "index", "time", "ingested", "id", "action", "alias", "category", "type", "outcome", "actor_id",
    "actor_name", "actor_email", "actor_kind", "address", "target_id", "target_name",
    "target_email", "session", "dialect", "status", "message", "event",
)  # fmt: skip

Row = tuple[Any, ...]
"""The values of an event in the order of `COLUMNS`; text, or None where the event has none. `index`
and `status` are whole numbers."""

_STATUS_MAX = (1 << 31) - 1
_STATUS_DIGITS = 10

# What nearly every event looks like, checked while it is read; all else takes the slow way.
_Text = str | None
_Name = str | int | None
_Texts = list[str] | str | None


class _Event(msgspec.Struct, gc=False, frozen=True):
    id: _Name = None
    action: _Text = None
    category: _Texts = None
    type: _Texts = None
    outcome: _Text = None
    ingested: _Text = None


class _Person(msgspec.Struct, gc=False, frozen=True):
    id: _Name = None
    name: _Text = None
    email: _Text = None


class _User(_Person, gc=False, frozen=True):
    target: _Person | None = None


class _Kind(msgspec.Struct, gc=False, frozen=True):
    kind: _Text = None


class _Names(msgspec.Struct, gc=False, frozen=True):
    index: int
    action: _Text = None
    dialect: _Text = None
    actor: _Kind | None = None


class _Ip(msgspec.Struct, gc=False, frozen=True):
    ip: _Text = None


class _Id(msgspec.Struct, gc=False, frozen=True):
    id: _Name = None


class _Response(msgspec.Struct, gc=False, frozen=True):
    status_code: _Name = None


class _Http(msgspec.Struct, gc=False, frozen=True):
    response: _Response | None = None


_NO_EVENT, _NOBODY, _NO_KIND = _Event(), _Person(), _Kind()
_NOWHERE, _NO_SESSION, _NO_USER = _Ip(), _Id(), _User()
_NO_RESPONSE = _Response()
_NO_HTTP = _Http(_NO_RESPONSE)


class _Shown(msgspec.Struct, gc=False, frozen=True):
    sealog: _Names
    at: _Text = msgspec.field(default=None, name="@timestamp")
    event: _Event = _NO_EVENT
    user: _User = _NO_USER
    source: _Ip = _NOWHERE
    client: _Ip = _NOWHERE
    session: _Id = _NO_SESSION
    http: _Http = _NO_HTTP
    message: _Text = None


_READ = msgspec.json.Decoder(_Shown).decode
_READ_LINES = msgspec.json.Decoder(_Shown).decode_lines
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def check(names: Sequence[str]) -> tuple[str, ...]:
    """The columns that are wanted, in the order asked for. Raises `Refused`."""
    wanted = tuple(names)
    unknown = sorted(set(wanted).difference(COLUMNS))
    if unknown or not wanted or len(set(wanted)) != len(wanted):
        raise Refused(
            f"columns are one or more of {', '.join(COLUMNS)}, each once",
            code="bad-columns",
            pointer="/columns",
        )
    return wanted


def rows(lines: bytes) -> list[Row]:
    """The rows of events as NDJSON, each with its line break. Never raises, whatever they hold."""
    texts = lines.splitlines()
    try:
        read = _READ_LINES(lines)
    except _UNREADABLE:
        read = [_one(text) for text in texts]
    return [_row(shown, text) for shown, text in zip(read, texts, strict=True)]


def at_us(text: str | None) -> int | None:
    """Microseconds since 1970 of a time in a row."""
    read = None if text is None else times.read(text)
    return None if read is None else read.at_us


def _one(text: bytes) -> _Shown:
    try:
        return _READ(text)
    except _UNREADABLE:
        return _loose(tokens.parse(text, own=True).tree)


def _row(shown: _Shown, text: bytes) -> Row:
    event, own, user = shown.event, shown.sealog, shown.user
    target = user.target or _NOBODY
    kind = (own.actor or _NO_KIND).kind
    if kind is None and not (user.id is None and user.name is None and user.email is None):
        kind = "user"
    return (
        own.index,
        shown.at,
        event.ingested,
        _name(event.id),
        event.action,
        own.action,
        _joined(event.category),
        _joined(event.type),
        event.outcome,
        _name(user.id),
        user.name,
        user.email,
        kind,
        shown.source.ip or shown.client.ip,
        _name(target.id),
        target.name,
        target.email,
        _name(shown.session.id),
        own.dialect,
        _status((shown.http.response or _NO_RESPONSE).status_code),
        shown.message,
        text.decode("utf-8", "replace"),
    )


def _name(value: _Name) -> str | None:
    return value if value is None or type(value) is str else str(value)


def _joined(values: _Texts) -> str | None:
    return ",".join(values) if type(values) is list else values  # type: ignore[return-value]


def _status(value: _Name) -> int | None:
    if (
        type(value) is str
        and value.isascii()
        and value.isdecimal()
        and len(value) <= _STATUS_DIGITS
    ):
        value = int(value)
    return value if type(value) is int and abs(value) <= _STATUS_MAX else None


def _loose(tree: tokens.Tree) -> _Shown:
    """An event of any shape: what is not text becomes text, what is not there nothing."""

    def at(*path: str) -> str | None:
        node: Any = tree
        for step in path:
            node = node.get(step) if type(node) is dict else None
        return _text(node)

    return _Shown(
        sealog=_Names(
            int(at("sealog", "index") or 0),
            at("sealog", "action"),
            at("sealog", "dialect"),
            _Kind(at("sealog", "actor", "kind")),
        ),
        at=at("@timestamp"),
        event=_Event(
            at("event", "id"),
            at("event", "action"),
            at("event", "category"),
            at("event", "type"),
            at("event", "outcome"),
            at("event", "ingested"),
        ),
        user=_User(
            at("user", "id"),
            at("user", "name"),
            at("user", "email"),
            _Person(
                at("user", "target", "id"),
                at("user", "target", "name"),
                at("user", "target", "email"),
            ),
        ),
        source=_Ip(at("source", "ip")),
        client=_Ip(at("client", "ip")),
        session=_Id(at("session", "id")),
        http=_Http(_Response(at("http", "response", "status_code"))),
        message=at("message"),
    )


def _text(node: Any) -> str | None:
    """The text of a value: a string's own, of a list of strings all of them, else its JSON."""
    if node is None:
        return None
    token = tokens.encode(node)
    if token[:1] in (b'"', b"[", b"n"):
        value = tokens.plain(token)
        if value is None or isinstance(value, str):
            return value
        if all(isinstance(one, str) for one in value):
            return ",".join(value)
    return token.decode("utf-8", "replace")
