import pytest
from tests.compat.elastic_house import asking

from sealog.compat import elastic_leaves as leaves
from sealog.compat.elastic_errors import Rejected
from sealog.query.tree import EVERYTHING, Between, During, Has, Inside, Is, Like, Or, Text

NOTHING = Or(())


@pytest.mark.parametrize(
    ("index", "name", "value", "expected"),
    [
        ("sealog", "event.action", "login", Is("action", "login")),
        ("closer", "message.event.action", "agent_login", Is("action", "agent_login")),
        ("closer", "message.event.action.keyword", "agent_login", Is("action", "agent_login")),
        ("closer", "message.source.ip", "10.0.0.0/8", Inside("10.0.0.0/8")),
        ("closer", "message.http.response.status_code", 204, Between("status", 204, 204)),
        ("logichub", "actor", "vivian", Is("actor", "vivian")),
        ("supsis", "ip", "::ffff:10.0.0.1", Is("ip", "10.0.0.1")),
        ("sealog", "_id", "one", Is("id", "one")),
        ("closer", "_index", "closer", EVERYTHING),
        ("closer", "_index", "sealog", NOTHING),
        ("sealog", "event.original", "two words", Text(("two", "words"))),
        ("sealog", "event.action", "", NOTHING),
        (
            "chatvisor",
            "timestamp",
            "2021-05-05",
            During(1_620_172_800_000_000, 1_620_259_200_000_000),
        ),
    ],
)
def test_a_field_is_asked_for_by_its_name_in_the_index(index, name, value, expected):
    assert leaves.equal(asking(index), name, value) == expected


def test_a_field_of_another_index_is_refused_with_those_there_are():
    with pytest.raises(Rejected, match=r"\[message.event.action\] is not a field") as raised:
        leaves.equal(asking("sealog"), "message.event.action", "x")

    assert "event.action" in raised.value.detail


def test_a_field_that_is_only_shown_is_refused():
    with pytest.raises(Rejected, match="cannot be searched"):
        leaves.equal(asking("closer"), "message.url.full", "x")


def test_patterns():
    assert leaves.like(asking(), "event.action", "user.*") == Like("action", "user.*")
    assert leaves.like(asking(), "*", "admin*") == Text(("admin",), prefix=True)
    with pytest.raises(Rejected):
        leaves.like(asking(), "*", "*min")
    with pytest.raises(Rejected):
        leaves.like(asking(), "@timestamp", "2021*")


def test_what_every_event_has_is_always_there():
    assert leaves.exists(asking(), "@timestamp") == EVERYTHING
    assert leaves.exists(asking(), "_id") == EVERYTHING
    assert leaves.exists(asking(), "user.id") == Has("actor.id")


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"gte": 400, "lt": 500}, Between("status", 400, 499)),
        ({"gt": 400}, Between("status", 401, None)),
        ({"gt": "400", "lte": "500"}, Between("status", 401, 500)),
        ({"gte": 5, "lte": 4}, NOTHING),
        ({"lt": 0}, NOTHING),
    ],
)
def test_numbers_have_ends(bounds, expected):
    assert leaves.within(asking(), "http.response.status_code", bounds) == expected


def test_a_day_is_in_or_out_as_a_whole():
    """`gt` and `lte` mean the end of what is written, as in Elasticsearch."""
    day = "2021-05-05"
    begin, end = 1_620_172_800_000_000, 1_620_259_200_000_000

    assert leaves.within(asking(), "@timestamp", {"gte": day}) == During(begin, None)
    assert leaves.within(asking(), "@timestamp", {"gt": day}) == During(end, None)
    assert leaves.within(asking(), "@timestamp", {"lt": day}) == During(None, begin)
    assert leaves.within(asking(), "@timestamp", {"lte": day}) == During(None, end)
    assert leaves.within(asking(), "@timestamp", {"gt": day, "lt": day}) == NOTHING


def test_a_range_of_texts_is_refused():
    with pytest.raises(Rejected, match=r"range on user\.id"):
        leaves.within(asking(), "user.id", {"gte": "a"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("200.0", Between("status", 200, 200)),
        (200.0, Between("status", 200, 200)),
        (200.5, NOTHING),
        (-1, NOTHING),
        (10**30, NOTHING),
        ("9" * 5_000, NOTHING),
    ],
)
def test_a_number_is_the_number_it_is(value, expected):
    assert leaves.equal(asking(), "http.response.status_code", value) == expected


@pytest.mark.parametrize("value", ["200..500", ">=400", "2xx", "nan", "", "x"])
def test_a_range_of_our_own_syntax_is_no_number(value):
    """As a term it would find what the client never asked for."""
    with pytest.raises(Rejected, match="as a number"):
        leaves.equal(asking(), "http.response.status_code", value)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"gte": 200.5, "lt": 300.5}, Between("status", 201, 300)),
        ({"gt": 200.5, "lte": 300.5}, Between("status", 201, 300)),
        ({"gt": "200", "lt": "300"}, Between("status", 201, 299)),
        ({"gte": 10**30}, Between("status", 1 << 53, None)),
        ({"gte": -5, "lte": 10**30}, Between("status", 0, 1 << 53)),
        ({"lte": -5}, NOTHING),
    ],
)
def test_bounds_of_numbers_need_not_be_whole_nor_within(bounds, expected):
    assert leaves.within(asking(), "http.response.status_code", bounds) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(7, 7), ("8", 8), ("9" * 5_000, None), (-1, None), (True, None), ("x", None), ([], None)],
)
def test_a_count_may_be_written_as_text(value, expected):
    assert leaves.natural(value) == expected
