"""Whatever is sent, cut and asked for, a search gives what a plain list gives."""

import fnmatch
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.archive.made import ALPHA, BEGIN_US, BETA, TENANTS, Home, event, statement

from sealog.archive.archive import Query
from sealog.event.packs import Opened

SECOND = 1_000_000


class Sent(NamedTuple):
    """One event as the model knows it."""

    at: int
    action: str
    actor: str | None
    category: tuple[str, ...]
    outcome: str
    stated: bool

    def event(self) -> Opened:
        if self.stated:
            return statement(self.at)
        return event(
            self.at,
            self.action,
            actor=self.actor,
            category=list(self.category),
            outcome=self.outcome,
        )

    def passes(self, query: Query) -> bool:
        action = "sealog.retention" if self.stated else self.action
        names = (action, action.lower().replace("_", "."))
        at_us = BEGIN_US + self.at * SECOND
        return (
            (query.from_us is None or at_us >= query.from_us)
            and (query.to_us is None or at_us < query.to_us)
            and (not query.actions or any(_like(n, a) for n in names for a in query.actions))
            and (not query.category or (not self.stated and query.category in self.category))
            and (not query.outcome or (not self.stated and query.outcome == self.outcome))
            and (
                not query.actor
                or (not self.stated and (self.actor or "").lower() == query.actor.lower())
            )
        )


def _like(name: str, pattern: str) -> bool:
    """None of the names and patterns here holds what `fnmatch` would read otherwise."""
    return fnmatch.fnmatchcase(name, pattern)


sent = st.builds(
    Sent,
    at=st.integers(0, 12),
    action=st.sampled_from(["USER_LOGIN", "USER_LOGOUT", "ROLE_CHANGED"]),
    actor=st.sampled_from([None, "ada", "Bob", "CLEO"]),
    category=st.sampled_from([(), ("iam",), ("iam", "session"), ("session",)]),
    outcome=st.sampled_from(["success", "failure"]),
    stated=st.sampled_from([False] * 9 + [True]),
)
# A step appends to one of two tenants, cuts what waits, or starts the archive anew.
steps = st.lists(
    st.tuples(st.sampled_from([1, 2]), st.lists(sent, min_size=1, max_size=9))
    | st.sampled_from(["cut", "cut", "restart"]),
    min_size=1,
    max_size=7,
)
queries = st.builds(
    Query,
    from_us=st.none() | st.integers(0, 12).map(lambda at: BEGIN_US + at * SECOND),
    to_us=st.none() | st.integers(0, 13).map(lambda at: BEGIN_US + at * SECOND),
    actions=st.sampled_from(
        [(), (), ("USER_LOGIN",), ("user.login", "ROLE_*"), ("*.log*",), ("sealog.*",), ("x",)]
    ),
    category=st.sampled_from(["", "", "iam", "session"]),
    outcome=st.sampled_from(["", "", "failure"]),
    actor=st.sampled_from(["", "", "ADA", "bob", "nobody"]),
)
Model = dict[int, list[Sent]]


def _live(home: Home, life: Sequence[object]) -> Model:
    model: Model = {1: [], 2: []}
    for step in life:
        if step == "cut":
            home.archive.cut()
        elif step == "restart":
            home.restart()
        else:
            assert isinstance(step, tuple)
            number, events = step
            home.add(TENANTS[number], *[one.event() for one in events])
            model[number] += events
    return model


def _expected(model: Model, numbers: Sequence[int], query: Query) -> list[tuple[int, int]]:
    """(index, tenant) in the order of a search."""
    found = [
        (one.at, index, number)
        for number in numbers
        for index, one in enumerate(model[number])
        if one.passes(query)
    ]
    return [(index, number) for _, index, number in sorted(found, reverse=True)]


@settings(max_examples=40, deadline=None)
@given(steps, queries, st.integers(1, 7), st.sampled_from([[1], [2], [1, 2]]), st.booleans())
def test_pages_hold_exactly_the_models_events_in_its_order(
    life: list[object],
    query: Query,
    limit: int,
    numbers: list[int],
    cut_between: bool,  # noqa: FBT001
):
    with tempfile.TemporaryDirectory() as path:
        home = Home(Path(path))
        model = _live(home, life)
        found: list[tuple[int, int]] = []
        cursor: str | None = None
        while True:
            tenants = [TENANTS[number] for number in numbers]
            page = home.archive.search(tenants, query, limit=limit, cursor=cursor)
            assert page.damaged == ()
            assert len(page.events) == limit or page.next_cursor is None
            found += [(one.index, one.tenant.number) for one in page.events]
            cursor = page.next_cursor
            if cursor is None:
                break
            if cut_between:
                home.archive.cut()
        home.close()

    assert found == _expected(model, numbers, query)


@settings(max_examples=25, deadline=None)
@given(steps, queries, st.integers(-1, 20), st.integers(1, 9))
def test_feed_and_scan_hold_exactly_the_models_events_by_index(
    life: list[object], query: Query, after: int, limit: int
):
    with tempfile.TemporaryDirectory() as path:
        home = Home(Path(path))
        model = _live(home, life)
        fed = [index for index, _ in home.archive.feed(ALPHA, after, limit)]
        scanned = [index for index, _ in home.archive.scan(ALPHA, query)]
        opened = [home.archive.get(BETA, index) for index in range(len(model[2]) + 1)]
        home.close()

    everything = list(range(len(model[1])))
    assert fed == everything[after + 1 :][:limit]
    assert scanned == [index for index in everything if model[1][index].passes(query)]
    assert [one is not None for one in opened] == [True] * len(model[2]) + [False]
