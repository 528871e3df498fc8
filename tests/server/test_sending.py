import asyncio

import pytest

from sealog.server import sending
from sealog.server.sending import HELD_BYTES_MAX, Corked, Corks


class Written:
    """A transport that remembers each call to the system."""

    def __init__(self, untaken=0):
        self.calls = []
        self._untaken = untaken

    def get_write_buffer_size(self):
        return self._untaken

    def abort(self):
        self.calls.append("aborted")

    def write(self, data):
        self.calls.append(data)

    def close(self):
        self.calls.append("closed")

    def get_extra_info(self, name):
        return f"{name} of the transport"


def test_what_is_written_in_one_turn_leaves_at_once():
    async def run():
        inner, corks = Written(), Corks()
        corked = Corked(inner, corks)
        corked.write(b"head ")
        corked.write(b"body")
        before = list(inner.calls)
        await asyncio.sleep(0)
        corked.write(b"next")
        await asyncio.sleep(0)
        return before, inner.calls

    assert asyncio.run(run()) == ([], [b"head body", b"next"])


def test_every_connection_that_wrote_is_served():
    async def run():
        corks = Corks()
        inner = [Written(), Written(), Written()]
        for nth, each in enumerate(inner):
            Corked(each, corks).write(b"%d" % nth)
        await asyncio.sleep(0)
        return [each.calls for each in inner]

    assert asyncio.run(run()) == [[b"0"], [b"1"], [b"2"]]


@pytest.mark.parametrize(
    ("untaken", "calls"),
    [(0, [b"last words", "closed"]), (9, [b"last words", "closed", "aborted"])],
)
def test_what_is_never_taken_is_not_held_for_ever(monkeypatch, untaken, calls):
    """A client that neither reads nor goes."""
    monkeypatch.setattr(sending, "LINGER_S", 0.0)

    async def run():
        inner = Written(untaken)
        corked = Corked(inner, Corks())
        corked.write(b"last words")
        corked.close()
        await asyncio.sleep(0.01)
        return inner.calls

    assert asyncio.run(run()) == calls


def test_closing_writes_what_is_held_first():
    async def run():
        inner = Written()
        corked = Corked(inner, Corks())
        corked.write(b"last words")
        corked.close()
        await asyncio.sleep(0)
        return inner.calls

    assert asyncio.run(run()) == [b"last words", "closed"]


def test_a_large_answer_is_not_held():
    """What nobody reads must be felt by whoever writes it, at once."""
    large = b"x" * (HELD_BYTES_MAX + 1)

    async def run():
        inner = Written()
        corked = Corked(inner, Corks())
        corked.write(b"head ")
        corked.write(large)
        written = list(inner.calls)
        await asyncio.sleep(0)
        return written, inner.calls

    written, all_of_it = asyncio.run(run())

    assert written == [b"head " + large]
    assert all_of_it == written


def test_one_that_fails_keeps_no_other_from_its_answer():
    class Gone(Written):
        def write(self, data):
            raise RuntimeError(f"the transport is closed, {data!r} goes nowhere")

    async def run():
        corks, inner, told = Corks(), Written(), []
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: told.append(context)
        )
        Corked(Gone(), corks).write(b"a")
        Corked(inner, corks).write(b"b")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return inner.calls

    assert asyncio.run(run()) == [b"b"]


def test_all_else_is_the_transports():
    assert Corked(Written(), Corks()).get_extra_info("peername") == "peername of the transport"
