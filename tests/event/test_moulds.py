"""Moulds: what is alike is joined by a pattern, and everything else as before."""

import pickle

import msgspec
import pytest

from sealog.event import joining, moulds
from sealog.event.moulds import MADE_AFTER, Derive, Moulds, Unfit
from sealog.event.packs import Opened, Packer, Unpacker
from sealog.event.tokens import Raw

FACTS = b'{"event":{"id":"%b","kind":"event"},"n":%b,"sealog":{"action":"a"}}'
ACTOR = b'{"user":{"id":"%b"},"sealog":{"actor":{"kind":"%b"}}}'


def of(name, number=b"1", person=b"ada", kind=b"user"):
    return Opened(
        b"\x01",
        ((0, bytes(16), FACTS % (name, number)), (1, bytes(16), ACTOR % (person, kind))),
    )


def whole(name, index, number=b"1", person=b"ada", kind=b"user"):
    return (
        b'{"event":{"id":"%b","kind":"event"},"n":%b,"sealog":{"action":"a","actor":{"kind":"%b"},'
        b'"index":%d},"user":{"id":"%b"}}' % (name, number, kind, index, person)
    )


def greet(tree):
    tree["more"] = Raw(b'"hello %b"' % bytes(joining._READ(tree["user"])["id"])[1:-1])


def greet_later(tree, later):
    token = bytes(joining._READ(tree["user"])["id"])
    tree["more"] = later([token], lambda values: b'"hello %b"' % values[0][1:-1])


@pytest.fixture
def general(monkeypatch):
    """How many events went the general way."""
    counted = []
    real = joining.document

    def document(opened, index):
        counted.append(index)
        return real(opened, index)

    monkeypatch.setattr(joining, "document", document)
    return counted


def test_what_is_alike_is_read_by_a_pattern_once_a_few_were_seen(general):
    known = Moulds()

    shown = [known.shown(of(b"e%d" % n, b"%d.50" % n), n) for n in range(MADE_AFTER + 20)]

    assert shown == [whole(b"e%d" % n, n, b"%d.50" % n) for n in range(MADE_AFTER + 20)]
    # The events themselves, and the one of marks that the mould is made from.
    assert len(general) == MADE_AFTER + 1


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"name": b""}, id="an empty text"),
        pytest.param({"name": b"caf\\u00e9"}, id="an escape"),
        pytest.param({"name": b"\\ud800"}, id="half a character"),
        pytest.param({"name": b"100% %b"}, id="percent"),
        pytest.param({"name": b"-83209174610001"}, id="what stands for a value"),
        pytest.param({"number": b"null"}, id="null"),
        pytest.param({"number": b'"1"'}, id="a text"),
        pytest.param({"number": b'{"a":[1,{}]}'}, id="an object"),
        pytest.param({"number": b'["a]","b"]'}, id="an array"),
        pytest.param({"number": b"1e400"}, id="a number past every float"),
    ],
)
def test_one_that_is_odd_comes_out_as_it_is(odd):
    known = Moulds()
    events = [of(b"e")] * MADE_AFTER + [of(**{"name": b"e", **odd})] * (MADE_AFTER + 2) + [of(b"f")]
    pack = Packer().pack(events, range(len(events)))

    lines = known.lines(pack, 7, Unpacker())

    assert lines == joining.lines(pack, 7, Unpacker())
    assert known.lines(pack, 7, Unpacker(), [0, 5, 9]) == (
        joining.lines(pack, 7, Unpacker(), [0, 5, 9])
    )
    assert known.shown(of(**{"name": b"e", **odd}), 3) == whole(index=3, **{"name": b"e", **odd})


def test_what_follows_from_an_event_is_made_of_its_own_values():
    known = Moulds(Derive(greet, greet_later))

    shown = [known.shown(of(b"e", person=b"p%d" % n), n) for n in range(MADE_AFTER + 3)]

    assert [msgspec.json.decode(one)["more"] for one in shown] == [
        f"hello p{n}" for n in range(MADE_AFTER + 3)
    ]


def test_where_nothing_is_planned_every_event_goes_the_general_way(general):
    known = Moulds(Derive(greet))

    shown = [known.shown(of(b"e", person=b"p"), n) for n in range(20)]

    assert all(b'"more":"hello p"' in one for one in shown)
    assert len(general) == 20


def test_a_plan_may_say_that_no_mould_fits(general):
    def refuse(_tree, _later):
        raise Unfit("not this one")

    known = Moulds(Derive(greet, refuse))

    shown = [known.shown(of(b"e", person=b"p"), n) for n in range(20)]

    assert all(b'"more":"hello p"' in one for one in shown)
    assert len(general) == 20 + 1


def test_events_that_are_never_alike_stop_being_looked_at(monkeypatch, general):
    """Whoever sends what nobody sent before pays for reading it, and for no more."""
    monkeypatch.setattr(moulds, "MISSES_NOTICED_MAX", 10)
    known = Moulds()
    for n in range(20):
        known.shown(Opened(b"\x01", ((0, bytes(16), b'{"k%d":1}' % n),)), n)

    shown = [known.shown(of(b"e"), n) for n in range(20)]

    assert shown == [whole(b"e", n) for n in range(20)]
    assert len(general) == 40


def test_what_was_erased_is_named():
    gone = Opened(b"\x01", of(b"e").parts[:1], ((1, bytes(32)),))
    known = Moulds()
    pack = Packer().pack([of(b"e")] * 8 + [gone], range(9))

    assert known.lines(pack, 0, Unpacker()).splitlines()[-1] == (
        b'{"event":{"id":"e","kind":"event"},"n":1,'
        b'"sealog":{"action":"a","index":8,"erased":["actor"]}}'
    )


def test_what_is_derived_reaches_other_processes():
    assert pickle.loads(pickle.dumps(Derive(greet, greet_later))) == Derive(greet, greet_later)
