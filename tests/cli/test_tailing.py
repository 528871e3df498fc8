import asyncio

import pytest
from tests.cli.made import SCRIPT, Served, ecs, environment, lines

from sealog.cli import tailing
from sealog.cli.options import Where
from sealog.cli.tailing import Blocks, line


def send(server, tenant, *numbers):
    with server.client() as client:
        sent = lines(*map(ecs, numbers))
        client.post(f"/v1/events?tenant={tenant}", content=sent).raise_for_status()


async def first(count, where, asked, then=()):
    """So many events of a tail; after the n-th, the n-th thing is done."""
    found = []
    steps = list(then)
    async for event in tailing.events(where, asked):
        found.append(tailing.tokens.plain(event)["event"]["id"])
        if len(found) == count:
            return found
        if steps:
            await asyncio.to_thread(steps.pop(0))
    return found


def test_events_come_as_they_happen(served):
    where = Where(server=served.url, key=served.key)
    send(served, "tailed", 1)
    asked = {"tenant": ["tailed"], "after": "-1"}

    found = asyncio.run(
        asyncio.wait_for(
            first(3, where, asked, [lambda: send(served, "tailed", 2), lambda: send(served, "tailed", 3)]),
            30,
        )
    )  # fmt: skip

    assert found == ["e-1", "e-2", "e-3"]


def test_a_server_that_is_started_again_is_followed_on(tmp_path):
    """Told to stop it ends at once, though somebody follows; nothing is lost and nothing doubled."""
    server = Served(tmp_path / "data")
    port = server.url.rpartition(":")[2]
    send(server, "acme", 1, 2)
    where = Where(server=server.url, key=server.key)
    again = []

    def restart():
        assert server.stop(within_s=5.0) == 0
        # The address is the same: the variable wins over what this one was given.
        second = Served(tmp_path / "data", "--listen", f"127.0.0.1:{port}")
        second.key, second.url = server.key, server.url
        again.append(second)
        send(second, "acme", 3)

    try:
        asked = {"tenant": ["acme"], "after": "-1"}
        found = asyncio.run(asyncio.wait_for(first(3, where, asked, [lambda: None, restart]), 60))
    finally:
        for one in again:
            one.stop()

    assert found == ["e-1", "e-2", "e-3"]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ([], "2026-10-05T08:00:02.000Z  printed  1  user.login  success  =SUM(A1)  u-2  -\n"),
        (
            ["--dialect", "supsis"],
            '{"dateTime":"2026-10-05T08:00:02.000Z","user":"=SUM(A1)","activity":"user.login"}\n',
        ),
    ],
    ids=["ecs", "supsis"],
)
def test_what_is_printed_is_one_line_an_event(served, shape, expected):
    import subprocess

    send(served, "printed", 1, 2)
    command = [SCRIPT, "tail", "--server", served.url, "--key", served.key, "--tenant", "printed"]
    command += shape
    process = subprocess.Popen(
        [*map(str, command), "--after", "0"], stdout=subprocess.PIPE, env=environment()
    )
    try:
        printed = process.stdout.readline().decode()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()

    assert printed == expected


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        ((), 2, "tail follows a server"),
        (("--server", "http://127.0.0.1:1", "--key", "slk_x"), 1, "does not answer"),
    ],
    ids=["folder", "nobody"],
)
def test_what_cannot_be_followed_is_said(sealog, args, code, says):
    ran = sealog("tail", *args)

    assert ran.code == code
    assert says in ran.err


def test_a_query_that_is_none_is_pointed_at(sealog, served):
    where = ("--server", served.url, "--key", served.key)
    sealog("tenants", "create", "pointed-at", *where)

    ran = sealog("tail", "acter:ada", "--tenant", "pointed-at", *where)

    assert ran.code == 2
    assert ran.err.splitlines()[:2] == ["acter:ada", "^^^^^"]


def test_a_wrong_key_is_said_and_not_tried_again(sealog, served):
    ran = sealog("tail", "--server", served.url, "--key", "slk_wrong", "--tenant", "x")

    assert ran.code == 1
    assert "unknown or revoked" in ran.err


@pytest.mark.parametrize("size", [1, 2, 7, 1_000])
def test_blocks_are_read_however_they_are_cut(size):
    content = (
        b'retry: 250\nid: -1\n\n: nothing new\n\nid: 4\nevent: event\ndata: {"a": 1}\n\n'
        b"id: 5\nevent: event\ndata:two\ndata: lines\n\n: x\nid: 9\n\nid: 10\ndata: not compl"
    )  # fmt: skip
    blocks = Blocks()

    found = [
        data for at in range(0, len(content), size) for data in blocks.add(content[at : at + size])
    ]

    assert found == [b'{"a": 1}', b"two\nlines"]
    assert blocks.retry_s == 0.25


def test_what_was_cut_off_is_not_joined_to_what_comes_next():
    blocks = Blocks()
    assert list(blocks.add(b"id: 1\ndata: ha")) == []

    blocks.cut()

    assert blocks.position is None
    assert list(blocks.add(b"id: 2\ndata: whole\n\n")) == [b"whole"]
    assert blocks.position == "2"


def test_nothing_in_an_event_reaches_the_terminal_as_anything_but_text():
    event = {"event": {"action": "\x1b[31mred\r\n\u202e"}, "user": {"name": "Zoë 中"}}

    assert line(event) == "-  -  -  \ufffd[31mred\ufffd\ufffd\ufffd  -  Zoë 中  -  -"
