"""What a query asks of a row, and what a cursor may be used for."""

import msgspec
import pytest
from tests.archive.made import BEGIN_US, opened

from sealog.archive.columns import row_of
from sealog.archive.queries import Cursors, Query, filters, row_test
from sealog.errors import Refused

ROW = row_of(
    9,
    opened(
        {
            "@timestamp": "2023-11-14T22:13:20.000Z",
            "event": {
                "id": "e",
                "action": "USER_LOGIN",
                "category": ["iam", "session"],
                "outcome": "failure",
            },
            "sealog": {"action": "user.login", "dialect": "logichub"},
        },
        {
            "user": {"id": "U-1", "name": "Ada L", "email": "Ada@Example.com"},
            "source": {"ip": "2001:DB8::1"},
            "session": {"id": "s-1"},
        },
    ),
)


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(from_us=BEGIN_US),
        Query(to_us=BEGIN_US + 1),
        Query(actions=("USER_LOGIN",)),
        Query(actions=("user.login",)),
        Query(actions=("nothing", "user.*")),
        Query(actions=("*_LOG*",)),
        Query(actions=("*",)),
        Query(category="iam"),
        Query(category="session"),
        Query(outcome="failure"),
        Query(actor="u-1"),
        Query(actor="ADA l"),
        Query(actor="ada@example.COM"),
        Query(address="2001:db8::1"),
        Query(dialect="logichub"),
        Query(session="s-1"),
        Query(actor="U-1", outcome="failure", actions=("user.login",), category="iam"),
    ],
    ids=str,
)
def test_the_row_passes(query: Query):
    assert row_test(query)(ROW)


@pytest.mark.parametrize(
    "query",
    [
        Query(from_us=BEGIN_US + 1),
        Query(to_us=BEGIN_US),
        Query(actions=("user.logi",)),
        Query(actions=("USER.LOGIN",)),
        Query(actions=("user?login", "user.")),
        Query(actions=("user.login.*",)),
        Query(category="ia"),
        Query(category="iam\nsession"),
        Query(outcome="success"),
        Query(actor="ada"),
        Query(actor="2001:db8::1"),
        Query(address="2001:db8::2"),
        Query(dialect="ecs"),
        Query(session="S-1"),
        Query(actor="U-1", outcome="success"),
        Query(actor="\ud800"),
    ],
    ids=repr,
)
def test_the_row_does_not_pass(query: Query):
    assert not row_test(query)(ROW)


@pytest.mark.parametrize(
    ("pattern", "passing"),
    [
        ("a*c", ["ac", "abc", "a\nc"]),
        ("*", ["ac", "abc", "a\nc", "", "aca", "cac"]),
        ("a*c*", ["ac", "abc", "a\nc", "aca"]),
        ("*c*a*", ["aca", "cac"]),
        ("**a**", ["ac", "abc", "a\nc", "aca", "cac"]),
        ("c*ca*", []),
        ("a*ac", []),
    ],
)
def test_a_star_stands_for_any_text(pattern: str, passing: list[str]):
    (condition,) = filters(Query(actions=(pattern,)))
    texts = ["ac", "abc", "a\nc", "", "aca", "cac"]

    assert [text for text in texts if condition.test(text)] == passing


def test_many_stars_do_not_take_for_ever():
    """Whoever may search must not stop everybody else: nothing runs beside a regular expression."""
    (condition,) = filters(Query(actions=("*a" * 100 + "*b",)))

    assert not condition.test("a" * 256)
    assert condition.test("a" * 255 + "b")


def test_what_a_bloom_filter_may_rule_out_comes_first():
    found = filters(Query(outcome="success", category="iam", actor="ada", actions=("a",)))

    assert [one.columns[0] for one in found] == ["actor_id", "action", "category", "outcome"]
    assert found[0].hashed is not None
    assert found[1].exact == "a"


QUERY = Query(actor="ada")
POSITION = (BEGIN_US, 17, 2)


def test_a_cursor_leads_back_to_its_position():
    cursors = Cursors(b"k" * 32)

    cursor = cursors.write(POSITION, QUERY, [2, 1])

    assert cursors.read(cursor, QUERY, [1, 2]) == POSITION
    assert Cursors(b"k" * 32).read(cursor, Query(actor="ada"), [2, 1]) == POSITION
    assert cursor.isascii()
    assert "=" not in cursor


@pytest.mark.parametrize(
    ("query", "tenants", "secret"),
    [
        (Query(actor="bob"), [1], b"k" * 32),
        (msgspec.structs.replace(QUERY, to_us=1), [1], b"k" * 32),
        (QUERY, [1, 2], b"k" * 32),
        (QUERY, [2], b"k" * 32),
        (QUERY, [1], b"x" * 32),
    ],
)
def test_another_searchs_cursor_is_refused(query: Query, tenants: list[int], secret: bytes):
    cursor = Cursors(b"k" * 32).write(POSITION, QUERY, [1])

    with pytest.raises(Refused) as caught:
        Cursors(secret).read(cursor, query, tenants)
    assert caught.value.code == "bad-cursor"


def test_a_cursor_altered_anywhere_is_refused():
    cursors = Cursors(b"k" * 32)
    cursor = cursors.write(POSITION, QUERY, [1])
    for place in range(len(cursor) - 1):
        other = "A" if cursor[place] != "A" else "B"
        with pytest.raises(Refused):
            cursors.read(cursor[:place] + other + cursor[place + 1 :], QUERY, [1])


@pytest.mark.parametrize("cursor", ["", "x", "====", "é", "A" * 200, "a b", "\ud800"], ids=ascii)
def test_what_never_was_a_cursor_is_refused(cursor: str):
    with pytest.raises(Refused) as caught:
        Cursors(b"k" * 32).read(cursor, QUERY, [1])
    assert caught.value.code == "bad-cursor"
