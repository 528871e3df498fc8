"""One export, from packs as they rest to a file that is finished, or to none."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from sealog.archive import packwise
from sealog.archive.packwise import Piece
from sealog.event.moulds import Derive
from sealog.exports import forms, part, workers
from sealog.exports.forms import Form
from sealog.exports.part import Part
from sealog.exports.workers import Crew

BATCH_EVENTS = 1_024
"""So many events are written at once; of so many the memory is taken, a few times over."""


class Halted(Exception):
    """It was told to end before it was done."""


class Made(msgspec.Struct, frozen=True):
    """What a finished file holds."""

    sha256: bytes
    events: int
    first: int | None
    """The index of its first event; None where it holds none."""
    last: int | None
    # Last, because its name is a type's.
    bytes: int


class Ways(msgspec.Struct, frozen=True):
    """How it is made, and who is told of it."""

    workers: int | Crew
    """Who writes; 0 for none but this process."""
    take: Callable[[int], bool]
    """Whether there is room for so many bytes more."""
    derive: Derive | None
    """What follows from each event and is written with it."""
    tell: Callable[[int, int], None]
    """Gets events and bytes written so far, again and again; raises `Halted` to end it."""


def make(path: Path, form: Form, pieces: Iterable[Piece], ways: Ways) -> Made:
    """Write a file whole, durable when this returns; where it raises, nothing is left of it.

    Raises `Unwritten`, whatever reading the pieces raises, and what `ways.tell` raises.
    """
    ends = _Ends()
    file = Part(path.with_name(path.name + part.SUFFIX), ways.take)
    try:
        document = forms.document(form, file)
        batches = packwise.batches(ends.noted(pieces), BATCH_EVENTS)
        packs = ([(one.pack, one.base, one.places) for one in batch] for batch in batches)
        events = 0
        with closing(workers.written(form, packs, ways.workers, ways.derive)) as written:
            for count, content in written:
                document.add(content)
                events += count
                ways.tell(events, file.bytes)
        document.end()
        ways.tell(events, file.bytes)
        file.finish(path)
    except BaseException:
        file.discard()
        raise
    return Made(file.sha256, events, ends.first, ends.last, file.bytes)


class _Ends:
    """Notes the first and the last index that pass by."""

    def __init__(self) -> None:
        self.first: int | None = None
        self.last: int | None = None

    def noted(self, pieces: Iterable[Piece]) -> Iterator[Piece]:
        for piece in pieces:
            if self.first is None:
                self.first = piece.first
            self.last = piece.last
            yield piece
