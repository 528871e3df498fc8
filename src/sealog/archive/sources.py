"""What conditions are asked of: the columns of a segment, or of events that wait.

Both answer the same questions with masks, one place a row, so that one evaluation serves both.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, compress
from operator import attrgetter
from typing import Any, Protocol, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sealog.archive.contents import Content
from sealog.archive.expiry import Live
from sealog.archive.segments import Segment
from sealog.archive.shelf import Shelf, Text
from sealog.archive.waiting import Chunk
from sealog.archive.word_blooms import Hashes, candidates
from sealog.event.packs import Unpacker

Numbers: TypeAlias = NDArray[np.int64]
Places: TypeAlias = NDArray[np.intp]
"""Rows of a source, by their place in it."""
Mask: TypeAlias = NDArray[np.bool_]
Rows: TypeAlias = Mask | bool
"""Some rows of a source; True for all of them, False for none."""

Counted: TypeAlias = tuple[Any, Numbers]
"""Different texts as a pyarrow array, and how often each stands there."""

WAITING_AT_ONCE = 4_096
NO_STATUS = -1
_ID = np.dtype("<i8")


class Remembered(dict[str, bool]):
    """A test of text whose answers are remembered."""

    def __init__(self, test: Callable[[str], bool]) -> None:
        super().__init__()
        self._test = test

    def __missing__(self, text: str) -> bool:
        passed = self[text] = self._test(text)
        return passed


class Values(msgspec.Struct, frozen=True):
    """A condition on text: a value of any of these columns passes."""

    columns: tuple[str, ...]
    exact: tuple[str, ...] = ()
    """The texts that pass, all different; without any, `test` and `scan` say which do."""
    hashed: tuple[int, ...] = ()
    """The hash of each of `exact`, where the columns have bloom filters."""
    test: Remembered | None = None
    scan: Callable[[Any], Any] | None = None
    """The same of a whole pyarrow array of text: a pyarrow array of booleans."""


class Source(Protocol):
    """Rows of one tenant, and what can be asked of their columns."""

    count: int
    first: int
    last: int
    first_us: int
    last_us: int
    live: Rows
    """The rows that have not expired; the others MUST NOT be given to anybody."""

    def passed(self, values: Values) -> Rows:
        """The rows that pass a condition on text."""
        ...

    def numbers(self, name: str) -> Numbers:
        """A column of numbers; a status that is not there is `NO_STATUS`, an id its 8 bytes."""
        ...

    def may_hold_id(self, hashed: int) -> bool:
        """Whether the id with this hash may be there."""
        ...

    def may_say(self, hashes: Hashes) -> Rows:
        """The rows that may hold all words with these `word_blooms.hashes_of`."""
        ...

    def counted(self, name: str, rows: Rows) -> Counted:
        """How often each text stands in a column, of some rows."""
        ...

    def indexes(self, places: Places) -> Numbers:
        """The indexes of some rows."""
        ...

    def packs(self) -> Numbers:
        """The first index of each pack, in order."""
        ...

    def content_of(self, index: int) -> Content:
        """The pack that holds the event at an index."""
        ...

    def holder_of(self, index: int) -> Chunk | Segment:
        """Where the event at an index is read from."""
        ...


class Resting:
    """A segment."""

    def __init__(self, segment: Segment, shelf: Shelf, live: Live | None = None) -> None:
        """Raises `Corrupt` where its columns must tell what has expired, and do not read."""
        self.segment = segment
        self.live: Rows = True if live is None else live.rows(segment)
        self.count = segment.count
        self.first, self.last = segment.first, segment.last
        self.first_us, self.last_us = segment.first_us, segment.last_us
        self._shelf = shelf
        self._unpacker: Unpacker | None = None

    def passed(self, values: Values) -> Rows:
        """See `Source`. Columns that their bloom filters rule out are not read."""
        names: Sequence[str] = values.columns
        if values.hashed:
            held = [self._shelf.holding(self.segment, names, one) for one in values.hashed]
            names = [name for name in names if any(name in some for some in held)]
        found: Rows = False
        for text in self._shelf.texts(self.segment, names) if names else ():
            found = either(found, _passed(text, values))
        return found

    def numbers(self, name: str) -> Numbers:
        """See `Source`."""
        return self._shelf.numbers(self.segment, name)

    def indexes(self, places: Places) -> Numbers:
        """See `Source`."""
        if self.last - self.first == self.count - 1:
            return places + self.first
        return self.numbers("index")[places]

    def packs(self) -> Numbers:
        """See `Source`."""
        return self._shelf.parts(self.segment).firsts

    def may_hold_id(self, hashed: int) -> bool:
        """See `Source`."""
        return bool(self._shelf.holding(self.segment, ["id"], hashed))

    def may_say(self, hashes: Hashes) -> Rows:
        """See `Source`."""
        if not len(hashes):
            return True
        parts = self._shelf.parts(self.segment)
        packs = np.concatenate([candidates(*words, hashes) for words in parts.words()])
        if packs.all() or not packs.any():
            return bool(packs[0])
        begins = np.append(parts.firsts, self.last + 1) - self.first
        if self.last - self.first != self.count - 1:
            begins = np.searchsorted(self.numbers("index"), begins + self.first)
        rows: Rows = np.repeat(packs, np.diff(begins))
        return rows

    def counted(self, name: str, rows: Rows) -> Counted:
        """See `Source`."""
        (text,) = self._shelf.texts(self.segment, [name])
        codes = (
            text.codes[: len(text.codes) if rows else 0]
            if isinstance(rows, bool)
            else text.codes[rows]
        )
        counts = np.bincount(codes, minlength=len(text.values))
        there = np.flatnonzero(counts)
        if len(there) == len(counts):
            return text.values, counts
        return text.values.take(pa.array(there)), counts[there]

    def content_of(self, index: int) -> Content:
        """See `Source`."""
        parts = self._shelf.parts(self.segment)
        if self._unpacker is None:
            self._unpacker = Unpacker()
        return Content(parts.pack(parts.row_of(index), self._unpacker), 0, self._unpacker)

    def holder_of(self, index: int) -> Segment:  # noqa: ARG002 - it is always the same
        """See `Source`."""
        return self.segment


class Waiting:
    """Some events that wait."""

    def __init__(self, chunks: Sequence[Chunk], live: Live | None = None) -> None:
        self._chunks = chunks
        self.live: Rows = True if live is None else live.of_chunks(chunks)
        self._unpacker = Unpacker()
        self.count = sum(len(chunk.columns) for chunk in chunks)
        self.first, self.last = chunks[0].first, chunks[-1].end - 1
        self._at = self._numbers(self._values("at_us"))
        self.first_us, self.last_us = int(self._at.min()), int(self._at.max())

    def passed(self, values: Values) -> Rows:
        """See `Source`."""
        test: Callable[[str], bool]
        if values.test is not None:
            test = values.test.__getitem__
        elif len(values.exact) == 1:
            test = values.exact[0].__eq__
        else:
            test = frozenset(values.exact).__contains__
        found: Rows = False
        for name in values.columns:
            texts = self._values(name)
            found = either(found, np.fromiter(map(test, texts), np.bool_, self.count))
        return found

    def numbers(self, name: str) -> Numbers:
        """See `Source`."""
        if name == "at_us":
            return self._at
        if name == "id":
            return np.frombuffer(b"".join(self._values("id")), _ID)
        values = self._values(name)
        if name == "status":
            return self._numbers(NO_STATUS if one is None else one for one in values)
        return self._numbers(values)

    def indexes(self, places: Places) -> Numbers:
        """See `Source`."""
        if self.last - self.first == self.count - 1:
            return places + self.first
        return self.numbers("index")[places]

    def packs(self) -> Numbers:
        """See `Source`."""
        firsts = map(attrgetter("first"), self._chunks)
        return np.fromiter(firsts, np.int64, len(self._chunks))

    def may_hold_id(self, hashed: int) -> bool:  # noqa: ARG002 - there are no filters to ask
        """See `Source`."""
        return True

    def may_say(self, hashes: Hashes) -> Rows:  # noqa: ARG002
        """See `Source`."""
        return True

    def counted(self, name: str, rows: Rows) -> Counted:
        """See `Source`."""
        texts: Iterable[str] = self._values(name)
        if not isinstance(rows, bool):
            texts = compress(texts, rows.tolist())
        counts = Counter(texts) if rows is not False else Counter()
        return pa.array(list(counts), pa.string()), np.array(list(counts.values()), np.int64)

    def content_of(self, index: int) -> Content:
        """See `Source`."""
        chunk = self.holder_of(index)
        return Content(chunk.pack, chunk.base, self._unpacker)

    def holder_of(self, index: int) -> Chunk:
        """See `Source`."""
        return self._chunks[bisect_right(self._chunks, index, key=attrgetter("first")) - 1]

    def _values(self, name: str) -> Iterator[Any]:
        return chain.from_iterable([getattr(chunk.columns, name) for chunk in self._chunks])

    def _numbers(self, values: Iterable[int]) -> Numbers:
        return np.fromiter(values, np.int64, self.count)


def source_of(one: Segment | Chunk, shelf: Shelf, live: Live | None = None) -> Source:
    """A segment or a chunk as a source."""
    return Resting(one, shelf, live) if isinstance(one, Segment) else Waiting([one], live)


def waiting(chunks: Sequence[Chunk], live: Live | None = None) -> Iterator[Waiting]:
    """Chunks as sources of some thousand rows each: many small ones would cost more than their rows."""
    group: list[Chunk] = []
    size = 0
    for chunk in chunks:
        group.append(chunk)
        size += len(chunk.columns)
        if size >= WAITING_AT_ONCE:
            yield Waiting(group, live)
            group, size = [], 0
    if group:
        yield Waiting(group, live)


def _passed(text: Text, values: Values) -> Rows:
    # A value's code is looked up once: comparing a dictionary array with text decodes it.
    if len(values.exact) == 1:
        code = pc.index(text.values, pa.scalar(values.exact[0])).as_py()
        return False if code < 0 else text.codes == text.codes.dtype.type(code)
    if values.exact:
        passing = np.asarray(pc.is_in(text.values, pa.array(values.exact, pa.string())))
    else:
        assert values.scan is not None
        passing = np.asarray(values.scan(text.values))
    if not passing.any():
        return False
    return True if passing.all() else passing[text.codes]


def both(one: Rows, other: Rows) -> Rows:
    """The rows that are among both."""
    if isinstance(one, bool):
        return other if one else False
    if isinstance(other, bool):
        return one if other else False
    return one & other


def either(one: Rows, other: Rows) -> Rows:
    """The rows that are among any of both."""
    if isinstance(one, bool):
        return True if one else other
    if isinstance(other, bool):
        return True if other else one
    return one | other


def others(rows: Rows) -> Rows:
    """The rows that are not among them."""
    return not rows if isinstance(rows, bool) else ~rows


def anything(rows: Rows) -> bool:
    """Whether there is any."""
    return rows if isinstance(rows, bool) else bool(rows.any())


def places(rows: Rows, count: int) -> Places:
    """Where in a source of `count` rows they are."""
    if isinstance(rows, bool):
        return np.arange(count if rows else 0)
    return np.flatnonzero(rows)
