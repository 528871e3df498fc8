"""Files that nobody lists, and listed ones that a running server has replaced meanwhile."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sealog.archive.classes import STATEMENTS
from sealog.errors import Altered
from sealog.verify import resting
from sealog.verify.expired import spans_of
from sealog.verify.moment import ExpiredRow, SegmentRow, State
from sealog.verify.tenant import Outcome, Subject

_SEGMENT = re.compile(r"([0-9]{1,19})-([0-9]{1,19})-([0-9]{1,19})\.(?:parquet|arrow)(\.new)?")


def check_archive(state: State, subject: Subject, outcome: Outcome) -> None:
    """Every file of a tenant's archive is listed, or was left when the program stopped.

    Files are written before they are listed, and deleted after what replaces them is: so a file
    whose events are in the journal still, or all in listed segments, is unfinished. Any other is
    named.
    """
    name = f"archive/{subject.archive.name}"
    unknown = [path for path in _files(subject.archive) if _name(path, name) not in outcome.files]
    if not unknown:
        return
    now = rows_now(state, subject.row.number)
    listed = _names(subject, now)
    for path in unknown:
        where = _name(path, name)
        if where in listed or not path.exists():
            continue
        why = _why_there(path, now, outcome) if path.parent.parent == subject.archive else None
        if why is None:
            outcome.findings.fault(where, "the file is not in the list of segments")
        else:
            outcome.findings.note(where, f"{why}; nothing relies on it")


def _is_elsewhere(
    span: tuple[int, int], kept: str, now: Iterable[SegmentRow], outcome: Outcome
) -> bool:
    """Whether a class may have had a segment of these indexes, of which nothing depends on it.

    Expiry, and sorting anew after a change of policy, empty a class.
    """
    sorting = outcome.sorting
    if sorting is None or not sorting.accounts_for(*span):
        return False
    others = {row.kept for row in now if row.first <= span[1] and row.last >= span[0]}
    return sorting.has_expired(*span) or bool(others - {kept, STATEMENTS})


def _why_there(path: Path, now: Sequence[SegmentRow], outcome: Outcome) -> str | None:
    """Why a file that is not listed may be in the folder of a class."""
    named = _SEGMENT.fullmatch(path.name)
    if named is None or outcome.archived is None:
        return None
    first, last, generation = int(named[1]), int(named[2]), int(named[3])
    if first >= outcome.archived or named[4]:
        return "a segment that was being written"
    if _is_elsewhere((first, last), path.parent.name, now, outcome):
        return "a segment whose events stand in others, or have expired"
    shared = [
        row
        for row in now
        if row.kept == path.parent.name and row.first <= last and row.last >= first
    ]
    if not shared:
        return None
    begin, end = min(row.first for row in shared), max(row.last for row in shared)
    if len(shared) == 1 and begin <= first <= last <= end and shared[0].generation >= generation:
        return "a segment that another has replaced, or that was written again with more"
    if (begin, end) == (first, last) and all(row.generation < generation for row in shared):
        return "a merge that did not end"
    return None


def replaced(state: State, subject: Subject, outcome: Outcome) -> bool:
    """Whether segment files that were missing are not listed any more: others hold their events."""
    now = rows_now(state, subject.row.number)
    return bool(outcome.missing) and not outcome.missing <= _names(subject, now)


def rows_now(state: State, number: int) -> list[SegmentRow]:
    """A tenant's segments as `state.db` lists them now; none where it does not read."""
    try:
        with state.moment() as moment:
            return [row for row in moment.segments(number) if isinstance(row, SegmentRow)]
    except Altered:
        return []


def expired_now(state: State, number: int, since: int) -> list[tuple[int, int]]:
    """The indexes that statements from an index on explain, as `state.db` says now."""
    try:
        with state.moment() as moment:
            rows = [row for row in moment.expired(number) if isinstance(row, ExpiredRow)]
            return [span for row in rows if row.statement >= since for span in spans_of(row)]
    except Altered:
        return []


def beside(folder: Path, known: set[str]) -> list[str]:
    """The names in a folder that are not among those known, in order."""
    try:
        return sorted(path.name for path in folder.iterdir() if path.name not in known)
    except OSError:
        return []


def _names(subject: Subject, rows: Iterable[SegmentRow]) -> set[str]:
    listed = [resting.listed(row, subject.archive) for row in rows]
    return {name for one in listed for name in (one.columns, one.parts)}


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
