"""What a tail asks for, and where it goes on: positions that a client keeps for us.

Of one tenant a position is the index of the last event, as `after` of the feed; of several it is
opaque: for each tenant the beginning of its log's id, and its index. It gives no access, so that it
needs no secret.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence

import msgspec
from starlette.datastructures import QueryParams

from sealog.access.grants import Grant
from sealog.errors import Refused
from sealog.event.tenants import Tenant
from sealog.query.tree import Query
from sealog.server import asking
from sealog.server.problems import BadParameter
from sealog.server.showing import NATIVE, Shape

TENANTS_MAX = 32
"""A position names every tenant, and every event carries a position."""
POSITION_CHARS_MAX = 1_024

_LOG_ID_BYTES = 6
_NOT_OF_A_TAIL = frozenset({"limit", "cursor", "order", "at_least"})

_Places = list[tuple[bytes, int]]


class Asked(msgspec.Struct, frozen=True):
    """A tail that is asked for."""

    query: Query
    tenants: tuple[str, ...]
    """By name; none for all that the key is for."""
    after: str | None
    """The position after which to begin; None for now."""
    shape: Shape = NATIVE


def check_given(after: int, size: int) -> None:
    """Refuse to follow from where the log never was: all up to there would be left out unsaid.

    `size`: the tenant's next index. Raises `BadParameter`.
    """
    if after >= size:
        raise BadParameter("after", f"index {after} was never given: the next is {size}")


def asked(params: QueryParams, last_event_id: bytes | None, now_us: int) -> Asked:
    """What the parameters, and the header of a client that comes back, ask for.

    The header wins: the client has come further since. Raises `BadParameter`.
    """
    for name in _NOT_OF_A_TAIL.intersection(params):
        raise BadParameter(name, f"a tail has no {name}")
    after = [(name, value) for name, value in params.multi_items() if name == "after"]
    asking.check_names(QueryParams(after), {"after"})
    rest = [(name, value) for name, value in params.multi_items() if name != "after"]
    search = asking.search(QueryParams(rest), now_us, default=1, most=1)
    if len(search.tenants) > TENANTS_MAX:
        raise _too_many()
    position = params.get("after") if last_event_id is None else last_event_id.decode("latin-1")
    return Asked(search.query, search.tenants, position, search.shape)


def all_of(grant: Grant) -> Sequence[str]:
    """The tenants of a key, where they can be followed without being named."""
    if grant.tenants is None:
        raise Refused("name the tenant: ?tenant=…", code="no-tenant")
    if len(grant.tenants) > TENANTS_MAX:
        raise _too_many()
    return sorted(grant.tenants)


def write(places: Mapping[Tenant, int], *, is_plain: bool) -> str:
    """The position of a tail: of each tenant the index it goes on from.

    `is_plain` where only ever one tenant is followed.
    """
    if is_plain:
        return str(next(iter(places.values())) - 1)
    found = [(_short(tenant), first - 1) for tenant, first in places.items()]
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(found)).rstrip(b"=").decode()


def read(position: str, tenants: Sequence[Tenant]) -> dict[Tenant, int]:
    """Of each tenant the index to go on from: after the position.

    `-1` is before everything. A tenant that the position does not name, for it was made since, is
    read from its first event: nothing is left out. Raises `BadParameter`.
    """
    if position == "-1":
        return dict.fromkeys(tenants, 0)
    if position.isascii() and position.isdigit():
        if len(tenants) != 1 or int(position[:20]) > asking.INDEX_MAX:
            raise _bad()
        return {tenants[0]: int(position) + 1}
    known = dict(_decoded(position))
    return {tenant: max(known.get(_short(tenant), -1) + 1, 0) for tenant in tenants}


def _decoded(position: str) -> _Places:
    if len(position) > POSITION_CHARS_MAX:
        raise _bad()
    try:
        padded = position.encode("ascii") + b"=" * (-len(position) % 4)
        content = base64.b64decode(padded, altchars=b"-_", validate=True)
        places = msgspec.msgpack.decode(content, type=_Places)
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise _bad() from error
    if any(index > asking.INDEX_MAX for _, index in places):
        raise _bad()
    return places


def _short(tenant: Tenant) -> bytes:
    return bytes.fromhex(tenant.log_id)[:_LOG_ID_BYTES]


def _bad() -> BadParameter:
    return BadParameter("after", "after, or Last-Event-ID, is the id of an event of this tail")


def _too_many() -> BadParameter:
    return BadParameter("tenant", f"a tail follows at most {TENANTS_MAX} tenants: name them")
