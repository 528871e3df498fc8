"""Where a tail goes on: positions come back as they were given, and others are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from sealog.access.grants import Grant
from sealog.errors import Refused
from sealog.event.tenants import Tenant
from sealog.query.tree import Is, Query
from sealog.server import positions
from sealog.server.problems import BadParameter

TENANTS = [Tenant(n, f"t{n}", f"{n * 0x1234567890AB:032x}"[::-1], bytes(32)) for n in range(1, 33)]
ONE, TWO = TENANTS[:2]


@given(
    st.lists(st.integers(0, 1 << 53), min_size=1, max_size=32).map(
        lambda found: dict(zip(TENANTS, found, strict=False))
    )
)
def test_a_position_comes_back(places):
    written = positions.write(places, is_plain=False)

    assert len(written) <= positions.POSITION_CHARS_MAX
    assert positions.read(written, list(places)) == places


def test_of_one_tenant_it_is_the_index_of_the_last_event():
    assert positions.write({ONE: 42}, is_plain=True) == "41"
    assert positions.read("41", [ONE]) == {ONE: 42}


def test_before_everything_there_is_one_word_for_all():
    assert positions.read("-1", [ONE, TWO]) == {ONE: 0, TWO: 0}


def test_a_tenant_that_was_made_since_is_read_from_its_first_event():
    written = positions.write({ONE: 42}, is_plain=False)

    assert positions.read(written, [ONE, TWO]) == {ONE: 42, TWO: 0}
    assert positions.read(written, [TWO]) == {TWO: 0}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "-2",
        "1.5",
        "٣",
        "9" * 30,
        str(1 << 53),
        "kw",
        "a" * 2_000,
        "AA==",
        "ww\n",
        "\ud800",
    ],
    ids=ascii,
)
def test_what_is_no_position_is_refused(text):
    with pytest.raises(BadParameter) as caught:
        positions.read(text, [ONE])

    assert caught.value.parameter == "after"


def test_an_index_alone_says_nothing_of_several_tenants():
    with pytest.raises(BadParameter):
        positions.read("41", [ONE, TWO])


@given(st.text(max_size=200))
def test_no_text_is_worse_than_refused(text):
    try:
        places = positions.read(text, [ONE, TWO])
    except BadParameter:
        return
    assert all(first >= 0 for first in places.values())


def test_a_place_beyond_the_log_is_refused():
    positions.check_given(-1, 0)
    positions.check_given(6, 7)

    with pytest.raises(BadParameter, match="index 7 was never given: the next is 7"):
        positions.check_given(7, 7)


def test_what_is_asked_is_a_search_and_a_place():
    found = positions.asked(QueryParams("tenant=t1&actor=bob&after=7"), None, 0)

    assert found == positions.Asked(Query(where=Is("actor", "bob")), ("t1",), "7")


def test_the_header_of_a_client_that_comes_back_wins():
    assert positions.asked(QueryParams("after=7"), b"9", 0).after == "9"


def test_all_tenants_of_a_key_are_followed_unless_there_are_too_many():
    assert positions.all_of(Grant("k", frozenset(), frozenset({"b", "a"}))) == ["a", "b"]
    many = frozenset(f"t{number}" for number in range(positions.TENANTS_MAX + 1))
    for grant in (Grant("k", frozenset(), None), Grant("k", frozenset(), many)):
        with pytest.raises(Refused):
            positions.all_of(grant)
