import asyncio
import threading
from concurrent.futures import Future

import pytest

from sealog.errors import Busy
from sealog.intake.landing import Landing


def landed(settle, count):
    """What `count` awaited futures give when another thread settles them."""

    async def wait():
        landing = Landing(asyncio.get_running_loop())
        futures = [Future() for _ in range(count)]
        waiting = [asyncio.ensure_future(landing.result(one)) for one in futures]
        await asyncio.sleep(0)
        thread = threading.Thread(target=settle, args=(futures,))
        thread.start()
        found = await asyncio.gather(*waiting, return_exceptions=True)
        thread.join()
        return found

    return asyncio.run(wait())


def test_every_future_settled_elsewhere_gives_its_own_result():
    def settle(futures):
        for number, one in enumerate(futures):
            one.set_result(number)

    assert landed(settle, 200) == list(range(200))


def test_an_error_is_raised_where_it_is_awaited():
    def settle(futures):
        futures[0].set_exception(Busy("full"))
        futures[1].set_result("kept")

    error, kept = landed(settle, 2)

    assert isinstance(error, Busy)
    assert kept == "kept"


def test_what_is_cancelled_elsewhere_is_cancelled_here():
    (error,) = landed(lambda futures: futures[0].cancel(), 1)

    assert isinstance(error, asyncio.CancelledError)


def test_what_is_done_already_is_not_waited_for():
    async def wait():
        done = Future()
        done.set_result(7)
        return await Landing(asyncio.get_running_loop()).result(done)

    assert asyncio.run(wait()) == 7


def test_one_commit_wakes_the_loop_once():
    async def wait():
        loop = asyncio.get_running_loop()
        landing = Landing(loop)
        futures = [Future() for _ in range(50)]
        waiting = [asyncio.ensure_future(landing.result(one)) for one in futures]
        await asyncio.sleep(0)
        calls = []
        call, loop.call_soon_threadsafe = loop.call_soon_threadsafe, calls.append
        for one in futures:
            one.set_result(1)
        loop.call_soon_threadsafe = call
        (deliver,) = calls
        deliver()
        return await asyncio.gather(*waiting)

    assert asyncio.run(wait()) == [1] * 50


def test_who_gives_up_waiting_takes_the_future_back():
    """The journal then leaves the batches out, if their commit has not begun."""

    async def wait():
        future = Future()
        landing = Landing(asyncio.get_running_loop())
        waiting = asyncio.ensure_future(landing.result(future))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return future

    assert asyncio.run(wait()).cancelled()


def test_a_loop_that_is_gone_disturbs_nobody():
    async def wait():
        future = Future()
        landing = Landing(asyncio.get_running_loop())
        waiting = asyncio.ensure_future(landing.result(future))
        await asyncio.sleep(0)
        future.set_running_or_notify_cancel()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return future

    future = asyncio.run(wait())

    future.set_result(1)

    assert future.result() == 1
