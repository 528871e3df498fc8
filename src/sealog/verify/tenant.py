"""One tenant, verified against one moment: head, blocks, log, signatures, segments, every index."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from sealog.errors import Altered
from sealog.event.packs import Unpacker
from sealog.event.parts import ENTRY_BYTES
from sealog.ledger.files import CHECKPOINT, ENTRIES
from sealog.ledger.notes import Checkpoint
from sealog.storage.tables import row_digest
from sealog.verify import expired, logs, resting, signatures, waiting
from sealog.verify.keys import Trusted
from sealog.verify.logs import Log, Step
from sealog.verify.moment import HeadRow, Moment, SegmentRow, SignedRow, TenantRow
from sealog.verify.opening import tenant_named
from sealog.verify.report import Findings, TenantReport
from sealog.verify.signatures import Signing
from sealog.verify.sorting import Sorting

HEADS = "state.db heads"
ROUNDS_MAX = 20
"""So often what a running server replaced meanwhile is looked up again; merges of what was merged
come ever more rarely."""


class Subject(msgspec.Struct, frozen=True):
    """Whom to verify, where, and by what."""

    path: Path
    """The data folder."""
    row: TenantRow
    origin: str
    trusted: Trusted
    against: Sequence[Checkpoint] = ()
    """Checkpoints of this log that the caller holds, their signatures checked."""
    newest: Callable[[], int] = lambda: 0
    """The size signed last, as `state.db` says now."""
    step: Step = lambda _: None
    relist: Callable[[], Sequence[SegmentRow]] = tuple
    """The tenant's segments, as `state.db` lists them now."""
    expired_since: Callable[[int], Sequence[tuple[int, int]]] = lambda _: ()
    """The indexes of which `state.db` says now that a statement at this index or later explains them."""

    @property
    def log_name(self) -> str:
        """The log's folder, relative to the data folder."""
        return f"logs/{self.row.log_id}"

    @property
    def log_folder(self) -> Path:
        """The log's folder."""
        return self.path / "logs" / self.row.log_id

    @property
    def archive(self) -> Path:
        """The folder of the tenant's segments."""
        return self.path / "archive" / self.row.log_id


class Outcome(msgspec.Struct):
    """What came of verifying one tenant."""

    report: TenantReport
    findings: Findings
    archived: int | None = None
    """How many entries rest in segments; None without a head."""
    files: set[str] = msgspec.field(default_factory=set)
    """Segment files that are listed, relative to the data folder."""
    missing: set[str] = msgspec.field(default_factory=set)
    """Those of them that were not there."""
    sorting: Sorting | None = None
    """What became of each index; None without a head."""


def check(subject: Subject, moment: Moment) -> Outcome:
    """Verify everything that belongs to a tenant."""
    findings = Findings(subject.row.name)
    outcome = Outcome(TenantReport(subject.row.name, subject.origin), findings)
    listed = _segments(subject, moment, outcome)
    head = _head(subject, moment, findings)
    if head is None:
        _check_bare(subject, moment, listed, findings)
        return outcome
    outcome.archived = head.archived
    journalled = waiting.check(moment, head, findings)
    log = _log(subject, head, journalled)
    outcome.report.size = head.size
    check_log(subject, moment, log, outcome)

    # No further than there are entries, however large a number stands in a row.
    held = logs.entries_held(log.folder)
    reach = log.size if held >= log.synced else held
    sorting = Sorting(reach, findings)
    for one in listed:
        if one.segment.last >= head.archived:
            what = (
                f"segment {one.segment.name} holds more than the {head.archived} archived entries"
            )
            findings.fault(resting.SEGMENTS, what, one.segment.last)
    _check_resting(subject, listed, log, sorting, findings)
    entries = f"{subject.log_name}/{ENTRIES}"
    unpacker = Unpacker()
    for unsealed in waiting.events(moment, head, unpacker, findings):
        sorting.belongs(waiting.BLOCKS, tenant_named(unsealed.pack, unpacker), unsealed.indexes[0])
        # A block whose archived part is in segments is there until the log is synced.
        if unsealed.indexes[-1] >= head.archived:
            sorting.take(entries, unsealed, log.at(unsealed.indexes))
            subject.step(len(unsealed.indexes))
    expired.check(moment, head.tenant, sorting, findings)
    counts = outcome.report.counts = sorting.settle(entries)
    outcome.sorting = sorting
    counts.unexplained += head.size - reach
    return outcome


def _check_resting(
    subject: Subject,
    listed: Sequence[resting.Listed],
    log: Log,
    sorting: Sorting,
    findings: Findings,
) -> None:
    """Check segments; where a running server merged some meanwhile, what it put in their place.

    A file that is missing is damage only if it is still listed.
    """
    looked = listed
    for left in reversed(range(ROUNDS_MAX)):
        gone: list[resting.Listed] = []
        for one in looked:
            found = Findings(findings.tenant)
            looked_at = resting.check(one, log, sorting, found, subject.step)
            if not looked_at and left and resting.missing(one):
                gone.append(one)
            else:
                findings.add(found)
        if not gone:
            return
        now = [resting.listed(row, subject.archive) for row in subject.relist()]
        names = {one.columns for one in now}
        for one in gone:
            if one.columns in names:
                resting.check_files(one, findings)
        if any(one.columns not in names for one in gone):
            _excuse(subject, gone, sorting)
        looked = _in_place_of([one for one in gone if one.columns not in names], now)


def _excuse(subject: Subject, gone: Sequence[resting.Listed], sorting: Sorting) -> None:
    """What a running server let go of meanwhile: its statement came after the moment looked at."""
    for first, last in subject.expired_since(sorting.size):
        for one in gone:
            begin, end = max(first, one.segment.first), min(last, one.segment.last)
            if begin <= end:
                sorting.excuse(begin, end)


def _in_place_of(
    gone: Sequence[resting.Listed], now: Sequence[resting.Listed]
) -> list[resting.Listed]:
    """The segments that hold now what those held, to be looked at for nothing else."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for one in gone:
        held = one.only or ((one.segment.first, one.segment.last),)
        spans.setdefault(one.segment.kept, []).extend(held)
    found = []
    for one in now:
        segment = one.segment
        only = tuple(
            [
                (max(first, segment.first), min(last, segment.last))
                for first, last in spans.get(segment.kept, ())
                if first <= segment.last and last >= segment.first
            ]
        )
        if only:
            found.append(msgspec.structs.replace(one, only=only))
    return found


def _segments(subject: Subject, moment: Moment, outcome: Outcome) -> list[resting.Listed]:
    found = []
    for row in moment.segments(subject.row.number):
        if not isinstance(row, SegmentRow):
            outcome.findings.fault(resting.SEGMENTS, row)
            continue
        one = resting.listed(row, subject.archive)
        outcome.files.update((one.columns, one.parts))
        if resting.row_holds(row):
            outcome.missing.update(resting.missing(one))
            found.append(one)
        else:
            what = f"the row of segment {one.segment.name} is not what was written"
            outcome.findings.fault(resting.SEGMENTS, what, row.first)
    return found


def _head(subject: Subject, moment: Moment, findings: Findings) -> HeadRow | None:
    """The tenant's head if it holds; nothing else can be judged without it."""
    try:
        head = moment.head(subject.row.number)
    except Altered as error:
        findings.fault(HEADS, str(error))
        return None
    if head is None:
        return None
    if row_digest("heads", *head[:-1]) != head.digest:
        findings.fault(
            HEADS,
            "the tenant's head is not what was written; without it nothing else can be judged",
        )
        return None
    if max(head.synced, head.archived) > head.size:
        findings.fault(HEADS, f"more than its {head.size} entries are synced or archived")
        return None
    return head


def _check_bare(
    subject: Subject, moment: Moment, listed: list[resting.Listed], findings: Findings
) -> None:
    """A tenant without a head has no events, so it has nothing else either."""
    for one in listed:
        resting.check_files(one, findings)
    held = []
    if moment.holds("blocks", subject.row.number):
        held.append("journal blocks")
    if moment.holds("signed", subject.row.number):
        held.append("a signed checkpoint")
    if listed:
        held.append("segments")
    if moment.holds("expired", subject.row.number):
        held.append("events that have expired")
    if logs.entries_held(subject.log_folder) or (subject.log_folder / CHECKPOINT).exists():
        held.append("a sealed log")
    if held:
        what = f"the tenant has {', '.join(held)}, but no head that says how far they should reach"
        findings.fault(HEADS, what)


def _log(subject: Subject, head: HeadRow, journalled: waiting.Journalled) -> Log:
    skipped = (head.synced - journalled.first) * ENTRY_BYTES
    tail = bytes(journalled.entries[skipped:])
    return Log(subject.log_folder, subject.log_name, head.synced, tail)


def check_log(subject: Subject, moment: Moment, log: Log, outcome: Outcome) -> None:
    """Verify a tenant's log folder and what was signed of it."""
    findings, report = outcome.findings, outcome.report
    row: SignedRow | None = None
    try:
        row = moment.signed(subject.row.number)
    except Altered as error:
        findings.fault(signatures.SIGNED, str(error))
    signing = Signing(
        subject.log_folder, subject.log_name, subject.origin, subject.trusted, subject.newest
    )
    signed = signatures.gather(signing, row, report.size, findings)
    signed.against = subject.against
    roots = logs.check(log, signed.sizes, findings, subject.step)
    signatures.compare(signing, signed, (report.size, roots), findings)
    if signed.row is not None:
        report.signed_size = signed.row.size
        report.root = roots.get(signed.row.size, b"").hex()
    elif row is None and log.size:
        what = f"{log.size} entries wait to be signed for the first time"
        findings.note(signatures.SIGNED, what)
