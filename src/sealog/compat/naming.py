"""Which event it is that was opened: its id, its dialect, and what was odd about it."""

import msgspec
from msgspec import Raw

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
_NOTHING = _Part()


def named(opened: Opened) -> tuple[str, str]:
    """An event's id and its dialect; empty where no open part says."""
    facts = _part(opened, FACTS)
    # An id that may be personal stands in the rest.
    return facts.event.id or _part(opened, REST).event.id, facts.sealog.dialect


def findings(opened: Opened) -> Raw:
    """What was odd about the record, as a JSON array; empty where nothing was."""
    return Raw(bytes(_part(opened, REST).sealog.findings))


def _part(opened: Opened, wanted: int) -> _Part:
    for number, _, part in opened.parts:
        if number == wanted:
            try:
                return _READ(part)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                return _NOTHING
    return _NOTHING
