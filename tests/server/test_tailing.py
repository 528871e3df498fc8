"""The tail: nothing left out, nothing twice, however slow or interrupted its client is."""

import asyncio

import msgspec
import pytest
from tests.server.house import Tailed, opened

from sealog.errors import Altered
from sealog.event.packs import Opened
from sealog.server.settings import Settings

SHORT = Settings(tail_seconds_max=0.02)


def named(*names):
    return [opened(event={"id": name}) for name in names]


def run(house, life):
    """The life in the house's own loop; no test may hang."""
    return house.runner.run(asyncio.wait_for(life, 20))


def names(tailed):
    return [event["event"]["id"] for event in tailed.events]


@pytest.fixture
def acme(house):
    return house.tenants.get("acme")


def test_a_tail_begins_now_and_sends_what_comes(house, acme):
    house.archive.put(acme, *named("a", "b"))
    key = house.key("read", tenants=["acme"])

    async def life():
        async with Tailed(house, "", key=key) as tailed:
            await tailed.until(lambda it: "id: 1" in it.text)
            await asyncio.to_thread(house.archive.put, acme, *named("c"))
            await asyncio.to_thread(house.archive.put, acme, *named("d"))
            await tailed.until(lambda it: len(it.events) == 2)
        return tailed

    tailed = run(house, life())
    assert tailed.status == 200
    assert (b"content-type", b"text/event-stream; charset=utf-8") in tailed.messages[0]["headers"]
    assert names(tailed) == ["c", "d"]
    assert tailed.ids == ["2", "3"]
    assert [event["sealog"]["index"] for event in tailed.events] == [2, 3]


def test_an_event_is_a_block_of_its_position_its_name_and_itself_on_one_line(house, acme):
    spread = b'{\r\n "event": {"id": "a\\nb"} }'
    house.archive.put(acme, Opened(b"\x01", ((0, bytes(16), spread),)))

    async def life():
        async with Tailed(house, "tenant=acme&after=-1", key=house.key("read")) as tailed:
            await tailed.until(lambda it: it.events)
        return tailed

    text = run(house, life()).text
    assert text.startswith("retry: 1000\nid: -1\n\nid: 0\nevent: event\ndata: {")
    assert text.endswith("}\n\nretry: 1097\n\n")
    assert "\r" not in text
    assert text.count("\ndata: ") == 1
    assert '{"id": "a\\nb"}' in text


@pytest.mark.parametrize("by_header", [True, False])
def test_a_client_that_comes_back_misses_nothing_and_gets_nothing_twice(house, acme, by_header):
    """However much came meanwhile: it is read from the archive."""
    house.archive.put(acme, *named(*map(str, range(700))))
    key = house.key("read")
    headers = [(b"last-event-id", b"122")] if by_header else []
    after = "after=5" if by_header else "after=122"

    async def life():
        async with Tailed(house, f"tenant=acme&{after}", key=key, headers=headers) as tailed:
            await tailed.until(lambda it: len(it.events) == 577)
        return tailed

    tailed = run(house, life())
    assert names(tailed) == [str(number) for number in range(123, 700)]
    assert tailed.ids == names(tailed)


def test_several_tenants_are_followed_under_one_position(house, acme):
    globex = house.tenants.get("globex")
    house.archive.put(acme, *named("a"))
    house.archive.put(globex, *named("g", "h"))
    key = house.key("read", tenants=["acme", "globex"])

    async def life(query="after=-1", headers=(), count=3):
        async with Tailed(house, query, key=key, headers=headers) as tailed:
            await tailed.until(lambda it: len(it.events) == count)
        return tailed

    first = run(house, life())
    assert sorted(names(first)) == ["a", "g", "h"]
    again = [(b"last-event-id", first.ids[1].encode())]
    second = run(house, life(headers=again, count=1))
    assert names(second) == names(first)[2:]
    house.archive.put(acme, *named("b"))
    third = run(house, life(headers=[(b"last-event-id", second.ids[0].encode())], count=1))
    assert names(third) == ["b"]


def test_filters_are_those_of_a_search_and_the_position_passes_what_they_leave_out(
    build_house,
):
    house = build_house(settings=Settings(tail_quiet_s=0.01))
    house.tenants.make(["acme"])
    acme = house.tenants.get("acme")
    house.archive.put(acme, *named("a"), opened(event={"id": "b"}, sealog={"dialect": "supsis"}))
    house.archive.put(acme, *named(*"cdefg"))

    async def life():
        query = "tenant=acme&after=-1&q=dialect:supsis"
        async with Tailed(house, query, key=house.key("read")) as tailed:
            await tailed.until(lambda it: "id: 6" in it.text)
        return tailed

    tailed = run(house, life())
    assert names(tailed) == ["b"]
    assert "\n\n: nothing new\nid: 6\n\n" in tailed.text


def test_a_tail_gives_events_in_the_shape_that_is_asked_for(build_house):
    """Two at the same place that want different shapes share no reading."""
    house = build_house()
    house.tenants.make(["acme"])
    house.archive.put(house.tenants.get("acme"), *named("a"))

    async def life(query):
        path = f"tenant=acme&after=-1{query}"
        async with Tailed(house, path, key=house.key("read")) as tailed:
            await tailed.until(lambda it: it.events)
        return tailed.events

    assert run(house, life("&dialect=chatvisor")) == [{"id": "a"}]
    assert run(house, life("")) == [
        {"event": {"id": "a"}, "sealog": {"action": "x", "dialect": "ecs", "index": 0}}
    ]


def test_a_quiet_tail_shows_that_it_lives(build_house):
    house = build_house(settings=Settings(tail_quiet_s=0.001))
    house.tenants.make(["acme"])

    async def life():
        async with Tailed(house, "tenant=acme", key=house.key("read")) as tailed:
            await tailed.until(lambda it: it.text.count(": nothing new\n\n") > 2)
        return tailed

    assert run(house, life()).events == []
    assert house.archive.asked == []


def test_nothing_is_held_for_a_client_that_is_slow(house, acme):
    """It gets the next piece when it has taken the last one; others do not wait for it."""
    house.archive.put(acme, *named("a"))
    key = house.key("read")

    async def life():
        async with (
            Tailed(house, "tenant=acme&after=-1", key=key) as slow,
            Tailed(house, "tenant=acme&after=-1", key=key) as quick,
        ):
            await slow.until(lambda it: it.events)
            slow.takes.clear()
            for count in range(1, 6):
                await asyncio.to_thread(house.archive.put, acme, *named(f"more-{count}"))
                await quick.until(lambda it, count=count: len(it.events) == 1 + count)
            asked = len(house.archive.asked)
            assert len(slow.events) == 1
            slow.takes.set()
            await slow.until(lambda it: len(it.events) == 6)
            assert len(house.archive.asked) <= asked + 1
        assert names(slow) == names(quick)

    run(house, life())


def test_those_at_the_same_place_share_one_reading(house, acme):
    key = house.key("read")

    async def life():
        async with asyncio.TaskGroup() as group:
            tails = [Tailed(house, "tenant=acme", key=key) for _ in range(50)]
            for tail in tails:
                await tail.__aenter__()
                await tail.until(lambda it: "id: -1" in it.text)
            await asyncio.to_thread(house.archive.put, acme, *named("a"))
            for tail in tails:
                await tail.until(lambda it: it.events)
                group.create_task(tail.__aexit__())
        return tails

    assert [names(tail) for tail in run(house, life())] == [["a"]] * 50
    assert len(house.archive.asked) == 1


def test_a_key_may_have_so_many_tails_and_no_more(build_house):
    house = build_house(settings=Settings(tails_per_key_max=2))
    house.tenants.make(["acme"])
    key, other = house.key("read"), house.key("read")

    async def life():
        async with (
            Tailed(house, "tenant=acme", key=key) as one,
            Tailed(house, "tenant=acme", key=key) as two,
        ):
            for tailed in (one, two):
                await tailed.until(lambda it: it.messages)
            async with Tailed(house, "tenant=acme", key=key) as many:
                await many.until(lambda it: it.messages)
            async with Tailed(house, "tenant=acme", key=other) as others:
                await others.until(lambda it: it.messages)
        async with Tailed(house, "tenant=acme", key=key) as later:
            await later.until(lambda it: it.messages)
        return [tailed.status for tailed in (many, others, later)], many

    statuses, many = run(house, life())
    assert statuses == [429, 200, 200]
    assert (b"retry-after", b"30") in many.messages[0]["headers"]
    assert msgspec.json.decode(many.text)["type"] == "/problems/rate-limited"


def test_tails_and_waiting_feeds_end_at_once_when_the_server_stops(house):
    key = house.key("read")

    async def life():
        async with (
            Tailed(house, "tenant=acme", key=key) as one,
            Tailed(house, "tenant=acme", key=key) as two,
        ):
            await one.until(lambda it: it.messages[1:])
            await two.until(lambda it: it.messages[1:])
            feed = asyncio.create_task(
                house.client.get(
                    "/v1/feed?tenant=acme&wait=60", headers={"Authorization": f"Bearer {key}"}
                )
            )
            await asyncio.sleep(0)
            house.app.end()
            await one.until(lambda it: it.ended)
            await two.until(lambda it: it.ended)
            assert (await feed).status_code == 200
            async with Tailed(house, "tenant=acme", key=key) as late:
                await late.until(lambda it: it.ended)
        return one, two

    one, two = run(house, life())
    said = {tailed.text.rpartition("\n\nretry: ")[2] for tailed in (one, two)}
    assert said == {"1097\n\n", "1194\n\n"}


def test_a_tail_ends_after_its_time(build_house):
    house = build_house(settings=SHORT)
    house.tenants.make(["acme"])

    answer = house.ask("GET", "/v1/tail?tenant=acme", key=house.key("read"))

    assert answer.status_code == 200
    assert answer.text.startswith("retry: 1000\nid: -1\n\n")
    assert answer.text.endswith("retry: 1097\n\n")


def test_a_key_that_is_revoked_gets_nothing_more(house, acme):
    made, key = house.keys.create("test", ["acme"], ["read"])

    async def life():
        async with Tailed(house, "", key=key) as tailed:
            await tailed.until(lambda it: it.messages[1:])
            await asyncio.to_thread(house.keys.revoke, made.id)
            await asyncio.to_thread(house.archive.put, acme, *named("secret"))
            await tailed.until(lambda it: it.ended)
        return tailed

    assert names(run(house, life())) == []


def test_a_client_that_takes_nothing_is_let_go(build_house):
    house = build_house(settings=Settings(tail_stalled_s=0.01, tails_per_key_max=1))
    house.tenants.make(["acme"])
    acme = house.tenants.get("acme")
    key = house.key("read")

    async def life():
        async with Tailed(house, "tenant=acme", key=key) as stuck:
            await stuck.until(lambda it: it.messages[1:])
            stuck.takes.clear()
            await asyncio.to_thread(house.archive.put, acme, *named("a"))
            await stuck.task
            async with Tailed(house, "tenant=acme&after=-1", key=key) as other:
                await other.until(lambda it: it.events)
        return other

    assert names(run(house, life())) == ["a"]


def test_what_cannot_be_read_ends_the_tail_before_it(house, acme):
    house.archive.put(acme, *named("a"))
    house.archive.error = Altered("/data/x is altered")

    async def life():
        async with Tailed(house, "tenant=acme&after=-1", key=house.key("read")) as tailed:
            await tailed.task
        return tailed

    tailed = run(house, life())
    assert not tailed.ended
    assert tailed.text == "retry: 1000\nid: -1\n\n"


@pytest.mark.parametrize(
    ("query", "status", "parameter"),
    [
        ("tenant=acme&limit=5", 422, "limit"),
        ("tenant=acme&cursor=x", 422, "cursor"),
        ("tenant=acme&at_least=1", 422, "at_least"),
        ("tenant=acme&after=x", 422, "after"),
        ("tenant=acme&after=-2", 422, "after"),
        ("tenant=acme&after=99999", 422, "after"),
        ("tenant=acme&after=", 422, "after"),
        ("tenant=acme&after=1&after=2", 422, "after"),
        ("tenant=acme&nope=1", 422, "nope"),
        ("", 422, None),
        ("tenant=nobody", 404, None),
        ("&".join(f"tenant=t{number}" for number in range(33)), 422, "tenant"),
    ],
)
def test_what_cannot_be_asked_is_refused(house, query, status, parameter):
    answer = house.ask("GET", f"/v1/tail?{query}", key=house.key("read"))

    assert answer.status_code == status
    if parameter is not None:
        assert answer.json()["errors"][0]["parameter"] == parameter


@pytest.mark.parametrize("scope", ["ingest", "admin", "erase"])
def test_only_who_may_read_may_tail(house, scope):
    assert house.ask("GET", "/v1/tail?tenant=acme", key=house.key(scope)).status_code == 403
    assert house.ask("GET", "/v1/tail?tenant=acme").status_code == 401


def test_another_tenants_trail_cannot_be_tailed(house):
    key = house.key("read", tenants=["globex"])

    assert house.ask("GET", "/v1/tail?tenant=acme", key=key).status_code == 404


def test_a_key_whose_tenants_are_not_there_yet_has_nothing_to_follow(house):
    key = house.key("read", tenants=["not-made", "nor-this"])

    assert house.ask("GET", "/v1/tail", key=key).status_code == 404


def test_asking_for_the_head_alone_does_not_follow(house):
    answer = house.ask("HEAD", "/v1/tail?tenant=acme", key=house.key("read"))

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.content == b""
