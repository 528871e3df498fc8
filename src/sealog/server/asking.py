"""What a query string asks for, as values; anything else in it is refused.

A filter with a typing error in its name would quietly find too much: unknown names are refused too.
"""

import re
from collections.abc import Iterable

import msgspec
from starlette.datastructures import QueryParams

from sealog.errors import Refused
from sealog.event import times
from sealog.event.ids import check_tenant
from sealog.query.tree import Is, Like, Node, Query, either, every
from sealog.server.problems import BadParameter

VALUE_CHARS_MAX = 1_024
ACTIONS_MAX = 100
TENANTS_MAX = 1_000
INDEX_MAX = (1 << 53) - 1

SEARCH_NAMES = frozenset(
    {
        "tenant", "from", "to", "action", "category", "outcome", "actor", "address", "dialect",
        "session", "limit", "cursor", "at_least",
    }
)  # fmt: skip
FEED_NAMES = frozenset({"tenant", "after", "limit", "wait"})

_FIELDS = {name: name for name in ("category", "outcome", "actor", "dialect", "session")} | {
    "address": "ip"
}
_RELATIVE = re.compile(r"-([0-9]{1,9})(s|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_DECIMAL = re.compile(r"-1|0|[1-9][0-9]{0,15}")


class Asked(msgspec.Struct, frozen=True):
    """A search, and the page of it that is wanted."""

    query: Query
    tenants: tuple[str, ...]
    """By name; none for all that the key is for."""
    limit: int
    cursor: str | None
    at_least: int | None


def search(params: QueryParams, now_us: int, *, default: int, most: int) -> Asked:
    """The search that the parameters of `GET /v1/events` ask for. Raises `BadParameter`."""
    check_names(params, SEARCH_NAMES, repeatable={"tenant", "action"})
    actions = tuple(params.getlist("action"))
    tenants = tuple(dict.fromkeys(map(check_tenant, params.getlist("tenant"))))
    if len(actions) > ACTIONS_MAX:
        raise BadParameter("action", f"a search names at most {ACTIONS_MAX} actions")
    if len(tenants) > TENANTS_MAX:
        raise BadParameter("tenant", f"a search names at most {TENANTS_MAX} tenants")
    wanted: list[Node] = [
        Is(field, params[name]) for name, field in _FIELDS.items() if name in params
    ]
    if actions:
        wanted.append(either([(Like if "*" in one else Is)("action", one) for one in actions]))
    query = Query(_when(params, "from", now_us), _when(params, "to", now_us), every(wanted))
    return Asked(
        query=query,
        tenants=tenants,
        limit=number(params, "limit", default, most, least=1),
        cursor=params.get("cursor"),
        at_least=number(params, "at_least", 0, INDEX_MAX) if "at_least" in params else None,
    )


def check_names(
    params: QueryParams, names: Iterable[str], *, repeatable: Iterable[str] = ()
) -> None:
    """Refuse parameters that mean nothing, stand twice, are empty or very long."""
    known = set(names)
    many = set(repeatable)
    seen: set[str] = set()
    for name, value in params.multi_items():
        if name not in known:
            detail = f"there is no parameter {name[:100]!r}; known are {', '.join(sorted(known))}"
            raise BadParameter(name[:100], detail)
        if name in seen and name not in many:
            raise BadParameter(name, f"{name} may stand once")
        if not 0 < len(value) <= VALUE_CHARS_MAX:
            raise BadParameter(name, f"{name} has 1 to {VALUE_CHARS_MAX} characters")
        seen.add(name)


def number(params: QueryParams, name: str, default: int, most: int, *, least: int = 0) -> int:
    """A whole number between `least` and `most`; `default` where the parameter is not given."""
    text = params.get(name)
    if text is None:
        return default
    if _DECIMAL.fullmatch(text) is None or not least <= int(text) <= most:
        raise BadParameter(name, f"{name} is a whole number from {least} to {most}")
    return int(text)


def moment(text: str, now_us: int) -> int | None:
    """Microseconds since 1970 of an RFC 3339 time, `now`, or so long ago as `-15m`; None if none.

    Units: s, m, h, d, w.
    """
    if text == "now":
        return now_us
    match = _RELATIVE.fullmatch(text)
    if match is not None:
        return now_us - int(match[1]) * _SECONDS[match[2]] * 1_000_000
    if _RFC3339.fullmatch(text) is None:
        return None
    read = times.read(text)
    return None if read is None else read.at_us


def _when(params: QueryParams, name: str, now_us: int) -> int | None:
    text = params.get(name)
    if text is None:
        return None
    # In a query string an unescaped + is a space: `+02:00` arrives as ` 02:00`.
    at_us = moment(
        text if " " not in text[19:] else text[:19] + text[19:].replace(" ", "+"), now_us
    )
    if at_us is None:
        detail = f"{name} is a time like 2026-01-31T12:00:00Z, or -15m, -24h, -7d, or now"
        raise BadParameter(name, detail)
    return at_us


def one_tenant(params: QueryParams, only: str | None) -> str:
    """The tenant a request is about: the one named, or the key's only one."""
    name = params.get("tenant", only)
    if name is None:
        raise Refused("name the tenant: ?tenant=…", code="no-tenant")
    return check_tenant(name)
