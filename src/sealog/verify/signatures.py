"""What was signed of one log: the row in `state.db`, the note beside the entries, the caller's own."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from sealog.errors import Altered
from sealog.ledger.files import CHECKPOINT, ENTRIES, read_note
from sealog.ledger.notes import Checkpoint
from sealog.verify.keys import Trusted
from sealog.verify.moment import SignedRow
from sealog.verify.report import Findings

SIGNED = "state.db signed"
AGAINST = "the checkpoint you hold"
_NOTE_LINES = 5
"""Origin, size, root, a blank line, one signature."""


class Signatures(msgspec.Struct):
    """The checkpoints that one log must be consistent with, each with the place it is from."""

    row: Checkpoint | None = None
    """None where nothing was signed, or where the row is damaged."""
    kept: Checkpoint | None = None
    """From the `checkpoint` file, where it is not the row's note."""
    against: Sequence[Checkpoint] = ()

    @property
    def sizes(self) -> list[int]:
        """Where roots are needed."""
        found = [one for one in (self.row, self.kept, *self.against) if one is not None]
        return [one.size for one in found]


class Signing(msgspec.Struct, frozen=True):
    """Whose log it is and who may have signed it."""

    folder: Path
    name: str
    """The log's folder, relative to the data folder."""
    origin: str
    trusted: Trusted
    newest: Callable[[], int]
    """The size signed last as `state.db` says now, which a server may have moved on."""


def gather(signing: Signing, row: SignedRow | None, size: int, findings: Findings) -> Signatures:
    """Read and check every note that the folder holds of a log. `size`: that of the tenant's head."""
    found = Signatures()
    if row is not None:
        found.row = _of_row(signing, row, size, findings)
    found.kept = _of_file(signing, row, findings)
    return found


def compare(
    signing: Signing, found: Signatures, log: tuple[int, dict[int, bytes]], findings: Findings
) -> None:
    """Hold a log against everything that was signed: its size, and the roots that it has.

    A root that is missing below the size is one that could not be recomputed; why is named.
    """
    size, roots = log
    entries = f"{signing.name}/{ENTRIES}"
    if found.row is not None and roots.get(found.row.size, found.row.root) != found.row.root:
        what = f"the root of the first {found.row.size} entries is not the one that was signed"
        findings.fault(entries, what)
    kept = found.kept
    if kept is not None and roots.get(kept.size, kept.root) != kept.root:
        what = f"its root of {kept.size} entries is not that of the log"
        findings.fault(f"{signing.name}/{CHECKPOINT}", what)
    for one in found.against:
        if one.size > size:
            what = f"it holds {size} of {one.size} entries: it is older than {AGAINST}"
            findings.fault(signing.name, what)
        elif roots.get(one.size) != one.root:
            what = f"its first {one.size} entries are not those of {AGAINST}"
            findings.fault(signing.name, what)


def _of_row(signing: Signing, row: SignedRow, size: int, findings: Findings) -> Checkpoint | None:
    try:
        checkpoint = signing.trusted.read(row.note, signing.origin)
    except Altered as error:
        findings.fault(SIGNED, f"the note does not hold: {error}")
        return None
    if row.note.count(b"\n") != _NOTE_LINES:
        findings.fault(SIGNED, "the note has more lines than a checkpoint with one signature")
    if (checkpoint.size, checkpoint.root) != (row.size, row.root):
        findings.fault(SIGNED, "size and root are not those in the note beside them")
    if checkpoint.size > size:
        what = (
            f"{checkpoint.size} entries were signed, and the head knows of {size}: this state.db"
            " is not the one that went with what was signed"
        )
        findings.fault(SIGNED, what)
    return checkpoint


def _of_file(signing: Signing, row: SignedRow | None, findings: Findings) -> Checkpoint | None:
    """The kept note, if it is worth comparing; the row's own note is compared already."""
    where = f"{signing.name}/{CHECKPOINT}"
    try:
        note = read_note(signing.folder)
    except OSError as error:
        findings.fault(where, f"it cannot be read: {error.strerror}")
        return None
    if note is None:
        if row is not None:
            findings.note(where, "it is not there yet; the next start writes it from state.db")
        return None
    if row is not None and note == row.note:
        return None
    try:
        checkpoint = signing.trusted.read(note, signing.origin)
    except Altered as error:
        findings.fault(where, f"it does not hold: {error}")
        return None
    signed = 0 if row is None else row.size
    if checkpoint.size > signed and checkpoint.size > signing.newest():
        what = (
            f"it signs {checkpoint.size} entries, and state.db knows of {signed} signed ones:"
            " this state.db is older than this log"
        )
        findings.fault(where, what)
        return None
    if checkpoint.size == signed:
        findings.fault(where, "it is not the note that state.db holds for the same size")
        return None
    if checkpoint.size > signed:
        return None
    findings.note(where, f"it is of {checkpoint.size} entries, older than what was signed last")
    return checkpoint
