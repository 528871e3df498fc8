"""Small JSON inside a string as programs write it: one flat object, read without a reader.

What is asked of it is what `leaves.Reader` finds there; where that needs more than one look at each
member, nothing is said and the reader decides.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from sealog.event.tokens import NUMBER
from sealog.refine.rules import NAME_CHARACTERS_MAX, Role, is_placeholder, role

FLAT_BYTES_MAX = 4_096
_KEYS_REMEMBERED = 4_096
_STRING = rb'"[^"\\\x00-\x1f]*+"'
_SCALAR = rb"(?:%b|%b|true|false|null)" % (_STRING, NUMBER)
# As nearly every writer of JSON does, and as Python's does.
_MEMBER = re.compile(
    rb'(?:^\{|, ?)"([^"\\\x00-\x1f]{0,%d}+)": ?'
    rb'(?:"([^"\\\x00-\x1f]*+)"|(%b|\[(?:%b(?:, ?%b)*+)?+\]))(?=, ?"|\}$)'
    % (NAME_CHARACTERS_MAX - 1, _SCALAR, _SCALAR, _SCALAR)
)


def named(text: bytes, hits: Sequence[tuple[int, int]]) -> list[tuple[int, int, str]] | None:
    """Begin, end and secret name of each string under one, in a text that is a flat object.

    None for any other text, and where a hit of the scan (`hits`, in order) touches a value that no
    name covers, or a key says more than that its value is a secret.
    """
    if text[:2] != b'{"' or len(text) > FLAT_BYTES_MAX:
        return None
    found: list[tuple[int, int, str]] = []
    at = nth = 0
    for match in _MEMBER.finditer(text):
        if match.start() != at:
            return None
        at = match.end()
        begin, end = match.span(match.lastindex or 0)
        while nth < len(hits) and hits[nth][1] < begin:
            nth += 1
        name = _name(match[1])
        is_touched = nth < len(hits) and hits[nth][0] <= end
        if name is None or (match.lastindex == _OTHER and (name or is_touched)):
            return None
        if name:
            if end > begin and not is_placeholder(text[begin:end]):
                found.append((begin, end, name))
        elif is_touched:
            return None
    return found if at == len(text) - 1 else None


_OTHER = 3


@lru_cache(_KEYS_REMEMBERED)
def _name(key: bytes) -> str | None:
    """The secret name that a key is, empty for one that says nothing; None for any other."""
    said = role(key.decode("utf-8", "replace"))
    return said.secret if said == Role(said.secret) else None
