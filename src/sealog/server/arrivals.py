"""Waiting for new events without a thread for each who waits."""

import asyncio
from collections.abc import Mapping

from sealog.event.tenants import Tenant
from sealog.server.parts import Archive


class Arrivals:
    """Wakes whoever waits for a tenant's next event. MUST be used from one event loop."""

    def __init__(self, archive: Archive, waiting_max: int) -> None:
        self._archive = archive
        self._waiting_max = waiting_max
        self._waiting: dict[int, set[asyncio.Future[None]]] = {}
        self._count = 0
        self._loop: asyncio.AbstractEventLoop | None = None

    async def wait(self, tenant: Tenant, index: int, timeout_s: float) -> None:
        """Return when the event at `index` is visible, when the time is over, or when too many wait."""
        if self._count >= self._waiting_max:
            return
        self._watch()
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(tenant.number, set())
        waiting.add(woken)
        self._count += 1
        try:
            # Looked at after we wait, so that nothing can arrive between the two.
            if self._archive.visible(tenant) <= index:
                async with asyncio.timeout(timeout_s):
                    await woken
        except TimeoutError:
            pass
        finally:
            self._count -= 1
            waiting.discard(woken)
            if not waiting:
                self._waiting.pop(tenant.number, None)

    def _watch(self) -> None:
        if self._loop is not None:
            return
        loop = self._loop = asyncio.get_running_loop()

        def seen(visible: Mapping[int, int]) -> None:
            numbers = list(visible)
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._wake, numbers)

        self._archive.watch(seen)

    def _wake(self, numbers: list[int]) -> None:
        for number in numbers:
            for woken in self._waiting.get(number, ()):
                if not woken.done():
                    woken.set_result(None)
