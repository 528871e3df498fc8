"""Every stream, in memory and in `state.db`.

How far streams are is put down for all of them together, at most once a second, and never ahead of
what was acknowledged: after a crash what was acknowledged within that second is sent again. A record
that is parked stands in the same transaction as the position after it. Used in one event loop.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec
import structlog
from sqlalchemy import Connection

from sealog.delivery import stream as rows
from sealog.delivery.destination import Verdict
from sealog.delivery.pump import Live
from sealog.delivery.stream import DELETED, DISABLED, Happened, Parked, Stream
from sealog.delivery.telling import disabled, failing
from sealog.errors import Busy, SealogError
from sealog.storage.store import Store

T = TypeVar("T")

SAVE_EVERY_S = 1.0
RETRY_S = 5.0

_log = structlog.get_logger("sealog.delivery")

Tell = Callable[[int, Happened], None]
"""Tenant's number, what happened: durable on return, told before or not. It blocks; raises `Busy`."""


class Register:
    """See the module. `work` runs what blocks in a thread."""

    def __init__(self, store: Store, clock_us: Callable[[], int], tell: Tell) -> None:
        self._store = store
        self._clock_us = clock_us
        self._tell = tell
        self.lives: dict[str, Live] = {}
        self.of_tenant: dict[int, list[Live]] = {}
        """Replaced list by list: another thread looks up whether a tenant has any."""
        self._moved: dict[str, Live] = {}
        self._parked: dict[str, dict[int, Parked | None]] = {}
        self._due = asyncio.Event()
        self._saving = asyncio.Lock()
        self._untold: set[str] = set()

    def load(self) -> None:
        """Read what is listed. Blocks."""
        with self._store.reading() as connection:
            counts = rows.parked_counts(connection)
            for stream in rows.read_all(connection):
                self._keep(Live(stream, counts.get(stream.id, 0)))
        self._untold = {name for name, live in self.lives.items() if live.stream.untold}
        self._due.set()

    def of(self, tenant: int) -> Sequence[Live]:
        """The streams of a tenant. From any thread."""
        return self.of_tenant.get(tenant, ())

    def moved(self, live: Live) -> None:
        """It went on, or its health changed: to be put down soon."""
        if live.stream.state != DELETED:
            self._moved[live.stream.id] = live
            self._due.set()

    def park(self, live: Live, record: Parked) -> None:
        """A record was refused for good."""
        self._parked.setdefault(live.stream.id, {})[record.index] = record
        self.moved(live)

    def unpark(self, live: Live, indexes: Iterable[int]) -> None:
        """Records are parked no more."""
        self._parked.setdefault(live.stream.id, {}).update(dict.fromkeys(indexes))
        self.moved(live)

    async def failing(self, live: Live) -> None:
        """Tell its tenant that it fails."""
        await self._put_quietly(live, failing(live.now(), self._clock_us()))

    async def disable(self, live: Live, why: Verdict) -> None:
        """Its destination wants nothing any more."""
        now_us = self._clock_us()
        live.stream = msgspec.structs.replace(live.stream, state=DISABLED, changed_us=now_us)
        await self._put_quietly(live, disabled(live.now(), now_us, why))

    async def add(self, stream: Stream) -> Live:
        """A new stream, durable and told."""
        await self._write(lambda connection: rows.add(connection, stream))
        live = Live(stream)
        self._keep(live)
        await self._tell_all(live)
        return live

    async def put(
        self, live: Live, happened: Happened, *, first: int | None = None, **changes: object
    ) -> None:
        """Change a stream as it stands: durable and told, or nothing. Raises `Busy`.

        `first`: where it goes on from.
        """
        async with self._saving:
            before, upto = live.stream, live.next
            live.next = upto if first is None else first
            live.stream = msgspec.structs.replace(
                before, **changes, changed_us=self._clock_us(), untold=(*before.untold, happened)
            )
            try:
                await self._save([live])
            except BaseException:
                live.stream, live.next = before, upto
                raise
        await self._tell_all(live)

    async def remove(self, live: Live, happened: Happened) -> None:
        """Forget a stream, once its tenant is told."""
        await self.put(live, happened, state=DELETED)
        if not live.stream.untold:
            await self._forget(live)

    async def save(self, also: Iterable[Live] = ()) -> None:
        """Put down how far all are that moved, and all of some others, in one transaction."""
        async with self._saving:
            await self._save(also)

    async def _save(self, also: Iterable[Live]) -> None:
        # One after the other: if one fails, the next takes along what it had, so that no position
        # is put down without what was parked before it, and none that a failed change wanted.
        moved, self._moved = self._moved, {}
        parked, self._parked = self._parked, {}
        whole = [live.now() for live in also]
        ahead = [
            (name, live.next, rows.encoded(live.health))
            for name, live in moved.items()
            if name in self.lives
        ]
        if not (ahead or parked or whole):
            return

        def work(connection: Connection) -> dict[str, int]:
            for name, records in parked.items():
                rows.settle_parked(connection, name, records)
            if ahead:
                rows.advance(connection, ahead)
            for stream in whole:
                rows.change(connection, stream)
            return rows.parked_counts(connection, parked)

        try:
            counts = await self._write(work)
        except BaseException:
            # Nothing of it was written: it is put down with what comes.
            self._moved = moved | self._moved
            for name, records in parked.items():
                self._parked[name] = records | self._parked.get(name, {})
            raise
        for name in parked:
            if name in self.lives:
                self.lives[name].parked = counts.get(name, 0)

    async def keep_saving(self) -> None:
        """Put down what moved, and tell what could not be told, for ever."""
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self.save()
                for name in list(self._untold):
                    if name in self.lives:
                        await self._tell_all(self.lives[name])
            except Exception as error:  # noqa: BLE001 - positions are put down for ever, whatever happens
                reason = str(error) if isinstance(error, SealogError) else type(error).__name__
                _log.error("streams cannot be put down yet", reason=reason)
                await asyncio.sleep(RETRY_S)
                self._due.set()
            if self._untold:
                asyncio.get_running_loop().call_later(RETRY_S, self._due.set)
            await asyncio.sleep(SAVE_EVERY_S)

    def parked_of(self, live: Live, after: int, limit: int) -> list[Parked]:
        """What a stream parked, by index. Blocks; from any thread."""
        with self._store.reading() as connection:
            return rows.parked(connection, live.stream.id, after, limit)

    def _keep(self, live: Live) -> None:
        self.lives[live.stream.id] = live
        tenant = live.stream.tenant
        self.of_tenant[tenant] = [*self.of_tenant.get(tenant, ()), live]

    async def _forget(self, live: Live) -> None:
        name, tenant = live.stream.id, live.stream.tenant
        await self._write(lambda connection: rows.remove(connection, name))
        self.lives.pop(name, None)
        self.of_tenant[tenant] = [one for one in self.of(tenant) if one is not live]
        self._moved.pop(name, None)
        self._parked.pop(name, None)
        self._untold.discard(name)

    async def _put_quietly(self, live: Live, happened: Happened) -> None:
        """As `put`, by ourselves: what cannot be put down now is with what comes."""
        untold = (*live.stream.untold, happened)
        live.stream = msgspec.structs.replace(live.stream, untold=untold)
        try:
            await self.save([live])
        except Busy as error:
            _log.warning("streams cannot be put down yet", reason=str(error))
        await self._tell_all(live)

    async def _tell_all(self, live: Live) -> None:
        """Tell what is to be told. What the journal does not take now is told later."""
        name = live.stream.id
        while live.stream.untold:
            happened = live.stream.untold[0]
            try:
                await asyncio.to_thread(self._tell, live.stream.tenant, happened)
                # If we die here it is told again, under the same name: nothing is doubled.
                left = tuple(one for one in live.stream.untold if one is not happened)
                live.stream = msgspec.structs.replace(live.stream, untold=left)
                await self.save([live])
            except Busy as error:
                _log.warning("what streams tell waits", reason=str(error))
                self._untold.add(name)
                return
        self._untold.discard(name)
        if live.stream.state == DELETED and name in self.lives:
            await self._forget(live)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return await asyncio.wrap_future(self._store.write(work))
