"""Files that nobody lists, and listed ones that a running server has replaced meanwhile."""

import re
from collections.abc import Iterator
from pathlib import Path

from sealog.errors import Altered
from sealog.verify import resting
from sealog.verify.moment import SegmentRow, State
from sealog.verify.tenant import Outcome, Subject

_SEGMENT = re.compile(r"([0-9]{1,19})-[0-9]{1,19}-[0-9]{1,19}\.(?:parquet|arrow)(?:\.new)?")


def check_archive(state: State, subject: Subject, outcome: Outcome) -> None:
    """Every file of a tenant's archive is listed, or was being written when the program stopped.

    Files are written before they are listed, and what they hold is in the journal until then: so
    one that begins where segments end is unfinished. Any other is named.
    """
    name = f"archive/{subject.archive.name}"
    unknown = [path for path in _files(subject.archive) if _name(path, name) not in outcome.files]
    if not unknown:
        return
    now = _listed_now(state, subject)
    for path in unknown:
        where = _name(path, name)
        if where in now or not path.exists():
            continue
        segment = _SEGMENT.fullmatch(path.name)
        if (
            segment is not None
            and path.parent.parent == subject.archive
            and outcome.archived is not None
            and int(segment[1]) >= outcome.archived
        ):
            outcome.findings.note(where, "a segment that was being written; nothing relies on it")
        else:
            outcome.findings.fault(where, "the file is not in the list of segments")


def replaced(state: State, subject: Subject, outcome: Outcome) -> bool:
    """Whether segment files that were missing are not listed any more: others hold their events."""
    return bool(outcome.missing) and not outcome.missing <= _listed_now(state, subject)


def beside(folder: Path, known: set[str]) -> list[str]:
    """The names in a folder that are not among those known, in order."""
    try:
        return sorted(path.name for path in folder.iterdir() if path.name not in known)
    except OSError:
        return []


def _listed_now(state: State, subject: Subject) -> set[str]:
    found: set[str] = set()
    try:
        with state.moment() as moment:
            for row in moment.segments(subject.row.number):
                if isinstance(row, SegmentRow):
                    one = resting.listed(row, subject.archive)
                    found.update((one.columns, one.parts))
    except Altered:
        pass
    return found


def _files(folder: Path) -> Iterator[Path]:
    """Everything in a folder but its folders, one level after the other."""
    try:
        for path in sorted(folder.iterdir()):
            if path.is_dir() and not path.is_symlink():
                yield from _files(path)
            else:
                yield path
    except OSError:
        return


def _name(path: Path, folder: str) -> str:
    archive = path
    while archive.name != folder.rpartition("/")[2]:
        archive = archive.parent
    return f"{folder}/{path.relative_to(archive)}"
