"""Waiting for new events without a thread for each who waits."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from sealog.event.tenants import Tenant
from sealog.server.parts import Archive


class Arrivals:
    """Wakes whoever waits for a tenant's next event. MUST be used from one event loop."""

    def __init__(self, archive: Archive, waiting_max: int) -> None:
        self._archive = archive
        self._waiting_max = waiting_max
        # The archive's thread looks into it, to leave the loop alone where nobody waits.
        self._listening: dict[int, set[asyncio.Event]] = {}
        self._count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self.ended = False
        """The server stops: nobody waits any more."""

    async def wait(self, tenant: Tenant, index: int, timeout_s: float) -> None:
        """Return when the event at `index` is visible, when the time is over, or when too many wait.

        What only says what was read ends no wait, though it is seen by whoever comes after it.
        """
        if self._count >= self._waiting_max or self.ended:
            return
        self._count += 1
        try:
            with self.listening([tenant]) as news:
                # Looked at after we listen, so that nothing can arrive between the two.
                if self._archive.visible(tenant) <= index:
                    async with asyncio.timeout(timeout_s):
                        await news.wait()
        except TimeoutError:
            pass
        finally:
            self._count -= 1

    @contextmanager
    def listening(self, tenants: Iterable[Tenant]) -> Iterator[asyncio.Event]:
        """What is set whenever one of the tenants has something new, and when the server stops."""
        self._watch()
        news = asyncio.Event()
        numbers = [tenant.number for tenant in tenants]
        for number in numbers:
            self._listening.setdefault(number, set()).add(news)
        try:
            yield news
        finally:
            for number in numbers:
                others = self._listening[number]
                others.discard(news)
                if not others:
                    del self._listening[number]

    def end(self) -> None:
        """Let everybody go, for good."""
        self.ended = True
        self._wake(list(self._listening))

    def _watch(self) -> None:
        if self._loop is not None:
            return
        loop = self._loop = asyncio.get_running_loop()

        def seen(visible: Mapping[int, int]) -> None:
            numbers = [number for number in visible if number in self._listening]
            if numbers and not loop.is_closed():
                loop.call_soon_threadsafe(self._wake, numbers)

        self._archive.watch(seen)

    def _wake(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            for news in self._listening.get(number, ()):
                news.set()
