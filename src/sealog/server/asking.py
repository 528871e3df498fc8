"""What a query string asks for, as values; anything else in it is refused.

A filter with a typing error in its name would quietly find too much: unknown names are refused too.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, tzinfo
from difflib import get_close_matches
from functools import partial
from typing import TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from starlette.datastructures import QueryParams

from sealog.errors import Refused
from sealog.event.ids import check_tenant
from sealog.query import values
from sealog.query.dates import Clock
from sealog.query.fields import FIELDS, Field
from sealog.query.refusing import BadQuery, shown
from sealog.query.scanning import plain
from sealog.query.syntax import VALUES_MAX, parse
from sealog.query.tree import During, Node, Query, either, every, query
from sealog.rendering.rendering import check as check_shape
from sealog.server.problems import BadParameter
from sealog.server.showing import NATIVE, Shape

T = TypeVar("T")

VALUE_CHARS_MAX = 1_024
TENANTS_MAX = 1_000
INDEX_MAX = (1 << 53) - 1
ZONE_CHARS_MAX = 64
_NEAR = 0.75

SHAPE_NAMES = frozenset({"dialect", "ecs_version"})
"""What says whose shape events get. Those of one dialect are asked for in `q`."""
OF_FIELDS: dict[str, Field] = {
    name: field for name, field in FIELDS.items() if name not in SHAPE_NAMES
} | {"address": FIELDS["ip"], "kind": FIELDS["actor.kind"]}
"""A parameter's name → the field that it asks for a value of."""
REPEATABLE = frozenset(OF_FIELDS)
"""Of these, several may be given: any of them passes."""
FILTERS = frozenset({"q", "zone", "from", "to"}) | REPEATABLE
"""Every name that `asked` reads."""
SEARCH_NAMES = FILTERS | SHAPE_NAMES | {"tenant", "limit", "cursor", "order", "at_least"}
FEED_NAMES = SHAPE_NAMES | {"tenant", "after", "limit", "wait"}

_DECIMAL = re.compile(r"-1|0|[1-9][0-9]{0,15}")
_DATE_CHARS = len("2026-01-31T")
_ORDERS = {"newest": False, "oldest": True}
# A page of the same search may have another, so that a cursor is not bound to them.
_OF_A_PAGE = SHAPE_NAMES | {"cursor", "limit", "at_least"}


class Asked(msgspec.Struct, frozen=True):
    """A search, and the page of it that is wanted."""

    query: Query
    tenants: tuple[str, ...]
    """By name; none for all that the key is for."""
    limit: int
    cursor: str | None
    at_least: int | None
    shape: Shape = NATIVE
    oldest_first: bool = False
    words: str = "search?"
    """The search as it was asked for: the same from page to page, though `-15m` moves on."""


def search(params: QueryParams, now_us: int, *, default: int, most: int) -> Asked:
    """The search that the parameters of `GET /v1/events` ask for. Raises `BadParameter`."""
    check_names(params, SEARCH_NAMES, repeatable=REPEATABLE | {"tenant"})
    order = params.get("order", "newest")
    if order not in _ORDERS:
        raise BadParameter("order", "order is newest or oldest")
    same = [pair for pair in params.multi_items() if pair[0] not in _OF_A_PAGE]
    return Asked(
        query=asked(params, now_us),
        tenants=tenants(params),
        limit=number(params, "limit", default, most, least=1),
        cursor=params.get("cursor"),
        at_least=number(params, "at_least", 0, INDEX_MAX) if "at_least" in params else None,
        shape=shape(params),
        oldest_first=_ORDERS[order],
        words="search?" + urlencode(sorted(same)),
    )


def asked(params: QueryParams, now_us: int) -> Query:
    """What `q` and the filters beside it ask for, all of it together; see `FILTERS`.

    Times are those of `zone`, else of UTC; `now_us`: microseconds since 1970. Raises `BadParameter`.
    """
    return _Reader(params.getlist, now_us).query()


def asked_in_body(body: Mapping[str, object], now_us: int) -> Query:
    """What the members of a JSON object ask for that have the names of `FILTERS`.

    A member is a text, a number or a boolean, or a list of them where a parameter may be repeated.
    Other members are left alone. Raises `BadParameter` with the pointer of the member.
    """
    found = {name: list(_texts(name, body[name])) for name in FILTERS & body.keys()}
    return _Reader(lambda name: found.get(name, []), now_us, body=body).query()


def shape(given: Mapping[str, object], *, in_body: bool = False) -> Shape:
    """The shape that parameters, or the members of a body, ask for. Raises `BadParameter`."""
    asked = Shape()
    for name in sorted(SHAPE_NAMES & given.keys()):
        value = given[name]
        pointer = f"/{name}" if in_body else ""
        if not isinstance(value, str):
            raise BadParameter(name, f"{name} is a text", pointer=pointer)
        asked = msgspec.structs.replace(asked, **{name: value})
        try:
            check_shape(asked.dialect, asked.ecs_version)
        except Refused as error:
            raise BadParameter(name, error.detail, pointer=pointer) from error
    return asked


def zone(params: QueryParams) -> tzinfo:
    """The zone that `zone` names, else UTC. Raises `BadParameter`."""
    return _Reader(params.getlist, 0).clock.zone


def tenants(params: QueryParams) -> tuple[str, ...]:
    """The tenants that are named, each once. Raises `BadParameter`."""
    found = tuple(dict.fromkeys(map(check_tenant, params.getlist("tenant"))))
    if len(found) > TENANTS_MAX:
        raise BadParameter("tenant", f"a search names at most {TENANTS_MAX} tenants")
    return found


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
        # A query has its own limit, and asks for everything where it is empty.
        if name != "q" and not 0 < len(value) <= VALUE_CHARS_MAX:
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


def one_tenant(params: QueryParams, only: str | None) -> str:
    """The tenant a request is about: the one named, or the key's only one."""
    name = params.get("tenant", only)
    if name is None:
        raise Refused("name the tenant: ?tenant=…", code="no-tenant")
    return check_tenant(name)


class _Reader:
    """Reads one search, from parameters or from the members of a body."""

    def __init__(
        self,
        given: Callable[[str], Sequence[str]],
        now_us: int,
        *,
        body: Mapping[str, object] | None = None,
    ) -> None:
        self._given = given
        self._body = body
        zones = [self._read("zone", 0, partial(_zone, name)) for name in given("zone")]
        self.clock = Clock(now_us, zones[0] if zones else UTC)

    def query(self) -> Query:
        nodes = [self._any_of(name) for name in OF_FIELDS if self._given(name)]
        asked = [self._read("q", 0, partial(self._parsed, text)) for text in self._given("q")]
        for name, read in (("from", values.since), ("to", values.until)):
            for text in self._given(name):
                # In a query string an unescaped + is a space: `+02:00` arrives as ` 02:00`.
                value = plain(text[:_DATE_CHARS] + text[_DATE_CHARS:].replace(" ", "+"))
                nodes.append(self._read(name, 0, partial(read, value, self.clock)))
        found = query(every([*nodes, *asked]))
        # An empty range finds nothing, as it should; one that ends before it begins is a mistake.
        if found.from_us is not None and found.to_us is not None and found.from_us > found.to_us:
            name = "from" if self._given("from") else "to" if self._given("to") else "q"
            raise self._bad(name, "from is later than to: nothing can match")
        return found

    def _parsed(self, text: str) -> Node:
        found = parse(text, now_us=self.clock.now_us, zone=self.clock.zone)
        if found.from_us is None and found.to_us is None:
            return found.where
        return every([During(found.from_us, found.to_us), found.where])

    def _any_of(self, name: str) -> Node:
        given = self._given(name)
        if len(given) > VALUES_MAX:
            raise self._bad(name, f"a search names at most {VALUES_MAX} of {name}")
        condition = partial(values.condition, OF_FIELDS[name])
        return either(
            [
                self._read(name, place, partial(condition, plain(text)))
                for place, text in enumerate(given)
            ]
        )

    def _read(self, name: str, place: int, read: Callable[[], T]) -> T:
        """What is read; what is wrong with it, at its place in the request."""
        try:
            return read()
        except BadQuery as error:
            detail = error.detail if name == "q" else f"{name}: {error.detail}"
            raise self._bad(name, detail, place, error) from error

    def _bad(
        self, name: str, detail: str, place: int = 0, wrong: BadQuery | None = None
    ) -> BadParameter:
        pointer = ""
        if self._body is not None:
            pointer = f"/{name}/{place}" if isinstance(self._body[name], list) else f"/{name}"
        return BadParameter(name, detail, pointer=pointer, wrong=wrong)


def _zone(name: str) -> tzinfo:
    # As above: `Etc/GMT+5` arrives with a space.
    name = name.replace(" ", "+")
    try:
        if len(name) <= ZONE_CHARS_MAX and not name.startswith(("/", ".")):
            return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        pass
    length = len(name)
    wanted = name.casefold().replace("+", "_")[:ZONE_CHARS_MAX]
    known = {one.casefold(): one for one in sorted(available_timezones())}
    cities = {one.rpartition("/")[2]: one for one in known}
    near = [wanted] if wanted in known else get_close_matches(wanted, known, 1, _NEAR)
    meant = known.get(cities.get(wanted, near[0] if near else ""))
    more = f"did you mean {meant}?" if meant else "write a name such as Europe/Berlin"
    raise BadQuery(f"unknown zone {shown(name)}; {more}", length=length, suggestion=meant)


def _texts(name: str, member: object) -> Iterator[str]:
    """What a member of a body would be as parameters."""
    several = isinstance(member, list) and name in REPEATABLE
    for place, one in enumerate(member if isinstance(member, list) and several else [member]):
        pointer = f"/{name}/{place}" if several else f"/{name}"
        text = one
        if isinstance(one, bool):
            text = "yes" if one else "no"
        elif isinstance(one, int):
            text = str(one)
        if not isinstance(text, str):
            more = ", or a list of them" if name in REPEATABLE else ""
            detail = f"{name} is a text, a number, true or false{more}"
            raise BadParameter(name, detail, pointer=pointer)
        if name != "q" and not 0 < len(text) <= VALUE_CHARS_MAX:
            detail = f"{name} has 1 to {VALUE_CHARS_MAX} characters"
            raise BadParameter(name, detail, pointer=pointer)
        yield text
