"""One stream on its way: read, send, note how far; wait when nothing is there, or nothing is taken.

A pump belongs to the thread of one event loop. It holds one batch at a time, and none while it waits
for another attempt: what is due is read again, as it is by then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec
import structlog

from sealog.delivery import schedule
from sealog.delivery.batches import Batch, Reader
from sealog.delivery.destination import Batching, Destination, Outcome, Outgoing, Verdict
from sealog.delivery.stream import REASON_CHARS_MAX, Health, Parked, Stream, Trouble
from sealog.errors import Busy, Corrupt, SealogError

T = TypeVar("T")

PARKED_MAX = 1_000
"""Records that a stream parks. Then it waits: more are a mistake of somebody's, not of records."""
REFUSED_IN_A_ROW_MAX = 10
"""So many different records, one after the other with none taken between, are not all bad: the
receiver is. Then the stream waits and tries the next by its schedule, instead of parking the trail."""
IDLE_S = 60.0
"""A stream with nothing to send so long lets go of its connections."""
LINGER_S = 0.1
"""So long news are gathered: one batch costs less than ten."""
SEND_S = 300.0
"""Past every timeout of a destination's own."""
TELL_AFTER = 3
"""Attempts that fail, some five minutes, before a stream's tenant is told."""
TELL_EVERY_US = 3_600_000_000
"""A stream that comes and goes tells so often, at most: what it tells, it has to send as well."""
SENDING_MAX = 64
FAILING_MAX = 32
"""Sends at once of those whose last attempt failed, apart: however many of them are dead, and take
all of their timeouts to say so, nobody else waits for them."""

BUSY = "busy"

_PROBE = Batching(16, 64 << 10)
"""What is tried of a destination that took nothing the last time."""

_log = structlog.get_logger("sealog.delivery")


class Live:
    """A stream while the program runs."""

    def __init__(self, stream: Stream, parked: int = 0) -> None:
        self.stream = stream
        """As it was put down last; how far and how it is, is here."""
        self.next = stream.next
        self.health: Health = msgspec.structs.replace(stream.health)
        self.parked = parked
        """How many records are parked."""
        self.retry: set[int] = set()
        """Parked records to send again."""
        self.pump: Pump | None = None
        self.is_held = False
        """Somebody changes it: it does not begin anew until that is done."""

    def now(self) -> Stream:
        """The stream as it is now."""
        health = msgspec.structs.replace(self.health)
        return msgspec.structs.replace(self.stream, next=self.next, health=health)


class Keeper(Protocol):
    """Puts down what becomes of streams; see `register.Register`."""

    def moved(self, live: Live) -> None:
        """It went on, or its health changed: to be put down soon."""
        ...

    def park(self, live: Live, record: Parked) -> None:
        """A record was refused for good: put down together with the position after it."""
        ...

    def unpark(self, live: Live, indexes: Sequence[int]) -> None:
        """Records are parked no more."""
        ...

    async def failing(self, live: Live) -> None:
        """Tell its tenant that it fails."""
        ...

    async def disable(self, live: Live, why: Verdict) -> None:
        """Its destination wants nothing any more."""
        ...


class Turns:
    """Who may send now; one for all streams of a loop."""

    def __init__(self) -> None:
        self.sound = asyncio.Semaphore(SENDING_MAX)
        self.failing = asyncio.Semaphore(FAILING_MAX)


async def wait_for(event: asyncio.Event, seconds: float | None) -> bool:
    """Wait for an event; False when the time is over."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


class Surroundings(msgspec.Struct, frozen=True):
    """What a pump is among."""

    keeper: Keeper
    turns: Turns
    work: Callable[[Callable[[], Any]], Awaitable[Any]]
    """Runs what blocks in a thread."""
    clock_us: Callable[[], int]
    chance: Callable[[], float]
    """0 to 1, anew each time."""
    wait: Callable[[asyncio.Event, float | None], Awaitable[bool]] = wait_for


class Pump:
    """Sends what one stream has to send, until it is stopped or idle."""

    def __init__(
        self, live: Live, reader: Reader, destination: Destination, among: Surroundings
    ) -> None:
        self._live = live
        self._reader = reader
        self._destination = destination
        self._among = among
        self._news = asyncio.Event()
        self._hurry = asyncio.Event()
        self._is_ending = False

    def wake(self) -> None:
        """There may be something new."""
        self._news.set()

    def hurry(self) -> None:
        """Do not wait for the next attempt's time."""
        self._hurry.set()
        self._news.set()

    def end(self) -> None:
        """Send nothing more. What is being sent is waited for; the caller says how long."""
        self._is_ending = True
        self.hurry()

    async def run(self) -> None:
        """Go on until `end`, until nothing comes for a while, or until the stream is disabled."""
        try:
            await self._wait_out()
            while not self._is_ending and await self._step():
                pass
        finally:
            self._reader.forget()
            await self._destination.close()

    async def _step(self) -> bool:
        """One batch, or one wait; False where it is over."""
        # Cleared before we look, so that nothing can come between the two.
        self._news.clear()
        self._hurry.clear()
        came = await self._attempt()
        if isinstance(came, Verdict):
            return await self._stopped(came)
        if not came:
            if not await self._among.wait(self._news, IDLE_S):
                return False
            await self._among.wait(self._hurry, LINGER_S)
        return True

    async def _attempt(self) -> Verdict | bool:
        """Read and send once; False where nothing is there, and why where it was not taken.

        A turn is waited for before anything is read: what waits is nowhere in memory, and nothing
        expires between reading and sending. On return nothing of a batch is held.
        """
        turns = self._among.turns
        async with turns.failing if self._live.health.failures else turns.sound:
            if self._is_ending:
                return True
            if self._live.retry:
                return await self._send_parked()
            batch = await self._read()
            if isinstance(batch, Batch):
                return await self._deliver(batch)
            return batch or False

    async def _read(self) -> Batch | Verdict | None:
        batching = _PROBE if self._live.health.failures else self._destination.batching
        first = self._live.next
        return await self._tried(lambda: self._reader.next(first, batching))

    async def _tried(self, work: Callable[[], T]) -> T | Verdict:
        """What reading gives, or why it does not."""
        try:
            found: T = await self._among.work(work)
        except Busy as error:
            return Verdict(Outcome.LATER, BUSY, "the archive is busy", error.retry_after_s)
        except Corrupt as error:
            _log.error("a stream meets damage", stream=self._live.stream.id, detail=str(error))
            return Verdict(
                Outcome.LATER, "damaged", "the archive is damaged here: sealog verify says where"
            )
        except Exception as error:  # noqa: BLE001 - the stream says that it fails, the log says why
            return self._surprised(error)
        return found

    def _surprised(self, error: Exception) -> Verdict:
        _log.error(
            "a stream failed on our side",
            stream=self._live.stream.id,
            error=type(error).__name__,
            # Only our own words: others may quote an event.
            detail=str(error) if isinstance(error, SealogError) else None,
        )
        return Verdict(Outcome.LATER, "internal", "something went wrong on our side")

    async def _deliver(self, batch: Batch) -> Verdict | bool:
        """Send a batch, as far as it is taken; why the stream cannot go past that, if it cannot."""
        verdicts = await self._sent(batch.records) if batch.records else []
        for record, verdict in zip(batch.records, verdicts, strict=False):
            unsettled = self._settle(record, verdict)
            if unsettled is not None:
                self._among.keeper.moved(self._live)
                return unsettled
        # What was not tried is read again: it may have expired meanwhile.
        if len(verdicts) >= len(batch.records):
            self._live.next = batch.next
        self._among.keeper.moved(self._live)
        return True

    def _settle(self, record: Outgoing, verdict: Verdict) -> Verdict | None:
        """Take down what became of a record; why the stream cannot go past it, if it cannot."""
        if verdict.outcome is Outcome.DELIVERED:
            self._took(record)
        elif verdict.outcome is Outcome.REFUSED:
            if self._live.parked >= PARKED_MAX:
                reason = f"{PARKED_MAX} records are parked: send them again, or drop them"
                return Verdict(Outcome.LATER, "parked-full", reason)
            if self._live.health.refused_in_a_row >= REFUSED_IN_A_ROW_MAX:
                reason = (
                    f"{REFUSED_IN_A_ROW_MAX} records in a row were refused, and the next as well"
                )
                return Verdict(Outcome.LATER, "refuses-all", f"{reason}: {verdict.kind}")
            self._live.health.refused += 1
            self._live.health.refused_in_a_row += 1
            self._live.parked += 1
            self._among.keeper.park(self._live, self._parked(record.index, verdict))
        else:
            return verdict
        self._live.next = record.index + 1
        return None

    def _took(self, record: Outgoing) -> None:
        health = self._live.health
        health.delivered += 1
        health.delivered_bytes += len(record.body)
        health.last_success_us = self._among.clock_us()
        health.refused_in_a_row = 0
        if health.failures:
            health.failures = 0
            health.failing_since_us = health.next_attempt_us = None
            _log.info("a stream delivers again", stream=self._live.stream.id)

    def _parked(self, index: int, verdict: Verdict) -> Parked:
        reason = f"{verdict.kind}: {verdict.reason}" if verdict.reason else verdict.kind
        return Parked(index, self._among.clock_us(), 1, reason[:REASON_CHARS_MAX])

    async def _sent(self, records: Sequence[Outgoing]) -> list[Verdict]:
        """What the destination says of records; one verdict at least."""
        try:
            async with asyncio.timeout(SEND_S):
                verdicts = await self._destination.send(records)
        except TimeoutError:
            return [Verdict(Outcome.LATER, "timeout", "it took too long")]
        except Exception as error:  # noqa: BLE001 - the stream says that it fails, the log says why
            return [self._surprised(error)]
        return verdicts or [Verdict(Outcome.LATER, "silent", "nothing was said of it")]

    async def _send_parked(self) -> Verdict | bool:
        """Send one that was parked and is asked for again.

        Asked for is one attempt: what is not taken stays parked, for it MUST NOT hold up the stream.
        """
        live, keeper = self._live, self._among.keeper
        index = min(live.retry)
        record = await self._tried(lambda: self._reader.single(index))
        if record is None:
            # It has expired: the statement that says so comes, or came, in its own place.
            live.retry.discard(index)
            keeper.unpark(live, [index])
            return True
        if isinstance(record, Verdict):
            if record.kind == BUSY:
                return record
            verdict = record
        else:
            verdict = (await self._sent([record]))[0]
            if verdict.outcome is Outcome.GONE:
                return verdict
            if verdict.outcome is Outcome.LATER:
                # The others would fare no better, each after a timeout.
                live.retry.clear()
        live.retry.discard(index)
        if verdict.outcome is Outcome.DELIVERED:
            assert isinstance(record, Outgoing)
            self._took(record)
            keeper.unpark(live, [index])
        else:
            self._note(verdict)
            keeper.park(live, self._parked(index, verdict))
        return True

    async def _stopped(self, verdict: Verdict) -> bool:
        if verdict.outcome is Outcome.GONE:
            self._note(verdict)
            await self._among.keeper.disable(self._live, verdict)
            return False
        return await self._failed(verdict)

    async def _failed(self, verdict: Verdict) -> bool:
        """Note what failed, let go of everything, and wait for the next attempt's time."""
        now_us = self._among.clock_us()
        health = self._live.health
        self._note(verdict)
        health.failures += 1
        if health.failing_since_us is None:
            health.failing_since_us = now_us
        wait_s = schedule.delay_s(health.failures, verdict.retry_after_s, self._among.chance())
        health.next_attempt_us = now_us + int(wait_s * 1e6)
        self._among.keeper.moved(self._live)
        self._reader.forget()
        if self._is_to_be_told(now_us):
            health.told_us = now_us
            await self._among.keeper.failing(self._live)
        await self._wait_out()
        return True

    def _note(self, verdict: Verdict) -> None:
        self._live.health.last_error = Trouble(
            self._among.clock_us(), verdict.kind, verdict.reason[:REASON_CHARS_MAX]
        )
        _log.warning(
            "a stream is not taken",
            stream=self._live.stream.id,
            kind=verdict.kind,
            reason=verdict.reason[:REASON_CHARS_MAX],
        )

    def _is_to_be_told(self, now_us: int) -> bool:
        health = self._live.health
        if health.failures < TELL_AFTER:
            return False
        told_us, since_us = health.told_us, health.failing_since_us
        return told_us is None or (
            told_us < (since_us or 0) and not 0 <= now_us - told_us < TELL_EVERY_US
        )

    async def _wait_out(self) -> None:
        """Wait until the next attempt is due, or somebody is in a hurry."""
        health = self._live.health
        if health.next_attempt_us is not None and not self._is_ending:
            left_s = (health.next_attempt_us - self._among.clock_us()) / 1e6
            # A clock that was set back keeps nobody waiting for longer.
            left_s = min(left_s, schedule.MOST_S * (1 + schedule.JITTER))
            if left_s > 0:
                await self._among.wait(self._hurry, left_s)
        self._hurry.clear()
