"""Where a request came from: the peer, and whom trusted proxies say they speak for.

A header is worth what whoever wrote it is worth: entries are read from the right, the one that our
own proxy added first, and only as long as the address that added them is trusted. What the client
itself wrote stands left of that and is never reached.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Literal, TypeAlias

from starlette.types import Scope

from sealog.access.reads import NOWHERE, Origin

Header: TypeAlias = Literal["x-forwarded-for", "forwarded"]
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

HEADER_BYTES_MAX = 2_048
"""Of a longer header the right end is read."""
HOPS_MAX = 32
ENTRY_CHARS_MAX = 128
REMEMBERED = 4_096

# A proxy may quote what the client sent, its host, before it says whom it speaks for: commas and
# semicolons in there divide nothing. Backwards, so that quotes which the client itself left open
# reach no further than what it wrote.
_ELEMENT_BACKWARDS = re.compile(r'(?:"(?:"\\|[^"])*+"|[^",])*+')
_PAIR = re.compile(r'(?:"(?:\\.|[^"\\])*+"|[^";])++')


class Origins:
    """Tells where requests came from.

    `header` is the one that the proxies write, and the only one that is read: another might reach us
    as the client wrote it.
    """

    def __init__(self, trusted: Iterable[Network] = (), header: Header = "x-forwarded-for") -> None:
        self._trusted = tuple(trusted)
        self._name = header.encode("ascii")
        self._named = _named_in_elements if header == "forwarded" else _named_in_list
        self._found = lru_cache(REMEMBERED)(self._find)

    def of(self, scope: Scope) -> Origin:
        """The origin of a request by its ASGI scope; addresses as text, IPv4 as IPv4 however it came."""
        peer = scope.get("client")
        if peer is None:
            return NOWHERE
        if not self._trusted:
            return self._found(peer[0], b"")
        # In the order sent, as if it were one (RFC 9110, 5.3).
        said = b",".join([value for name, value in scope["headers"] if name == self._name])
        if len(said) > HEADER_BYTES_MAX:
            # The first entry of the rest may be half of one.
            said = said[-HEADER_BYTES_MAX:].partition(b",")[2]
        return self._found(peer[0], said)

    def _find(self, peer: str, said: bytes) -> Origin:
        at = address_of(peer)
        if at is None:
            return NOWHERE
        client = at
        for hop, name in enumerate(self._named(said.decode("latin-1"))):
            if hop >= HOPS_MAX or not self._is_trusted(client):
                break
            named = address_of(name)
            if named is None:
                break
            client = named
        return Origin(str(client), str(at))

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def address_of(text: str) -> Address | None:
    """The address in `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80`; None if none.

    An IPv4 address written as IPv6 is the IPv4 address; a zone is left out.
    """
    if len(text) > ENTRY_CHARS_MAX:
        return None
    if text.startswith("["):
        text, _, port = text[1:].partition("]")
        is_one = not port or (port[0] == ":" and _is_port(port[1:]))
    else:
        is_one = True
        if text.count(":") == 1:
            text, _, port = text.partition(":")
            is_one = _is_port(port)
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if not is_one:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < 1 << 16


def _named_in_list(said: str) -> Iterator[str]:
    while said:
        said, _, entry = said.rpartition(",")
        yield entry.strip(" \t")


def _named_in_elements(said: str) -> Iterator[str]:
    backwards, at = said[::-1], 0
    while at < len(backwards):
        element = _ELEMENT_BACKWARDS.match(backwards, at)
        assert element is not None
        at = element.end()
        if backwards[at : at + 1] not in ("", ","):
            return
        yield _of_forwarded(element[0][::-1])
        at += 1


def _of_forwarded(element: str) -> str:
    """The `for` of an element (RFC 7239); nothing where it has none, or one that is no address."""
    pairs: list[str] = _PAIR.findall(element)
    for pair in pairs:
        name, _, value = pair.strip(" \t").partition("=")
        if name.lower() == "for":
            is_quoted = len(value) > 1 and value[0] == value[-1] == '"'
            return value[1:-1] if is_quoted else value
    return ""
