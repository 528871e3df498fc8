import pytest
from tests.compat.elastic_house import asking

from sealog.compat.elastic_errors import Rejected
from sealog.compat.elastic_histograms import buckets, read

DAY_US = 86_400_000_000
MAY_5_US = 1_620_172_800_000_000


def asked(**options):
    return read({"field": "@timestamp", "fixed_interval": "1d"} | options, asking())


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ({"fixed_interval": "30s"}, 30),
        ({"fixed_interval": "5m"}, 300),
        ({"fixed_interval": "2000ms"}, 2),
        ({"fixed_interval": None, "interval": "2h"}, 7_200),
        ({"calendar_interval": "1M"}, "month"),
        ({"fixed_interval": None, "interval": "week"}, "week"),
    ],
)
def test_intervals_are_fixed_or_of_the_calendar(options, seconds):
    body = {name: value for name, value in options.items() if value is not None}
    if "interval" in body:
        assert read({"field": "@timestamp"} | body, asking())["interval"] == seconds
    else:
        assert asked(**body)["interval"] == seconds


@pytest.mark.parametrize(
    "options",
    [
        {"fixed_interval": "0s"},
        {"fixed_interval": "9" * 12 + "d"},
        {"fixed_interval": "9" * 5_000 + "d"},
        {"fixed_interval": ""},
        {"fixed_interval": "1500ms"},
        {"fixed_interval": ["1d"]},
        {"fixed_interval": "1d", "time_zone": "Europe/Berlin"},
        {"calendar_interval": ["1d"]},
        {"calendar_interval": "2d"},
        {"interval": {}, "fixed_interval": {}},
        {"field": "event.action"},
        {"field": 7},
        {"hard_bounds": {"min": 0}},
        {"extended_bounds": 7},
        {"extended_bounds": {"min": 2, "max": 1}},
        {"format": "yyyy"},
        {"keyed": True},
        {"order": {"_count": "asc"}},
        {"min_doc_count": -1},
        {"min_doc_count": "9" * 5_000},
    ],
    ids=str,
)
def test_what_it_cannot_mean_is_refused(options):
    with pytest.raises(Rejected):
        asked(**options)


@pytest.mark.parametrize(
    ("bounds", "days"),
    [
        ({"min": MAY_5_US // 1_000}, [0, 1]),
        ({"max": (MAY_5_US + 2 * DAY_US) // 1_000}, [1, 2]),
        ({"min": "2021-05-04", "max": "2021-05-05"}, [-1, 0, 1]),
    ],
)
def test_either_bound_widens_a_histogram(bounds, days):
    counted = {MAY_5_US + DAY_US: 3}

    found = buckets(asked(extended_bounds=bounds), counted)

    assert [one.when.from_us for one in found] == [MAY_5_US + day * DAY_US for day in days]
    assert sum(one.count for one in found) == 3


def test_a_bucket_is_printed_as_the_format_says():
    (bucket,) = buckets(asked(format="epoch_millis"), {MAY_5_US: 1})

    assert bucket.key == {"key_as_string": "1620172800000", "key": 1_620_172_800_000}
