"""A page ends where it is full, and its cursor begins behind what is on it."""

import msgspec
import pytest
from tests.archive.made import ALPHA, Home, event

from sealog.archive import search
from sealog.archive.paging import Paging, page
from sealog.query.tree import Query


@pytest.fixture
def found(lasting: Home) -> search.Hits:
    lasting.add(ALPHA, *[event(n) for n in range(6)])
    lasting.archive.cut()
    trails = {1: lasting.archive._trail(ALPHA)}
    return search.find(trails, search.Wanted(Query(), 4), lasting.archive._shelf, lambda: False)


def _how(home: Home, limit: int, bytes_max: int = 1 << 20) -> Paging:
    parts_of = home.archive._shelf.parts
    return Paging({1: ALPHA}, limit, bytes_max, False, parts_of, lambda last: f"after {last[1]}")


def test_a_page_that_is_full_leads_on(lasting: Home, found: search.Hits):
    one = page(found, _how(lasting, 3))

    assert [event.index for event in one.events] == [5, 4, 3]
    assert (one.next_cursor, one.looked_us) == ("after 3", None)


def test_a_page_of_all_there_is_leads_nowhere(lasting: Home, found: search.Hits):
    assert page(found, _how(lasting, 10)).next_cursor is None


def test_a_page_ends_at_its_bytes_but_never_empty(lasting: Home, found: search.Hits):
    one = page(found, _how(lasting, 3, bytes_max=0))

    assert [event.index for event in one.events] == [5]
    assert one.next_cursor == "after 5"


def test_a_page_out_of_time_says_how_far_it_looked(lasting: Home, found: search.Hits):
    stopped = msgspec.structs.replace(found, looked=(1_000, 3, 1))

    one = page(stopped, _how(lasting, 10))

    assert (one.next_cursor, one.looked_us) == ("after 3", 1_001)
