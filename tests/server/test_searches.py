"""What is documented is what is read: every parameter, and no other."""

import pytest

from sealog.server import asking, searches
from sealog.server.settings import Settings


def names(operation):
    return {one["name"] for one in operation["parameters"]}


def test_every_parameter_of_a_search_is_documented():
    assert names(searches.search(Settings())) == asking.SEARCH_NAMES


@pytest.mark.parametrize(
    ("operation", "own"),
    [
        (searches.count, set()),
        (searches.facets, {"field", "top"}),
        (searches.histogram, {"interval", "by"}),
    ],
)
def test_every_parameter_of_a_count_is_documented(operation, own):
    assert names(operation()) == asking.FILTERS | {"tenant"} | own


def test_what_may_be_repeated_is_a_list():
    lists = {one["name"] for one in searches.filters() if one["schema"]["type"] == "array"}

    assert lists == asking.REPEATABLE | {"tenant"}
