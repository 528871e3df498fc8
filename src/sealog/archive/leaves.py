"""Conditions on one field: which columns hold it, and which of their values pass."""

import ipaddress
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import re2
from numpy.typing import NDArray

from sealog.archive import blooms, forms
from sealog.archive.sources import Remembered, Values
from sealog.archive.tables import BLOOMED
from sealog.errors import Refused
from sealog.query import tree
from sealog.query.fields import FIELDS, Kind

TEXT_COLUMNS: dict[str, tuple[str, ...]] = {
    "action": ("action", "alias"),
    "category": ("category",),
    "type": ("type",),
    "outcome": ("outcome",),
    "actor": ("actor_name", "actor_id", "actor_email"),
    "actor.id": ("actor_id",),
    "actor.name": ("actor_name",),
    "actor.email": ("actor_email",),
    "actor.kind": ("actor_kind",),
    "ip": ("address",),
    "target": ("target",),
    "session": ("session",),
    "dialect": ("dialect",),
}
"""Field → the columns that hold it."""
NUMBER_COLUMNS = {"status": "status", "index": "index", "findings": "finding"}
LISTS = frozenset({"category", "type", "target"})
"""Columns that hold several values in one text, and pass where any of them does."""

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")

Leaf: TypeAlias = tree.Is | tree.Like | tree.Inside | tree.Between | tree.Has
OfNumber: TypeAlias = tuple[str, int | None, int | None]
"""A column of numbers, the least and the most that pass."""


def ready(leaf: Leaf) -> Values | OfNumber:
    """A leaf as a condition on columns. Raises `Refused` for what cannot be asked of its field."""
    if isinstance(leaf, tree.Inside):
        return _inside(leaf.network)
    field = FIELDS.get(leaf.field)
    if field is None:
        raise _refused(f"there is no field {leaf.field!r}")
    if leaf.field in NUMBER_COLUMNS:
        return _number(leaf)
    names = TEXT_COLUMNS.get(leaf.field)
    if names is None or isinstance(leaf, tree.Between):
        raise _refused(f"{leaf.field} cannot be asked for like this")
    if isinstance(leaf, tree.Has):
        return _present(names)
    if isinstance(leaf, tree.Like):
        return _like(names, _kept(leaf.pattern, field.kind, names))
    if field.kind is Kind.ADDRESS:
        return _equal(names, forms.address_of(_kept(leaf.value, field.kind, names)))
    return _equal(names, _kept(leaf.value, field.kind, names))


def id_key(event_id: str) -> tuple[int, int]:
    """The number by which an id is found in the column, and its hash in the bloom filter."""
    key = forms.id8(event_id)
    return int.from_bytes(key, "little", signed=True), blooms.hash64(key)


def _number(leaf: tree.Is | tree.Like | tree.Between | tree.Has) -> OfNumber:
    column = NUMBER_COLUMNS[leaf.field]
    if isinstance(leaf, tree.Between) and column != "finding":
        # What is not there is below 0 in the column: an open end MUST NOT reach it.
        return column, max(leaf.least or 0, 0), leaf.most
    if isinstance(leaf, tree.Has):
        return column, int(column == "finding"), None
    if isinstance(leaf, tree.Is) and column == "finding" and leaf.value in (*_YES, *_NO):
        wanted = int(leaf.value in _YES)
        return column, wanted, wanted
    if isinstance(leaf, tree.Is) and leaf.value.isascii() and leaf.value.isdecimal():
        wanted = int(leaf.value[:20])
        return column, wanted, wanted
    raise _refused(f"{leaf.field} is a whole number")


def _equal(names: tuple[str, ...], wanted: str) -> Values:
    if not wanted:
        # "" stands for nothing in a column, and nothing is not a value.
        return Values(names, test=Remembered(lambda _: False), scan=_nothing)
    if not LISTS.isdisjoint(names):
        return _regular(names, rf"(?:\A|\n){re2.escape(wanted)}(?:\n|\z)")
    hashed = (blooms.hash64(wanted.encode()),) if names[0] in BLOOMED else ()
    return Values(names, exact=(wanted,), hashed=hashed)


def _like(names: tuple[str, ...], pattern: str) -> Values:
    """Text with stars as a regular expression, which RE2 answers in linear time whatever it is."""
    pieces = [re2.escape(piece) for piece in re2.split(r"\*+", pattern)]
    if not any(pieces):
        return _present(names)
    if LISTS.isdisjoint(names):
        return _regular(names, r"(?s)\A" + ".*".join(pieces) + r"\z")
    return _regular(names, r"(?:\A|\n)" + r"[^\n]*".join(pieces) + r"(?:\n|\z)")


def _present(names: tuple[str, ...]) -> Values:
    return Values(names, test=Remembered(bool), scan=_not_empty)


def _regular(names: tuple[str, ...], pattern: str) -> Values:
    search = re2.compile(pattern).search
    return Values(
        names,
        test=Remembered(lambda text: search(text) is not None),
        scan=partial(pc.match_substring_regex, pattern=pattern),
    )


def _inside(network: str) -> Values:
    try:
        wanted = ipaddress.ip_network(network, strict=False)
    except ValueError as error:
        raise _refused(f"{network!r} is not a network") from error
    if isinstance(wanted, ipaddress.IPv6Network) and wanted.subnet_of(_MAPPED):
        # An address of this kind stands in the column as the IPv4 address that it is.
        inner = wanted.network_address.ipv4_mapped
        wanted = ipaddress.IPv4Network((inner or 0, wanted.prefixlen - _MAPPED.prefixlen))
    if isinstance(wanted, ipaddress.IPv4Network):
        return _regular(TEXT_COLUMNS["ip"], _of_v4(wanted))
    test = Remembered(_of_v6(wanted))
    return Values(TEXT_COLUMNS["ip"], test=test, scan=partial(_scan_v6, test))


def _of_v4(network: ipaddress.IPv4Network) -> str:
    """What the addresses of a network look like, written out: far sooner asked than each parsed."""
    least, most = network.network_address.packed, network.broadcast_address.packed
    octets = [
        str(low)
        if low == high
        else _OCTET
        if (low, high) == (0, 255)
        else f"(?:{'|'.join(map(str, range(low, high + 1)))})"
        for low, high in zip(least, most, strict=True)
    ]
    return rf"\A{'[.]'.join(octets)}\z"


def _of_v6(network: ipaddress.IPv6Network) -> Callable[[str], bool]:
    shift = network.max_prefixlen - network.prefixlen
    wanted = int(network.network_address) >> shift

    def inside(text: str) -> bool:
        try:
            packed = socket.inet_pton(socket.AF_INET6, text.partition("%")[0])
        except (OSError, ValueError):
            return False
        return int.from_bytes(packed) >> shift == wanted

    return inside


def _scan_v6(test: Remembered, values: Any) -> NDArray[np.bool_]:
    found = np.asarray(pc.match_substring(values, ":"))
    places = np.flatnonzero(found)
    for place, text in zip(places.tolist(), values.take(pa.array(places)).to_pylist(), strict=True):
        found[place] = test[text]
    return found


def _not_empty(values: Any) -> Any:
    return pc.not_equal(values, "")


def _nothing(values: Any) -> NDArray[np.bool_]:
    return np.zeros(len(values), np.bool_)


def _kept(text: str, kind: Kind, names: tuple[str, ...]) -> str:
    """Text as these columns hold it."""
    storable = text.encode("utf-8", "replace").decode()
    kept = forms.clip(storable) if kind is Kind.TEXT else forms.fold(storable)
    return kept if LISTS.isdisjoint(names) else forms.in_list(kept)


def _refused(detail: str) -> Refused:
    return Refused(detail, code="bad-query")
