import asyncio
import ssl

import httpcore
import pytest
from tests.delivery.made import LOOPBACK, Names
from tests.delivery.receivers import OK, Receiver, answer

from sealog.delivery import addresses, talking
from sealog.delivery.connecting import Judged
from sealog.delivery.talking import Talk

REQUEST = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}"


def talked(*answers, times=2):
    """The statuses of so many requests to a receiver with these answers, and the receiver."""

    async def run():
        async with Receiver(*answers) as receiver:
            place = addresses.place_of(f"http://127.0.0.1:{receiver.port}/")
            talk = Talk(Judged(place, LOOPBACK, Names()), place, ssl.create_default_context())
            statuses = []
            try:
                for _ in range(times):
                    statuses.append((await talk.ask(REQUEST)).status)
                    await talk.rest()
            finally:
                await talk.aclose()
            return statuses, receiver

    return asyncio.run(run())


def test_requests_go_out_whole_over_one_connection():
    statuses, receiver = talked(OK, times=3)

    assert statuses == [200, 200, 200]
    assert receiver.connections == 1
    assert [request.body for request in receiver.requests] == [b"{}"] * 3


@pytest.mark.parametrize(
    "said",
    [
        answer(204),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK,
    ],
    ids=["empty", "chunked", "announced"],
)
def test_an_answer_that_ends_leaves_the_connection(said):
    statuses, receiver = talked(said)

    assert statuses in ([200, 200], [204, 204])
    assert receiver.connections == 1


@pytest.mark.parametrize(
    "said",
    [
        answer(200, "connection: close", body=b"ok"),
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        OK + OK,
        OK + b"nonsense",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["closing", "old", "doubled", "more", "broken"],
)
def test_after_an_answer_that_does_not_end_well_the_next_has_a_connection_of_its_own(
    said, monkeypatch
):
    """What a receiver says out of turn is never taken for an answer."""
    monkeypatch.setattr(talking, "REST_S_MAX", 0.1)

    statuses, receiver = talked(said)

    assert statuses == [200, 200]
    assert receiver.connections == 2


async def hang_up(writer):
    writer.write(OK)


def test_one_that_hangs_up_in_between_is_connected_to_anew():
    async def run():
        async with Receiver(hang_up, OK) as receiver:
            place = addresses.place_of(f"http://127.0.0.1:{receiver.port}/")
            talk = Talk(Judged(place, LOOPBACK, Names()), place, ssl.create_default_context())
            await talk.ask(REQUEST)
            await talk.rest()
            stream = talk._stream
            while stream is not None and not stream.get_extra_info("is_readable"):  # noqa: ASYNC110 - what the system knows has no event
                await asyncio.sleep(0.001)
            again = await talk.ask(REQUEST)
            await talk.aclose()
            return again.status, receiver.connections

    assert asyncio.run(run()) == (200, 2)


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000,
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * (talking.HEAD_BYTES_MAX + 1),
    ],
    ids=["ssh", "upgrade", "announcing-for-ever", "endless-head"],
)
def test_what_is_no_answer_is_said(said):
    with pytest.raises(httpcore.RemoteProtocolError):
        talked(said)


def test_the_head_of_an_answer_is_kept_and_what_was_announced_is_not():
    async def run():
        said = b"HTTP/1.1 103 Early\r\nretry-after: 9\r\n\r\n" + answer(429, "Retry-After: 7")
        async with Receiver(said) as receiver:
            place = addresses.place_of(f"http://127.0.0.1:{receiver.port}/")
            talk = Talk(Judged(place, LOOPBACK, Names()), place, ssl.create_default_context())
            found = await talk.ask(REQUEST)
            await talk.aclose()
            return found

    found = asyncio.run(run())

    assert found.status == 429
    assert (b"Retry-After", b"7") in found.headers
    assert (b"retry-after", b"9") not in found.headers
