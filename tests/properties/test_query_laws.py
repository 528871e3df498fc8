"""Laws of the query syntax: it reads back what it writes, and only refuses what it cannot read."""

from contextlib import suppress
from datetime import UTC
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sealog.query.fields import FIELDS, NAMES, Kind
from sealog.query.refusing import BadQuery
from sealog.query.syntax import DATES, QUERY_CHARS_MAX, parse
from sealog.query.tree import (
    Between,
    During,
    Has,
    Inside,
    Is,
    Like,
    Not,
    Text,
    either,
    every,
    query,
)
from sealog.query.words import words
from sealog.query.writing import written

NOW_US = 1_795_264_496_000_000
ZONE = ZoneInfo("America/New_York")


def read(text, zone=ZONE):
    return parse(text, now_us=NOW_US, zone=zone)


def of_kind(*kinds):
    return st.sampled_from([field.name for field in FIELDS.values() if field.kind in kinds])


TEXT = st.text(min_size=1, max_size=12)
NUMBERS = st.integers(0, (1 << 53) - 1)
ADDRESSES = st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).filter(
    lambda address: address.ipv4_mapped is None
).map(str)
MOMENTS = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)
NAMED = of_kind(Kind.TEXT, Kind.NAME)
WORDS = st.text(min_size=1, max_size=20).map(words).filter(bool).map(tuple)
PREFIXES = st.lists(st.text("abcdefg", min_size=3), min_size=1, max_size=3).map(tuple)
PIECES = st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]), max_size=5)


def patterns(pieces):
    return "*".join(pieces).replace("**", "*")


LEAVES = st.one_of(
    st.builds(Is, NAMED | of_kind(Kind.ID), TEXT),
    st.builds(Is, st.just("ip"), ADDRESSES),
    st.builds(
        Like,
        NAMED,
        st.lists(PIECES, min_size=2, max_size=4)
        .map(patterns)
        .filter(lambda one: "**" not in one and "*" in one and one != "*"),
    ),
    st.builds(Inside, st.ip_addresses(v=4).map(lambda one: f"{one}/32")),
    st.builds(
        lambda name, ends: Between(name, min(ends), max(ends)),
        of_kind(Kind.NUMBER),
        st.tuples(NUMBERS, NUMBERS),
    ),
    st.builds(Between, of_kind(Kind.NUMBER), NUMBERS, st.none()),
    st.builds(Has, st.sampled_from(list(FIELDS))),
    st.builds(Text, WORDS),
    st.builds(Text, PREFIXES, st.just(value=True)),
    st.builds(During, MOMENTS, st.none()),
    st.builds(During, st.none(), MOMENTS),
)
# Of several ends beside each other some would leave nothing: those are refused.
BRANCHES = st.recursive(
    LEAVES,
    lambda nodes: st.one_of(
        nodes.map(Not),
        st.lists(nodes, min_size=2, max_size=4).map(either),
        st.lists(nodes.filter(lambda node: not isinstance(node, During)), min_size=2, max_size=4)
        .map(every)
        .filter(lambda node: not any(isinstance(one, During) for one in node.nodes)),
    ),
    max_leaves=12,
)
QUERIES = st.builds(query, BRANCHES, st.none() | MOMENTS)


@settings(max_examples=300, deadline=None)
@given(QUERIES, st.sampled_from([UTC, ZONE]))
def test_what_is_written_reads_back_as_the_same_query_in_any_zone(asked, zone):
    text = written(asked)
    assume(len(text) <= QUERY_CHARS_MAX)

    assert read(text, zone) == asked


SNIPPETS = st.sampled_from(
    [
        *(f"{name}:" for name in (*NAMES, *DATES, "has", "nothing", "tenant")),
        *("AND", "OR", "NOT", "and", "(", ")", "-", '"', ",", "*", "\\", "..", "..<", ">=", "<"),
        *("ada", "two", "2026-02-30", "2026-02", "-7d", "today", "now", "10.0.0.0/8", "::1", "404"),
        *(
            "\\ ",
            "\\*",
            '""',
            "400..499",
            "4xx",
            "yes",
            "é",
            "日本",
            "\u200b",
            "\x00",
            "1e9",
            "/",
            "=",
            "1:2",
        ),
    ]
)
TYPED = st.lists(st.tuples(SNIPPETS | st.text(max_size=3), st.sampled_from(["", " "]))).map(
    lambda pairs: "".join([piece + space for piece, space in pairs])
)


def refusal(text):
    """Why a text is no query; None where it is one."""
    try:
        read(text)
    except BadQuery as refused:
        return refused
    return None


@settings(max_examples=300, deadline=None)
@given(TYPED | st.text())
def test_whatever_is_typed_is_read_or_refused_at_a_place_within_it(text):
    """Only the documented exception may escape."""
    refused = refusal(text)

    if refused is not None:
        assert refused.code == "bad-query"
        assert str(refused)
        assert 0 <= refused.offset <= refused.offset + refused.length <= len(text)


# Most of what is typed at random is no query, and there are enough that are.
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(TYPED)
def test_what_was_read_reads_back(text):
    assume(refusal(text) is None)
    asked = read(text)
    again = written(asked)
    assume(len(again) <= QUERY_CHARS_MAX)

    assert read(again) == asked
    assert written(read(again)) == again


@settings(max_examples=300, deadline=None)
@given(QUERIES.map(written), st.data())
def test_a_query_with_an_error_in_typing_is_read_or_refused(text, data):
    at = data.draw(st.integers(0, len(text)))
    removed = data.draw(st.integers(0, 3))
    typed = text[:at] + data.draw(SNIPPETS | st.text(max_size=2)) + text[at + removed :]

    with suppress(BadQuery):
        read(typed)


@settings(max_examples=300, deadline=None)
@given(TYPED)
def test_corrections_come_to_an_end(text):
    """Each put in its place, they leave a query, or a mistake that only its writer can mend."""
    for _ in range(2 * len(text) + 10):
        refused = refusal(text)
        if refused is None or refused.suggestion is None:
            return
        end = refused.offset + refused.length
        text = text[: refused.offset] + refused.suggestion + text[end:]

    raise AssertionError(text)
