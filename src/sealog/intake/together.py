"""Several small requests prepared as one batch, each answered as if it had come alone.

One scan, one sealing and one block serve all of them. What one request may not share with another
it does not: its refusals, its `Idempotency-Key`, and whether the journal has room for its tenants.
"""

from collections.abc import Callable, Sequence

import msgspec

from sealog.errors import Conflict, Refused
from sealog.event.batch import Batch, Outcome, Receipt
from sealog.event.record import Record
from sealog.event.sealing import Moment, Naming
from sealog.event.tenants import Tenant
from sealog.intake.choosing import NotRecorded
from sealog.intake.preparing import Job, Preparer, Understood, leave_out, naming_of

Answers = list[Receipt | Refused | NotRecorded | None]
TenantOf = Callable[[str], Tenant | None]


class Load(msgspec.Struct):
    """What the journal takes or refuses as one: one tenant's events, or those of one request."""

    batches: list[Batch]
    owners: list[list[int]]
    """Per batch, of each event the request it came in."""

    def everyone(self) -> set[int]:
        """The requests that have a part in it."""
        return {owner for owners in self.owners for owner in owners}


class Together(msgspec.Struct):
    """Requests ready for the journal."""

    answers: list[Answers | Refused | None]
    """Per request: one per record, None where the record stands in a load; or what is wrong with
    the request as a whole; None where it must be prepared alone, because of tenants that are to be
    made or said to be absent."""
    loads: list[Load]
    missing: set[str] = set()
    """Names of tenants that whoever prepared did not know."""

    def fill(self, load: Load, outcomes: Sequence[Outcome]) -> None:
        """Put the receipt or the conflict of every event of a load that was taken in its place."""
        for batch, owners, outcome in zip(load.batches, load.owners, outcomes, strict=True):
            name, odd = batch.tenant.name, outcome.repeated | outcome.conflicts
            for nth, (owner, index) in enumerate(zip(owners, outcome.indexes, strict=True)):
                if nth not in odd:
                    entry = batch.entries[nth]
                    receipt = Receipt(batch.ids[nth], name, index, entry[1:].hex())
                    self._of(owner)[batch.places[nth]] = receipt
            for nth in outcome.conflicts:
                place = batch.places[nth]
                self._of(owners[nth])[place] = conflict(batch.ids[nth], place)

    def fill_repeated(
        self, load: Load, outcomes: Sequence[Outcome], entry_at: Callable[[Tenant, int], bytes]
    ) -> None:
        """Put the first receipt of every repeated event in its place; reads the sealed logs."""
        for batch, owners, outcome in zip(load.batches, load.owners, outcomes, strict=True):
            for nth in sorted(outcome.repeated):
                index = outcome.indexes[nth]
                entry = entry_at(batch.tenant, index)
                self._of(owners[nth])[batch.places[nth]] = Receipt(
                    batch.ids[nth], batch.tenant.name, index, entry[1:].hex(), repeated=True
                )

    def _of(self, owner: int) -> Answers:
        answers = self.answers[owner]
        assert type(answers) is list
        return answers


def conflict(event_id: str, place: int) -> Conflict:
    """The answer to the record at a place whose id is taken by another event."""
    detail = f"the id {event_id!r:.300} is taken by another event"
    return Conflict(detail, code="id-taken", record=place)


def prepare(preparer: Preparer, jobs: Sequence[Job], tenant_of: TenantOf) -> Together:
    """Prepare requests that came at one moment; none of them MUST be a file import.

    Repeats and conflicts among them are judged in their order, as between any two requests.
    """
    together = Together([None] * len(jobs), [])
    received = _received(preparer, jobs, together)
    sharing = _Sharing(preparer, Moment.of(jobs[0].now_us))
    for nth, records in received.items():
        job = jobs[nth]
        understood = preparer.translate(records, job.source, job.settings)
        if preparer.chosen:
            leave_out(understood, preparer.chosen)
        names = understood.tenants()
        known = {name: found for name in names if (found := tenant_of(name)) is not None}
        if len(known) < len(names):
            together.missing.update(name for name in names if name not in known)
            continue
        together.answers[nth] = list(understood.answers)
        if len(known) > 1:
            # It is kept whole or not at all, so it shares no fate with others; nor does it pass
            # any that came before it.
            together.loads += sharing.take()
            sharing.add(nth, understood, known, naming_of(job.source, understood))
            together.loads.append(_joined(sharing.take()))
        else:
            sharing.add(nth, understood, known, naming_of(job.source, understood))
    together.loads += sharing.take()
    return together


class _Sharing:
    """Drafts of several requests until they are sealed at once."""

    def __init__(self, preparer: Preparer, now: Moment) -> None:
        self._preparer = preparer
        self._now = now
        self._understood = Understood([], [])
        self._namings: list[Naming] = []
        self._tenants: dict[str, Tenant] = {}
        self._owners: dict[str, list[int]] = {}

    def add(
        self, owner: int, understood: Understood, tenants: dict[str, Tenant], naming: Naming
    ) -> None:
        """Add what one request sent for tenants that are known."""
        self._tenants.update(tenants)
        self._understood.drafts.extend(understood.drafts)
        for _, _, name in understood.drafts:
            self._namings.append(naming)
            self._owners.setdefault(name, []).append(owner)

    def take(self) -> list[Load]:
        """One load a tenant: where one has its share of what waits, the others go on."""
        understood, owners, namings = self._understood, self._owners, self._namings
        self._understood, self._owners, self._namings = Understood([], []), {}, []
        batches = self._preparer.seal(understood, self._tenants, self._now, namings)
        return [Load([batch], [owners[batch.tenant.name]]) for batch in batches]


def _joined(loads: list[Load]) -> Load:
    return Load(
        [batch for load in loads for batch in load.batches],
        [owners for load in loads for owners in load.owners],
    )


def _received(
    preparer: Preparer, jobs: Sequence[Job], together: Together
) -> dict[int, list[Record | Refused]]:
    """Request → its records, masked; one that is wrong as a whole has its refusal for an answer."""
    received: dict[int, list[Record | Refused]] = {}
    of_dialect: dict[str, list[Record | Refused]] = {}
    for nth, job in enumerate(jobs):
        try:
            records = received[nth] = preparer.received(job.body, job.source)
        except Refused as refusal:
            together.answers[nth] = refusal
        else:
            of_dialect.setdefault(job.source.dialect, []).extend(records)
    for dialect, records in of_dialect.items():
        # Masking changes the records in place, so the lists of each request hold them masked.
        preparer.mask(records, dialect)
    return received
