"""How often each value stands in a field, and how often something happened when."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sealog.archive import buckets
from sealog.archive.forms import BETWEEN
from sealog.archive.leaves import TEXT_COLUMNS
from sealog.archive.sources import Numbers, Rows, Source, Values, anything, both, others
from sealog.errors import Refused

VALUES_MAX = 200_000
"""Of more different values than this the rarest are given up, and the answer says so."""
SPLIT_FIELDS = frozenset({"outcome", "dialect", "actor.kind"})
SPLIT_VALUES_MAX = 20
"""A bucket is divided by so many values, the most frequent; the rest counts as "" ."""
_QUANTA_MAX = 500_000
_DENSE = 100_000
_NUMBERS = {"status": "status", "findings": "finding"}


class Facet(msgspec.Struct, frozen=True):
    """The values of one field. Events without one are not counted."""

    values: list[tuple[str, int]]
    """The most frequent first; of equal ones in the order of their text."""
    more: int
    """How many further values there are."""
    is_exact: bool = True
    """False: there were so many values that rare ones were given up; each count is "at least"."""


class Bucket(msgspec.Struct, frozen=True):
    """A piece of time, up to where the next bucket begins."""

    begin_us: int
    count: int
    by: dict[str, int] = {}


class ValueTally:
    """Counts the values of a field of text."""

    def __init__(self, field: str) -> None:
        self._columns = TEXT_COLUMNS[field]
        self._is_list = field in ("category", "type")
        self._is_target = field == "target"
        self._pieces: list[pa.Table] = []
        self._size = 0
        self._is_exact = True

    def add(self, source: Source, rows: Rows) -> None:
        """Count some rows of a source: the first of the field's columns that has a value counts."""
        for name in self._columns:
            values, counts = source.counted(name, rows)
            if self._is_target:
                values = pc.replace_substring_regex(values, "(?s)\n.*", "")
            self._take(pa.table({"value": values, "count": counts}))
            if name == self._columns[-1] or not pc.index(values, pa.scalar("")).as_py() >= 0:
                return
            rows = both(rows, source.passed(Values((name,), exact=("",))))
            if not anything(rows):
                return

    def facet(self, top: int) -> Facet:
        """The `top` most frequent values."""
        together = self._together()
        if self._is_list:
            together = _taken_apart(together)
        best = pc.select_k_unstable(
            together, k=top, sort_keys=[("count", "descending"), ("value", "ascending")]
        )
        chosen = together.take(best)
        values = chosen.column("value").to_pylist()
        return Facet(
            list(zip(values, chosen.column("count").to_pylist(), strict=True)),
            together.num_rows - len(values),
            self._is_exact,
        )

    def _take(self, piece: pa.Table) -> None:
        self._pieces.append(piece)
        self._size += piece.num_rows
        if self._size > 2 * VALUES_MAX:
            together = self._together()
            if together.num_rows > VALUES_MAX:
                self._is_exact = False
                best = pc.select_k_unstable(
                    together, k=VALUES_MAX // 2, sort_keys=[("count", "descending")]
                )
                together = together.take(best)
            self._pieces, self._size = [together], together.num_rows

    def _together(self) -> pa.Table:
        if not self._pieces:
            return _NOTHING
        table = pa.concat_tables(self._pieces)
        table = table.filter(pc.not_equal(table.column("value"), ""))
        grouped = table.group_by("value", use_threads=False).aggregate([("count", "sum")])
        return grouped.rename_columns({"count_sum": "count"}).select(["value", "count"])


class NumberTally(ValueTally):
    """Counts the values of a column of numbers: a status as it is, findings as "true"."""

    def __init__(self, field: str) -> None:
        super().__init__("outcome")
        self._field = field

    def add(self, source: Source, rows: Rows) -> None:
        """See `ValueTally`."""
        numbers = _of(source.numbers(_NUMBERS[self._field]), rows)
        values, counts = np.unique(numbers, return_counts=True)
        there = values >= 1 if self._field == "findings" else values >= 0
        texts = ["true"] if self._field == "findings" else list(map(str, values[there].tolist()))
        if there.any():
            self._take(pa.table({"value": pa.array(texts, pa.string()), "count": counts[there]}))


class Times:
    """Counts when it happened, in buckets, maybe divided by the values of a field."""

    def __init__(self, interval: buckets.Interval, zone: tzinfo, by: str | None) -> None:
        if by is not None and by not in SPLIT_FIELDS:
            raise Refused(f"a histogram is not divided by {by}", code="bad-query")
        self._interval = interval
        self._zone = zone
        self._by = by
        self._quantum_us = buckets.quantum_us(interval)
        self._moments: dict[str, _Moments] = {}

    def add(self, source: Source, rows: Rows) -> None:
        """Count some rows of a source."""
        quanta = source.numbers("at_us") // self._quantum_us
        for value, some in self._split(source, rows):
            self._moments.setdefault(value, _Moments()).add(_of(quanta, some))

    def buckets(self) -> list[Bucket]:
        """All buckets from the first event to the last. Raises `Refused` for too many."""
        counted = {value: moments.counted() for value, moments in self._moments.items()}
        if not counted:
            return []
        first = min(int(quanta[0]) for quanta, _ in counted.values())
        last = max(int(quanta[-1]) for quanta, _ in counted.values())
        width = self._quantum_us
        begins = buckets.begins(self._interval, self._zone, first * width, last * width)
        of_value = {}
        for value, (quanta, counts) in counted.items():
            nth = np.searchsorted(np.array(begins), quanta * width, "right") - 1
            summed = np.zeros(len(begins), np.int64)
            np.add.at(summed, np.maximum(nth, 0), counts)
            of_value[value] = summed
        total = sum(of_value.values(), np.zeros(len(begins), np.int64)).tolist()
        if self._by is None:
            return [Bucket(*one) for one in zip(begins, total, strict=True)]
        columns = {value: summed.tolist() for value, summed in of_value.items()}
        return [
            Bucket(begin, total[nth], {v: one[nth] for v, one in columns.items() if one[nth]})
            for nth, begin in enumerate(begins)
        ]

    def _split(self, source: Source, rows: Rows) -> Iterable[tuple[str, Rows]]:
        if self._by is None:
            return [("", rows)]
        (name,) = TEXT_COLUMNS[self._by]
        values, counts = source.counted(name, rows)
        order = np.argsort(-counts, kind="stable")[:SPLIT_VALUES_MAX]
        texts = values.take(pa.array(order)).to_pylist()
        found = []
        left = rows
        for text in texts:
            some = source.passed(Values((name,), exact=(text,)))
            found.append((text, both(rows, some)))
            left = both(left, others(some))
        if anything(left):
            found.append(("", left))
        return found


class _Moments:
    """Numbers, few of them different, and how often each came."""

    def __init__(self) -> None:
        self._pieces: list[tuple[Numbers, Numbers]] = []
        self._size = 0

    def add(self, numbers: Numbers) -> None:
        if not len(numbers):
            return
        least, most = int(numbers.min()), int(numbers.max())
        if most - least < 4 * len(numbers) + _DENSE:
            counts = np.bincount(numbers - least)
            there = np.flatnonzero(counts)
            piece = there + least, counts[there]
        else:
            piece = np.unique(numbers, return_counts=True)
        self._pieces.append(piece)
        self._size += len(piece[0])
        if self._size > _QUANTA_MAX:
            self._pieces = [self.counted()]
            self._size = len(self._pieces[0][0])

    def counted(self) -> tuple[Numbers, Numbers]:
        """Different numbers in order, and how often each came."""
        numbers = np.concatenate([piece[0] for piece in self._pieces])
        counts = np.concatenate([piece[1] for piece in self._pieces])
        different, places = np.unique(numbers, return_inverse=True)
        summed = np.zeros(len(different), np.int64)
        np.add.at(summed, places, counts)
        return different, summed


def tally_of(field: str) -> ValueTally:
    """What counts a field's values. Raises `Refused` for a field that has too many to count."""
    if field in _NUMBERS:
        return NumberTally(field)
    if field not in TEXT_COLUMNS:
        raise Refused(f"the values of {field} cannot be counted", code="bad-query")
    return ValueTally(field)


def _of(numbers: Numbers, rows: Rows) -> Numbers:
    if isinstance(rows, bool):
        return numbers if rows else numbers[:0]
    return numbers[rows]


def _taken_apart(table: pa.Table) -> pa.Table:
    """Each value of a list by itself."""
    summed: dict[str, int] = {}
    for text, count in zip(*[table.column(n).to_pylist() for n in ("value", "count")], strict=True):
        for value in set(text.split(BETWEEN)):
            summed[value] = summed.get(value, 0) + count
    return _table(summed)


def _table(counts: Mapping[str, int]) -> pa.Table:
    values: Any = pa.array(list(counts), pa.string())
    return pa.table({"value": values, "count": pa.array(list(counts.values()), pa.int64())})


_NOTHING = _table({})
