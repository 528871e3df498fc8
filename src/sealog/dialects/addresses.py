"""Addresses as senders write them, mended to what an address field takes."""

import ipaddress
import re

import msgspec
from msgspec import Raw

from sealog.event import tokens

_CACHED_MAX = 4096
# A host name has up to 253 bytes; an address with its scope and port fits in what is left.
_TOKEN_BYTES_MAX = 384

# host/address:port, all but the address optional; Java writes `/1.2.3.4` for an address whose host
# name it never looked up.
_WRITTEN = re.compile(
    r"(?:[^/\[\]\s]*/)?"
    r"(?:\[(?P<bracketed>[0-9A-Fa-f:.]+)(?:%[^\]]*)?\](?::(?P<bracket_port>\d{1,5}))?"
    r"|(?P<v4>\d{1,3}(?:\.\d{1,3}){3})(?::(?P<port>\d{1,5}))?"
    r"|(?P<v6>[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(?:%\S*)?)"
)
_PORT_MAX = 65535
_BYTE = rb"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
# What nearly everyone writes, as it stands in the record.
_QUICK = re.compile(
    rb'"(?P<slash>/?)(?P<ip>' + rb"\.".join([_BYTE] * 4) + rb')(?::(?P<port>[1-9][0-9]{0,3}))?"'
)


class Address(msgspec.Struct, frozen=True):
    """A usable address: `ip` as a token, `port` where one was written, and whether it was mended."""

    ip: Raw
    port: Raw | None
    mended: bool


class Addresses:
    """Reads address tokens, and remembers the last few thousand: the same ones come again."""

    def __init__(self) -> None:
        self._read: dict[bytes, Address | None] = {}

    def read(self, token: bytes) -> Address | None:
        """The address a JSON string holds: `1.2.3.4`, `/1.2.3.4:5678`, `host/1.2.3.4`, `/[::1]`.

        None where there is none. An address that needs no mending keeps its token.
        """
        if token in self._read:
            return self._read[token]
        if len(token) > _TOKEN_BYTES_MAX:
            return None
        found = _read(token)
        if len(self._read) >= _CACHED_MAX:
            self._read.clear()
        self._read[token] = found
        return found


def _read(token: bytes) -> Address | None:
    quick = _QUICK.fullmatch(token)
    if quick is not None:
        slash, ip, digits = quick.groups()
        if not slash and digits is None:
            return Address(Raw(token), None, mended=False)
        return Address(Raw(b'"%b"' % ip), None if digits is None else Raw(digits), mended=True)
    written = tokens.plain_leaf(Raw(token)) if token[:1] == b'"' else None
    if not isinstance(written, str):
        return None
    match = _WRITTEN.fullmatch(written.strip())
    if match is None:
        return None
    written_ip = match["v4"] or match["bracketed"] or match["v6"]
    number = match["port"] or match["bracket_port"]
    if (short := _shortest(written_ip)) is None or (number and int(number) > _PORT_MAX):
        return None
    if written_ip == written:
        return Address(Raw(token), None, mended=False)
    port = None if number is None else tokens.raw(int(number))
    return Address(tokens.raw(short), port, mended=True)


def _shortest(written: str) -> str | None:
    """An address as others write it (Java writes every zero of `::1`); None for no address."""
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return None
    return written if "." in written else str(address)
