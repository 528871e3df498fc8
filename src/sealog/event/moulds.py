"""Stored events that are alike, joined by one pattern and one template.

What is stored again and again differs in its values alone. A mould is made from an event: the
general way (`joining.document`, and what is added to it) joins it once with a mark in the place of
every value, and what comes out is the template. Whatever matches the pattern of a mould therefore
comes out byte for byte as the general way writes it, without being decoded.
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec
from msgspec import Raw

from sealog.errors import Refused
from sealog.event import joining, tokens
from sealog.event.joining import Add
from sealog.event.packs import Opened, Pack, Unpacker
from sealog.event.parts import PART_NAMES
from sealog.event.tokens import Tree

EVENT_BYTES_MAX = 50_000
VALUES_MAX = 128
"""Of an event that a mould is made from; groups and time to compile are bounded by it."""
ALIKE_MAX = 16
"""Of moulds for the same parts only the newest are tried."""
MADE_AFTER = 4
"""How many events with the same keys come before a mould is made from one of them: it takes as
long as joining hundreds."""
NOTICED_MAX = 256
MISSES_NOTICED_MAX = 2_000
"""Events are as different as they like: of those that fit nowhere so many are looked at, and one
more for every few that fit."""
MISSES_PER_HIT = 8

Values = tuple[bytes, ...]
Make = Callable[[Values], bytes]
Later = Callable[[Sequence[bytes], Make | None], Raw]
"""Gets the tokens of some texts as they stand in a tree of marks, and what makes JSON of them, None
for the one text itself; gives what stands for that in the tree. Events where one of the texts is
empty never come there."""
Plan = Callable[[Tree, Later], None]


class Unfit(ValueError):
    """An event that no mould is made from."""


class Derive(msgspec.Struct, frozen=True):
    """What follows from an event, added to its document whenever it is shown."""

    add: Add
    """The general way; a module's function, so that other processes find it."""
    plan: Plan | None = None
    """The same on a tree whose values are marks: texts are strings in quotes, all else numbers.
    Raises `Unfit` where what is added depends on more than a `Make` is given. None: no moulds."""


# A surrogate may stand alone, which only the slow reader takes.
_ESCAPED = rb'\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})'
_TEXT = rb'"[^"\\\x00-\x1f]*+(?:%b[^"\\\x00-\x1f]*+)*+"' % _ESCAPED
_OTHER = rb"(?:%b|true|false)" % tokens.NUMBER
_SCALAR = rb"(?:%b|%b|null)" % (_TEXT, _OTHER)
_LIST = rb"\[(?:%b(?:, ?%b)*+)?+\]" % (_SCALAR, _SCALAR)
_TOKENS = re.compile(
    rb"(?P<key>%b ?:)|(?P<text>%b)|(?P<other>%b)|(?P<list>%b)|(?P<literal>null|[{},\[\] ])"
    % (_TEXT, _TEXT, _OTHER, _LIST)
)
_PATTERNS = {"text": _TEXT, "other": _OTHER, "list": _LIST}
# Parts are JSON: where no backslash stands, a text ends at the next quote. Half the time (measured).
_PLAIN_PATTERNS = {
    "text": b'"[^"]*+"',
    "other": rb"[-0-9tf][^,}\]\s]*+",
    "list": rb'\[(?:"[^"]*+"|[^"\[\]{}\t\r\n]++)*+\]',
}
_BACKSLASH = b"\\"
_ESCAPES_BIT = 1 << 2 * len(PART_NAMES)
_NOT_EMPTY = b'(?!"")'
# A number that nobody sends; in quotes it stands for a text.
_MARK_HEAD = b"-8320917461"
_MARK = re.compile(rb'"%b([0-9]{4})"|%b([0-9]{4})' % (_MARK_HEAD, _MARK_HEAD))

_KINDS = range(len(PART_NAMES))

_Run = tuple[int, int]
"""The first and the last of some values that stand beside one another."""


class Mould(msgspec.Struct, frozen=True):
    """One kind of event."""

    match: Callable[[bytes], re.Match[bytes] | None]
    """Takes all parts of an event, one after the other."""
    template: bytes
    arrange: Callable[[tuple[Any, ...]], Any]
    """What stands in the template: of the groups, the index, and what is made."""
    makes: tuple[tuple[Callable[[Values], Values], Make], ...]

    def line(self, found: re.Match[bytes], index: int) -> bytes:
        """An event that fits, as JSON."""
        groups = found.groups()
        made = [make(take(groups)) for take, make in self.makes]
        line: bytes = self.template % self.arrange((*groups, index, *made))
        return line


class Moulds:
    """All that is known of what events look like. May be used from any thread; bounded."""

    def __init__(self, derive: Derive | None = None) -> None:
        self._add = None if derive is None else derive.add
        self._plan = None if derive is None else derive.plan
        self._is_planned = derive is None or derive.plan is not None
        # By the mask of the parts that are there, and whether a backslash stands in one; the lists
        # are never changed, only replaced.
        self._known: dict[int, list[Mould]] = {}
        self._noticed: dict[tuple[bytes, ...], int] = {}
        self._turn = threading.Lock()
        self._hits = self._misses = 0

    def lines(
        self, pack: Pack, base: int, unpacker: Unpacker, places: Sequence[int] | None = None
    ) -> bytes:
        """What `joining.lines` gives, with what is derived."""
        columns = [unpacker.parts(pack, number) for number in _KINDS]
        if places is None:
            places = range(len(pack.masks))
            rows = map(b"".join, zip(*columns, strict=True))
        else:
            rows = map(b"".join, [[column[place] for column in columns] for place in places])
        lines: list[bytes] = []
        left: list[tuple[int, int]] = []
        for place, text in zip(places, rows, strict=True):
            line = self._line(pack.masks[place], text, base + pack.indexes[place])
            if line is None:
                self._notice(pack.masks[place], [column[place] for column in columns])
                left.append((len(lines), place))
                line = b""
            lines.append(line)
        self._hits += len(lines) - len(left)
        if left:
            some = [place for _, place in left]
            slow = joining.lines_of(columns, pack, base, some, self._add)
            for (at, _), line in zip(left, slow, strict=True):
                lines[at] = line
        lines.append(b"")
        return b"\n".join(lines)

    def shown(self, opened: Opened, index: int) -> bytes:
        """What `joining.shown` gives, with what is derived."""
        mask = sum([1 << number for number, _, _ in opened.parts])
        if not opened.erased:
            texts = [text for _, _, text in opened.parts]
            line = self._line(mask, b"".join(texts), index)
            if line is not None:
                self._hits += 1
                return line
            self._notice(mask, texts)
        tree = joining.document(opened, index)
        if self._add is not None:
            self._add(tree)
        return tokens.encode(tree)

    def _line(self, mask: int, text: bytes, index: int) -> bytes | None:
        """An event of which nothing is erased, its parts one after the other."""
        if _BACKSLASH in text:
            mask |= _ESCAPES_BIT
        known = self._known.get(mask)
        for mould in known or ():
            found = mould.match(text)
            if found is not None:
                if known and mould is not known[0]:
                    self._put(mask, mould)
                return mould.line(found, index)
        return None

    def _notice(self, mask: int, texts: Sequence[bytes]) -> None:
        """Make a mould of an event that fits nowhere, if others looked like it before."""
        self._misses += 1
        if (
            not self._is_planned
            or not 0 < mask < 1 << len(PART_NAMES)
            or self._misses > MISSES_NOTICED_MAX + self._hits // MISSES_PER_HIT
            or sum(map(len, texts)) > EVENT_BYTES_MAX
        ):
            return
        has_escapes = any(_BACKSLASH in text for text in texts)
        try:
            parts = [_Part(text) for text in texts if text]
            looks = (*[look for part in parts for look in part.looks()], b"%d" % has_escapes)
            with self._turn:
                if len(self._noticed) >= NOTICED_MAX:
                    self._noticed.clear()
                count = self._noticed[looks] = self._noticed.get(looks, 0) + 1
            if count == MADE_AFTER:
                self._put(
                    mask | _ESCAPES_BIT * has_escapes,
                    made(parts, self._plan, _PATTERNS if has_escapes else _PLAIN_PATTERNS),
                )
        except (Unfit, Refused, msgspec.DecodeError):
            return

    def _put(self, mask: int, mould: Mould) -> None:
        """The newest first, or the one that fitted last."""
        with self._turn:
            others = [other for other in self._known.get(mask, ()) if other is not mould]
            self._known[mask] = [mould, *others[: ALIKE_MAX - 1]]


class _Part:
    """A part cut into values and what stands between them."""

    def __init__(self, text: bytes) -> None:
        if _MARK_HEAD in text:
            raise Unfit("it holds what stands for a value")
        self.literals = [b""]
        """Before each value, and behind the last."""
        self.kinds: list[str] = []
        self._text = text
        at = 0
        while at < len(text):
            token = _TOKENS.match(text, at)
            if token is None:
                raise Unfit("it is written as hardly anybody writes")
            kind = token.lastgroup
            assert kind is not None
            if kind in _PATTERNS:
                self.kinds.append(kind)
                self.literals.append(b"")
            else:
                self.literals[-1] += token[0]
            at = token.end()

    def looks(self) -> list[bytes]:
        """What is alike in events that are alike."""
        return [*self.literals, ",".join(self.kinds).encode()]

    def marked(self, first: int) -> bytes:
        """The part with marks in the place of its values, counted from `first`."""
        # Of equal keys a reader takes the first or the last.
        if tokens.parse(self._text, own=True).equal:
            raise Unfit("keys that are equal")
        pieces = [self.literals[0]]
        for number, kind in enumerate(self.kinds):
            pieces += [_mark(first + number, kind), self.literals[number + 1]]
        return b"".join(pieces)


def made(
    parts: Sequence[_Part], plan: Plan | None, patterns: Mapping[str, bytes] = _PATTERNS
) -> Mould:
    """The mould of an event of these parts; raises `Unfit`, or what reading it raises."""
    kinds = [kind for part in parts for kind in part.kinds]
    if len(kinds) > VALUES_MAX:
        raise Unfit("too many values")
    literals = [b""]
    marked = []
    for part in parts:
        marked.append((0, b"", part.marked(len(literals) - 1)))
        literals[-1] += part.literals[0]
        literals += part.literals[1:]
    tree = joining.document(Opened(b"", tuple(marked)), 0)
    tree["sealog"]["index"] = Raw(_mark(len(kinds), "other"))
    later = _Later(len(kinds) + 1)
    if plan is not None:
        plan(tree, later)
    before, runs, end = _runs(literals, tokens.encode(tree))
    spans = {run for run in runs if run[0] < len(kinds)} | {
        (one, one) for numbers, _ in later.makes for one in numbers
    }
    groups = sorted(spans, key=lambda run: (run[0], -run[1]))
    values = [_NOT_EMPTY * (n in later.read) + patterns[kind] for n, kind in enumerate(kinds)]
    place = {run: at for at, run in enumerate(groups)}
    # Behind the groups come the index and what is made, as their marks come behind the values'.
    behind = len(groups) - len(kinds)
    slots = [b"%d" if run[0] == len(kinds) else b"%b" for run in runs]
    texts = [text.replace(b"%", b"%%") for text in (*before, end)]
    return Mould(
        match=re.compile(_pattern(literals, values, groups)).fullmatch,
        template=b"".join([text + slot for text, slot in zip(texts, [*slots, b""], strict=True)]),
        arrange=itemgetter(*[place.get(run, run[0] + behind) for run in runs]),
        makes=tuple(
            [(_taking([place[one, one] for one in some]), make) for some, make in later.makes]
        ),
    )


def _taking(groups: Sequence[int]) -> Callable[[Values], Values]:
    # Of one place alone it would give the value, not a tuple of it.
    one = slice(groups[0], groups[0] + 1)
    return itemgetter(*groups) if len(groups) > 1 else itemgetter(one)


class _Later:
    """Notes what is made of which values when an event comes."""

    def __init__(self, first: int) -> None:
        self._first = first
        self.makes: list[tuple[list[int], Make]] = []
        self.read: set[int] = set()
        """The values that may not be empty."""

    def __call__(self, texts: Sequence[bytes], make: Make | None) -> Raw:
        numbers = []
        for text in texts:
            found = _MARK.fullmatch(text)
            if found is None or found[1] is None:
                raise Unfit("what is added depends on what is no text")
            numbers.append(int(found[1]))
        self.read |= {*numbers}
        if make is None:
            return Raw(texts[0])
        self.makes.append((numbers, make))
        return Raw(_mark(self._first + len(self.makes) - 1, "other"))


def _mark(number: int, kind: str) -> bytes:
    mark = b"%b%04d" % (_MARK_HEAD, number)
    return b'"%b"' % mark if kind == "text" else mark


def _runs(literals: Sequence[bytes], text: bytes) -> tuple[list[bytes], list[_Run], bytes]:
    """What stands in a text of marks: before each run of values, the runs, and behind the last.

    Values that stand beside one another in what comes in and in what goes out are one run.
    """
    split = _MARK.split(text)
    before: list[bytes] = []
    runs: list[_Run] = []
    taken: set[int] = set()
    may_grow = False
    for between, in_quotes, bare in zip(split[::3], split[1::3], split[2::3], strict=False):
        number = int(in_quotes or bare)
        is_new = number < len(literals) - 1 and number not in taken
        if may_grow and is_new and runs[-1][1] == number - 1 and between == literals[number]:
            runs[-1] = (runs[-1][0], number)
        else:
            before.append(between)
            runs.append((number, number))
            # One that stood before may stand within a run: runs that overlap are no groups.
            may_grow = is_new
        taken.add(number)
    return before, runs, split[-1]


def _pattern(literals: Sequence[bytes], values: Sequence[bytes], groups: Sequence[_Run]) -> bytes:
    pieces = []
    for number, value in enumerate(values):
        begun = sum([first == number for first, _ in groups])
        ended = sum([last == number for _, last in groups])
        pieces += [re.escape(literals[number]), b"(" * begun, value, b")" * ended]
    return b"".join([*pieces, re.escape(literals[-1])])
