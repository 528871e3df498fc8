"""From the writing thread back to the event loop: all answers of a commit in one call."""

import asyncio
from collections import deque
from concurrent.futures import Future
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")


class Landing(Generic[T]):
    """Awaits futures of another thread, on one event loop.

    What `asyncio.wrap_future` does, but a commit that settles a hundred futures wakes the loop
    once, not a hundred times.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._landed: deque[tuple[asyncio.Future[T], Future[T]]] = deque()
        self._is_called = False

    async def result(self, done: Future[T]) -> T:
        """What the future gives or raises. Who is cancelled meanwhile cancels it too."""
        if done.done():
            return done.result()
        waiter: asyncio.Future[T] = self.loop.create_future()
        done.add_done_callback(partial(self._land, waiter))
        try:
            return await waiter
        except asyncio.CancelledError:
            done.cancel()
            raise

    def _land(self, waiter: asyncio.Future[T], done: Future[T]) -> None:
        """Runs in the thread that settled the future."""
        self._landed.append((waiter, done))
        # Whoever finds it set comes before `_deliver` has begun, which takes all there is.
        if not self._is_called and not self.loop.is_closed():
            self._is_called = True
            self.loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._is_called = False
        while self._landed:
            waiter, done = self._landed.popleft()
            if waiter.done():
                continue
            if done.cancelled():
                waiter.cancel()
                continue
            error = done.exception()
            if error is None:
                waiter.set_result(done.result())
            else:
                waiter.set_exception(error)
