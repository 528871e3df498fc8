"""What a tree asks of rows: for certain, or only perhaps."""

import numpy as np
import pytest
from tests.archive.made import ALPHA, BEGIN_US, asking, batch, event, opened

from sealog.archive.conditions import Always, And, Or, ready
from sealog.archive.search import passing
from sealog.archive.sources import Values, Waiting
from sealog.archive.waiting import chunks_of
from sealog.event.packs import Opened, Unpacker
from sealog.journal.blocks import Block, body_of
from sealog.query import tree
from sealog.query.tree import Between, During, Has, Inside, Is, Like, Query

ADA = opened(
    {
        "@timestamp": "2023-11-14T22:13:20.000Z",
        "event": {
            "id": "e",
            "action": "USER_LOGIN",
            "category": ["iam", "session"],
            "outcome": "failure",
        },
        "sealog": {"action": "user.login", "dialect": "logichub"},
        "http": {"response": {"status_code": 403}},
    },
    {
        "user": {"id": "U-1", "name": "Ada L", "email": "Ada@Example.com"},
        "source": {"ip": "192.0.2.7"},
        "session": {"id": "s-1"},
    },
    None,
    {"sealog": {"findings": ["odd"]}},
)


def source_of(*events: Opened) -> Waiting:
    one = batch(ALPHA, events)
    block = Block(1, 1, 9, len(events), 0, body_of(one.entries, one.packs), b"")
    return Waiting(chunks_of(block, 0, Unpacker()))


def passes(query: Query) -> bool:
    (one,) = np.broadcast_to(passing(source_of(ADA), ready(query)), 1).tolist()
    return bool(one)


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(from_us=BEGIN_US),
        Query(to_us=BEGIN_US + 1),
        asking(action="USER_LOGIN"),
        asking(action="user.login"),
        asking(action=("nothing", "user.*")),
        asking(action="*_LOG*"),
        asking(category="iam"),
        asking(category="session"),
        asking(outcome="failure"),
        asking(actor="u-1"),
        asking(actor="ADA l"),
        asking(actor="ada@example.COM"),
        asking(actor__id="u-1"),
        asking(actor__kind="user"),
        asking(ip="192.0.2.7"),
        asking(dialect="logichub"),
        asking(session="s-1"),
        asking(status="403"),
        asking(id="e"),
        asking(index="9"),
        asking(findings="true"),
        asking(actor="U-1", outcome="failure", action="user.login", category="iam"),
        Query(where=Inside("192.0.2.0/24")),
        Query(where=Between("status", 400, 499)),
        Query(where=Between("index", 9, None)),
        Query(where=During(BEGIN_US, BEGIN_US + 1)),
        Query(where=tree.Not(Has("target"))),
        Query(where=tree.Or((Has("target"), Has("findings")))),
        Query(where=tree.Not(tree.Or(()))),
        Query(where=tree.Not(tree.And((Is("id", "e"), Has("target"))))),
        *[
            Query(where=Has(field))
            for field in ("actor", "actor.name", "ip", "status", "id", "index", "session")
        ],
    ],
    ids=str,
)
def test_the_row_passes(query: Query):
    whole = tree.every([During(query.from_us, query.to_us), query.where])

    assert passes(query)
    assert passes(Query(where=whole))
    assert not passes(Query(where=tree.Not(whole)))


@pytest.mark.parametrize(
    "query",
    [
        Query(from_us=BEGIN_US + 1),
        Query(to_us=BEGIN_US),
        asking(action="user.logi"),
        asking(action="USER.LOGIN"),
        asking(action=("user?login", "user.")),
        asking(action="user.login.*"),
        asking(category="ia"),
        asking(outcome="success"),
        asking(actor="ada"),
        asking(actor__name="u-1"),
        asking(actor="192.0.2.7"),
        asking(ip="192.0.2.8"),
        asking(dialect="ecs"),
        asking(session="S-1"),
        asking(actor="U-1", outcome="success"),
        asking(actor="\ud800"),
        asking(id="E"),
        asking(status="200"),
        asking(findings="false"),
        Query(where=Between("index", 10, None)),
        Query(where=Between("index", 1 << 80, None)),
        Query(where=Between("status", 500, 400)),
        Query(where=Inside("192.0.3.0/24")),
        Query(where=tree.Or(())),
        Query(where=tree.Not(Is("id", "e"))),
        Query(where=During(None, BEGIN_US)),
        Query(where=Has("target")),
        Query(where=Like("outcome", "succ*")),
    ],
    ids=ascii,
)
def test_the_row_does_not_pass(query: Query):
    assert not passes(query)


def test_what_rules_out_most_for_least_is_asked_first():
    asked: list[tuple[str, ...]] = []

    class Noting(Waiting):
        def passed(self, values: Values):
            asked.append(values.columns)
            return super().passed(values)

    source = source_of(event(1, "a", actor="ada", outcome="success"))
    source.__class__ = Noting
    query = asking(category="i*", outcome="success", action="a", actor="ada")

    ready(query).bounds(source, True)

    assert [one[0] for one in asked] == ["actor_name", "outcome", "action", "category"]


def test_many_values_of_a_field_are_asked_for_together():
    asked: list[Values] = []

    class Noting(Waiting):
        def passed(self, values: Values):
            asked.append(values)
            return super().passed(values)

    source = source_of(*[event(n, f"act-{n}", actor=f"user-{n}") for n in range(9)])
    source.__class__ = Noting
    actions = asking(action=("act-1", "act-7", "act-9", "x-*"))
    actors = asking(actor=("user-2", "USER-2", "user-3"))

    assert _passing(source, actions.where) == [n in (1, 7) for n in range(9)]
    assert _passing(source, actors.where) == [n in (2, 3) for n in range(9)]
    assert [one.exact for one in asked] == [("act-1", "act-7", "act-9"), (), ("user-2", "user-3")]
    assert [len(one.hashed) for one in asked] == [0, 0, 2]


def test_once_nothing_is_left_no_further_column_is_asked():
    class Failing(Waiting):
        def numbers(self, name: str):
            raise AssertionError(name)

    source = source_of(event(1, "a"))
    source.__class__ = Failing
    query = tree.query(tree.every([Is("action", "b"), Is("status", "200")]))

    assert ready(query).bounds(source, True) == (False, False)


def test_an_id_is_decided_by_the_parts():
    """The column holds 8 bytes of its hash, and who finds two ids with the same must gain nothing."""
    source = source_of(event(1, event_id="one"), event(2, event_id="two"))

    bounds = ready(asking(id="two")).bounds(source, True)

    assert bounds.sure is False
    assert isinstance(bounds.may, np.ndarray)
    assert bounds.may.tolist() == [False, True]
    assert np.asarray(passing(source, ready(asking(id="two")))).tolist() == [False, True]


def test_words_are_decided_by_the_parts():
    source = source_of(
        event(1, rest={"message": "Quick red fox"}, outcome="failure"),
        event(2, rest={"message": "red and quick"}, outcome="failure"),
        event(3, rest={"message": "the quick red one"}, outcome="success"),
    )
    said = tree.Text(("quick", "red"))

    bounds = ready(Query(where=said)).bounds(source, True)

    assert bounds == (False, True)
    assert _passing(source, said) == [True, False, True]
    assert _passing(source, tree.Not(said)) == [False, True, False]
    assert _passing(source, tree.And((said, Is("outcome", "failure")))) == [True, False, False]
    assert _passing(source, tree.Or((said, Is("outcome", "failure")))) == [True, True, True]


def _passing(source: Waiting, node: tree.Node) -> list[bool]:
    return np.broadcast_to(passing(source, ready(Query(where=node))), source.count).tolist()


def test_nothing_and_everything_need_no_rows():
    source = source_of(event(1))

    assert And([]).bounds(source, True) == (True, True)
    assert Or([]).bounds(source, True) == (False, False)
    assert Or([Always(passes=True)]).bounds(source, True) == (True, True)
