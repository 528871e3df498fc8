import msgspec
import pytest

from sealog.server.completeness import watermark


@pytest.fixture
def parts(house):
    sizes = {}
    return msgspec.structs.replace(
        house.parts_anew(), size=lambda number: sizes.get(number, 0)
    ), sizes


@pytest.fixture
def tenants(house):
    return [house.tenants.get(name) for name in ("acme", "globex")]


def test_what_was_answered_up_to_now_is_looked_at(parts, tenants, house):
    found = watermark(parts[0], tenants)

    assert found == {"complete_to": "2023-11-14T22:13:20.000000Z"}


def test_one_tenant_says_where_its_feed_goes_on(parts, tenants, house):
    house.archive.events[tenants[0].number] = [None] * 7
    parts[1][tenants[0].number] = 7

    assert watermark(parts[0], tenants[:1])["feed_cursor"] == "6"


def test_what_is_not_visible_yet_is_told(parts, tenants, house):
    """Rather too little is promised than too much."""
    parts[1][tenants[1].number] = 1_000

    assert watermark(parts[0], tenants) == {"complete_to": None}
    assert watermark(parts[0], tenants[:1])["complete_to"] is not None
