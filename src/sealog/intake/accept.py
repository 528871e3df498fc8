"""The path of an event from a request to its receipt. Read this first.

    unpack · split         wire       the body becomes records; a bad one becomes a refusal
    mask                   refine     secrets are cut before anything is stored or hashed
    translate              dialects   each record becomes an ECS draft, nothing lost
    stamp · split · seal   event      parts are encoded once, salted, hashed
    append                 journal    durable, with an index, in one commit with whoever waits
    answer                 here       one receipt or refusal per record, in the order sent

A batch goes through as one list; a refused record is a value in it. Sealing the log and archiving
follow the journal on their own (`ledger`, `archive`): nothing here waits for them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Protocol, cast

import msgspec

from sealog.access.tenants import Tenants
from sealog.catalog.shelf import Catalog
from sealog.dialects.dialect import Settings as DialectSettings
from sealog.errors import Busy, Conflict, Refused, SealogError
from sealog.event.batch import Batch, Outcome, Receipt
from sealog.event.tenants import Tenant
from sealog.intake import choosing, together
from sealog.intake.choosing import NotRecorded
from sealog.intake.gathering import Gathering, Said, Waiting
from sealog.intake.landing import Landing
from sealog.intake.preparing import Job, Prepared, Preparer
from sealog.intake.source import Source
from sealog.intake.together import Together
from sealog.intake.workers import Fatal, Workers
from sealog.policy.settings import TenantSettings

CROWD_MIN = 8
"""So many small requests at once go to a worker, where there are any: handing over less costs more
than it saves, and who comes alone waits for one hop less."""

Answer = Receipt | Refused | NotRecorded
Prepare = Callable[[Job], Awaitable[Prepared]]
Note = Callable[[Tenant, Iterable[choosing.Named]], None]
"""Where what is not recorded is counted: dialect and native name of each."""


class Journal(Protocol):
    """What intake needs of the journal."""

    def append(self, batches: list[Batch]) -> Future[list[Outcome]]:
        """See `journal.journal.Journal.append`."""
        ...

    def append_all(
        self, requests: Sequence[list[Batch]]
    ) -> tuple[Future[list[Outcome]], dict[int, Busy]]:
        """See `journal.journal.Journal.append_all`."""
        ...


class Settings(msgspec.Struct, frozen=True):
    """How requests are prepared."""

    inline_bytes_max: int = 20_000
    """Bodies up to this are prepared where they arrive, together with all that wait at that moment;
    larger and compressed ones in the preparing thread, or in the workers where there are any."""
    workers: int = 0
    """Processes that prepare larger bodies; 0 leaves them to a thread of this one."""
    preparing_bytes_max: int = 256 << 20
    """Bytes of bodies that may be in preparation at once; more is `Busy`."""
    dialects: dict[str, DialectSettings] = {}


class Intake:
    """The one way in, for the API, the command line and the demo alike."""

    def __init__(
        self,
        journal: Journal,
        tenants: Tenants,
        parts: tuple[Catalog, Callable[[], int], Callable[[int], bytes]],
        entry_at: Callable[[Tenant, int], bytes],
        settings: Settings | None = None,
        *,
        note: Note = lambda _tenant, _types: None,
    ) -> None:
        """`parts`: the catalog, the clock (µs) and the source of random bytes.

        `entry_at` gives the 33 bytes sealed at an index, for the receipt of a repeated record.
        `note` counts what a tenant chose not to record; it is called from the event loop.
        """
        catalog, self._clock, randomness = parts
        self._journal = journal
        self._tenants = tenants
        self._entry_at = entry_at
        self._settings = settings or Settings()
        self._here = Preparer(catalog, randomness)
        self._there = Preparer(catalog, randomness)
        # One thread: preparing holds the interpreter most of the time, so a second one adds nothing.
        self._thread = ThreadPoolExecutor(1, "sealog-preparer")
        self._workers = Workers(self._settings.workers) if self._settings.workers else None
        self._preparing_bytes = 0
        self._note = note
        self._day_first: dict[str, DialectSettings] = {}
        self._landing: Landing[list[Outcome]] | None = None
        self._gathering: tuple[asyncio.AbstractEventLoop, Gathering] | None = None

    async def accept(self, body: bytes, source: Source) -> list[Answer]:
        """Take a request in: one answer per record, in the order sent, everything durable.

        Raises `Refused` for a fault of the request as a whole and `Busy` where it must be sent
        again; in both cases nothing was kept.
        """
        if self._preparing_bytes and (
            self._preparing_bytes + len(body) > self._settings.preparing_bytes_max
        ):
            raise Busy("too many bytes are being prepared")
        self._preparing_bytes += len(body)
        try:
            # A few compressed bytes may become 32 MiB of records, which would hold the loop.
            is_plain = source.encoding in _PLAIN
            if is_plain and len(body) <= self._settings.inline_bytes_max:
                answers = None if source.imported else await self._gathered().join(body, source)
                if answers is not None:
                    return answers
                return await self._accept(body, source, self._at_once)
            return await self._accept(body, source, self._apart())
        finally:
            self._preparing_bytes -= len(body)

    def choose(self, chosen: Mapping[str, TenantSettings]) -> None:
        """What tenants, by name, chose holds for every request that begins from now on.

        One thread at a time. The tables are replaced, never changed: others read them meanwhile.
        """
        rules = {tenant: one.recorded for tenant, one in chosen.items()}
        self._here.chosen = self._there.chosen = choosing.changed(self._here.chosen, rules)
        day_first = self._day_first.copy()
        for tenant, one in chosen.items():
            day_first.pop(tenant, None)
            if one.day_first is not None:
                day_first[tenant] = DialectSettings(day_first=one.day_first)
        self._day_first = day_first
        if self._workers is not None:
            self._workers.choose(rules)

    def warm(self) -> None:
        """Start what prepares, in the background: until it is ready the thread does."""
        if self._workers is not None:
            self._workers.warm()

    def _apart(self) -> Prepare:
        """How what is not prepared where it arrives is."""
        workers = self._workers
        return self._in_thread if workers is None or workers.is_warming else workers.prepare

    def close(self) -> None:
        """Stop what prepares; what it was given is finished first."""
        self._thread.shutdown()
        if self._workers is not None:
            self._workers.close()

    def _gathered(self) -> Gathering:
        loop = asyncio.get_running_loop()
        if self._gathering is None or self._gathering[0] is not loop:
            self._gathering = loop, Gathering(self._accept_all)
        return self._gathering[1]

    async def _accept_all(self, group: Sequence[Waiting]) -> list[Said]:
        """The way of `_accept`, for several small requests as one."""
        now_us = self._clock()
        jobs = [
            Job(one.body, one.source, self._dialect_settings(one.source), now_us) for one in group
        ]
        try:
            prepared = await self._prepared_together(jobs)
        except Fatal:
            return [await self._said_alone(one) for one in group]
        except Exception:  # noqa: BLE001 - whichever it is will raise it again, the others will not
            return [None] * len(jobs)
        said = cast("list[Said]", prepared.answers)
        future, busy = self._journal.append_all([load.batches for load in prepared.loads])
        taken = [load for nth, load in enumerate(prepared.loads) if nth not in busy]
        for nth, error in busy.items():
            for owner in prepared.loads[nth].everyone():
                said[owner] = error
        # Nothing is promised before this line returns: the journal is on disk.
        outcomes = iter(await self._landed(future))
        for load in taken:
            own = list(islice(outcomes, len(load.batches)))
            prepared.fill(load, own)
            if any(outcome.repeated for outcome in own):
                await asyncio.to_thread(prepared.fill_repeated, load, own, self._entry_at)
        for answers in said:
            assert not isinstance(answers, list) or None not in answers
            if self._here.chosen and isinstance(answers, list):
                self._count(answers)
        return said

    async def _prepared_together(self, jobs: Sequence[Job]) -> Together:
        if self._workers is None or self._workers.is_warming or len(jobs) < CROWD_MIN:
            return together.prepare(self._here, jobs, self._tenants.get)
        prepared = await self._workers.prepare_all(jobs)
        told = [tenant for name in prepared.missing if (tenant := self._tenants.get(name))]
        return await self._workers.prepare_all(jobs, told) if told else prepared

    async def _said_alone(self, one: Waiting) -> Said:
        """One of a group that ended a worker: never here, where it would end all of us."""
        assert self._workers is not None
        try:
            return await self._accept(one.body, one.source, self._workers.prepare)
        except SealogError as error:
            return error

    def _count(self, answers: Iterable[Answer]) -> None:
        """Count what was left out; what is sent again after `Busy` was not counted before."""
        for name, types in choosing.left_out(answers).items():
            tenant = self._tenants.get(name)
            assert tenant is not None
            self._note(tenant, types)

    def _dialect_settings(self, source: Source) -> DialectSettings:
        if self._day_first and source.dialect == _WITH_DATES:
            chosen = self._day_first.get(source.tenant or source.grant.only or "")
            if chosen is not None:
                return chosen
        return self._settings.dialects.get(source.dialect, _DEFAULT)

    async def _accept(self, body: bytes, source: Source, prepare: Prepare) -> list[Answer]:
        settings = self._dialect_settings(source)
        job, prepared = await self._prepared(Job(body, source, settings, self._clock()), prepare)
        # Nothing is promised before this line returns: the journal is on disk.
        outcomes = await self._append(prepared.batches)
        answers = await self._answers(prepared, outcomes)
        if source.imported and any(outcome.conflicts for outcome in outcomes):
            await self._accept_again(job, answers, prepare)
        said = _all_of(answers)
        if self._here.chosen:
            self._count(said)
        return said

    async def _prepared(self, job: Job, prepare: Prepare) -> tuple[Job, Prepared]:
        """A job with all that was asked for, and what came of it: nothing is missing.

        Whoever prepares may be another process each time, which knows other tenants.
        """
        prepared = await prepare(job)
        while prepared.missing:
            job = await self._settle_tenants(prepared.missing, job)
            prepared = await prepare(job)
        return job, prepared

    async def _settle_tenants(self, missing: tuple[str, ...], job: Job) -> Job:
        """The job with what there is to know of tenants: made where they may be, else absent."""
        if job.source.grant.may_create:
            made = await asyncio.to_thread(self._tenants.make, missing)
            return msgspec.structs.replace(job, told=(*job.told, *made.values()))
        found = {name: self._tenants.get(name) for name in missing}
        told = [tenant for tenant in found.values() if tenant is not None]
        absent = {name for name, tenant in found.items() if tenant is None}
        return msgspec.structs.replace(job, told=(*job.told, *told), absent=job.absent | absent)

    async def _append(self, batches: list[Batch]) -> list[Outcome]:
        return await self._landed(self._journal.append(batches))

    async def _landed(self, done: Future[list[Outcome]]) -> list[Outcome]:
        loop = asyncio.get_running_loop()
        landing = self._landing
        if landing is None or landing.loop is not loop:
            landing = self._landing = Landing(loop)
        return await landing.result(done)

    async def _answers(self, prepared: Prepared, outcomes: list[Outcome]) -> list[Answer | None]:
        answers: list[Answer | None] = list(prepared.answers)
        batches = prepared.batches
        for batch, outcome in zip(batches, outcomes, strict=True):
            fill(answers, batch, outcome)
        if any(outcome.repeated for outcome in outcomes):
            await asyncio.to_thread(self._repeat, answers, batches, outcomes)
        return answers

    def _repeat(
        self, answers: list[Answer | None], batches: list[Batch], outcomes: list[Outcome]
    ) -> None:
        """Put the first receipt of every repeated event in its place; reads the sealed logs."""
        for batch, outcome in zip(batches, outcomes, strict=True):
            for nth in sorted(outcome.repeated):
                index = outcome.indexes[nth]
                entry = self._entry_at(batch.tenant, index)
                answers[batch.places[nth]] = Receipt(
                    batch.ids[nth], batch.tenant.name, index, entry[1:].hex(), repeated=True
                )

    async def _accept_again(self, job: Job, answers: list[Answer | None], prepare: Prepare) -> None:
        """In a file import an id that is taken does not lose the record: it gets a derived one."""
        taken = (place for place, answer in enumerate(answers) if isinstance(answer, Conflict))
        again = msgspec.structs.replace(job, again=frozenset(taken))
        _, prepared = await self._prepared(again, prepare)
        outcomes = await self._append(prepared.batches)
        for place, answer in enumerate(await self._answers(prepared, outcomes)):
            if answer is not None:
                answers[place] = answer

    async def _at_once(self, job: Job) -> Prepared:
        return self._here.prepare(job, self._tenants.get)

    async def _in_thread(self, job: Job) -> Prepared:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._there.prepare, job, self._tenants.get)


_DEFAULT = DialectSettings()
_WITH_DATES = "logichub"
_PLAIN = frozenset({None, "", "identity"})


def _all_of(answers: list[Answer | None]) -> list[Answer]:
    """Never silent: every record has its answer."""
    assert None not in answers
    return cast("list[Answer]", answers)


def fill(answers: list[Answer | None], batch: Batch, outcome: Outcome) -> None:
    """Put the receipt, or the conflict, of every event of a batch in its place."""
    name = batch.tenant.name
    odd = outcome.repeated | outcome.conflicts
    for nth, (place, index) in enumerate(zip(batch.places, outcome.indexes, strict=True)):
        if nth not in odd:
            answers[place] = Receipt(batch.ids[nth], name, index, batch.entries[nth][1:].hex())
    for nth in outcome.conflicts:
        answers[batch.places[nth]] = together.conflict(batch.ids[nth], batch.places[nth])
