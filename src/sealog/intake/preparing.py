"""Everything between a body and the journal that only computes.

`Preparer` is used by one thread at a time; what it is given and gives are values. Steps 2 to 6 of
the path of an event (docs/architecture.md).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat

import msgspec

from sealog.catalog.shelf import Catalog
from sealog.dialects import registry
from sealog.dialects.dialect import Dialect, Settings
from sealog.errors import Missing, Refused
from sealog.event import tokens
from sealog.event.batch import Batch
from sealog.event.ids import check_tenant
from sealog.event.record import Draft, Record
from sealog.event.sealing import Moment, Naming, Sealer
from sealog.event.tenants import Tenant
from sealog.intake.choosing import Chosen, NotRecorded, Type
from sealog.intake.drawing import Drawn
from sealog.intake.source import Source
from sealog.refine import masking
from sealog.wire import framing, unpacking


class Understood(msgspec.Struct):
    """A request's records as drafts, each with the name of its tenant; refusals in their places."""

    answers: list[Refused | NotRecorded | None]
    """One per record, in the order sent; None where the record became a draft."""
    drafts: list[tuple[Record, Draft, str]]

    def tenants(self) -> dict[str, None]:
        """The names of the tenants the drafts belong to, each once, in order."""
        return dict.fromkeys([name for _, _, name in self.drafts])

    def known(
        self, tenant_of: Callable[[str], Tenant | None], missing: dict[str, None]
    ) -> list[tuple[Record, Draft, Tenant]]:
        """The drafts with their tenants; of those that are not known the names become `missing`."""
        found = {name: tenant_of(name) for name in self.tenants()}
        tenants = {name: tenant for name, tenant in found.items() if tenant is not None}
        if len(tenants) == len(found):
            return [(record, draft, tenants[name]) for record, draft, name in self.drafts]
        missing |= dict.fromkeys(name for name in found if name not in tenants)
        return [
            (record, draft, tenants[name]) for record, draft, name in self.drafts if name in tenants
        ]


def leave_out(understood: Understood, chosen: Chosen, first: int = 0) -> None:
    """Take the drafts out that are not recorded, and put the answers in their places.

    `first`: the place in the request of the first of the answers.
    """
    if chosen.keys().isdisjoint(understood.tenants()):
        return
    kept = []
    for one in understood.drafts:
        record, draft, name = one
        recorded = chosen.get(name)
        if recorded is None or recorded(draft.dialect, draft.action, draft.alias):
            kept.append(one)
        else:
            answer = NotRecorded(Type(name, draft.dialect, draft.action))
            understood.answers[record.place - first] = answer
    understood.drafts = kept


class Job(msgspec.Struct, frozen=True):
    """One request to prepare."""

    body: bytes
    source: Source
    settings: Settings
    now_us: int
    """The time of arrival of all its records."""
    told: tuple[Tenant, ...] = ()
    """Tenants that whoever prepares may not know yet."""
    absent: frozenset[str] = frozenset()
    """Names of tenants that do not exist and may not be made: their records are refused."""
    again: frozenset[int] | None = None
    """Only the records at these places, each under a derived id: their own ids are taken."""


class Prepared(msgspec.Struct, frozen=True):
    """A request ready for the journal, or what is needed before it can be."""

    answers: list[Refused | NotRecorded | None]
    """One per record, in the order sent; None where the record stands in a batch."""
    batches: list[Batch]
    missing: tuple[str, ...] = ()
    """Tenants to be made, or said to be absent; nothing is sealed until then."""


class Preparer:
    """Bytes in, batches out."""

    def __init__(self, catalog: Catalog, randomness: Callable[[int], bytes]) -> None:
        self._catalog = catalog
        self._sealer = Sealer(Drawn(randomness))
        self._dialects: dict[str, Dialect] = {}
        self._documented: dict[str, frozenset[str]] = {}
        self.chosen: Chosen = {}
        """What tenants record that switched something off; whoever owns this keeps it current."""

    def prepare(self, job: Job, tenant_of: Callable[[str], Tenant | None]) -> Prepared:
        """Understand and seal a request. Raises `Refused` and its kinds for the whole of it."""
        source = job.source
        sealing = self._sealer.begin(Moment.of(job.now_us))
        answers: list[Refused | NotRecorded | None] = []
        missing: dict[str, None] = {}
        seen: Counter[bytes] = Counter()
        for received in self.pieces(job.body, source):
            masked = self.mask(received, source.dialect)
            understood = self.translate(masked, source, job.settings)
            naming = naming_of(source, understood, seen)
            if job.absent:
                _refuse_absent(understood, job.absent, len(answers))
            if job.again is not None:
                again = job.again
                understood.drafts = [one for one in understood.drafts if one[0].place in again]
                naming = Naming(repeats=naming.repeats, derive_all=True)
            if self.chosen:
                leave_out(understood, self.chosen, len(answers))
            answers += understood.answers
            known = understood.known(tenant_of, missing)
            if not missing:
                sealing.add(known, repeat(naming))
        if missing:
            return Prepared(answers, [], tuple(missing))
        return Prepared(answers, sealing.batches())

    def understand(self, body: bytes, source: Source, settings: Settings) -> Understood:
        """Unpack, split, mask and translate a body.

        Raises `Refused` and its kinds for what is wrong with the request as a whole.
        """
        received = self.received(body, source)
        return self.translate(self.mask(received, source.dialect), source, settings)

    def received(self, body: bytes, source: Source) -> list[Record | Refused]:
        """The records of a body. Raises `Refused` and its kinds for the request as a whole."""
        return [answer for piece in self.pieces(body, source) for answer in piece]

    def pieces(self, body: bytes, source: Source) -> Iterator[list[Record | Refused]]:
        """The same, some records at a time. Raises `Refused` at any of them for all of it."""
        dialect = self._dialect(source.dialect)
        text = unpacking.unpack(body, source.encoding)
        return framing.pieces(text, source.framing, dialect.read)

    def mask(self, received: list[Record | Refused], dialect: str) -> list[Record | Refused]:
        """The records of one or several requests, without secrets."""
        self._dialect(dialect)
        documented = self._documented[dialect]
        return masking.mask(received, dialect=dialect, documented=documented)

    def translate(
        self, masked: list[Record | Refused], source: Source, settings: Settings
    ) -> Understood:
        """One request's masked records as drafts."""
        dialect = self._dialect(source.dialect)
        understood = Understood([], [])
        allowed: dict[str | None, str | Refused] = {}
        for record in masked:
            answer: Refused | None = None
            if isinstance(record, Refused):
                answer = record
            else:
                try:
                    draft = dialect.glance(record, settings) or dialect.translate(record, settings)
                    name = _tenant_of(draft, source, allowed)
                    understood.drafts.append((record, draft, name))
                except Refused as refusal:
                    answer = refusal
                    answer.record = record.place
            understood.answers.append(answer)
        return understood

    def seal(
        self,
        understood: Understood,
        tenants: Mapping[str, Tenant],
        now: Moment,
        naming: Naming | Sequence[Naming],
    ) -> list[Batch]:
        """Seal drafts for tenants that exist; drafts of others MUST be refused before."""
        known = [(record, draft, tenants[name]) for record, draft, name in understood.drafts]
        return self._sealer.seal(known, now, naming)

    def _dialect(self, name: str) -> Dialect:
        found = self._dialects.get(name)
        if found is None:
            found = self._dialects[name] = registry.of(name, self._catalog)
            listed = self._catalog.dialects.get(name)
            types = () if listed is None else listed.types
            self._documented[name] = frozenset(field for type_ in types for field in type_.fields)
        return found


def _refuse_absent(understood: Understood, absent: frozenset[str], first: int) -> None:
    kept = []
    for record, draft, name in understood.drafts:
        if name in absent:
            refusal = Missing(f"there is no tenant {name}", code="no-such-tenant")
            refusal.record = record.place
            understood.answers[record.place - first] = refusal
        else:
            kept.append((record, draft, name))
    understood.drafts = kept


def naming_of(source: Source, understood: Understood, seen: Counter[bytes] | None = None) -> Naming:
    """How events of a request are named that bring no id.

    In an import the sender counts identical records over its whole file; where it does not, they
    are counted in the request, so that a file sent whole keeps its true duplicates. `seen` holds
    what the request had before `understood`.
    """
    if not source.imported:
        return Naming(request_key=source.request_key)
    seen = Counter() if seen is None else seen
    repeats: dict[int, int] = {}
    for record, _, _ in understood.drafts:
        repeats[record.place] = source.repeats.get(record.place, seen[record.received])
        seen[record.received] += 1
    return Naming(repeats=repeats)


def _tenant_of(draft: Draft, source: Source, allowed: dict[str | None, str | Refused]) -> str:
    """The tenant's name: the request's, else the record's, else the key's only one."""
    if source.tenant is not None:
        if draft.tenant is not None and draft.tenant != source.tenant:
            draft.sent = {"organization.id": tokens.raw(draft.tenant), **draft.sent}
            draft.clean = False
        wanted: str | None = source.tenant
    else:
        wanted = draft.tenant
    found = allowed.get(wanted)
    if found is None:
        found = allowed[wanted] = _allowed(wanted, source)
    if isinstance(found, Refused):
        # A value of its own for each record: the place differs.
        raise type(found)(found.detail, code=found.code, pointer=found.pointer)
    return found


def _allowed(wanted: str | None, source: Source) -> str | Refused:
    name = wanted if wanted is not None else source.grant.only
    if name is None:
        return Refused(
            "no tenant: name one in the request, or in the record's organization.id",
            code="no-tenant",
        )
    try:
        check_tenant(name)
    except Refused as refusal:
        return refusal
    if not source.grant.covers(name):
        return Missing(f"there is no tenant {name} for this key", code="no-such-tenant")
    return name
