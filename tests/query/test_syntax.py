from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from sealog.query import syntax
from sealog.query.fields import FIELDS
from sealog.query.refusing import BadQuery
from sealog.query.syntax import CONDITIONS_MAX, DEPTH_MAX, QUERY_CHARS_MAX, VALUES_MAX, parse
from sealog.query.tree import (
    EVERYTHING,
    And,
    Between,
    During,
    Has,
    Inside,
    Is,
    Like,
    Not,
    Or,
    Query,
    Text,
)

NOW_US = 1_795_264_496_000_000  # 2026-11-21T12:34:56Z
ADA, BOB, LOGIN = Is("actor", "ada"), Is("actor", "bob"), Is("action", "login")
HOUR_US = 3_600_000_000


def read(text, zone=UTC):
    return parse(text, now_us=NOW_US, zone=zone)


def where(text):
    found = read(text)
    assert (found.from_us, found.to_us) == (None, None)
    return found.where


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("", EVERYTHING),
        (" \t\n", EVERYTHING),
        ("*", EVERYTHING),
        ("actor:ada", ADA),
        ("ACTOR:ada", ADA),
        ("user.name:Ada", Is("actor.name", "Ada")),
        ("event.action:login", LOGIN),
        ('actor:"Ada L"', Is("actor", "Ada L")),
        (r"actor:Ada\ L", Is("actor", "Ada L")),
        ("action:user.*", Like("action", "user.*")),
        ("action:a:b", Is("action", "a:b")),
        ("ip:10.0.0.0/8", Inside("10.0.0.0/8")),
        ("ip:2001:db8::1", Is("ip", "2001:db8::1")),
        ("-action:login", Not(LOGIN)),
        ("NOT action:login", Not(LOGIN)),
        ("--action:login", Not(Not(LOGIN))),
        ("actor:ada action:login", And((ADA, LOGIN))),
        ("actor:ada AND action:login", And((ADA, LOGIN))),
        ("actor:ada OR action:login", Or((ADA, LOGIN))),
        ("actor:ada action:login OR actor:bob", Or((And((ADA, LOGIN)), BOB))),
        ("actor:ada (action:login OR actor:bob)", And((ADA, Or((LOGIN, BOB))))),
        ("-(actor:ada OR actor:bob)", Not(Or((ADA, BOB)))),
        ("NOT(actor:ada)", Not(ADA)),
        ("((actor:ada))", ADA),
        ("actor:ada,bob", Or((ADA, BOB))),
        ("actor:(ada OR bob)", Or((ADA, BOB))),
        ("actor:( ada , bob )", Or((ADA, BOB))),
        ('actor:"ada,bob",bob', Or((Is("actor", "ada,bob"), BOB))),
        (r"actor:ada\,bob", Is("actor", "ada,bob")),
        ("status:>=400", Between("status", 400, None)),
        ("status:200,400..499", Or((Between("status", 200, 200), Between("status", 400, 499)))),
        ("has:findings", Has("findings")),
        ("has:user.name,IP", Or((Has("actor.name"), Has("ip")))),
        ("findings:yes", Has("findings")),
        ("-findings:yes", Not(Has("findings"))),
        ("findings:no", Not(Has("findings"))),
        ("actor:*", Has("actor")),
        ("deleted", Text(("deleted",))),
        ("two words", And((Text(("two",)), Text(("words",))))),
        ('"Two words"', Text(("two", "words"))),
        ("ada@example.org", Text(("ada", "example", "org"))),
        ("adm*", Text(("adm",), prefix=True)),
        ('"the adm"*', Text(("the", "adm"), prefix=True)),
        ("a-b", Text(("a", "b"))),
        ("not or and", And((Text(("not",)), Text(("or",)), Text(("and",))))),
        ('"OR"', Text(("or",))),
        (r"http\://x", Text(("http", "x"))),
        ("日本語", Text(("日", "本", "語"))),
        ("date:1970-01-02 OR actor:ada", Or((During(24 * HOUR_US, 48 * HOUR_US), ADA))),
    ],
)
def test_what_is_written_is_what_is_asked(text, node):
    assert where(text) == node


@pytest.mark.parametrize("name", [name for field in FIELDS.values() for name in field.also])
def test_a_field_is_known_by_all_its_names(name):
    assert where(f"has:{name}") == Has(syntax.NAMES[name].name)


@pytest.mark.parametrize(
    ("text", "from_us", "to_us"),
    [
        ("after:1970-01-02", 23 * HOUR_US, None),
        ("since:1970-01-02", 23 * HOUR_US, None),
        ("from:1970-01-02", 23 * HOUR_US, None),
        ("before:1970-01-02", None, 23 * HOUR_US),
        ("until:1970-01-02", None, 23 * HOUR_US),
        ("to:1970-01-02", None, 23 * HOUR_US),
        ("on:1970-01-02", 23 * HOUR_US, 47 * HOUR_US),
        ("@timestamp:1970-01-02..1970-01-03", 23 * HOUR_US, 71 * HOUR_US),
        ("after:1970-01-02 before:1970-01-03", 23 * HOUR_US, 47 * HOUR_US),
        ("after:1970-01-02 (before:1970-01-04 before:1970-01-03)", 23 * HOUR_US, 47 * HOUR_US),
        ("before:-7d", None, NOW_US - 7 * 24 * HOUR_US),
    ],
)
def test_the_range_of_the_whole_is_apart_and_days_are_those_of_the_zone(text, from_us, to_us):
    assert read(text, ZoneInfo("Europe/Berlin")) == Query(from_us, to_us)


WRONG = [
    ("acter:ada", 0, 5, "unknown field 'acter'; did you mean 'actor'?", "actor"),
    ("x http://a.b y", 2, 10, 'unknown field \'http\'; in quotes it is text: "http://a.b"',
     '"http://a.b"'),
    ("2001:db8::1", 0, 11, "an address is asked for as ip:2001:db8::1", "ip:2001:db8::1"),
    (":x", 0, 2, 'no field stands before the :; in quotes it is text: ":x"', '":x"'),
    ("tenant:acme", 0, 6, "the tenant is not asked for here, but beside the query", None),
    ("has:actr", 4, 4, "unknown field 'actr'; did you mean 'actor'?", "actor"),
    ("has:zzz", 4, 3, "unknown field 'zzz'; fields are " + ", ".join(FIELDS), None),
    ("actor:", 6, 0, "the value of actor is missing", None),
    ("actor: ada", 6, 1, "the value of actor stands right behind the :, without a space", ""),
    ('actor:""', 6, 2, "the value of actor is empty", None),
    ("actor:a, b", 8, 0, "a value of actor is missing behind the comma, where no space may stand",
     None),
    ("actor:(a b)", 9, 0, "put OR or a comma before 'b)'", "OR "),
    ("actor:(a or b)", 9, 0, "put OR or a comma before 'or'", "OR "),
    ("actor:(a OR b", 13, 0, "missing ) for the ( at 6: add it at the end", ")"),
    ("actor:ada (a OR", 15, 0, "nothing stands behind 'OR'", None),
    ("x      y    (a OR b", 19, 0, "missing ) for the ( at 12: add it at the end", ")"),
    ('x "abc', 6, 0, 'missing " for the " at 2: add it at the end', '"'),
    ("a)", 1, 1, "there is no ( for this ): leave it out", ""),
    (")", 0, 1, "there is no ( for this ): leave it out", ""),
    ("()", 1, 0, "nothing stands in the parentheses", None),
    ("a (", 3, 0, "nothing stands in the parentheses", None),
    ("OR a", 0, 2, 'nothing stands before OR; the word itself is "OR"', '"OR"'),
    ("AND a", 0, 3, 'nothing stands before AND; the word itself is "AND"', '"AND"'),
    ("a AND", 5, 0, "nothing stands behind 'AND'", None),
    ("a NOT", 5, 0, "nothing stands behind 'NOT'", None),
    ("a AND OR b", 6, 2, 'nothing stands before OR; the word itself is "OR"', '"OR"'),
    ("- a", 0, 1, "a - stands right before what is left out, without a space", None),
    ("status>=400", 0, 11, "a field and its value are joined by :; did you mean status:>=400?",
     "status:>=400"),
    ("actor=ada", 0, 9, "a field and its value are joined by :; did you mean actor:ada?",
     "actor:ada"),
    ("actor!=ada", 0, 10, "a field and its value are joined by :; did you mean -actor:ada?",
     "-actor:ada"),
    ("ad*", 0, 3, "at least 3 characters stand before a *: 'ad*'", None),
    ("a*m", 0, 3, "a * stands at the end of a word, or in the value of a field", None),
    ("adm.*", 0, 5, "a * stands right behind the letters that a word begins with", None),
    ("x ...", 2, 3, "there is no word in '...' to search for", None),
    ("before:2026-01-01 after:2026-02-01", 18, 16,
     "after is later than before: nothing can match", None),
    ("after:2026 before:2026", 11, 11, "after is later than before: nothing can match", None),
    ("a OR (before:2026-01-01 b on:2026-02-01)", 26, 13,
     "after is later than before: nothing can match", None),
    ("after:2026..2027", 6, 10, "one time stands here; did you mean date:2026..2027?", None),
    ("ip:10.0.0.0/33", 3, 11, "'10.0.0.0/33' is no network: /0 to /32", None),
    ("x on:2026-02-30", 5, 10, "'2026-02-30' is no date: February 2026 has 28 days",
     "2026-02-28"),
    ("status:200,4xx", 11, 3, "'4xx' is no number; did you mean 400..499?", "400..499"),
    ("status:400..5oo", 12, 3, ("'5oo' is no number: status takes 0 to 9007199254740991, 400..499"
     " or >=400"), None),
    ("a\ud800", 1, 1, "half a character stands here", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "offset", "length", "says", "meant"), WRONG, ids=[ascii(each[0]) for each in WRONG]
)
def test_a_mistake_is_told_with_its_place_and_what_was_meant(text, offset, length, says, meant):
    with pytest.raises(BadQuery) as refused:
        read(text)

    assert str(refused.value) == says
    assert (refused.value.offset, refused.value.length) == (offset, length)
    assert refused.value.suggestion == meant


# Two mistakes, or a word that is one on its own.
TWICE = {"actor:(a or b)", "a AND OR b"}


@pytest.mark.parametrize(
    "wrong", [each for each in WRONG if each[4] is not None and each[0] not in TWICE],
    ids=lambda each: ascii(each[0]),
)  # fmt: skip
def test_what_was_meant_can_be_put_in_its_place(wrong):
    text, offset, length, _, meant = wrong

    assert read(text[:offset] + meant + text[offset + length :])


@pytest.mark.parametrize(
    ("at", "past"),
    [
        ("x" * 1_000 + " " * (QUERY_CHARS_MAX - 1_000), " " * (QUERY_CHARS_MAX + 1)),
        ("id:a " * CONDITIONS_MAX, "id:a " * (CONDITIONS_MAX + 1)),
        ("id:a OR " * (CONDITIONS_MAX - 1) + "b", "id:a OR " * CONDITIONS_MAX + "b"),
        ("(" * DEPTH_MAX + "a" + ")" * DEPTH_MAX, "(" * (DEPTH_MAX + 1) + "a" + ")" * 33),
        ("-" * DEPTH_MAX + "a", "-" * (DEPTH_MAX + 1) + "a"),
        ("NOT " * DEPTH_MAX + "a", "NOT " * (DEPTH_MAX + 1) + "a"),
        ("id:a" + ",a" * (VALUES_MAX - 1), "id:a" + ",a" * VALUES_MAX),
        ("id:(a" + ",a" * (VALUES_MAX - 1) + ")", "id:(a" + ",a" * VALUES_MAX + ")"),
        ("x" * 1_024, "x" * 1_025),
        ("id:" + "x" * 1_024, "id:" + "x" * 1_025),
        ("action:" + "a*" * 16, "action:" + "a*" * 17),
    ],
    ids=["chars", "ands", "ors", "parens", "minus", "nots", "commas", "group", "word", "value",
         "stars"],
)  # fmt: skip
def test_everything_has_a_limit(at, past):
    assert read(at)
    with pytest.raises(BadQuery, match=r"at most|more than"):
        read(past)
