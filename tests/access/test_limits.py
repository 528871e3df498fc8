import pytest

from sealog.access.limits import Limits, Room, Settings
from sealog.errors import Limited


def test_a_full_bucket_gives_its_burst_and_no_more():
    limits = Limits(Settings(requests_per_second=2, requests_burst=3))

    taken = [limits.take("key", 100.0) for _ in range(3)]

    assert taken == [Room(2, 1), Room(1, 1), Room(0, 2)]
    with pytest.raises(Limited) as limited:
        limits.take("key", 100.0)
    assert limited.value.retry_after_s == 0.5
    assert limited.value.code == "rate-limited"


def test_room_comes_back_with_time_up_to_the_burst():
    limits = Limits(Settings(requests_per_second=2, requests_burst=3))
    for _ in range(3):
        limits.take("key", 0.0)

    assert limits.take("key", 0.5) == Room(0, 2)
    assert limits.take("key", 1_000.0) == Room(2, 1)


def test_being_refused_costs_nothing():
    limits = Limits(Settings(requests_per_second=1, requests_burst=1))
    limits.take("key", 0.0)
    for _ in range(10):
        with pytest.raises(Limited):
            limits.take("key", 0.5)

    assert limits.take("key", 1.0) == Room(0, 1)


def test_one_key_does_not_use_up_the_room_of_another():
    limits = Limits(Settings(requests_per_second=1, requests_burst=1))
    limits.take("greedy", 0.0)

    assert limits.take("modest", 0.0) == Room(0, 1)


def test_a_forgotten_key_starts_anew():
    limits = Limits(Settings(requests_per_second=1, requests_burst=1))
    limits.take("key", 0.0)

    limits.forget("key")

    assert limits.take("key", 0.0) == Room(0, 1)


def test_the_policy_is_the_burst_and_the_seconds_that_refill_it():
    assert Limits(Settings()).policy == (10_000, 2)
    assert Limits(Settings(requests_per_second=3, requests_burst=10)).policy == (10, 4)
