"""A whole data folder, verified: every tenant, every file, every index; nothing is changed.

It works while a server runs on the folder, and on a copy that cannot be written. Each tenant is
verified against one moment of `state.db`; what a running server replaces meanwhile is looked at again.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from sealog.errors import Altered, Misconfigured
from sealog.ledger.notes import Checkpoint, peek_checkpoint
from sealog.storage.folder import OLDEST, Folder
from sealog.verify import keys as trusting
from sealog.verify import strays, tenant
from sealog.verify.keys import Trusted
from sealog.verify.logs import Step
from sealog.verify.moment import Moment, State, TenantRow
from sealog.verify.report import FROM_FOLDER, GROWN, UNMET, Findings, Report, TenantReport
from sealog.verify.signatures import AGAINST
from sealog.verify.tenant import Outcome, Subject

Progress = Callable[[str, int, int], None]
"""`progress(label, done, total)`: what is being looked at, and how much of all is done."""

MOMENTS_MAX = 4
STATE = "state.db"


def verify_folder(
    path: Path,
    *,
    keys: Sequence[str] = (),
    against: Sequence[bytes] = (),
    progress: Progress | None = None,
) -> Report:
    """Walk everything in a data folder and say what is wrong, by tenant, index and file.

    `keys`: vkeys whose public keys alone are trusted, for every log of the folder. `against`:
    checkpoints (signed notes) that the logs must have grown from. Raises `Misconfigured` for a path
    that is no data folder of this program's format, and for a vkey that is none; whatever else is
    wrong stands in the report.
    """
    return _Verification(path, keys, progress).run(against)


class _Verification:
    def __init__(self, path: Path, keys: Sequence[str], progress: Progress | None) -> None:
        self._path = path
        self._folder = Folder(path)
        self._own = Findings()
        self._check_format()
        self._progress = progress
        self._trusted = self._trust(keys)
        self._name = ""
        self._done = self._total = 0

    def run(self, against: Sequence[bytes]) -> Report:
        report = Report(
            key_pinned=self._trusted.pinned,
            keys=[key.hex() for key in self._trusted.public_keys],
            trust=self._trusted.sentence,
        )
        if against and report.trust == FROM_FOLDER:
            report.trust = GROWN
        with State(self._folder.state, owned=_owned(self._folder)) as state:
            try:
                with state.moment() as moment:
                    rows = self._look_around(moment)
            except Altered as error:
                self._own.fault(STATE, str(error))
            else:
                held = self._read_against(against, rows)
                report.add(self._own)
                self._own = Findings()
                for row in rows:
                    _add(report, self._tenant(state, row, held.get(self._origin(row), [])))
                self._check_top(state, rows)
        report.add(self._own)
        if not report.holds:
            report.trust = UNMET.get(report.trust, report.trust)
        # What concerns the whole folder explains most of the rest.
        report.faults.sort(key=lambda fault: fault.tenant is not None)
        return report

    def _check_format(self) -> None:
        if not self._folder.exists() and not self._folder.state.is_file():
            raise Misconfigured(f"{self._path} is not a data folder")
        try:
            self._folder.check_format()
        except (Misconfigured, OSError, ValueError) as error:
            text = _text(self._path / "FORMAT")
            if text.isdecimal() and int(text[:9]) >= OLDEST:
                raise
            self._own.fault("FORMAT", str(error))

    def _trust(self, keys: Sequence[str]) -> Trusted:
        if keys:
            return trusting.pinned(keys)
        what = "there is no key to check signatures with: give one with --key"
        try:
            trusted = trusting.of_folder(self._path)
        except Altered as error:
            trusted, what = Trusted(), str(error)
        if not trusted.public_keys:
            self._own.fault(trusting.SIGNING_KEY, what)
        return trusted

    def _look_around(self, moment: Moment) -> list[TenantRow]:
        """What concerns no single tenant, and who the tenants are."""
        for trouble in moment.troubles():
            self._own.fault(STATE, f"SQLite finds it damaged: {trouble}")
        rows, wrong = moment.tenants()
        for what in wrong:
            self._own.fault("state.db tenants", what)
        for table, number in moment.strangers():
            self._own.fault(f"state.db {table}", f"tenant {number} is not in the list of tenants")
        name = moment.installation_name()
        if name is None and rows:
            self._own.fault("state.db installation", "the installation has no name")
        self._name = name or ""
        # Each entry is looked at twice: in the log and where its event is stored.
        self._total = 2 * moment.entries_in_all()
        return rows

    def _origin(self, row: TenantRow) -> str:
        return f"{self._name}/{row.log_id}"

    def _read_against(
        self, against: Iterable[bytes], rows: Iterable[TenantRow]
    ) -> dict[str, list[Checkpoint]]:
        origins = {self._origin(row) for row in rows}
        held: dict[str, list[Checkpoint]] = {}
        for note in against:
            try:
                origin = peek_checkpoint(note).origin
                if origin not in origins:
                    what = f"is of the log {origin}, which this folder does not have"
                    self._own.fault(AGAINST, what)
                    continue
                held.setdefault(origin, []).append(self._trusted.read(note, origin))
            except Altered as error:
                self._own.fault(AGAINST, f"does not hold: {error}")
        return held

    def _tenant(self, state: State, row: TenantRow, against: list[Checkpoint]) -> Outcome:
        """One tenant; again at a later moment while a server replaces what is being read."""
        begun = self._done
        subject = Subject(
            path=self._path,
            row=row,
            origin=self._origin(row),
            trusted=self._trusted,
            against=against,
            newest=lambda: _newest(state, row.number),
            step=self._step(row.name),
            relist=lambda: strays.rows_now(state, row.number),
            expired_since=lambda since: strays.expired_now(state, row.number, since),
        )
        stamp = state.stamp()
        outcome = _check(subject, state)
        for _ in range(MOMENTS_MAX - 1):
            moved = state.stamp() != stamp or strays.replaced(state, subject, outcome)
            if not moved or not outcome.findings.faults:
                break
            self._done, stamp = begun, state.stamp()
            outcome = _check(subject, state)
        strays.check_archive(state, subject, outcome)
        return outcome

    def _step(self, label: str) -> Step:
        def step(count: int) -> None:
            self._done += count
            if self._progress is not None:
                self._progress(label, min(self._done, self._total), self._total)

        return step

    def _check_top(self, state: State, rows: Iterable[TenantRow]) -> None:
        """Every folder in `logs/` and `archive/` belongs to a tenant."""
        known = {row.log_id for row in rows}
        for name in ("logs", "archive"):
            unknown = strays.beside(self._path / name, known)
            # One that a server made meanwhile is in the list by now.
            if unknown:
                unknown = strays.beside(self._path / name, known | _log_ids(state))
            for one in unknown:
                self._own.fault(f"{name}/{one}", "it belongs to no tenant")


def _check(subject: Subject, state: State) -> Outcome:
    try:
        with state.moment() as moment:
            return tenant.check(subject, moment)
    except Altered as error:
        outcome = Outcome(
            TenantReport(subject.row.name, subject.origin), Findings(subject.row.name)
        )
        outcome.findings.fault(STATE, str(error))
        return outcome


def _newest(state: State, number: int) -> int:
    try:
        with state.moment() as moment:
            row = moment.signed(number)
    except Altered:
        return 0
    return 0 if row is None else row.size


def _log_ids(state: State) -> set[str]:
    try:
        with state.moment() as moment:
            return {row.log_id for row in moment.tenants()[0]}
    except Altered:
        return set()


def _add(report: Report, outcome: Outcome) -> None:
    report.tenants.append(outcome.report)
    report.counts.add(outcome.report.counts)
    report.add(outcome.findings)


def _owned(folder: Folder) -> bool:
    try:
        return folder.owned()
    except OSError:
        return False


def _text(path: Path) -> str:
    try:
        return path.read_bytes()[:100].decode("ascii", "replace").strip()
    except OSError:
        return ""
