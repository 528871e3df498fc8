"""The forms in which values stand in columns, and are asked for."""

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

VALUE_CHARS_MAX = 512
BETWEEN = "\n"
"""Stands between the values of a list: `category`, `type` and `target` hold all of an event's."""
ID_BYTES = 8

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_V4 = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")
# Written out: a third of the cost of a repeated group.
_V4_LINES = re.compile(rf"(?:(?:{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET})?\n)*+")


def fold(text: str) -> str:
    """The form in which actors and addresses are kept and asked for."""
    return clip(text.lower() if text.isascii() else text.casefold())


@lru_cache(maxsize=16_384)
def address_of(text: str) -> str:
    """An address in its one spelling; an IPv4 address mapped into IPv6 is the IPv4 address.

    What is no address is folded text.
    """
    # Most are IPv4 as it is written nearly everywhere: a tenth of the cost.
    if _V4.fullmatch(text) is not None:
        return text
    folded = fold(text)
    try:
        address = ipaddress.ip_address(folded)
    except ValueError:
        return folded
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


def addresses_of(texts: Sequence[str]) -> Sequence[str]:
    """Of each what `address_of` gives, and "" for ""."""
    # What is more than one line of IPv4 addresses is folded to itself, too.
    if _V4_LINES.fullmatch("\n".join(texts) + "\n") is not None:
        return texts
    return [address_of(text) if text else "" for text in texts]


def clip(text: str) -> str:
    """A value short enough for a column; what is cut off is told apart by its hash."""
    if len(text) <= VALUE_CHARS_MAX:
        return text
    return text[:VALUE_CHARS_MAX] + "…" + sha256(text.encode("utf-8", "replace")).hexdigest()


def id8(event_id: str) -> bytes:
    """The 8 bytes by which an event's id is found."""
    return sha256(event_id.encode("utf-8", "replace")).digest()[:ID_BYTES]


def in_list(text: str) -> str:
    """A value that may stand in a list: on one line."""
    return text.replace(BETWEEN, " ")
