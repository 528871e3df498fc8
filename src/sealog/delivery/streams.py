"""Every stream of the installation: made, changed, paused, replayed, looked at. From any thread.

All that changes a stream is done in the loop that runs them, one change of a stream at a time; the
methods here block until it is durable and, unless the journal is full, told to the tenant.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from sealog.delivery import looking, telling
from sealog.delivery import stream as rows
from sealog.delivery.batches import Ways
from sealog.delivery.destination import Parsed, Verdict
from sealog.delivery.engine import Engine, Watched, World
from sealog.delivery.looking import Estimate
from sealog.delivery.pump import Live
from sealog.delivery.shaping import Shaper
from sealog.delivery.stream import (
    DELETED,
    PAUSED,
    RUNNING,
    STATES,
    Happened,
    Health,
    Parked,
    Secrets,
    Stream,
    Wanted,
)
from sealog.delivery.wishes import Wish
from sealog.errors import Busy, Conflict, Corrupt, Limited, Missing, Refused
from sealog.event.tenants import Tenant
from sealog.rendering.rendering import ECS
from sealog.storage.store import Store

T = TypeVar("T")

ID_BYTES = 12
HASHING_BYTES = 32
CHECK_S = 45.0
Actor = Mapping[str, Any]
"""Who asks, as the event shows it."""


class Settings(msgspec.Struct, frozen=True):
    """What streams may take."""

    per_tenant_max: int = 20


class Made(msgspec.Struct, frozen=True):
    """A stream that was made or changed, and what is told of its destination this once."""

    stream: Stream
    told: dict[str, Any]


class Streams:
    """See the module. Nothing runs until `start`."""

    def __init__(
        self, store: Store, source: Watched, world: World, settings: Settings | None = None
    ) -> None:
        self._store = store
        self._source = source
        self._world = world
        self._settings = settings or Settings()
        self._engine = Engine(store, source, world)
        self._making = asyncio.Lock()

    def start(self) -> None:
        """Take up every stream where it was."""
        self._engine.start()

    def stop(self) -> None:
        """End what is under way; it goes on at the next start."""
        self._engine.stop()

    def all(self) -> list[Stream]:
        """Every stream as it is now, in the order they were made."""
        if not self._engine.is_running:
            with self._store.reading() as connection:
                found = rows.read_all(connection)
        else:
            found = [live.now() for live in list(self._engine.register.lives.values())]
        return [stream for stream in found if stream.state != DELETED]

    def get(self, stream_id: str) -> Stream | None:
        """A stream as it is now."""
        if self._engine.is_running:
            live = self._engine.register.lives.get(stream_id)
            return None if live is None or live.stream.state == DELETED else live.now()
        return next((one for one in self.all() if one.id == stream_id), None)

    def parked_count(self, stream: Stream) -> int:
        """How many records a stream parked."""
        if self._engine.is_running:
            live = self._engine.register.lives.get(stream.id)
            return 0 if live is None else live.parked
        with self._store.reading() as connection:
            return rows.parked_counts(connection, [stream.id]).get(stream.id, 0)

    def lag(self, stream: Stream) -> tuple[int, float | None]:
        """How many indexes a stream has not looked at, and the seconds the first is there, if known."""
        tenant = self._world.tenants(stream.tenant)
        if tenant is None:
            return 0, 0.0
        count = max(self._source.visible(tenant) - stream.next, 0)
        if not count:
            return 0, 0.0
        try:
            lag_us = looking.lag_us(self._source, tenant, stream.next, self._world.clock_us())
        except (Busy, Corrupt):  # Damage in one tenant's archive hides no stream.
            return count, None
        return count, lag_us / 1e6

    def index_since(self, tenant: Tenant, at_us: int) -> int:
        """The first index that was taken in at a time or later."""
        return looking.index_since(self._source, tenant, at_us)

    @property
    def trouble(self) -> BaseException | None:
        """Why no streams run any more, though they should."""
        return self._engine.failure

    def states(self) -> dict[str, int]:
        """State → how many streams are in it; quick, for metrics."""
        counts = dict.fromkeys(STATES, 0)
        for stream in self.all() if self._engine.is_running else ():
            counts[stream.shown_state] += 1
        return counts

    def behind(self) -> tuple[int, int]:
        """How many indexes all streams together have not looked at, and how many are parked."""
        if not self._engine.is_running:
            return 0, 0
        lives = list(self._engine.register.lives.values())
        tenants = ((live, self._world.tenants(live.stream.tenant)) for live in lives)
        lag = sum(
            max(self._source.visible(tenant) - live.next, 0)
            for live, tenant in tenants
            if tenant is not None
        )
        return lag, sum(live.parked for live in lives)

    def create(
        self,
        tenant: Tenant,
        wish: Wish,
        first: int | None,
        actor: Actor,
        *,
        paused: bool = False,
        stream_id: str | None = None,
    ) -> Made:
        """A new stream, from index `first` on; None: of what comes from now on.

        `stream_id`: its id, which MUST never have been another's; else one that is drawn. Raises
        `Limited` past the tenant's limit, `Refused` for an index that is not there yet.
        """
        end = self._source.visible(tenant)
        now_us = self._world.clock_us()
        stream = Stream(
            id=stream_id or "str_" + self._world.randomness(ID_BYTES).hex(),
            tenant=tenant.number,
            state=PAUSED if paused else RUNNING,
            version=1,
            wanted=wish.wanted,
            secrets=Secrets(self._world.randomness(HASHING_BYTES), wish.destination.secrets),
            next=_within(first, end),
            health=Health(),
            created_us=now_us,
            changed_us=now_us,
        )
        told = telling.created(stream, actor)
        stream = msgspec.structs.replace(stream, untold=(told,))

        async def add() -> Stream:
            register = self._engine.register
            async with self._making:
                ours = [one for one in register.of(tenant.number) if one.stream.state != DELETED]
                if len(ours) >= self._settings.per_tenant_max:
                    detail = f"the tenant has {len(ours)} streams, as many as it may: delete one"
                    raise Limited(detail, retry_after_s=60.0)
                live = await register.add(stream)
            if self._engine.is_behind(live):
                self._engine.begin(live)
            return live.now()

        return Made(self._engine.ask(add), wish.destination.told)

    def change(self, stream_id: str, wish: Wish, version: int, actor: Actor) -> Made:
        """Want something else of a stream; `version` MUST be the one it has, else `Conflict`."""

        async def work(live: Live) -> None:
            if live.stream.version != version:
                raise Conflict(
                    f"version {live.stream.version} is in force, not {version}: look again",
                    code="stale-version",
                    pointer="/version",
                )
            before = live.stream
            secrets = Secrets(before.secrets.hashing, wish.destination.secrets)
            if wish.wanted == before.wanted and secrets == before.secrets:
                return
            happened = telling.changed(live.now(), wish.wanted, self._world.clock_us(), actor)
            await self._engine.halt(live)
            await self._engine.register.put(
                live, happened, wanted=wish.wanted, secrets=secrets, version=version + 1
            )
            # What it fails at may be what was changed.
            live.health.next_attempt_us = None
            live.health.refused_in_a_row = 0

        return Made(self._changed(stream_id, work), wish.destination.told)

    def pause(self, stream_id: str, actor: Actor) -> Stream:
        """Send nothing until it is resumed; what comes meanwhile is not lost."""

        async def work(live: Live) -> None:
            await self._engine.halt(live)
            if live.stream.state == RUNNING:
                await self._put(live, telling.paused, actor, state=PAUSED)

        return self._changed(stream_id, work)

    def resume(self, stream_id: str, actor: Actor) -> Stream:
        """Send again, at once: also where it waits for another attempt, or was disabled."""

        async def work(live: Live) -> None:
            live.health.next_attempt_us = None
            live.health.refused_in_a_row = 0
            if live.pump is not None:
                live.pump.hurry()
            if live.stream.state != RUNNING:
                live.health.failures = 0
                live.health.failing_since_us = None
                await self._put(live, telling.resumed, actor, state=RUNNING)

        return self._changed(stream_id, work)

    def replay(self, stream_id: str, first: int | None, at_us: int | None, actor: Actor) -> Stream:
        """Go on from an index, or from what was taken in at a time; back, or past what is stuck."""
        stream = self._found(stream_id)
        tenant = self._world.tenants(stream.tenant)
        assert tenant is not None
        if at_us is not None:
            first = self.index_since(tenant, at_us)
        upto = _within(first, self._source.visible(tenant))

        async def work(live: Live) -> None:
            await self._engine.halt(live)
            happened = telling.replayed(live.now(), upto, self._world.clock_us(), actor)
            live.health.next_attempt_us = None
            live.health.refused_in_a_row = 0
            await self._engine.register.put(live, happened, first=upto)

        return self._changed(stream_id, work)

    def delete(self, stream_id: str, actor: Actor) -> None:
        """Forget a stream."""

        async def work(live: Live) -> None:
            await self._engine.halt(live)
            happened = telling.deleted(live.now(), self._world.clock_us(), actor)
            await self._engine.register.remove(live, happened)
            self._engine.forget(live)

        self._changed(stream_id, work)

    def parked(self, stream_id: str, after: int, limit: int) -> list[Parked]:
        """What a stream parked, by index, beyond `after`."""
        self._found(stream_id)
        with self._store.reading() as connection:
            return rows.parked(connection, stream_id, after, limit)

    def retry(self, stream_id: str, indexes: Sequence[int] | None) -> int:
        """Send parked records again, by index; None for all. How many there are of them."""
        wanted = self._parked_of(stream_id, indexes)

        async def work(live: Live) -> None:
            if live.stream.state != RUNNING:
                detail = f"the stream is {live.stream.state}: resume it first"
                raise Conflict(detail, code="stream-not-running")
            live.retry.update(wanted)
            if live.pump is not None:
                live.pump.hurry()

        if wanted:
            self._changed(stream_id, work)
        return len(wanted)

    def drop(self, stream_id: str, indexes: Sequence[int] | None) -> int:
        """Give parked records up, by index; None for all. How many there were of them."""
        wanted = self._parked_of(stream_id, indexes)

        async def work(live: Live) -> None:
            live.retry.difference_update(wanted)
            self._engine.register.unpark(live, wanted)
            await self._engine.register.save()
            if live.pump is not None:
                live.pump.hurry()

        if wanted:
            self._changed(stream_id, work)
        return len(wanted)

    def check(self, tenant: Tenant, wish: Wish) -> Verdict:
        """Send a test record to a destination, before or after there is a stream to it."""
        stream = self._trial(tenant, wish.wanted, wish.destination)

        async def work() -> Verdict:
            destination = self._engine.destination(stream, tenant)
            try:
                async with asyncio.timeout(CHECK_S):
                    return await destination.check()
            finally:
                await destination.close()

        try:
            return self._engine.ask(work)
        except TimeoutError:
            raise Busy("the destination did not answer in time") from None

    def estimate(self, tenant: Tenant, wish: Wish) -> Estimate:
        """How much a stream like this would send in a day."""
        wanted = wish.wanted
        shaper = Shaper(wanted.shape, bytes(HASHING_BYTES), is_ecs=wanted.dialect == ECS)
        renderer = self._engine.renderer(wanted.dialect, wanted.ecs_version)
        ways = Ways(renderer, shaper, self._world.clock_us)
        return looking.estimate(self._source, tenant, wanted, ways)

    def _trial(self, tenant: Tenant, wanted: Wanted, destination: Parsed) -> Stream:
        return Stream(
            id="str_check", tenant=tenant.number, state=PAUSED, version=0, wanted=wanted,
            secrets=Secrets(b"", destination.secrets), next=0, health=Health(),
            created_us=0, changed_us=0,
        )  # fmt: skip

    def _found(self, stream_id: str) -> Stream:
        stream = self.get(stream_id)
        if stream is None:
            raise no_stream()
        return stream

    def _parked_of(self, stream_id: str, indexes: Sequence[int] | None) -> list[int]:
        self._found(stream_id)
        with self._store.reading() as connection:
            there = [one.index for one in rows.parked(connection, stream_id)]
        if indexes is None:
            return there
        return sorted(set(indexes).intersection(there))

    def _changed(self, stream_id: str, work: Callable[[Live], Awaitable[None]]) -> Stream:
        """Change a stream in the loop, nobody else doing so meanwhile, and let it go on."""

        async def run() -> Stream:
            live = self._engine.register.lives.get(stream_id)
            if live is None or live.stream.state == DELETED:
                raise no_stream()
            async with self._engine.lock(live):
                if live.stream.state == DELETED:
                    raise no_stream()
                live.is_held = True
                try:
                    await work(live)
                finally:
                    live.is_held = False
                    if self._engine.is_behind(live):
                        self._engine.begin(live)
            return live.now()

        return self._engine.ask(run)

    async def _put(
        self,
        live: Live,
        happened: Callable[[Stream, int, Actor], Happened],
        actor: Actor,
        **changes: Any,
    ) -> None:
        told = happened(live.now(), self._world.clock_us(), actor)
        await self._engine.register.put(live, told, **changes)


def no_stream() -> Missing:
    """There is no such stream, or it is another tenant's: one answer for both."""
    return Missing("there is no such stream", code="no-such-stream")


def _within(first: int | None, end: int) -> int:
    if first is None:
        return end
    if not 0 <= first <= end:
        raise Refused(f"index {first} is not there yet: the next is {end}", code="bad-index")
    return first
