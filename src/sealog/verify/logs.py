"""One tenant's sealed log: its files against each other, against the journal and what was signed.

What the files hold beyond the size noted as synced is unfinished: after a crash it may be missing,
or zeros where the disk had room but not yet the bytes. What stands there otherwise must be what the
journal holds.
"""

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from sealog.event.parts import ENTRY_BYTES, EVENT_ENTRY, STATEMENT_ENTRY
from sealog.ledger.files import CHECKPOINT, ENTRIES
from sealog.merkle.edge import TILE_LEVELS, RightEdge
from sealog.merkle.hashes import HASH_BYTES, leaf_hashes
from sealog.verify.report import Findings

CHUNK_ENTRIES = 1 << 14
_TYPES = EVENT_ENTRY + STATEMENT_ENTRY
_LEVEL = re.compile(r"hashes-([1-9])")

Step = Callable[[int], None]
"""Told how many more entries are done."""


class Log(msgspec.Struct):
    """A log's entries: the files up to `synced`, from there on the journal's word."""

    folder: Path
    name: str
    """The folder's path relative to the data folder."""
    synced: int
    tail: bytes = b""
    """The entries from `synced` on."""

    @property
    def size(self) -> int:
        """How many entries there are to check."""
        return self.synced + len(self.tail) // ENTRY_BYTES

    def entries(self, first: int, count: int) -> bytes | None:
        """Consecutive entries; None where they are not all there."""
        end = first + count
        if end > self.size:
            return None
        held = b""
        if first < self.synced:
            read = min(end, self.synced) - first
            held = _read(self.folder / ENTRIES, first * ENTRY_BYTES, read * ENTRY_BYTES)
            if len(held) < read * ENTRY_BYTES:
                return None
        if end > self.synced:
            at = max(first - self.synced, 0) * ENTRY_BYTES
            held += self.tail[at : (end - self.synced) * ENTRY_BYTES]
        return held

    def at(self, indexes: tuple[int, ...]) -> bytes | None:
        """The entries at ascending indexes, one after the other."""
        first, last = indexes[0], indexes[-1]
        if last - first + 1 == len(indexes):
            return self.entries(first, len(indexes))
        found = [self.entries(index, 1) for index in indexes]
        return None if None in found else b"".join([one for one in found if one is not None])


def entries_held(folder: Path) -> int:
    """How many whole entries the file holds, whatever should be there."""
    try:
        return (folder / ENTRIES).stat().st_size // ENTRY_BYTES
    except OSError:
        return 0


def check(log: Log, sizes: Iterable[int], findings: Findings, step: Step) -> dict[int, bytes]:
    """Recompute every level from the entries and compare the files with them.

    Gives the roots at those of `sizes` that the log reaches.
    """
    _check_names(log, findings)
    # Where nothing was ever synced, the next start makes the folder from the journal.
    if log.synced and not log.folder.is_dir():
        findings.fault(log.name, f"the folder of {log.synced} synced entries is missing")
        return {}
    edge = RightEdge()
    roots: dict[int, bytes] = {}
    stops = sorted({size for size in sizes if size <= log.size} | {log.size})
    levels = _Levels(log, findings)
    for stop in stops:
        while edge.size < stop:
            count = min(CHUNK_ENTRIES, stop - edge.size)
            entries = log.entries(edge.size, count)
            if entries is None:
                what = f"it ends before entry {log.synced}, which was noted as synced"
                findings.fault(f"{log.name}/{ENTRIES}", what, entries_held(log.folder))
                return roots
            _check_types(log, edge.size, entries, findings)
            growth = edge.grow(leaf_hashes(entries, ENTRY_BYTES))
            for above, hashes in enumerate(growth.completed):
                if hashes:
                    levels.check(above + 1, edge.size, hashes)
            edge = growth.edge
            step(count)
        roots[stop] = edge.root()
    _check_beyond(log, findings)
    return roots


def _check_types(log: Log, first: int, entries: bytes, findings: Findings) -> None:
    types = entries[::ENTRY_BYTES]
    if types.strip(_TYPES):
        for place, kind in enumerate(types):
            if kind not in _TYPES:
                what = f"entry type {kind} is neither event nor statement"
                findings.fault(f"{log.name}/{ENTRIES}", what, first + place)
                return


class _Levels:
    """Compares the files of the levels above with what was recomputed; a bad file is named once."""

    def __init__(self, log: Log, findings: Findings) -> None:
        self._log = log
        self._findings = findings
        self._bad: set[int] = set()

    def check(self, level: int, size: int, hashes: list[bytes]) -> None:
        """`hashes`: those of `level` that were completed by entries from `size` on."""
        if level in self._bad:
            return
        first = size >> TILE_LEVELS * level
        name = f"hashes-{level}"
        expected = b"".join(hashes)
        found = _read(self._log.folder / name, first * HASH_BYTES, len(expected))
        if found == expected:
            return
        synced = (self._log.synced >> TILE_LEVELS * level) * HASH_BYTES - first * HASH_BYTES
        missing = len(found) < min(synced, len(expected))
        place = _first_difference(found, expected, max(synced, 0))
        if missing or place is not None:
            self._bad.add(level)
            index = first + (len(found) if place is None else place) // HASH_BYTES
            what = (
                f"it ends before hash {index}"
                if missing and place is None
                else f"hash {index} is not that of the entries below it"
            )
            self._findings.fault(f"{self._log.name}/{name}", what, index << TILE_LEVELS * level)


def _check_beyond(log: Log, findings: Findings) -> None:
    """Entries beyond `synced` that are in the file must be the journal's."""
    for at in range(0, len(log.tail), CHUNK_ENTRIES * ENTRY_BYTES):
        tail = log.tail[at : at + CHUNK_ENTRIES * ENTRY_BYTES]
        found = _read(log.folder / ENTRIES, log.synced * ENTRY_BYTES + at, len(tail))
        place = _first_difference(found, tail, 0)
        if place is not None:
            index = log.synced + (at + place) // ENTRY_BYTES
            what = "the file does not hold the entry that the journal holds"
            findings.fault(f"{log.name}/{ENTRIES}", what, index)
            return


def _first_difference(found: bytes, expected: bytes, sure: int) -> int | None:
    """Where bytes that are there differ. From byte `sure` on, zeros are bytes not yet written."""
    if expected.startswith(found):
        return None
    for place, (a, b) in enumerate(zip(found, expected, strict=False)):
        if a != b and (a or place < sure):
            return place
    return None


def _check_names(log: Log, findings: Findings) -> None:
    """Every file in the folder is one that a log has."""
    try:
        names = sorted(path.name for path in log.folder.iterdir())
    except OSError:
        return
    for name in names:
        level = _LEVEL.fullmatch(name)
        if level is not None and not log.size >> TILE_LEVELS * int(level[1]):
            findings.note(
                f"{log.name}/{name}", f"a log of {log.size} entries has no such level yet"
            )
        elif level is not None or name in (ENTRIES, CHECKPOINT):
            continue
        elif name == f"{CHECKPOINT}.new":
            findings.note(f"{log.name}/{name}", "a checkpoint that was being written")
        else:
            findings.fault(f"{log.name}/{name}", "no such file belongs to a sealed log")


def _read(path: Path, at: int, length: int) -> bytes:
    """Up to `length` bytes; fewer where the file ends, none where it is not there."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.pread(number, length, at)
    except (OSError, OverflowError):
        return b""
    finally:
        os.close(number)
