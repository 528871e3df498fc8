"""Hits of Closer as it nearly always writes them: their shapes, and the form that each has."""

import re
from collections.abc import Callable
from operator import itemgetter
from typing import Any

import msgspec
from msgspec import Raw

from sealog.errors import Refused
from sealog.event import forms
from sealog.event.findings import Finding
from sealog.event.parts import FACT_PATHS
from sealog.event.patterns import (
    COMMA,
    Pattern,
    Shapeless,
    fact_pattern,
    key_pattern,
    styled,
    value_pattern,
)
from sealog.event.record import Draft, Form, Record
from sealog.event.shapes import Shape, keys_of

FORMS_MAX = 1_024
FORMED_AFTER = 4
"""How many events of a form come before it is written."""
DECIDING = (
    "event.kind",
    "event.category",
    "event.type",
    "event.action",
    "event.outcome",
    "http.response.status_code",
)
"""The keys of a message whose values decide what becomes of it."""

_DECIDING_BYTES_MAX = 512
# A key of the envelope stands behind a slash, which no key of a message has: one may be named as
# the other.
_ID = "/_id"
_ASKED = ("@timestamp", _ID, "source.ip", "user.id", *DECIDING)
_KEYS_MAX = 64
_ODD = re.compile(
    r"(sealog|organization|closer|@timestamp|_source|message|description)(\..*)?"
    r"|event(\.(id|ingested|original))?|client\.ip|ecs"
)
_PLAIN_STRING = rb'"(?! *+:)[^"\\\x00-\x1f]++"'
_PROBE_TIME = Raw(b'"2026-01-01T00:00:00.000+0000"')
_PROBE_IP = b"203.0.113.254"
_DECODE = msgspec.json.Decoder().decode


class Hit(Shape, frozen=True):
    """The shape of a hit, and what a record of it is made of."""

    pieces: tuple[bytes, ...]
    """What stands before each value, and behind the last."""
    asked_slots: tuple[int, ...]
    facts: frozenset[int]

    def line(self, values: list[bytes]) -> bytes:
        """The record with these values."""
        pairs = zip(self.pieces, values, strict=False)
        return b"".join(part for pair in pairs for part in pair) + self.pieces[-1]


class HitLearner:
    """Makes the shape of a hit."""

    def __init__(self, may_be: Callable[[tuple[str, ...]], bool]) -> None:
        """`may_be`: whether the keys of a message become a tree without meeting each other."""
        self._may_be = may_be

    def learn(self, line: bytes) -> Hit:
        """The shape of a hit, which is strict JSON; raises `Shapeless`."""
        values = _DECODE(line)
        source = values.get("_source")
        message = source.get("message") if type(source) is dict else None
        if type(message) is not dict or not source.keys() <= {"message", "@timestamp"}:
            raise Shapeless("no hit")
        if len(message) > _KEYS_MAX or not self._may_be(tuple(message)):
            raise Shapeless("its keys meet")
        if any(_ODD.fullmatch(key) for key in message):
            raise Shapeless("it says what Sealog says")
        pattern, pieces = [b""], [b""]
        slots: dict[str, int] = {}
        for key, value in values.items():
            if key == "_source":
                self._open(key, pattern, pieces)
                for name, child in value.items():
                    if name == "message":
                        self._open(name, pattern, pieces)
                        for each, leaf in child.items():
                            self._value(each, each, leaf, (pattern, pieces, slots))
                        self._close(pattern, pieces)
                    else:
                        self._value(name, name, child, (pattern, pieces, slots))
                self._close(pattern, pieces)
            else:
                self._value(key, f"/{key}", value, (pattern, pieces, slots))
        found = styled(rb"\{%b\}" % b"".join(pattern), line)
        return _hit(found, pieces, slots, keys_of(values))

    def _open(self, key: str, pattern: list[bytes], pieces: list[bytes]) -> None:
        _next(pattern, pieces, key_pattern(key, dotted=True), f'"{key}":'.encode())
        pattern[-1] += rb"\{"
        pieces[-1] += b"{"

    def _close(self, pattern: list[bytes], pieces: list[bytes]) -> None:
        pattern.append(rb"\}")
        pieces[-1] += b"}"

    def _value(
        self,
        key: str,
        path: str,
        value: Any,
        made: tuple[list[bytes], list[bytes], dict[str, int]],
    ) -> None:
        pattern, pieces, slots = made
        if type(value) is dict:
            raise Shapeless("an object in a message")
        _next(pattern, pieces, key_pattern(key, dotted=True), f'"{key}":'.encode())
        if path in ("@timestamp", _ID) or (path in FACT_PATHS and path not in DECIDING):
            accepted = fact_pattern(value)
        elif path in ("user.id", "source.ip"):
            accepted = _PLAIN_STRING
        else:
            accepted = value_pattern(value)
        if path in ("@timestamp", _ID, "user.id", "source.ip") and type(value) is not str:
            raise Shapeless("no string")
        pattern[-1] += b"(%b)" % accepted
        slots[path] = len(slots)
        pieces.append(b"")


def _next(pattern: list[bytes], pieces: list[bytes], key: bytes, written: bytes) -> None:
    is_first = pieces[-1][-1:] == b"{" or pattern == [b""]
    pattern.append(key if is_first else COMMA + key)
    pieces[-1] += written if is_first else b"," + written


def _hit(
    pattern: Pattern,
    pieces: list[bytes],
    slots: dict[str, int],
    keys: frozenset[str],
) -> Hit:
    if "@timestamp" not in slots or _ID not in slots or "event.action" not in slots:
        raise Shapeless("a hit without time, id or action")
    pieces[0] = b"{" + pieces[0]
    pieces[-1] += b"}"
    asked = tuple(slots.get(path, len(slots)) for path in _ASKED)
    return Hit(
        pattern=pattern,
        asked=itemgetter(*asked),
        tree={},
        templates=None,
        paths=tuple(map(_steps, slots)),
        keys=keys,
        pieces=tuple(pieces),
        asked_slots=asked,
        facts=frozenset(slot for path, slot in slots.items() if path in FACT_PATHS),
    )


def _steps(path: str) -> tuple[str, ...]:
    if path.startswith("/"):
        return (path.removeprefix("/"),)
    return ("_source", path) if path == "@timestamp" else ("_source", "message", path)


class Forms:
    """The forms of hits; one per thread. Bounded: what decides comes from outside."""

    def __init__(self, translate: Callable[[Record], Draft]) -> None:
        self._translate = translate
        self._known: dict[tuple[Any, ...], tuple[Shape, Form | None]] = {}
        self._seen: dict[tuple[Any, ...], int] = {}

    def of(
        self, hit: Shape, deciding: tuple[bytes, ...], *, mended: bool, told: bool
    ) -> Form | None:
        """The form of records of a shape; None for one that is too new or too odd to have any.

        `mended`: whether the address is not as it was written; `told`: whether anything was found
        odd about the record before.
        """
        key = (id(hit), mended, told, *deciding)
        found = self._known.get(key)
        if found is not None:
            return found[1]
        seen = self._seen.get(key, 0) + 1
        if len(self._seen) >= FORMS_MAX:
            self._seen.clear()
        self._seen[key] = seen
        if seen <= FORMED_AFTER or sum(map(len, deciding)) > _DECIDING_BYTES_MAX:
            return None
        if len(self._known) >= FORMS_MAX:
            self._known.clear()
        assert isinstance(hit, Hit)
        form = self._made(hit, deciding, mended=mended, told=told)
        self._known[key] = (hit, form)
        return form

    def _made(
        self, hit: Hit, deciding: tuple[bytes, ...], *, mended: bool, told: bool
    ) -> Form | None:
        said = b"".join(deciding)
        if forms.may_be_marked(said) or _PROBE_IP in said:
            return None
        count = len(hit.pieces) - 1
        values = [bytes(forms.token(slot)) for slot in range(count)]
        at, _, ip, _, *slots = hit.asked_slots
        for slot, token in zip(slots, deciding, strict=True):
            if slot < count:
                values[slot] = token
        values[at] = bytes(_PROBE_TIME)
        if ip < count:
            values[ip] = b'"%b%b"' % (b"/" if mended else b"", _PROBE_IP)
        line = hit.line(values)
        # Not strict, so that nothing is learnt from it.
        record = Record(0, line, line, strict=False)
        try:
            draft = self._translate(record)
        except Refused:
            return None
        if draft.sent.get("@timestamp") is None or draft.at_us is None or draft.tenant is not None:
            return None
        draft.sent["@timestamp"] = forms.token(at)
        address = forms.token(count + 1 + forms.STAMPED.index("address"))
        if ip < count:
            source = draft.tree["source"]
            source["ip"] = address
            if mended:
                draft.sent["source.ip"] = forms.token(ip)
        if told:
            draft.findings = [Finding(forms.TOLD), *draft.findings]
        return Form(record, draft, count + 1, hit.facts)
