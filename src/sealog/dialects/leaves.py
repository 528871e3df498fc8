"""Looking at single values of a record without changing them."""

from typing import Any

import msgspec
from msgspec import Raw

from sealog.dialects.trees import text_of

_DIGITS_MAX = 18


def scalar_text(node: Any) -> str | None:
    """The string at a node, or a number's token; None for anything else or nothing."""
    found = text_of(node)
    if found is not None or node is None or type(node) is dict:
        return found
    token = bytes(node)
    return token.decode() if token[:1].isdigit() or token[:1] == b"-" else None


def whole(node: Any) -> int | None:
    """A whole number, or a string of digits; None for anything else or more than 18 digits."""
    found = scalar_text(node)
    if found is None or len(found) > _DIGITS_MAX or not found.isascii() or not found.isdecimal():
        return None
    return int(found)


def is_null(node: Any) -> bool:
    """Whether a node is missing or the word `null`."""
    return node is None or (type(node) is not dict and bytes(node) == b"null")


def is_blank(node: Any) -> bool:
    """Whether a node is missing, null, or a string of nothing but white space."""
    if is_null(node):
        return True
    found = text_of(node)
    return found is not None and not found.strip()


def is_scalar(node: Any) -> bool:
    """Whether a node is a string, a number, true, false or null."""
    return type(node) is not dict and bytes(node)[:1] not in (b"{", b"[")


def only_item(node: Any) -> Raw | None:
    """The scalar in an array of exactly one scalar; None for anything else."""
    if type(node) is dict or bytes(node)[:1] != b"[":
        return None
    try:
        items = msgspec.json.decode(node, type=list[Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return items[0] if len(items) == 1 and is_scalar(items[0]) else None
