"""Every export job, in memory and in `state.db`, and how much of what is limited they take."""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from sealog.errors import Busy, Limited
from sealog.exports import jobs
from sealog.exports.jobs import EXPIRED, FAILED, PENDING, READY, RUNNING, UNFINISHED, Job
from sealog.storage.store import Store

REMEMBERED_US = 7 * 86_400 * 1_000_000
"""What became of a job can be asked for so long after it was asked for."""
JOBS_PER_TENANT_MAX = 1_000
"""Jobs of a tenant that are remembered; of more the oldest that is over is forgotten."""


class Limits(msgspec.Struct, frozen=True):
    """What exports may take."""

    expire_after_s: float
    per_tenant_max: int
    """Jobs of a tenant that are under way or ready at once."""
    bytes_max: int
    """Of all files together."""


class Clocks(msgspec.Struct, frozen=True):
    """Time, as an argument."""

    us: Callable[[], int]
    """Microseconds since 1970."""
    monotonic_s: Callable[[], float]


class Register:
    """Changed by whoever holds `turn`, entry by entry; readers take no lock."""

    def __init__(self, store: Store, folder: Path, clocks: Clocks, limits: Limits) -> None:
        self.turn = threading.RLock()
        self._store = store
        self._folder = folder
        self._clocks = clocks
        self._limits = limits
        self._jobs: dict[str, Job] = {}
        self._deadlines: dict[str, float] = {}

    def load(self) -> None:
        """Read what is listed; what was being made waits again. Sweep what nobody lists."""
        with self._store.reading() as connection:
            found = jobs.read_all(connection)
        for job in found:
            self._jobs[job.id] = job
            if job.state == RUNNING:
                self.put(job, state=PENDING)
            elif job.state == READY:
                self._check(job)
        kept = {job.name for job in self._jobs.values() if job.state == READY}
        for path in self._folder.iterdir():
            if path.name not in kept and path.is_file():
                path.unlink()

    def get(self, job_id: str) -> Job | None:
        """A job as it was last put down; expired as soon as it is due."""
        job = self._jobs.get(job_id)
        if job is not None and job.state == READY and self._is_due(job):
            return msgspec.structs.replace(job, state=EXPIRED)
        return job

    def all(self) -> list[Job]:
        """Every job, in the order they were asked for."""
        found = (self.get(job_id) for job_id in list(self._jobs))
        return [job for job in found if job is not None]

    def path(self, job: Job) -> Path:
        """Where its file is, once it is ready."""
        return self._folder / job.name

    def add(self, job: Job) -> None:
        """A new job, durable when this returns. Raises `Limited` and `Busy` past the limits."""
        with self.turn:
            ours = [one for one in self.all() if one.tenant == job.tenant]
            busy = [one for one in ours if one.state in {PENDING, RUNNING, READY}]
            if len(busy) >= self._limits.per_tenant_max:
                raise Limited(
                    f"the tenant has {len(busy)} exports, as many as it may: remove one",
                    retry_after_s=60.0,
                )
            if self.bytes() >= self._limits.bytes_max:
                raise Busy("the room for exports is used up until one expires", retry_after_s=300.0)
            if len(ours) >= JOBS_PER_TENANT_MAX:
                self.forget(next(one for one in ours if one not in busy))
            self._store.write(lambda connection: jobs.add(connection, job)).result()
            self._jobs[job.id] = job

    def put(self, job: Job, **changes: object) -> Job:
        """Put down what became of a job as it stands, durable when this returns."""
        after = msgspec.structs.replace(job, **changes)
        now_us = self._clocks.us()
        if job.state in UNFINISHED and after.state not in UNFINISHED:
            after = msgspec.structs.replace(after, finished_us=now_us)
        if job.state == RUNNING and after.state == READY:
            expires_us = now_us + int(self._limits.expire_after_s * 1e6)
            if after.expires_us is not None:
                # What it holds goes sooner.
                expires_us = min(expires_us, after.expires_us)
            after = msgspec.structs.replace(after, expires_us=expires_us)
        with self.turn:
            assert self._jobs.get(job.id) == job
            written = self._store.write(
                lambda connection: jobs.change(connection, after, from_state=job.state)
            ).result()
            assert written
            if after.state == READY:
                self._set_deadline(after)
            else:
                self._deadlines.pop(job.id, None)
            self._jobs[job.id] = after
        return after

    def forget(self, job: Job) -> None:
        """Remove a job and its file."""
        with self.turn:
            self.path(job).unlink(missing_ok=True)
            self._store.write(lambda connection: jobs.remove(connection, job.id)).result()
            self._jobs.pop(job.id, None)
            self._deadlines.pop(job.id, None)

    def bytes(self) -> int:
        """Of all files that are ready."""
        return sum(job.bytes for job in list(self._jobs.values()) if job.state == READY)

    def expire(self) -> None:
        """Remove the files of all that is due, and forget what is long over."""
        for job in list(self._jobs.values()):
            with self.turn:
                if self._jobs.get(job.id) != job:
                    continue
                if job.state == READY and self._is_due(job):
                    self._end(job)
                elif (
                    job.state not in {READY, *UNFINISHED}
                    and self._clocks.us() - job.created_us >= REMEMBERED_US
                ):
                    self.forget(job)

    def recall(self, tenant: int) -> None:
        """Remove a tenant's files; what is being made begins anew."""
        for job in list(self._jobs.values()):
            with self.turn:
                if job.tenant != tenant or self._jobs.get(job.id) != job:
                    continue
                if job.state == READY:
                    self._end(job)
                elif job.state == RUNNING:
                    self.put(job, state=PENDING)

    def next_s(self) -> float:
        """Seconds until the next is due, by the clock that is never set."""
        nearest = min(list(self._deadlines.values()), default=float("inf"))
        return nearest - self._clocks.monotonic_s()

    def _end(self, job: Job) -> None:
        # The file first: should we die between, the job is told to have lost it.
        self.path(job).unlink(missing_ok=True)
        self.put(job, state=EXPIRED)

    def _check(self, job: Job) -> None:
        path = self.path(job)
        if path.is_file() and path.stat().st_size == job.bytes:
            self._set_deadline(job)
        else:
            self.put(job, state=FAILED, error="its file was lost")

    def _set_deadline(self, job: Job) -> None:
        left_s = ((job.expires_us or 0) - self._clocks.us()) / 1e6
        left_s = min(left_s, self._limits.expire_after_s)
        self._deadlines[job.id] = self._clocks.monotonic_s() + left_s

    def _is_due(self, job: Job) -> bool:
        """By either clock: one that is set back keeps nothing for longer."""
        if self._clocks.us() >= (job.expires_us or 0):
            return True
        return self._clocks.monotonic_s() >= self._deadlines.get(job.id, float("inf"))
