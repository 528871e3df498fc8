"""The native dialect: events that already are ECS documents, taken verbatim.

Nothing is renamed or mended. What Sealog sets itself (the time in UTC, `ecs.version`, ids, the time
of arrival) is taken out; where what was sent differs from what is sealed, it stands as sent. Of a
hit of Elasticsearch, the document in its `_source` is the event; the rest of the hit stays beside it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from sealog.catalog import ecs as schema
from sealog.dialects import trees
from sealog.dialects.dialect import Dialect, Settings
from sealog.errors import Refused
from sealog.event import parts, times, tokens
from sealog.event.findings import Finding, pointer
from sealog.event.ids import ID_BYTES_MAX, MASK, may_be_id
from sealog.event.record import Draft, Record
from sealog.event.shapes import Learner, Shaped, Shapes
from sealog.event.tokens import Tree

UNKNOWN_ACTION = "unknown"
RESERVED = "sealog."
"""Actions that begin so are Sealog's own words; nobody else may say them."""

READINGS_MAX = 4_096
READING_BYTES_MAX = 1_024

_NOTHING = Raw(b"null")
_UNKNOWN_TOKEN = Raw(b'"unknown"')
_VERSION_TOKEN = f'"{schema.VERSION}"'.encode()
_ECS_OBJECT = b'{"version":' + _VERSION_TOKEN + b"}"
_OPEN = msgspec.json.Decoder(dict[str, Raw]).decode
_SOURCE = "_source"
# What stands beside the source of a hit and does not begin with an underscore.
_BESIDE_SOURCE = frozenset(
    ("fields", "sort", "highlight", "matched_queries", "inner_hits", "ignored_field_values")
)
_CLASSES = ("kind", "category", "type", "outcome")
_EMPTY = b'""'
_MASK = MASK.encode()
# What a shape is made with: see `Learner`.
_FIXED = {"ecs": _ECS_OBJECT}
_TAKEN = frozenset({"@timestamp", "event.id", "organization.id"})
_ODD = frozenset({"_source", "sealog", "event.ingested", "event.original"})
_ASKED = (
    "@timestamp",
    "event.id",
    "organization.id",
    "event.action",
    *tuple(f"event.{name}" for name in _CLASSES),
)


class _Reading(msgspec.Struct, frozen=True, gc=False):
    """What the tokens of an event's action and classes say, worked out once."""

    action: str | None
    """None where no usable action was sent."""
    oddities: tuple[tuple[str, str, str], ...]
    """Code, field of `event`, detail."""


class Ecs(Dialect):
    """The `ecs` dialect. It has no catalog: its actions are whatever its senders say."""

    name = "ecs"

    def __init__(self, _catalog: object = None) -> None:
        self._seconds = times.Seconds()
        learner = Learner("ecs", parts.places(), fixed=_FIXED, taken=_TAKEN, odd=_ODD, asked=_ASKED)
        self._shapes = Shapes(learner.learn)
        self._readings: dict[tuple[bytes, ...], _Reading] = {}

    def read(self, lines: Sequence[bytes]) -> list[Shaped | None]:
        """See `Dialect.read`."""
        return self._shapes.read_all(lines)

    def glance(self, record: Record, settings: Settings) -> Draft | None:  # noqa: ARG002
        """See `Dialect.glance`."""
        shaped = record.shaped
        if shaped is None or not record.strict:
            return None
        at, name, tenant, *classes = shaped.shape.asked(shaped.values)
        at_text = at[1:-1].decode()
        at_us = self._seconds.us(at_text)
        # What stands between its quotes is what they say: a fact of a shape has no escapes.
        if at_us is None or _EMPTY in (name, tenant) or _MASK in name:
            return None
        reading = self._readings.get(sent := tuple(classes))
        if reading is None:
            try:
                reading = self._reading(sent)
            except Refused:
                return None
        action = reading.action
        if action is None or reading.oddities:
            return None
        return Draft(
            {},
            "ecs",
            action,
            action,
            at_us,
            at_text,
            name[1:-1].decode() or None,
            tenant[1:-1].decode() or None,
            clean=True,
            shaped=shaped,
        )

    def translate(self, record: Record, settings: Settings) -> Draft:
        """Give the draft of one ECS document; the record is not changed.

        Raises `Refused` (`reserved-action`) for an action that begins with `sealog.`.
        """
        draft = Draft({}, "ecs", "", "", sent={}, findings=[*record.findings])
        fields = record.fields
        if _SOURCE in fields:
            fields = _document(draft, fields)
        dotted = trees.has_dotted_key(record.text)
        if dotted:
            expanded = trees.expand(fields)
            draft.tree = tree = expanded.tree
            draft.sent |= expanded.losers
            draft.findings += expanded.findings
        else:
            draft.tree = tree = dict(fields)
        if record.equal:
            for path, node in trees.equal_values(record.equal).items():
                trees.keep(draft.sent, path, node)
        _take_time(draft, record, tree.pop("@timestamp", None), settings)
        if "ecs" in tree:
            _take_version(draft, record, tree.pop("ecs"))
        if "organization" in tree:
            _take_tenant(draft, record, tree.pop("organization"))
        if "sealog" in tree:
            trees.keep(draft.sent, "sealog", tree.pop("sealog"))
        self._read_event(draft, record, tree.get("event"))
        odd = dotted or draft.sent or draft.findings or record.equal
        draft.clean = record.strict and fields is record.fields and not odd
        if draft.clean and record.shaped is None:
            self._shapes.notice(record.text, tuple(fields))
        return draft

    def _read_event(self, draft: Draft, record: Record, node: Any) -> None:
        event = None if node is None else _object(draft, record, "event", node)
        draft.tree["event"] = event = {} if event is None else event
        if "id" in event:
            _take_id(draft, record, event.pop("id"))
        for key in ("ingested", "original"):
            if key in event:
                trees.keep(draft.sent, "event." + key, event.pop(key))
        get = event.get
        reading = self._reading(
            (
                _token(get("action")),
                _token(get("kind")),
                _token(get("category")),
                _token(get("type")),
                _token(get("outcome")),
            )
        )
        for code, field, detail in reading.oddities:
            draft.findings.append(Finding(code, _where(record, "event", field), detail))
        if reading.action is None:
            sent = event.pop("action", None)
            if sent is not None:
                trees.keep(draft.sent, "event.action", sent)
            draft.action = draft.alias = UNKNOWN_ACTION
            event["action"] = _UNKNOWN_TOKEN
            return
        draft.action = draft.alias = reading.action

    def _reading(self, sent: tuple[bytes, ...]) -> _Reading:
        reading = self._readings.get(sent)
        if reading is None:
            reading = _read_classes(sent)
            if sum(map(len, sent)) <= READING_BYTES_MAX:
                if len(self._readings) >= READINGS_MAX:
                    self._readings.clear()
                self._readings[sent] = reading
        return reading


def _document(draft: Draft, fields: Tree) -> Tree:
    """What a hit holds, lifted beside its envelope; the record itself where it is no hit."""
    if any(key[:1] != "_" and key not in _BESIDE_SOURCE for key in fields):
        return fields
    source = trees.opened(fields[_SOURCE])
    if source is None:
        return fields
    lifted = dict(source)
    for key, node in fields.items():
        if key == _SOURCE:
            continue
        if key in source:
            trees.keep(draft.sent, key, node)
            draft.findings.append(Finding("clash", pointer(key)))
        else:
            lifted[key] = node
    return lifted


def _read_classes(sent: tuple[bytes, ...]) -> _Reading:
    action = trees.text_of(Raw(sent[0])) if sent[0] else None
    odd: list[tuple[str, str, str]] = []
    if action is None or not action.strip():
        odd.append(("no-action", "action", f"kept as the action {UNKNOWN_ACTION}"))
        action = None
    elif action.lstrip().lower().startswith(RESERVED):
        msg = f"actions that begin with {RESERVED!r} are Sealog's own"
        raise Refused(msg, code="reserved-action", pointer=pointer("event", "action"))
    values = [tokens.plain(token) if token else None for token in sent[1:]]
    for code, detail in schema.lint(*values):
        field = next((name for name in _CLASSES if name in code), "type")
        odd.append((code, field, detail))
    return _Reading(action, tuple(odd))


def _token(node: Any) -> bytes:
    """A value's text, empty for none."""
    if node is None:
        return b""
    return tokens.encode(node) if type(node) is dict else bytes(node)


def _take_time(draft: Draft, record: Record, node: Any, settings: Settings) -> None:
    if node is None:
        draft.findings.append(Finding("no-time", "", "its time is the time of arrival"))
        return
    token = _token(node)
    written: str | None
    if token[:1] == b'"':
        written = token[1:-1].decode() if b"\\" not in token else trees.text_of(node)
    else:
        written = token.decode("utf-8", "replace")
    found = None if written is None else times.read(written, day_first=settings.day_first)
    if found is None:
        code = "no-time" if token in (b"null", b'""') else "bad-time"
        draft.findings.append(Finding(code, _where(record, "@timestamp"), "no time that we know"))
        trees.keep(draft.sent, "@timestamp", node)
        return
    draft.at_us = found.at_us
    draft.at_text = found.text
    # The token decides, not the time: an escape or a number is not what is sealed.
    if len(token) != len(found.text) + 2 or found.text != written:
        trees.keep(draft.sent, "@timestamp", node)
    if found.oddities:
        draft.findings += found.findings(_where(record, "@timestamp"))


def _take_version(draft: Draft, record: Record, node: Any) -> None:
    if type(node) is Raw and bytes(node) == _ECS_OBJECT:
        return
    inner = _object(draft, record, "ecs", node)
    if inner is None:
        return
    version = inner.pop("version", None)
    if version is not None and _token(version) != _VERSION_TOKEN:
        trees.keep(draft.sent, "ecs.version", version)
    if inner:
        draft.tree["ecs"] = inner


def _take_tenant(draft: Draft, record: Record, node: Any) -> None:
    inner = _object(draft, record, "organization", node)
    if inner is None:
        return
    tenant = inner.pop("id", None)
    if tenant is not None:
        draft.tenant = trees.text_of(tenant) or None
        if draft.tenant is None or b"\\" in bytes(tenant):
            trees.keep(draft.sent, "organization.id", tenant)
    if inner:
        draft.tree["organization"] = inner


def _take_id(draft: Draft, record: Record, node: Any) -> None:
    name = trees.text_of(node)
    if name and may_be_id(name):
        draft.id = name
        if b"\\" in bytes(node):
            trees.keep(draft.sent, "event.id", node)
        return
    trees.keep(draft.sent, "event.id", node)
    detail = f"an id is a string of 1 to {ID_BYTES_MAX} bytes without @"
    draft.findings.append(Finding("bad-id", _where(record, "event", "id"), detail))


def _object(draft: Draft, record: Record, key: str, node: Any) -> Tree | None:
    """An object that Sealog adds to, as a dict of the draft's own; anything else stands as sent."""
    try:
        if type(node) is Raw:
            return _OPEN(node)
        return dict(node)
    except msgspec.DecodeError:
        pass
    inner = trees.opened(node)
    if inner is None:
        trees.keep(draft.sent, key, node)
        detail = f"{key} is an object in ECS"
        draft.findings.append(Finding("not-an-object", _where(record, key), detail))
    return inner


def _where(record: Record, *steps: str) -> str:
    """The pointer of a field in the record as sent, whose key may have been a dotted one."""
    dotted = ".".join(steps)
    if dotted in record.fields:
        return pointer(dotted)
    if trees.get_at(record.fields, steps) is not None:
        return pointer(*steps)
    source = trees.opened(record.fields.get(_SOURCE, _NOTHING)) or {}
    if dotted in source:
        return pointer(_SOURCE, dotted)
    return pointer(_SOURCE, *steps) if trees.get_at(source, steps) is not None else ""
