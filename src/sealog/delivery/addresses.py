"""Where deliveries may go: URLs read strictly, and every address judged before it is connected to.

A name says nothing: what counts is the address that it stands for at the moment of connecting
(`connecting.py`). The networks are those of the IANA special-purpose registries.
"""

import re
from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from urllib.parse import urlsplit

import msgspec

from sealog.errors import Refused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

URL_CHARS_MAX = 2_048
HOST_CHARS_MAX = 253
PORT_OPEN_MIN = 1_024
PORTS = {"http": 80, "https": 443}

_URL = re.compile(r"[!-\[\]-~]+")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# What the C library takes for an address: 127.1, 0x7f000001, 0177.0.0.1, 2130706433.
_NUMBERED = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_PORT_MAX = 65_535

_METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
    )
)
"""Where clouds tell a machine its own secrets."""

_CLOSED: tuple[tuple[str, tuple[Network, ...]], ...] = tuple(
    (word, tuple(map(ip_network, networks)))
    for word, networks in (
        ("unspecified", ("0.0.0.0/8", "::/128")),
        ("loopback", ("127.0.0.0/8", "::1/128")),
        ("link-local", ("169.254.0.0/16", "fe80::/10")),
        (
            "private",
            ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
        ),
        ("shared (carrier-grade NAT)", ("100.64.0.0/10",)),
        ("multicast", ("224.0.0.0/4", "ff00::/8")),
        (
            "reserved",
            (
                "192.0.0.0/24",
                "192.0.2.0/24",
                "192.88.99.0/24",
                "198.18.0.0/15",
                "198.51.100.0/24",
                "203.0.113.0/24",
                "240.0.0.0/4",
                "2001::/23",
                "2001:db8::/32",
                "2002::/16",
                "3fff::/20",
            ),
        ),
    )
)
"""By what they are called. Teredo stands in 2001::/23, and 2002::/16 is 6to4: nobody serves there."""

_PUBLIC_6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


class Allowed(msgspec.Struct, frozen=True):
    """What the operator opened, from [delivery]."""

    networks: tuple[Network, ...] = ()
    """Networks beyond the public internet; in them plain HTTP and any port are allowed too."""
    folders: tuple[str, ...] = ()
    """Absolute paths below which files may be dropped."""


class Place(msgspec.Struct, frozen=True):
    """A URL, read."""

    scheme: str
    host: str
    """In lower case; an IPv6 address without its brackets."""
    port: int
    target: str
    """Path and query, as sent."""
    text: str
    """The URL in its one form."""

    @property
    def literal(self) -> Address | None:
        """The address, where the host is one and no name."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None


def plain(address: Address) -> Address:
    """An address without the forms that stand for an IPv4 one: mapped and NAT64."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def bars(address: Address, place: Place, allowed: Allowed) -> str | None:
    """Why nothing may be sent to an address, in words that end a sentence; None where it may."""
    judged = plain(address)
    mine = [network for network in allowed.networks if judged in network or address in network]
    if judged in _METADATA or address in _METADATA:
        # A wide network that happens to hold it was not meant.
        if any(network.num_addresses == 1 for network in mine):
            return None
        return "in a cloud's metadata service"
    if mine:
        return None
    kind = closed(judged)
    if kind is not None:
        return f"in a {kind} network, which [delivery] allowed_networks does not name"
    if place.scheme != "https":
        return "public, and there only https is allowed"
    if place.port < PORT_OPEN_MIN and place.port != PORTS["https"]:
        return f"public, and there port {place.port} is not allowed"
    return None


def closed(address: Address) -> str | None:
    """What kind of network that is not public an address is in; None for a public one."""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return "link-local"
    for word, networks in _CLOSED:
        if any(address in network for network in networks):
            return word
    if isinstance(address, IPv6Address) and address not in _PUBLIC_6:
        return "reserved"
    return None


def read(url: str, allowed: Allowed, pointer: str) -> Place:
    """Read a destination's URL. Raises `Refused` for what could never be sent to.

    A name is let through here: only connecting can tell what it stands for.
    """
    if not 0 < len(url) <= URL_CHARS_MAX:
        raise _wrong(f"a URL has 1 to {URL_CHARS_MAX} characters", pointer)
    if not _URL.fullmatch(url):
        raise _wrong("a URL is ASCII without spaces, backslashes or control characters", pointer)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _wrong("this is no URL", pointer) from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise _wrong("a destination's URL begins with https://", pointer)
    if "@" in parts.netloc:
        what = "a URL holds no user and password; a header of its own can carry them"
        raise _wrong(what, pointer)
    if parts.fragment or "#" in url:
        raise _wrong("a fragment is never sent", pointer)
    host, port = _host_and_port(parts.netloc, scheme, pointer)
    target = _target(parts.path, parts.query)
    shown = f"[{host}]" if ":" in host else host
    shown += "" if port == PORTS[scheme] else f":{port}"
    place = Place(scheme, host, port, target, f"{scheme}://{shown}{target}")
    if scheme == "http" and not allowed.networks:
        raise _wrong("only https:// is allowed, as no network of your own is", pointer)
    known = literals(place)
    for address in known:
        barred = bars(address, place, allowed)
        if barred is not None:
            raise Refused(f"this address is {barred}", code="address-not-allowed", pointer=pointer)
    return place


def place_of(text: str) -> Place:
    """A URL that `read` gave as `text`, read again; whether it may be sent to is not asked."""
    parts = urlsplit(text)
    host, port = _host_and_port(parts.netloc, parts.scheme, "")
    return Place(parts.scheme, host, port, _target(parts.path, parts.query), text)


def literals(place: Place) -> Sequence[Address]:
    """The addresses that are known without asking anybody."""
    if place.literal is not None:
        return (place.literal,)
    name = place.host.removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return (IPv4Address("127.0.0.1"),)
    return ()


def _target(path: str, query: str) -> str:
    return (path or "/") + (f"?{query}" if query else "")


def _host_and_port(netloc: str, scheme: str, pointer: str) -> tuple[str, int]:
    host, port = netloc, PORTS[scheme]
    bracketed = host.startswith("[")
    if bracketed:
        host, _, rest = host[1:].partition("]")
        if rest not in ("", ":") and not rest.startswith(":"):
            raise _wrong("behind the address stands something that is no port", pointer)
        digits = rest[1:]
    else:
        host, _, digits = host.partition(":")
    if digits:
        if not _PORT.fullmatch(digits) or int(digits) > _PORT_MAX:
            raise _wrong(f"a port is a number from 1 to {_PORT_MAX}", pointer)
        port = int(digits)
    return (_address(host, pointer) if bracketed else _name(host.lower(), pointer)), port


def _address(host: str, pointer: str) -> str:
    try:
        address = IPv6Address(host)
    except ValueError:
        raise _wrong("between [ and ] stands an IPv6 address", pointer) from None
    if address.scope_id is not None:
        raise _wrong("an address with a zone is this machine's own", pointer)
    return str(address)


def _name(host: str, pointer: str) -> str:
    labels = host.removesuffix(".").split(".")
    if len(host) > HOST_CHARS_MAX or not all(map(_LABEL.fullmatch, labels)):
        raise _wrong("the host is no name, in ASCII (xn-- for others), and no address", pointer)
    if _NUMBERED.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(host))
        except ValueError:
            what = "an IPv4 address is four decimal numbers with dots, in no other spelling"
            raise _wrong(what, pointer) from None
    return host


def _wrong(detail: str, pointer: str) -> Refused:
    return Refused(detail, code="bad-url", pointer=pointer)
