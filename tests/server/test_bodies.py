import asyncio

import pytest
from starlette.requests import ClientDisconnect

from sealog.errors import Busy, Refused, TooLarge
from sealog.server.bodies import Bodies
from sealog.server.settings import Settings


def chunk(body, *, more=True):
    return {"type": "http.request", "body": body, "more_body": more}


def read(messages, declared=None, **settings):
    left = list(messages)

    async def receive():
        return left.pop(0)

    bodies = Bodies(Settings(**settings))
    return asyncio.run(bodies.read(receive, declared)), left


def test_a_body_is_its_chunks():
    assert read([chunk(b"ab"), chunk(b""), chunk(b"c", more=False)])[0] == b"abc"
    assert read([chunk(b"abc", more=False)])[0] == b"abc"
    assert read([chunk(b"", more=False)])[0] == b""


def test_the_limit_itself_is_taken():
    assert read([chunk(b"1234", more=False)], b"4", body_bytes_max=4)[0] == b"1234"
    assert read([chunk(b"12"), chunk(b"34", more=False)], body_bytes_max=4)[0] == b"1234"


@pytest.mark.parametrize(
    ("messages", "declared"),
    [
        pytest.param([], b"5", id="said so before a byte was read"),
        pytest.param([chunk(b"12345", more=False)], None, id="in one piece"),
        pytest.param([chunk(b"123"), chunk(b"45")], None, id="in pieces, before the last"),
        pytest.param([chunk(b"123"), chunk(b"45")], b"1", id="in pieces, with a false length"),
    ],
)
def test_one_byte_past_the_limit_is_refused(messages, declared):
    with pytest.raises(TooLarge) as error:
        read(messages, declared, body_bytes_max=4)

    assert error.value.code == "body-too-large"
    assert "4 bytes" in error.value.detail


@pytest.mark.parametrize(
    "messages", [[{"type": "http.disconnect"}], [chunk(b"1"), {"type": "http.disconnect"}]], ids=len
)
def test_a_body_that_did_not_arrive_whole_is_never_used(messages):
    with pytest.raises(ClientDisconnect):
        read(messages)


def test_a_sender_that_never_ends_is_refused():
    async def receive():
        await asyncio.sleep(0)
        return chunk(b"")

    with pytest.raises(Refused) as error:
        asyncio.run(Bodies(Settings(body_seconds_max=0.01)).read(receive, None))

    assert error.value.code == "too-slow"


def test_all_bodies_together_have_a_limit_and_give_their_room_back():
    bodies = Bodies(Settings(bodies_bytes_max=10))

    async def life():
        halfway = asyncio.Event()
        go_on = asyncio.Event()
        slow = iter([chunk(b"123456"), chunk(b"78", more=False)])
        first = True

        async def receive_slowly():
            nonlocal first
            if not first:
                halfway.set()
                await go_on.wait()
            first = False
            return next(slow)

        def at_once(*chunks):
            left = iter(chunks)

            async def receive():
                return next(left)

            return receive

        task = asyncio.create_task(bodies.read(receive_slowly, None))
        await halfway.wait()
        with pytest.raises(Busy):
            await bodies.read(at_once(chunk(b"12345"), chunk(b"", more=False)), None)
        assert await bodies.read(at_once(chunk(b"1234"), chunk(b"", more=False)), None) == b"1234"
        go_on.set()
        assert await task == b"12345678"
        assert (
            await bodies.read(at_once(chunk(b"x" * 10), chunk(b"", more=False)), None) == b"x" * 10
        )

    asyncio.run(life())
