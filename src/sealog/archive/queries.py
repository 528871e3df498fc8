"""What a search asks for, and where its next page begins."""

import base64
import binascii
import hashlib
import hmac
import re
import struct
from collections.abc import Callable, Sequence
from operator import attrgetter

import msgspec

from sealog.archive import blooms
from sealog.archive.columns import BETWEEN, Row, clip, fold
from sealog.archive.tables import BLOOMED
from sealog.errors import Refused

Position = tuple[int, int, int]
"""(at_us, index, tenant number): the order of a search, newest first."""

_POSITION = struct.Struct(">qqq")
_MAC_BYTES = 16
_CURSOR_CHARS_MAX = 128


class Query(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an event must be. An empty value asks for nothing."""

    from_us: int | None = None
    """At this time or after it."""
    to_us: int | None = None
    """Before this time."""
    actions: tuple[str, ...] = ()
    """Any of these, native or alias; `*` stands for any characters."""
    category: str = ""
    outcome: str = ""
    actor: str = ""
    """The actor's id, name or e-mail, whatever its case."""
    address: str = ""
    dialect: str = ""
    session: str = ""


class Filter(msgspec.Struct, frozen=True):
    """One condition: a value of any of these columns passes the test."""

    columns: tuple[str, ...]
    test: Callable[[str], bool]
    exact: str | None = None
    """The one text that passes, where there is only one."""
    hashed: int | None = None
    """Its hash, where the columns have bloom filters."""


def filters(query: Query) -> list[Filter]:
    """The conditions of a query apart from time; those that skip most segments come first."""
    found = []
    if query.actor:
        found.append(_exact(("actor_id", "actor_name", "actor_email"), fold(query.actor)))
    if query.address:
        found.append(_exact(("address",), fold(query.address)))
    if query.session:
        found.append(_exact(("session",), clip(query.session)))
    if len(query.actions) == 1 and "*" not in query.actions[0]:
        found.append(_exact(("action", "alias"), clip(query.actions[0])))
    elif query.actions:
        pattern = re.compile("|".join(map(_pattern, query.actions)), re.DOTALL)
        found.append(Filter(("action", "alias"), lambda text: bool(pattern.fullmatch(text))))
    if query.category:
        wanted = clip(query.category)
        found.append(Filter(("category",), lambda text: wanted in text.split(BETWEEN)))
    for column, value in (("outcome", query.outcome), ("dialect", query.dialect)):
        if value:
            found.append(_exact((column,), clip(value)))
    return found


def in_time(query: Query, at_us: int) -> bool:
    """Whether a time is in the query's range."""
    return (query.from_us is None or at_us >= query.from_us) and (
        query.to_us is None or at_us < query.to_us
    )


def row_test(query: Query) -> Callable[[Row], bool]:
    """The whole query as one test of a row."""
    tests = [
        (tuple([attrgetter(name) for name in one.columns]), one.test) for one in filters(query)
    ]

    def passes(row: Row) -> bool:
        if not in_time(query, row.at_us):
            return False
        for getters, test in tests:
            for get in getters:
                if test(get(row)):
                    break
            else:
                return False
        return True

    return passes


def _exact(columns: tuple[str, ...], wanted: str) -> Filter:
    text = wanted.encode("utf-8", "replace")
    wanted = text.decode()
    hashed = blooms.hash64(text) if columns[0] in BLOOMED else None
    return Filter(columns, wanted.__eq__, wanted, hashed)


def _pattern(action: str) -> str:
    first, *more = map(re.escape, clip(action).split("*"))
    if not more:
        return first
    *middle, last = more
    # The first place where a piece fits is as good as any other. Atomic, because trying them all
    # takes for ever where there are many, and nothing else runs meanwhile.
    return first + "".join([f"(?>.*?{piece})" for piece in middle if piece]) + ".*" + last


class Cursors:
    """Writes and reads cursors: opaque, bound to their query, of no use when altered."""

    def __init__(self, secret: bytes) -> None:
        assert len(secret) >= _MAC_BYTES
        self._secret = secret

    def write(self, position: Position, query: Query, tenants: Sequence[int]) -> str:
        """The text from which the page after `position` is asked for."""
        place = _POSITION.pack(*position)
        text = base64.urlsafe_b64encode(place + self._mac(place, query, tenants))
        return text.rstrip(b"=").decode()

    def read(self, cursor: str, query: Query, tenants: Sequence[int]) -> Position:
        """The position in a cursor. Raises `Refused` for another query's, or one altered."""
        try:
            padded = cursor[:_CURSOR_CHARS_MAX].encode("ascii") + b"=" * (-len(cursor) % 4)
            text = base64.b64decode(padded, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error) as error:
            raise _bad_cursor() from error
        place, mac = text[: _POSITION.size], text[_POSITION.size :]
        if not hmac.compare_digest(mac, self._mac(place, query, tenants)):
            raise _bad_cursor()
        at_us, index, tenant = _POSITION.unpack(place)
        return at_us, index, tenant

    def _mac(self, place: bytes, query: Query, tenants: Sequence[int]) -> bytes:
        asked = hashlib.sha256(msgspec.msgpack.encode((query, sorted(tenants)))).digest()
        tag = b"sealog/cursor/v1\x00"
        return hmac.digest(self._secret, tag + place + asked, "sha256")[:_MAC_BYTES]


def _bad_cursor() -> Refused:
    return Refused("the cursor is not one of this search's", code="bad-cursor")
