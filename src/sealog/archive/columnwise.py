"""The search columns of a whole pack: what `columns.row_of` says of each event, a column at a time.

Nearly every event is as `columns` expects it, and then most of what has to be done to a value is
done to a whole column at once. Where one is not, its pack goes row by row.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from itertools import accumulate, chain, pairwise
from operator import attrgetter
from typing import Any, Self, TypeVar

import msgspec

from sealog.archive import columns
from sealog.archive.columns import Facts, Person, Row
from sealog.archive.forms import ID_BYTES, addresses_of, fold
from sealog.event.packs import Pack, Unpacker
from sealog.event.parts import ACTOR, FACTS, REST, TARGET

EVENTS_AT_ONCE = 256
"""So few that the processor's cache holds what is made of them (measured)."""
_APART = "\0"
# What nearly every time looks like: 2026-11-20T12:00:00.123Z.
_TIME_CHARS, _SECOND_CHARS, _FRACTION = 24, 19, slice(20, 23)
_OF_EVENT = attrgetter("id", "action", "outcome", "category", "type", "ingested")
_OF_NAMES = attrgetter("action", "dialect")
_OF_PERSON = attrgetter("id", "name", "email")
_NOBODY = Person()

_T = TypeVar("_T")
_Texts = Sequence[str]
_Parts = Sequence[bytes]


class Columns(msgspec.Struct, frozen=True, gc=False):
    """The rows of consecutive events, one sequence a column; see `Row`."""

    index: Sequence[int]
    at_us: Sequence[int]
    ingested_us: Sequence[int]
    action: _Texts
    alias: _Texts
    category: _Texts
    type: _Texts
    outcome: _Texts
    actor_id: _Texts
    actor_name: _Texts
    actor_email: _Texts
    actor_kind: _Texts
    address: _Texts
    target: _Texts
    session: _Texts
    dialect: _Texts
    status: Sequence[int | None]
    finding: Sequence[bool]
    id: Sequence[bytes]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Self:
        """Rows as columns."""
        return cls(*zip(*map(_VALUES, rows), strict=True))

    @classmethod
    def joined(cls, several: Sequence[Self]) -> Self:
        """Columns one after the other as one."""
        if len(several) == 1:
            return several[0]
        every = zip(*map(_VALUES, several), strict=True)
        return cls(*[list(chain.from_iterable(column)) for column in every])

    def lasting(self) -> Self:
        """The same in tuples, which nobody need search for cycles: there are many, for long."""
        return type(self)(*map(tuple, _VALUES(self)))

    def rows(self) -> list[Row]:
        """Columns as rows."""
        return list(map(Row, *_VALUES(self)))

    def some(self, places: Sequence[int]) -> Self:
        """The rows at these places, counted from 0."""
        return type(self)(*[[column[place] for place in places] for column in _VALUES(self)])

    def __len__(self) -> int:
        return len(self.index)


_VALUES: Callable[[Row | Columns], tuple[Any, ...]] = attrgetter(*Row.__struct_fields__)


def columns_of(pack: Pack, base: int, unpacker: Unpacker) -> Columns:
    """The columns of a pack whose indexes count from `base`: of each event, those of `row_of`.

    Raises `Altered` if it does not open.
    """
    return columns_of_each([(pack, base)], unpacker)[0]


def columns_of_each(packs: Sequence[tuple[Pack, int]], unpacker: Unpacker) -> list[Columns]:
    """The same of several packs, read together: many of a few events cost little more than one."""
    found: list[Columns] = []
    some: list[_Opened] = []
    events = 0
    for pack, base in packs:
        if events + len(pack.masks) > EVENTS_AT_ONCE and some:
            found += _columns_of_some(some, unpacker)
            some, events = [], 0
        some.append(_opened(pack, base, unpacker))
        events += len(pack.masks)
    return found + _columns_of_some(some, unpacker)


def _columns_of_some(several: Sequence["_Opened"], unpacker: Unpacker) -> list[Columns]:
    if not several:
        return []
    whole = _whole(several)
    if whole is None and len(several) > 1:
        # One is odd; the others need not go row by row.
        return [columns for one in several for columns in _columns_of_some([one], unpacker)]
    if whole is None:
        return [_row_by_row(several[0], unpacker)]
    if len(several) == 1:
        return [whole]
    values = [tuple(column) for column in _VALUES(whole)]
    ends = accumulate([len(one.indexes) for one in several], initial=0)
    return [Columns(*[column[begin:end] for column in values]) for begin, end in pairwise(ends)]


class _Opened(msgspec.Struct, frozen=True, gc=False):
    """What columns are read from, of a pack."""

    pack: Pack
    indexes: Sequence[int]
    facts: _Parts
    actors: _Parts
    targets: _Parts
    rests: _Parts | None
    """None where no event of the pack has a finding."""


def _opened(pack: Pack, base: int, unpacker: Unpacker) -> _Opened:
    facts, actors, targets = [unpacker.parts(pack, number) for number in (FACTS, ACTOR, TARGET)]
    # Mostly nothing has a finding, and then the rest is not cut into events.
    any_finding = columns.FINDINGS in unpacker.joined(pack, REST)
    return _Opened(
        pack,
        [base + index for index in pack.indexes],
        facts,
        actors,
        targets,
        unpacker.parts(pack, REST) if any_finding else None,
    )


def _row_by_row(opened: _Opened, unpacker: Unpacker) -> Columns:
    rests = unpacker.parts(opened.pack, REST) if opened.rests is None else opened.rests
    every = zip(opened.indexes, opened.facts, opened.actors, opened.targets, rests, strict=True)
    return Columns.of(
        columns.row_from(index, columns.facts_of(fact, rest), actor, target, rest)
        for index, fact, actor, target, rest in every
    )


def _whole(several: Sequence[_Opened]) -> Columns | None:
    """The columns of all these packs as one; None where an event is odd."""
    read = _facts(_chained([one.facts for one in several]))
    if read is None:
        return None
    ids, actions, outcomes, categories, types, ingested = zip(
        *map(_OF_EVENT, [one.event for one in read]), strict=True
    )
    aliases, dialects = zip(*map(_OF_NAMES, [one.sealog for one in read]), strict=True)
    arrived = [columns.arrival(text or "") for text in ingested]
    people = _people(_chained([one.actors for one in several]))
    uids, names, mails, kinds, addresses, sessions = people
    findings = [
        [False] * len(one.indexes)
        if one.rests is None
        else list(map(columns.has_findings, one.rests))
        for one in several
    ]
    return Columns(
        _chained([one.indexes for one in several]),
        _times(read, arrived),
        arrived,
        _few(actions),
        _few(_texts(aliases)),
        list(map(columns.listed, map(bytes, categories))),
        list(map(columns.listed, map(bytes, types))),
        _few(_texts(outcomes)),
        uids,
        names,
        mails,
        kinds,
        addresses,
        [columns.aim(part) if part else "" for part in _chained([one.targets for one in several])],
        sessions,
        _few(_texts(dialects)),
        [None if (http := one.http) is None else columns.status_in(http) for one in read],
        _chained(findings),
        [sha256(one).digest()[:ID_BYTES] for one in map(str.encode, ids)],
    )


def _chained(several: Sequence[Sequence[_T]]) -> Sequence[_T]:
    return several[0] if len(several) == 1 else list(chain.from_iterable(several))


def _few(values: _Texts) -> _Texts:
    """The same values, equal ones the same object: of these columns few are different."""
    known: dict[str, str] = {}
    return list(map(known.setdefault, values, values))


def _facts(parts: _Parts) -> list[Facts] | None:
    """The facts of all events; None where some are of another shape, or lack an id or action."""
    try:
        read = list(map(columns.READ_FACTS, parts))
    except columns.UNREADABLE:
        return None
    for one in read:
        if not (one.event.id and one.event.action):
            return None
    return read


def _times(read: Sequence[Facts], arrived: Sequence[int]) -> Sequence[int]:
    texts = [one.at or "" for one in read]
    whole = "".join(texts)
    seconds = [columns.second_of(text[:_SECOND_CHARS]) for text in texts]
    fractions = [text[_FRACTION] for text in texts]
    if (
        set(map(len, texts)) == {_TIME_CHARS}
        and whole[_SECOND_CHARS::_TIME_CHARS] == "." * len(texts)
        and whole[_TIME_CHARS - 1 :: _TIME_CHARS] == "Z" * len(texts)
        and "".join(fractions).isdecimal()
        and None not in seconds
    ):
        pairs = zip(seconds, map(int, fractions), strict=True)
        return [second + 1_000 * fraction for second, fraction in pairs]  # type: ignore[operator] # none is None
    times = map(columns.time_of, texts)
    return [when if at is None else at for at, when in zip(times, arrived, strict=True)]


def _texts(values: Sequence[str | None]) -> _Texts:
    return [value or "" for value in values]


def _people(parts: _Parts) -> Sequence[_Texts]:
    """Of all events what `columns.who` says, column by column."""
    try:
        read = list(map(columns.READ_ACTOR, parts))
    except columns.UNREADABLE:
        each = [columns.who(part) if part else columns.NOBODY for part in parts]
        return list(zip(*each, strict=True))
    people = [_NOBODY if one.user is None else one.user for one in read]
    ids, names, mails = map(_folded, zip(*map(_OF_PERSON, people), strict=True))
    addresses = [
        source.ip
        if (source := one.source) is not None and source.ip
        else client.ip or ""
        if (client := one.client) is not None
        else ""
        for one in read
    ]
    kinds = [
        kind or ("user" if uid or name or mail else "")
        for kind, uid, name, mail in zip(map(columns.kind_in, read), ids, names, mails, strict=True)
    ]
    return ids, names, mails, kinds, addresses_of(addresses), list(map(columns.session_in, read))


def _folded(values: Sequence[str | int | None]) -> _Texts:
    """Names, none longer than a column takes, as `fold` gives them."""
    try:
        whole = _APART.join(values)  # type: ignore[arg-type] # it is asked
    except TypeError:
        return _folded(["" if value is None else str(value) for value in values])
    if whole.isascii() and whole.count(_APART) == len(values) - 1:
        return whole.lower().split(_APART)
    return [fold(str(value)) for value in values]
