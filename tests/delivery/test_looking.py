import msgspec
import pytest
from tests.archive.made import ALPHA, BEGIN_US, BETA, Home, asking, opened

from sealog.delivery import looking
from sealog.delivery.batches import Ways
from sealog.delivery.shaping import Shape, Shaper
from sealog.delivery.stream import Wanted
from sealog.event import times
from sealog.rendering.rendering import Renderer

MINUTE_US = 60_000_000


def taken_in(minute, action="user.login"):
    at = times.format_us(BEGIN_US + minute * MINUTE_US)
    return opened(
        {
            "@timestamp": "2020-01-01T00:00:00.000Z",
            "event": {"id": f"e-{minute}-{action}", "action": action, "ingested": at},
            "sealog": {"action": action, "dialect": "ecs"},
        }
    )


@pytest.fixture
def home(tmp_path):
    """An event a minute for a hundred minutes, the first sixty at rest."""
    home = Home(tmp_path / "data")
    home.add(ALPHA, *[taken_in(n) for n in range(60)])
    home.archive.cut()
    home.add(ALPHA, *[taken_in(n) for n in range(60, 100)])
    yield home
    home.close()


@pytest.mark.parametrize(
    ("minute", "index"),
    [(-5, 0), (0, 0), (1, 1), (59.5, 60), (60, 60), (99, 99), (99.01, 100), (1e6, 100)],
    ids=str,
)
def test_a_time_is_found_among_the_indexes(home, minute, index):
    at_us = BEGIN_US + int(minute * MINUTE_US)

    assert looking.index_since(home.archive, ALPHA, at_us) == index


def test_in_an_empty_log_it_is_the_end(home):
    assert looking.index_since(home.archive, BETA, 0) == 0


class Expired:
    """An archive whose first events have expired."""

    def __init__(self, archive, first):
        self._archive = archive
        self._first = first

    def visible(self, tenant):
        return self._archive.visible(tenant)

    def feed(self, tenant, after, limit):
        return self._archive.feed(tenant, max(after, self._first - 1), limit)


@pytest.mark.parametrize("first", [1, 50, 99], ids=str)
def test_what_has_expired_is_looked_past(home, first):
    source = Expired(home.archive, first)

    index = looking.index_since(source, ALPHA, BEGIN_US + 99 * MINUTE_US)

    assert source.feed(ALPHA, index - 1, 1)[0][0] == 99


def test_lag_is_how_long_the_next_event_has_been_there(home):
    now_us = BEGIN_US + 100 * MINUTE_US

    assert looking.lag_us(home.archive, ALPHA, 90, now_us) == 10 * MINUTE_US
    assert looking.lag_us(home.archive, ALPHA, 100, now_us) == 0
    assert looking.lag_us(home.archive, ALPHA, 0, BEGIN_US - 1) == 0


def estimated(home, now_us, **wanted):
    clock = [now_us]
    ways = Ways(Renderer("ecs"), Shaper(Shape(), b"", is_ecs=True), lambda: clock[0])
    return looking.estimate(home.archive, ALPHA, Wanted(name="x", destination={}, **wanted), ways)


def test_an_estimate_goes_by_what_came_in_the_last_days(home):
    found = estimated(home, BEGIN_US + 100 * MINUTE_US)

    assert (found.events, found.looked_at, found.sampled) == (100, 100, 100)
    assert found.events_per_day == pytest.approx(100 / 100 * 1_440)
    line = len(Renderer("ecs").event(home.archive.get(ALPHA, 50), 50))
    assert found.bytes_per_day == pytest.approx(1_440 * line, rel=0.05)


def test_an_estimate_counts_only_what_passes(home):
    home.add(ALPHA, taken_in(100, "rare.one"))

    found = estimated(home, BEGIN_US + 101 * MINUTE_US, query=asking(action="rare.one"))

    assert (found.events, found.looked_at) == (1, 101)


def test_of_nothing_nothing_is_estimated(home):
    found = estimated(home, BEGIN_US + 30 * 86_400_000_000)

    assert (found.events, found.events_per_day, found.bytes_per_day) == (0, 0, 0)
    assert msgspec.json.encode(found)
