"""Sorting every index of a tenant into opened, erased, expired, statement, or unexplained."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import itemgetter

from sealog.errors import Altered
from sealog.event.packs import Opened
from sealog.event.parts import ENTRY_BYTES, FACTS, PART_NAMES, STATEMENT_ENTRY
from sealog.verify import statements
from sealog.verify.indexes import IndexSet
from sealog.verify.opening import Unsealed
from sealog.verify.report import Counts, Findings

RANGES_NAMED_MAX = 50
_first = itemgetter(0)


class Sorting:
    """What was found of each index below `size`; `settle` ends it.

    An event counts only where its parts hash into the entry that the log holds at its index, and a
    statement explains only where it counts itself.
    """

    def __init__(self, size: int, findings: Findings) -> None:
        self.size = size
        self._findings = findings
        self._found = IndexSet(size)
        self._sound = IndexSet(size)
        self._statements = IndexSet(size)
        self._expired = IndexSet(size)
        self._excused = IndexSet(size)
        self._erased: dict[int, IndexSet] = {}
        self._stated: dict[int, IndexSet] = {}
        self._retentions: dict[int, list[tuple[int, int]]] = {}

    def take(self, where: str, unsealed: Unsealed, entries: bytes | None) -> None:
        """Sort the events of a pack. `entries`: what the log holds at their indexes, in order.

        None where the log does not reach; why is named elsewhere.
        """
        indexes = unsealed.indexes
        for index in self._found.add_all(indexes):
            self._findings.fault(where, "this index is stored twice", index)
        if indexes[-1] >= self.size:
            self._findings.fault(where, "the log does not reach this index", indexes[-1])
        if entries is None:
            return
        if entries == b"".join(unsealed.entries):
            self._sound.add_all(indexes)
            sound = list(range(len(indexes)))
        else:
            sound = list(self._sound_places(where, unsealed, entries))
        if unsealed.events is not None:
            for place in sound:
                self._hear(where, indexes[place], unsealed.events[place])

    def belongs(self, where: str, named: str | None, index: int) -> None:
        """Name an event that says that it is another tenant's."""
        if named is not None and named != self._findings.tenant:
            what = f"the event says that it is of tenant {named[:128]}"
            self._findings.fault(where, what, index)

    def settle(self, where: str) -> Counts:
        """Name what nothing explains, and count everything."""
        self._settle_excused(where)
        unexplained = 0
        for nth, (first, last) in enumerate(_joined(self._sound.absent(self._expired))):
            unexplained += last - first + 1
            if nth < RANGES_NAMED_MAX:
                span = f"index {first} is" if first == last else f"indexes {first} to {last} are"
                what = (
                    f"{span} in the log, but neither stored as sealed nor explained by a statement"
                )
                self._findings.fault(where, what, first)
        self._note_kept(where)
        expired = self.size - len(self._sound) - unexplained
        erased, unstated = self._settle_erased(where)
        statement = len(self._statements)
        return Counts(
            opened=len(self._sound) - statement - erased - unstated,
            erased=erased,
            expired=expired,
            statement=statement,
            unexplained=unexplained + unstated,
        )

    def explains(self, statement: int, spans: Iterable[tuple[int, int]]) -> bool:
        """Whether a sound statement at that index says that all of these have expired."""
        held = self._retentions.get(statement, [])
        places = [(bisect_right(held, begin, key=_first) - 1, end) for begin, end in spans]
        return all(place >= 0 and end <= held[place][1] for place, end in places)

    def excuse(self, first: int, last: int) -> None:
        """These went while they were looked at, and the statement is not to be seen yet.

        They count as expired, and are named: the next verification finds the statement, or a fault.
        """
        self._excused.add_range(first, last)

    def _settle_excused(self, where: str) -> None:
        lost = IndexSet(self.size)
        for first, last in self._sound.absent(self._expired):
            lost.add_range(first, last)
        for first, last in _joined(lost.within(self._excused)):
            self._expired.add_range(first, last)
            span = f"index {first}" if first == last else f"indexes {first} to {last}"
            self._findings.note(where, f"{span} expired while this was looked at", first)

    def accounts_for(self, first: int, last: int) -> bool:
        """Whether each of these indexes is stored as sealed, or has expired."""
        held = (index in self._sound or index in self._expired for index in range(first, last + 1))
        return last < self.size and all(held)

    def has_expired(self, first: int, last: int) -> bool:
        """Whether any of these indexes has expired."""
        return any(index in self._expired for index in range(first, min(last, self.size) + 1))

    def _note_kept(self, where: str) -> None:
        """Name what has expired and is stored still: a crash between the two leaves it so."""
        kept = _joined(self._sound.within(self._expired))
        for first, last in islice(kept, RANGES_NAMED_MAX):
            span = f"index {first} has" if first == last else f"indexes {first} to {last} have"
            self._findings.note(where, f"{span} expired, and what was held is not gone yet", first)

    def _sound_places(self, where: str, unsealed: Unsealed, entries: bytes) -> Iterator[int]:
        for place, (index, entry) in enumerate(
            zip(unsealed.indexes, unsealed.entries, strict=True)
        ):
            if entries[place * ENTRY_BYTES : (place + 1) * ENTRY_BYTES] == entry:
                self._sound.add(index)
                yield place
            else:
                what = "what is stored does not hash into the entry that the log holds"
                self._findings.fault(where, what, index)

    def _hear(self, where: str, index: int, event: Opened) -> None:
        for number, _ in event.erased:
            self._part(self._erased, number).add(index)
        if event.kind != STATEMENT_ENTRY:
            return
        self._statements.add(index)
        try:
            says = statements.read(event)
        except Altered as error:
            self._findings.fault(where, str(error), index)
            return
        if says is None:
            return
        if {number for number, _, _ in event.parts} != {FACTS} or event.erased:
            self._findings.fault(where, "a statement has facts alone", index)
        if not says.parts:
            self._retentions[index] = says.ranges
        # A statement speaks of what came before it.
        for first, last in says.ranges:
            if not says.parts:
                self._expired.add_range(first, min(last, index - 1))
            for number in says.parts:
                self._part(self._stated, number).add_range(first, min(last, index - 1))

    def _part(self, sets: dict[int, IndexSet], number: int) -> IndexSet:
        if number not in sets:
            sets[number] = IndexSet(self.size)
        return sets[number]

    def _settle_erased(self, where: str) -> tuple[int, int]:
        """How many events miss parts with a statement that says so, and how many without."""
        erased, unstated = IndexSet(self.size), IndexSet(self.size)
        nothing = IndexSet(self.size)
        for number, gone in self._erased.items():
            for first, last in gone.beyond(nothing):
                erased.add_range(first, last)
            for first, last in gone.beyond(self._part(self._stated, number)):
                unstated.add_range(first, last)
                what = f"the {PART_NAMES[number]} part was erased, and no statement says why"
                self._findings.fault(where, what, first)
        # Statements are counted as such, erased or not.
        return (
            _beside(erased, unstated, self._statements),
            _beside(unstated, self._statements),
        )


def _beside(held: IndexSet, *others: IndexSet) -> int:
    """How many are in a set and in none of the others."""
    joined = IndexSet(held.size)
    for other in others:
        for first, last in other.beyond(IndexSet(held.size)):
            joined.add_range(first, last)
    return sum(last - first + 1 for first, last in held.beyond(joined))


def _joined(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Ranges that touch, as one."""
    held: tuple[int, int] | None = None
    for first, last in ranges:
        if held is not None and held[1] + 1 == first:
            held = held[0], last
            continue
        if held is not None:
            yield held
        held = first, last
    if held is not None:
        yield held
