"""Records of one shape, read by one pattern and written by one template for each part.

What is sent again and again differs in its values alone (decision 0014). A shape is learnt from a
record: its keys in their order, and of what kind each value is. Whatever its pattern matches is
strict JSON with no equal, dotted or escaped keys, so nothing has to be decoded to know that; and
its values are cut into parts by templates that `parts.split` itself has written once, with a mark
in the place of every value.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec
from msgspec import Raw

from sealog.event import parts
from sealog.event.parts import FACTS, Place, Stamps, Texts
from sealog.event.patterns import (
    COMMA,
    KEY_CHARS_MAX,
    KEYS_MAX,
    Pattern,
    Shapeless,
    are_plain,
    fact_pattern,
    key_pattern,
    literal,
    styled,
    value_pattern,
)
from sealog.event.templates import Templates, Values, templates_of
from sealog.event.tokens import Tree

LINE_BYTES_MAX = 50_000
"""A longer record is not looked at: it may be over a limit that the reader knows."""
SHAPES_MAX = 256
ALIKE_MAX = 8
"""Of shapes with as many quotes only the newest are tried."""
LEARNT_AFTER = 8
"""How many records with the same row of keys come before one of them is learnt from."""
LEARNING_BYTES = 1 << 10
"""What is read slowly, per key of a shape, to pay for learning it: making its pattern takes as long
as reading some dozen records (measured: 0.1 ms a key, four times that for an array)."""
LEARNING_BYTES_MAX = 1 << 20
"""What can be saved up for learning, and stands there at first: some dozens of shapes."""

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode
# Of no key and no value of ours; JSON writes it as it is.
_MARK = re.compile("\ue000([0-9]+)\ue000".encode())


STAMPED = ("event.id", "event.ingested", "@timestamp", "organization.id", "sealog.action")
"""What sealing sets in a part, in the order in which it gives it."""


class Shape(msgspec.Struct, frozen=True):
    """One shape. Its pattern has a group for each value, in the order of the record."""

    pattern: Pattern
    asked: Callable[[Values], Values]
    """The tokens at the paths that the dialect asks about, empty for what the record has not."""
    tree: Tree
    """The draft's tree, numbers in the place of its values."""
    templates: Templates | None
    """How the parts are written; None where a form says it."""
    paths: tuple[tuple[str, ...], ...]
    """Of each value, the keys that lead to it."""
    keys: frozenset[str]
    """Every key that stands in the record, at any level."""


class Shaped(msgspec.Struct, frozen=True, gc=False):
    """A record of a shape."""

    shape: Shape
    values: Values
    """The token of each value, and behind them an empty one for what the record has not."""
    found: re.Match[bytes]

    def asked(self) -> Values:
        """See `Shape.asked`."""
        return self.shape.asked(self.values)

    def again(self, line: bytes) -> "Shaped | None":
        """The same record out of which something was cut; None where it has lost its shape."""
        match = self.shape.pattern.match(line)
        return None if match is None else Shaped(self.shape, match.groups() + _LAST, match)

    def scalars(self, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]] | None:
        """Begin, end and number of each value that one of these spans in the record touches.

        A string is told without its quotes. None where an object or array is touched: which of its
        values it is only a reader can tell. `spans` are in order.
        """
        touched: dict[int, tuple[int, int, int]] = {}
        _, *places = self.found.regs
        for first, last in spans:
            # The value before may end where the span begins.
            number = max(bisect_left(places, (first,)) - 1, 0)
            while number < len(places):
                begin, end = places[number]
                value = self.values[number]
                if value[:1] == b'"':
                    begin, end = begin + 1, end - 1
                if begin > last:
                    break
                if end >= first:
                    if value[:1] in (b"{", b"["):
                        return None
                    touched[number] = (begin, end, number)
                number += 1
        return list(touched.values())

    def tree(self) -> Tree:
        """The draft's tree."""
        return _filled(self.shape.tree, self.values)

    def texts(self, stamped: Values) -> Texts:
        """The parts; `stamped` are the tokens of `STAMPED`, the time's without its quotes."""
        templates = self.shape.templates
        assert templates is not None
        return templates.texts(self.values + stamped)


_LAST = (b"",)


class Learner:
    """Makes the shape of a record.

    `fixed`: paths whose value MUST be this token, and stands in no tree. `taken`: paths whose value
    is a string that stands in no tree. Both because it is stamped. `odd`: paths that no shape has.
    `asked`: paths of facts.
    """

    def __init__(
        self,
        dialect: str,
        root: Place,
        *,
        fixed: Mapping[str, bytes],
        taken: frozenset[str],
        odd: frozenset[str],
        asked: tuple[str, ...],
    ) -> None:
        self._dialect = dialect
        self._root = root
        self._fixed = fixed
        self._taken = taken
        self._odd = odd
        self._asked = asked

    def learn(self, line: bytes) -> Shape:
        """The shape of a record, which is strict JSON; raises `Shapeless`."""
        slots: dict[str, int] = {}
        pattern, tree = self._object(_DECODE(line), self._root, "", slots)
        is_whole = type(tree.get("event")) is dict and "organization" not in tree
        if not is_whole or len(slots) > KEYS_MAX:
            raise Shapeless("an object that sealing stamps is not as it is nearly always")
        first = len(slots) + 1
        name, ingested, at, tenant, action = map(_mark, range(first, first + len(STAMPED)))
        marked = _filled(tree, tuple(_mark(slot) for slot in range(first)))
        marked["event"] |= {"id": Raw(name), "ingested": Raw(ingested)}
        sealog = b'{"action":%b,"dialect":"%b"}' % (action, self._dialect.encode())
        facts = {
            "ecs": Raw(self._fixed["ecs"]),
            "organization": Raw(b'{"id":%b}' % tenant),
            "sealog": Raw(sealog),
        }
        cut = parts.split(marked, self._root, Stamps(at.decode(), facts))
        templates = templates_of(parts.texts(cut), _MARK, first + len(STAMPED))
        asked = itemgetter(*[slots.get(path, len(slots)) for path in self._asked])
        paths = tuple(tuple(path.split(".")) for path in slots)
        names = keys_of(_DECODE(line))
        return Shape(styled(pattern, line), asked, tree, templates, paths, names)

    def _object(
        self, node: dict[str, Any], place: Place, above: str, slots: dict[str, int]
    ) -> tuple[bytes, Tree]:
        """The pattern of an object whose children are routed apart, and its tree."""
        members: list[bytes] = []
        tree: Tree = {}
        for key, child in node.items():
            path = above + key
            below = (place.children or {}).get(key, _REST)
            if path in self._odd:
                raise Shapeless(path)
            if path in self._fixed:
                if _ENCODE(child) != self._fixed[path]:
                    raise Shapeless(path)
                pattern = literal(child)
            elif type(child) is dict and child and _is_divided(child, below):
                pattern, inner = self._object(child, below, f"{path}.", slots)
                if inner:
                    tree[key] = inner
            else:
                is_fact = below.children is None and below.part == FACTS
                pattern = b"(%b)" % (fact_pattern(child) if is_fact else value_pattern(child))
                if path not in self._taken:
                    tree[key] = len(slots)
                elif type(child) is not str:
                    raise Shapeless(path)
                slots[path] = len(slots)
            members.append(key_pattern(key) + pattern)
        return rb"\{%b\}" % COMMA.join(members), tree


_REST = Place()


def _is_divided(child: Mapping[str, Any], place: Place) -> bool:
    return place.children is not None and (
        place.part == FACTS or not place.children.keys().isdisjoint(child)
    )


def keys_of(node: Any) -> frozenset[str]:
    """Every key in an object of objects, arrays aside."""
    if type(node) is not dict:
        return frozenset()
    return frozenset(node).union(*map(keys_of, node.values()))


def _mark(slot: int) -> bytes:
    return f"\ue000{slot}\ue000".encode()


def _filled(tree: Tree, values: Values) -> Tree:
    """The tree with values in the place of their numbers."""
    return {
        key: _filled(node, values) if type(node) is dict else Raw(values[node])
        for key, node in tree.items()
    }


class Shapes:
    """The shapes of one dialect; one per thread. Bounded: records come from outside."""

    def __init__(self, learn: Callable[[bytes], Shape]) -> None:
        """`learn` makes the shape of a record, or raises `Shapeless`."""
        self._learn = learn
        self._known: dict[int, list[Shape]] = {}
        self._patterns = 0
        self._noticed: dict[tuple[str, ...], int] = {}
        self._saved = LEARNING_BYTES_MAX
        self._last: Shape | None = None
        self._before: Shape | None = None

    def read(self, line: bytes) -> Shaped | None:
        """The values of a record, which is valid UTF-8; None for one of no shape that is known."""
        return self._read(line, Pattern.strictly)

    def read_all(self, lines: Sequence[bytes]) -> list[Shaped | None]:
        """The same of several records, quicker."""
        if self._last is None:
            return [None] * len(lines)
        # Of one line alone, looking it over costs what is saved.
        plain = len(lines) > 1 and are_plain(lines)
        match = Pattern.plainly if plain else Pattern.strictly
        return [self._read(line, match) for line in lines]

    def _read(
        self, line: bytes, look: Callable[[Pattern, bytes], re.Match[bytes] | None]
    ) -> Shaped | None:
        last, before = self._last, self._before
        if last is None or len(line) > LINE_BYTES_MAX:
            return None
        match = look(last.pattern, line)
        if match is not None:
            return Shaped(last, match.groups() + _LAST, match)
        # Two shapes in turn are common: before anything is counted.
        match = None if before is None else look(before.pattern, line)
        if before is not None and match is not None:
            self._last, self._before = before, last
            return Shaped(before, match.groups() + _LAST, match)
        for shape in self._known.get(line.count(b'"'), ()):
            match = look(shape.pattern, line)
            if match is not None:
                self._last, self._before = shape, last
                return Shaped(shape, match.groups() + _LAST, match)
        return None

    def notice(self, line: bytes, row: tuple[str, ...]) -> None:
        """Learn from a record of no known shape, if others had the same row of keys before."""
        if len(row) > KEYS_MAX or sum(map(len, row)) > KEYS_MAX * KEY_CHARS_MAX:
            return
        if len(self._noticed) >= SHAPES_MAX:
            self._noticed.clear()
        self._saved = min(self._saved + len(line), LEARNING_BYTES_MAX)
        count = self._noticed[row] = self._noticed.get(row, 0) + 1
        if count % LEARNT_AFTER == 0 and len(line) <= LINE_BYTES_MAX and self._saved > 0:
            # Whoever sends ever other keys must not make us learn without end.
            self._saved -= LEARNING_BYTES * min(line.count(b'":'), KEYS_MAX)
            try:
                shape = self._learn(line)
            except (Shapeless, msgspec.DecodeError):
                return
            self._keep(line.count(b'"'), shape)

    def _keep(self, quotes: int, shape: Shape) -> None:
        if self._patterns >= SHAPES_MAX:
            self._known.clear()
            self._patterns = 0
        alike = self._known.setdefault(quotes, [])
        alike.insert(0, shape)
        del alike[ALIKE_MAX:]
        self._patterns += 1
        self._last, self._before = shape, self._last
