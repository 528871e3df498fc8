"""Where the next page of a search begins, as a text that is of no use for any other search."""

import base64
import binascii
import hashlib
import hmac
from typing import TypeAlias

import msgspec

from sealog.errors import Refused

Position: TypeAlias = tuple[int, int, int]
"""(at_us, index, tenant number): the order of a search."""

VERSION = b"\x02"
CURSOR_CHARS_MAX = 1_024
_MAC_BYTES = 16


class Place(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """What a cursor holds."""

    after: Position | None
    """The page begins after this."""
    from_us: int | None = None
    """The range of time as the first page had it: `-15m` begins later whenever it is asked."""
    to_us: int | None = None


class Cursors:
    """Writes and reads cursors: opaque, bound to what was asked, of no use when altered."""

    def __init__(self, secret: bytes) -> None:
        assert len(secret) >= _MAC_BYTES
        self._secret = secret

    def write(self, place: Place, asked: bytes) -> str:
        """The text from which the next page is asked for."""
        content = VERSION + msgspec.msgpack.encode(place)
        text = base64.urlsafe_b64encode(content + self._mac(content, asked))
        return text.rstrip(b"=").decode()

    def read(self, cursor: str, asked: bytes) -> Place:
        """The place in a cursor.

        Raises `Refused`: `old-cursor` for one of another version, `bad-cursor` for one altered or
        of another search.
        """
        try:
            padded = cursor[: CURSOR_CHARS_MAX + 1].encode("ascii") + b"=" * (-len(cursor) % 4)
            text = base64.b64decode(padded, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error) as error:
            raise _bad_cursor() from error
        content, mac = text[:-_MAC_BYTES], text[-_MAC_BYTES:]
        if content and content[:1] != VERSION:
            raise Refused(
                "the cursor is of another version of Sealog: begin the search anew",
                code="old-cursor",
            )
        if not hmac.compare_digest(mac, self._mac(content, asked)):
            raise _bad_cursor()
        return msgspec.msgpack.decode(content[1:], type=Place)

    def _mac(self, content: bytes, asked: bytes) -> bytes:
        tag = b"sealog/cursor/v2\x00" + hashlib.sha256(asked).digest()
        return hmac.digest(self._secret, tag + content, "sha256")[:_MAC_BYTES]


def _bad_cursor() -> Refused:
    return Refused("the cursor is not one of this search's", code="bad-cursor")
