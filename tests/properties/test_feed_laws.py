"""Laws of following: whoever writes how many at once, a follower sees every index once, in order."""

import threading
import time

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.compat.elastic_house import serving


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("house") / "data") as house:
        yield house


def write(house, tenant, sizes):
    headers = {"authorization": f"Bearer {house.key}"}
    with httpx.Client(base_url=house.url, headers=headers, timeout=30) as client:
        for size in sizes:
            body = b"\n".join([b'{"event":{"action":"x"}}'] * size)
            answer = client.post("/v1/events", params={"tenant": tenant}, content=body)
            assert answer.status_code == 200, answer.text


def follow(house, tenant, count, limit, seen):
    """Pages as they come, each from where the last one said, until so many events were seen."""
    headers = {"authorization": f"Bearer {house.key}"}
    after, until = "-1", time.monotonic() + 40
    with httpx.Client(base_url=house.url, headers=headers, timeout=30) as client:
        while len(seen) < count and time.monotonic() < until:
            params = {"tenant": tenant, "after": after, "limit": limit, "wait": 5}
            page = client.get("/v1/feed", params=params).json()
            assert isinstance(page["next_cursor"], str), "the next page is always named"
            seen += [one["sealog"]["index"] for one in page["events"]]
            after = page["next_cursor"]


numbers = iter(range(1_000_000))


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    writers=st.lists(st.lists(st.integers(1, 120), min_size=1, max_size=6), min_size=1, max_size=5),
    followers=st.lists(st.integers(1, 200), min_size=1, max_size=3),
)
def test_a_follower_sees_every_index_once_and_in_order(house, writers, followers):
    """Cursors over the order of commits: nothing late is skipped, whoever commits first."""
    tenant = f"t-{next(numbers)}"
    # Made before it is followed.
    write(house, tenant, [1])
    count = 1 + sum(map(sum, writers))
    seen = [[] for _ in followers]
    threads = [
        threading.Thread(target=follow, args=(house, tenant, count, limit, mine))
        for limit, mine in zip(followers, seen, strict=True)
    ]
    threads += [threading.Thread(target=write, args=(house, tenant, sizes)) for sizes in writers]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert not any(thread.is_alive() for thread in threads)
    assert seen == [list(range(count))] * len(followers)


def test_a_page_with_nothing_new_says_where_to_go_on(house):
    write(house, "still", [1])
    headers = {"authorization": f"Bearer {house.key}"}
    with httpx.Client(base_url=house.url, headers=headers) as client:
        size = len(client.get("/v1/feed", params={"tenant": "still"}).json()["events"])

        page = client.get("/v1/feed", params={"tenant": "still", "after": size - 1})

    assert page.json()["events"] == []
    assert page.json()["next_cursor"] == str(size - 1)
    assert page.links["next"]["url"].endswith(f"after={size - 1}")
    assert msgspec.json.decode(page.content)
