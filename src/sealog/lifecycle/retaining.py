"""Retention's thread: what has expired is stated, and then it goes (decision 0016).

A tenant's window is 1/100 of the shortest time that anything of it is kept: in one at most one
statement is sealed, unless one cannot hold it all. What has expired waits for the end of the window,
and before it for the end of its segment, and is gone within 1/48. See `intents` for what a crash
leaves.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Protocol

import msgspec
import structlog

from sealog.errors import Busy, SealogError
from sealog.event import stating
from sealog.event.stating import Span, Statement
from sealog.event.tenants import Tenant
from sealog.lifecycle import intents
from sealog.lifecycle.intents import Intent
from sealog.lifecycle.trust import Judgement, Trust
from sealog.storage.store import Store

LOOK_EVERY_S = 60.0
LOOK_AGAIN_S = 1.0
WINDOWS = 100
TENANTS_AT_ONCE = 64
DUES_AT_ONCE = 16
"""Statements of one tenant and window; what is more waits for the next round."""
VISIBLE_S = 0.25
VISIBLE_LOOKS = 120
"""So often, in one round, statements that are not searchable yet are waited for."""
RETRY_S = 30.0

_log = structlog.get_logger("sealog.retention")


class Due(Protocol):
    """Some of what has expired; see `archive.expiring.Due`."""

    @property
    def ranges(self) -> tuple[Span, ...]:
        """The indexes."""
        ...

    @property
    def kept(self) -> tuple[str, ...]:
        """The classes they stand in."""
        ...


class Dropped(Protocol):
    """What is gone; see `archive.expiring.Dropped`."""

    @property
    def events(self) -> int:
        """How many events."""
        ...

    @property
    def bytes(self) -> int:
        """How large their files were."""
        ...


class Source(Protocol):
    """Where events rest; see `archive.archive.Archive`."""

    def due(self, now_us: int) -> list[int]:
        """The numbers of the tenants of which something may go."""
        ...

    def expired_until(self, tenant: Tenant, now_us: int) -> Iterator[Due]:
        """What of a tenant may go."""
        ...

    def drop(self, tenant: Tenant, statement: int, ranges: Sequence[Span]) -> Dropped:
        """Let it go; the statement MUST be durable."""
        ...

    def wait_for(self, tenant: Tenant, index: int, timeout_s: float) -> bool:
        """Wait until the event at an index is visible."""
        ...


class Rules(Protocol):
    """How long a tenant's events are kept; see `policy.retention.Retention`."""

    @property
    def version(self) -> int:
        """Which version of the tenant's rules."""
        ...

    def shortest_s(self) -> int | None:
        """The shortest that anything is kept."""
        ...


class World(msgspec.Struct, frozen=True):
    """What retention depends on beside the archive."""

    tenants: Callable[[int], Tenant | None]
    rules: Callable[[int], Rules]
    shortest_s: Callable[[], int | None]
    """The shortest that anything of any tenant is kept."""
    state: Callable[[Sequence[tuple[Tenant, Sequence[Statement]]]], list[list[int]]]
    """Seals statements, durably; see `intake.stating.Stater.state`."""
    keep_of: Callable[[str], int | None]
    """Seconds for which what stands in a class is kept."""
    monotonic_s: Callable[[], float]


class Done(msgspec.Struct):
    """What retention has done since the start."""

    statements: int = 0
    events: int = 0
    bytes: int = 0


class Retainer:
    """`start` it where events are accepted; `stop` it before the archive is stopped."""

    def __init__(self, store: Store, source: Source, trust: Trust, world: World) -> None:
        self.done = Done()
        self.trouble: Exception | None = None
        self.trust = trust
        self._store = store
        self._source = source
        self._world = world
        # Noted and not done: of these tenants nothing else may be stated.
        self._open = intents.read_all(store)
        # Tenant → when its window is over.
        self._again_s: dict[int, float] = {}
        self._held = 0
        self._turn = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Go on in a thread, first with what a crash left half done."""
        self._thread = threading.Thread(target=self._run, name="sealog-retention", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the step under way."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        # What is not noted now, because the disk is full say, was noted minutes ago.
        with suppress(SealogError):
            self.trust.mark(now=True)

    def hurry(self) -> None:
        """Look soon: rules have changed, or the clock was confirmed."""
        self._wake.set()

    def judge(self) -> Judgement:
        """What is to be thought of the clock now."""
        return self.trust.judge()

    def confirm(self) -> Judgement:
        """Believe the clock as it is, and go on by it."""
        judged = self.trust.confirm()
        self.hurry()
        return judged

    def held(self) -> int:
        """Tenants of which something should go, and does not because the clock is not trusted."""
        return self._held

    def step(self) -> None:
        """Finish what was begun; then state what has expired, and let it go.

        Raises what stands in the way of all, at once, or in the end what stood in one tenant's; what
        is durable by then stays so, and is gone on with.
        """
        with self._turn:
            self.trust.mark()
            troubles = self._finish(self._open)
            judged = self.trust.judge()
            due = self._source.due(judged.now_us)
            self._hold(judged, len(due))
            chosen = self._chosen(due) if judged.is_trusted else iter(())
            while (numbers := list(islice(chosen, TENANTS_AT_ONCE))) and not self._stopping:
                found, wrong = self._intended(numbers, judged)
                if found:
                    intents.note(self._store, found)
                    self._open += found
                troubles += wrong + self._finish(found)
            if troubles:
                raise troubles[0]

    def _hold(self, judged: Judgement, due: int) -> None:
        held = 0 if judged.is_trusted else due
        if held and not self._held:
            _log.warning(
                "retention stopped: the clock is not trusted; see sealog retention clock",
                tenants=held,
                ahead_s=judged.ahead_us // 1_000_000 if judged.expected_us else None,
            )
        self._held = held

    def _chosen(self, due: Iterable[int]) -> Iterator[int]:
        """Those whose last window is over, and nothing of whom is half done."""
        now_s = self._world.monotonic_s()
        self._again_s = {number: at for number, at in self._again_s.items() if at > now_s}
        busy = {one.tenant for one in self._open}
        return (number for number in due if number not in self._again_s and number not in busy)

    def _intended(
        self, numbers: Iterable[int], judged: Judgement
    ) -> tuple[list[Intent], list[SealogError]]:
        """What is to be stated of some tenants, and what is wrong with the others."""
        found: list[Intent] = []
        wrong: list[SealogError] = []
        for number in numbers:
            tenant = self._known(number)
            rules = self._world.rules(number)
            window_s = (rules.shortest_s() or 0) / WINDOWS
            self._again_s[number] = self._world.monotonic_s() + window_s
            try:
                dues = list(islice(self._source.expired_until(tenant, judged.now_us), DUES_AT_ONCE))
            except SealogError as error:
                wrong.append(error)
                continue
            policy = f"version {rules.version}"
            said = [
                says
                for due in dues
                for says in stating.sayings(due.ranges, reason=self._reason(due), policy=policy)
            ]
            found += [
                Intent(number, f"retention/{judged.now_us}/{nth}", judged.now_us, says)
                for nth, says in enumerate(said)
            ]
        return found, wrong

    def _reason(self, due: Due) -> str:
        kept = {self._world.keep_of(one) for one in due.kept}
        each = sorted(seconds for seconds in kept if seconds is not None)
        return f"kept for {', '.join(map(str, each))} s"

    def _finish(self, several: Sequence[Intent]) -> list[SealogError]:
        """Seal the statements, let go what they speak of, and forget the intents.

        What is wrong with one tenant keeps nobody else's events: it is given back.
        """
        if not several:
            return []
        of_tenant: dict[int, list[Intent]] = {}
        for one in several:
            of_tenant.setdefault(one.tenant, []).append(one)
        known = [(self._known(number), theirs) for number, theirs in of_tenant.items()]
        indexes = self._world.state(
            [(tenant, [one.statement for one in theirs]) for tenant, theirs in known]
        )
        # From here on the statements are durable.
        wrong: list[SealogError] = []
        done: list[Intent] = []
        looks = iter(range(VISIBLE_LOOKS))
        for (tenant, theirs), at in zip(known, indexes, strict=True):
            try:
                for one, index in zip(theirs, at, strict=True):
                    self._await(tenant, index, looks)
                    self._drop(tenant, one, index)
                    done.append(one)
            except SealogError as error:
                wrong.append(error)
        self._store.write(lambda connection: intents.remove(connection, done)).result()
        self._open = [one for one in self._open if one not in done]
        return wrong

    def _known(self, number: int) -> Tenant:
        tenant = self._world.tenants(number)
        assert tenant is not None
        return tenant

    def _await(self, tenant: Tenant, index: int, looks: Iterator[int]) -> None:
        """Whoever finds nothing at an index is to find the statement."""
        while not self._source.wait_for(tenant, index, VISIBLE_S):
            if self._stopping or next(looks, None) is None:
                raise Busy("a statement is not searchable yet")

    def _drop(self, tenant: Tenant, one: Intent, index: int) -> None:
        gone = self._source.drop(tenant, index, one.spans())
        self.done.statements += 1
        self.done.events += gone.events
        self.done.bytes += gone.bytes
        _log.info("events expired", tenant=tenant.log_id, events=gone.events, statement=index)

    def _run(self) -> None:
        while not self._stopping:
            try:
                self.step()
            except Exception as error:  # noqa: BLE001 - `trouble` tells, and it is tried again
                if type(error) is not type(self.trouble):
                    # Not its words, which may name a file.
                    _log.error("retention does not get on", error=type(error).__name__)
                self.trouble = error
                self._wake.wait(RETRY_S)
            else:
                self.trouble = None
                self._wake.wait(self._until_next_s())
            self._wake.clear()

    def _until_next_s(self) -> float:
        """Until a window is over, or something may be due that was not."""
        look_s = min(LOOK_EVERY_S, (self._world.shortest_s() or 0) / WINDOWS or LOOK_EVERY_S)
        now_s = self._world.monotonic_s()
        windows = [at - now_s for at in self._again_s.values()]
        return min(look_s, max(min(windows, default=look_s), LOOK_AGAIN_S))
