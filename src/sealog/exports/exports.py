"""Exports: jobs that are asked for, made in the background, fetched, and gone after a while.

A file is written under another name, made durable, renamed, and only then listed as ready. If we
die before that, the job is begun again at the next start, and what it wrote is swept away.
"""

import threading
import time
from collections.abc import Callable, Iterator
from typing import IO, Any, Protocol

import msgspec
import structlog

from sealog.archive.packwise import Piece
from sealog.archive.segments import Segment
from sealog.errors import Busy, Conflict, Corrupt, Gone, Missing, SealogError
from sealog.event.moulds import Derive
from sealog.event.tenants import Tenant
from sealog.exports import making, workers
from sealog.exports.forms import Form
from sealog.exports.jobs import CANCELLED, FAILED, PENDING, READY, RUNNING, UNFINISHED, Job
from sealog.exports.making import Halted, Made, Ways
from sealog.exports.part import Unwritten
from sealog.exports.register import Clocks, Limits, Register
from sealog.exports.workers import Crew
from sealog.query.tree import Query
from sealog.storage.folder import Folder
from sealog.storage.store import Store

ID_BYTES = 12
LOOK_EVERY_S = 30.0
"""The clock may be set: what is to expire is looked for at least this often."""
RETRY_S = 5.0
VISIBLE_S = 1.0
"""While what is accepted is not visible yet, whether to go on is asked this often."""

_log = structlog.get_logger("sealog.exports")


class Settings(msgspec.Struct, frozen=True):
    """How exports are made."""

    expire_after_s: float = 86_400.0
    running_max: int = 1
    per_tenant_max: int = 10
    """Jobs of a tenant that are under way or ready at once."""
    bytes_max: int = 50 << 30
    """Of all files together."""
    workers: int | None = None
    """Processes that write a large export; 0 leaves it to a thread, None is for one a core, up to 2."""


class Wanted(msgspec.Struct, frozen=True):
    """What is asked for."""

    form: Form
    query: Query
    asked: dict[str, Any]
    """The parameters as they were given."""


class Finished(msgspec.Struct, frozen=True):
    """An export that became ready: who took what out."""

    job: str
    tenant: int
    key: str
    events: int
    first: int | None
    last: int | None


class Source(Protocol):
    """Where events come from; see `archive.archive.Archive`."""

    def wait_for(self, tenant: Tenant, index: int, timeout_s: float) -> bool:
        """Wait until the event at an index is visible; False when the time is over."""
        ...

    def segments(self, tenant: Tenant) -> tuple[Segment, ...]:
        """A tenant's segments."""
        ...

    def pieces(
        self, tenant: Tenant, query: Query, end: int, *, now_us: int | None = None
    ) -> Iterator[Piece]:
        """The events below an index that pass, in order, pack by pack.

        `now_us`: without what has expired by then.
        """
        ...


class World(msgspec.Struct, frozen=True):
    """What exports depend on beside the archive."""

    tenants: Callable[[int], Tenant | None]
    size: Callable[[int], int]
    """Tenant number → how many of its events are accepted."""
    randomness: Callable[[int], bytes]
    clock_us: Callable[[], int]
    derive: Derive | None = None
    """What follows from each event and is written with it."""
    finished: Callable[[Finished], None] = lambda _: None
    """Told of every export that became ready, in the thread that made it. It MUST NOT raise."""
    monotonic_s: Callable[[], float] = time.monotonic
    spare_us: Callable[[int], int] = lambda _: 0
    """Tenant number → what goes into an export is kept for so long still, at least."""
    first_expiry_us: Callable[[Tenant, Query, int], int | None] = lambda *_: None
    """When the first of the events below an index that pass expires; None: never."""


class Exports:
    """Every export of the installation. Asking and fetching may be done from any thread."""

    def __init__(
        self, store: Store, folder: Folder, source: Source, world: World, settings: Settings
    ) -> None:
        self._folder = folder.exports
        self._source = source
        self._world = world
        self._settings = settings
        clocks = Clocks(world.clock_us, world.monotonic_s)
        limits = Limits(settings.expire_after_s, settings.per_tenant_max, settings.bytes_max)
        self._register = Register(store, self._folder, clocks, limits)
        self._workers = workers.count_of(settings.workers)
        self._crew = Crew(self._workers)
        # Job → how far it is; changed by whoever holds the register's turn.
        self._under_way: dict[str, _UnderWay] = {}
        self._served = 0
        # Numbers of tenants whose files are to go.
        self._recalled: set[int] = set()
        self._look = threading.Event()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()

    def start(self) -> None:
        """Take up what was under way when the program ended, and go on in threads."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._register.load()
        works = [self._make_all] * self._settings.running_max
        for work in (*works, self._expire_all):
            thread = threading.Thread(target=work, name="sealog-exports", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End what is under way; it is begun again at the next start."""
        self._stopping.set()
        self._look.set()
        self._wake()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._crew.close()

    def create(self, tenant: Tenant, key: str, wanted: Wanted) -> Job:
        """A new job, durable when this returns. Raises `Limited` and `Busy` past the limits."""
        if not self._threads:
            raise Busy("exports are made while a server runs")
        # Of what is accepted, not of what is visible yet: whoever holds a receipt finds it.
        size = self._world.size(tenant.number)
        job = Job(
            id="exp_" + self._world.randomness(ID_BYTES).hex(),
            tenant=tenant.number,
            key=key,
            state=PENDING,
            format=wanted.form.name,
            columns=wanted.form.columns,
            dialect=wanted.form.dialect,
            ecs_version=wanted.form.ecs_version,
            asked=wanted.asked,
            query=msgspec.json.encode(wanted.query).decode(),
            size=size,
            estimated=self._estimate(tenant, wanted.query, size),
            created_us=self._world.clock_us(),
        )
        self._register.add(job)
        self._wake()
        return job

    def get(self, job_id: str) -> Job | None:
        """A job as it is now."""
        job = self._register.get(job_id)
        return None if job is None else self._now(job)

    def all(self) -> list[Job]:
        """Every job that is remembered, the newest first."""
        return [self._now(job) for job in reversed(self._register.all())]

    def open(self, job_id: str) -> tuple[Job, IO[bytes]]:
        """A finished file. Raises `Missing`, `Conflict` before it is ready, `Gone` afterwards."""
        job = self._register.get(job_id)
        if job is None:
            raise no_export()
        if job.state in UNFINISHED:
            raise Conflict(f"the export is {job.state}", code="export-not-ready")
        if job.state != READY:
            raise Gone(f"the export is {job.state}", code="export-gone")
        try:
            return job, self._register.path(job).open("rb")
        except FileNotFoundError as error:
            raise Gone("the export was removed", code="export-gone") from error

    def remove(self, job_id: str) -> None:
        """End a job that is under way; forget one that is over, and its file. None is no error."""
        with self._register.turn:
            job = self._register.get(job_id)
            if job is None:
                return
            if job.state in UNFINISHED:
                self._register.put(job, state=CANCELLED)
            else:
                self._register.forget(job)

    def recall(self, tenant: int) -> None:
        """How long a tenant's events are kept has changed: its files go, those under way begin anew.

        It happens soon after, in another thread; this is quick, and raises nothing.
        """
        self._recalled.add(tenant)
        self._look.set()

    def _now(self, job: Job) -> Job:
        at = self._under_way.get(job.id)
        if at is None or job.state != RUNNING:
            return job
        return msgspec.structs.replace(job, events=at.events, bytes=at.bytes)

    def _estimate(self, tenant: Tenant, query: Query, size: int) -> int:
        """At most so many: what happened at another time is known not to pass."""
        ruled_out = sum(
            segment.count
            for segment in self._source.segments(tenant)
            if (query.from_us is not None and segment.last_us < query.from_us)
            or (query.to_us is not None and segment.first_us >= query.to_us)
        )
        return max(size - ruled_out, 0)

    def _make_all(self) -> None:
        while not self._stopping.is_set():
            job = self._begin_next()
            if job is None:
                with self._changed:
                    if not self._stopping.is_set():
                        self._changed.wait(RETRY_S)
                continue
            try:
                self._make(job)
            except Busy as error:
                # The disk may have room for state.db again in a while.
                _log.error("export waits", export=job.id, error=str(error))
                self._stopping.wait(RETRY_S)
            finally:
                self._under_way.pop(job.id, None)

    def _begin_next(self) -> Job | None:
        """The job that waits longest, of another tenant than the last one where there is one."""
        with self._register.turn:
            waiting = [
                job
                for job in self._register.all()
                if job.state in UNFINISHED and job.id not in self._under_way
            ]
            if not waiting:
                return None
            chosen = min(waiting, key=lambda job: (job.tenant == self._served, job.created_us))
            self._served = chosen.tenant
            self._under_way[chosen.id] = _UnderWay()
            return chosen

    def _make(self, job: Job) -> None:
        with self._register.turn:
            if self._register.get(job.id) != job:
                return
            if job.state == PENDING:
                job = self._register.put(job, state=RUNNING)
        try:
            made = self._make_file(job)
        except Halted:
            return
        except Unwritten as error:
            self._fail(job, str(error), error)
        except Corrupt as error:
            self._fail(job, "something of it is damaged: the server's log says what", error)
        except Exception as error:  # noqa: BLE001 - the job says that it failed, the log says why
            self._fail(job, "something went wrong on our side: the server's log says what", error)
        else:
            self._settle(job, made, self._under_way[job.id].expires_us)

    def _make_file(self, job: Job) -> Made:
        tenant = self._world.tenants(job.tenant)
        if tenant is None:
            raise Unwritten("its tenant is not there any more")
        at = self._under_way[job.id]

        def tell(events: int, size: int) -> None:
            at.events, at.bytes = events, size
            if self._stopping.is_set() or self._register.get(job.id) != job:
                raise Halted
            if at.expires_us is not None and self._world.clock_us() >= at.expires_us:
                raise Unwritten("what it holds expired before all of it was written")

        def take(size: int) -> bool:
            under_way = sum(other.bytes for other in list(self._under_way.values()))
            used = self._register.bytes() + under_way
            return used + size <= self._settings.bytes_max

        while job.size and not self._source.wait_for(tenant, job.size - 1, VISIBLE_S):
            tell(0, 0)
        query = msgspec.json.decode(job.query, type=Query)
        # Else a file with everything would be gone as soon as it is there: something always expires.
        spare_us = self._world.spare_us(job.tenant)
        until_us = self._world.clock_us() + spare_us if spare_us else None
        first_us = self._world.first_expiry_us(tenant, query, job.size)
        at.expires_us = None if first_us is None else max(first_us, until_us or 0)
        pieces = (
            self._source.pieces(tenant, query, job.size, now_us=until_us)
            if spare_us
            else self._source.pieces(tenant, query, job.size)
        )
        crew = self._crew if workers.count_for(job.estimated, self._workers) else 0
        ways = Ways(crew, take, self._world.derive, tell)
        return making.make(self._register.path(job), job.form, pieces, ways)

    def _settle(self, job: Job, made: Made, expires_us: int | None) -> None:
        with self._register.turn:
            if self._register.get(job.id) != job:
                self._register.path(job).unlink(missing_ok=True)
                return
            self._register.put(
                job,
                state=READY,
                events=made.events,
                bytes=made.bytes,
                sha256=made.sha256,
                expires_us=expires_us,
            )
        _log.info("export ready", export=job.id, key=job.key, events=made.events, bytes=made.bytes)
        self._world.finished(
            Finished(job.id, job.tenant, job.key, made.events, made.first, made.last)
        )

    def _fail(self, job: Job, told: str, error: Exception) -> None:
        _log.error(
            "export failed",
            export=job.id,
            error=type(error).__name__,
            # Only our own words: others may quote an event.
            detail=str(error) if isinstance(error, SealogError) else None,
        )
        with self._register.turn:
            if self._register.get(job.id) == job:
                self._register.put(job, state=FAILED, error=told)

    def _expire_all(self) -> None:
        while not self._stopping.is_set():
            self._look.clear()
            try:
                self._recall_all()
                self._register.expire()
            except (Busy, OSError) as error:
                _log.error("exports cannot expire yet", error=str(error))
                self._stopping.wait(RETRY_S)
                continue
            self._look.wait(min(max(self._register.next_s(), 0.01), LOOK_EVERY_S))

    def _recall_all(self) -> None:
        while self._recalled:
            tenant = next(iter(self._recalled))
            # Before the jobs: who is recalled again meanwhile is looked at again.
            self._recalled.discard(tenant)
            try:
                self._register.recall(tenant)
            except BaseException:
                self._recalled.add(tenant)
                raise

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class _UnderWay(msgspec.Struct):
    """How far a job is."""

    expires_us: int | None = None
    """When the first of what it holds expires."""
    events: int = 0
    bytes: int = 0


def no_export() -> Missing:
    """There is no such job, or it is another tenant's: one answer for both."""
    return Missing("there is no such export", code="no-such-export")
