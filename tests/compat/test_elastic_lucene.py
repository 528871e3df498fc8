from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.compat.elastic_house import asking

from sealog.compat.elastic_errors import Rejected
from sealog.compat.elastic_leaves import Leaves
from sealog.compat.elastic_lucene import CLAUSES_MAX, DEPTH_MAX, parse
from sealog.query.tree import (
    EVERYTHING,
    And,
    Between,
    During,
    Has,
    Is,
    Like,
    Not,
    Or,
    Text,
)

ADA, BOB, EVE = (Is("actor.name", name) for name in ("ada", "bob", "eve"))
OK = Is("outcome", "success")


def read(text, *, is_and=False):
    return parse(text, Leaves(asking(), ["*"], is_and=is_and), is_and=is_and)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user.name:ada", ADA),
        ('user.name:"ada"', ADA),
        ("user.name:ada AND event.outcome:success", And((ADA, OK))),
        ("user.name:ada && event.outcome:success", And((ADA, OK))),
        ("user.name:ada event.outcome:success", Or((ADA, OK))),
        ("user.name:ada || event.outcome:success", Or((ADA, OK))),
        ("user.name:(ada OR bob)", Or((ADA, BOB))),
        ("user.name:(ada bob)", Or((ADA, BOB))),
        ("user.name:ada AND NOT event.outcome:success", And((ADA, Not(OK)))),
        ("+user.name:ada -event.outcome:success", And((ADA, Not(OK)))),
        ("NOT user.name:ada", Not(ADA)),
        ("!user.name:ada", Not(ADA)),
        ("(user.name:ada OR user.name:bob) AND event.outcome:success", And((Or((ADA, BOB)), OK))),
        ("event.action:user.*", Like("action", "user.*")),
        ("_exists_:user.name", Has("actor.name")),
        ("user.name:*", Has("actor.name")),
        ("*:*", EVERYTHING),
        ("*", EVERYTHING),
        ("deleted", Text(("deleted",))),
        ('"two words"', Text(("two", "words"))),
        ("adm*", Text(("adm",), prefix=True)),
        ("http.response.status_code:[400 TO 499]", Between("status", 400, 499)),
        ("http.response.status_code:{400 TO *}", Between("status", 401, None)),
        ("http.response.status_code:>=400", Between("status", 400, None)),
        ("user.name:ad\\:a", Is("actor.name", "ad:a")),
        ("user.name:ada^2", ADA),
        ("source.ip:2001:db8::1", Is("ip", "2001:db8::1")),
        (
            "@timestamp:[2021-05-05 TO 2021-05-06}",
            During(1_620_172_800_000_000, 1_620_259_200_000_000),
        ),
        ("", Or(())),
    ],
)
def test_a_text_is_a_tree(text, expected):
    assert read(text) == expected


def test_beside_a_must_what_only_may_be_there_does_not_count():
    """As in Lucene's classic parser, which knows no precedence."""
    assert read("user.name:ada AND user.name:bob OR user.name:eve") == And((ADA, BOB))
    assert read("user.name:ada OR user.name:bob AND user.name:eve") == And((BOB, EVE))


def test_clauses_that_nothing_joins_are_joined_as_asked():
    assert read("user.name:ada event.outcome:success", is_and=True) == And((ADA, OK))
    assert read("user.name:ada OR event.outcome:success", is_and=True) == Or((ADA, OK))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("user.name:ada~2", "~"),
        ("user.name:/ad.*/", "regular expression"),
        ("user.name:a?a", r"\?"),
        ("(user.name:ada", "parenthesis"),
        ("user.name:ada)", "nothing is open"),
        ("user.name:", "nothing that can be read"),
        ("nowhere:ada", "nowhere"),
        ("[400 TO 499]", "names its field"),
        ("http.response.status_code:>=", "nothing stands behind"),
    ],
)
def test_what_cannot_be_read_is_named(text, named):
    with pytest.raises(Rejected, match=named):
        read(text)


def test_limits_are_refused_past_them():
    name = "user.name:a "
    assert read("(" * DEPTH_MAX + name + ")" * DEPTH_MAX)
    assert read(name * CLAUSES_MAX)
    with pytest.raises(Rejected, match="deep"):
        read("(" * (DEPTH_MAX + 1) + name + ")" * (DEPTH_MAX + 1))
    with pytest.raises(Rejected, match="clauses"):
        read(name * (CLAUSES_MAX + 1))
    with pytest.raises(Rejected, match="characters"):
        read("a" * 5_000)


@given(
    st.lists(
        st.sampled_from(
            [*'()[]{}":~^\\+-!*?/ ', "AND ", "OR ", "NOT ", "TO ", "user.name:", "a", "\n", ">="]
        )
        | st.text(max_size=3),
        max_size=30,
    ).map("".join)
)
def test_only_a_refusal_escapes(text):
    with suppress(Rejected):
        read(text)
