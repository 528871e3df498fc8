"""Whatever is sent, cut, merged and asked for, a search gives what a plain list gives."""

import fnmatch
import ipaddress
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.archive.made import ALPHA, BEGIN_US, BETA, TENANTS, Home, opened

from sealog.archive import levels, segments
from sealog.event import times
from sealog.event.packs import Opened
from sealog.event.parts import EVENT_ENTRY, STATEMENT_ENTRY
from sealog.query import tree
from sealog.query.tree import Between, During, Has, Inside, Is, Like, Node, Query

SECOND = 1_000_000


@pytest.fixture(scope="module", autouse=True)
def merging_soon() -> Iterator[None]:
    """Two segments are enough for a merge, and what is merged has filters for its words."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(levels, "FAN_IN", 2)
        patch.setattr(segments, "WORDED_EVENTS_MIN", 1)
        yield


class Sent(NamedTuple):
    """One event as the model knows it."""

    at: int
    action: str
    actor: tuple[str | None, str | None]
    category: tuple[str, ...]
    outcome: str
    ip: str | None
    status: int | None
    odd: bool
    stated: bool
    id: str
    said: str

    def event(self) -> Opened:
        name, mail = self.actor
        return opened(
            {
                "@timestamp": times.format_us(BEGIN_US + self.at * SECOND),
                "event": {
                    "id": self.id,
                    "action": self.action,
                    "category": list(self.category),
                    "outcome": self.outcome,
                    "ingested": times.format_us(BEGIN_US),
                },
                "sealog": {"action": self.alias, "dialect": "ecs"},
                "http": {"response": {"status_code": self.status}},
            },
            {"user": {"name": name, "email": mail}, "source": {"ip": self.ip}},
            None,
            {"message": self.said, "sealog": {"findings": ["odd"] if self.odd else []}},
            kind=STATEMENT_ENTRY if self.stated else EVENT_ENTRY,
        )

    @property
    def alias(self) -> str:
        return self.action.lower().replace("_", ".")

    def values(self, field: str) -> list[str]:
        """The values that a field of text has."""
        return {
            "action": [self.action, self.alias],
            "category": list(self.category),
            "outcome": [self.outcome],
            "actor": [one.lower() for one in self.actor if one],
            "ip": [self.ip] if self.ip else [],
            "target": [],
            "id": [self.id],
        }[field]


def passes(node: Node, index: int, one: Sent) -> bool:  # noqa: C901, PLR0911, PLR0912 - a case a node
    """The meaning of a tree, as plainly as it can be said."""
    match node:
        case tree.And(nodes):
            return all(passes(inner, index, one) for inner in nodes)
        case tree.Or(nodes):
            return any(passes(inner, index, one) for inner in nodes)
        case tree.Not(inner):
            return not passes(inner, index, one)
        case During(from_us, to_us):
            at_us = BEGIN_US + one.at * SECOND
            return (from_us is None or at_us >= from_us) and (to_us is None or at_us < to_us)
        case Between(field, least, most):
            number = index if field == "index" else one.status
            return number is not None and (
                (least is None or number >= least) and (most is None or number <= most)
            )
        case Inside(network):
            return bool(one.ip) and ipaddress.ip_address(one.ip) in ipaddress.ip_network(network)
        case tree.Text(words, prefix):
            said = f" {' '.join(one.said.lower().split())} "
            return f" {' '.join(words)}{'' if prefix else ' '}" in said
        case Has("findings"):
            return one.odd
        case Has("status"):
            return one.status is not None
        case Has(field):
            return field == "index" or bool(one.values(field))
        case Is("index", value):
            return index == int(value)
        case Is("status", value):
            return one.status == int(value)
        case Is(field, value):
            return (value.lower() if field == "actor" else value) in one.values(field)
        case Like(field, pattern):
            wanted = pattern.lower() if field == "actor" else pattern
            # None of the names and patterns here holds what `fnmatch` would read otherwise.
            return any(fnmatch.fnmatchcase(text, wanted) for text in one.values(field))
    raise AssertionError(node)


sent = st.builds(
    Sent,
    at=st.integers(0, 12),
    action=st.sampled_from(["USER_LOGIN", "USER_LOGOUT", "ROLE_CHANGED"]),
    actor=st.sampled_from([(None, None), ("ada", None), ("Bob", "bob@b.example"), (None, "CLEO")]),
    category=st.sampled_from([(), ("iam",), ("iam", "session"), ("session",)]),
    outcome=st.sampled_from(["success", "failure"]),
    ip=st.sampled_from([None, "10.0.0.1", "10.9.0.1", "2001:db8::1"]),
    status=st.sampled_from([None, 200, 404, 500]),
    odd=st.booleans(),
    stated=st.sampled_from([False] * 9 + [True]),
    id=st.sampled_from(["e-1", "e-2", "e-3"]),
    said=st.sampled_from(["", "Quick red fox", "red", "the fox is quick red", "foxes"]),
)
# A step appends to one of two tenants, cuts what waits, merges, or starts the archive anew.
steps = st.lists(
    st.tuples(st.sampled_from([1, 2]), st.lists(sent, min_size=1, max_size=9))
    | st.sampled_from(["cut", "cut", "merge", "restart"]),
    min_size=1,
    max_size=8,
)
leaves = st.sampled_from(
    [
        Is("action", "USER_LOGIN"), Is("action", "user.login"), Like("action", "ROLE_*"),
        Like("action", "*.log*"), Is("category", "iam"), Like("category", "s*"), Has("category"),
        Is("outcome", "failure"), Is("actor", "ADA"), Is("actor", "bob"), Is("actor", "nobody"),
        Like("actor", "*@B.example"), Has("actor"), Is("ip", "10.0.0.1"), Like("ip", "10.*"),
        Inside("10.0.0.0/16"), Inside("2001:db8::/32"), Has("ip"), Has("target"),
        Is("status", "404"), Between("status", 400, None), Between("status", None, 300),
        Has("status"), Has("findings"), Is("id", "e-2"), Is("id", "e-9"), Is("index", "3"),
        Between("index", 2, 7), During(BEGIN_US + 3 * SECOND, BEGIN_US + 9 * SECOND),
        During(None, BEGIN_US + 6 * SECOND), tree.Text(("red",)), tree.Text(("quick", "red")),
        tree.Text(("quick", "fox"), prefix=True), tree.Text(("fox",), prefix=True),
        tree.Text(("absent",)),
    ]
)  # fmt: skip
trees = st.recursive(
    leaves,
    lambda inner: (
        st.builds(tree.Not, inner)
        | st.builds(lambda several: tree.And(tuple(several)), st.lists(inner, max_size=3))
        | st.builds(lambda several: tree.Or(tuple(several)), st.lists(inner, max_size=3))
    ),
    max_leaves=6,
)
queries = st.builds(
    Query,
    from_us=st.none() | st.integers(0, 12).map(lambda at: BEGIN_US + at * SECOND),
    to_us=st.none() | st.integers(0, 13).map(lambda at: BEGIN_US + at * SECOND),
    where=st.just(tree.EVERYTHING) | trees,
)
Model = dict[int, list[Sent]]


def live(home: Home, life: Sequence[Any]) -> Model:
    """Do what the steps say; gives all that was sent."""
    model: Model = {1: [], 2: []}
    for step in life:
        if step == "cut":
            home.archive.cut()
        elif step == "merge":
            home.archive.merge()
        elif step == "restart":
            home.restart()
        else:
            number, events = step
            home.add(TENANTS[number], *[one.event() for one in events])
            model[number] += events
    return model


def expected(model: Model, numbers: Sequence[int], query: Query) -> list[tuple[int, int]]:
    """(index, tenant) of what passes, in the order of a search."""
    whole = tree.every([During(query.from_us, query.to_us), query.where])
    found = [
        (one.at, index, number)
        for number in numbers
        for index, one in enumerate(model[number])
        if passes(whole, index, one)
    ]
    return [(index, number) for _, index, number in sorted(found, reverse=True)]


@settings(max_examples=30, deadline=None)
@given(
    steps,
    queries,
    st.integers(1, 7),
    st.sampled_from([[1], [2], [1, 2]]),
    st.lists(st.sampled_from(["cut", "merge", "add"]), max_size=3),
    st.booleans(),
)
def test_pages_hold_exactly_the_models_events_in_its_order(
    life: list[object],
    query: Query,
    limit: int,
    numbers: list[int],
    between: list[str],
    oldest_first: bool,  # noqa: FBT001
):
    """Whatever rests, is merged or comes between two pages, each event is on one page."""
    new = Sent(99, "NEW", (None, None), (), "new", None, None, False, False, "new", "")
    with tempfile.TemporaryDirectory() as path:
        home = Home(Path(path))
        model = live(home, life)
        found: list[tuple[int, int]] = []
        cursor: str | None = None
        before = tree.query(query.where, query.from_us, query.to_us or BEGIN_US + 50 * SECOND)
        while True:
            page = home.archive.search(
                [TENANTS[number] for number in numbers],
                before,
                limit=limit,
                cursor=cursor,
                oldest_first=oldest_first,
            )
            assert page.damaged == ()
            assert len(page.events) == limit or page.next_cursor is None
            found += [(one.index, one.tenant.number) for one in page.events]
            cursor = page.next_cursor
            if cursor is None:
                break
            for step in between:
                live(home, [(1, [new]) if step == "add" else step])
        home.close()

    wanted = expected(model, numbers, before)
    assert found == (wanted[::-1] if oldest_first else wanted)


@settings(max_examples=30, deadline=None)
@given(steps, queries, st.integers(-1, 20), st.integers(1, 9))
def test_feed_scan_and_tail_hold_exactly_the_models_events_by_index(
    life: list[object], query: Query, after: int, limit: int
):
    with tempfile.TemporaryDirectory() as path:
        home = Home(Path(path))
        model = live(home, life)
        fed = [index for index, _ in home.archive.feed(ALPHA, after, limit)]
        scanned = [index for index, _ in home.archive.scan(ALPHA, query)]
        followed = [index for index, _ in home.archive.follow(ALPHA, query, 0, 1_000).events]
        got = [home.archive.get(BETA, index) for index in range(len(model[2]) + 1)]
        home.close()

    everything = list(range(len(model[1])))
    assert fed == everything[after + 1 :][:limit]
    assert scanned == sorted(index for index, _ in expected(model, [1], query))
    assert followed == scanned
    assert [one is not None for one in got] == [True] * len(model[2]) + [False]
